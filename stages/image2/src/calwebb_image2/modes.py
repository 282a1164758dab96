"""Which exposure types stage 2 imaging can calibrate, and which of them get an `_i2d`."""

from typing import Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata

# Science exposures: without a flux calibration their product would be worth nothing.
SCIENCE: Final = (
    "NRC_IMAGE", "NRC_TSIMAGE", "NRC_CORON", "NIS_IMAGE", "NIS_AMI", "MIR_IMAGE", "MIR_LYOT",
    "MIR_4QPM", "FGS_IMAGE",
)  # fmt: skip
# Acquisitions and the like, for which no flux calibration may exist.
ENGINEERING: Final = (
    "NRC_FOCUS", "NRC_TACONFIRM", "NRC_TACQ", "NIS_FOCUS", "NIS_TACONFIRM", "NIS_TACQ",
    "MIR_CORONCAL", "MIR_TACONFIRM", "MIR_TACQ", "FGS_FOCUS", "NRS_BOTA", "NRS_CONFIRM",
    "NRS_FOCUS", "NRS_IMAGE", "NRS_MIMF", "NRS_MSATA", "NRS_TACONFIRM", "NRS_TACQ", "NRS_TASLIT",
    "NRS_VERIFY", "NRS_WATA",
)  # fmt: skip
RESAMPLED: Final = ("MIR_IMAGE", "NRC_IMAGE", "NIS_IMAGE", "FGS_IMAGE")
# Words in an exposure type that say why it is not one of these, and what takes it instead.
OTHERS: Final = (
    (("DARK",), "a dark has no position on the sky; calwebb-dark takes it"),
    (("FLAT", "LED", "LAMP", "EXTCAL", "AUTOWAVE"), "a lamp exposure shows no sky"),
    (
        ("FGS_ID", "FGS_ACQ", "FGS_TRACK", "FGS_FINE"),
        "guide-star data have a pipeline of their own, calwebb-guider",
    ),
    (
        ("GRISM", "WFSS", "SOSS", "LRS", "MRS", "SPEC", "SLIT", "IFU", "BRIGHTOBJ"),
        "spectra are not for calwebb-image2",
    ),
)  # fmt: skip
WAVEFRONT_SENSING: Final = "WFSC"


def exposure_type(metadata: Metadata) -> str:
    """Return EXP_TYPE.

    Raises
    ------
    InputError
        If it is missing or not one that can be calibrated; the message says why.
    """
    found = metadata.require("EXP_TYPE", str)
    if found in SCIENCE + ENGINEERING:
        return found
    reasons = (why for words, why in OTHERS if any(word in found for word in words))
    reason = next(reasons, f"it handles {', '.join(SCIENCE + ENGINEERING)}")
    msg = (
        f"{metadata.source}: EXP_TYPE {found} is no image that calwebb-image2 calibrates: {reason}"
    )
    raise InputError(msg)


def senses_wavefront(metadata: Metadata) -> bool:
    """Say whether an exposure was taken to measure the telescope's wavefront."""
    return WAVEFRONT_SENSING in str(metadata.get("VISITYPE", ""))
