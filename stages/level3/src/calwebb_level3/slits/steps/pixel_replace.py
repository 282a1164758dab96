"""pixel_replace: estimate the values of bad pixels before spectra are rectified.

See `calwebb_core.science.spectral.replacing` for how. Acts on copies: `_crf` keep their NaN. Off by
default.
"""

from typing import Any

from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_level3.replacing import PixelReplaceParameters, check_algorithm, replaced
from calwebb_level3.slits.sources import SourceSet


def run(
    sources: SourceSet,
    references: Any,  # noqa: ARG001
    parameters: PixelReplaceParameters,
) -> tuple[SourceSet, Status]:
    """Estimate the bad pixels of all spectra; the exposures stay as they are.

    Raises
    ------
    InputError
        If the algorithm needs a model of the trace.
    """
    check_algorithm(sources.metadata.source, parameters)
    for source in sources.sources:
        source.spectra = [
            replaced(spectrum, keywords, parameters)
            for spectrum, keywords in zip(source.spectra, source.keywords, strict=True)
        ]
    return sources, COMPLETE


STEP = Step(
    name="pixel_replace",
    keyword="S_PXREPL",
    meaning="Estimate the flux of bad pixels.",
    parameters=PixelReplaceParameters,
    run=run,
    skip=True,
)
