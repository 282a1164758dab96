"""Matched filter of an image in units of the measured noise.

The image is filtered with a Gaussian of the width of a star, weighted by the inverse variance
(for a star this is the filter of the highest signal to noise; Turin 1960, IRE Trans. Inf.
Theory 6, 311). Drizzled noise is correlated, and noise that detectors add along their rows is
in no error plane: the filtered image is therefore to be divided by its own scatter, measured box
by box from the values below the median, which sources don't reach.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads
from calwebb_core.science.kernels.order_statistics import middle, mirrored_sigma
from calwebb_level3.imaging.background import CLIP, ROUNDS, Mesh, box_of, complete, measure_mesh
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.kernels.smoothing import divide_by_root, prepare, smooth_rows

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

TRUNCATE = 4.0
# Every so many pixels and rows of the filtered image count for its scatter: it is smooth.
STRIDE = 2
# Width of the surroundings in units of the filter's.
AROUND = 2.5
LEAST_SHARE = 0.9


@dataclass(frozen=True)
class Filter:
    """The matched filter of an image that is given by bands.

    Attributes
    ----------
    pixels : Pixels
    background : Mesh
    columns : float64, (mx, nx)
        Weights of the background's boxes.
    sigma : float
        Pixels.
    unit : float
        Typical error, which keeps float32 in range for any unit of the image.
    structured : bool
        Whether the mean of a pixel's surroundings is subtracted, too.
    """

    pixels: Pixels
    background: Mesh
    columns: Float64
    sigma: float
    unit: float
    structured: bool = False

    def rows(
        self, first: int, last: int, *, only_snr: bool = False
    ) -> tuple[Float32, Float32, Float32]:
        """Return signal to noise, smoothed image and its noise of rows [first, last).

        The noise is that of independent pixels: ``sum(k d / s^2) / sqrt(sum(k^2 / s^2))`` with
        the Gaussian k is not yet divided by its scatter. With `only_snr` the other two are not
        made.
        """
        wide, narrow = gaussian(self.sigma), gaussian(self.sigma / np.sqrt(2.0))
        around = gaussian(AROUND * self.sigma) if self.structured else None
        margin = len(wide) // 2 + (0 if around is None else len(around) // 2)
        low, high = max(0, first - margin), min(self.pixels.shape[0], last + margin)
        data, err = self.pixels.rows(low, high)
        inputs = np.empty((4, *data.shape), np.float32)
        prepare(data, err, self.background.rows(low, high), self.columns, self.unit, inputs)
        if around is not None:
            subtract_surroundings(inputs, around)
        number, begin = last - first, first - low
        signal = smoothed(inputs[1], wide, begin, number)
        power = smoothed(inputs[2], narrow, begin, number)
        # The square of a Gaussian is a narrower Gaussian.
        factor = np.float32(1.0 / (4.0 * np.pi * self.sigma**2))
        square = np.float32(self.unit**2) * factor
        divide_by_root(signal, power, inputs[2, begin : begin + number], square)
        if only_snr:
            return signal, power, power
        clean = smoothed(inputs[0], wide, begin, number)
        noise = np.sqrt(smoothed(inputs[3], narrow, begin, number) * square)
        return signal, clean, noise


def subtract_surroundings(inputs: Float32, kernel: Float32) -> None:
    """Subtract the mean of what surrounds each pixel from an image with data, in place.

    Parameters
    ----------
    inputs : float32, (4, n, nx)
        As `smoothing.prepare` gives them.
    kernel : float32, (m,)
        Weights of the surroundings along each axis.
    """
    clean, signal, weight, _ = inputs
    known = weight > 0
    rows = len(clean)
    level = smoothed(clean, kernel, 0, rows)
    share = smoothed(known.astype(np.float32), kernel, 0, rows)
    level[known] /= share[known]
    clean[known] -= level[known]
    # Near the edge of the data the surroundings lie on one side.
    weight[share < LEAST_SHARE] = 0
    np.multiply(clean, weight, out=signal)


def gaussian(sigma: float) -> Float32:
    """Return a Gaussian of unit sum on whole pixels."""
    half = int(TRUNCATE * sigma + 0.5)
    values = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return np.asarray(values / values.sum(), np.float32)


def smoothed(image: Float32, kernel: Float32, first: int, number: int) -> Float32:
    """Return so many rows of an image from `first` on, convolved; 0 beyond the edges."""
    out = np.empty((number, image.shape[1]), np.float32)
    smooth_rows(image, kernel, first, out)
    return out


def matched_filter(pixels: Pixels, sigma: float, boxsize: int) -> Filter | None:
    """Return the filter of an image, or None if no pixel is usable.

    Parameters
    ----------
    pixels : Pixels
    sigma : float
        Width of the filter as a standard deviation, pixels.
    boxsize : int
        Of the background, pixels.
    """
    background, _ = measure_mesh(pixels.usable, pixels.shape, boxsize)
    unit = typical_error(pixels)
    if not unit > 0:
        return None
    return Filter(pixels, background, background.columns(), sigma, unit)


def typical_error(pixels: Pixels) -> float:
    """Return the median error of the usable pixels in every 16th row; NaN if there is none."""
    samples = []
    for row in range(pixels.shape[0] % 16 // 2, pixels.shape[0], 16):
        data, err = pixels.rows(row, row + 1)
        samples.append(err[np.isfinite(data) & np.isfinite(err) & (err > 0)])
    values = np.concatenate(samples) if samples else np.empty(0)
    if not len(values):
        data, err = pixels.rows(0, pixels.shape[0])
        values = err[np.isfinite(data) & np.isfinite(err) & (err > 0)]
    return float(np.median(values)) if len(values) else float("nan")


def scatter_of(matched: Filter, boxsize: int) -> Mesh:
    """Return the scatter of the signal to noise in boxes."""
    shape = matched.pixels.shape
    box = box_of(shape, boxsize)

    def one_row(first: int) -> Float64:
        snr, _, _ = matched.rows(first, min(first + box[0], shape[0]), only_snr=True)
        return box_scatter(snr, box)

    rows = np.array(in_threads(one_row, range(0, shape[0], box[0])))
    mesh = complete(rows)
    return Mesh(np.where(mesh > 0, mesh, 1.0), box, shape)


def box_scatter(snr: Float32, box: tuple[int, int]) -> Float64:
    """Return the scatter of the values below the median in each box of a row; NaN if empty."""
    result = np.full(-(-snr.shape[1] // box[1]), np.nan)
    for number in range(len(result)):
        part = snr[::STRIDE, number * box[1] : (number + 1) * box[1] : STRIDE]
        values = np.sort(part[part != 0])
        if len(values) < max(2, 0.1 * part.size):
            continue
        centre = float(middle(values, 0, len(values)))
        below = int(np.searchsorted(values, centre))
        scatter = mirrored_sigma(values, below, centre, CLIP, ROUNDS) if below else 0.0
        if scatter > 0:
            # Clipping at 3 sigma cuts the wings of normal deviates.
            result[number] = scatter / 0.9866
    return result
