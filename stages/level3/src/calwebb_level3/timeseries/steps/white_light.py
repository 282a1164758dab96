"""white_light: add up the spectra of a time series to its light curve.

For each integration, detector and spectral order the fluxes of all wavelengths are added, from
`min_wavelength` to `max_wavelength`. Times are the middles of the integrations.

A flux that is missing in one integration would dim it; the median of the others stands in, scaled
to the integration's brightness (`fill`). With ``fill = false`` missing fluxes count as nothing,
as in the official step.
"""

import logging
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_level3.timeseries.series import TimeSeries
from calwebb_level3.timeseries.white import Range, light_curves

logger = logging.getLogger(__name__)

HEAD = {
    "instrument": "INSTRUME",
    "exp_type": "EXP_TYPE",
    "subarray": "SUBARRAY",
    "filter": "FILTER",
    "pupil": "PUPIL",
    "target_name": "TARGNAME",
}


@dataclass(frozen=True)
class WhiteLightParameters:
    """Options of white_light; names as in the official step."""

    min_wavelength: float | None = option(None, "Shortest wavelength that counts, micrometres.")
    max_wavelength: float | None = option(None, "Longest wavelength that counts, micrometres.")
    fill: bool = option(True, "Estimate fluxes that are missing in some integrations only.")


def run(
    series: TimeSeries,
    references: Any,  # noqa: ARG001
    parameters: WhiteLightParameters,
) -> tuple[TimeSeries, Status]:
    """Make the light curve of the extracted spectra; it is put in the series."""
    if series.spectra is None or not series.spectra.spectra:
        msg = f"{series.metadata.source}: white_light needs extracted spectra: run extract_1d first"
        raise InputError(msg)
    limits = Range(parameters.min_wavelength, parameters.max_wavelength)
    if limits.low is not None and limits.high is not None and limits.low >= limits.high:
        msg = (
            f"white_light: min_wavelength is {limits.low}, max_wavelength {limits.high}; expected "
            "the first to be the smaller"
        )
        raise InputError(msg)
    table, filled = light_curves(series.spectra, limits, fill=parameters.fill)
    if filled:
        logger.warning("white_light: %d fluxes are missing and were estimated", filled)
    table.meta.update(head(series.metadata))
    series.white_light = table
    return series, COMPLETE


def head(metadata: Metadata) -> dict[str, Any]:
    """Return what a light curve says of its exposure."""
    return {name: metadata.get(keyword) for name, keyword in HEAD.items()}


STEP = Step(
    name="white_light",
    keyword="S_WHTLIT",
    meaning="Add up the spectra of a time series to its light curve.",
    parameters=WhiteLightParameters,
    run=run,
)
