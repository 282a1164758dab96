"""`calwebb-pool`: make the table of exposures, change it, check it."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calwebb_core.framework.command import program
from calwebb_core.framework.errors import InputError

if TYPE_CHECKING:
    from calwebb_associate.pool import Pool

PATH = click.Path(path_type=Path)

log = logging.getLogger(__name__)


@program(
    "calwebb-pool",
    package="calwebb_associate",
    example="""
    calwebb-pool raw/ -o pool.csv
    calwebb-pool raw/jw01345*_uncal.fits -o pool.csv
    calwebb-pool raw/ -o pool.csv --candidate c1000=mosaic:o001,o002
    calwebb-pool pool.csv -o new.csv --set '*_02101_*_nrs1' is_imprt t
    calwebb-pool pool.csv --check
    """,
)
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option("-o", "--output", type=PATH, help="The pool to write (.csv).")
@click.option("--check", is_flag=True, help="Say what is wrong or odd in a pool; write nothing.")
@click.option(
    "--candidate",
    "candidates",
    multiple=True,
    metavar="ID=TYPE:MEMBERS",
    help="Add a candidate: observations (o001,o002) or patterns of exposures' names.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    nargs=3,
    metavar="PATTERN COLUMN VALUE",
    help="Set a value of the exposures of this name, such as is_imprt, pntgtype, dms_note.",
)
@click.option("--delimiter", metavar="CHAR", help="What stands between values; | by default.")
@click.option(
    "--cache",
    type=PATH,
    metavar="FOLDER",
    help="Where to keep what was read of the headers; by default beside the pool.",
)
@click.option("--no-cache", is_flag=True, help="Read all headers, and keep nothing.")
def pool(
    files: tuple[Path, ...],
    output: Path | None,
    check: bool,
    candidates: tuple[str, ...],
    settings: tuple[tuple[str, str, str], ...],
    delimiter: str | None,
    cache: Path | None,
    no_cache: bool,
) -> None:
    """Make the table of exposures from their headers.

    FILES are _uncal.fits files (or _rate, _rateints, _cal, _calints of exposures whose raw data
    are elsewhere), folders with such files in them or below, or text files that list them.
    Or one pool, to be changed or checked.

    Headers that have been read are kept, and read again when a file has changed.
    """
    from calwebb_associate.scan import is_pool

    _check_options(output, delimiter, check=check)
    if check and is_pool(files):
        _check(files[0], delimiter)
        return
    made = _made(files, output, delimiter, None if no_cache else _kept(cache, output))
    from calwebb_associate.pool_changes import with_candidates, with_values

    made = with_candidates(with_values(made, settings), candidates)
    if output is None or check:
        log.info("%d exposures, nothing wrong", len(made.rows))
        return
    from calwebb_associate.pool import write_pool

    write_pool(made, output, delimiter or "|")
    log.info("%s: %d exposures", output, len(made.rows))


def _check_options(output: Path | None, delimiter: str | None, *, check: bool) -> None:
    if output is None and not check:
        msg = "-o: the pool to write is missing; or say --check to write none"
        raise InputError(msg)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in "\"'#\n\r"):
        msg = f"--delimiter: {delimiter!r} cannot stand between values; expected one such as |"
        raise InputError(msg)


def _made(
    files: tuple[Path, ...], output: Path | None, delimiter: str | None, cache: Path | None
) -> "Pool":
    """Read the pool, or make it."""
    from calwebb_associate.scan import pool_of

    return pool_of(files, output.name if output else "pool.csv", cache=cache, delimiter=delimiter)


def _kept(folder: Path | None, output: Path | None) -> Path | None:
    """Return the file that keeps headers, None where the user names no folder."""
    from calwebb_associate.pool_cache import CACHE_NAME

    if folder is None:
        return None if output is None else output.parent / CACHE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be made: {error.strerror}; choose another folder for --cache"
        raise InputError(msg) from error
    return folder / CACHE_NAME


def _check(path: Path, delimiter: str | None) -> None:
    """Print what is wrong and odd in a pool; refuse one in which something is wrong."""
    from calwebb_associate.pool_check import check_pool

    wrong, odd = check_pool(path, delimiter)
    for sentence in odd:
        click.echo(f"odd: {sentence}")
    for sentence in wrong:
        click.echo(f"wrong: {sentence}")
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        msg = f"{path}: {wrong[0]}{more}"
        raise InputError(msg)
    log.info("%s: nothing wrong, %d odd", path, len(odd))
