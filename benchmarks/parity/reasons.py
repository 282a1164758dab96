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


REASONS: tuple[Reason, ...] = ()


def reasons_of(case: str, step: str, what: str) -> list[str]:
    """Return the texts that apply to a figure."""
    return [
        reason.text
        for reason in REASONS
        if fnmatch(case, reason.case) and fnmatch(step, reason.step) and fnmatch(what, reason.what)
    ]
