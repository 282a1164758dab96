"""refpix for MIRI: levels of the reference pixels at both ends of the rows, by output.

For every group, after the first group of its integration is taken away, the clipped means of
the first and the last pixel of each output are averaged, odd and even rows apart, and subtracted
from the output's pixels. The first group stays. Full frames only; off unless asked for.
"""

import logging
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_detector1.arrays import check_array
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.kernels.refpix import average_of_two, clipped_mean
from calwebb_detector1.reference_levels import UNUSABLE
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)

FULL_FRAME = (1024, 1032)
OUTPUTS = 4
PARITIES = 2

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Options(Protocol):
    """The options of refpix that matter here."""

    @property
    def odd_even_rows(self) -> bool:
        """Treat odd and even rows apart."""

    @property
    def siglimit(self) -> float:
        """Clipping of reference pixels, sigma."""


def side_columns(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the reference pixels (..., ny, 2, 4): first and last of each output."""
    n = image.shape[-1]
    first, last = image[..., :OUTPUTS], image[..., n - OUTPUTS :]
    return np.stack([first, last], axis=-2)


def levels_of(sides: Float32, good: Mask, parameters: Options) -> Float64:
    """Return the level of each parity and output of one group, NaN where there is none.

    Parameters
    ----------
    sides : float32, (ny, 2, 4), DN above the first group
    good : bool, (ny, 2, 4)
    parameters : Options

    Returns
    -------
    float64, (2, 4): odd rows (the first is odd) and even rows
    """
    levels = np.empty((PARITIES, OUTPUTS))
    step = PARITIES if parameters.odd_even_rows else 1
    for parity, output in np.ndindex(step, OUTPUTS):
        means = []
        for side in range(2):
            use = good[parity::step, side, output]
            values = np.ascontiguousarray(sides[parity::step, side, output][use])
            means.append(clipped_mean(values, values.size, parameters.siglimit))
        levels[parity if step == PARITIES else slice(None), output] = average_of_two(*means)
    return levels


def subtract_levels(data: Float32, levels: Float64, first_row: int = 0) -> None:
    """Subtract levels from `data` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, rows, nx), DN
    levels : float64, (nints, ngroups, 2, 4), DN
    first_row : row of the detector at which `data` begins, from 0
    """
    check_array("data", data, np.float32, data.shape)
    for parity, output in np.ndindex(PARITIES, OUTPUTS):
        rows = slice((parity + first_row) % PARITIES, None, PARITIES)
        level = levels[:, :, parity, output, np.newaxis, np.newaxis].astype(np.float32)
        data[:, :, rows, output::OUTPUTS] -= level


def measure(exposure: Exposure, good: Mask, parameters: Options) -> Float64:
    """Return the levels (nints, ngroups, 2, 4) of an exposure, zero where there are none."""
    nints, ngroups, ny, _ = exposure.shape
    sides = np.empty((nints, ngroups, ny, 2, OUTPUTS), np.float32)

    def keep(integration: int, group: int, images: Float32) -> None:
        if group >= 0:
            for i, g in np.ndindex(*images.shape[:2]):
                sides[integration + i, group + g] = side_columns(images[i, g])

    exposure.planes(keep)
    sides -= sides[:, :1].copy()
    levels = np.zeros((nints, ngroups, PARITIES, OUTPUTS))
    for i, g in np.ndindex(nints, ngroups):
        if g > 0:
            usable = good & np.isfinite(sides[i, g])
            levels[i, g] = levels_of(sides[i, g], usable, parameters)
    missing = int(np.count_nonzero(np.isnan(levels).any(axis=(2, 3))))
    if missing:
        logger.warning(
            "%s: in %d groups an output has no good reference pixels and is not corrected",
            exposure.metadata.source,
            missing,
        )
    return np.nan_to_num(levels, nan=0.0)


def prepare(exposure: Exposure, _: References, parameters: Options) -> Correction | Status:
    """Find the levels of all groups of an exposure."""
    if exposure.image_shape != FULL_FRAME:
        return skipped("MIRI's reference pixels are used in full frames only")
    good = side_columns(exposure.pixeldq & UNUSABLE == 0).astype(np.bool_)
    used, found = int(np.count_nonzero(good)), good.size
    logger.info("%d of %d reference pixels are used", used, found)
    if used == 0:
        reason = f"all {found} reference pixels are flagged DO_NOT_USE or BAD_REF_PIXEL"
        logger.warning("%s: %s; drifts are not removed", exposure.metadata.source, reason)
        return skipped(reason)
    levels = measure(exposure, good, parameters)

    def apply(block: Block) -> int:
        columns = slice(block.window.x0, block.window.x1)
        first = columns.start % OUTPUTS
        subtract_levels(block.data, np.roll(levels, -first, axis=3), block.window.y0)
        return 0

    return Correction(apply)


def miri_step(step: Step) -> Step:
    """Return the step refpix as MIRI's exposures need it: by itself, and off unless asked for."""
    return replace(
        step,
        run=alone(prepare),
        prepare=None,
        references=(),
        references_for=None,
        skip=True,
    )
