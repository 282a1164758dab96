"""The plan of a run: exposures, associations and reference files, from headers alone.

Everything a workflow has to know before anything has run. `make_plan` reads the primary
headers, makes the pool and its associations, and asks CRDS for the best reference files; it
writes nothing but the optional cache of headers.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from calwebb_associate.best_references import BestReferences
from calwebb_associate.choice import Wanted, choose, count_of, without_rates
from calwebb_associate.generate import MadeAssociation, left_out, make_associations
from calwebb_associate.headers import Header
from calwebb_associate.pipelines import (
    GUIDER,
    IMAGE2,
    IMAGE3,
    PIPELINES,
    first_program,
    imaging_refuses,
    stage1_refuses,
    suffixes,
)
from calwebb_associate.pool import Pool, Row, make_pool, root_of
from calwebb_associate.raw import apart, guide_refused, read_headers
from calwebb_associate.rules import facts
from calwebb_associate.segments import missing_segments
from calwebb_core.framework.names import split_suffix


@dataclass(frozen=True)
class PlannedExposure:
    """A raw exposure, or guide-star data.

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
        Whether the program takes it.
    program : str
        calwebb-detector1, calwebb-dark or calwebb-guider.
    """

    root: str
    path: Path
    header: Header
    size: int
    available: bool
    program: str


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
    suffixes : tuple of str
        What is made of it: cal and i2d, ...
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
    suffixes: tuple[str, ...]
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
        Sentences: what is left out or missing, and why.
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


@dataclass(frozen=True)
class _Raw:
    """What the headers of a run say.

    `rows` holds the exposures of the pool, `refused` also the guide-star data: why the program
    does not take it, or nothing.
    """

    exposures: tuple[PlannedExposure, ...]
    pool: Pool
    rows: dict[str, Row]
    refused: dict[str, str]

    def of_pool(self) -> dict[str, Header]:
        """Return the headers of the exposures that are in the pool."""
        return {item.root: item.header for item in self.exposures if item.root in self.rows}


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
    crds_parameters: bool = True,
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
    crds_parameters : bool
        Whether files of options are chosen, too, and steps that they turn on get their files.

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
    raw = _look_at(uncal_files, None if cache is None else Path(cache), pool_name)
    made = make_associations(raw.pool)
    associations, reasons = _plan_associations(made, raw.rows, raw.refused)
    chooser = BestReferences(context)
    needed = _needed(associations, raw.exposures, pipelines)
    chosen = choose(chooser, raw.exposures, needed, Wanted(overrides, steps, crds_parameters))
    raw = _leave_out(raw, without_rates(chosen, overrides))
    left = (*_count(raw.refused.values(), "exposure"), *_count(reasons, "association"))
    unseen = missing_segments(raw.of_pool())
    return Plan(
        context=chooser.context,
        exposures=raw.exposures,
        pool=raw.pool,
        associations=associations,
        references=chosen.references,
        reference_paths=chosen.paths,
        not_available=(*left, *left_out(raw.pool, made), *chosen.problems, *unseen),
        asked=chooser.asked,
    )


def _look_at(
    uncal_files: Iterable[str | os.PathLike[str]], cache: Path | None, pool_name: str
) -> _Raw:
    """Read the headers; say of each exposure which program makes it and whether it can."""
    paths, guide = apart(uncal_files)
    headers, sizes = read_headers([*paths, *guide.values()], cache)
    pool = make_pool({path: headers[path] for path in paths}, pool_name)
    rows = {root_of(row): row for row in pool.exposures()}
    files = {split_suffix(path)[0]: path for path in headers}
    refused = {
        root: stage1_refuses(headers[files[root]], facts(row)) for root, row in rows.items()
    } | {root: guide_refused(headers[path]) for root, path in guide.items()}
    programs = {root: first_program(facts(row).exp_type) for root, row in rows.items()}
    exposures = tuple(
        PlannedExposure(root, path, headers[path], sizes[path], not why, programs.get(root, GUIDER))
        for root, why in sorted(refused.items())
        for path in (files[root],)
    )
    return _Raw(exposures, pool, rows, refused)


def _leave_out(raw: _Raw, useless: Collection[str]) -> _Raw:
    """Leave out guide-star data that its reference files cannot calibrate."""
    exposures = tuple(
        replace(item, available=False) if item.root in useless else item for item in raw.exposures
    )
    why = dict.fromkeys(useless, "guide-star data without gain or read noise (N/A)")
    return replace(raw, exposures=exposures, refused=raw.refused | why)


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
        kind = facts(rows[roots[0]])
        why = why or imaging_refuses(kind, association.level)
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
                suffixes=suffixes(kind, association.level, association.members[0]),
                content=association.content,
                available=not why,
            )
        )
    return tuple(planned), reasons


def _count(reasons: Iterable[str], what: str) -> list[str]:
    """Return a sentence for each reason, with how often it holds."""
    return count_of(Counter(f"of {reason}" for reason in reasons if reason), what)


def _needed(
    associations: Iterable[PlannedAssociation],
    exposures: Iterable[PlannedExposure],
    pipelines: Sequence[str],
) -> dict[str, list[str]]:
    """Return the programs that each exposure goes through and that were asked for."""
    needed = {item.root: [item.program] for item in exposures if item.available}
    for association in associations:
        for member in association.members if association.available else ():
            used = needed[split_suffix(member)[0]]
            if association.pipeline not in used:
                used.append(association.pipeline)
    return {root: [name for name in used if name in pipelines] for root, used in needed.items()}
