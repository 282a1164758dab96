"""Options for the flicker noise of an image, from how the image looks once cleaned.

The image is cleaned with the defaults and its sources replaced by a map of the background. Three
things decide: the share of masked pixels, the slopes of the background in the middle of the
image, and steps or waves between the outputs. The thresholds are those of jwst 3.0.0, found with
in-flight NIRISS and NIRCam images.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_core.science.background import background_level, background_map
from calwebb_core.science.clipping import CLIP, background_limits, restrict, sorted_values
from calwebb_core.science.flicker_noise import (
    FULL_SIZE,
    OUTPUTS,
    FlickerOptions,
    Readout,
    flicker_noise,
)
from calwebb_core.science.kernels.order_statistics import clip_sorted, moments
from calwebb_core.science.scene_mask import Mask

Float64 = NDArray[np.float64]
UPPER_LIMIT = 2.0
RESIDUAL_LIMIT = 10.0
MIDDLE = (3 / 8, 5 / 8)
TOP = (10 / 12, 11 / 12)


@dataclass(frozen=True)
class Thresholds:
    """From which values on an image is no longer simple.

    Attributes
    ----------
    masked : share of pixels that are no background
    offset : step between neighbouring outputs, in the image's unit
    slope, slope_with_offset : of the background, unit/pixel, without and with such steps
    ratio : of the larger to the smaller slope: a gradient of one direction is no background
    waves : deviation from a straight line across the outputs, in the image's unit
    """

    masked: float
    ratio: float
    slope_with_offset: float
    offset: float = 0.07
    slope: float = 1e-5
    waves: float = 0.02


THRESHOLDS = {
    "NIRISS": Thresholds(masked=0.07, ratio=5.0, slope_with_offset=1e-4),
    "NIRCAM": Thresholds(masked=0.1, ratio=3.0, slope_with_offset=1e-5),
}


class Look(NamedTuple):
    """What is measured on a cleaned image, see `Thresholds`."""

    masked: float
    offset: float
    slope: float
    ratio: float
    waves: float


def choose_options(
    rate: Float32, instrument: str, readout: Readout, flat: Float32 | None = None
) -> tuple[str, bool]:
    """Return background ("median" or "model") and whether to treat outputs apart.

    Parameters
    ----------
    rate : float32, (ny, nx), DN/s
    instrument : "NIRCAM" or "NIRISS"
    readout : Readout
    flat : float32, (ny, nx), without zeros and NaN, or None
    """
    return decide(look_at(rate, instrument, readout, flat), THRESHOLDS[instrument])


def decide(look: Look, limit: Thresholds) -> tuple[str, bool]:
    """Return background ("median" or "model") and whether to treat outputs apart."""
    crowded, stepped = look.masked >= limit.masked, look.offset >= limit.offset
    if stepped and not crowded:
        return "median", True
    steep = look.slope >= (limit.slope_with_offset if stepped else limit.slope)
    if crowded:
        return ("model" if steep else "median"), False
    very_steep = look.slope >= limit.slope_with_offset
    model = very_steep or (steep and look.ratio < limit.ratio)
    by_output = look.offset > 0 and look.waves >= limit.waves
    return ("model" if model else "median"), by_output


def look_at(rate: Float32, instrument: str, readout: Readout, flat: Float32 | None) -> Look:
    """Measure what decides on an image."""
    image, mask = quick_clean(rate if flat is None else rate / flat, readout)
    background = background_map(np.nan_to_num(image), mask)
    smooth = np.where(mask, image, background).astype(np.float64)
    along_x, along_y = band_mean(smooth, MIDDLE), band_mean(smooth.T, MIDDLE)
    x_slope, x_waves = line_of(along_x)
    y_slope, _ = line_of(along_y)
    steep, flat_slope = max(abs(x_slope), abs(y_slope)), min(abs(x_slope), abs(y_slope))
    across = along_x
    if instrument == "NIRISS":
        # its outputs lie above one another, and the topmost one differs most from the others
        across, x_waves = along_y, line_of(band_mean(smooth, TOP))[1]
    return Look(
        masked=1 - np.count_nonzero(mask) / mask.size,
        offset=largest_step(across),
        slope=steep,
        ratio=steep / flat_slope if flat_slope > 0 else float("inf"),
        waves=x_waves,
    )


def quick_clean(rate: Float32, readout: Readout) -> tuple[Float32, Mask]:
    """Return an image cleaned by medians of its lines, and which pixels are background."""
    mask: Mask = np.isfinite(rate)
    limits = background_limits(sorted_values(rate, mask), CLIP, UPPER_LIMIT)
    restrict(mask, rate, limits)
    # The same clipping as that of the fit, which keeps its mask to itself.
    level = background_level(rate, mask)
    values = sorted_values(rate, mask) - level
    restrict(mask, rate - level, background_limits(values, CLIP, UPPER_LIMIT, lower_half=True))
    found = flicker_noise(rate, mask, FlickerOptions(readout=readout, background=None))
    return (rate if found is None else rate - found.noise), mask


def band_mean(image: Float64, part: tuple[float, float]) -> Float64:
    """Return the mean over some rows, NaN left out."""
    rows = image[round(part[0] * len(image)) : round(part[1] * len(image))]
    number = np.count_nonzero(np.isfinite(rows), axis=0)
    total = np.sum(np.where(np.isfinite(rows), rows, 0.0), axis=0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def line_of(values: Float64) -> tuple[float, float]:
    """Return the slope of a line through values, and the clipped deviation from it."""
    x = np.flatnonzero(np.isfinite(values)).astype(np.float64)
    y = values[np.isfinite(values)]
    if len(x) < 2:
        return 0.0, 0.0
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(np.sum(dx * dy) / np.sum(dx * dx))
    return slope, clipped(dy - slope * dx, RESIDUAL_LIMIT)[1]


def clipped(values: Float64, limit: float) -> tuple[float, float]:
    """Return clipped mean and deviation of values."""
    ordered = np.sort(values.astype(np.float32))
    start, stop = clip_sorted(ordered, len(ordered), limit, 5)
    shift, square = moments(ordered, start, stop, 0.0)
    return shift, float(np.sqrt(max(square - shift * shift, 0.0)))


def largest_step(values: Float64) -> float:
    """Return the largest difference between the means of neighbouring outputs, 0 if not full."""
    if len(values) != FULL_SIZE:
        return 0.0
    parts = values.reshape(OUTPUTS, -1)
    means = [clipped(part[np.isfinite(part)], CLIP)[0] for part in parts if np.isfinite(part).any()]
    return float(np.max(np.abs(np.diff(means)), initial=0.0))
