"""resample_spec: spectra on a straight grid of wavelength and place along the slit.

Drizzles each spectrum (see `calwebb_core.science.spectral.rectify`): a column of the product has
one wavelength, a row one place along the slit (for MIRI LRS the other way round). The product is
`_s2d`; the exposure stays as it is. Lost pixels are estimated from the spatial profile first, and
all pixels of an exposure weigh the same; the official way is ``weight_type=ivm`` with
``lost_pixels=drop``. Spectra of several integrations are not rectified.
"""

import math
from dataclasses import dataclass

from calwebb_core.framework.models import Slits
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_spec2.parts import keywords_of, parts
from calwebb_spec2.products import Derived, Product, has_integrations

INTEGRATIONS = "the exposure has one spectrum per integration"


@dataclass(frozen=True)
class ResampleSpecParameters:
    """Options of resample_spec."""

    pixfrac: float = option(
        1.0, "Side of the shrunken input pixel.", minimum=0.0, maximum=1.0, unit="pixel"
    )
    kernel: str = option(
        "square", "Shape of the shrunken input pixel.", choices=("square", "point")
    )
    fillval: float | None = option(
        None, "Value of output pixels that no input pixel reaches; NaN by default."
    )
    weight_type: str = option(
        "typical",
        "Weight: the exposure's typical inverse read-noise variance (ours), that of each pixel, or "
        "time.",
        choices=("typical", "ivm", "exptime"),
    )
    lost_pixels: str = option(
        "profile",
        "Pixels without value: estimate their light from the spatial profile, or drop them as the "
        "official step does. Ours.",
        choices=("profile", "drop"),
    )
    pixel_scale_ratio: float = option(
        1.0, "Input over output pixel scale across the dispersion.", minimum=0.01
    )
    pixel_scale: float | None = option(
        None, "Output pixel scale; overrides pixel_scale_ratio.", minimum=1e-4, unit="arcsec"
    )


def run(
    model: Product, _: References, parameters: ResampleSpecParameters
) -> tuple[Product, Status]:
    """Rectify the spectra of an exposure; it is not changed.

    Raises
    ------
    InputError
        If a spectrum has no WCS, or no pixel with a wavelength.
    """
    from calwebb_core.science.spectral.rectify import Rectification, rectify
    from calwebb_core.science.spectral.wavelengths import dispersion_axis

    derived = Derived.of(model)
    exposure = derived.best
    if has_integrations(exposure):
        return model, skipped(INTEGRATIONS)
    how = Rectification(
        pixfrac=parameters.pixfrac,
        kernel=parameters.kernel,
        weight_type=parameters.weight_type,
        fill=parameters.lost_pixels == "profile",
        pixel_scale_ratio=parameters.pixel_scale_ratio,
        pixel_scale=parameters.pixel_scale,
        fillval=math.nan if parameters.fillval is None else parameters.fillval,
    )
    found = []
    for part in parts(exposure):
        keywords = keywords_of(exposure, part)
        found.append(rectify([part], keywords, dispersion_axis(keywords), how))
    if isinstance(exposure, Slits):
        derived.rectified = Slits(exposure.metadata.copy(), found, dict(exposure.tables))
    else:
        derived.rectified = found[0]
    return derived, COMPLETE


STEP = Step(
    name="resample_spec",
    keyword="S_RESAMP",
    meaning="Rectify the spectra.",
    parameters=ResampleSpecParameters,
    run=run,
)
