"""The sequential way: take ramps away, fold what remains at a frequency, subtract that wave.

From each ramp its straight line (without first and last group) and its median are taken, the four
outputs, which are read at the same time, are averaged, and what remains is sorted by the phase at
which it was read; clipped means in bins of phase are the wave. A known shape of the wave is then
shifted to where it correlates best with these means, and scaled to them; without one the means
themselves are subtracted.
"""

import itertools
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_detector1.blocks import in_threads
from calwebb_detector1.emi.reference import OUTPUTS, Timing, Wave
from calwebb_detector1.kernels import emicorr as kernels

MOST_BINS = 501
BINS_OF_LONG_WAVES = 500
CLIPPING = 3.0
CLIPPING_ROUNDS = 5
UNSTABLE_COLUMNS = (1, 2)

Float64 = NDArray[np.float64]


def folded_bins(period: float, wanted: int | None) -> int:
    """Return how many bins a wave gets: those wanted, or two clock cycles each."""
    bins = int(period / 2.0) if wanted is None else wanted
    return BINS_OF_LONG_WAVES if bins > MOST_BINS else max(bins, 1)


def integrations_to_fold(
    nints: int, wanted: int | None, cycles: int | None, period: float, integration: float
) -> int:
    """Return how many integrations to fold.

    Those wanted, or as many as hold `cycles` periods, or all; `period` and `integration`
    (length of an integration) are in clock cycles.
    """
    if wanted is None:
        wanted = nints if cycles is None else int(np.ceil(cycles * period / integration))
    return max(1, min(wanted, nints))


def residuals(ramps: Float32) -> Float64:
    """Return what a straight line and a fixed pattern leave of one integration.

    Parameters
    ----------
    ramps : float32, (ngroups, ny, nx), DN; four groups or more

    Returns
    -------
    float64, (ngroups, ny, nx / 4), DN: mean of the four outputs, each group's median taken off
    """
    data = ramps.astype(np.float64)
    inner = data[1:-1]
    times = np.arange(len(inner)) - 0.5 * (len(inner) - 1)
    slope = (inner * times[:, np.newaxis, np.newaxis]).sum(axis=0) / (times**2).sum()
    data -= slope * np.arange(len(data))[:, np.newaxis, np.newaxis]
    inner = data[1:-1]
    data -= inner.min(axis=0) if len(inner) <= 2 else np.median(inner, axis=0)
    mean: Float64 = data.reshape(*data.shape[:2], -1, OUTPUTS).mean(axis=-1)
    if mean.shape[2] > max(UNSTABLE_COLUMNS) + 1:
        beside = 0.5 * (mean[:, :, 0] + mean[:, :, max(UNSTABLE_COLUMNS) + 1])
        mean[:, :, UNSTABLE_COLUMNS] = beside[..., np.newaxis]
    mean -= np.nanmedian(mean, axis=(1, 2), keepdims=True)
    return mean


def clipped_mean(values: Float64) -> float:
    """Return the mean of the values within 3 sigma of their median; NaN for none."""
    for _ in range(CLIPPING_ROUNDS):
        if values.size == 0:
            break
        centre, limit = np.median(values), CLIPPING * values.std()
        kept = values[np.abs(values - centre) <= limit]
        if kept.size == values.size:
            break
        values = kept
    return float(values.mean()) if values.size else np.nan


def phases(timing: Timing, wave: Wave, ngroups: int, i: int, g: int) -> float:
    """Return the phase of the first sample of a group, from the first of the exposure."""
    time = (i * ngroups + g) * timing.frame + i * timing.reset
    return time / wave.period % 1.0


def fold(data: Float32, wave: Wave, timing: Timing, nbins: int) -> Float64:
    """Return the wave in `nbins` bins of phase, DN, its median taken off.

    `data` float32 (nints, ngroups, ny, nx); a bin that no sample falls in lies on the line
    between its neighbours.
    """
    ngroups, ny, nx = data.shape[1:]
    step = (timing.row / wave.period, timing.sample / wave.period)
    late = timing.last_column / wave.period
    values: list[Float64] = []
    places: list[NDArray[np.int64]] = []
    for i, rest in enumerate(in_threads(residuals, data)):
        for g in range(ngroups):
            place = np.empty((ny, nx // OUTPUTS), np.int64)
            start = phases(timing, wave, ngroups, i, g)
            kernels.bins_of_samples(start, *step, late, nbins, place)
            good = (place >= 0) & np.isfinite(rest[g])
            values.append(rest[g][good])
            places.append(place[good])
    value, bins = np.concatenate(values), np.concatenate(places)
    order = np.argsort(bins, kind="stable")
    edges = np.searchsorted(bins[order], np.arange(nbins + 1))
    value = value[order]
    means = np.array([clipped_mean(value[a:b]) for a, b in itertools.pairwise(edges)])
    return filled(means)


def filled(means: Float64) -> Float64:
    """Return a wave with missing bins interpolated and its median taken off; zeros for none."""
    known = np.isfinite(means)
    if not known.any():
        return np.zeros_like(means)
    place = np.arange(means.size)
    whole = np.interp(place, place[known], means[known], period=means.size)
    wave: Float64 = whole - np.median(whole)
    return wave


def resampled(wave: Float64, size: float) -> Float64:
    """Return a wave of `size` elements, each the nearest before it."""
    index = (np.arange(int(np.ceil(size))) * (wave.size / size)).astype(int)
    found: Float64 = wave[np.minimum(index, wave.size - 1)]
    return found


def aligned(shape: Float64, found: Float64, period: float, *, scale: bool) -> Float64:
    """Return a known shape, shifted to fit a folded wave and scaled to it, for each clock cycle."""
    target = resampled(found, shape.size)
    target = target - target.mean()
    likeness = [float((np.roll(shape, shift) * target).sum()) for shift in range(shape.size)]
    steps = resampled(np.roll(shape, int(np.argmax(likeness))), period)
    if not scale:
        return steps
    centred, measured = steps - steps.mean(), resampled(found, period)
    size = float((centred**2).sum())
    factor = float((centred * measured).sum()) / size if size > 0 else 0.0
    return steps * factor


def subtract_cycles(data: Float32, steps: Float64, wave: Wave, timing: Timing) -> None:
    """Subtract a wave given for each clock cycle of its period from `data` in place."""
    ngroups = data.shape[1]
    rates = (timing.row / wave.period, timing.sample / wave.period)
    late = timing.last_column / wave.period

    def subtract(item: tuple[int, int]) -> None:
        start = phases(timing, wave, ngroups, *item)
        kernels.subtract_steps(data[item], steps, start, *rates, wave.period, late)

    in_threads(subtract, [(i, g) for i in range(data.shape[0]) for g in range(ngroups)])


def remove_wave(
    data: Float32,
    wave: Wave,
    timing: Timing,
    *,
    nfolded: int,
    nbins: int | None = None,
    scale: bool = True,
) -> Wave:
    """Find a wave in the residuals of straight ramps and subtract it from `data` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN; four groups or more, columns a multiple of 4
    wave : its shape is used if it has one
    timing : Timing
    nfolded : integrations to find it in
    nbins : bins of phase
    scale : scale a known shape to what is found

    Returns
    -------
    Wave
        As it was folded.
    """
    found = fold(data[:nfolded], wave, timing, folded_bins(wave.period, nbins))
    if wave.shape is None:
        steps = resampled(found, wave.period)
    else:
        steps = aligned(wave.shape, found, wave.period, scale=scale)
    subtract_cycles(data, steps, wave, timing)
    return replace(wave, shape=found)
