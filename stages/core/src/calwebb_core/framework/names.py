r"""File names: exposures, guide-star data, associations and level-3 products.

A name is `root_suffix.extension`. The root of an exposure ends with its detector, so anything
behind it is a suffix, also a step's name with underscores (`_dark_current`). A level-3 root
may end with an optical element, therefore its suffix has to be one of `SUFFIXES` or a step's
name.

Exposure     ``jw{program:5}{observation:3}{visit:3}_{group:2}{sequence:1}{activity:2}_{exposure:5}[-seg{NNN}]_{detector}``
Guide star   ``jw{program:5}{observation:3}{visit:3}_gs-{mode}_{stamp}[-seg{NNN}]``
Association  ``jw{program:5}-{candidate}[_{stamp}]_{type}_{sequence:5}_asn.json``
Level 3      ``jw{program:5}-{candidate}_{target}[-{source}][-epoch{N}]_{instrument}[_{optical elements}]``

A candidate is o and 3 digits (an observation), or c, a, r and 4 digits (given by the proposal,
discovered, or asked for by a person). A target is t and 3 digits or a source: s, b or v and its
number.
"""  # noqa: E501

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePath
from typing import Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.name_patterns import (
    ASSOCIATION_PATTERN,
    ASSOCIATION_TYPES,
    CANDIDATE_PATTERN,
    ELEMENTS_PATTERN,
    EXPOSURE_PATTERN,
    GUIDE_STAR_PATTERN,
    INSTRUMENTS,
    LEVEL3_PATTERN,
    PROGRAM_PATTERN,
    STAMP_PATTERN,
    STEP_SUFFIXES,
    SUFFIX_PATTERN,
    SUFFIXES,
    TARGET_PATTERN,
)

__all__ = [
    "ASSOCIATION_PATTERN",
    "ASSOCIATION_TYPES",
    "CANDIDATE_PATTERN",
    "ELEMENTS_PATTERN",
    "EXPOSURE_PATTERN",
    "GUIDE_STAR_PATTERN",
    "INSTRUMENTS",
    "LEVEL3_PATTERN",
    "PROGRAM_PATTERN",
    "STAMP_PATTERN",
    "STEP_SUFFIXES",
    "SUFFIXES",
    "SUFFIX_PATTERN",
    "TARGET_PATTERN",
    "AssociationName",
    "ExposureName",
    "GuideStarName",
    "Level3Name",
    "split_suffix",
    "stem_of",
]

_EXPOSURE: Final = re.compile(
    r"jw(?P<program>\d{5})(?P<observation>\d{3})(?P<visit>\d{3})"
    r"_(?P<visit_group>\d{2})(?P<sequence>\d)(?P<activity>[0-9a-z]{2})"
    r"_(?P<exposure>\d{5})(?:-seg(?P<segment>\d{3}))?_(?P<detector>[a-z0-9]+)"
    rf"(?:_(?P<candidate>{CANDIDATE_PATTERN}))?(?:_(?P<suffix>{SUFFIX_PATTERN}))?",
    re.ASCII,
)
_GUIDE_STAR: Final = re.compile(
    r"jw(?P<program>\d{5})(?P<observation>\d{3})(?P<visit>\d{3})"
    r"_gs-(?P<mode>id|acq1|acq2|track|fg)_(?P<stamp>\d{13}|\d{1,3}_(?:image|stacked))"
    rf"(?:-seg(?P<segment>\d{{3}}))?(?:_(?P<suffix>{SUFFIX_PATTERN}))?",
    re.ASCII,
)
_ASSOCIATION: Final = re.compile(
    rf"jw(?P<program>{PROGRAM_PATTERN})-(?P<candidate>{CANDIDATE_PATTERN})"
    rf"(?:_(?P<stamp>{STAMP_PATTERN}))?"
    rf"_(?P<type>{'|'.join(ASSOCIATION_TYPES)})_(?P<sequence>\d{{5}})_asn",
    re.ASCII,
)
_LEVEL3: Final = re.compile(
    rf"jw(?P<program>{PROGRAM_PATTERN})-(?P<candidate>{CANDIDATE_PATTERN})"
    rf"_(?P<target>{TARGET_PATTERN})_(?P<instrument>{'|'.join(INSTRUMENTS)})"
    rf"(?:_(?P<optical_elements>{ELEMENTS_PATTERN}))?",
    re.ASCII,
)
_LEVEL3_SUFFIX: Final = re.compile(
    r"(?P<root>.+?)_(?P<suffix>(?:"
    + "|".join(re.escape(word) for word in (*SUFFIXES, *STEP_SUFFIXES))
    + r")(?:-[0-9a-z]{2})?)",
    re.ASCII,
)


