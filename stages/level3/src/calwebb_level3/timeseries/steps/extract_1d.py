"""extract_1d: the spectra of all integrations of all segments, one segment at a time.

Aperture, background, correction and what becomes of lost pixels are those of stage 2 (see
`calwebb_core.science.spectral.extract_1d`). What the outlier detection flagged is lost, too: its
light is estimated from the spatial profile, so that a flagged pixel does not dim the star.

The product is `_x1dints` with one row an integration and its times from INT_TIMES.
"""

from collections.abc import Iterator

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Image
from calwebb_core.framework.references import References
from calwebb_core.framework.spectra import Spectra
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_core.science.spectral.extract_1d_options import OPTIMAL, Extract1dParameters
from calwebb_level3.timeseries.series import Segment, TimeSeries


def references_for(parameters: Extract1dParameters) -> tuple[str, ...]:
    """Return the types that are used."""
    return ("extract1d", "apcorr") if parameters.apply_apcorr else ("extract1d",)


def run(
    series: TimeSeries, references: References, parameters: Extract1dParameters
) -> tuple[TimeSeries, Status]:
    """Extract the spectra; they are put in the series.

    Raises
    ------
    InputError
        If optimal extraction is asked for, or images of the extraction.
    InputError, ReferenceFileError
        As `calwebb_core.science.spectral.extract_1d.extract_spectra`.
    """
    from calwebb_core.science.spectral.extract_1d import ExtractionFiles, extract_spectra
    from calwebb_level3.timeseries.joining import joined

    if parameters.extraction_type == OPTIMAL:
        msg = (
            f"{series.metadata.source}: calwebb-tso3 sums up apertures only; leave out "
            "extraction_type=optimal, or fit profiles in calwebb-spec2 or calwebb-spec3"
        )
        raise InputError(msg)
    if parameters.images:
        msg = (
            f"{series.metadata.source}: calwebb-tso3 writes no profiles, scenes and residuals; set "
            "save_profile, save_scene_model, save_residual_image in calwebb-spec2"
        )
        raise InputError(msg)

    def segments() -> Iterator[Spectra]:
        for part in series.parts():
            metadata = part.segments[0].metadata
            files = ExtractionFiles.of(references.load, metadata, parameters)
            for segment in part.segments:
                yield extract_spectra(loaded(series, segment), files, parameters)

    series.spectra = joined(series.metadata, segments())
    return series, COMPLETE


def loaded(series: TimeSeries, segment: Segment) -> Image:
    """Return the images of a segment, bad pixels estimated if that is wanted."""
    image = segment.load()
    return image if series.replacing is None else series.replacing(image)


STEP = Step(
    name="extract_1d",
    keyword="S_EXTR1D",
    meaning="Sum up the spectra of the source, integration by integration.",
    parameters=Extract1dParameters,
    run=run,
    references=("extract1d", "apcorr"),
    references_for=references_for,
)
