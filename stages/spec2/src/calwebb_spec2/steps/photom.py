"""photom: count rates to flux density (MJy) or surface brightness (MJy/sr).

The conversion of a pixel is that of `calwebb_spec2.flux_conversion`. What the result is:

* NIRSpec: MJy for point sources, MJy/sr for all others, by the area of the slit's pixels in AREA;
* MIRI LRS and NIRCam grisms: MJy/sr; a point source becomes one of Jy in extract_1d.

Slits with a point source where the observer aimed (FXD_SLIT) get both conversions, PHOTOM_PS and
PHOTOM_UN, which the master background needs. PHOTMJSR, PHOTUJA2 hold the scalar, PIXAR_SR and
PIXAR_A2 the area of a pixel. Pixels without wavelength, or at one that the reference does not have
(or has without a usable response, then with a warning), become NaN and DO_NOT_USE.
"""

import logging
import math
from dataclasses import dataclass
from typing import Any, Final

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits, Table
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step

logger = logging.getLogger(__name__)

SLITS: Final = ("NRS_FIXEDSLIT", "NRS_BRIGHTOBJ")
GRISMS: Final = ("NRC_TSGRISM",)
KINDS: Final = ("MIR_LRS-FIXEDSLIT", "MIR_LRS-SLITLESS", *GRISMS, *SLITS)
RATE_UNIT: Final = "DN/s"
ARCSEC2_PER_STERADIAN: Final = math.degrees(1.0) ** 2 * 3600.0**2


@dataclass(frozen=True)
class PhotomParameters:
    """Options of photom."""

    inverse: bool = option(False, "Divide by the conversion factors instead.")
    source_type: str | None = option(
        None, "What the sources are, instead of what srctype said.", choices=("POINT", "EXTENDED")
    )
    apply_time_correction: bool = option(
        True, "Correct for the change of throughput with time, where the reference has it."
    )


@dataclass(frozen=True)
class Sources:
    """What one exposure is calibrated with."""

    photom: Reference
    area: Reference | None
    parameters: PhotomParameters


def convert(part: Image, keywords: Metadata, sources: Sources) -> None:
    """Calibrate one spectrum, in place.

    Parameters
    ----------
    part : Image or Slit
        With wavelengths.
    keywords : Metadata
        Of the exposure and the part.
    sources : Sources
    """
    from calwebb_core.science.spectral.factors import apply_factors
    from calwebb_core.science.spectral.wavelengths import dispersion_axis, wavelengths
    from calwebb_spec2.flux_conversion import BRIGHTNESS, FLUX, calibration, dispersion

    parameters, kind = sources.parameters, keywords["EXP_TYPE"]
    found = calibration(
        sources.photom.tables, keywords, name=sources.photom.name,
        time_correction=parameters.apply_time_correction,
    )  # fmt: skip
    waves = wavelengths(part)
    factors = found.factors(waves)
    if lost := found.lost(waves):
        logger.warning(
            "%s: %d pixels have no usable response in %s and are flagged DO_NOT_USE",
            keywords.source, lost, found.name,
        )  # fmt: skip
    if kind in GRISMS:
        factors = factors / dispersion(waves, dispersion_axis(keywords))
    steradian = area_of(keywords, sources, found.unit)
    point = (parameters.source_type or keywords.get("SRCTYPE")) == "POINT"
    scalar, unit = found.scalar, found.unit
    if unit == FLUX and point:
        keep_both(part, keywords, factors, found, steradian)
    elif unit == FLUX:
        factors, scalar, unit = factors / steradian, scalar / steradian, BRIGHTNESS
    write_keywords(part.metadata, scalar, steradian, RATE_UNIT if parameters.inverse else unit)
    apply_factors(part, 1.0 / factors if parameters.inverse else factors)
    attach_area(part, sources.area)
    if not isinstance(part, Slit):
        part.tables["WAVELENGTH"] = Table(waves.astype("f4"))


