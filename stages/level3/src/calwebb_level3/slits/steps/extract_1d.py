"""extract_1d: the spectrum of each source in one dimension.

It is extracted from the rectified average of all exposures; where the exposures were not put on a
common grid, from each of them. Aperture, background, correction and lost pixels are those of
stage 2, see `calwebb_core.science.spectral.extract_1d`.
"""

from dataclasses import replace

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.references import References
from calwebb_core.framework.spectra import Spectra
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_core.science.spectral.extract_1d_options import TYPES, Extract1dParameters, types_of
from calwebb_level3.slits.sources import Source, SourceSet


def references_for(parameters: Extract1dParameters) -> tuple[str, ...]:
    """Return the types that are used."""
    return types_of(parameters)


def run(
    sources: SourceSet, references: References, parameters: Extract1dParameters
) -> tuple[SourceSet, Status]:
    """Extract the spectra; they are put in the sources.

    Raises
    ------
    InputError, ReferenceFileError
        As `calwebb_core.science.spectral.extract_1d.extract_part`.
    """
    from calwebb_core.science.spectral.emptiness import warn_of_nothing
    from calwebb_core.science.spectral.extract_1d import ExtractionFiles

    metadata = sources.metadata
    files = ExtractionFiles.of(references.load, metadata, parameters)
    for source in sources.sources:
        source.extracted = spectra_of(source, metadata, files, parameters)
        warn_of_nothing(source.extracted)
    return sources, COMPLETE


def spectra_of(
    source: Source, metadata: Metadata, files: object, parameters: Extract1dParameters
) -> Spectra:
    """Return the spectrum of a source, or one an exposure."""
    from calwebb_core.framework.spectra import SpectralImage
    from calwebb_core.science.spectral.extract_1d import ExtractionFiles, extract_part
    from calwebb_core.science.spectral.extraction_images import of_slit

    assert isinstance(files, ExtractionFiles)  # noqa: S101 - made above
    pairs = list(zip(source.spectra, source.keywords, strict=True))
    if source.resampled is not None:
        pairs = [(source.resampled, source.resampled.metadata)]
        # an average has a negative star on both sides
        parameters = replace(parameters, model_nod_pair=False)
    images = list[SpectralImage]()
    found = [
        extract_part(part, keywords, files, parameters, images=images) for part, keywords in pairs
    ]
    if source.resampled is None and source.name:
        images = of_slit(images, source.name)
    return Spectra(metadata.copy(), found, {}, "x1d", images)


STEP = Step(
    name="extract_1d",
    keyword="S_EXTR1D",
    meaning="Sum up the spectra of the sources.",
    parameters=Extract1dParameters,
    run=run,
    references=TYPES,
    references_for=references_for,
)
