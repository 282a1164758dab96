"""What made a product: program and versions, input, parameters, reference files, by run.

The record holds no clock, host or absolute path, nor anything else that differs between a virtual
environment and a container made from the same lock file, so that the same input gives the same
bytes.
It goes into `Metadata.provenance` as ``{"format": 1, "runs": [...]}``, one entry for every
program that the data have been through.
"""

import json
import re
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Unpack

from calwebb_core.framework.association import MemberOptions, is_association, read_association
from calwebb_core.framework.hashing import sha256_of
from calwebb_core.framework.hooks import hook_file, hook_name
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.settings import StepSettings
from calwebb_core.framework.step import Status, Step

FORMAT = 1
LIBRARIES = ("asdf", "astropy", "gwcs", "llvmlite", "numba", "numpy", "scipy")
DRAWING = ("matplotlib", "numpy", "pillow")
# The name of the file in an environment's folder that holds the SHA-256 of its lock file.
LOCK_FILE = "calwebb-lock.sha256"


def metadata_of(model: Any) -> list[Metadata]:
    """Return the metadata of a container and of all containers it holds, each once."""
    found: list[Metadata] = []
    _collect(model, found)
    return found


def _collect(item: Any, found: list[Metadata]) -> None:
    metadata = getattr(item, "metadata", None)
    if isinstance(metadata, Metadata) and all(metadata is not other for other in found):
        found.append(metadata)
    if isinstance(item, list | tuple):
        for member in item:
            _collect(member, found)
    elif is_dataclass(item) and not isinstance(item, type):
        for part in fields(item):
            value = getattr(item, part.name)
            if is_dataclass(value) or isinstance(value, list | tuple):
                _collect(value, found)


def package_of(pipeline: Pipeline) -> str:
    """Return the name of the package that a pipeline belongs to."""
    return str(getattr(pipeline.select, "__module__", "calwebb_core")).partition(".")[0]


def software_version(pipeline: Pipeline) -> str:
    """Return the version of the package that a pipeline belongs to, for CAL_VER."""
    from calwebb_core import __version__

    return str(getattr(sys.modules.get(package_of(pipeline)), "__version__", __version__))


def software(pipeline: Pipeline) -> dict[str, str]:
    """Return the versions of the pipeline and of the libraries that decide the numbers."""
    from calwebb_core import __version__

    own = {"calwebb_core": __version__, package_of(pipeline): software_version(pipeline)}
    return own | versions(LIBRARIES)


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of those libraries that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def environment() -> dict[str, str | None]:
    """Return the SHA-256 of the lock file that this environment was made from, if it says so."""
    try:
        text = Path(sys.prefix, LOCK_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    return {"lock": text if re.fullmatch(r"[0-9a-f]{64}", text) else None}


def picture_record(sources: Iterable[Path]) -> dict[str, Any]:
    """Return what a picture of products says about itself."""
    from calwebb_core import __version__

    return {
        "format": FORMAT,
        "program": "calwebb-quicklook",
        "software": {"calwebb_core": __version__} | versions(DRAWING),
        "environment": environment(),
        "inputs": [{"name": path.name, "sha256": sha256_of(path)} for path in map(Path, sources)],
    }


def input_record(path: Path, **options: Unpack[MemberOptions]) -> dict[str, Any]:
    """Return name and SHA-256 of an input file, and of the members of an association.

    Of an association with several products, `product` tells which one's members count.
    """
    record: dict[str, Any] = {"name": path.name, "sha256": sha256_of(path)}
    if is_association(path):
        record["members"] = _members(path, options)
    return record


def input_record_later(path: Path, **options: Unpack[MemberOptions]) -> Future[dict[str, Any]]:
    """Begin to make an `input_record` beside other work: large files take a while to sum up."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(input_record, path, **options)
    pool.shutdown(wait=False)
    return future


def _members(path: Path, options: MemberOptions) -> list[dict[str, str]]:
    association = read_association(path, check_files=False, **options)
    files = {
        member.raw["expname"]: member.path
        for product in association.products
        for member in product.members
    }
    return [
        {"name": file.name, "sha256": sha256_of(file)}
        for _, file in sorted(files.items())
        if file.is_file()
    ]


class RunRecord:
    """The growing record of one run; `attach` puts it into a container's metadata.

    Parameters
    ----------
    pipeline : Pipeline
    source : dict or Future of dict
        Name and checksum of the input; needed when the record is first attached.
    """

    def __init__(self, pipeline: Pipeline, source: dict[str, Any] | Future[dict[str, Any]]) -> None:
        self._source = source
        self.content: dict[str, Any] = {
            "program": pipeline.program,
            "pipeline": pipeline.name,
            "software": software(pipeline),
            "environment": environment(),
            "input": source if isinstance(source, dict) else {},
            "steps": [],
            "references": {},
        }

    def add(self, step: Step, status: Status, settings: StepSettings | None) -> None:
        """Note how a step ended, and with which options and hooks it ran."""
        entry: dict[str, Any] = {"name": step.name, "status": status.word}
        if status.reason:
            entry["reason"] = status.reason
        if settings is not None:
            if step.skip:
                entry["off_by_default"] = True
            entry["parameters"] = plain_parameters(settings.parameters)
            for name, hooks in (
                ("pre_hooks", settings.pre_hooks),
                ("post_hooks", settings.post_hooks),
            ):
                if hooks:
                    entry[name] = [hook_name(hook) for hook in hooks]
        self.content["steps"].append(entry)

    def add_references(self, context: str, crds_version: str, used: dict[str, Any]) -> None:
        """Note the reference files used so far."""
        self.content |= {"context": context, "crds_version": crds_version, "references": used}

    def attach(self, metadatas: Iterable[Metadata]) -> None:
        """Add the record to products, in the place of an earlier state of itself."""
        if not isinstance(self._source, dict):
            self.content["input"] = self._source.result()
        for entry in self.content["steps"]:  # only now functions after a step are imported, too
            if files := hook_files((*entry.get("pre_hooks", ()), *entry.get("post_hooks", ()))):
                entry["hook_files"] = files
        for metadata in metadatas:
            runs = [run for run in metadata.provenance.get("runs", []) if not self._is_mine(run)]
            copy = json.loads(json.dumps(self.content))
            metadata.provenance = {
                **metadata.provenance,
                "format": FORMAT,
                "runs": [*runs, copy],
            }

    def _is_mine(self, run: dict[str, Any]) -> bool:
        return all(run.get(key) == self.content[key] for key in ("program", "input"))


def hook_files(hooks: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return name and SHA-256 of the files that the user's functions are in, by hook."""
    files = {hook: hook_file(hook) for hook in hooks}
    return {
        name: {"name": file.name, "sha256": sha256_of(file)}
        for name, file in sorted(files.items())
        if file is not None
    }


def plain_parameters(parameters: Any) -> dict[str, Any]:
    """Return a parameter instance as plain values; a file as its name and checksum."""
    if not is_dataclass(parameters) or isinstance(parameters, type):
        return {}
    values = asdict(parameters)
    for item in fields(parameters):
        if not values[item.name]:
            continue
        path = Path(str(values[item.name]))
        named = item.metadata.get("names_file") and path.is_file()
        if item.metadata.get("file") or named:
            values[item.name] = {"name": path.name, "sha256": sha256_of(path)}
    return values
