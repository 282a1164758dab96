"""Sky levels from a file of the user's."""

import math
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plain_files import read_text
from calwebb_core.framework.products import root_of


def read_sky_list(path: Path) -> dict[str, float]:
    """Return sky levels by name of the exposure without suffix.

    Parameters
    ----------
    path : Path
        Text; each line has a file name and a number, in the unit of SCI. Lines that begin with
        ``#`` and empty ones don't count.

    Raises
    ------
    InputError
        If it can't be read, a line is something else, or an exposure is in it twice.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: skymatch.skylist can't be read ({error}); expected a text file"
        raise InputError(msg) from error
    levels: dict[str, float] = {}
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        name, level = entry(words)
        if not math.isfinite(level):
            msg = f"{path}: line {number} is {line!r}; expected a file name and a number"
            raise InputError(msg)
        if name in levels:
            msg = f"{path}: line {number} has {name} again; expected one line for each exposure"
            raise InputError(msg)
        levels[name] = level
    return levels


def entry(words: list[str]) -> tuple[str, float]:
    """Return name and level of a line; NaN if it is none."""
    try:
        name, level = words
        return root_of(Path(name)), float(level)
    except (ValueError, InputError):
        return "", math.nan


def prepare(images: Any, parameters: Any) -> None:
    """Put the levels of `skylist` in an image set, if there is one."""
    if parameters.skylist:
        images.sky_levels = read_sky_list(Path(parameters.skylist))
