"""combine_1d: the spectra of a source from several exposures as one.

It has something to do where the exposures were not put on a common grid, so that each has a
spectrum of its own: with resample_spec left out. Their mean is weighted by exposure time, see
`calwebb_core.science.spectral.combining`. The product is `_c1d`.
"""

from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.parameters import option
from calwebb_core.framework.spectra import Spectra
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_level3.slits.sources import Source, SourceSet


@dataclass(frozen=True)
class Combine1dParameters:
    """Options of combine_1d; names as in the official step."""

    exptime_key: str = option(
        "exposure_time",
        "Weight of a spectrum.",
        choices=("exposure_time", "integration_time", "unit_weight"),
    )
    sigma_clip: float | None = option(
        None, "Leave values out that are so many times the scatter off the median.", minimum=0
    )


def run(
    sources: SourceSet,
    references: Any,  # noqa: ARG001
    parameters: Combine1dParameters,
) -> tuple[SourceSet, Status]:
    """Combine the spectra of each source; they are put in it.

    Raises
    ------
    InputError
        If no spectrum of a source has a usable value, or an exposure time is missing.
    """
    several = [
        source
        for source in sources.sources
        if source.extracted is not None and len(source.extracted.spectra) > 1
    ]
    if not several:
        return sources, skipped("each source has one spectrum: there is nothing to combine")
    for source in several:
        source.combined = combined(source, parameters)
    return sources, COMPLETE


def combined(source: Source, parameters: Combine1dParameters) -> Spectra:
    """Return the mean spectrum of a source."""
    from calwebb_core.science.spectral.combining import combine

    assert source.extracted is not None  # noqa: S101 - asked by the caller
    products = [
        Spectra(keywords, [spectrum])
        for keywords, spectrum in zip(source.keywords, source.extracted.spectra, strict=True)
    ]
    found = combine(products, exptime_key=parameters.exptime_key, sigma_clip=parameters.sigma_clip)
    found.metadata = source.extracted.metadata.copy()
    return found


STEP = Step(
    name="combine_1d",
    keyword="S_COMB1D",
    meaning="Combine the spectra of several exposures.",
    parameters=Combine1dParameters,
    run=run,
)
