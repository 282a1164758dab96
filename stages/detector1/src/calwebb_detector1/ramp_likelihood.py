"""Likelihood fit of ramps, and the search for jumps that comes with it.

The differences of neighbouring groups have a tri-diagonal covariance matrix, of photon noise and
of read noise with averaged reads. The generalised least-squares slope costs no more than a plain
one (Brandt 2024 PASP 136 045004). Its noise is that of a first fit's rate, which takes away the
bias that weights from the data themselves have. A jump is a difference, or two that share an
averaged group, without which chi-square falls by more than a limit (Brandt 2024 PASP 136 045005).

`fit_likelihood` takes what `fit_slopes` takes and returns what it returns.
"""

from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_detector1.arrays import check_array, check_ramps
from calwebb_detector1.kernels import likelihood as table_rows
from calwebb_detector1.kernels import likelihood_fit, likelihood_jumps
from calwebb_detector1.kernels.types import Float64
from calwebb_detector1.rates import Product, Timing, empty_product

FEWEST_GROUPS = 4
NO_SEARCH = (np.inf, np.inf, False)
NO_LIMITS = np.empty(0, np.float64)


@dataclass(frozen=True)
class JumpLimits:
    """How much chi-square must fall for a jump.

    The defaults are 4.5 sigma for one difference, and as rare a value for two. With `positive`
    only rises count, as a cosmic ray makes: half as many are false.
    """

    one: float = 20.25
    two: float = 23.8
    positive: bool = False

    def as_tuple(self) -> tuple[float, float, bool]:
        """Return them as the kernels take them."""
        return self.one, self.two, self.positive


def covariance_table(starts: Float64, counts: Float64, frame_time: float) -> Float64:
    """Return the factors of the covariance of differences, whatever rate and read noise are.

    Parameters
    ----------
    starts : float64, (n,), time before the first read of each sample less `frame_time`, s
    counts : float64, (n,), reads that each sample averages
    frame_time : s between reads

    Returns
    -------
    float64, (TABLE_ROWS, n - 1): rows as named in `kernels.likelihood`
        Equations 4, 11, 28 and 29 of the paper.
    """
    mean = starts + frame_time * (counts + 1) / 2
    tau = starts + frame_time * (counts + 1) * (2 * counts + 1) / (6 * counts)
    step = np.diff(mean)
    table = np.zeros((table_rows.TABLE_ROWS, step.size))
    table[table_rows.SPACING] = step
    table[table_rows.PHOTON] = (tau[:-1] + tau[1:] - 2 * mean[:-1]) / step**2
    table[table_rows.READ] = (1 / counts[:-1] + 1 / counts[1:]) / step**2
    both = step[:-1] * step[1:]
    table[table_rows.PHOTON_NEXT, :-1] = (mean[1:-1] - tau[1:-1]) / both
    table[table_rows.READ_NEXT, :-1] = -1 / (counts[1:-1] * both)
    table[table_rows.AVERAGED, :-1] = counts[1:-1] > 1
    return table


def covariance_tables(timing: Timing, ngroups: int) -> Float64:
    """Return the tables of the groups alone, and with the first read as a sample of its own.

    Returns
    -------
    float64, (2, TABLE_ROWS, ngroups)
    """
    counts = np.full(ngroups, float(timing.nframes))
    starts = timing.group_time * np.arange(ngroups, dtype=np.float64)
    tables = np.zeros((2, table_rows.TABLE_ROWS, ngroups))
    tables[0, :, :-1] = covariance_table(starts, counts, timing.frame_time)
    if timing.nframes > 1:
        parted = np.concatenate([[1.0], counts])
        parted[1] -= 1
        starts = np.concatenate([[0.0], starts])
        starts[1] = timing.frame_time
        tables[1] = covariance_table(starts, parted, timing.frame_time)
    return tables


