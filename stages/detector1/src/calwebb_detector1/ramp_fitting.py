"""How the ramps of an exposure are fitted: the options of ramp_fit as one function of rows."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_core.framework.parameters import option
from calwebb_detector1.kernels.types import Float64
from calwebb_detector1.ramp_likelihood import (
    FEWEST_GROUPS,
    JumpLimits,
    find_likely_jumps,
    fit_likelihood,
    limits_by_freedom,
)
from calwebb_detector1.ramp_optional import Planes, optional_results
from calwebb_detector1.ramp_slopes import Groups, fit_slopes
from calwebb_detector1.rates import Product, Timing

logger = logging.getLogger(__name__)

CHISQ = "CHISQ"


@dataclass(frozen=True)
class RampFitParameters:
    """Options of the step ramp_fit."""

    algorithm: str = option(
        "OLS_C", "plain least squares, or the likelihood", choices=("OLS_C", "LIKELY")
    )
    suppress_one_group: bool = option(
        True, "drop ramps that have one good group among several (OLS_C)"
    )
    firstgroup: int | None = option(None, "first group to use, from 0", minimum=0)
    lastgroup: int | None = option(None, "last group to use, from 0", minimum=0)
    save_opt: bool = option(False, "also write _fitopt, or with LIKELY _likely_chisq")
    opt_name: str | None = option(None, "root of the name of those, instead of the exposure's")
    int_name: str | None = option(
        None, "root of the name of _rateints, instead of the exposure's (not in the workflow)"
    )
    likelihood_jumps: bool | None = option(
        None, "search for jumps by the likelihood before the fit; by default with LIKELY only"
    )
    jump_limit_one: float = option(
        20.25, "fall of chi-square without one difference that is a jump", minimum=0.0
    )
    jump_limit_two: float = option(
        23.8, "the same without two, where groups average reads", minimum=0.0
    )
    positive_jumps: bool = option(
        False, "only rises are jumps, as those of cosmic rays: fewer are false"
    )
    max_reduced_chisq: float | None = option(
        None, "with LIKELY: flag UNRELIABLE_SLOPE above this", minimum=0.0
    )
    min_chisq_probability: float | None = option(
        None, "with LIKELY: flag UNRELIABLE_SLOPE below this", minimum=0.0, maximum=1.0
    )


@dataclass(frozen=True)
class Fit:
    """A way of fitting that is the same for all rows of an exposure.

    Attributes
    ----------
    timing : Timing
    bounds : first group to use and the one after the last
    likelihood : fit by the likelihood instead of least squares
    jumps : limits of a search for jumps by the likelihood before, or None
    chisq_limits : float64, as `limits_by_freedom` returns
    suppress_one_group : drop ramps that have one good group among several
    optional : also return optional results
    typical : bool, (nints, ngroups): groups that are DO_NOT_USE for most pixels, if known
    """

    timing: Timing
    bounds: tuple[int, int]
    likelihood: bool
    jumps: JumpLimits | None
    chisq_limits: Float64
    suppress_one_group: bool
    optional: bool
    typical: Groups | None = None

    def __call__(
        self,
        data: Float32,
        groupdq: UInt8,
        pixeldq: UInt32,
        *,
        gain: Float32,
        readnoise: Float32,
        dark_current: Float32 | None = None,
        zeroframe: Float32 | None = None,
    ) -> tuple[tuple[Product, Product], Planes]:
        """Fit some rows; return (rateints, rate) and the optional results by name.

        Arguments as those of `fit_slopes`; jumps that the likelihood shows are flagged in
        `groupdq`.
        """
        common: dict[str, Any] = {
            "gain": gain,
            "readnoise": readnoise,
            "timing": self.timing,
            "bounds": self.bounds,
        }
        more: dict[str, Any] = {"dark_current": dark_current, "zeroframe": zeroframe}
        if self.likelihood:
            chisq = np.empty(pixeldq.shape, np.float32)
            more |= {"jumps": self.jumps, "chisq_limits": self.chisq_limits, "chisq": chisq}
            products = fit_likelihood(data, groupdq, pixeldq, **common, **more)
            return products, {CHISQ: chisq} if self.optional else {}
        if self.jumps is not None:
            find_likely_jumps(data, groupdq, pixeldq, jumps=self.jumps, **common)
        common |= {"suppress_one_group": self.suppress_one_group, **more}
        rateints, rate = fit_slopes(data, groupdq, pixeldq, typical=self.typical, **common)
        if not self.optional:
            return (rateints, rate), {}
        return (rateints, rate), optional_results(data, groupdq, slopes=rateints[0], **common)


def warn_of_unused(parameters: RampFitParameters, *, likelihood: bool, search: bool) -> None:
    """Warn of options that nothing will come of."""
    chisq = parameters.max_reduced_chisq is not None or parameters.min_chisq_probability is not None
    if chisq and not likelihood:
        logger.warning("limits of chi-square need algorithm=LIKELY; no ramp is flagged by them")
    if parameters.positive_jumps and not search:
        logger.warning("positive_jumps needs likelihood_jumps=true; no jumps are searched for")


def choose_fit(
    parameters: RampFitParameters, timing: Timing, bounds: tuple[int, int], nints: int
) -> Fit:
    """Return the fit that the options ask for, or least squares if there are too few groups."""
    ngroups = bounds[1] - bounds[0]
    likelihood = parameters.algorithm == "LIKELY"
    wanted = parameters.likelihood_jumps
    search = likelihood if wanted is None else wanted
    if (likelihood or search) and ngroups < FEWEST_GROUPS:
        logger.warning(
            "%d groups, but the likelihood needs %d: fitting by least squares (OLS_C)",
            ngroups,
            FEWEST_GROUPS,
        )
        likelihood = search = False
    warn_of_unused(parameters, likelihood=likelihood, search=search)
    limits = JumpLimits(
        parameters.jump_limit_one, parameters.jump_limit_two, parameters.positive_jumps
    )
    return Fit(
        timing,
        bounds,
        likelihood,
        limits if search else None,
        limits_by_freedom(
            nints * ngroups, parameters.max_reduced_chisq, parameters.min_chisq_probability
        ),
        parameters.suppress_one_group,
        parameters.save_opt,
    )
