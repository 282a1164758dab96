"""Which associations can be made: by programs that exist, of members that are made.

A product may be a member of another association: calibrated exposures of mosaics, but also
mosaics and their catalogs of the spectra of slitless exposures. Where one program does not exist
yet, nothing that needs its products can be made either; each association says why.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from calwebb_associate.generate import MadeAssociation
from calwebb_associate.pipelines import (
    DETECTOR1,
    LEVEL2,
    PIPELINES,
    PROGRAMS,
    TSO3,
    program_refuses,
)
from calwebb_associate.products import Subject, suffixes
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import split_suffix

SCIENCE: Final = "science"
RATES: Final = ("rate", "rateints")
WAVEFRONT: Final = "wfsc"
# What follows the exposure in a root: its segment and its detector.
EXPOSURE_OF: Final = re.compile(r"(?:-seg\d{3})?_(?=[a-z0-9]+$)")
NAMED: Final = 3
OF_THEMSELVES: Final = "members that are made of its own product"


@dataclass(frozen=True)
class Source:
    """What is known of a raw exposure.

    Attributes
    ----------
    exp_type, visit_type : str
        EXP_TYPE and VISITYPE in lower case.
    program : str
        Program of stage 1 that takes it.
    refused : str
        Why none does, or nothing.
    incomplete : str
        That segments of its series are missing, or nothing.
    """

    exp_type: str
    visit_type: str
    program: str
    refused: str = ""
    incomplete: str = ""

    @property
    def no_rate(self) -> str:
        """Why there is no count rate of it, or nothing."""
        if self.refused or self.program == DETECTOR1:
            return self.refused
        return f"{self.exp_type.upper()}: {self.program} makes no count rates"


@dataclass(frozen=True)
class PlannedAssociation:
    """An association of the plan.

    Attributes
    ----------
    file_name, program : str
    level : int
    asn_type : str
    pipeline : str
        Program that makes its products, whether it exists or not.
    products : tuple of str
        Product names.
    members : tuple of str
        File names of all its members; science first.
    suffixes : tuple of str
        What is made of it: cal and i2d, ...
    content : dict
        What the JSON file holds.
    available : bool
        Whether the program takes it, and all its members can be made.
    reason : str
        Why not, or nothing.
    own : str
        Path of the file, if it is the user's own.
    makers : tuple of str
        Program that makes each member.
    """

    file_name: str
    program: str
    level: int
    asn_type: str
    pipeline: str
    products: tuple[str, ...]
    members: tuple[str, ...]
    suffixes: tuple[str, ...]
    content: dict[str, Any]
    available: bool
    reason: str = ""
    own: str = ""
    makers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """An association before one knows whether it can be made."""

    made: MadeAssociation
    pipeline: str
    members: tuple[str, ...]
    suffixes: tuple[str, ...]
    refused: str


def plan_associations(
    made: Iterable[MadeAssociation],
    sources: Mapping[str, Source],
    own: Mapping[str, str] | None = None,
) -> tuple[PlannedAssociation, ...]:
    """Say of each association which program makes it, what of it, and whether it can.

    Parameters
    ----------
    made : iterable of MadeAssociation
        Where two make the same product, the first does.
    sources : mapping
        Raw exposures by root.
    own : mapping, optional
        Path of those that are the user's own, by file name.
    """
    candidates = [_candidate(association, sources) for association in made]
    finder = _Finder(sources)
    for candidate in candidates:
        finder.add(candidate)
    return tuple(_planned(candidate, finder, own or {}) for candidate in candidates)


def members_of(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the files of an association's members, science first."""
    members = content["products"][0]["members"]
    ordered = sorted(members, key=lambda member: member["exptype"] != SCIENCE)
    return tuple(member["expname"] for member in ordered)


def subject_of(association: MadeAssociation, sources: Mapping[str, Source]) -> Subject | None:
    """Return what decides on an association's products, or None if it has no raw exposure."""
    first = members_of(association.content)[0]
    root, suffix = _parts(first)
    source = sources.get(root)
    if source is None:
        return None
    return Subject(
        program=PROGRAMS[association.asn_type],
        asn_type=association.asn_type,
        exp_type=source.exp_type,
        integrations=suffix == "rateints",
        wavefront_sensing=WAVEFRONT in source.visit_type,
    )


def level_of(asn_type: str) -> int:
    """Return the stage that an association is for."""
    return 2 if PROGRAMS[asn_type] in LEVEL2 else 3


