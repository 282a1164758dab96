"""`calwebb-crate`: the research object of a program's results."""

import json
import logging
from pathlib import Path

import click

from calwebb_core.framework.command import program

PATH = click.Path(path_type=Path)
FILE_NAME = "ro-crate-metadata.json"

log = logging.getLogger(__name__)


@program(
    "calwebb-crate",
    package="calwebb_associate",
    example="calwebb-crate results/01345 --workflow Snakefile",
)
@click.argument("results", type=PATH)
@click.option(
    "-o",
    "--output-dir",
    type=PATH,
    metavar="DIR",
    help="Its folder; by default that of the results.",
)
@click.option(
    "--workflow",
    type=PATH,
    default=Path("Snakefile"),
    metavar="FILE",
    help="The Snakefile; rules and config.yaml beside it are taken along.",
)
@click.option(
    "--logs", type=PATH, metavar="DIR", help="Logs of the program; looked for by default."
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="PROGRAM=FILE",
    help="Container image that a stage program ran in. May be repeated.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Option of the workflow that is not at its default. May be repeated.",
)
@click.option(
    "--person", default="", metavar="NAME[=ADDRESS]", help="Who ran it, such as with an ORCID iD."
)
@click.option("--organization", default="", metavar="NAME[=ADDRESS]", help="Who publishes it.")
def main(
    results: Path,
    output_dir: Path | None,
    workflow: Path,
    logs: Path | None,
    images: tuple[str, ...],
    settings: tuple[str, ...],
    person: str,
    organization: str,
) -> None:
    """Describe what was made in RESULTS, of what and by what, as a Workflow Run RO-Crate.

    Reads the records that products have; writes ro-crate-metadata.json, a README.md and a copy
    of the workflow beside it. Runs that failed are named by their logs.
    """
    from calwebb_associate.crate.build import About, build
    from calwebb_associate.crate.entities import PACKAGES
    from calwebb_associate.crate.runs import failed_runs, gather_runs
    from calwebb_associate.crate.source import copy_workflow, write_readme
    from calwebb_associate.summary.command import logs_of
    from calwebb_core.framework.atomic import write_text
    from calwebb_core.framework.hashing import sha256_of

    root = output_dir or results
    logs = logs or logs_of(results)
    runs = gather_runs(results, logs)
    program = results.resolve().name
    write_readme(root, program)
    files = {name: existing(Path(value)) for name, value in pairs(images, "--image").items()}
    about = About(
        program=program,
        folder=results,
        root=root,
        workflow=copy_workflow(workflow, root),
        settings=pairs(settings, "--set"),
        images={name: (path.name, sha256_of(path)) for name, path in files.items()},
        failed=failed_runs(logs, PACKAGES) if logs else [],
        person=person,
        organization=organization,
    )
    content = build(runs, about)
    write_text(root / FILE_NAME, json.dumps(content, indent=2) + "\n")
    log.info("%s: %d runs", root / FILE_NAME, len(runs))


def pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    """Split NAME=VALUE.

    Raises
    ------
    InputError
        If a text has another form.
    """
    from calwebb_core.framework.errors import InputError

    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            msg = f"{option} {text!r}: expected NAME=VALUE"
            raise InputError(msg)
        found[name] = value
    return found


def existing(path: Path) -> Path:
    """Return the path of a file that is there.

    Raises
    ------
    InputError
        If it is not.
    """
    from calwebb_core.framework.errors import InputError

    if not path.is_file():
        msg = f"{path}: there is no such container image"
        raise InputError(msg)
    return path