@dataclass(frozen=True)
class ExposureName:
    """Name of a file of one exposure (or one segment of it) in one detector.

    Attributes
    ----------
    program, observation, visit : str
        5, 3 and 3 digits.
    visit_group, sequence, activity : str
        2 digits, 1 digit, 2 digits or lower-case letters.
    exposure : str
        5 digits.
    detector : str
        Lower case, such as "nrcalong".
    segment : str or None
        3 digits for a part of a segmented exposure.
    candidate : str or None
        Association id of a level-3 exposure product, such as "o001" of `_o001_crf`.
    suffix : str or None
        What product it is, such as "rate".
    """

    program: str
    observation: str
    visit: str
    visit_group: str
    sequence: str
    activity: str
    exposure: str
    detector: str
    segment: str | None = None
    candidate: str | None = None
    suffix: str | None = None

    @classmethod
    def parse(cls, text: str | PurePath) -> "ExposureName":
        """Read the name of a file or the root of an exposure.

        Raises
        ------
        InputError
            If the name does not fit.
        """
        match = _EXPOSURE.fullmatch(stem_of(text))
        if match is None:
            expected = "jw01345001001_02201_00001_nrcalong_uncal.fits"
            raise InputError(_misfit(text, "an exposure", expected))
        return cls(**match.groupdict())

    @property
    def root(self) -> str:
        """The name without suffix and extension: the exposure's identity."""
        segment = f"-seg{self.segment}" if self.segment else ""
        return (
            f"jw{self.program}{self.observation}{self.visit}"
            f"_{self.visit_group}{self.sequence}{self.activity}"
            f"_{self.exposure}{segment}_{self.detector}"
        )

    def with_suffix(self, suffix: str, extension: str = "fits") -> str:
        """Return the file name of another product of the same exposure."""
        return f"{self.root}_{suffix}.{extension}"

    def __str__(self) -> str:
        return "_".join(part for part in (self.root, self.candidate, self.suffix) if part)


@dataclass(frozen=True)
class GuideStarName:
    """Name of a guide-star file: `mode` is id, acq1, acq2, track or fg.

    `stamp` is the time of its end, YYYYDDDHHMMSS, or for an identification its number and
    kind, such as "1_image".
    """

    program: str
    observation: str
    visit: str
    mode: str
    stamp: str
    segment: str | None = None
    suffix: str | None = None

    @classmethod
    def parse(cls, text: str | PurePath) -> "GuideStarName":
        """Read the name of a file or its root; raise InputError if it does not fit."""
        match = _GUIDE_STAR.fullmatch(stem_of(text))
        if match is None:
            expected = "jw01019001001_gs-acq1_2022117003102_uncal.fits"
            raise InputError(_misfit(text, "guide-star data", expected))
        return cls(**match.groupdict())

    @property
    def root(self) -> str:
        """The name without suffix and extension."""
        segment = f"-seg{self.segment}" if self.segment else ""
        visit = f"{self.program}{self.observation}{self.visit}"
        return f"jw{visit}_gs-{self.mode}_{self.stamp}{segment}"

    def with_suffix(self, suffix: str, extension: str = "fits") -> str:
        """Return the file name of another product of the same data."""
        return f"{self.root}_{suffix}.{extension}"

    def __str__(self) -> str:
        return f"{self.root}_{self.suffix}" if self.suffix else self.root


