"""What the stage programs need and take, as light tables: planning imports no stage.

A test of the whole repository compares them with what the programs themselves declare.
"""

from collections.abc import Collection
from typing import Final

from calwebb_associate.exposure_types import DARK, GUIDE
from calwebb_associate.headers import STRIPES, Header
from calwebb_associate.rules import Facts

DETECTOR1: Final = "calwebb-detector1"
IMAGE2: Final = "calwebb-image2"
IMAGE3: Final = "calwebb-image3"
PIPELINES: Final = (DETECTOR1, IMAGE2, IMAGE3)

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
    IMAGE2: ("distortion", "filteroffset", "flat", "photom", "area"),
    IMAGE3: ("apcorr", "abvegaoffset"),
}
# Types that only a step uses which is off unless asked for: asked for when it is on.
OPTIONAL_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "emicorr": ("emicorr",),
    "persistence": ("persat", "trapdensity", "trappars"),
    "clean_flicker_noise": ("flat", "pastasoss"),
}
DETECTOR1_INSTRUMENTS: Final = ("NIRCAM", "NIRISS", "NIRSPEC", "FGS", "MIRI")
IMAGING: Final = ("nrc_image",)


def needed_types(pipeline: str, steps: Collection[str] = ()) -> tuple[str, ...]:
    """Return the types that a program needs when some of the steps with types of their own run."""
    left_out = {
        kind
        for step, kinds in OPTIONAL_TYPES.items()
        if step not in steps and has_step(pipeline, step)
        for kind in kinds
    }
    return tuple(kind for kind in REFERENCE_TYPES[pipeline] if kind not in left_out)


def has_step(pipeline: str, step: str) -> bool:
    """Say whether a program has a step of `OPTIONAL_TYPES`, by the types that it takes."""
    return set(OPTIONAL_TYPES[step]) <= set(REFERENCE_TYPES[pipeline])


def detector1_refuses(header: Header, exposure: Facts) -> str:
    """Return why calwebb-detector1 does not take an exposure, or "" if it does."""
    instrument = str(header.get("INSTRUME", "")).upper()
    if exposure.exp_type in GUIDE:
        return "guide-star data: calwebb-guider is not available yet"
    if exposure.exp_type in DARK:
        return "darks: calwebb-dark is not available yet"
    if instrument not in DETECTOR1_INSTRUMENTS:
        return f"{instrument}: calwebb-detector1 is not available for it yet"
    for applies, what in (
        (exposure.time_series or header.get("TSOVISIT") is True, "time series"),
        (any(header.get(keyword) for keyword in STRIPES), "subarrays of several stripes"),
    ):
        if applies:
            return f"{what}: calwebb-detector1 is not available for them yet"
    return ""


def imaging_refuses(exposure: Facts, exptypes: frozenset[str]) -> str:
    """Return why image2 and image3 do not take an exposure or a group of such exposures.

    Parameters
    ----------
    exposure : Facts
        Of the first science member.
    exptypes : frozenset of str
        The parts that the association's members play.
    """
    if "background" in exptypes:
        return "background subtraction is not available yet"
    if exposure.exp_type not in IMAGING or exposure.time_series:
        return f"{exposure.exp_type.upper()}: images other than NRC_IMAGE are not available yet"
    return ""
