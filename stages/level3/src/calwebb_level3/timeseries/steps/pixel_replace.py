"""pixel_replace: estimate the values of bad pixels before spectra are summed up.

See `calwebb_core.science.spectral.replacing` for how. Acts on each segment when it is extracted:
`_crfints` keep their NaN. Off by default: extract_1d itself estimates lost pixels of the aperture.
"""

from typing import Any

from calwebb_core.framework.models import Image
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_level3.replacing import PixelReplaceParameters, check_algorithm, replaced
from calwebb_level3.timeseries.series import TimeSeries


def run(
    series: TimeSeries,
    references: Any,  # noqa: ARG001
    parameters: PixelReplaceParameters,
) -> tuple[TimeSeries, Status]:
    """Have the bad pixels of each segment estimated before it is extracted.

    Raises
    ------
    InputError
        If the algorithm needs a model of the trace.
    """
    check_algorithm(series.metadata.source, parameters)

    def replacing(image: Image) -> Image:
        return replaced(image, image.metadata, parameters)

    series.replacing = replacing
    return series, COMPLETE


STEP = Step(
    name="pixel_replace",
    keyword="S_PXREPL",
    meaning="Estimate the flux of bad pixels.",
    parameters=PixelReplaceParameters,
    run=run,
    skip=True,
)
