"""Everything the report tells, gathered from a program's folder of results."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from calwebb_associate.files import raw_exposures
from calwebb_associate.pool import Pool, Row, make_pool, program_of, read_pool, root_of
from calwebb_associate.raw import apart
from calwebb_associate.summary.expected import (
    Association,
    Expected,
    associations_of,
    stage1,
    wanted,
)
from calwebb_associate.summary.fits import Headers, read_headers
from calwebb_associate.summary.state import File, Unit, judge
from calwebb_associate.targets import unit_name
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import split_suffix

POOL: Final = "pool.csv"
NOT_PRODUCTS: Final = ("associations", "plan", "quicklook", "references", "report")
LIST: Final = Path("plan", "raw_exposures.txt")
TABLE: Final = ".ecsv"
INTEGRATIONS: Final = "calints"
FLAGGED: Final = ("_crf", "_crfints")
# What tells most about an exposure, and about a product, first.
BEST: Final = ("cal", "calints", "s2d", "s3d", "x1d", "rate", "rateints", "dark")
_PLACE: Final = re.compile(r"\{[^{}]*\}")
_EXTENSION: Final = re.compile(r"\.(?:fits|ecsv)$")

Key = tuple[str, str]
Found = dict[Key, list[File]]


@dataclass(frozen=True)
class Gathered:
    """What is known of a program.

    Attributes
    ----------
    program : str
        Five digits.
    folder : Path
        Its results.
    pool : Pool
    rows : dict
        Row of the pool by exposure.
    associations : list of Association
    units : dict
        By (folder of products, name).
    headers : dict
        Headers of products by path.
    raw : dict
        Headers of raw exposures by exposure.
    others : list of File
        Products that belong to no exposure or association of the program.
    """

    program: str
    folder: Path
    pool: Pool
    rows: dict[str, Row]
    associations: list[Association]
    units: dict[Key, Unit]
    headers: dict[Path, Headers]
    raw: dict[str, Headers]
    others: list[File]

    @cached_property
    def pipelines2(self) -> list[str]:
        """Pipelines of stage 2 of which something is to be made."""
        return sorted({item.makes.pipeline for item in self.associations if item.level == 2})

    def unit(self, association: Association) -> Unit:
        """Return the product of an association."""
        return self.units[association.makes.folder, association.product]

    @cached_property
    def _by_name(self) -> dict[str, list[Unit]]:
        """What has been made of each exposure and product, by stage."""
        found: dict[str, list[Unit]] = defaultdict(list)
        for (_, name), unit in self.units.items():
            found[name].append(unit)
        return found

    def named(self, name: str) -> list[Unit]:
        """Return all that is to be made under a name."""
        return self._by_name.get(name, [])

    def stage1(self, root: str) -> Unit:
        """Return the stage-1 products of an exposure."""
        return self.units["detector1", root]

    def stage2(self, root: str) -> list[Unit]:
        """Return the stage-2 products of an exposure."""
        keys = ((pipeline, root) for pipeline in self.pipelines2)
        return [self.units[key] for key in keys if key in self.units]

    def best_header(self, root: str) -> Headers:
        """Return the headers that tell most about an exposure: a product's, or the raw one's."""
        for unit in (*self.stage2(root), self.stage1(root)):
            file = unit.file(*BEST)
            if file is not None:
                return replace(self.headers[file.path], otherwise=self.raw.get(root))
        return self.raw.get(root, Headers())


def gather(folder: Path, logs: Path, places: Sequence[Path] = ()) -> Gathered:
    """Gather what is known of a program.

    Parameters
    ----------
    folder : Path
        Results of the program: `results/01345`.
    logs : Path
        Its logs.
    places : sequence of Path
        Raw exposures, folders or lists of them; by default those that the last run of the
        workflow listed. Without any, little is known of exposures that have no products.

    Raises
    ------
    InputError
        If there is no such folder, or neither a pool nor raw exposures of the program.
    """
    if not folder.is_dir():
        msg = f"{folder}: no such folder; expected a program's results, such as results/01345"
        raise InputError(msg)
    files = raw_files(places) if places else listed(folder / LIST)
    pool = _pool(folder, files)
    rows = {root_of(row): row for row in pool.exposures()}
    raw = {root: read_headers(path, whole=False) for root, path in files.items() if root in rows}
    first = {root: stage1(root, row, raw.get(root)) for root, row in rows.items()}
    associations = associations_of(folder, pool, first, rows)
    found, headers = _products(folder)
    expected = wanted(first, associations)
    units = {key: _unit(item, _taken(found, *key), logs) for key, item in expected.items()}
    others = [file for key in sorted(found) for file in found[key]]
    program = program_of(next(iter(pool.exposures()))) if rows else folder.name
    return Gathered(program, folder, pool, rows, associations, units, headers, raw, others)


def raw_files(places: Sequence[Path]) -> dict[str, Path]:
    """Return raw exposures and guide-star data by their root."""
    science, guide = apart(raw_exposures(places, guide_stars=True))
    return {split_suffix(path)[0]: path for path in science} | guide


def listed(path: Path) -> dict[str, Path]:
    """Return the raw exposures that a run listed, as far as they are still there."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    files = [Path(line) for line in lines if line.endswith("_uncal.fits")]
    return {split_suffix(file)[0]: file for file in files if file.is_file()}


