"""white_light: add up the spectra of a time series to its light curve.

For each integration, detector and spectral order the fluxes of all wavelengths are added, from
`min_wavelength` to `max_wavelength`. Times are the middles of the integrations.

A flux that is missing in one integration would dim it; the median of the others stands in, scaled
to the integration's brightness (`fill`). With ``fill = false`` missing fluxes count as nothing,
as in the official step.
"""

import logging
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.light_curves import LightCurve
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameters import option
from calwebb_core.framework.spectra import Spectra
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_level3.timeseries.series import TimeSeries
from calwebb_level3.timeseries.white import Range, light_curves

logger = logging.getLogger(__name__)

TIME: Final = "MJD_UTC"
FLUX: Final = "whitelight_flux"
ERROR: Final = "whitelight_flux_error"
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
    """Make the light curve of the extracted spectra; it is put in the series.

    Raises
    ------
    InputError
        If there are no extracted spectra, or the range of wavelengths is none of theirs.
    """
    if series.metadata.get("S_EXTR1D") == "SKIPPED":
        return series, skipped("extract_1d is left out: there are no spectra")
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
    check_range(series.spectra, limits)
    table, filled = light_curves(series.spectra, limits, fill=parameters.fill)
    if filled:
        logger.warning("white_light: %d fluxes are missing and were estimated", filled)
    warn_of_nothing(table, series.metadata.source)
    table.meta.update(head(series.metadata))
    series.white_light = table
    return series, COMPLETE


def check_range(spectra: Spectra, limits: Range) -> None:
    """Refuse limits that hold no wavelength of the spectra.

    Raises
    ------
    InputError
        If so.
    """
    # all integrations have the wavelengths of the first
    known = [np.asarray(spectrum.columns["WAVELENGTH"][0]) for spectrum in spectra.spectra]
    if any(limits.holds(wave).any() for wave in known):
        return
    lit = np.concatenate([wave[np.isfinite(wave)] for wave in known])
    seen = f"{lit.min():.4g} to {lit.max():.4g} um" if lit.size else "no wavelengths"
    msg = (
        f"white_light: min_wavelength is {limits.low}, max_wavelength {limits.high}; the spectra "
        f"of {spectra.metadata.source} have {seen}, expected some of them in between"
    )
    raise InputError(msg)


def warn_of_nothing(table: LightCurve, source: str) -> None:
    """Warn of integrations that have no flux at all."""
    for name in table.columns:
        if not name.startswith(FLUX) or name.startswith(ERROR):
            continue
        clock = f"{TIME}_{name.rpartition('_')[2]}"
        taken = np.isfinite(table.columns[clock if clock in table.columns else TIME])
        empty = int(np.count_nonzero(taken & ~np.isfinite(table.columns[name])))
        if empty:
            logger.warning(
                "%s: %d of %d integrations have no flux at any wavelength (%s)",
                source, empty, np.count_nonzero(taken), name,
            )  # fmt: skip


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
