"""The reference files of all exposures of a plan, by the programs that they go through."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from calwebb_associate.best_references import BestReferences
from calwebb_associate.headers import Header
from calwebb_associate.pipelines import GUIDER, OPTIONAL_TYPES, needed_types, parameter_types
from calwebb_core.framework.crds_client import Selection
from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameter_files import switched
from calwebb_core.framework.reference_types import PARAMETERS

NOT_APPLICABLE: Final = "N/A"
NEEDED_BY_GUIDER: Final = ("gain", "readnoise")


class Raw(Protocol):
    """What is asked of a raw exposure."""

    @property
    def root(self) -> str:
        """Its name without suffix."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def header(self) -> Header:
        """Its keywords."""


@dataclass(frozen=True)
class Wanted:
    """What is to be chosen.

    Attributes
    ----------
    overrides : collection of str
        Types that the user gives: a missing match is no problem.
    steps : collection of str
        Steps that are on although they are off by default.
    crds_parameters : bool
        Whether files of options are chosen, too.
    """

    overrides: Collection[str] = ()
    steps: Collection[str] = ()
    crds_parameters: bool = True

    def types(self, pipeline: str, header: Header) -> tuple[str, ...]:
        """Return the types that a program needs, those of files of options last."""
        more = parameter_types(pipeline) if self.crds_parameters else ()
        mode = (str(header.get(keyword, "")) for keyword in ("INSTRUME", "EXP_TYPE"))
        return (*needed_types(pipeline, self.steps, *mode), *more)


@dataclass(frozen=True)
class Chosen:
    """The reference files of all exposures, and in sentences what was not found."""

    references: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def turned_on(selection: Selection, pipeline: str) -> set[str]:
    """Return the steps with reference types of their own that files of options turn on."""
    on: dict[str, bool] = {}
    for kind in parameter_types(pipeline):
        path = selection.paths.get(kind)
        if path is not None and path.is_file():
            on |= switched(kind, path, OPTIONAL_TYPES)
    return {step for step, runs in on.items() if runs}


def without_empty(selection: Selection) -> Selection:
    """Return a selection without the types of options that have no file."""
    names = {
        kind: name
        for kind, name in selection.names.items()
        if not (kind.startswith(PARAMETERS) and name == NOT_APPLICABLE)
    }
    return replace(selection, names=names)


def selected(selection: Selection, types: Iterable[str]) -> dict[str, str]:
    """Return name or "N/A" by type; a type of options only where there is a file."""
    names = {kind: selection.names.get(kind, NOT_APPLICABLE) for kind in types}
    return {
        kind: name
        for kind, name in names.items()
        if not (kind.startswith(PARAMETERS) and name == NOT_APPLICABLE)
    }


def choose(
    chooser: BestReferences,
    exposures: Iterable[Raw],
    needed: Mapping[str, Sequence[str]],
    wanted: Wanted,
) -> Chosen:
    """Choose the reference files of each exposure for the programs it goes through.

    Parameters
    ----------
    chooser : BestReferences
    exposures : iterable of exposures
    needed : mapping
        Root -> programs.
    wanted : Wanted
    """
    chosen = Chosen()
    problems: Counter[str] = Counter()
    for exposure in exposures:
        header = exposure.header
        types = {name: wanted.types(name, header) for name in needed.get(exposure.root, ())}
        if not any(types.values()):
            continue
        metadata = Metadata(exposure.header, str(exposure.path))
        selection = chooser.choose(metadata, _all(types))
        more = {name: turned_on(selection, name) - set(wanted.steps) for name in types}
        if any(more.values()):
            types = {
                name: replace(wanted, steps={*wanted.steps, *more[name]}).types(name, header)
                for name in types
            }
            selection = chooser.choose(metadata, _all(types))
        chosen.references[exposure.root] = {
            name: selected(selection, types[name]) for name in types
        }
        for kind, path in selection.paths.items():
            chosen.paths[selection.names[kind]] = path
        for kind, why in selection.problems.items():
            if kind not in wanted.overrides:
                problems[f"without a {kind} file in {chooser.context} ({why})"] += 1
    chosen.problems.extend(count_of(problems, "exposure"))
    return chosen


def without_rates(chosen: Chosen, overrides: Collection[str]) -> set[str]:
    """Return guide-star data that lack a reference file without which there are no count rates."""
    return {
        root
        for root, programs in chosen.references.items()
        for kind in NEEDED_BY_GUIDER
        if programs.get(GUIDER, {}).get(kind) == NOT_APPLICABLE and kind not in overrides
    }


def _all(types: Mapping[str, Sequence[str]]) -> list[str]:
    return [kind for kinds in types.values() for kind in kinds]


def count_of(counts: Counter[str], what: str) -> list[str]:
    """Return a sentence for each entry of a counter."""
    return [f"{n} {what}{'s' * (n > 1)} {why}" for why, n in sorted(counts.items())]


def existing(unit: str, selection: Mapping[str, str], paths: Mapping[str, Path]) -> list[str]:
    """Return the paths of chosen files.

    Parameters
    ----------
    unit : str
        What they are for.
    selection : mapping
        Name, path or "N/A" by type.
    paths : mapping
        Path of each file that CRDS chose, by name.

    Raises
    ------
    ReferenceFileError
        If one does not exist.
    """
    found = []
    for kind, name in selection.items():
        path = paths.get(name, Path(name))
        if name != NOT_APPLICABLE and not path.is_file():
            msg = (
                f"{unit}: the {kind} reference {path} is missing; set crds_server to a "
                "server that has it, copy it there, or set overrides to another file"
            )
            raise ReferenceFileError(msg)
        if name != NOT_APPLICABLE:
            found.append(str(path))
    return found