def keep_both(
    part: Image, keywords: Metadata, factors: Any, found: Any, steradian: float | None
) -> None:
    """Keep the conversion of the target, and that of light that fills its slit."""
    import numpy as np

    from calwebb_spec2.slit_light import is_target, uniform_wavelengths

    if isinstance(part, Slit) and is_target(keywords) and steradian is not None:
        uniform = found.factors(uniform_wavelengths(part)) / steradian
        part.planes["PHOTOM_PS"] = np.nan_to_num(factors).astype(np.float32)
        part.planes["PHOTOM_UN"] = np.nan_to_num(uniform).astype(np.float32)


def area_of(keywords: Metadata, sources: Sources, unit: str) -> Any:
    """Return the solid angle of a pixel in steradian, or None where nothing depends on it.

    Raises
    ------
    ReferenceFileError
        If no reference has it and it is needed.
    """
    from calwebb_spec2.flux_conversion import FLUX, slit_area

    if unit != FLUX:
        for reference in (sources.area, sources.photom):
            value = None if reference is None else reference.metadata.get("PIXAR_SR")
            if isinstance(value, int | float) and value > 0:
                return float(value)
        msg = (
            f"{keywords.source}: neither AREA nor PHOTOM reference has PIXAR_SR, the size of a "
            "pixel: choose another photom reference file"
        )
        raise ReferenceFileError(msg)
    if sources.area is not None:
        name = keywords.require("SLTNAME", str)
        return slit_area(sources.area.tables, name, sources.area.name) / ARCSEC2_PER_STERADIAN
    if (sources.parameters.source_type or keywords.get("SRCTYPE")) == "POINT":
        return None
    msg = (
        f"{keywords.source}: the area reference is N/A, but slit {keywords.get('SLTNAME')} has no "
        "point source: MJy/sr need the size of a pixel; name a file with --override area=FILE"
    )
    raise ReferenceFileError(msg)


def write_keywords(metadata: Metadata, scalar: float, steradian: float | None, unit: str) -> None:
    """Set PHOTMJSR, PHOTUJA2, PIXAR_SR, PIXAR_A2 and BUNIT."""
    from calwebb_core.science.photom import UJA2_PER_MJSR

    metadata["PHOTMJSR"] = scalar
    metadata["PHOTUJA2"] = float(scalar * UJA2_PER_MJSR)
    if steradian is not None:
        metadata["PIXAR_SR"] = steradian
        metadata["PIXAR_A2"] = steradian * ARCSEC2_PER_STERADIAN
    metadata["BUNIT"] = unit


def attach_area(part: Image, area: Reference | None) -> None:
    """Attach the map of pixel areas, where the reference has one, cut out as the spectrum is."""
    from calwebb_core.science.photom import check_area
    from calwebb_spec2.slit_light import window_of

    if area is None or "SCI" not in area.arrays:
        return
    values = area.arrays["SCI"]
    if isinstance(part, Slit):
        values = values[window_of(part)]
    part.area = check_area(values, part.data.shape, area.name)


def run(
    model: Image | Slits, references: References, parameters: PhotomParameters
) -> tuple[Any, Status]:
    """Calibrate the spectra of an exposure in flux, in place.

    Raises
    ------
    InputError
        If the exposure lacks a keyword or wavelengths.
    ReferenceFileError
        If there is no PHOTOM reference, it has no row for the exposure, or nothing in it fits.
    """
    from calwebb_spec2.parts import each

    metadata = model.metadata
    if metadata.get("EXP_TYPE") not in KINDS:
        msg = (
            f"{metadata.source}: photom for EXP_TYPE {metadata.get('EXP_TYPE')} does not exist yet"
        )
        raise InputError(msg)
    reference = references.load("photom", metadata)
    if reference is None:
        msg = (
            f"{metadata.source}: the photom reference is N/A, so the product would stay in DN/s; "
            "name one with --override photom=FILE, or --skip photom if DN/s are wanted"
        )
        raise ReferenceFileError(msg)
    sources = Sources(reference, references.load("area", metadata), parameters)
    each(model, lambda part, keywords: convert(part, keywords, sources))
    return model, COMPLETE


STEP = Step(
    name="photom",
    keyword="S_PHOTOM",
    meaning="Convert count rates to physical units.",
    parameters=PhotomParameters,
    run=run,
    references=("photom", "area"),
)
