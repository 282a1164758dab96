"""Patterns of file names, and what the suffixes of products mean.

The patterns hold no capturing group: they are the workflow's wildcard constraints too.
"""

from typing import Final

PROGRAM_PATTERN: Final = r"\d{5}"
CANDIDATE_PATTERN: Final = r"(?:o\d{3}|[acr]\d{4})"
EXPOSURE_PATTERN: Final = r"jw\d{11}_\d{3}[0-9a-z]{2}_\d{5}(?:-seg\d{3})?_[a-z0-9]+"
GUIDE_STAR_PATTERN: Final = (
    r"jw\d{11}_gs-(?:id|acq1|acq2|track|fg)_(?:\d{13}|\d{1,3}_(?:image|stacked))(?:-seg\d{3})?"
)
STAMP_PATTERN: Final = r"\d{8}t\d{6}"
ASSOCIATION_TYPES: Final = (
    "image2",
    "tso-image2",
    "spec2",
    "tso-spec2",
    "nrslamp-spec2",
    "image3",
    "spec3",
    "tso3",
    "coron3",
    "ami3",
    "wfs-image3",
    "user_built",
)
ASSOCIATION_PATTERN: Final = (
    rf"jw{PROGRAM_PATTERN}-{CANDIDATE_PATTERN}_(?:{STAMP_PATTERN}_)?"
    rf"(?:{'|'.join(ASSOCIATION_TYPES)})_\d{{5}}_asn"
)
# Names of associations leave open what only the data tell: the source, the slit.
SOURCE_PATTERN: Final = r"(?:[sbv]\d{5,9}|\{source_id\})"
TARGET_PATTERN: Final = rf"(?:t\d{{3,4}}|{SOURCE_PATTERN})(?:-{SOURCE_PATTERN})?(?:-epoch\d+)?"
INSTRUMENTS: Final = ("fgs", "miri", "nircam", "niriss", "nirspec")
_ELEMENT: Final = r"(?:[a-z0-9]+|\{slit_name\})"
ELEMENTS_PATTERN: Final = rf"{_ELEMENT}(?:[-_]{_ELEMENT})*"
LEVEL3_PATTERN: Final = (
    rf"jw{PROGRAM_PATTERN}-{CANDIDATE_PATTERN}_{TARGET_PATTERN}"
    rf"_(?:{'|'.join(INSTRUMENTS)})(?:_{ELEMENTS_PATTERN})?"
)
SUFFIX_PATTERN: Final = r"[a-z0-9]+(?:[-_][a-z0-9]+)*"

SUFFIXES: Final[dict[str, str]] = {
    "uncal": "raw exposure",
    "ramp": "corrected ramps",
    "dark": "dark exposure",
    "rate": "slopes over all integrations",
    "rateints": "slopes of each integration",
    "fitopt": "optional results of the ramp fit",
    "trapsfilled": "state of the charge traps",
    "bsub": "background-subtracted slopes",
    "bsubints": "background-subtracted slopes of each integration",
    "cal": "calibrated exposure",
    "calints": "calibrated integrations",
    "crf": "calibrated exposure with outliers flagged",
    "crfints": "calibrated integrations with outliers flagged",
    "i2d": "rectified image",
    "s2d": "rectified spectrum",
    "s3d": "spectral cube",
    "x1d": "extracted spectrum",
    "x1dints": "extracted spectra of each integration",
    "c1d": "combined spectrum",
    "cat": "source catalog",
    "segm": "segmentation map",
    "phot": "light curve of an aperture",
    "whtlt": "white-light curve",
    "psfstack": "stack of reference PSFs",
    "psfalign": "aligned reference PSFs",
    "psfsub": "PSF-subtracted integrations",
    "ami": "interferometric observables",
    "ami-oi": "interferometric observables",
    "amimulti-oi": "interferometric observables of each integration",
    "aminorm-oi": "normalised interferometric observables",
    "amilg": "fit of the interferogram",
    "wfscmb": "combined wavefront-sensing pair",
    "median": "median of the aligned exposures",
    "blot": "median in the frame of an exposure",
    "flat": "interpolated flat field",
    "mbsub": "exposure without master background",
    "masterbg1d": "master background",
    "profile": "profile of an extraction",
    "scene_model": "model of the pixels of an extraction",
    "residual": "what the model of an extraction leaves",
    "msa": "shutter configuration",
}
STEP_SUFFIXES: Final = (
    "group_scale", "dq_init", "emicorr", "saturation", "ipc", "firstframe", "lastframe", "reset",
    "superbias", "refpix", "linearity", "rscd", "dark_current", "charge_migration", "persistence",
    "jump", "picture_frame", "clean_flicker_noise", "ramp_fit", "0_ramp_fit", "1_ramp_fit",
    "gain_scale", "bkg_subtract", "assign_wcs", "flat_field", "photom", "resample", "assign_mtwcs",
    "tweakreg", "skymatch", "outlier_detection", "source_catalog",
)  # fmt: skip
