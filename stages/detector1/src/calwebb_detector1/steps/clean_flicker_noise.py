"""clean_flicker_noise: subtract flicker (1/f) noise of the readout, found in the background.

A draft of the count rate tells which pixels show nothing but background. From the difference of
each two successive groups the background (its level, or a map) is subtracted; what is left there
of the background pixels shows the noise:

* `median`: the median of each line along the fast axis, on request of each output apart (Willott's
  image1overf);
* `fft`: a few slow waves fitted to them (NSClean, Rauscher 2024 PASP 136 015001).

Group g then loses the sum of the noise of the differences up to g. With `median_image` the median
over the integrations of each group, scaled to each, is subtracted instead of the background, and
the groups themselves are cleaned. MIRI flickers along its columns.

Pixels of groups with DO_NOT_USE or JUMP_DET are not used. Sets no flags. Off by default. Does not
run for MIRI other than imaging, nor where a mask does not fit.
"""

import logging
from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Ramp, UInt8
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.flicker_noise import FlickerOptions
from calwebb_core.science.scene_mask import Mask
from calwebb_detector1.arrays import check_ramps
from calwebb_detector1.flicker import (
    Medians,
    clean_groups,
    clean_ramps,
    products_of,
    scaled_medians,
)
from calwebb_detector1.flicker_draft import Draft

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CleanFlickerNoiseParameters:
    """Options of the step clean_flicker_noise."""

    autoparam: bool = option(
        False, "choose flat, background and outputs by the image (NIRCam and NIRISS images)"
    )
    fit_method: str = option("median", "how noise is found", choices=("median", "fft"))
    fit_by_channel: bool = option(False, "treat the outputs of a full frame apart (median)")
    background_method: str | None = option(
        "median", "what is subtracted before the fit", choices=("median", "model", "median_image")
    )
    background_box_size: tuple[int, int] | None = option(
        None, "rows and columns of a box of the model; none: up to 32", minimum=1, unit="pixel"
    )
    mask_science_regions: bool = option(False, "leave out regions that a mode is known to light")
    apply_flat_field: bool = option(False, "divide by the flat before the fit")
    n_sigma: float = option(2.0, "sources are above it; 0: none", minimum=0, unit="sigma")
    fit_histogram: bool = option(False, "take the background's width from a fitted histogram")
    single_mask: bool = option(True, "one mask for all integrations")
    user_mask: str | None = option(None, "image of the pixels to use: 0 no, 1 yes", file=True)
    save_mask: bool = option(False, "write the mask (_mask)")
    save_background: bool = option(False, "write the background (_flicker_bkg)")
    save_noise: bool = option(False, "write what is subtracted (_flicker_noise)")


def references_for(parameters: CleanFlickerNoiseParameters) -> tuple[str, ...]:
    """Return the reference types that the options ask for."""
    kinds = []
    if parameters.user_mask is None or parameters.background_method == "median_image":
        kinds += ["gain", "readnoise"]
    if parameters.apply_flat_field or parameters.mask_science_regions or parameters.autoparam:
        kinds.append("flat")
    if parameters.mask_science_regions or parameters.background_method == "median_image":
        kinds.append("pastasoss")
    return tuple(kinds)


def clean_flicker(
    data: Float32,
    groupdq: UInt8,
    mask: Mask,
    *,
    options: FlickerOptions,
    flat: Float32 | None = None,
    medians: Medians | None = None,
    background: Float32 | None = None,
) -> int:
    """Subtract flicker noise from ramps, in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN; changed
    groupdq : uint8, shape of `data`
    mask : bool, (ny, nx) or (nints, ny, nx), which pixels are background
    options : FlickerOptions
    flat : float32, (ny, nx), to divide by before the fit, or None
    medians : what groups look like without noise, or None; if given, groups are cleaned instead
        of differences
    background : float32, shape of `data`, filled with what was subtracted before the fit, or None

    Returns
    -------
    int
        How many images had no background pixel and are left as they are.

    Raises
    ------
    ValueError
        If shapes or types disagree.
    """
    check_ramps(data, groupdq)
    nints, _, ny, nx = data.shape
    if mask.shape not in ((ny, nx), (nints, ny, nx)) or mask.dtype != np.bool_:
        msg = f"mask is {mask.dtype} {mask.shape}; expected bool {(ny, nx)} or {(nints, ny, nx)}"
        raise ValueError(msg)
    if medians is not None:
        return clean_groups(data, groupdq, medians, mask, options, flat, background)
    return clean_ramps(data, groupdq, mask, options, flat, background)


def not_needed(metadata: Metadata) -> str | None:
    """Say that MIRI's spectrographs have no such noise to find."""
    exp_type = str(metadata.get("EXP_TYPE", ""))
    if exp_type.startswith("MIR") and exp_type != "MIR_IMAGE":
        return f"EXP_TYPE is {exp_type}: for MIRI only imaging is cleaned"
    return None


def run(
    ramp: Ramp, references: References, parameters: CleanFlickerNoiseParameters
) -> tuple[Ramp, Status]:
    """Clean the groups of an exposure in place."""
    nints, ngroups = ramp.data.shape[:2]
    of_medians = parameters.background_method == "median_image"
    if of_medians and nints < 2:
        return ramp, skipped("background_method median_image needs several integrations")
    if not of_medians and ngroups < 2:
        return ramp, skipped("one group has no difference to clean")
    draft = Draft(ramp, references, parameters)
    options, mask = draft.options(), draft.mask()
    if not mask.any():
        return ramp, skipped("no pixel shows nothing but background")
    logger.info("%.1f %% of the pixels are background", 100 * mask.mean())
    before = ramp.data.copy() if parameters.save_noise else None
    background = np.zeros_like(ramp.data) if parameters.save_background else None
    medians = None
    if of_medians:
        medians = scaled_medians(ramp.data, draft.rates.rateints.data, draft.lit())
    left = clean_flicker(
        ramp.data,
        ramp.groupdq,
        mask,
        options=options,
        flat=draft.flat,
        medians=medians,
        background=background,
    )
    if left:
        logger.warning("%s: %d images without background are not cleaned",
                       ramp.metadata.source, left)  # fmt: skip
    ramp.extras += products_of(ramp, mask if parameters.save_mask else None, background, before)
    return ramp, COMPLETE


STEP = Step(
    name="clean_flicker_noise",
    keyword="S_CLNFNS",
    meaning="Subtract flicker (1/f) noise of the readout, found in the background.",
    parameters=CleanFlickerNoiseParameters,
    run=run,
    references=("gain", "readnoise", "flat", "pastasoss"),
    not_needed=not_needed,
    skip=True,
    references_for=references_for,
)
