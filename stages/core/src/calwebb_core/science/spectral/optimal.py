"""Optimal extraction: a star's profile is fitted to every element of its spectrum.

``d_i = F P_i + N Q_i + b(i)``: the source's flux F times its profile P from a PSF reference, that
of the negative nod N Q where the other nod was subtracted, and a polynomial b of the background if
it is wanted. The place of the profiles is found by the least squares of all elements together.
Source: Horne (1986, PASP 98, 609).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads, shares
from calwebb_core.science.kernels.column_background import NCOLUMNS
from calwebb_core.science.kernels.optimal_extraction import fit_cube
from calwebb_core.science.spectral.extraction import MOST, VERTICAL, Pixels, oriented, usable
from calwebb_core.science.spectral.psf_profile import SpectralPsf

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]

NOTHING: Final = np.zeros((0, 0, 0))
FARTHEST: Final = 3.0  # pixels that a place is looked for around where it should be
STRIDE: Final = 0.5
PRECISION: Final = 1e-4


@dataclass(frozen=True)
class Traces:
    """Where the profiles are.

    Attributes
    ----------
    source : float64 (nalong,)
        Pixel across the dispersion, for every element.
    nod : float64 (nalong,) or None
        That of the negative nod.
    """

    source: Float64
    nod: Float64 | None = None

    def cut(self, rows: slice, columns: slice) -> "Traces":
        """Return them on a part of the array."""
        nod = None if self.nod is None else self.nod[rows] - columns.start
        return Traces(self.source[rows] - columns.start, nod)

    def moved(self, offsets: Sequence[float]) -> "Traces":
        """Return them moved by some pixels: both by the first, the nod by the second more."""
        nod = None if self.nod is None else self.nod + float(offsets[0]) + float(offsets[1])
        return Traces(self.source + float(offsets[0]), nod)


@dataclass(frozen=True)
class Fit:
    """How profiles are fitted.

    Attributes
    ----------
    psf : SpectralPsf
    order : int
        Of the background's polynomial, -1 for none.
    uniform : bool
        Whether all pixels weigh the same; else by the inverse variance of reading.
    whole : bool
        Whether the light beyond the array belongs to the flux.
    """

    psf: SpectralPsf
    order: int = -1
    uniform: bool = False
    whole: bool = True

    def profiles(self, waves: Float64, traces: Traces) -> Float64:
        """Return the profiles, float64 (1 or 2, nalong, nacross); the nod's is negative."""
        found = [self.psf.profile(waves, traces.source, whole=self.whole)]
        if traces.nod is not None:
            found.append(-self.psf.profile(waves, traces.nod, whole=self.whole))
        return np.stack(found)

    def sums(
        self, pixels: Pixels, waves: Float64, profiles: Float64, *, scene: bool = False
    ) -> tuple[Float64, Float64]:
        """Return the spectrum of every integration, and the scene if it is wanted.

        Parameters
        ----------
        pixels : Pixels
        waves : float64 (nalong, nacross)
            Micrometres; pixels without one (NaN) belong to nothing.
        profiles : float64 (1 or 2, nalong, nacross)
        scene : bool

        Returns
        -------
        float64 (nints, nalong, NCOLUMNS)
            As `extraction.extract_box` returns them.
        float64 (nints, nalong, nacross) or (0, 0, 0)
            The fitted model, NaN where there is none.
        """
        nints = pixels.shape[0]
        out = np.zeros((nints, profiles.shape[1], NCOLUMNS))
        model = np.full(pixels.shape, np.nan) if scene else NOTHING
        valid = np.isfinite(waves)
        lit = np.any(profiles[0] > 0.0, axis=1)

        def fit(some: slice) -> None:
            planes = (pixels.data, pixels.dq, pixels.poisson, pixels.rnoise, pixels.flat)
            data, dq, poisson, rnoise, flat = (p[some] if p.size else p for p in planes)
            fit_cube(
                data, dq, poisson, rnoise, flat, pixels.axis == VERTICAL, lit, valid, profiles,
                self.order, self.uniform, out[some], model[some] if scene else model,
            )  # fmt: skip

        in_threads(fit, shares(nints))
        return out, model


