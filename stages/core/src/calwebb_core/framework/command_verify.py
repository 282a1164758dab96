"""The console script `calwebb-verify`."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calwebb_core.framework.command import leave, program

if TYPE_CHECKING:
    from calwebb_core.framework.verify.findings import Verdict
    from calwebb_core.framework.verify.verify import Wishes

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
logger = logging.getLogger(__name__)


@program(
    "calwebb-verify",
    package="calwebb_core",
    example="""calwebb-verify results/01345/image2/jw01345001001_02101_00001_nrcalong_cal.fits
calwebb-verify --from-raw --input-dir uncal results/01345/image3/*_i2d.fits""",
    wants_quiet=True,
)
@click.argument(
    "products",
    metavar="PRODUCT...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
)
@click.option(
    "--input-dir",
    "folders",
    multiple=True,
    type=FOLDER,
    metavar="DIR",
    help="Look for inputs here, too. May be repeated.",
)
@click.option(
    "--references",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="DIR|REFS.json",
    help="Look for reference files here, too, not only in the CRDS cache. May be repeated.",
)
@click.option(
    "--from-raw",
    is_flag=True,
    help="Verify everything that a product was made of, too, back to the raw exposures.",
)
@click.option(
    "--allow-hooks", is_flag=True, help="Run the user's own code that a product was made with."
)
@click.option(
    "--allow-outside",
    is_flag=True,
    help="Read members of associations outside their folder, too: absolute paths, ...",
)
@click.option("--work-dir", type=FOLDER, metavar="DIR", help="Folder for temporary files.")
@click.option(
    "--json",
    "report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what was found to this file.",
)
def main(
    products: tuple[Path, ...],
    folders: tuple[Path, ...],
    references: tuple[Path, ...],
    work_dir: Path | None,
    report: Path | None,
    *,
    from_raw: bool,
    allow_hooks: bool,
    allow_outside: bool,
    quiet: bool,
) -> None:
    """Make PRODUCTs again from what they say about themselves and compare bit for bit.

    Inputs are looked for in the product's folder and in those of the workflow beside it,
    reference files in the CRDS cache. Exit code: 0 all are identical, 1 one differs, 2 one
    cannot be verified.
    """
    from calwebb_core.framework.verify.findings import EXIT_CODES
    from calwebb_core.framework.verify.verify import Kept, Wishes, verify

    wishes = Wishes(folders, references, work_dir, allow_hooks, allow_outside)
    verdicts = []
    with status(quiet=quiet) as waiting, Kept() as kept:
        for product in all_of(products, wishes, from_raw=from_raw):
            verdicts.append(verify(product, wishes, waiting, kept))
            show(verdicts[-1], quiet=quiet)
    if report is not None:
        write_report(report, verdicts)
    codes = {EXIT_CODES[verdict.state] for verdict in verdicts}
    leave(next((code for code in (1, 2) if code in codes), 0))


def all_of(products: tuple[Path, ...], wishes: "Wishes", *, from_raw: bool) -> Iterator[Path]:
    """Yield what is to be verified, each once."""
    from calwebb_core.framework.verify.verify import chain

    if not from_raw:
        yield from dict.fromkeys(products)
        return
    seen: set[Path] = set()
    for product in products:
        yield from chain(product, wishes, seen)


def show(verdict: "Verdict", *, quiet: bool) -> None:
    """Print what came out for a product: a line, and one for each finding."""
    if quiet and not verdict.findings:
        return
    took = f" ({verdict.program}, {verdict.seconds:.1f} s)" if verdict.program else ""
    click.echo(f"{verdict.product}: {verdict.state}{took}")
    for finding in verdict.findings:
        click.echo(f"  {finding.text}")
    for note in verdict.notes:
        click.echo(f"  {note}")


def write_report(path: Path, verdicts: "list[Verdict]") -> None:
    """Write what was found as JSON."""
    from calwebb_core.framework.atomic import write_text

    content: dict[str, Any] = {"format": 1, "products": [item.plain() for item in verdicts]}
    write_text(path, json.dumps(content, indent=2, default=str) + "\n")


@contextmanager
def status(*, quiet: bool) -> Iterator[Callable[[str, float], None] | None]:
    """Yield what shows on a terminal which product is being made again, and for how long."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading") as line:

        def tell(name: str, seconds: float) -> None:
            line.update(f"making {name} again: {seconds:.0f} s")

        yield tell
