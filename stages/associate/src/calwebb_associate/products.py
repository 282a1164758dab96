"""What the programs of stages 2 and 3 make of an association, by its type and exposures.

Also for the programs that do not exist yet: a dry run lists what they will make.
"""

from dataclasses import dataclass
from typing import Final

from calwebb_associate.pipelines import (
    AMI3,
    CORON3,
    IMAGE2,
    IMAGE3,
    RESAMPLED,
    SPEC2,
    SPEC3,
    TSO3,
    WFS_IMAGE3,
)

CUBES: Final = ("mir_mrs", "nrs_ifu")
SLITS: Final = ("mir_lrs-fixedslit", "nrs_fixedslit", "nrs_msaspec")
SERIES_OF_IMAGES: Final = ("nrc_tsimage", "mir_image", "nrc_image", "nis_image")
LAMPS: Final = "nrslamp-spec2"
_STAGE3: Final = {
    IMAGE3: ("i2d", "cat", "segm"),
    CORON3: ("psfstack", "psfalign", "psfsub", "i2d"),
    AMI3: ("ami-oi", "aminorm-oi"),
    WFS_IMAGE3: ("wfscmb",),
}


@dataclass(frozen=True)
class Subject:
    """What decides on the products of an association.

    Attributes
    ----------
    program : str
        That takes it.
    asn_type : str
    exp_type : str
        Of its first science member, in lower case.
    integrations : bool
        Whether that member holds one image an integration (`_rateints`).
    wavefront_sensing : bool
        Whether it was taken to measure the telescope's wavefront.
    """

    program: str
    asn_type: str
    exp_type: str
    integrations: bool = False
    wavefront_sensing: bool = False


def suffixes(subject: Subject) -> tuple[str, ...]:
    """Return the suffixes of the products, the one that others start from first."""
    makers = {IMAGE2: _image2, SPEC2: _spec2, SPEC3: _spec3, TSO3: _tso3}
    maker = makers.get(subject.program)
    return maker(subject) if maker else _STAGE3[subject.program]


def _image2(subject: Subject) -> tuple[str, ...]:
    if subject.integrations:
        return ("calints",)
    resampled = subject.exp_type in RESAMPLED and not subject.wavefront_sensing
    return ("cal", "i2d") if resampled else ("cal",)


def _spec2(subject: Subject) -> tuple[str, ...]:
    if subject.asn_type == LAMPS:
        return ("cal",)
    if subject.integrations:
        return ("calints", "x1dints")
    return ("cal", *_rectified(subject), "x1d")


def _spec3(subject: Subject) -> tuple[str, ...]:
    rectified = _rectified(subject)
    return (*rectified, "x1d") if rectified else ("x1d", "c1d")


def _rectified(subject: Subject) -> tuple[str, ...]:
    """Return cubes of integral-field units, rectified spectra of slits, nothing of the others."""
    if subject.exp_type in CUBES:
        return ("s3d",)
    return ("s2d",) if subject.exp_type in SLITS else ()


def _tso3(subject: Subject) -> tuple[str, ...]:
    return ("phot",) if subject.exp_type in SERIES_OF_IMAGES else ("x1dints", "whtlt")
