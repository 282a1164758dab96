"""Slopes of ramps by least squares, segment by segment: arrays in, arrays out."""

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_detector1.arrays import check_array, check_ramps, one_row
from calwebb_detector1.kernels import charge_loss
from calwebb_detector1.kernels import ramp_rows as kernels
from calwebb_detector1.kernels.network import networks
from calwebb_detector1.kernels.segments import slope_coefficients
from calwebb_detector1.rates import Product, Timing, empty_product, sigma_of_group

Groups = NDArray[np.bool_]


def fit_slopes(
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
    suppress_one_group: bool = True,
    typical: Groups | None = None,
) -> tuple[Product, Product]:
    """Fit the slopes of an exposure.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    pixeldq : uint32, (ny, nx); pixels that are not to be used get NaN
    gain : float32, (ny, nx), electron/DN
    readnoise : float32, (ny, nx), DN, of the difference of two frames
    dark_current : float32, (ny, nx), electron/s, or None for none
    zeroframe : float32, (nints, ny, nx), DN, or None
    timing : Timing
    bounds : first group to use and the one after the last; all by default
    suppress_one_group : drop ramps that have one good group among several
    typical : bool, (nints, ngroups): groups that are DO_NOT_USE for most pixels, if known; it
        only makes the fit faster

    Returns
    -------
    rateints, rate : slope (DN/s), err, dq, var_poisson, var_rnoise
        Of shape (nints, ny, nx) and (ny, nx).

    Raises
    ------
    ValueError
        If shapes or types disagree.
    """
    check_ramps(data, groupdq)
    nints, ngroups, ny, nx = data.shape
    check_array("pixeldq", pixeldq, np.uint32, (ny, nx))
    check_array("gain", gain, np.float32, (ny, nx))
    check_array("readnoise", readnoise, np.float32, (ny, nx))
    if zeroframe is None:
        zeroframe = np.empty((0, 0, 0), np.float32)
    sigma = sigma_of_group(readnoise, gain, timing)
    dark = np.zeros((ny, nx), np.float32) if dark_current is None else dark_current
    check_array("dark_current", dark, np.float32, (ny, nx))
    first, end = bounds or (0, ngroups)
    spans = usable_spans(typical, nints, (first, end))
    rateints, rate = empty_product((nints, ny, nx)), empty_product((ny, nx))
    suppress = suppress_one_group and end - first > 1
    times = (timing.group_time, timing.frame_time, timing.first_group)
    pixel = (one_row(pixeldq), one_row(gain), one_row(sigma), one_row(dark))
    kernels.fit_ramps(
        one_row(data),
        one_row(groupdq),
        pixel,
        one_row(zeroframe),
        slope_coefficients(end - first),
        spans,
        networks([max(1, last - start - 1) for start, last in spans.tolist()]),
        (first, end),
        suppress,
        times,
        tuple(one_row(array) for array in rateints),
        tuple(one_row(array) for array in rate),
    )
    if np.any(groupdq & charge_loss.CHARGELOSS):
        charge_loss.restore_read_noise(
            data, groupdq, (gain, sigma), (first, end), suppress, times, rateints, rate
        )
    return rateints, rate


def usable_spans(typical: Groups | None, nints: int, bounds: tuple[int, int]) -> NDArray[np.int64]:
    """Return first group and end, (nints, 2), of the groups that most pixels can use.

    Both are zero where these are not next to one another, or fewer than two.
    """
    if typical is None:
        typical = np.zeros((nints, bounds[1]), np.bool_)
    spans = np.zeros((nints, 2), np.int64)
    for i in range(nints):
        usable = bounds[0] + np.flatnonzero(~typical[i, bounds[0] : bounds[1]])
        if usable.size > 1 and usable[-1] - usable[0] + 1 == usable.size:
            spans[i] = usable[0], usable[-1] + 1
    return spans
