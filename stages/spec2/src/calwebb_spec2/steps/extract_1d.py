"""extract_1d: the spectra of the sources in one dimension.

``F = sum w (d - b)`` across the dispersion, in an aperture w that the EXTRACT1D reference gives,
above a background b that is fitted beside it; for every integration of a time series, with its
times from INT_TIMES. Where the source need not be in the middle of its slit, the aperture follows
it. Light beyond the aperture is added by an APCORR reference for point sources. Pixels that are
lost (NaN, DO_NOT_USE) are estimated from the spatial profile: spectra flag that FLUX_ESTIMATED,
their errors grow; where no profile helps, the flux is NaN and DO_NOT_USE, with a warning of a
spectrum that has no flux at all. The official way, which leaves lost pixels out of the sum, is
``lost_pixels=drop``. See `calwebb_core.science.spectral`.

The product is `_x1d`, or `_x1dints` with one row an integration; the exposure stays as it is.
"""

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_core.science.spectral.extract_1d_options import TYPES, Extract1dParameters, types_of
from calwebb_spec2.products import Derived, Product


def references_for(parameters: Extract1dParameters) -> tuple[str, ...]:
    """Return the types that are used."""
    return types_of(parameters)


def run(
    model: Product, references: References, parameters: Extract1dParameters
) -> tuple[Derived, Status]:
    """Extract the spectra of an exposure; it is not changed.

    Raises
    ------
    InputError
        If a source is outside of its spectrum, a spectrum off the detector, or keywords are
        missing.
    ReferenceFileError
        If a reference has nothing for a spectrum.
    """
    from calwebb_core.science.spectral.emptiness import warn_of_nothing
    from calwebb_core.science.spectral.extract_1d import ExtractionFiles, extract_spectra

    derived = Derived.of(model)
    metadata: Metadata = derived.metadata
    files = ExtractionFiles.of(references.load, metadata, parameters)
    derived.spectra = extract_spectra(derived.best, files, parameters)
    warn_of_nothing(derived.spectra)
    return derived, COMPLETE


STEP = Step(
    name="extract_1d",
    keyword="S_EXTR1D",
    meaning="Sum up the spectra of the sources.",
    parameters=Extract1dParameters,
    run=run,
    references=TYPES,
    references_for=references_for,
)