@dataclass(frozen=True)
class AssociationName:
    """Name of an association file; `stamp` only if a version was asked for."""

    program: str
    candidate: str
    type: str
    sequence: str
    stamp: str | None = None

    @classmethod
    def parse(cls, text: str | PurePath) -> "AssociationName":
        """Read the name of a file; raise InputError if it does not fit."""
        match = _ASSOCIATION.fullmatch(stem_of(text))
        if match is None:
            expected = "jw01345-o001_image3_00001_asn.json"
            raise InputError(_misfit(text, "an association", expected))
        return cls(**match.groupdict())

    @property
    def root(self) -> str:
        """The name without the extension."""
        parts = (f"jw{self.program}-{self.candidate}", self.stamp, self.type, self.sequence, "asn")
        return "_".join(part for part in parts if part)

    @property
    def file_name(self) -> str:
        """The name with the extension."""
        return f"{self.root}.json"

    def __str__(self) -> str:
        return self.root


@dataclass(frozen=True)
class Level3Name:
    """Name of a product that combines exposures.

    `optical_elements` are joined by hyphens, a subarray or slit last ("clear-f277w-sub160");
    MRS products of several channels have none. An association leaves open what only the data
    tell: ``{source_id}`` in the target, ``{slit_name}`` among the optical elements.
    """

    program: str
    candidate: str
    target: str
    instrument: str
    optical_elements: str | None = None
    suffix: str | None = None

    @classmethod
    def parse(cls, text: str | PurePath) -> "Level3Name":
        """Read the name of a file or of a product; raise InputError if it does not fit."""
        stem = stem_of(text)
        parts = _LEVEL3_SUFFIX.fullmatch(stem)
        root, suffix = (parts["root"], parts["suffix"]) if parts else (stem, None)
        match = _LEVEL3.fullmatch(root)
        if match is None:
            expected = "jw01345-o001_t001_nircam_clear-f277w_i2d.fits"
            raise InputError(_misfit(text, "a level-3 product", expected))
        return cls(**match.groupdict(), suffix=suffix)

    @property
    def root(self) -> str:
        """The product's name, without suffix and extension."""
        parts = (
            f"jw{self.program}-{self.candidate}",
            self.target,
            self.instrument,
            self.optical_elements,
        )
        return "_".join(part for part in parts if part)

    def with_suffix(self, suffix: str, extension: str = "fits") -> str:
        """Return the file name of a product of this name."""
        return f"{self.root}_{suffix}.{extension}"

    def __str__(self) -> str:
        return f"{self.root}_{self.suffix}" if self.suffix else self.root


def stem_of(text: str | PurePath) -> str:
    """Return a file's name without folders and extensions (`x_uncal.fits.gz` -> `x_uncal`)."""
    return PurePath(text).name.split(".", 1)[0]


def split_suffix(text: str | PurePath) -> tuple[str, str]:
    """Split a product's file name into root and suffix.

    The root of an exposure never holds the association id, so that a `_crf` belongs to its
    exposure: `..._nrcalong_o001_crf.fits` gives ("..._nrcalong", "o001_crf"). A file that is
    not named as the observatory does is split at a suffix of `SUFFIXES` or a step's name.

    Returns
    -------
    root, suffix : str
        `f"{root}_{suffix}"` is the name without its extension.

    Raises
    ------
    InputError
        If the name has no suffix.
    """
    stem = stem_of(text)
    for pattern in (EXPOSURE_PATTERN, GUIDE_STAR_PATTERN):
        match = re.fullmatch(rf"({pattern})_({SUFFIX_PATTERN})", stem, re.ASCII)
        if match:
            return match[1], match[2]
    match = _LEVEL3_SUFFIX.fullmatch(stem)
    if match:
        return match["root"], match["suffix"]
    word = stem.rpartition("_")[2]
    close = get_close_matches(word, SUFFIXES, n=1)
    advice = f"; did you mean _{close[0]}?" if close else ""
    msg = f"{text}: the file name has no product suffix such as _uncal, _rate or _cal{advice}"
    raise InputError(msg)


def _misfit(text: str | PurePath, what: str, expected: str) -> str:
    """Return the message for a name that does not fit."""
    return f"{text}: not the name of {what}; expected a name such as {expected}"