def limits_by_freedom(
    largest: int, reduced: float | None = None, probability: float | None = None
) -> Float64:
    """Return above which chi-square a fit is doubtful, by degrees of freedom 0 ... `largest`.

    `reduced` limits chi-square over the degrees of freedom, `probability` how rarely noise alone
    gives a larger one; of both the stricter counts. Empty without either.
    """
    if reduced is None and probability is None:
        return NO_LIMITS
    from scipy.stats import chi2  # slow to import

    freedom = np.arange(largest + 1, dtype=np.float64)
    limits = np.full(freedom.shape, np.inf)
    if reduced is not None:
        limits = np.minimum(limits, reduced * freedom)
    if probability is not None:
        limits[1:] = np.minimum(limits[1:], chi2.isf(probability, freedom[1:]))
    return limits


def fit_likelihood(
    data: Float32,
    groupdq: UInt8,
    pixeldq: UInt32,
    *,
    gain: Float32,
    readnoise: Float32,
    dark_current: Float32 | None = None,
    zeroframe: Float32 | None = None,
    timing: Timing,
    bounds: tuple[int, int] | None = None,
    jumps: JumpLimits | None = None,
    chisq_limits: Float64 = NO_LIMITS,
    chisq: Float32 | None = None,
) -> tuple[Product, Product]:
    """Fit the slopes of an exposure by their likelihood.

    Parameters
    ----------
    data, groupdq, pixeldq, gain, readnoise, dark_current, timing, bounds
        As `fit_slopes` takes them; four groups at least. JUMP_DET is added to `groupdq` if
        `jumps` are searched for.
    zeroframe : as there; the first of several averaged reads is a sample of its own if not 0
    jumps : limits of a search for jumps, or None for no search
    chisq_limits : float64, as `limits_by_freedom` returns
    chisq : float32, (ny, nx), written: chi-square over all integrations; or None

    Returns
    -------
    rateints, rate : as `fit_slopes` returns them
    """
    first, end = check_fit(data, groupdq, pixeldq, gain, readnoise, bounds)
    shape = pixeldq.shape
    dark = np.zeros(shape, np.float32) if dark_current is None else dark_current
    check_array("dark_current", dark, np.float32, shape)
    zeros = np.empty((0, 0, 0), np.float32) if zeroframe is None else zeroframe
    chisq = np.empty(shape, np.float32) if chisq is None else chisq
    rateints, rate = empty_product((data.shape[0], *shape)), empty_product(shape)
    likelihood_fit.fit_ramps(
        data,
        groupdq,
        (pixeldq, gain, readnoise / np.float32(np.sqrt(2.0)), dark),
        zeros,
        covariance_tables(timing, end - first),
        (first, end),
        timing.nframes,
        NO_SEARCH if jumps is None else jumps.as_tuple(),
        chisq_limits,
        rateints,
        rate,
        chisq,
    )
    return rateints, rate


def find_likely_jumps(
    data: Float32,
    groupdq: UInt8,
    pixeldq: UInt32,
    *,
    gain: Float32,
    readnoise: Float32,
    timing: Timing,
    bounds: tuple[int, int] | None = None,
    jumps: JumpLimits,
) -> None:
    """Flag in `groupdq` the jumps that the likelihood shows, for a fit of another kind.

    Arguments as those of `fit_likelihood`.

    Raises
    ------
    ValueError
        If shapes or types disagree, or there are fewer than four groups.
    """
    first, end = check_fit(data, groupdq, pixeldq, gain, readnoise, bounds)
    likelihood_jumps.find_jumps(
        data,
        groupdq,
        (pixeldq, gain, readnoise / np.float32(np.sqrt(2.0))),
        covariance_tables(timing, end - first),
        (first, end),
        timing.nframes,
        jumps.as_tuple(),
    )


def check_fit(
    data: Float32,
    groupdq: UInt8,
    pixeldq: UInt32,
    gain: Float32,
    readnoise: Float32,
    bounds: tuple[int, int] | None,
) -> tuple[int, int]:
    """Check the arguments of a fit and return the first group used and the one after the last."""
    check_ramps(data, groupdq)
    shape = data.shape[2:]
    check_array("pixeldq", pixeldq, np.uint32, shape)
    check_array("gain", gain, np.float32, shape)
    check_array("readnoise", readnoise, np.float32, shape)
    first, end = bounds or (0, data.shape[1])
    if end - first < FEWEST_GROUPS:
        msg = f"data has {end - first} groups to fit; expected {FEWEST_GROUPS} at least"
        raise ValueError(msg)
    return first, end
