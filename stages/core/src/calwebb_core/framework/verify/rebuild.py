"""Run the program that made a product once more, with exactly the recorded options."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from calwebb_core.framework.association import Association, is_association, read_association
from calwebb_core.framework.atomic import write_text
from calwebb_core.framework.errors import InputError, ProcessingError
from calwebb_core.framework.plan import LEFT_OUT
from calwebb_core.framework.reference_sources import NOT_APPLICABLE
from calwebb_core.framework.reference_types import PARAMETERS
from calwebb_core.framework.roots import root_of
from calwebb_core.framework.verify.find import Ingredients
from calwebb_core.framework.verify.levels import COMMON
from calwebb_core.framework.verify.record import FROM_CRDS, Recorded
from calwebb_core.framework.verify.steps import own_addresses

POLL = 0.05
Waiting = Callable[[float], None]


def find_program(name: str) -> str | None:
    """Return a stage program: on the path, or beside the program that runs."""
    beside = [Path(sys.argv[0]).absolute().parent, Path(sys.prefix, "bin")]
    return shutil.which(name) or next(
        (found for folder in beside if (found := shutil.which(name, path=str(folder)))), None
    )


@contextmanager
def workspace(product: Path, folder: Path | None) -> Iterator[Path]:
    """Yield a temporary folder: in the user's, else beside the product, else the system's."""
    beside = product.absolute().parent
    parent = folder.absolute() if folder else (beside if os.access(beside, os.W_OK) else None)
    try:
        with tempfile.TemporaryDirectory(prefix=".verify-", dir=parent) as name:
            yield Path(name)
    except FileNotFoundError as error:
        msg = f"{parent}: there is no such folder to work in"
        raise InputError(msg) from error


def rebuild(
    recorded: Recorded,
    ingredients: Ingredients,
    work: Path,
    *,
    program: str,
    waiting: Waiting,
    level: Mapping[str, str] = COMMON,
    allow_outside: bool = False,
) -> Path:
    """Make a product again and return where it is.

    Parameters
    ----------
    recorded : Recorded
    ingredients : Ingredients
        Inputs, reference files and files of options.
    work : Path
        Empty folder.
    program : str
        The stage program.
    waiting : callable
        Called with the seconds since the start while the program runs.
    level : mapping, optional
        Variables for the programs: loops of another kind of processor.
    allow_outside : bool
        Whether members of the association may lie outside its folder.

    Raises
    ------
    ProcessingError
        If the program fails, or makes no product of that name.
    InputError
        If the association has members outside its folder.
    """
    words = arguments(recorded, ingredients, work, allow_outside=allow_outside)
    environment = {**os.environ, **level}
    if recorded.epoch:
        environment["SOURCE_DATE_EPOCH"] = recorded.epoch
    # the user's own code is where the user is
    place = Path.cwd() if recorded.hooks else work
    said = ""
    for command in commands(recorded):
        said = run([program, *command, *words], environment, place, work, waiting)
        if made := product_in(work, recorded):
            return made
    names = sorted(path.name for path in (work / "out").rglob("*") if path.is_file())
    reason = said or f"it made {', '.join(names) or 'nothing'}"
    msg = f"{recorded.last['program']} has not made {recorded.name}: {reason}"
    raise ProcessingError(msg)


def product_in(work: Path, recorded: Recorded) -> Path | None:
    """Return the product of that name among those made in a folder."""
    return next((path for path in (work / "out").rglob(recorded.name) if path.is_file()), None)


def commands(recorded: Recorded) -> list[list[str]]:
    """Return the subcommands with which the product may have been made, likelier ones first."""
    names = [step["name"] for step in recorded.steps]
    if not names:
        return [["run"]]
    run = ["run", "--stop-after", names[-1]]
    stem = recorded.name.partition(".")[0]
    if stem.endswith(f"_{names[-1]}"):
        run += ["--save", names[-1]]
    return [["step", names[0]], run] if len(names) == 1 else [run]


def arguments(
    recorded: Recorded, ingredients: Ingredients, work: Path, *, allow_outside: bool
) -> list[str]:
    """Write the files that the program reads; return the words after the subcommand."""
    source = ingredients.inputs[recorded.last["input"]["name"]]
    out, references, config = work / "out", work / "references.json", work / "options.yaml"
    listed = reference_list(recorded, ingredients, work)
    write_text(references, json.dumps(listed, indent=1))
    write_text(config, options_text(recorded, ingredients))
    words = [str(source.absolute()), "--references", str(references), "--config", str(config)]
    words += ["--output-dir", str(out), "--log", str(work / "log"), "-q"]
    if not with_crds_parameters(recorded):
        words.append("--no-crds-parameters")
    for kind, path in given_files(recorded, ingredients, work).items():
        words += ["--override", f"{kind}={path}"]
    for kind, step, hook in recorded.hooks:
        words += [f"--{kind.replace('_hooks', '-hook')}", f"{step}={hook}"]
    if is_association(source):
        words += members(recorded, ingredients, source, work, allow_outside=allow_outside)
    return words


def with_crds_parameters(recorded: Recorded) -> bool:
    """Say whether CRDS's files of options had a say."""
    listed = any(kind.startswith(PARAMETERS) for kind in recorded.last["references"])
    return listed or bool(recorded.last.get("crds_parameters"))


