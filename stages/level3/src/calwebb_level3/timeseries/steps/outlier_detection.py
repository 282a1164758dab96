"""outlier_detection: flag values of single integrations that stand off from the others.

Each pixel's level is the median of `rolling_window_width` integrations around; a value that is
farther from it than `snr` times its noise is an outlier: it gets OUTLIER and DO_NOT_USE in DQ and
NaN in SCI, ERR and VAR_*. Windows reach across the borders of segments.

ERR alone is no measure of the noise of a bright star: pointing that drifts by 0.6
milliarcseconds moves the wings of its image by many times their photon noise, and whole
integrations would be flagged. So shifts and a change of brightness are fitted to each image and
taken off (`drift`), and the noise is at least the pixel's own scatter along time, from the
quartiles of its window (`noise`). With ``noise = err`` and ``drift = false`` the step is the
official one.

The step is skipped for fewer than three integrations.
"""

import logging
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.dq import bits_of
from calwebb_level3.timeseries.outliers import Rule, find_outliers, mark
from calwebb_level3.timeseries.series import Part, TimeSeries

logger = logging.getLogger(__name__)

LEAST = 3
# More than this is no cosmic ray rate but a wrong error array.
SUSPICIOUS_FRACTION = 0.05


@dataclass(frozen=True)
class OutlierDetectionParameters:
    """Options of outlier_detection for time series; names as in the official step."""

    snr: str = option("5.0 4.0", "Noise limit; of several numbers the first.")
    rolling_window_width: int = option(25, "Integrations in the moving median.", minimum=3)
    good_bits: str = option("~DO_NOT_USE", "Flags of values to use nevertheless.")
    noise: str = option(
        "scatter",
        "Noise of a value: ERR, and at least the pixel's scatter along time; or ERR alone.",
        choices=("scatter", "err"),
    )
    drift: bool = option(True, "Allow for motion and changes of brightness of the whole image.")


def rule_of(parameters: OutlierDetectionParameters) -> Rule:
    """Return what tells an outlier.

    Raises
    ------
    InputError
        If `snr` is no positive number or `good_bits` names no flags.
    """
    words = parameters.snr.replace(",", " ").split()
    try:
        snr = float(words[0])
        ignored = ~bits_of(parameters.good_bits) & 0xFFFFFFFF
    except (IndexError, ValueError) as error:
        msg = (
            f"outlier_detection: snr is {parameters.snr!r}, good_bits {parameters.good_bits!r}; "
            "expected a number such as 5.0 and names of flags such as ~DO_NOT_USE"
        )
        raise InputError(msg) from error
    if not snr > 0:
        msg = f"outlier_detection: snr is {parameters.snr!r}; expected a positive number"
        raise InputError(msg)
    width, scatter = parameters.rolling_window_width, parameters.noise == "scatter"
    return Rule(snr, width, parameters.drift, scatter, ignored)


def run(
    series: TimeSeries,
    references: Any,  # noqa: ARG001
    parameters: OutlierDetectionParameters,
) -> tuple[TimeSeries, Status]:
    """Mark outliers in the segments of the series, which is changed in place."""
    rule = rule_of(parameters)
    parts = series.parts()
    if all(part.shape[0] < LEAST for part in parts):
        return series, skipped(f"fewer than {LEAST} integrations: there is no level to leave")
    for part in parts:
        if part.shape[0] >= LEAST:
            flag(part, rule)
    return series, COMPLETE


def flag(part: Part, rule: Rule) -> None:
    """Mark the outliers of one detector and say how many there are."""
    count = tested = 0
    for block, hits, usable in find_outliers(part, rule):
        mark(part, block, hits)
        count += int(hits.sum())
        tested += int(usable.sum())
    fraction = count / tested if tested else 0.0
    logger.log(
        logging.WARNING if fraction > SUSPICIOUS_FRACTION else logging.INFO,
        "outlier_detection: %s: %d outliers, %.4f %% of %d values in %d segments",
        part.segments[0].metadata.source,
        count,
        100 * fraction,
        tested,
        len(part.segments),
    )


def warm() -> None:
    """Load the step's kernels."""
    import calwebb_level3.kernels.pointing
    import calwebb_level3.kernels.rolling  # noqa: F401


STEP = Step(
    name="outlier_detection",
    keyword="S_OUTLIR",
    meaning="Flag values of single integrations that stand off from the others.",
    parameters=OutlierDetectionParameters,
    run=run,
    warm=warm,
)
