"""resample_spec: all exposures of a source on one straight grid of wavelength and place.

Drizzles the spectra, see `calwebb_core.science.spectral.rectify`. The product is `_s2d`. Pixels
flagged DO_NOT_USE (what the outlier detection flagged is among them) are estimated from the light
beside them, or have no weight with ``lost_pixels = drop``. Weights that differ between neighbours,
as those of the official step do (``weight_type = ivm``), would cost a star per cents of its light.
"""

from collections.abc import Mapping
from typing import Any

from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_core.science.spectral.rectify_options import ResampleSpecParameters, rectification
from calwebb_level3.slits.sources import Source, SourceSet


def run(
    sources: SourceSet,
    references: Any,  # noqa: ARG001
    parameters: ResampleSpecParameters,
    tree: Mapping[str, Any] | None = None,
) -> tuple[SourceSet, Status]:
    """Rectify the spectra of each source; they are put in it.

    Parameters
    ----------
    sources : SourceSet
    parameters : ResampleSpecParameters
    tree : mapping, optional
        What is in the file of `output_wcs`.

    Raises
    ------
    InputError
        If a spectrum has no pixel with a wavelength.
    """
    for source in sources.sources:
        rectify_source(source, rectification(parameters, tree))
    return sources, COMPLETE


def rectify_source(source: Source, how: Any) -> None:
    """Rectify the spectra of one source; the product has the keywords of its first exposure."""
    from calwebb_core.science.spectral.rectify import rectify
    from calwebb_core.science.spectral.wavelengths import dispersion_axis

    keywords = source.keywords[0]
    found = rectify(source.spectra, keywords, dispersion_axis(keywords), how)
    own = found.metadata
    found.metadata = keywords.copy()
    found.metadata.update(own)
    found.metadata.homes.update(own.homes)
    found.metadata.update(how.keywords(len(source.spectra)))
    source.resampled = found


STEP = Step(
    name="resample_spec",
    keyword="S_RESAMP",
    meaning="Put all exposures of a source on one straight grid.",
    parameters=ResampleSpecParameters,
    run=run,
)
