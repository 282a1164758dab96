"""The plan of a run: exposures, associations and reference files, from headers alone.

Everything a workflow has to know before anything has run. `make_plan` reads the primary
headers, makes the pool and its associations, and asks CRDS for the best reference files; it
writes nothing but the optional cache of headers.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from calwebb_associate.best_references import BestReferences
from calwebb_associate.generate import MadeAssociation, left_out, make_associations
from calwebb_associate.headers import Header, HeaderCache
from calwebb_associate.pipelines import (
    DETECTOR1,
    IMAGE2,
    IMAGE3,
    PIPELINES,
    detector1_refuses,
    imaging_refuses,
    needed_types,
)
from calwebb_associate.pool import Pool, Row, make_pool, raw_exposure, root_of
from calwebb_associate.rules import facts
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.names import GuideStarName, split_suffix

NOT_APPLICABLE: Final = "N/A"


@dataclass(frozen=True)
class PlannedExposure:
    """A raw exposure.

    Attributes
    ----------
    root : str
        Its name without suffix.
    path : Path
        The `_uncal` file.
    header : dict
        Keywords of the primary header that planning looks at.
    size : int
        Bytes of the file.
    available : bool
        Whether calwebb-detector1 takes it.
    """

    root: str
    path: Path
    header: Header
    size: int
    available: bool


@dataclass(frozen=True)
class PlannedAssociation:
    """An association of the plan.

    Attributes
    ----------
    file_name, program : str
    level : int
    pipeline : str
        Program that makes its products.
    products : tuple of str
        Product names.
    members : tuple of str
        File names of its science, PSF and background members; science first.
    content : dict
        What the JSON file holds.
    available : bool
        Whether the program takes it, and all its members can be made.
    """

    file_name: str
    program: str
    level: int
    pipeline: str
    products: tuple[str, ...]
    members: tuple[str, ...]
    content: dict[str, Any]
    available: bool


@dataclass(frozen=True)
class Plan:
    """What a run consists of.

    Attributes
    ----------
    context : str
        CRDS context that chose the reference files.
    exposures : tuple of PlannedExposure
        By root.
    pool : Pool
    associations : tuple of PlannedAssociation
    references : dict
        Root -> pipeline -> type -> file name or "N/A"; for each exposure the pipelines that it
        goes through.
    reference_paths : dict
        Path of each chosen file, by its name.
    not_available : tuple of str
        Sentences: what is left out and why.
    asked : int
        How often CRDS was asked.
    """

    context: str
    exposures: tuple[PlannedExposure, ...]
    pool: Pool
    associations: tuple[PlannedAssociation, ...]
    references: dict[str, dict[str, dict[str, str]]]
    reference_paths: dict[str, Path]
    not_available: tuple[str, ...]
    asked: int = field(default=0, compare=False)


def make_plan(
    uncal_files: Iterable[str | os.PathLike[str]],
    *,
    context: str | None = None,
    crds_path: str | os.PathLike[str] | None = None,
    pipelines: Sequence[str] = PIPELINES,
    cache: str | os.PathLike[str] | None = None,
    pool_name: str = "pool.csv",
    overrides: Collection[str] = (),
    steps: Collection[str] = (),
) -> Plan:
    """Plan a run.

    Parameters
    ----------
    uncal_files : paths
        Raw exposures, in any order.
    context : str, optional
        CRDS context; CRDS_CONTEXT or the operational one by default.
    crds_path : path, optional
        Folder of the CRDS cache; CRDS_PATH by default.
    pipelines : sequence of str
        Programs to choose reference files for.
    cache : path, optional
        File in which headers are kept for the next plan.
    pool_name : str
        File name of the pool, for the associations.
    overrides : collection of str
        Reference types that the user gives: a missing match is no reason to leave out.
    steps : collection of str
        Steps that are on although they are off by default and have reference types of their own.

    Raises
    ------
    InputError
        If a file's name does not fit, it cannot be read or is no FITS file, a keyword is
        missing, an EXP_TYPE unknown, or an exposure there twice.
    ReferenceFileError
        If CRDS cannot be asked.
    """
    if crds_path is not None:
        os.environ["CRDS_PATH"] = str(crds_path)
    paths, guide = _science_files(uncal_files)
    headers, sizes = _read_headers(paths, None if cache is None else Path(cache))
    pool = make_pool(headers, pool_name)
    rows = {root_of(row): row for row in pool.exposures()}
    files = {split_suffix(path)[0]: path for path in headers}
    refused = {
        root: detector1_refuses(headers[files[root]], facts(row)) for root, row in rows.items()
    }
    exposures = tuple(
        PlannedExposure(root, files[root], headers[files[root]], sizes[files[root]], not why)
        for root, why in refused.items()
    )
    made = make_associations(pool)
    associations, reasons = _plan_associations(made, rows, refused)
    chooser = BestReferences(context)
    types = {name: needed_types(name, steps) for name in pipelines}
    needed = _needed(associations, refused, pipelines)
    chosen = _choose(chooser, exposures, needed, types, overrides)
    left = (*guide, *_count(refused.values(), "exposure"), *_count(reasons, "association"))
    return Plan(
        context=chooser.context,
        exposures=exposures,
        pool=pool,
        associations=associations,
        references=chosen.references,
        reference_paths=chosen.paths,
        not_available=(*left, *left_out(pool, made), *chosen.problems),
        asked=chooser.asked,
    )


@dataclass(frozen=True)
class _Chosen:
    """The reference files of all exposures, and in sentences what was not found."""

    references: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def _science_files(files: Iterable[str | os.PathLike[str]]) -> tuple[list[Path], list[str]]:
    """Check the names; guide-star data are set aside with a sentence."""
    science, guide = [], 0
    for file in sorted(Path(name) for name in files):
        try:
            GuideStarName.parse(file)
        except InputError:
            raw_exposure(file)
            science.append(file)
        else:
            guide += 1
    sentence = f"{guide} file(s) of guide-star data: calwebb-guider is not available yet"
    return science, [sentence] if guide else []


def _read_headers(
    paths: Sequence[Path], cache: Path | None
) -> tuple[dict[Path, Header], dict[Path, int]]:
    """Return header and size of each file."""
    kept = HeaderCache(cache)
    headers, sizes = {}, {}
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            msg = f"{path}: cannot be read: {error.strerror}"
            raise InputError(msg) from error
        headers[path], sizes[path] = kept.read(path, status), status.st_size
    kept.save()
    return headers, sizes


def _plan_associations(
    made: Sequence[MadeAssociation], rows: Mapping[str, Row], refused: Mapping[str, str]
) -> tuple[tuple[PlannedAssociation, ...], list[str]]:
    """Say of each association which program makes it and whether it can."""
    reasons: list[str] = []
    planned: list[PlannedAssociation] = []
    makers: dict[tuple[int, str], str] = {}
    for association in made:
        roots = [split_suffix(member)[0] for member in association.members]
        why = next((refused[root] for root in roots if refused[root]), "")
        why = why or imaging_refuses(facts(rows[roots[0]]), association.exptypes)
        other = makers.get((association.level, association.product))
        if other and not why:
            why = f"{association.product}: association {other} makes the same product"
        if not why:
            makers[association.level, association.product] = association.file_name
        reasons.append(why)
        planned.append(
            PlannedAssociation(
                file_name=association.file_name,
                program=association.program,
                level=association.level,
                pipeline=IMAGE2 if association.level == 2 else IMAGE3,
                products=(association.product,),
                members=association.members,
                content=association.content,
                available=not why,
            )
        )
    return tuple(planned), reasons


def _count(reasons: Iterable[str], what: str) -> list[str]:
    """Return a sentence for each reason, with how often it holds."""
    counts = Counter(f"of {reason}" for reason in reasons if reason)
    return _count_of(counts, what)


def _count_of(counts: Counter[str], what: str) -> list[str]:
    """Return a sentence for each entry of a counter."""
    return [f"{n} {what}{'s' * (n > 1)} {why}" for why, n in sorted(counts.items())]


def _needed(
    associations: Iterable[PlannedAssociation], refused: Mapping[str, str], pipelines: Sequence[str]
) -> dict[str, list[str]]:
    """Return the pipelines that each exposure goes through and that were asked for."""
    needed = {root: [DETECTOR1] for root, why in sorted(refused.items()) if not why}
    for association in associations:
        for member in association.members if association.available else ():
            used = needed[split_suffix(member)[0]]
            if association.pipeline not in used:
                used.append(association.pipeline)
    return {root: [name for name in used if name in pipelines] for root, used in needed.items()}


def _choose(
    chooser: BestReferences,
    exposures: Iterable[PlannedExposure],
    needed: Mapping[str, Sequence[str]],
    types: Mapping[str, Sequence[str]],
    overrides: Collection[str],
) -> _Chosen:
    """Choose the reference files of each exposure for the pipelines it goes through."""
    chosen = _Chosen()
    problems: Counter[str] = Counter()
    for exposure in exposures:
        names = needed.get(exposure.root, ())
        wanted = [kind for name in names for kind in types[name]]
        if not wanted:
            continue
        metadata = Metadata(exposure.header, str(exposure.path))
        selection = chooser.choose(metadata, wanted)
        chosen.references[exposure.root] = {
            name: {kind: selection.names.get(kind, NOT_APPLICABLE) for kind in types[name]}
            for name in names
        }
        for kind, path in selection.paths.items():
            chosen.paths[selection.names[kind]] = path
        for kind, why in selection.problems.items():
            if kind not in overrides:
                problems[f"without a {kind} file in {chooser.context} ({why})"] += 1
    chosen.problems.extend(_count_of(problems, "exposure"))
    return chosen
