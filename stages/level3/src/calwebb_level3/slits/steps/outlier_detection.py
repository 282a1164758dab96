"""outlier_detection: flag what only one of several exposures of a spectrum sees.

The median of all exposures at the sky position and wavelength of each pixel is the model; a pixel
that differs from it by more than noise and slope explain, ``|SCI - model| > scale * slope + snr *
ERR``, in two passes as for images, is an outlier. It gets OUTLIER and DO_NOT_USE in DQ, and NaN
in SCI, ERR and VAR_*.

Other exposures are read between their pixels where the exposure's pixels look, so that nothing is
resampled twice. The step is skipped for a single exposure; a slit that only one exposure shows is
passed over.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.dq import bits_of
from calwebb_level3.slits.sources import Source, SourceSet
from calwebb_level3.steps.outlier_detection import pair

logger = logging.getLogger(__name__)
# More than this is no cosmic ray rate but a misalignment or a wrong error array.
SUSPICIOUS_FRACTION = 0.1


@dataclass(frozen=True)
class OutlierDetectionParameters:
    """Options of outlier_detection for spectra; names as in the official step."""

    snr: str = option("5.0 4.0", "Noise limits of the first and second pass.")
    scale: str = option("1.2 0.7", "Slope limits of the first and second pass.")
    good_bits: str = option("~DO_NOT_USE", "Flags of pixels to use nevertheless.")


def run(
    sources: SourceSet,
    references: Any,  # noqa: ARG001
    parameters: OutlierDetectionParameters,
) -> tuple[SourceSet, Status]:
    """Flag outliers of all spectra, in place.

    Raises
    ------
    InputError
        If a limit is no number or a flag is unknown.
    """
    snr, scale = pair(parameters.snr, "snr"), pair(parameters.scale, "scale")
    try:
        good_bits = bits_of(parameters.good_bits)
    except ValueError as error:
        msg = f"outlier_detection.good_bits is {parameters.good_bits!r}: {error}"
        raise InputError(msg) from error
    if len(sources.exposures) < 2:
        return sources, skipped("one exposure: there is none to compare it with")
    for source in sources.sources:
        if len(source.spectra) > 1:
            flag(source, snr, scale, good_bits)
    return sources, COMPLETE


def flag(
    source: Source, snr: tuple[float, float], scale: tuple[float, float], good_bits: int
) -> None:
    """Flag the outliers of one source and say how many there are."""
    from calwebb_level3.slits.outliers import find_in_exposures, mark

    found = find_in_exposures(source.spectra, snr=snr, scale=scale, good_bits=good_bits)
    for spectrum, keywords, (hits, tested) in zip(
        source.spectra, source.keywords, found, strict=True
    ):
        count = int(np.count_nonzero(hits))
        fraction = count / tested if tested else 0.0
        mark(spectrum, hits)
        logger.log(
            logging.WARNING if fraction > SUSPICIOUS_FRACTION else logging.INFO,
            "outlier_detection: %s%s: %d outliers, %.3f %% of %d tested pixels",
            keywords.source,
            f" {source.name}" if source.name else "",
            count,
            100 * fraction,
            tested,
        )


def warm() -> None:
    """Load the step's kernels."""
    import calwebb_level3.kernels.outliers  # noqa: F401


STEP = Step(
    name="outlier_detection",
    keyword="S_OUTLIR",
    meaning="Flag what only one of several exposures of a spectrum sees.",
    parameters=OutlierDetectionParameters,
    run=run,
    warm=warm,
)