def reference_list(recorded: Recorded, ingredients: Ingredients, work: Path) -> dict[str, Any]:
    """Return the list of reference files in the form of calwebb-references."""
    listed: dict[str, Any] = {}
    for kind, value in recorded.unread.items():
        name = value.removeprefix(FROM_CRDS)
        path = str(unread_file(name, work))
        listed[kind] = value if value == NOT_APPLICABLE else {"name": name, "path": path}
    for kind, item in recorded.last["references"].items():
        if kind not in ingredients.references:
            listed[kind] = NOT_APPLICABLE
            continue
        found, checksum = ingredients.references[kind]
        listed[kind] = {"name": item["name"], "path": str(found.absolute()), "sha256": checksum}
    return {
        "format": 1,
        "exposure": "",
        "context": recorded.last.get("context", ""),
        "crds_version": recorded.last.get("crds_version", ""),
        "references": listed,
    }


def unread_file(name: str, work: Path) -> Path:
    """Return an empty file in the place of one that was there, but not read: its name counts."""
    path = work / "unread" / name.replace("/", "_")
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


def given_files(recorded: Recorded, ingredients: Ingredients, work: Path) -> dict[str, Path]:
    """Return the user's own files by type, under their recorded names."""
    files = {
        kind: unread_file(value, work)
        for kind, value in recorded.unread.items()
        if value != NOT_APPLICABLE and not value.startswith(FROM_CRDS)
    }
    for kind, item in recorded.last["references"].items():
        if item.get("given") and kind in ingredients.references:
            path = ingredients.references[kind][0].absolute()
            files[kind] = path if path.name == item["name"] else work / str(item["name"])
            if path.name != item["name"]:
                files[kind].symlink_to(path)
    return files


def options_text(recorded: Recorded, ingredients: Ingredients) -> str:
    """Return the options of every step as YAML."""
    import yaml

    options: dict[str, dict[str, Any]] = {}
    for step in recorded.steps:
        values = own_addresses(step.get("parameters", {}))
        for name in values:
            if path := ingredients.options.get((step["name"], name)):
                values[name] = str(path.absolute())
        if step.get("reason") == LEFT_OUT:
            values["skip"] = True
        elif step.get("off_by_default"):
            values["skip"] = False
        if values:
            options[step["name"]] = values
    return str(yaml.safe_dump(options))


def members(
    recorded: Recorded,
    ingredients: Ingredients,
    source: Path,
    work: Path,
    *,
    allow_outside: bool,
) -> list[str]:
    """Link the members to one folder; return the words that name it, and the product."""
    folder = work / "members"
    folder.mkdir()
    association = read_association(
        source, check_files=False, input_dir=folder, allow_outside=allow_outside
    )
    for path in {member.path for product in association.products for member in product.members}:
        if path.name in ingredients.inputs and path.is_relative_to(folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(ingredients.inputs[path.name].absolute())
    words = ["--input-dir", str(folder), "--allow-outside"]
    if product := chosen_product(recorded, association):
        words += ["--product", product]
    return words


def chosen_product(recorded: Recorded, association: Association) -> str | None:
    """Return which of an association's products the file belongs to; None if that is open."""
    wanted = {item["name"] for item in recorded.last["input"].get("members", ())}
    fitting = [
        product
        for product in association.products
        if wanted <= {member.path.name for member in product.members}
    ]
    named = [item for item in fitting if item.name == root_of(recorded.name)]
    chosen = named or fitting
    return chosen[0].name if len(chosen) == 1 and association.products[1:] else None


def run(
    command: list[str], environment: Mapping[str, str], place: Path, work: Path, waiting: Waiting
) -> str:
    """Run the stage program; return what it said if it failed."""
    started = time.monotonic()
    with (work / "said").open("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=said, cwd=place
        )
        try:
            while process.poll() is None:
                waiting(time.monotonic() - started)
                time.sleep(POLL)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        said.seek(0)
        lines = [line for line in said.read().splitlines() if ": error: " in line]
    if process.returncode == 0:
        return ""
    return lines[-1].partition(": error: ")[2] if lines else f"exit code {process.returncode}"
