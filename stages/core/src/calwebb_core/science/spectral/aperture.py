"""Where a spectrum is extracted: weights of pixels across the dispersion, and background regions.

Limits are edges in pixels, counted from the first pixel's centre as 0: from 4.5 to 9.5 are the
five pixels 5 to 9, and a pixel that an edge cuts has the part of its width that lies inside as
its weight. A pixel of which any part lies in a background region counts there in full; for a median
only pixels that lie there whole do.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Coefficients = tuple[tuple[float, ...], ...]

HALF: Final = 0.5
WHOLE: Final = 1.0 - 1e-9
PIXEL: Final = "pixel"
WAVELENGTH: Final = "wavelength"


@dataclass(frozen=True)
class Aperture:
    """Where to extract, as an EXTRACT1D reference or the user says it.

    Attributes
    ----------
    along : (first, last)
        Pixels along the dispersion, inclusive, or None for all.
    across : (lower, upper)
        Pixels across the dispersion, inclusive; None for the edge of the array.
    width : float or None
        Number of pixels across; `across` then gives only the centre.
    source, background : lists of polynomial coefficients, constant term first
        Lower and upper edge of each region in turn; `source` takes precedence of the others.
    variable : str
        What the polynomials are functions of: "pixel" along the dispersion, or "wavelength".
    """

    along: tuple[float, float] | None = None
    across: tuple[float | None, float | None] = (None, None)
    width: float | None = None
    source: Coefficients = ()
    background: Coefficients = ()
    variable: str = PIXEL

    def shifted(self, offset: float) -> "Aperture":
        """Return it moved across the dispersion by some pixels."""
        lower, upper = self.across
        return replace(
            self,
            across=(
                None if lower is None else lower + offset,
                None if upper is None else upper + offset,
            ),
            source=moved(self.source, offset),
            background=moved(self.background, offset),
        )


@dataclass(frozen=True)
class Weights:
    """An aperture on the pixels of an array; axes are (along, across the dispersion).

    Attributes
    ----------
    source : float64 (nalong, nacross)
        Part of each pixel that belongs to the aperture.
    background, whole : bool (nalong, nacross)
        Pixels that lie in a background region with a part, or whole.
    wavelength : float64 (nalong,)
        Weighted mean in the aperture, micrometres; NaN where nothing is extracted.
    limits : (lower, upper)
        Mean first and last pixel across the dispersion, inclusive.
    """

    source: Float64
    background: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    wavelength: Float64
    limits: tuple[float, float]

    @property
    def extracted(self) -> NDArray[np.bool_]:
        """Elements along the dispersion that have a wavelength and pixels in the aperture."""
        found: NDArray[np.bool_] = np.isfinite(self.wavelength) & np.any(self.source > 0.0, axis=1)
        return found


def moved(coefficients: Coefficients, offset: float) -> Coefficients:
    """Return polynomials with another constant term."""
    return tuple((first + offset, *rest) for first, *rest in coefficients)


def weights_of(aperture: Aperture, wavelengths: Float64, trace: Float64 | None = None) -> Weights:
    """Return the weight of every pixel.

    Parameters
    ----------
    aperture : Aperture
    wavelengths : float64 (nalong, nacross)
        Micrometres; pixels without one (NaN) belong to nothing.
    trace : float64 (nalong,), optional
        Pixel across the dispersion where the source is; the centre of an aperture that is given
        by its width follows it.

    Raises
    ------
    ValueError
        If `trace` has another length.
    """
    nalong, nacross = wavelengths.shape
    if trace is not None and trace.shape != (nalong,):
        msg = f"trace has shape {trace.shape}; expected ({nalong},)"
        raise ValueError(msg)
    edges = source_edges(aperture, wavelengths, trace)
    valid = np.isfinite(wavelengths)
    if aperture.along is not None:
        first, last = aperture.along
        position = np.arange(nalong)
        valid &= ((position >= first - HALF) & (position <= last + HALF))[:, None]
    source = np.zeros((nalong, nacross))
    for lower, upper in edges:
        part = overlap(lower, upper, nacross)
        source = np.where(part > 0.0, part, source)
    source *= valid
    inside = np.zeros((nalong, nacross))
    for lower, upper in edges_of(aperture.background, aperture.variable, wavelengths):
        inside = np.maximum(inside, overlap(lower, upper, nacross))
    inside *= valid
    wavelength = mean_wavelength(source, wavelengths)
    return Weights(source, inside > 0.0, inside > WHOLE, wavelength, limits_of(edges))


def source_edges(
    aperture: Aperture, wavelengths: Float64, trace: Float64 | None
) -> list[tuple[Float64, Float64]]:
    """Return lower and upper edges of the regions of the source, (nalong, 1 or nacross) each.

    What counts first: polynomials; the trace with a width; the centre of the limits with a width;
    the limits; the edges of the array.
    """
    nalong, nacross = wavelengths.shape
    if aperture.source:
        return edges_of(aperture.source, aperture.variable, wavelengths)
    low, high = aperture.across
    low = 0.0 if low is None else low
    high = nacross - 1.0 if high is None else high
    if aperture.width is None:
        return [(np.full((nalong, 1), low - HALF), np.full((nalong, 1), high + HALF))]
    centre = np.full(nalong, HALF * (low + high)) if trace is None else trace
    half = HALF * aperture.width
    return [((centre - half)[:, None], (centre + half)[:, None])]


def edges_of(
    coefficients: Coefficients, variable: str, wavelengths: Float64
) -> list[tuple[Float64, Float64]]:
    """Return the edges that polynomials describe, (nalong, 1), or of wavelength (nalong, nacross).

    A wavelength counts at the pixel that has it.
    """
    if not coefficients:
        return []
    argument = np.arange(len(wavelengths), dtype=np.float64)[:, None]
    if variable == WAVELENGTH:
        argument = wavelengths
    values = [np.polynomial.polynomial.polyval(argument, np.array(c)) for c in coefficients]
    return list(zip(values[::2], values[1::2], strict=True))


def overlap(lower: Float64, upper: Float64, nacross: int) -> Float64:
    """Return the part of each pixel between two edges; NaN edges contain nothing."""
    pixel = np.arange(nacross)
    low = np.maximum(lower, pixel - HALF)
    high = np.minimum(upper, pixel + HALF)
    part: Float64 = np.nan_to_num(np.clip(high - low, 0.0, 1.0), nan=0.0)
    return part


def mean_wavelength(source: Float64, wavelengths: Float64) -> Float64:
    """Return the weighted mean wavelength in the aperture, NaN where it is empty."""
    total = np.sum(source, axis=1)
    value = np.sum(source * np.nan_to_num(wavelengths, nan=0.0), axis=1)
    mean: Float64 = np.full(len(source), np.nan)
    np.divide(value, total, out=mean, where=total > 0.0)
    return mean


def limits_of(edges: list[tuple[Float64, Float64]]) -> tuple[float, float]:
    """Return the mean first and last pixel of the outermost edges."""
    lower = min(float(np.nanmean(low)) for low, _ in edges)
    upper = max(float(np.nanmean(high)) for _, high in edges)
    return lower + HALF, upper - HALF


def centre_of(weights: Weights, element: int | None = None) -> float:
    """Return the weighted centre of the aperture across the dispersion, pixels.

    Parameters
    ----------
    weights : Weights
    element : int, optional
        Element along the dispersion where it counts; all by default.
    """
    source = weights.source if element is None else weights.source[element : element + 1]
    total = float(source.sum())
    if total <= 0.0:
        return float("nan")
    return float((source * np.arange(source.shape[1])).sum()) / total
