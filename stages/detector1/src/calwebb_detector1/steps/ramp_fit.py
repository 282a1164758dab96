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

Groups flagged CHARGELOSS are not used, but VAR_R is what it would be if they were: weights made of
it then do not depend on how bright a pixel is.

With `algorithm=LIKELY` the slope is the likeliest one, given the covariance of the differences of
groups (`calwebb_detector1.ramp_likelihood`). A search for jumps belongs to it, which
`likelihood_jumps` turns off, or on for OLS_C; it can take the place of the step jump
(`--skip jump`) or follow it. `save_opt` writes `_fitopt` (every segment's line and noise, see
`calwebb_detector1.ramp_optional`), or with LIKELY `_likely_chisq`.

DQ: the pixel's flags; JUMP_DET, SATURATED, PERSISTENCE if a group has them; DO_NOT_USE, NaN and
zero variances where nothing is left to fit; UNRELIABLE_SLOPE above a limit of chi-square, if one is
set. Needs the GAIN and READNOISE references.
"""

import logging
from dataclasses import replace

import numpy as np

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Planes, Ramp, Rates
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_detector1.arrays import usable_gain, usable_readnoise
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.census import Census, Groups
from calwebb_detector1.ramp_fitting import CHISQ, RampFitParameters, choose_fit
from calwebb_detector1.ramp_optional import Planes as Arrays
from calwebb_detector1.ramp_slopes import fit_slopes
from calwebb_detector1.rates import Timing
from calwebb_detector1.together import fit_ramps

__all__ = ["STEP", "RampFitParameters", "Timing", "fit_slopes", "group_bounds", "run"]

logger = logging.getLogger(__name__)


def group_bounds(unusable: Groups, parameters: RampFitParameters, source: str) -> tuple[int, int]:
    """Return the first group to use and the one after the last.

    Groups at either end that no pixel can use in any integration (`unusable`, (nints, ngroups))
    are left out.

    Raises
    ------
    InputError
        If `firstgroup` and `lastgroup` leave no group.
    """
    ngroups = unusable.shape[1]
    first = parameters.firstgroup or 0
    last = ngroups - 1 if parameters.lastgroup is None else min(parameters.lastgroup, ngroups - 1)
    if first > last:
        msg = (
            f"{source}: ramp_fit.firstgroup {first} and lastgroup {last} leave "
            f"none of {ngroups} groups; expected firstgroup <= lastgroup < {ngroups}"
        )
        raise InputError(msg)
    nobody: Groups = np.all(unusable, axis=0)
    while first < last and nobody[first]:
        first += 1
    while last > first and nobody[last]:
        last -= 1
    return first, last + 1


def name_of(option: str, value: str | None) -> str | None:
    """Return the root that a product shall have, without extension and suffix.

    Raises
    ------
    InputError
        If it has a folder in it: products stay in the output folder.
    """
    if value is None or not value:
        return None
    if "/" in value or "\\" in value:
        msg = f"ramp_fit.{option} is {value!r}; expected the root of a file name, without folder"
        raise InputError(msg)
    root = value.removesuffix(".fits")
    for suffix in ("_fitopt", "_likely_chisq", "_rateints"):
        root = root.removesuffix(suffix)
    return root


def names_of(parameters: RampFitParameters) -> tuple[str | None, str | None]:
    """Return the roots of the names of `_rateints` and of optional products, None for the usual."""
    return name_of("int_name", parameters.int_name), name_of("opt_name", parameters.opt_name)


def add_extras(rates: Rates, arrays: Arrays, parameters: RampFitParameters) -> None:
    """Add the optional products of a fit and the names that the options ask for."""
    rates.rateints_root, root = names_of(parameters)
    if not arrays:
        return
    metadata = rates.metadata.copy()
    if CHISQ in arrays:
        rates.extras.append(
            Planes(metadata, "ImageModel", "likely_chisq", {"SCI": arrays[CHISQ]}, root)
        )
    else:
        rates.extras.append(Planes(metadata, "RampFitOutputModel", "fitopt", arrays, root))


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


def joins(_: Metadata, parameters: RampFitParameters) -> bool:
    """Say whether the fit can share a pass with other steps: it makes no optional product."""
    return not parameters.save_opt and not parameters.int_name


def prepare(
    exposure: Exposure, references: References, parameters: RampFitParameters
) -> Correction:
    """Read gain and read noise; pixels without are flagged in PIXELDQ."""
    names_of(parameters)  # a bad one is better found before than after all the work
    metadata = exposure.metadata
    own_gain, own_noise = (needed(references, kind, metadata) for kind in ("gain", "readnoise"))
    gain = exposure.share("gain", lambda: usable_gain(own_gain, exposure.pixeldq))
    readnoise = exposure.share("readnoise", lambda: usable_readnoise(own_noise, exposure.pixeldq))
    dark_current = exposure.average_dark_current
    census = Census(exposure, "ramp_fit")
    bounds = group_bounds(census.assumed, parameters, metadata.source)
    fit = choose_fit(parameters, Timing.of(metadata), bounds, exposure.shape[0])
    fit = replace(fit, typical=exposure.typical_groups)

    def apply(block: Block) -> int:
        census.add(block)
        block.rates, block.optional = fit(
            block.data,
            block.groupdq,
            block.pixeldq,
            gain=block.window.cut(gain),
            readnoise=block.window.cut(readnoise),
            dark_current=None if dark_current is None else block.window.cut(dark_current),
            zeroframe=block.zeroframe,
        )
        return int(np.count_nonzero(np.isnan(block.inner(block.rates[1][0]))))

    def finish(lost: int) -> None:
        census.check()
        logger.info("%d of %d pixels have no slope", lost, gain.size)
        if lost == gain.size:
            logger.warning("%s: no pixel has a slope", metadata.source)

    return Correction(apply, changes_data=False, finish=finish)


def run(ramp: Ramp, references: References, parameters: RampFitParameters) -> tuple[Rates, Status]:
    """Fit ramps in memory, with optional products if the options ask for them."""
    rates, arrays = fit_ramps(prepare, ramp, references, parameters, parameters.save_opt)
    add_extras(rates, arrays, parameters)
    return rates, COMPLETE


STEP = Step(
    name="ramp_fit",
    keyword="S_RAMP",
    meaning="Fit the slope of every ramp.",
    parameters=RampFitParameters,
    run=run,
    prepare=prepare,
    joins=joins,
    references=("gain", "readnoise"),
)
