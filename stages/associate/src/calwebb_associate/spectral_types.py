"""Which exposures the programs of spectra and time series take, and the reference types of each.

A mode asks for its own types only: the rules of CRDS find no file for the others, and a plan would
list them as missing.
"""

from typing import Final

Types = dict[str, tuple[str, ...]]

_EXTRACTION: Final = ("extract1d", "apcorr")
_FLUX: Final = ("photom", "area")
_LRS: Final = ("distortion", "specwcs", "flat", *_FLUX, *_EXTRACTION)
_NIRSPEC: Final = (
    "camera",
    "collimator",
    "disperser",
    "fore",
    "fpa",
    "msa",
    "ote",
    "wavelengthrange",
    "wavecorr",
    "dflat",
    "fflat",
    "sflat",
    *_FLUX,
    *_EXTRACTION,
)

# By EXP_TYPE in lower case: what calwebb-spec2 calibrates.
SPEC2_TYPES: Final[Types] = {
    "mir_lrs-fixedslit": (*_LRS, "pathloss", "psf"),
    "mir_lrs-slitless": _LRS,
    "nrs_fixedslit": (*_NIRSPEC, "pathloss"),
    "nrs_brightobj": _NIRSPEC,
    "nrc_tsgrism": (
        "distortion",
        "specwcs",
        "filteroffset",
        "wavelengthrange",
        "flat",
        *_FLUX,
        *_EXTRACTION,
    ),
}
# Of which calwebb-tso3 makes light curves.
TSO3_TYPES: Final[Types] = {
    "nrc_tsimage": (),
    "mir_image": (),
    "nrc_tsgrism": _EXTRACTION,
    "nrs_brightobj": _EXTRACTION,
    "mir_lrs-slitless": _EXTRACTION,
}
# Of which calwebb-spec3 makes one spectrum.
SPEC3_TYPES: Final[Types] = {
    "mir_lrs-fixedslit": (*_EXTRACTION, "psf"),
    "nrs_fixedslit": _EXTRACTION,
}


def of_all(types: Types) -> tuple[str, ...]:
    """Return the types of all modes, each once."""
    return tuple(dict.fromkeys(kind for kinds in types.values() for kind in kinds))
