"""Paths of the configuration and of raw exposures: what a job's command can take.

The rules quote each path that they hand to a shell. Left are names that programs take for options,
that break lines, or that Snakemake fills in.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.printing import printable

WRITTEN: Final = ("results", "logs")
READ: Final = ("uncal", "pool", "associations", "rules", "crds_path")
BRACES: Final = "{}"


def check_given(config: Mapping[str, Any]) -> None:
    """Check every path in the configuration.

    Raises
    ------
    InputError
        Naming the option and the path.
    """
    for name in (*WRITTEN, *READ):
        for path in texts(config[name]):
            check_path(path, f"config: {name}")
    for kind, path in config["overrides"].items():
        check_path(str(path), f"config: overrides.{kind}")
    for name in WRITTEN:
        if set(BRACES) & set(config[name]):
            msg = f"config: {name} is {config[name]!r}: rules fill in what braces hold; rename it"
            raise InputError(msg)


def check_files(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Check the paths of raw exposures.

    Raises
    ------
    InputError
        Naming the path.
    """
    for path in paths:
        check_path(os.fspath(path), "raw exposure")


def check_path(path: str, what: str) -> None:
    """Refuse a path that a command would take for something else."""
    if path.startswith("-"):
        msg = f"{what} {printable(path)}: begins with -, as options do; write its whole path"
        raise InputError(msg)
    if printable(path) != path:
        msg = f"{what} {printable(path)}: has line breaks or other control characters; rename it"
        raise InputError(msg)


def texts(value: Any) -> Iterator[str]:
    """Yield a text, or those in a list."""
    yield from (str(item) for item in (value if isinstance(value, list) else [value]))
