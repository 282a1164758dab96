"""The joint fit of a wave and of all ramps: amplitude and phase by least squares.

A ramp is ``a + b g + c W(phase of its first sample + g frame)`` with its own a and b and, for all
pixels, the same wave W, amplitude c and phase. Straight lines are taken out of ramps and wave,
which leaves one linear unknown, c; chi square is worked out at 500 phases, and a parabola through
the least and its neighbours gives the best one. Pixels that are read at the same phase, in any
integration, have the same W and are added up first.
"""

import itertools
import logging
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt32
from calwebb_detector1.blocks import in_threads
from calwebb_detector1.emi.reference import Timing, Wave
from calwebb_detector1.kernels import emicorr as kernels

logger = logging.getLogger(__name__)

TRIALS = 500
SCATTER_LIMIT = 2.0
STRIPS = 16

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Fit(NamedTuple):
    """A wave found: DN per unit of its shape, and its phase at the first sample."""

    amplitude: float
    phase: float


def spline_knots(shape: Float64) -> Float64:
    """Return the coefficients of the periodic cubic spline through a wave's samples."""
    n = shape.size
    # a cubic B-spline's values at its knots are 1/6, 4/6, 1/6: a circulant matrix
    angles = [2.0 * math.pi * k / n for k in range(n // 2 + 1)]
    response = np.array([(2.0 + math.cos(angle)) / 3.0 for angle in angles])
    knots: Float64 = np.fft.irfft(np.fft.rfft(shape) / response, n)
    return knots


def steady_pixels(data: Float32, pixeldq: UInt32) -> Mask:
    """Return which ramps (nints, ny, nx) to fit.

    Those without flags and with no more than twice the median scatter among their groups:
    neither bad nor bright.
    """
    scatter = np.empty((data.shape[0], *data.shape[2:]), np.float32)
    items = [(i, rows) for i in range(len(data)) for rows in strips(data.shape[2])]

    def measure(item: tuple[int, slice]) -> None:
        i, rows = item
        part = np.empty((1, rows.stop - rows.start, data.shape[3]), np.float32)
        kernels.deviations(np.ascontiguousarray(data[i : i + 1, :, rows]), part)
        scatter[i, rows] = part[0]

    in_threads(measure, items)
    finite = scatter[np.isfinite(scatter)]
    limit = SCATTER_LIMIT * np.median(finite) if finite.size else 0.0
    steady: Mask = (scatter < limit) & (pixeldq == 0)
    return steady


def strips(ny: int) -> list[slice]:
    """Cut rows into strips, the same for any number of threads."""
    edges = np.linspace(0, ny, min(STRIPS, ny) + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]


def starts(timing: Timing, wave: Wave, nints: int, ngroups: int) -> Float64:
    """Return the phase of each integration's first sample, from that of the first integration."""
    frames: Float64 = (
        np.arange(nints, dtype=np.float64) * (ngroups * timing.frame + timing.reset) / wave.period
    )
    return frames % 1.0


def sums_by_phase(
    data: Float32, steady: Mask, wave: Wave, timing: Timing, begin: Float64, chosen: Iterable[int]
) -> tuple[Float64, Float64]:
    """Return summed ramps (nbins, ngroups) without their lines, and (2, nbins) what is in them.

    That is how many ramps, and the sum of the phases at which they begin.
    """
    nbins = 0 if wave.shape is None else wave.shape.size
    ngroups = data.shape[1]

    def add(item: tuple[int, slice]) -> tuple[Float64, Float64]:
        i, rows = item
        total, members = np.zeros((nbins, ngroups)), np.zeros((2, nbins))
        part = np.ascontiguousarray(data[i, :, rows])
        row, sample = timing.row / wave.period, timing.sample / wave.period
        phase = begin[i] + rows.start * row
        kernels.sum_by_phase(part, steady[i, rows], phase, row, sample, total, members)
        return total, members

    total, members = np.zeros((nbins, ngroups)), np.zeros((2, nbins))
    for i in chosen:
        for part, count in in_threads(add, [(i, rows) for rows in strips(data.shape[2])]):
            total += part
            members += count
    kernels.remove_lines(total)
    return total, members


def fit_wave(bent: Float64, members: Float64, knots: Float64, frame: float) -> Fit | None:
    """Return the amplitude and phase that straighten the ramps most; None if nothing tells.

    Parameters
    ----------
    bent : float64, (nbins, ngroups), DN: summed ramps without their straight lines
    members : float64, (2, nbins): ramps in each sum, and the sum of their phases
    knots : float64: the wave's spline
    frame : periods from one group to the next
    """
    phases = np.arange(TRIALS) / TRIALS
    found = in_threads(
        lambda phase: kernels.products(bent, members, knots, phase, frame), list(phases)
    )
    own, shared = np.array(found).T
    usable = own > 1e-8 * max(1.0, float(members[0].sum()) * bent.shape[1])
    if not usable.any():
        return None
    chi_square = np.where(usable, -(shared**2) / np.where(usable, own, 1.0), np.inf)
    phase = vertex(phases, chi_square)
    own_best, shared_best = kernels.products(bent, members, knots, phase, frame)
    return Fit(shared_best / own_best, phase) if own_best > 0 else None


def vertex(phases: Float64, chi_square: Float64) -> float:
    """Return the phase of the least chi square, by a parabola through it and its neighbours."""
    best = int(np.argmin(chi_square))
    before, least, after = chi_square[[best - 1, best, (best + 1) % phases.size]]
    bend = before - 2.0 * least + after
    if not np.isfinite(bend) or bend <= 0:
        return float(phases[best])
    return float(phases[best] + 0.5 * (before - after) / bend / phases.size)


def subtract_fits(
    data: Float32, fits: list[Fit], knots: Float64, wave: Wave, timing: Timing, begin: Float64
) -> None:
    """Subtract the wave from every group of `data` in place; `fits` by integration."""
    row, sample = timing.row / wave.period, timing.sample / wave.period
    frame = timing.frame / wave.period

    def subtract(item: tuple[int, int]) -> None:
        i, g = item
        phase = (fits[i].phase + begin[i] + g * frame) % 1.0
        kernels.subtract_wave(data[i, g], knots, fits[i].amplitude, phase, row, sample)

    in_threads(subtract, [(i, g) for i in range(data.shape[0]) for g in range(data.shape[1])])


def report_nothing(wave: Wave, members: Float64) -> None:
    """Say why a wave could not be fitted."""
    if members[0].sum() == 0:
        logger.warning("%s: no steady ramps to fit the wave to", wave.name)
    else:
        logger.info("%s repeats from group to group: no ramp is bent by it", wave.name)


def remove_wave(
    data: Float32, pixeldq: UInt32, wave: Wave, timing: Timing, *, separately: bool = False
) -> list[Fit]:
    """Fit a wave to all ramps and subtract it from `data` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN; columns a multiple of four
    pixeldq : uint32, (ny, nx)
    wave : with its shape
    timing : Timing
    separately : fit each integration by itself

    Returns
    -------
    list of Fit
        Of each integration, amplitude 0 where nothing could be fitted.
    """
    if wave.shape is None:
        msg = f"wave {wave.name} has no shape to fit"
        raise ValueError(msg)
    nints, ngroups = data.shape[:2]
    knots = spline_knots(wave.shape)
    begin = starts(timing, wave, nints, ngroups)
    steady = steady_pixels(data, pixeldq)
    parts = [[i] for i in range(nints)] if separately else [list(range(nints))]
    fits: list[Fit] = []
    for part in parts:
        bent, members = sums_by_phase(data, steady, wave, timing, begin, part)
        found = fit_wave(bent, members, knots, timing.frame / wave.period)
        if found is None:
            report_nothing(wave, members)
        fits += [found or Fit(0.0, 0.0)] * len(part)
    subtract_fits(data, fits, knots, wave, timing, begin)
    return fits
