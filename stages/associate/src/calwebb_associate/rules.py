"""The rules of associations, as data: each with the sentence it implements.

A rule looks at what an exposure is (`facts`), at nothing else, and says in which groups the
exposures that fit are put together. Level-2 rules make one product of each exposure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from calwebb_associate.exposure_types import (
    ACQUISITION,
    CORONAGRAPHY,
    FGS,
    FOCUS,
    IMAGE,
    INTERFEROMETRY,
    TIME_SERIES,
)
from calwebb_associate.pool import Row, flag, value

SCIENCE: Final = "science"
PSF: Final = "psf"
IMPRINT: Final = "imprint"
BACKGROUND: Final = "background"
TARGET_ACQUISITION: Final = "target_acquisition"

OPTICAL_PATH: Final = ("instrume", "filter", "pupil", "grating", "fxd_slit", "subarray")
IMAGE2_SCIENCE: Final = (
    *(word for word in IMAGE if word != "fgs_image"),
    *CORONAGRAPHY,
    *INTERFEROMETRY,
)
_WFSC: Final = re.compile(r".+wfsc.+")


@dataclass(frozen=True)
class Facts:
    """What the rules ask of an exposure.

    Attributes
    ----------
    exp_type : str
        Lower case.
    role : str
        science, or psf, imprint, background: the first that its flags say; or
        target_acquisition.
    time_series, wavefront_sensing : bool
    """

    exp_type: str
    role: str
    time_series: bool
    wavefront_sensing: bool


def facts(row: Row) -> Facts:
    """Return what the rules ask of a row of the pool.

    An exposure is a time series if its visit or its type is one, and never if it is a target
    acquisition.
    """
    exp_type = value(row, "exp_type")
    pointing = value(row, "pntgtype") or SCIENCE
    acquires = exp_type in ACQUISITION or pointing == TARGET_ACQUISITION or _verifies_shutters(row)
    series = flag(row, "tsovisit") or exp_type in TIME_SERIES
    return Facts(
        exp_type=exp_type,
        role=TARGET_ACQUISITION if acquires else _special(row),
        time_series=series and not acquires and pointing == SCIENCE,
        wavefront_sensing=bool(_WFSC.fullmatch(value(row, "visitype"))),
    )


def _verifies_shutters(row: Row) -> bool:
    """Tell whether a shutter exposure is an image through the mirror with all shutters open."""
    return (
        value(row, "exp_type") == "nrs_msaspec"
        and value(row, "grating") == "mirror"
        and value(row, "msastate") == "primarypark_allopen"
    )


def _special(row: Row) -> str:
    """Return the special part of an exposure; psf comes before imprint before background."""
    for column, role in (("is_psf", PSF), ("is_imprt", IMPRINT), ("bkgdtarg", BACKGROUND)):
        if flag(row, column):
            return role
    return SCIENCE


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    name : str
        As in the documents.
    asn_type : str
        Kind of association, in its file name and `asn_type`.
    level : int
        2 (a product an exposure) or 3 (a product a group).
    sentence : str
        What it does.
    exp_types, roles : tuple of str
        The exposures that fit.
    time_series, wavefront_sensing : bool
        Whether it takes such exposures, and no others.
    needs : str
        Role that at least one member has.
    group_by : tuple of str
        Columns in which the members of a group agree.
    by_target : bool
        Whether the members are of one target, which the product's name carries.
    candidate_types : tuple of str
        Kinds of candidate it is for; () for every kind that no other rule names.
    backgrounds : bool
        Whether the candidate's background exposures are attached.
    """

    name: str
    asn_type: str
    level: int
    sentence: str
    exp_types: tuple[str, ...]
    roles: tuple[str, ...] = (SCIENCE,)
    time_series: bool = False
    wavefront_sensing: bool = False
    needs: str = SCIENCE
    group_by: tuple[str, ...] = ()
    by_target: bool = True
    candidate_types: tuple[str, ...] = ()
    backgrounds: bool = False

    def fits(self, exposure: Facts) -> bool:
        """Tell whether an exposure may be a science, PSF or background member."""
        return (
            exposure.exp_type in self.exp_types
            and exposure.role in self.roles
            and exposure.time_series == self.time_series
            and exposure.wavefront_sensing == self.wavefront_sensing
        )


LEVEL2: Final = (
    Rule(
        "Asn_Lv2Image",
        "image2",
        2,
        "An image that is no time series, alone or with the backgrounds of its candidate taken "
        "through the same optical path in the same detector.",
        IMAGE2_SCIENCE,
        backgrounds=True,
    ),
    Rule(
        "Asn_Lv2ImageSpecial",
        "image2",
        2,
        "An image of a background target or of a PSF reference, calibrated in its own right.",
        IMAGE2_SCIENCE,
        roles=(PSF, BACKGROUND),
        needs="",
    ),
    Rule(
        "Asn_Lv2ImageTSO",
        "tso-image2",
        2,
        "An image that is a time series, one image an integration.",
        (*IMAGE2_SCIENCE, "nrc_tsimage"),
        roles=(SCIENCE, PSF, BACKGROUND),
        time_series=True,
        needs="",
    ),
    Rule(
        "Asn_Lv2FGS",
        "image2",
        2,
        "An image of the guider as a science instrument.",
        FGS,
        roles=(SCIENCE, PSF, BACKGROUND),
        needs="",
    ),
    Rule(
        "Asn_Lv2WFSC",
        "image2",
        2,
        "An image of a visit of wavefront sensing and control.",
        IMAGE2_SCIENCE,
        roles=(SCIENCE, PSF, BACKGROUND),
        wavefront_sensing=True,
        needs="",
    ),
    Rule(
        "Asn_Lv2ImageNonScience",
        "image2",
        2,
        "An image that acquires or verifies the target, or serves focusing.",
        (*ACQUISITION, *FOCUS, *IMAGE, "nrs_msaspec"),
        roles=(TARGET_ACQUISITION,),
        needs="",
    ),
    Rule(
        "Asn_Lv2ImageNonScience",
        "image2",
        2,
        "An image that serves focusing.",
        FOCUS,
        needs="",
    ),
)

LEVEL3: Final = (
    Rule(
        "Asn_Lv3Image",
        "image3",
        3,
        "The images of one target through one optical path, with their PSF references; no time "
        "series, no wavefront sensing, no background target.",
        IMAGE,
        roles=(SCIENCE, PSF),
        group_by=(*OPTICAL_PATH, "exp_type"),
    ),
    Rule(
        "Asn_Lv3ImageMosaic",
        "image3",
        3,
        "The images of a mosaic through one optical path, whatever their target.",
        IMAGE,
        roles=(SCIENCE, PSF),
        group_by=(*OPTICAL_PATH, "exp_type"),
        by_target=False,
        candidate_types=("mosaic",),
    ),
    Rule(
        "Asn_Lv3ImageBackground",
        "image3",
        3,
        "The images of a background target, as a product of their own.",
        IMAGE,
        roles=(BACKGROUND,),
        needs=BACKGROUND,
        group_by=(*OPTICAL_PATH, "exp_type"),
    ),
)

# Level-3 rules of the documents that do not exist here yet, by the kind of exposure they take.
LATER: Final[Mapping[str, str]] = {
    "coronagraphy": "coron3",
    "aperture masking interferometry": "ami3",
    "time series": "tso3",
    "spectroscopy": "spec2, spec3",
    "wavefront sensing": "wfs-image3",
    "imprint": "spec2",
    "calibration lamp or flat": "spec2",
}
# No rule makes associations of these.
ALONE: Final = ("dark", "guide star")
