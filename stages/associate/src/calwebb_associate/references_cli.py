"""`calwebb-references`: the best reference files of an exposure."""

import logging
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from calwebb_associate.pipelines import (
    OPTIONAL_TYPES,
    PIPELINES,
    needed_types,
    parameter_types,
)
from calwebb_core.framework.command import program
from calwebb_core.framework.errors import InputError, ReferenceFileError

PACKAGE = "calwebb_associate"
PATH = click.Path(path_type=Path)

log = logging.getLogger(__name__)


@program(
    "calwebb-references",
    package=PACKAGE,
    example="""
    calwebb-references jw01345001001_02201_00001_nrcalong_uncal.fits -o refs.json
    calwebb-references X_uncal.fits --pipeline calwebb-detector1 -o refs.json
    """,
)
@click.argument("exposure", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="The list to write (.json).")
@click.option("--context", metavar="NAME", help="CRDS context; the operational one by default.")
@click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    type=click.Choice(PIPELINES),
    help="Choose what this program needs; all programs by default.",
)
@click.option("--types", metavar="TYPE,...", help="Choose these types only.")
@click.option(
    "--with",
    "steps",
    multiple=True,
    type=click.Choice(sorted(OPTIONAL_TYPES)),
    help="Also what this step needs, which is off unless asked for.",
)
@click.option("--allow-missing", is_flag=True, help="List files that are not in the cache, too.")
@click.option(
    "--no-crds-parameters",
    "crds_parameters",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Leave out the pars-* files, which hold options.",
)
def references(
    exposure: Path,
    output: Path,
    context: str | None,
    pipelines: tuple[str, ...],
    types: str | None,
    steps: tuple[str, ...],
    allow_missing: bool,
    crds_parameters: bool,
) -> None:
    """List the best reference files of EXPOSURE, with their checksums.

    Files of options (pars-*) are among them where CRDS has some.

    CRDS is asked online or, as CRDS_PATH and CRDS_SERVER_URL say, in a cache on this machine.
    """
    from calwebb_associate.choice import turned_on, without_empty
    from calwebb_associate.headers import read_primary
    from calwebb_core.framework.crds_client import best_references
    from calwebb_core.framework.metadata import Metadata
    from calwebb_core.framework.names import split_suffix
    from calwebb_core.framework.reference_list import write_reference_list

    root = split_suffix(exposure)[0]
    metadata = Metadata(read_primary(exposure), str(exposure))
    programs = pipelines or PIPELINES
    mode = [str(metadata.get(keyword, "")) for keyword in ("INSTRUME", "EXP_TYPE")]
    if types is None:
        wanted = _needed(programs, steps, mode, crds_parameters=crds_parameters)
    else:
        wanted = _types(types)
    selection = best_references(metadata, wanted, context, strict=False)
    if types is None:
        more = {step for name in programs for step in turned_on(selection, name)}
        if more - set(steps):
            both = {*steps, *more}
            wanted = _needed(programs, both, mode, crds_parameters=crds_parameters)
            selection = best_references(metadata, wanted, context, strict=False)
        selection = without_empty(selection)
    missing = sorted(str(path) for path in selection.paths.values() if not path.is_file())
    if missing and not allow_missing:
        msg = (
            f"{missing[0]}{_and_more(missing)} not in the CRDS cache; set CRDS_SERVER_URL to a "
            "server that has it, or list it nevertheless with --allow-missing"
        )
        raise ReferenceFileError(msg)
    for kind, why in sorted(selection.problems.items()):
        log.warning("%s: no %s file in %s (%s)", exposure, kind, selection.context, why)
    write_reference_list(selection, root, output)
    log.info("%s: %d types by %s", output, len(wanted), selection.context)


def _and_more(names: Sequence[str]) -> str:
    """Return " and N more are" or " is" for the others of a list."""
    return f" and {len(names) - 1} more are" if len(names) > 1 else " is"


def _needed(
    programs: Sequence[str], steps: Collection[str], mode: Sequence[str], *, crds_parameters: bool
) -> list[str]:
    """Return the reference types that programs need for an instrument and EXP_TYPE."""
    found = {kind for name in programs for kind in needed_types(name, steps, *mode)}
    if crds_parameters:
        found |= {kind for name in programs for kind in parameter_types(name)}
    return sorted(found)


def _types(types: str) -> list[str]:
    """Return the reference types that the option names."""
    from calwebb_core.framework.reference_types import KNOWN_TYPES

    wanted = sorted({word.strip().lower() for word in types.split(",") if word.strip()})
    for word in wanted:
        if word not in KNOWN_TYPES:
            close = get_close_matches(word, KNOWN_TYPES, n=1)
            advice = f"did you mean {close[0]}?" if close else f"known: {', '.join(KNOWN_TYPES)}"
            msg = f"--types: unknown reference type {word!r}; {advice}"
            raise InputError(msg)
    if not wanted:
        msg = "--types: is empty; expected names such as flat,gain"
        raise InputError(msg)
    return wanted
