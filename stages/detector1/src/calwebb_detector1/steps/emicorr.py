"""emicorr: remove the waves that electromagnetic interference leaves in MIRI's data.

Waves of fixed frequencies (390.625 Hz, 10.039 Hz, ...) add to the samples as they are read. The
EMICORR reference says at which clock cycles a subarray's pixels are read, which waves it has, and
the shape of one period of each; the waves are found and subtracted one after the other.

- *joint*: amplitude and phase of the wave are fitted together with a straight line for every
  steady ramp (`calwebb_detector1.emi.joint`); three groups are enough.
- *sequential*: straight lines are taken away first and the rest is folded at the frequency
  (`calwebb_detector1.emi.sequential`); wants ten groups. It alone can do without a known shape:
  with `onthefly_corr_freq` the folded wave itself is subtracted and no reference file is used.

Sets no flags. Off unless asked for. Does not run for other instruments, averaged patterns, fewer
than three groups, or where the reference is N/A or does not list the subarray.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.models import Ramp
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_detector1.emi import joint, sequential
from calwebb_detector1.emi.reference import (
    OUTPUTS,
    PATTERNS,
    Clocks,
    Timing,
    Wave,
    case_of,
    given_frequencies,
    read_case,
)

logger = logging.getLogger(__name__)

JOINT, SEQUENTIAL = "joint", "sequential"
MINIMUM = {JOINT: 3, SEQUENTIAL: 4}
ADVISED_FOR_SEQUENTIAL = 10


@dataclass(frozen=True)
class EmicorrParameters:
    """Options of the step emicorr."""

    algorithm: str = option(
        JOINT, "fit waves together with the ramps, or after them", choices=(JOINT, SEQUENTIAL)
    )
    nints_to_phase: int | None = option(
        None, "sequential: integrations to find the wave in; none: see use_n_cycles", minimum=1
    )
    nbins: int | None = option(
        None, "sequential: bins of phase; none: two clock cycles each", minimum=4
    )
    scale_reference: bool = option(True, "sequential: scale the known shape to what is found")
    onthefly_corr_freq: tuple[float, ...] | None = option(
        None, "frequencies to correct without a reference file (sequential)", unit="Hz"
    )
    use_n_cycles: int | None = option(
        3, "sequential: find the wave in so many of its periods; none: all integrations", minimum=1
    )
    fit_ints_separately: bool = option(False, "joint: fit each integration by itself")


def algorithm_of(parameters: EmicorrParameters) -> str:
    """Return which algorithm is used: only the sequential one works without known shapes."""
    return parameters.algorithm if parameters.onthefly_corr_freq is None else SEQUENTIAL


def remove_waves(
    ramp: Ramp, clocks: Clocks, waves: list[Wave], parameters: EmicorrParameters
) -> list[Wave]:
    """Subtract waves one after the other in place; return those that were folded."""
    timing = Timing.of(ramp.metadata, clocks, ramp.data.shape[2])
    if algorithm_of(parameters) == JOINT:
        for wave in waves:
            remove_jointly(ramp, wave, timing, parameters)
        return []
    return [remove_in_sequence(ramp, wave, timing, clocks, parameters) for wave in waves]


def remove_jointly(ramp: Ramp, wave: Wave, timing: Timing, parameters: EmicorrParameters) -> None:
    """Fit one wave together with the ramps and subtract it in place."""
    fits = joint.remove_wave(
        ramp.data, ramp.pixeldq, wave, timing, separately=parameters.fit_ints_separately
    )
    logger.info(
        "%s, %g Hz: %g of the reference's amplitude, phase %.4f",
        wave.name,
        wave.frequency,
        fits[0].amplitude,
        fits[0].phase,
    )


def remove_in_sequence(
    ramp: Ramp, wave: Wave, timing: Timing, clocks: Clocks, parameters: EmicorrParameters
) -> Wave:
    """Fold and subtract one wave in place; return it as it was folded."""
    nints, ngroups = ramp.data.shape[:2]
    nfolded = sequential.integrations_to_fold(
        nints,
        parameters.nints_to_phase,
        parameters.use_n_cycles,
        wave.period,
        clocks.frame * ngroups,
    )
    found = sequential.remove_wave(
        ramp.data,
        wave,
        timing,
        nfolded=nfolded,
        nbins=parameters.nbins,
        scale=parameters.scale_reference,
    )
    logger.info("%s, %g Hz: folded in %d integrations", wave.name, wave.frequency, nfolded)
    return found


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why an exposure cannot be corrected, as far as its keywords tell."""
    if metadata.get("INSTRUME") != "MIRI":
        return "only MIRI has this interference"
    pattern = str(metadata.get("READPATT", "")).upper()
    if pattern not in PATTERNS:
        return f"READPATT is {pattern or 'missing'}; it is done for {', '.join(PATTERNS)}"
    return None


def unfit(ramp: Ramp, algorithm: str) -> str | None:
    """Say why an exposure's arrays cannot be corrected."""
    ngroups, columns = ramp.data.shape[1], ramp.data.shape[3]
    if ngroups < MINIMUM[algorithm]:
        return f"{ngroups} groups; at least {MINIMUM[algorithm]} are needed"
    if columns % OUTPUTS:
        return f"{columns} columns are no multiple of the detector's {OUTPUTS} outputs"
    if algorithm == SEQUENTIAL and ngroups < ADVISED_FOR_SEQUENTIAL:
        logger.warning(
            "%s: %d groups are few for the sequential algorithm; the joint one wants %d",
            ramp.metadata.source,
            ngroups,
            MINIMUM[JOINT],
        )
    return None


def run(ramp: Ramp, references: References, parameters: EmicorrParameters) -> tuple[Ramp, Status]:
    """Remove the waves from an exposure in place."""
    reason = not_needed(ramp.metadata) or unfit(ramp, algorithm_of(parameters))
    if reason:
        return ramp, skipped(reason)
    if parameters.onthefly_corr_freq is not None:
        case = given_frequencies(parameters.onthefly_corr_freq, ramp.metadata)
        if case is None:
            return ramp, skipped(f"the clocks of {case_of(ramp.metadata)} are not known")
    else:
        reference = references.load("emicorr", ramp.metadata)
        if reference is None:
            return ramp, skipped("the emicorr reference is N/A")
        case = read_case(reference, ramp.metadata)
        if case is None:
            listed = f"{case_of(ramp.metadata)} for this READPATT and DETECTOR"
            return ramp, skipped(f"the emicorr reference has no wave for {listed}")
    remove_waves(ramp, *case, parameters)
    return ramp, COMPLETE


STEP = Step(
    name="emicorr",
    keyword="S_MIREMI",
    meaning="Remove the waves of electromagnetic interference from MIRI's data.",
    parameters=EmicorrParameters,
    run=run,
    references=("emicorr",),
    not_needed=not_needed,
    skip=True,
)