def _pool(folder: Path, files: Mapping[str, Path]) -> Pool:
    """Return the pool of a program: its file, or made of the raw exposures."""
    path = folder / POOL
    if path.is_file():
        return read_pool(path)
    from calwebb_associate.headers import read_primary

    program = folder.resolve().name
    mine = [file for root, file in files.items() if root[2:7] == program and "_gs-" not in root]
    if not mine:
        msg = f"{path}: no such file; run calwebb-pool, or name the raw exposures with --uncal"
        raise InputError(msg)
    return make_pool({file: read_primary(file) for file in mine}, POOL)


def _products(folder: Path) -> tuple[Found, dict[Path, Headers]]:
    """Return the products by folder and name, and their headers."""
    found: Found = defaultdict(list)
    headers: dict[Path, Headers] = {}
    places = [item for item in folder.iterdir() if item.is_dir()]
    for place in sorted(item for item in places if item.name not in NOT_PRODUCTS):
        pictures = folder / "quicklook" / place.name
        drawn = {path.name: path for path in pictures.rglob("*.png")}
        for path in _files(place):
            root, suffix = _split(path.name)
            problem = _problem(path, headers)
            shown = drawn.get(f"{root}_{suffix}.png")
            found[place.name, root].append(File(suffix, path, shown, problem))
    return found, headers


def _files(place: Path) -> Iterator[Path]:
    """Yield the products of a pipeline: those of sources lie in a folder of their association."""
    for path in sorted(place.iterdir()):
        if path.is_file() and _EXTENSION.search(path.name):
            yield path
        elif path.is_dir() and not path.name.endswith(FLAGGED):
            found = (item for item in path.iterdir() if item.is_file())
            yield from sorted(item for item in found if _EXTENSION.search(item.name))


def _problem(path: Path, headers: dict[Path, Headers]) -> str:
    """Read a product's headers, and say what is wrong with it."""
    if path.suffix == TABLE:
        return "" if path.stat().st_size else "an empty file"
    headers[path] = read_headers(path)
    return headers[path].problem


def _split(name: str) -> tuple[str, str]:
    """Return root and suffix of a product's file name."""
    stem = _EXTENSION.sub("", name)
    try:
        root, suffix = split_suffix(f"{stem}.fits")
    except InputError:
        root, _, suffix = stem.rpartition("_")
    return root, suffix


def _taken(found: Found, folder: str, name: str) -> list[File]:
    """Take the files of a product, of all its sources where its name has a place for them."""
    if "{" not in name:
        return found.pop((folder, name), [])
    pattern = re.compile("[a-z0-9-]+".join(map(re.escape, _PLACE.split(name))))
    keys = [key for key in found if key[0] == folder and pattern.fullmatch(key[1])]
    return [file for key in sorted(keys) for file in found.pop(key)]


def _unit(expected: Expected, files: Sequence[File], logs: Path) -> Unit:
    """Return how far something has come."""
    name, pipeline = expected.name, expected.pipeline
    unit = unit_name(name)
    written = own_logs(logs / pipeline, unit, expected.suffixes)
    paths = (*written, logs / "references" / f"{unit}_{pipeline}.log")
    state, reason = judge(expected.suffixes, files, paths, expected.why)
    there = {item.suffix for item in files}
    return Unit(
        name=name,
        pipeline=pipeline,
        state=state,
        reason=reason,
        files=tuple(files),
        missing=tuple(suffix for suffix in expected.suffixes if suffix not in there),
        log=paths[0] if paths[0].is_file() else None,
    )


def own_logs(folder: Path, unit: str, suffixes: Sequence[str]) -> list[Path]:
    """Return the logs of what makes an exposure or product, those that are there first.

    What keeps all integrations has a log of its own: images may be made both ways.
    """
    paths = [folder / f"{unit}.log"]
    if INTEGRATIONS in suffixes:
        paths.append(folder / f"{unit}_{INTEGRATIONS}.log")
    return sorted(paths, key=lambda path: not path.is_file())
