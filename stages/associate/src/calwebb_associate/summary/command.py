"""`calwebb-report`: the summary of a program as one page."""

import logging
from pathlib import Path

import click

from calwebb_core.framework.command import program

PATH = click.Path(path_type=Path)

log = logging.getLogger(__name__)


@program(
    "calwebb-report",
    package="calwebb_associate",
    example="""
    calwebb-report results/01345 -o results/01345/report/01345_summary.html
    calwebb-report results/01345 --uncal raw/ -o 01345_summary.html
    """,
)
@click.argument("folder", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="The page to write (.html).")
@click.option("--logs", type=PATH, help="Logs of the program; looked for by default.")
@click.option(
    "--uncal",
    multiple=True,
    type=PATH,
    help="Raw exposures, for what has no products yet: files, folders or lists of them.",
)
@click.option("--defaults", type=PATH, help="The configuration's schema, for what was changed.")
def main(
    folder: Path, output: Path, logs: Path | None, uncal: tuple[Path, ...], defaults: Path | None
) -> None:
    """Summarise the results of a program in FOLDER: one HTML page that needs nothing but itself.

    At any time: it shows what is done, what failed, and what is still missing.
    """
    from calwebb_associate.summary.gather import gather
    from calwebb_associate.summary.page import render
    from calwebb_associate.summary.record import read_defaults
    from calwebb_core.framework.atomic import write_text
    from calwebb_core.framework.errors import InputError

    known = read_defaults(defaults)
    gathered = gather(folder, logs or logs_of(folder), uncal)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{output.parent}: cannot be made: {error.strerror}; choose another place"
        raise InputError(msg) from error
    write_text(output, render(gathered, output, known))
    log.info("%s: %d exposures", output, len(gathered.rows))


def logs_of(folder: Path) -> Path:
    """Return where the logs of a program are: in `logs` beside it, or in the current folder."""
    name = folder.resolve().name
    places = (folder.resolve().parent / "logs" / name, Path("logs") / name)
    return next((place for place in places if place.is_dir()), places[0])
