"""Box extraction: sums across the dispersion above a background, for every integration.

``F(l) = sum_i w_i (d_i - b_i)`` over the pixels of the aperture, where w is the part of a pixel
that lies inside and b a polynomial (or median) fitted to the background regions of the same
column. Variances follow from the same weights, those of the background included.

A lost pixel (NaN, or DO_NOT_USE) would take its part of the light away. Its part is estimated
from the pixels that are left and a spatial profile: that of the same column in other integrations
of a time series, otherwise that of the columns beside it. The error grows by what the estimate is
uncertain. Source of the idea: Horne (1986, PASP 98, 609), who weights by the same profile.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads, shares
from calwebb_core.science.kernels.box_extraction import extract_cube
from calwebb_core.science.kernels.column_background import BKG, NCOLUMNS, NPIXELS
from calwebb_core.science.spectral.aperture import Weights

Float64 = NDArray[np.float64]

VERTICAL: Final = 2
REACH: Final = 8  # columns on each side whose profile is taken
LEAST: Final = 5  # integrations that a profile along time needs
MOST: Final = 25  # integrations that it is taken from
NONE: Final = np.zeros((0, 0, 0), np.float32)
FITS: Final = ("poly", "mean", "median")


@dataclass(frozen=True)
class Background:
    """How the background of a column is found.

    Attributes
    ----------
    fit : str
        "poly", "mean" or "median" of the pixels in the background regions.
    order : int
        Of the polynomial.
    smoothing : int
        Pixels along the dispersion that are averaged first; odd, 1 or less for none.
    """

    fit: str = "poly"
    order: int = 0
    smoothing: int = 0

    def __post_init__(self) -> None:
        if self.fit not in FITS or self.order < 0:
            msg = f"fit is {self.fit!r}, order {self.order}; expected one of {FITS} and at least 0"
            raise ValueError(msg)
        if self.smoothing > 1 and self.smoothing % 2 == 0:
            msg = f"smoothing is {self.smoothing}; expected an odd number of pixels"
            raise ValueError(msg)

    @property
    def degree(self) -> int:
        """The order of the polynomial, -1 for a median."""
        if self.fit == "median":
            return -1
        return self.order if self.fit == "poly" else 0


@dataclass(frozen=True)
class Pixels:
    """Integrations of a spectrum: float32 (nints, ny, nx), dq uint32, C-contiguous.

    Attributes
    ----------
    data, dq
    poisson, rnoise, flat : variances; empty where there is none
    axis : 1 or 2
        Along which the light is dispersed (DISPAXIS).
    """

    data: NDArray[np.float32]
    dq: NDArray[np.uint32]
    poisson: NDArray[np.float32]
    rnoise: NDArray[np.float32]
    flat: NDArray[np.float32]
    axis: int

    @classmethod
    def of(cls, image: Any, axis: int) -> "Pixels":
        """Return the integrations of an Image or a Slit, one for an array of two dimensions.

        An exposure without variances has the square of its error as one.
        """
        variances = [image.var_poisson, image.var_rnoise, image.var_flat]
        if variances[0] is None and variances[1] is None:
            variances[1] = np.square(image.err)
            variances[2] = None
        dq = np.zeros(image.data.shape, np.uint32) if image.dq is None else image.dq
        poisson, rnoise, flat = (
            NONE if plane is None else cube(plane, np.float32) for plane in variances
        )
        data, flags = cube(image.data, np.float32), cube(dq, np.uint32)
        return cls(data, flags, poisson, rnoise, flat, axis)

    def some(self, chosen: NDArray[np.intp]) -> "Pixels":
        """Return some of the integrations."""
        rest = (self.poisson, self.rnoise, self.flat)
        poisson, rnoise, flat = (plane[chosen] if plane.size else plane for plane in rest)
        return Pixels(self.data[chosen], self.dq[chosen], poisson, rnoise, flat, self.axis)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Integrations, elements along the dispersion, pixels across."""
        nints, ny, nx = self.data.shape
        return (nints, ny, nx) if self.axis == VERTICAL else (nints, nx, ny)


def cube(array: Any, dtype: Any) -> NDArray[Any]:
    """Return an array with three axes, contiguous, without a copy where it fits."""
    whole = np.ascontiguousarray(array, dtype)
    return whole if whole.ndim == 3 else whole[None]


