"""What the stage programs need and take, as light tables: planning imports no stage.

A test of the whole repository compares them with what the programs themselves declare.
"""

from collections.abc import Collection
from typing import Final

from calwebb_associate.exposure_types import (
    ACQUISITION,
    CORONAGRAPHY,
    DARK,
    FOCUS,
    GUIDE,
    IMAGE,
    INTERFEROMETRY,
)
from calwebb_associate.headers import STRIPES, Header
from calwebb_associate.spectral_types import SPEC2_TYPES, SPEC3_TYPES, TSO3_TYPES, Types, of_all
from calwebb_core.framework.reference_types import pipeline_type, step_type

DETECTOR1: Final = "calwebb-detector1"
DARKS: Final = "calwebb-dark"
GUIDER: Final = "calwebb-guider"
IMAGE2: Final = "calwebb-image2"
IMAGE3: Final = "calwebb-image3"
SPEC2: Final = "calwebb-spec2"
SPEC3: Final = "calwebb-spec3"
TSO3: Final = "calwebb-tso3"
CORON3: Final = "calwebb-coron3"
AMI3: Final = "calwebb-ami3"
WFS_IMAGE3: Final = "calwebb-wfs-image3"
# Programs that make products; associations for others are made, too, and listed as not available.
PIPELINES: Final = (DETECTOR1, DARKS, GUIDER, IMAGE2, SPEC2, IMAGE3, SPEC3, TSO3)
# Program that takes an association, by its asn_type.
PROGRAMS: Final[dict[str, str]] = {
    "image2": IMAGE2,
    "tso-image2": IMAGE2,
    "spec2": SPEC2,
    "tso-spec2": SPEC2,
    "nrslamp-spec2": SPEC2,
    "image3": IMAGE3,
    "spec3": SPEC3,
    "tso3": TSO3,
    "coron3": CORON3,
    "ami3": AMI3,
    "wfs-image3": WFS_IMAGE3,
}
LEVEL2: Final = (IMAGE2, SPEC2)

# Types by EXP_TYPE of the programs that take the modes of these tables only.
BY_MODE: Final[dict[str, Types]] = {SPEC2: SPEC2_TYPES, SPEC3: SPEC3_TYPES, TSO3: TSO3_TYPES}
# CRDS types that each program may load.
REFERENCE_TYPES: Final[dict[str, tuple[str, ...]]] = {
    DETECTOR1: (
        "mask",
        "emicorr",
        "saturation",
        "reset",
        "superbias",
        "ipc",
        "refpix",
        "sirskernel",
        "linearity",
        "rscd",
        "dark",
        "persat",
        "trapdensity",
        "trappars",
        "gain",
        "readnoise",
        "pictureframe",
        "flat",
        "pastasoss",
    ),
    DARKS: (
        "mask",
        "emicorr",
        "saturation",
        "reset",
        "superbias",
        "ipc",
        "refpix",
        "sirskernel",
        "linearity",
        "rscd",
    ),
    GUIDER: ("mask", "gain", "readnoise", "flat"),
    IMAGE2: ("distortion", "filteroffset", "flat", "photom", "area"),
    IMAGE3: ("apcorr", "abvegaoffset"),
    **{program: of_all(types) for program, types in BY_MODE.items()},
}
# What NIRSpec's images need in place of others: its WCS is that of its optics.
NIRSPEC_INSTEAD: Final = ("distortion", "filteroffset")
NIRSPEC_OPTICS: Final = (
    "camera",
    "collimator",
    "disperser",
    "fore",
    "fpa",
    "ote",
    "wavelengthrange",
)
# Types that only a step uses which is off unless asked for: asked for when it is on.
OPTIONAL_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "emicorr": ("emicorr",),
    "persistence": ("persat", "trapdensity", "trappars"),
    "clean_flicker_noise": ("flat", "pastasoss"),
}
# Steps of each program, for the files of options that CRDS may have for them.
STEPS: Final[dict[str, tuple[str, ...]]] = {
    DETECTOR1: (
        "group_scale",
        "dq_init",
        "emicorr",
        "saturation",
        "ipc",
        "firstframe",
        "lastframe",
        "reset",
        "superbias",
        "refpix",
        "linearity",
        "rscd",
        "dark_current",
        "charge_migration",
        "jump",
        "picture_frame",
        "clean_flicker_noise",
        "persistence",
        "ramp_fit",
        "gain_scale",
    ),
    DARKS: (
        "group_scale",
        "dq_init",
        "emicorr",
        "saturation",
        "ipc",
        "firstframe",
        "lastframe",
        "reset",
        "superbias",
        "refpix",
        "linearity",
        "rscd",
    ),
    GUIDER: ("dq_init", "guider_cds", "flat_field"),
    IMAGE2: ("bkg_subtract", "assign_wcs", "flat_field", "photom", "resample"),
    IMAGE3: (
        "assign_mtwcs",
        "tweakreg",
        "skymatch",
        "outlier_detection",
        "resample",
        "source_catalog",
    ),
    SPEC2: (
        "assign_wcs",
        "badpix_selfcal",
        "msa_flagging",
        "clean_flicker_noise",
        "imprint_subtract",
        "bkg_subtract",
        "extract_2d",
        "srctype",
        "master_background_mos",
        "wavecorr",
        "targ_centroid",
        "straylight",
        "flat_field",
        "fringe",
        "pathloss",
        "barshadow",
        "wfss_contam",
        "photom",
        "residual_fringe",
        "adaptive_trace_model",
        "pixel_replace",
        "resample_spec",
        "cube_build",
        "extract_1d",
    ),
    SPEC3: (
        "master_background",
        "outlier_detection",
        "pixel_replace",
        "resample_spec",
        "extract_1d",
        "combine_1d",
    ),
    TSO3: (
        "outlier_detection",
        "tso_photometry",
        "pixel_replace",
        "extract_1d",
        "white_light",
    ),
}
DETECTOR1_INSTRUMENTS: Final = ("NIRCAM", "NIRISS", "NIRSPEC", "FGS", "MIRI")
# What calwebb-image2 calibrates, what of it gets a rectified image, and what makes a mosaic.
IMAGE2_TYPES: Final = frozenset(
    (*IMAGE, *CORONAGRAPHY, *INTERFEROMETRY, "nrc_tsimage", *ACQUISITION, *FOCUS, "fgs_focus")
)
RESAMPLED: Final = frozenset(("fgs_image", "mir_image", "nis_image", "nrc_image"))
MOSAICS: Final = RESAMPLED | {
    "nrc_coron",
    "nis_ami",
    "nrc_taconfirm",
    "nrc_focus",
    "nis_focus",
    "fgs_focus",
}


