"""resample_spec: spectra on a straight grid of wavelength and place along the slit.

Drizzles each spectrum (see `calwebb_core.science.spectral.rectify`): a column of the product has
one wavelength, a row one place along the slit (for MIRI LRS the other way round). The product is
`_s2d`; the exposure stays as it is. Lost pixels are estimated from the spatial profile first, and
all pixels of an exposure weigh the same; the official way is ``weight_type=ivm`` with
``lost_pixels=drop``. Spectra of several integrations are not rectified.
"""

from collections.abc import Mapping
from typing import Any

from calwebb_core.framework.models import Slits
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.spectral.rectify_options import ResampleSpecParameters, rectification
from calwebb_spec2.parts import keywords_of, parts
from calwebb_spec2.products import Derived, Product, has_integrations

INTEGRATIONS = "the exposure has one spectrum per integration"


def run(
    model: Product,
    _: References,
    parameters: ResampleSpecParameters,
    tree: Mapping[str, Any] | None = None,
) -> tuple[Product, Status]:
    """Rectify the spectra of an exposure; it is not changed.

    Parameters
    ----------
    model : Product
    parameters : ResampleSpecParameters
    tree : mapping, optional
        What is in the file of `output_wcs`.

    Raises
    ------
    InputError
        If a spectrum has no WCS, or no pixel with a wavelength.
    """
    from calwebb_core.science.spectral.rectify import rectify
    from calwebb_core.science.spectral.wavelengths import dispersion_axis

    derived = Derived.of(model)
    exposure = derived.best
    if has_integrations(exposure):
        return model, skipped(INTEGRATIONS)
    how = rectification(parameters, tree)
    found = []
    for part in parts(exposure):
        keywords = keywords_of(exposure, part)
        found.append(rectify([part], keywords, dispersion_axis(keywords), how))
    if isinstance(exposure, Slits):
        derived.rectified = Slits(exposure.metadata.copy(), found, dict(exposure.tables))
    else:
        derived.rectified = found[0]
    derived.rectified.metadata.update(how.keywords(1))
    return derived, COMPLETE


STEP = Step(
    name="resample_spec",
    keyword="S_RESAMP",
    meaning="Rectify the spectra.",
    parameters=ResampleSpecParameters,
    run=run,
)
