"""Slopes of ramps by least squares, segment by segment: arrays in, arrays out."""

import numpy as np

from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_detector1.arrays import check_array, check_ramps
from calwebb_detector1.kernels import charge_loss
from calwebb_detector1.kernels import ramp_rows as kernels
from calwebb_detector1.kernels.network import comparisons
from calwebb_detector1.kernels.segments import slope_coefficients
from calwebb_detector1.rates import Product, Timing, empty_product, sigma_of_group


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
    rateints, rate = empty_product((nints, ny, nx)), empty_product((ny, nx))
    suppress = suppress_one_group and end - first > 1
    times = (timing.group_time, timing.frame_time, timing.first_group)
    kernels.fit_ramps(
        data,
        groupdq,
        (pixeldq, gain, sigma, dark),
        zeroframe,
        slope_coefficients(end - first),
        comparisons(end - first - 1),
        (first, end),
        suppress,
        times,
        rateints,
        rate,
    )
    if np.any(groupdq & charge_loss.CHARGELOSS):
        charge_loss.restore_read_noise(
            data, groupdq, (gain, sigma), (first, end), suppress, times, rateints, rate
        )
    return rateints, rate
