"""ramp_fit: the slope of every ramp, its variances and flags.

Each integration is cut into segments of good groups; a jump starts a new one, which begins with
the group of the jump. The slope of a segment is a least-squares fit weighted by |x - mid|^P, where
P grows with the signal to noise ratio (Fixsen et al. 2000 PASP 112 1350). Its variances are

    VAR_R = 12 (R / (T g))^2 / (n^3 - n)           R = READNOISE GAIN / sqrt(2 NFRAMES)
    VAR_P = (median rate + AVDRKCUR) / (T g (n - 1))

with n groups T seconds apart and the gain g. Segments are combined with weights 1 / VAR_R within an
integration (`_rateints`) and over all (`_rate`). One group alone counts only where there is no
longer segment, and with `suppress_one_group` not at all in ramps of more groups; without that
option a single first group is divided by its mean exposure time, and a ramp without any good
group falls back to the zero frame.

DQ: the pixel's flags; JUMP_DET, SATURATED, PERSISTENCE if a group has them; DO_NOT_USE, NaN and
zero variances where nothing is left to fit. Needs the GAIN and READNOISE references.
"""

import logging
from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Image, Ramp, Rates, UInt8, UInt32
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_detector1.arrays import check_array, check_ramps, usable_gain, usable_readnoise
from calwebb_detector1.kernels import ramp_fit as kernels
from calwebb_detector1.kernels.flags import DO_NOT_USE
from calwebb_detector1.kernels.jump_flags import all_flagged
from calwebb_detector1.kernels.segments import slope_coefficients
from calwebb_detector1.rates import Product, Timing, empty_product

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RampFitParameters:
    """Options of the step ramp_fit."""

    suppress_one_group: bool = option(True, "drop ramps that have one good group among several")
    firstgroup: int | None = option(None, "first group to use, from 0", minimum=0)
    lastgroup: int | None = option(None, "last group to use, from 0", minimum=0)


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
    sigma = readnoise * gain / np.float32(np.sqrt(2.0 * timing.nframes))
    dark = np.zeros((ny, nx), np.float32) if dark_current is None else dark_current
    check_array("dark_current", dark, np.float32, (ny, nx))
    first, end = bounds or (0, ngroups)
    rateints, rate = empty_product((nints, ny, nx)), empty_product((ny, nx))
    kernels.fit_ramps(
        data,
        groupdq,
        (pixeldq, gain, sigma, dark),
        zeroframe,
        slope_coefficients(end - first),
        (first, end),
        suppress_one_group and end - first > 1,
        (timing.group_time, timing.frame_time, timing.first_group),
        rateints,
        rate,
    )
    return rateints, rate


def group_bounds(ramp: Ramp, parameters: RampFitParameters) -> tuple[int, int]:
    """Return the first group to use and the one after the last.

    Groups at either end that are DO_NOT_USE for all pixels of all integrations are left out.

    Raises
    ------
    InputError
        If `firstgroup` and `lastgroup` leave no group.
    """
    ngroups = ramp.data.shape[1]
    first = parameters.firstgroup or 0
    last = ngroups - 1 if parameters.lastgroup is None else min(parameters.lastgroup, ngroups - 1)
    if first > last:
        msg = (
            f"{ramp.metadata.source}: ramp_fit.firstgroup {first} and lastgroup {last} leave "
            f"none of {ngroups} groups; expected firstgroup <= lastgroup < {ngroups}"
        )
        raise InputError(msg)
    while first < last and nobody_uses(ramp.groupdq, first):
        first += 1
    while last > first and nobody_uses(ramp.groupdq, last):
        last -= 1
    return first, last + 1


def nobody_uses(groupdq: UInt8, group: int) -> bool:
    """Say whether a group is DO_NOT_USE for every pixel of every integration."""
    return all(all_flagged(flags[group], DO_NOT_USE) for flags in groupdq)


def image_of(product: Product, metadata: Metadata) -> Image:
    """Return arrays of a fit as a container of its own."""
    slope, err, dq, var_poisson, var_rnoise = product
    own = metadata.copy()
    own["BUNIT"] = "DN/s"
    return Image(own, slope, err, dq, var_poisson, var_rnoise)


def needed(references: References, kind: str, metadata: Metadata) -> Reference:
    """Return a reference that the fit cannot do without.

    Raises
    ------
    ReferenceFileError
        If it is N/A.
    """
    reference = references.load(kind, metadata)
    if reference is None:
        msg = (
            f"{metadata.source}: ramp_fit needs a {kind} reference, but it is N/A; "
            f"name one with --override {kind}=FILE"
        )
        raise ReferenceFileError(msg)
    return reference


def run(ramp: Ramp, references: References, parameters: RampFitParameters) -> tuple[Rates, Status]:
    """Fit an exposure; pixels without gain or read noise are flagged in its PIXELDQ."""
    gain_reference = needed(references, "gain", ramp.metadata)
    noise_reference = needed(references, "readnoise", ramp.metadata)
    rateints, rate = fit_slopes(
        ramp.data,
        ramp.groupdq,
        ramp.pixeldq,
        gain=usable_gain(gain_reference, ramp.pixeldq),
        readnoise=usable_readnoise(noise_reference, ramp.pixeldq),
        dark_current=ramp.average_dark_current,
        zeroframe=ramp.zeroframe,
        timing=Timing.of(ramp.metadata),
        bounds=group_bounds(ramp, parameters),
        suppress_one_group=parameters.suppress_one_group,
    )
    lost = int(np.count_nonzero(np.isnan(rate[0])))
    logger.info("%d of %d pixels have no slope", lost, rate[0].size)
    if lost == rate[0].size:
        logger.warning("%s: no pixel has a slope", ramp.metadata.source)
    rates = Rates(image_of(rate, ramp.metadata), image_of(rateints, ramp.metadata))
    if "INT_TIMES" in ramp.tables:
        rates.rateints.tables["INT_TIMES"] = ramp.tables["INT_TIMES"]
    return rates, COMPLETE


STEP = Step(
    name="ramp_fit",
    keyword="S_RAMP",
    meaning="Fit the slope of every ramp.",
    parameters=RampFitParameters,
    run=run,
    references=("gain", "readnoise"),
)