def _candidate(association: MadeAssociation, sources: Mapping[str, Source]) -> Candidate:
    subject = subject_of(association, sources)
    pipeline = PROGRAMS[association.asn_type]
    members = members_of(association.content)
    if subject is None:
        root = _parts(members[0])[0]
        return Candidate(association, pipeline, members, (), f"{root}, which is not there")
    refused = (
        program_refuses(pipeline, subject.exp_type)
        or several_exposures(association, pipeline)
        or lacks_segments(pipeline, members, sources)
    )
    return Candidate(association, pipeline, members, suffixes(subject), refused)


def several_exposures(association: MadeAssociation, pipeline: str) -> str:
    """Say that a time series has several exposures, or nothing.

    calwebb-tso3 joins the segments of one; associations have all exposures of an observation.
    """
    if pipeline != TSO3:
        return ""
    members = association.content["products"][0]["members"]
    science = [member["expname"] for member in members if member["exptype"] == SCIENCE]
    exposures = sorted({EXPOSURE_OF.split(_parts(name)[0])[0] for name in science})
    if len(exposures) < 2:
        return ""
    return (
        f"{association.product}: {len(exposures)} exposures ({', '.join(exposures[:NAMED])}"
        f"{', ...' if len(exposures) > NAMED else ''}), of which calwebb-tso3 takes one at a time: "
        "give each an association of its own"
    )


def lacks_segments(pipeline: str, members: Iterable[str], sources: Mapping[str, Source]) -> str:
    """Say that a time series is not whole, or nothing: calwebb-tso3 takes whole ones."""
    if pipeline != TSO3:
        return ""
    found = (sources.get(_parts(name)[0]) for name in members)
    return next((source.incomplete for source in found if source and source.incomplete), "")


def _parts(name: str) -> tuple[str, str]:
    """Return root and suffix of a file; one that is named otherwise has no suffix."""
    try:
        return split_suffix(name)
    except InputError:
        return name, ""


@dataclass
class _Finder:
    """Finds what makes a file, and why it is not made."""

    sources: Mapping[str, Source]
    makers: dict[tuple[str, str], list[Candidate]] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    taken: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def add(self, candidate: Candidate) -> None:
        """Remember what an association makes."""
        for suffix in candidate.suffixes:
            self.makers.setdefault((candidate.made.product, suffix), []).append(candidate)

    def why_not(self, candidate: Candidate) -> str:
        """Return why an association's products are not made, or nothing."""
        if candidate.refused:
            return candidate.refused
        if id(candidate) not in self.reasons:
            self.reasons[id(candidate)] = OF_THEMSELVES
            reasons = (self._why_no_member(name) for name in candidate.members)
            self.reasons[id(candidate)] = next((why for why in reasons if why), "")
        return self.reasons[id(candidate)]

    def why_not_this(self, candidate: Candidate) -> str:
        """Return why an association is not used: also where an earlier one makes the same."""
        why = self.why_not(candidate)
        if why:
            return why
        product = candidate.made.product
        key = (candidate.pipeline, product, candidate.suffixes[0])
        first = self.taken.setdefault(key, candidate.made.file_name)
        if first == candidate.made.file_name:
            return ""
        return f"{product}: association {first} makes the same product"

    def maker(self, name: str) -> Candidate | None:
        """Return what makes a member: that which can, or else the first that would."""
        makers = self.makers.get(_parts(name), [])
        able = (maker for maker in makers if not self.why_not(maker))
        return next(able, next(iter(makers), None))

    def program(self, name: str) -> str:
        """Return the program that makes a member, or nothing."""
        if _parts(name)[1] in RATES:
            return DETECTOR1
        maker = self.maker(name)
        return maker.pipeline if maker else ""

    def _why_no_member(self, name: str) -> str:
        root, suffix = _parts(name)
        if suffix in RATES:
            source = self.sources.get(root)
            return f"{root}, which is not there" if source is None else source.no_rate
        maker = self.maker(name)
        if maker is None:
            return f"members _{suffix} that nothing makes" if suffix else f"{name}, unknown"
        if maker.pipeline not in PIPELINES:
            return f"members of {maker.pipeline}, which makes no products yet"
        return self.why_not(maker)


def _planned(candidate: Candidate, finder: _Finder, own: Mapping[str, str]) -> PlannedAssociation:
    made = candidate.made
    reason = finder.why_not_this(candidate)
    return PlannedAssociation(
        file_name=made.file_name,
        program=made.program,
        level=made.level,
        asn_type=made.asn_type,
        pipeline=candidate.pipeline,
        products=(made.product,),
        members=candidate.members,
        suffixes=candidate.suffixes,
        content=made.content,
        available=not reason,
        reason=reason,
        own=own.get(made.file_name, ""),
        makers=tuple(finder.program(name) for name in candidate.members),
    )
