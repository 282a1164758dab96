"""Why figures of the two differ beyond rounding: one named reason for each such figure."""

from dataclasses import dataclass
from fnmatch import fnmatch

# Differences up to here are rounding of float32 (an intensity of 65,000 DN has steps of 0.004 DN).
ROUNDING = 2e-3


@dataclass(frozen=True)
class Reason:
    """Where it applies (patterns of case, step, extension) and what it is."""

    case: str
    step: str
    what: str
    text: str


EMI = (
    "emicorr `joint`: pixels that share a bin of phase are taken at their mean phase, not at the "
    "middle of the bin, and integrations at their own phases: in SUB64 the wave found differs by "
    "0.4 % of itself (rms 0.017 of 4.1 DN), and less of it is left."
)
EMI_RATES = (
    "What emicorr leaves (above), seen in the rates. The weights of the fit change in steps of the "
    "ramp's signal-to-noise ratio: single pixels at such a step move by up to 0.2 ERR; a few jumps "
    "at the limit are flagged by one only, and move more."
)

IRS2 = (
    "IRS2 refpix: the official step marks what is missing by zero, also after the mean over the "
    "groups is subtracted, so that a sample equal to that mean counts as a gap of the reference "
    "output, or keeps its straight line if it is a pixel; ours keeps what is missing apart. Raw "
    "counts are whole numbers, and with few groups many equal their mean. Proof: with random "
    "fractions of 0.01 DN added to the same input, 99.9 % of the samples agree within 0.0002 DN, "
    "and all but one within 0.004 DN."
)
IRS2_RATES = (
    "What IRS2 refpix leaves (above), seen in the rates; jumps at the limit are flagged by one "
    "only, and the weights of the fit change in steps of the ramp's signal-to-noise ratio."
)
LIKELY = (
    "LIKELY: with one frame a group only the difference before a flagged group is left out, not "
    "that after it, too; groups flagged PERSISTENCE are used."
)
LIKELY_NONE = "LIKELY: ERR and variances of a ramp without slope are 0, as with OLS_C, not NaN."

REASONS: tuple[Reason, ...] = (
    Reason("nirspec-irs2", "refpix", "SCI", IRS2),
    Reason("nirspec-irs2", "whole chain", "rate*", IRS2_RATES),
    Reason("nircam-options", "ramp_fit", "rate*", LIKELY),
    Reason("nircam-options", "whole chain", "rate*", LIKELY),
    Reason("nircam-options", "*", "rate* ERR", LIKELY_NONE),
    Reason("nircam-options", "*", "rate* VAR_*", LIKELY_NONE),
    Reason("miri*", "emicorr", "SCI", EMI),
    Reason("miri*", "whole chain", "rate*", EMI_RATES),
)


def reasons_of(case: str, step: str, what: str) -> list[str]:
    """Return the texts that apply to a figure."""
    return [
        reason.text
        for reason in REASONS
        if fnmatch(case, reason.case) and fnmatch(step, reason.step) and fnmatch(what, reason.what)
    ]
