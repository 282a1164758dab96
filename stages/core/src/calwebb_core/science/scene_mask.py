"""Which pixels of a count rate image show nothing but background.

All that have a rate, without those known to be lit, and without those more than `n_sigma` above
or 3 sigma below the background. An image of several integrations is judged one by one.
"""

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.science.clipping import CLIP, background_limits, restrict, sorted_values
from calwebb_core.science.dq import DO_NOT_USE, NON_SCIENCE, PixelDQ

Mask = NDArray[np.bool_]
# Rows of NIRSpec's fixed slits on the whole detector.
FIXED_SLITS = slice(922, 1116)


def scene_mask(
    rate: Float32, lit: Mask | None = None, *, n_sigma: float = 2.0, fit_histogram: bool = False
) -> Mask:
    """Return which pixels are background.

    Parameters
    ----------
    rate : float32, (ny, nx) or (nints, ny, nx); NaN or exactly 0 where there is none
    lit : bool, (ny, nx), known to be no background, or None
    n_sigma : limit above the background; 0 for no clipping at all
    fit_histogram : take the limits from a Gaussian fitted to a histogram

    Returns
    -------
    bool, shape of `rate`
    """
    mask: Mask = np.isfinite(rate) & (rate != 0)
    if lit is not None:
        mask &= ~lit
    if n_sigma > 0:
        images = rate.reshape(-1, *rate.shape[-2:])
        for image, own in zip(images, mask.reshape(images.shape), strict=True):
            values = sorted_values(image, own)
            limits = background_limits(values, CLIP, n_sigma, fit_histogram=fit_histogram)
            restrict(own, image, limits)
    return mask


def flagged_regions(exp_type: str, dq: UInt32, *, full_frame: bool) -> Mask:
    """Return the pixels that an exposure's flags and its mode tell to be lit or of no use.

    NIRSpec: light of shutters that failed open and, for the microshutters and the integral field
    unit, the rows of the fixed slits. MIRI imaging: the detector beside the imager's field. What
    needs a WCS (slits, slices) is left to the caller.

    Parameters
    ----------
    exp_type : EXP_TYPE
    dq : uint32, (ny, nx)
    full_frame : whether the image is the whole detector
    """
    lit = np.zeros(dq.shape, np.bool_)
    if exp_type.startswith("NRS"):
        lit |= dq & np.uint32(PixelDQ.MSA_FAILED_OPEN) != 0
        if full_frame and exp_type in ("NRS_IFU", "NRS_MSASPEC"):
            lit[FIXED_SLITS] = True
    if exp_type == "MIR_IMAGE":
        lit |= dq & np.uint32(DO_NOT_USE | NON_SCIENCE) != 0
    return lit
