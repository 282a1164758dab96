"""Which exposure types stage 2 imaging can calibrate, and which of them get an `_i2d`."""

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata

# Science exposures: without a flux calibration their product would be worth nothing.
SCIENCE = ("NRC_IMAGE", "NRC_TSIMAGE", "NRC_CORON")
# Acquisitions and the like, for which no flux calibration may exist.
ENGINEERING = ("NRC_FOCUS", "NRC_TACONFIRM", "NRC_TACQ")
RESAMPLED = ("MIR_IMAGE", "NRC_IMAGE", "NIS_IMAGE", "FGS_IMAGE")


def exposure_type(metadata: Metadata) -> str:
    """Return EXP_TYPE.

    Raises
    ------
    InputError
        If it is missing or not one that can be calibrated.
    """
    found = metadata.require("EXP_TYPE", str)
    if found not in SCIENCE + ENGINEERING:
        msg = (
            f"{metadata.source}: EXP_TYPE {found} is not available yet in calwebb-image2; "
            f"it handles {', '.join(SCIENCE + ENGINEERING)}"
        )
        raise InputError(msg)
    return found