def placed(fit: Fit, pixels: Pixels, waves: Float64, traces: Traces) -> Traces:
    """Return the traces where the residuals of the scene are least.

    A time series is looked at in the median of up to 25 of its integrations. The nod is looked for
    first, then both together.

    Parameters
    ----------
    fit : Fit
    pixels : Pixels
    waves : float64 (nalong, nacross)
    traces : Traces
        Where they should be.
    """
    from scipy.optimize import minimize

    rows, columns = lit_box(waves)
    frame = cut(median_of(pixels), rows, columns)
    data, weight = usable(frame)[0], weight_of(frame)
    some, near = np.ascontiguousarray(waves[rows, columns]), traces.cut(rows, columns)

    def misfit(offsets: Sequence[float]) -> float:
        if np.abs(offsets).max() > FARTHEST + STRIDE:
            return np.inf
        profiles = fit.profiles(some, near.moved(offsets))
        scene = fit.sums(frame, some, profiles, scene=True)[1][0]
        return float(np.nansum(weight * np.square(data - scene)))

    start = scanned(misfit, 1 if traces.nod is None else 2)
    found = minimize(
        misfit, start, method="Nelder-Mead", options={"xatol": PRECISION, "fatol": 1e-6},
    ).x  # fmt: skip
    logger.info("The source is %+.3f pixels from where it should be", float(found[0]))
    if np.abs(found).max() >= FARTHEST:
        logger.warning(
            "No star within %.0f pixels of where it should be; its place stays", FARTHEST
        )
        return traces
    return traces.moved([float(value) for value in found])


def scanned(misfit: Callable[[Sequence[float]], float], count: int) -> list[float]:
    """Return the least of coarse steps, one offset after the other."""
    steps = np.arange(-FARTHEST, FARTHEST + STRIDE, STRIDE)
    offsets = [0.0] * count
    for number in range(count):
        tried = [[*offsets[:number], float(step), *offsets[number + 1 :]] for step in steps]
        offsets = min(tried, key=misfit)
    return offsets


def lit_box(waves: Float64) -> tuple[slice, slice]:
    """Return the part of the array that has wavelengths, all of it where nothing has."""
    lit = np.isfinite(waves)
    places = [np.flatnonzero(lit.any(axis=axis)) for axis in (1, 0)]
    if not places[0].size:
        return slice(0, waves.shape[0]), slice(0, waves.shape[1])
    rows, columns = (slice(int(place[0]), int(place[-1]) + 1) for place in places)
    return rows, columns


def cut(pixels: Pixels, rows: slice, columns: slice) -> Pixels:
    """Return a part of all integrations, by elements along and pixels across the dispersion."""
    y, x = (rows, columns) if pixels.axis == VERTICAL else (columns, rows)

    def part(plane: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(plane[:, y, x]) if plane.size else plane

    poisson, rnoise, flat = (part(plane) for plane in (pixels.poisson, pixels.rnoise, pixels.flat))
    return Pixels(part(pixels.data), part(pixels.dq), poisson, rnoise, flat, pixels.axis)


def median_of(pixels: Pixels) -> Pixels:
    """Return one integration: the median of up to 25."""
    nints = pixels.shape[0]
    if nints == 1:
        return pixels
    chosen = np.unique(np.linspace(0, nints - 1, min(nints, MOST)).round().astype(np.intp))
    some = pixels.some(chosen)
    lost = np.all((some.dq & np.uint32(1) > 0) | ~np.isfinite(some.data), axis=0)
    data = np.where(some.dq & np.uint32(1), np.nan, some.data)
    data[:, lost] = 0.0
    middle = np.nanmedian(data, axis=0)[None].astype(np.float32)
    poisson, rnoise, flat = (
        plane[:1] if plane.size else plane for plane in (some.poisson, some.rnoise, some.flat)
    )
    return Pixels(middle, lost[None].astype(np.uint32), poisson, rnoise, flat, pixels.axis)


def weight_of(frame: Pixels) -> Float64:
    """Return the inverse variance of the pixels of one integration, NaN where there is none."""
    planes = [plane[0] for plane in (frame.poisson, frame.rnoise, frame.flat) if plane.size]
    if not planes:
        return np.ones(frame.shape[1:])
    total = np.asarray(np.sum(planes, axis=0, dtype=np.float64))
    variance = oriented(total, frame.axis)
    result: Float64 = np.full(variance.shape, np.nan)
    np.divide(1.0, variance, out=result, where=variance > 0.0)
    return result
