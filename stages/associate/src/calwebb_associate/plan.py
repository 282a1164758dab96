"""The plan of a run: exposures, associations and reference files, from headers alone.

Everything a workflow has to know before anything has run. `make_plan` reads the primary
headers, makes the pool and its associations, and asks CRDS for the best reference files; it
writes nothing but the optional cache of headers.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from calwebb_associate.availability import PlannedAssociation, Source, plan_associations
from calwebb_associate.best_references import BestReferences
from calwebb_associate.choice import Wanted, choose, without_rates
from calwebb_associate.generate import left_out
from calwebb_associate.headers import Header
from calwebb_associate.making import Making, combined, make, own_associations
from calwebb_associate.not_available import counted, not_available
from calwebb_associate.pipelines import GUIDER, PIPELINES, first_program, stage1_refuses
from calwebb_associate.pool import Pool, make_pool, read_pool, root_of
from calwebb_associate.raw import apart, guide_refused, read_headers
from calwebb_associate.segments import incomplete, missing_segments
from calwebb_core.framework.errors import InputError
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
    incomplete : tuple of str
        Those of them that say which segments of which series are missing.
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
    incomplete: tuple[str, ...] = ()
    asked: int = field(default=0, compare=False)


@dataclass(frozen=True)
class _Raw:
    """What the headers of a run say.

    `refused` says of exposures and guide-star data why the program does not take them, or nothing.
    """

    exposures: tuple[PlannedExposure, ...]
    refused: dict[str, str]

    def science(self) -> list[PlannedExposure]:
        """Return the exposures that are no guide-star data."""
        return [item for item in self.exposures if item.program != GUIDER]

    def sources(self) -> dict[str, Source]:
        """Return what associations ask of the exposures, by root."""
        lacking = incomplete({item.root: item.header for item in self.science()})
        return {
            item.root: Source(
                exp_type=_exp_type(item.header),
                visit_type=str(item.header.get("VISITYPE", "")).lower(),
                program=item.program,
                refused=self.refused[item.root],
                incomplete=lacking.get(item.root, ""),
            )
            for item in self.science()
        }


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
    making: Making | None = None,
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
    making : Making, optional
        Pool, rules and associations of the user's own.

    Raises
    ------
    InputError
        If a file's name does not fit, it cannot be read or is no FITS file, a keyword is
        missing, an EXP_TYPE unknown, an exposure there twice, or what the user gives is wrong.
    ReferenceFileError
        If CRDS cannot be asked.
    """
    if crds_path is not None:
        os.environ["CRDS_PATH"] = str(crds_path)
    making = making or Making()
    raw = _look_at(uncal_files, None if cache is None else Path(cache))
    pool = _pool(raw, making.pool, pool_name)
    own = own_associations(making.own)
    made = combined(make(pool, making), own)
    files = {path.name: str(path) for path in own}
    associations = plan_associations(made, raw.sources(), files)
    chooser = BestReferences(context)
    needed = _needed(associations, raw.exposures, pipelines)
    chosen = choose(chooser, raw.exposures, needed, Wanted(overrides, steps, crds_parameters))
    raw = _leave_out(raw, without_rates(chosen, overrides))
    gaps = tuple(missing_segments({item.root: item.header for item in raw.science()}))
    sentences = (
        *counted(raw.refused.values(), "exposure"),
        *not_available(associations),
        *left_out(pool, made),
        *_not_both(raw, pool),
        *chosen.problems,
        *gaps,
    )
    return Plan(
        context=chooser.context,
        exposures=raw.exposures,
        pool=pool,
        associations=associations,
        references=chosen.references,
        reference_paths=chosen.paths,
        not_available=sentences,
        incomplete=gaps,
        asked=chooser.asked,
    )


def _look_at(uncal_files: Iterable[str | os.PathLike[str]], cache: Path | None) -> _Raw:
    """Read the headers; say of each exposure which program makes it and whether it can."""
    paths, guide = apart(uncal_files)
    headers, sizes = read_headers([*paths, *guide.values()], cache)
    files = _by_root(paths)
    refused = {
        root: stage1_refuses(headers[path], _exp_type(headers[path]))
        for root, path in files.items()
    } | {root: guide_refused(headers[path]) for root, path in guide.items()}
    files |= guide
    exposures = tuple(
        PlannedExposure(
            root=root,
            path=files[root],
            header=headers[files[root]],
            size=sizes[files[root]],
            available=not why,
            program=GUIDER if root in guide else first_program(_exp_type(headers[files[root]])),
        )
        for root, why in sorted(refused.items())
    )
    return _Raw(exposures, refused)


def _by_root(paths: Sequence[Path]) -> dict[str, Path]:
    """Return raw files by the root of their names; refuse an exposure that is there twice."""
    files: dict[str, Path] = {}
    for path in paths:
        root = split_suffix(path)[0]
        other = files.setdefault(root, path)
        if other != path:
            msg = f"{path}: exposure {root} is there twice, also as {other}; give it once"
            raise InputError(msg)
    return files


def _exp_type(header: Header) -> str:
    return str(header.get("EXP_TYPE", "")).lower()


def _pool(raw: _Raw, file: Path | None, name: str) -> Pool:
    """Return the user's pool, or the one that the headers give."""
    if file is not None:
        return read_pool(file)
    return make_pool({item.path: item.header for item in raw.science()}, name)


def _not_both(raw: _Raw, pool: Pool) -> list[str]:
    """Say how many exposures are in the pool or among the raw files, but not both."""
    rows = {root_of(row) for row in pool.exposures()}
    found = {item.root for item in raw.science()}
    sentences = []
    for missing, why in (
        (rows - found, f"in {pool.name} without a raw file"),
        (found - rows, f"not in {pool.name}: in no association made by rules"),
    ):
        if missing:
            number = len(missing)
            example = f", such as {min(missing)}" if number > 1 else f": {min(missing)}"
            sentences.append(f"{number} exposure{'s' * (number > 1)} {why}{example}")
    return sentences


def _leave_out(raw: _Raw, useless: Collection[str]) -> _Raw:
    """Leave out guide-star data that its reference files cannot calibrate."""
    exposures = tuple(
        replace(item, available=False) if item.root in useless else item for item in raw.exposures
    )
    why = dict.fromkeys(useless, "guide-star data without gain or read noise (N/A)")
    return replace(raw, exposures=exposures, refused=raw.refused | why)


def _needed(
    associations: Iterable[PlannedAssociation],
    exposures: Iterable[PlannedExposure],
    pipelines: Sequence[str],
) -> dict[str, list[str]]:
    """Return the programs that each exposure goes through and that were asked for."""
    needed = {item.root: [item.program] for item in exposures if item.available}
    for association in associations:
        for member in association.members if association.available else ():
            used = needed.get(split_suffix(member)[0])
            if used is not None and association.pipeline not in used:
                used.append(association.pipeline)
    return {root: [name for name in used if name in pipelines] for root, used in needed.items()}
