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
    "middle of the bin, and integrations at their own phases: the wave found differs by 0.4 % of "
    "itself (rms 0.017 of 4.1 DN)."
)
EMI_RATES = (
    "What emicorr leaves (above), seen in the rates. The weights of the fit change in steps of the "
    "ramp's signal-to-noise ratio: single pixels at such a step move by up to 0.2 ERR."
)

REASONS: tuple[Reason, ...] = (
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
