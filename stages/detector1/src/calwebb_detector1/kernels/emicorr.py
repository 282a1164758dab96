"""Sums over pixels by the phase at which they are read, and periodic splines."""

import math

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Bool, Float32, Float64, Int64, Scalar

OUTPUTS = 4
ONE, TWO_THIRDS, SIXTH = 1.0, 2.0 / 3.0, 1.0 / 6.0


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def fraction(value: float) -> Scalar:
    """Return what is left of a number without its whole part, in [0, 1)."""
    part = value - math.floor(value)
    return part if part < ONE else 0.0


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def spline(knots: Float64, phase: float) -> Scalar:
    """Return a periodic cubic spline at a phase in [0, 1); knot k stands at (k + 0.5) / n."""
    n = knots.size
    place = phase * n - 0.5
    left = math.floor(place)
    t = place - left
    k = int(left)
    a, b, c, d = knots[(k - 1) % n], knots[k % n], knots[(k + 1) % n], knots[(k + 2) % n]
    u = ONE - t
    return (
        SIXTH * (u * u * u * a + t * t * t * d)
        + (TWO_THIRDS - t * t * (ONE - 0.5 * t)) * b
        + (TWO_THIRDS - u * u * (ONE - 0.5 * u)) * c
    )


@njit(cache=True, nogil=True, error_model="numpy")
def deviations(data: Float32, out: Float32) -> None:
    """Write the standard deviation of each ramp's groups into `out` (nints, ny, nx)."""
    nints, ngroups, ny, nx = data.shape
    mean, square = np.empty(nx), np.empty(nx)
    for i in range(nints):
        for y in range(ny):
            mean[:] = 0.0
            square[:] = 0.0
            for g in range(ngroups):
                for x in range(nx):
                    mean[x] += data[i, g, y, x]
            for g in range(ngroups):
                for x in range(nx):
                    square[x] += (data[i, g, y, x] - mean[x] / ngroups) ** 2
            for x in range(nx):
                out[i, y, x] = np.sqrt(square[x] / ngroups)


@njit(cache=True, nogil=True, error_model="numpy")
def sum_by_phase(
    data: Float32,
    good: Bool,
    phase0: float,
    row: float,
    sample: float,
    total: Float64,
    members: Float64,
) -> None:
    """Add up the good ramps of one integration by the phase of their first sample.

    `data` float32 (ngroups, ny, nx); `good` bool (ny, nx). The first sample of the first row is
    read at `phase0`; `row` and `sample` are periods from one row, one sample of an output to
    the next. `total` float64 (nbins, ngroups) and `members` float64 (2, nbins), how many ramps
    and the sum of their phases, are added to. The second and third sample of each row are left
    out: their columns are not stable.
    """
    ngroups, ny, nx = data.shape
    nbins = members.shape[1]
    for y in range(ny):
        for k in range(nx // OUTPUTS):
            if k in (1, 2):
                continue
            phase = fraction(phase0 + y * row + k * sample)
            index = int(phase * nbins)
            for x in range(OUTPUTS * k, OUTPUTS * k + OUTPUTS):
                if good[y, x]:
                    members[0, index] += ONE
                    members[1, index] += phase
                    for g in range(ngroups):
                        total[index, g] += data[g, y, x]


@njit(cache=True, nogil=True, error_model="numpy")
def remove_lines(total: Float64) -> None:
    """Take the best straight line out of each row of `total` (nbins, ngroups) in place."""
    nbins, ngroups = total.shape
    middle = 0.5 * (ngroups - 1)
    spread = ngroups * (ngroups * ngroups - 1) / 12.0
    for k in range(nbins):
        mean, slope = 0.0, 0.0
        for g in range(ngroups):
            mean += total[k, g]
            slope += (g - middle) * total[k, g]
        mean /= ngroups
        slope /= spread
        for g in range(ngroups):
            total[k, g] -= mean + slope * (g - middle)


@njit(cache=True, nogil=True, error_model="numpy")
def products(
    bent: Float64, members: Float64, knots: Float64, phase0: float, frame: float
) -> tuple[Scalar, Scalar]:
    """Return two sums over all ramps, for a wave of the first sample's phase `phase0`.

    Wave times wave and wave times ramp, both without their straight lines: `bent` float64
    (nbins, ngroups) has none, `members` float64 (2, nbins) is of how many ramps it is the sum,
    and the sum of their phases; they are taken to be read at the mean. `frame` is in periods
    from one group to the next. Chi square of an amplitude c is, but for a constant, c^2 times
    the first minus 2 c times the second.
    """
    nbins, ngroups = bent.shape
    middle = 0.5 * (ngroups - 1)
    spread = ngroups * (ngroups * ngroups - 1) / 12.0
    own, shared = 0.0, 0.0
    for k in range(nbins):
        number = members[0, k]
        if number == 0:
            continue
        mean, slope, square, product = 0.0, 0.0, 0.0, 0.0
        start = phase0 + members[1, k] / number
        for g in range(ngroups):
            z = spline(knots, fraction(start + g * frame))
            mean += z
            slope += (g - middle) * z
            square += z * z
            product += z * bent[k, g]
        own += number * (square - mean * mean / ngroups - slope * slope / spread)
        shared += product
    return own, shared


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_wave(
    image: Float32, knots: Float64, amplitude: float, phase0: float, row: float, sample: float
) -> None:
    """Subtract a wave from one group, `image` float32 (ny, nx), in place."""
    ny, nx = image.shape
    for y in range(ny):
        for k in range(nx // OUTPUTS):
            value = np.float32(amplitude * spline(knots, fraction(phase0 + y * row + k * sample)))
            for x in range(OUTPUTS * k, OUTPUTS * k + OUTPUTS):
                image[y, x] -= value


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_steps(
    image: Float32,
    steps: Float64,
    phase0: float,
    row: float,
    sample: float,
    period: float,
    last_column: float,
) -> None:
    """Subtract from one group a wave that is constant within each clock cycle.

    `steps` float64 (cycles of a period); `last_column` is how many periods later the last
    sample of each row is read.
    """
    ny, nx = image.shape
    columns = nx // OUTPUTS
    for y in range(ny):
        for k in range(columns):
            late = last_column if k == columns - 1 else 0.0
            phase = fraction(phase0 + y * row + k * sample + late)
            value = np.float32(steps[min(int(phase * period), steps.size - 1)])
            for x in range(OUTPUTS * k, OUTPUTS * k + OUTPUTS):
                image[y, x] -= value


@njit(cache=True, nogil=True, error_model="numpy")
def bins_of_samples(
    phase0: float, row: float, sample: float, last_column: float, nbins: int, out: Int64
) -> None:
    """Write the phase bin of each sample of one group into `out` (int64, (ny, nx / 4)).

    A bin holds its upper end, not its lower: phase 0 is of none (-1).
    """
    ny, columns = out.shape
    for y in range(ny):
        for k in range(columns):
            late = last_column if k == columns - 1 else 0.0
            phase = fraction(phase0 + y * row + k * sample + late)
            out[y, k] = math.ceil(phase * nbins) - 1