def oriented(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return an array with the dispersion along the axis before the last."""
    return array if axis == VERTICAL else np.swapaxes(array, -1, -2)


def extract_box(
    pixels: Pixels,
    weights: Weights,
    background: Background,
    *,
    fill: bool = True,
) -> Float64:
    """Extract the spectrum of every integration.

    Parameters
    ----------
    pixels : Pixels
    weights : Weights
        Aperture and background regions on the same pixels.
    background : Background
        Counts where `weights` has background pixels.
    fill : bool
        Whether the light of lost pixels is estimated; they are left out of the sum otherwise.

    Returns
    -------
    float64 (nints, nalong, NCOLUMNS)
        Sums in the unit of the data and their variances, see `kernels.column_background`. 0 where
        nothing is extracted, NaN where nothing is known.

    Raises
    ------
    ValueError
        If shapes disagree.
    """
    nalong, nacross = pixels.shape[1:]
    if weights.source.shape != (nalong, nacross):
        msg = f"weights have shape {weights.source.shape}; expected {(nalong, nacross)}"
        raise ValueError(msg)
    if fill:
        profile, spread = spatial_profile(pixels, weights, background)
    else:
        profile = spread = np.full((nalong, nacross), np.nan)
    return sums_of(pixels, weights, background, profile, spread, fill=fill)


def sums_of(
    pixels: Pixels,
    weights: Weights,
    background: Background,
    profile: Float64,
    spread: Float64,
    *,
    fill: bool,
) -> Float64:
    """Return what the kernel makes of all integrations."""
    nints, nalong, _ = pixels.shape
    out = np.zeros((nints, nalong, NCOLUMNS))
    inside = weights.whole if background.degree < 0 else weights.background
    source, inside = np.ascontiguousarray(weights.source), np.ascontiguousarray(inside)

    def extract(some: slice) -> None:
        planes = (pixels.data, pixels.dq, pixels.poisson, pixels.rnoise, pixels.flat)
        data, dq, poisson, rnoise, flat = (plane[some] if plane.size else plane for plane in planes)
        extract_cube(
            data, dq, poisson, rnoise, flat, pixels.axis == VERTICAL, weights.extracted, source,
            inside, profile, spread, background.degree, background.smoothing, fill, out[some],
        )  # fmt: skip

    in_threads(extract, shares(nints))
    return out


def spatial_profile(
    pixels: Pixels, weights: Weights, background: Background
) -> tuple[Float64, Float64]:
    """Return the light of the source across the dispersion and its scatter.

    Returns
    -------
    profile, spread : float64 (nalong, nacross)
        In the unit of the data, above the background; NaN where it is unknown, or nobody asks.
    """
    from calwebb_core.science.kernels.spatial_profile import median_frame, profiles

    nints, nalong, nacross = pixels.shape
    profile, spread = np.full((nalong, nacross), np.nan), np.full((nalong, nacross), np.nan)
    chosen = np.unique(np.linspace(0, nints - 1, min(nints, MOST)).round().astype(np.intp))
    some = pixels.some(chosen) if len(chosen) < nints else pixels
    samples = usable(some)
    aperture = weights.source > 0.0
    wanted = weights.extracted
    if nints == 1:
        wanted &= np.any(aperture & np.isnan(samples[0]), axis=1)
    if not wanted.any():
        return profile, spread
    if weights.background.any():
        sums = sums_of(some, weights, background, profile, spread, fill=False)
        samples -= np.divide(
            sums[..., BKG], sums[..., NPIXELS], out=np.zeros(sums.shape[:2]),
            where=sums[..., NPIXELS] > 0.0,
        )[..., None]  # fmt: skip
    frame = np.empty((nalong, nacross))
    bands = shares(nalong)
    in_threads(lambda some: median_frame(samples, some.start, some.stop, frame), bands)

    def fill(some: slice) -> None:
        profiles(
            samples, frame, aperture, wanted, REACH, LEAST, some.start, some.stop, profile, spread
        )

    in_threads(fill, bands)
    return profile, spread


def usable(pixels: Pixels) -> Float64:
    """Return the values of the pixels, (nints, nalong, nacross), NaN where they are lost."""
    values = np.where(pixels.dq & np.uint32(1), np.nan, pixels.data.astype(np.float64))
    for plane in (pixels.poisson, pixels.rnoise, pixels.flat):
        if plane.size:
            values[~np.isfinite(plane)] = np.nan
    values[~np.isfinite(values)] = np.nan
    return np.ascontiguousarray(oriented(values, pixels.axis))
