"""Which pixels of an image are background: between limits from its clipped distribution.

The centre is the 3-sigma clipped median, the width the standard deviation that is left. With
`lower_half` the width comes from the values below the centre, mirrored: diffuse light only adds
to the upper half. With `fit_histogram` both come from a Gaussian fitted to a histogram of values.

The values are sorted once; clipping then moves two indices along them.
"""

import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_core.science.kernels.gaussian_fit import fit_gaussian
from calwebb_core.science.kernels.order_statistics import (
    clip_sorted,
    first_above,
    first_at_least,
    middle,
    mirrored_sigma,
    moments,
)

logger = logging.getLogger(__name__)

Mask = NDArray[np.bool_]
CLIP = 3.0
ROUNDS = 5
BINS = 2000
BIN_RANGE = 4.0


class Limits(NamedTuple):
    """The lowest and the highest float32 value that count as background."""

    low: np.float32
    high: np.float32

    @classmethod
    def of(cls, low: float, high: float) -> "Limits":
        """Return which float32 values lie from `low` to `high`."""
        first, last = np.float32(low), np.float32(high)
        if float(first) < low:
            first = np.nextafter(first, np.float32(np.inf))
        if float(last) > high:
            last = np.nextafter(last, np.float32(-np.inf))
        return cls(first, last)


def sorted_values(image: Float32, mask: Mask) -> Float32:
    """Return the values of an image within a mask, ascending; none of them may be NaN."""
    values: Float32 = image[mask]
    values.sort()
    return values


def clipped_median(values: Float32) -> float:
    """Return the 3-sigma clipped median of sorted values; NaN if there is none."""
    if not len(values):
        return float("nan")
    return float(middle(values, *clip_sorted(values, len(values), CLIP, ROUNDS)))


def background_limits(
    values: Float32,
    below: float,
    above: float,
    *,
    lower_half: bool = False,
    fit_histogram: bool = False,
) -> Limits:
    """Return between which limits the background lies.

    Parameters
    ----------
    values : float32, sorted, no NaN
    below, above : how many sigma the limits are from the centre
    lower_half : take the width from the values below the centre only
    fit_histogram : take centre and width from a Gaussian fitted to a histogram

    Returns
    -------
    Limits
        Infinite if there are no values.
    """
    n = len(values)
    if n == 0:
        return Limits.of(-np.inf, np.inf)
    start, stop = clip_sorted(values, n, CLIP, ROUNDS)
    center = middle(values, start, stop)
    shift, square = moments(values, start, stop, center)
    sigma = float(np.sqrt(max(square - shift * shift, 0.0)))
    if fit_histogram:
        center += shift  # the mean
    low = values
    if lower_half:
        low = values[: first_above(values, 0, n, center)]
        sigma = mirrored_sigma(low, len(low), center, CLIP, ROUNDS) if len(low) else 0.0
    if fit_histogram:
        center, sigma = gaussian_of(low, center, sigma, mirrored=lower_half)
    return Limits.of(center - below * sigma, center + above * sigma)


def gaussian_of(
    values: Float32, center: float, sigma: float, *, mirrored: bool
) -> tuple[float, float]:
    """Return centre and sigma of a Gaussian fitted to the histogram of sorted values.

    Parameters
    ----------
    values : float32, sorted
    center, sigma : first guess; the histogram covers 4 sigma around it
    mirrored : count every value also at its mirror image at `center`

    Returns
    -------
    tuple
        The guess, with a warning in the log, where the fit fails.
    """
    if sigma <= 0 or not len(values):
        return center, sigma
    edges = center + BIN_RANGE * sigma * np.linspace(-1, 1, BINS + 1)
    counts = np.histogram(values.astype(np.float64), edges)[0].astype(np.float64)
    if mirrored:
        counts = counts + counts[::-1]
    x = 0.5 * (edges[1:] + edges[:-1])
    peak = int(np.argmax(counts))
    found = fit_gaussian(x, counts, (float(counts[peak]), float(x[peak]), sigma))
    if np.isnan(found[0]):
        logger.warning("no Gaussian fits the histogram; the clipped values are taken")
        return center, sigma
    return float(found[1]), float(found[2])


def within(values: Float32, limits: Limits) -> Float32:
    """Return the sorted values that lie within limits, a view."""
    n = len(values)
    start = first_at_least(values, 0, n, limits.low)
    return values[start : first_above(values, 0, n, limits.high)]


def restrict(mask: Mask, image: Float32, limits: Limits) -> None:
    """Take pixels outside of limits out of a mask, in place."""
    mask &= (image >= limits.low) & (image <= limits.high)
