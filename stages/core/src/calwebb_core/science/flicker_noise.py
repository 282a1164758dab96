"""Flicker (1/f) noise of the readout: found in the background of an image.

The background's level or map is subtracted and more sources are masked in what is left. Then

* `median`: the noise is the median of the background pixels of each line along the fast axis, on
  request of each output apart (Willott's image1overf);
* `fft`: a few slow waves fitted to the background pixels, see `fourier_noise`.

MIRI flickers along its columns.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_core.science.background import background_map, level_of
from calwebb_core.science.clipping import (
    CLIP,
    Limits,
    background_limits,
    restrict,
    sorted_values,
    within,
)
from calwebb_core.science.fourier_noise import FAST_BAND, Band, full_frame_noise, subarray_noise
from calwebb_core.science.kernels.stripes import line_medians

Mask = NDArray[np.bool_]
FULL_SIZE = 2048
OUTPUTS = 4


@dataclass(frozen=True)
class Readout:
    """How a detector is read: FASTAXIS and SLOWAXIS, 1 along x, 2 along y, negative against it."""

    fast: int = 1
    slow: int = 2

    def turn(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return a view of an image (y, x) as (line, pixel of the line)."""
        turned = image.T if abs(self.fast) == 2 else image
        rows = slice(None, None, -1) if self.slow < 0 else slice(None)
        columns = slice(None, None, -1) if self.fast < 0 else slice(None)
        return turned[rows, columns]


MIRI_COLUMNS = Readout(2, 1)


@dataclass(frozen=True)
class FlickerOptions:
    """What is fitted.

    Attributes
    ----------
    method : "median" or "fft"
    readout : Readout
    by_channel : treat the four outputs of a full frame apart (`median` only)
    background : "median", "model" or None for an image without background
    box : rows and columns of a box of the background map; None for up to 32
    n_sigma : clipping of sources after subtraction of the background; 0 for none
    band : frequencies to fit in subarrays (`fft` only)
    """

    method: str = "median"
    readout: Readout = Readout()
    by_channel: bool = False
    background: str | None = "median"
    box: tuple[int, int] | None = None
    n_sigma: float = 2.0
    band: Band = FAST_BAND


class Flicker(NamedTuple):
    """Noise (float32, (ny, nx)) and background (a number or the same shape) of an image."""

    noise: Float32
    background: Float32 | np.float32


def flicker_noise(
    image: Float32, mask: Mask, options: FlickerOptions, *, flat: Float32 | None = None
) -> Flicker | None:
    """Find the flicker noise of an image.

    Parameters
    ----------
    image : float32, (ny, nx), in any unit: difference of two groups, rate, ...; may hold NaN
    mask : bool, (ny, nx), which pixels are background
    options : FlickerOptions
    flat : float32, (ny, nx), to divide by before the fit, or None

    Returns
    -------
    Flicker or None
        What to subtract from the image; None where it has no background pixel. Neither `image`
        nor `mask` are changed.

    Raises
    ------
    ValueError
        If shapes or types disagree.
    """
    check(image, mask, flat)
    flattened = image if flat is None else image / flat
    finite = np.isfinite(flattened)
    usable = mask & finite
    if not usable.any():
        return None
    clean = np.where(finite, flattened, np.float32(0.0))
    background, values = subtract_background(clean, usable, options)
    if options.background is not None and options.n_sigma > 0:
        sigma = options.n_sigma
        restrict(usable, clean, background_limits(values, sigma, sigma, lower_half=True))
    noise = fit_noise(clean, usable, options)
    return Flicker(noise if flat is None else noise * flat, background)


def check(image: Float32, mask: Mask, flat: Float32 | None) -> None:
    """Check types and shapes of an image and what belongs to it.

    Raises
    ------
    ValueError
        Naming the argument, what it is and what was expected.
    """
    wanted = [("image", image, np.float32), ("mask", mask, np.bool_)]
    if flat is not None:
        wanted.append(("flat", flat, np.float32))
    for name, array, dtype in wanted:
        if array.ndim != 2 or array.shape != image.shape or array.dtype != dtype:
            msg = (
                f"{name} is {array.dtype} {array.shape}; "
                f"expected {np.dtype(dtype)} {image.shape} of two axes"
            )
            raise ValueError(msg)


def subtract_background(
    image: Float32, mask: Mask, options: FlickerOptions
) -> tuple[Float32 | np.float32, Float32]:
    """Subtract the background from an image, in place, and clip its mask.

    Returns
    -------
    background, values
        The background, and the sorted values of the pixels in the mask that are left.
    """
    if options.background is None:
        return np.float32(0.0), np.empty(0, np.float32)
    if options.background == "model":
        background = background_map(image, mask, options.box)
        image -= background
        return background, sorted_values(image, mask)
    values = sorted_values(image, mask)
    limits: Limits = background_limits(values, CLIP, CLIP, lower_half=True)
    restrict(mask, image, limits)
    values = within(values, limits)
    level = level_of(values)
    image -= level
    return level, values - level


def fit_noise(image: Float32, mask: Mask, options: FlickerOptions) -> Float32:
    """Return the noise of an image without background, from the pixels in a mask."""
    turn = options.readout.turn
    lines, valid = np.ascontiguousarray(turn(image)), np.ascontiguousarray(turn(mask))
    noise = np.empty(image.shape, np.float32)
    if options.method == "fft":
        full = lines.shape == (FULL_SIZE, FULL_SIZE)
        turn(noise)[:] = (
            full_frame_noise(lines, valid) if full else subarray_noise(lines, valid, options.band)
        )
        return noise
    parts = OUTPUTS if options.by_channel and lines.shape[1] == FULL_SIZE else 1
    levels = line_medians(lines, valid, parts)
    turn(noise)[:] = np.repeat(levels, lines.shape[1] // parts, axis=1)
    return noise
