"""Find the input and the reference files of a product, and compare them with its record."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from calwebb_core.framework.hashing import sha256_of
from calwebb_core.framework.reference_sources import NOT_APPLICABLE, Source
from calwebb_core.framework.roots import root_of
from calwebb_core.framework.verify.findings import Finding, short
from calwebb_core.framework.verify.record import Recorded, plain_name

STAGES = ("detector1", "image2", "spec2", "image3", "spec3", "tso3", "associations")
LISTED = Path("plan", "raw_exposures.txt")


@dataclass
class Ingredients:
    """What a product is made of, as found.

    Attributes
    ----------
    inputs : dict
        Path by name of the input and its members.
    references : dict
        Path and SHA-256 by reference type.
    options : dict
        Path of the file that an option names, by (step, option).
    findings : list of Finding
        What is missing or has changed.
    """

    inputs: dict[str, Path] = field(default_factory=dict)
    references: dict[str, tuple[Path, str]] = field(default_factory=dict)
    options: dict[tuple[str, str], Path] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class Finder:
    """Where files may be: folders and lists that the user names, the workflow's, the cache.

    Parameters
    ----------
    product : Path
    folders : iterable of Path
        The user's for inputs.
    references : iterable of Path
        The user's for reference files: folders, or lists from calwebb-references.
    """

    def __init__(
        self, product: Path, folders: Iterable[Path] = (), references: Iterable[Path] = ()
    ) -> None:
        self.product = Path(product)
        self.own = [Path(folder) for folder in folders]
        self.own_references = [Path(path) for path in references]

    @cached_property
    def results(self) -> Path | None:
        """The workflow's folder of the product's program, if the product is in one."""
        for folder in list(self.product.absolute().parents)[:3]:
            if any((folder / name).is_dir() for name in STAGES):
                return folder
        return None

    @cached_property
    def folders(self) -> list[Path]:
        """Folders in which inputs may be, in order."""
        places = [*self.own, self.product.parent]
        if self.results is not None:
            places += [self.results / name for name in STAGES]
        return [*places, Path("uncal")]

    @cached_property
    def listed(self) -> dict[str, Path]:
        """The raw exposures that the workflow has listed, by name."""
        path = None if self.results is None else self.results / LISTED
        if path is None or not path.is_file():
            return {}
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return {Path(line).name: Path(line) for line in lines if line}

    def inputs(self, name: str) -> Iterator[Path]:
        """Yield the files that may be an input."""
        yield from existing(folder / name for folder in self.folders)
        if name in self.listed:
            yield from existing([self.listed[name]])

    def reference_files(self, kind: str, name: str, units: Iterable[str]) -> Iterator[Path]:
        """Yield the files that may be a reference file; `units` name the workflow's lists."""
        lists = [path for path in self.own_references if path.suffix == ".json"]
        if self.results is not None:
            lists += existing(self.results / "references" / f"{unit}.json" for unit in units)
        yield from existing(path / name for path in self.own_references if path not in lists)
        for path in lists:
            yield from existing(listed_file(path, kind, name))
        yield from existing(in_cache(name))
        yield from existing(folder / name for folder in self.own)


def existing(paths: Iterable[Path]) -> list[Path]:
    """Return those paths that are files."""
    return [path for path in paths if path.is_file()]


def listed_file(path: Path, kind: str, name: str) -> list[Path]:
    """Return the file of that name in a list from calwebb-references."""
    from calwebb_core.framework.reference_list import entries_of

    entry = entries_of(path).get(kind)
    return [entry.path] if isinstance(entry, Source) and entry.name == name else []


def in_cache(name: str) -> list[Path]:
    """Return where a reference file may be in the CRDS cache."""
    cache = Path(os.environ.get("CRDS_PATH") or Path.home() / "crds_cache")
    folder = cache / "references" / "jwst"
    return [folder / instrument / name for instrument in name.split("_")[1:2]] + [folder / name]


def best(paths: Iterable[Path], checksum: str) -> tuple[Path | None, str]:
    """Return the first file with that SHA-256, else the first one; and its SHA-256."""
    first: tuple[Path | None, str] = (None, "")
    for path in paths:
        found = sha256_of(path)
        if found == checksum:
            return path, found
        if first[0] is None:
            first = path, found
    return first


def gather(recorded: Recorded, finder: Finder) -> Ingredients:
    """Find everything that the last run of a product was made of."""
    result = Ingredients()
    for item in recorded.inputs:
        path = look(result, "input", item["name"], item, finder.inputs(item["name"]))
        if path is not None:
            result.inputs[item["name"]] = path
    for kind, item in sorted(recorded.last["references"].items()):
        if item["name"] != NOT_APPLICABLE:
            gather_reference(result, recorded, finder, kind, item)
    for step in recorded.steps:
        for option, value in step.get("parameters", {}).items():
            if isinstance(value, dict):
                name = plain_name(recorded.path, value.get("name"))
                path = look(result, "input", name, value, finder.inputs(name))
                if path is not None:
                    result.options[step["name"], option] = path
    return result


def gather_reference(
    result: Ingredients, recorded: Recorded, finder: Finder, kind: str, item: dict[str, Any]
) -> None:
    """Find one reference file."""
    candidates = finder.reference_files(kind, item["name"], units(recorded))
    path = look(result, "reference", f"{kind} {item['name']}", item, candidates)
    if path is not None:
        result.references[kind] = path, sha256_of(path)


def units(recorded: Recorded) -> list[str]:
    """Return the names that the workflow's list of reference files may have for a product."""
    pipeline = recorded.last["program"].removeprefix("calwebb-")
    stems = [recorded.name, recorded.last["input"]["name"]]
    folder = recorded.path.absolute().parent.name.removesuffix("_crf")
    return [f"{unit}_{pipeline}" for unit in (*map(root_of, stems), folder)]


def look(
    result: Ingredients, what: str, label: str, item: dict[str, Any], candidates: Iterable[Path]
) -> Path | None:
    """Return the file that has the recorded SHA-256, or note why there is none."""
    checksum = str(item.get("sha256") or "")
    path, found = best(candidates, checksum)
    details = {"name": item["name"], "recorded": checksum, "found": found}
    if path is None:
        result.findings.append(Finding(f"{what} missing", missing_text(what, label), details))
    elif found != checksum:
        text = (
            f"{what} {label} has changed: its SHA-256 was {short(checksum)} when the product was "
            f"made, that of {path} is {short(found)}"
        )
        result.findings.append(Finding(f"{what} changed", text, details | {"path": str(path)}))
    return path


def missing_text(what: str, label: str) -> str:
    """Return the sentence about a file that is not there."""
    if what == "reference":
        return (
            f"reference {label} is not in the CRDS cache (CRDS_PATH); name its folder, or a list "
            "of reference files, with --references"
        )
    return f"{what} {label} is not there; name its folder with --input-dir"