def needed_types(
    pipeline: str, steps: Collection[str] = (), instrument: str = "", exp_type: str = ""
) -> tuple[str, ...]:
    """Return the types that a program needs.

    Parameters
    ----------
    pipeline : str
    steps : collection of str
        Steps of `OPTIONAL_TYPES` that run.
    instrument, exp_type : str
        INSTRUME and EXP_TYPE.
    """
    if pipeline in BY_MODE:
        return BY_MODE[pipeline].get(exp_type.lower(), REFERENCE_TYPES[pipeline])
    left_out = {
        kind
        for step, kinds in OPTIONAL_TYPES.items()
        if step not in steps and has_step(pipeline, step)
        for kind in kinds
    }
    types = tuple(kind for kind in REFERENCE_TYPES[pipeline] if kind not in left_out)
    if pipeline != IMAGE2 or instrument.upper() != "NIRSPEC":
        return types
    return (*NIRSPEC_OPTICS, *(kind for kind in types if kind not in NIRSPEC_INSTEAD))


def has_step(pipeline: str, step: str) -> bool:
    """Say whether a program has a step of `OPTIONAL_TYPES`, by the types that it takes."""
    return set(OPTIONAL_TYPES[step]) <= set(REFERENCE_TYPES[pipeline])


def parameter_types(pipeline: str) -> tuple[str, ...]:
    """Return the CRDS types of the files of options for a program and its steps."""
    whole = pipeline_type(pipeline.removeprefix("calwebb-"))
    return (*map(step_type, STEPS[pipeline]), whole)


def first_program(exp_type: str) -> str:
    """Return the program that raw data of an EXP_TYPE (lower case) go through first."""
    if exp_type in GUIDE:
        return GUIDER
    return DARKS if exp_type in DARK else DETECTOR1


def stage1_refuses(header: Header, exp_type: str) -> str:
    """Return why no program of stage 1 takes an exposure, or "" if one does."""
    instrument = str(header.get("INSTRUME", "")).upper()
    if exp_type in GUIDE:
        return f"{exp_type.upper()}: guide-star data in a file that is not named so"
    if instrument not in DETECTOR1_INSTRUMENTS:
        return f"{instrument}: calwebb-detector1 is not available for it yet"
    if any(header.get(keyword) for keyword in STRIPES):
        return "subarrays of several stripes: calwebb-detector1 is not available for them yet"
    return ""


def program_refuses(program: str, exp_type: str) -> str:
    """Return why a program of stage 2 or 3 does not take such exposures, or "" if it does.

    Parameters
    ----------
    program : str
        One of `PROGRAMS`.
    exp_type : str
        Of the first science member, in lower case.
    """
    name = exp_type.upper()
    if program not in PIPELINES:
        return f"{program} makes no products yet"
    if program == IMAGE2 and exp_type not in IMAGE2_TYPES:
        return f"{name}: calwebb-image2 calibrates no such exposures"
    if program == IMAGE3 and exp_type not in MOSAICS:
        return f"{name}: calwebb-image3 makes no mosaics of them"
    if program in BY_MODE and exp_type not in BY_MODE[program]:
        return f"{name}: {program} does not take them yet"
    return ""
