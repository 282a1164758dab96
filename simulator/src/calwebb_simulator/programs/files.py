"""Programs of every mode written as files, all of them or as many as are asked for."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from calwebb_core.framework.atomic import atomic_path, check_writable, write_text
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_cards import BLOCK, END, Card
from calwebb_simulator.programs import miri, nircam, niriss, nirspec, others
from calwebb_simulator.programs.headers import primary, science
from calwebb_simulator.programs.model import Program
from calwebb_simulator.programs.pools import pool_text
from calwebb_simulator.programs.schedule import Raw, raw_files

logger = logging.getLogger(__name__)

PROGRAMS: Final = (
    *nircam.PROGRAMS,
    *miri.PROGRAMS,
    *niriss.PROGRAMS,
    *nirspec.PROGRAMS,
    *others.PROGRAMS,
)
MODES: Final = {program.mode: program for program in PROGRAMS}
COPIES: Final = 899  # five digits hold no more
ZERO_COUNTS: Final = b"\x80\x00".ljust(BLOCK, b"\0")  # 0 DN, less BZERO
IMAGE: Final = {"BITPIX": 16, "NAXIS": 4, **{f"NAXIS{axis}": 1 for axis in range(1, 5)}}


def chosen_programs(modes: Sequence[str]) -> tuple[Program, ...]:
    """Return the programs of some modes; all of them without any.

    Raises
    ------
    InputError
        If there is no such mode.
    """
    for mode in modes:
        if mode not in MODES:
            msg = f"--mode {mode}: there is no such mode; there are {', '.join(MODES)}"
            raise InputError(msg)
    return tuple(MODES[mode] for mode in dict.fromkeys(modes)) or PROGRAMS


def all_files(programs: Sequence[Program]) -> Iterator[Raw]:
    """Yield the files of programs and of their copies under further numbers."""
    for copy in range(COPIES):
        for program in programs:
            yield from raw_files(program, copy)


def planned(modes: Sequence[str], exposures: int | None = None) -> list[Raw]:
    """Return the files of some modes, or just so many of them and their copies.

    Raises
    ------
    InputError
        If there is no such mode, or too few copies for so many files.
    """
    programs = chosen_programs(modes)
    if exposures is None:
        return [raw for program in programs for raw in raw_files(program)]
    found = list(islice(all_files(programs), exposures))
    if len(found) < exposures:
        msg = f"--exposures {exposures}: {COPIES} copies have {len(found)} files; expected fewer"
        raise InputError(msg)
    return found


def write_programs(
    output_dir: Path, modes: Sequence[str] = (), exposures: int | None = None
) -> list[Path]:
    """Write the raw files of observing programs into DIR/uncal, their pools into DIR/pools.

    Parameters
    ----------
    output_dir : Path
    modes : sequence of str
        Modes; all of them by default.
    exposures : int, optional
        Number of files; programs are repeated under further numbers to reach it.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If there is no such mode or the folder cannot be written.
    """
    found = planned(modes, exposures)
    folders = [Path(output_dir) / name for name in ("uncal", "pools")]
    for folder in folders:
        check_writable(folder)
    paths = []
    for raw in found:
        path = folders[0] / f"{raw.root}_uncal.fits"
        with atomic_path(path) as temporary:
            temporary.write_bytes(content(raw))
        paths.append(path)
    for number, files in groupby(found, key=attrgetter("number")):
        write_text(folders[1] / f"jw{number:05d}_pool.csv", pool_text(list(files)))
    return paths


def content(raw: Raw) -> bytes:
    """Return a file's bytes: two headers and a single pixel."""
    start = {"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, "EXTEND": True}
    first = cards({**start, **primary(raw)})
    layout = {"PCOUNT": 0, "GCOUNT": 1, "BSCALE": 1, "BZERO": 32768, "EXTNAME": "SCI"}
    second = cards({"XTENSION": "IMAGE", **IMAGE, **layout, **science(raw)})
    return (first + second).encode("ascii") + ZERO_COUNTS


def cards(values: Mapping[str, Any]) -> str:
    """Return a header with the keywords' values."""
    text = "".join(card(keyword, value) for keyword, value in values.items()) + END
    return text.ljust(-(-len(text) // BLOCK) * BLOCK)


@lru_cache(maxsize=50_000, typed=True)
def card(keyword: str, value: Any) -> str:
    """Return a keyword's cards; most repeat from file to file."""
    # The cache takes -0.0 for 0.0: what is written must not depend on which came first.
    return Card(keyword, value + 0.0 if isinstance(value, float) else value).image


def list_programs() -> None:
    """Print the programs."""
    grid = Table("mode", "program", "files", "what it observes", title="Programs")
    for program in PROGRAMS:
        files = sum(1 for _ in raw_files(program))
        grid.add_row(program.mode, f"{program.number:05d}", str(files), program.sentence)
    Console().print(grid)


def programs_body(options: dict[str, Any], *, quiet: bool) -> None:
    """List observing programs or write their files."""
    if options["listing"]:
        list_programs()
        return
    if options["output_dir"] is None:
        msg = "--output-dir is missing: expected a folder for the files, or --list"
        raise InputError(msg)
    paths = write_programs(options["output_dir"], options["modes"], options["exposures"])
    if not quiet:
        logger.info("%d raw files in %s", len(paths), paths[0].parent)
