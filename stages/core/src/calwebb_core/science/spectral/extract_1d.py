"""extract_1d: the spectra of an exposure in one dimension, for the stages that have such a step.

How a spectrum is put together from its aperture (`extraction_reference`), the place
of its source (`source_position`), sums (`extraction`), aperture correction and times.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slits, Table
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.spectra import SPECTRUM_KEYWORDS, Spectra, SpectralImage, Spectrum
from calwebb_core.science.kernels.column_background import NPIXELS
from calwebb_core.science.spectral.aperture import Weights, centre_of, weights_of
from calwebb_core.science.spectral.aperture_correction import correction
from calwebb_core.science.spectral.extract_1d_options import (
    FILL,
    OPTIMAL,
    Extract1dParameters,
    types_of,
)
from calwebb_core.science.spectral.extraction import VERTICAL, Pixels, extract_box
from calwebb_core.science.spectral.extraction_images import box_scene, images_of, of_slit
from calwebb_core.science.spectral.extraction_reference import Extraction, extraction_of
from calwebb_core.science.spectral.optimal import NOTHING
from calwebb_core.science.spectral.optimal_spectrum import Fitted, fitted
from calwebb_core.science.spectral.source_position import (
    POINT,
    Position,
    is_used,
    oriented_wavelengths,
    position_of,
)
from calwebb_core.science.spectral.spectrum_table import (
    Scales,
    columns_of,
    integration_columns,
    units_of,
)
from calwebb_core.science.spectral.wavelengths import dispersion_axis, wavelengths

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]

INT_TIMES: Final = "INT_TIMES"
ARCSEC: Final = 3600.0


@dataclass(frozen=True)
class ExtractionFiles:
    """The reference files of an extraction, None for N/A."""

    extract1d: Reference | None
    apcorr: Reference | None
    psf: Reference | None = None

    @classmethod
    def of(
        cls,
        load: Callable[[str, Metadata], Reference | None],
        metadata: Metadata,
        parameters: Extract1dParameters,
    ) -> "ExtractionFiles":
        """Return those that an exposure needs, by what loads one of a type for it."""
        types = types_of(parameters)
        found = {kind: load(kind, metadata) for kind in types}
        return cls(found["extract1d"], found.get("apcorr"), found.get("psf"))


def extract_spectra(
    model: Image | Slits, files: ExtractionFiles, parameters: Extract1dParameters
) -> Spectra:
    """Return the spectra of an exposure; it is not changed.

    Parameters
    ----------
    model : Image or Slits
        Calibrated, or rectified; with wavelengths.
    files : ExtractionFiles
    parameters : Extract1dParameters

    Raises
    ------
    InputError
        If a source is outside of its spectrum, or keywords are missing.
    ReferenceFileError
        If a reference has nothing for a spectrum.
    """
    parts = model.slits if isinstance(model, Slits) else [model]
    tables = {name: table for name, table in model.tables.items() if name == INT_TIMES}
    times = tables.get(INT_TIMES)
    if times is not None and not len(times.data):
        times = None  # simulators of others write an empty one
    spectra, images = [], list[SpectralImage]()
    for part in parts:
        keywords, own = merged(model.metadata, part), list[SpectralImage]()
        spectra.append(extract_part(part, keywords, files, parameters, times, own))
        images += of_slit(own, keywords.require("SLTNAME", str)) if part is not model else own
    series = spectra[0].nints is not None
    if series and times is None:
        logger.warning(
            "%s: has no table INT_TIMES, or an empty one; its spectra have no times",
            model.metadata.source,
        )
    metadata = model.metadata.copy()
    return Spectra(metadata, spectra, tables, "x1dints" if series else "x1d", images)


def merged(metadata: Metadata, part: Image) -> Metadata:
    """Return the keywords that hold for a part: those of the exposure, then its own."""
    result = metadata.copy()
    result.update(part.metadata)
    return result


def extract_part(
    part: Image,
    keywords: Metadata,
    files: ExtractionFiles,
    parameters: Extract1dParameters,
    times: Table | None = None,
    images: list[SpectralImage] | None = None,
) -> Spectrum:
    """Return one spectrum, of each integration if the part has several.

    Parameters
    ----------
    part : Image or Slit
    keywords : Metadata
        All that hold for the part.
    files : ExtractionFiles
    parameters : Extract1dParameters
    times : Table, optional
        INT_TIMES.
    images : list of SpectralImage, optional
        Gets what the user wants to see of the extraction.
    """
    axis = dispersion_axis(keywords)
    order = keywords.get("SPORDER") or 1
    names = [str(keywords[name]) for name in ("SLTNAME", "EXP_TYPE") if keywords.get(name)]
    found = extraction_of(files.extract1d, names, int(order), axis, parameters.wishes)
    waves = oriented_wavelengths(wavelengths(part), axis)
    position = None
    if is_used(keywords, parameters.use_source_posn, found.use_source_posn):
        position = position_of(part, keywords, waves, axis)
    pixels, scales = Pixels.of(part, axis), Scales.of(keywords)
    if parameters.extraction_type == OPTIMAL:
        fit = fitted(pixels, waves, keywords, files.psf, position, found.background, parameters)
        factor: Float64 | float = 1.0
        scales_used = replace(scales, brightness=0.0)  # a fitted star has no surface brightness
    else:
        fit = summed(pixels, waves, found, position, parameters)
        factor = beyond_aperture(part, keywords, files.apcorr, fit, parameters)
        scales_used = scales
    weights, used = fit.weights, fit.weights.extracted
    check_seen(weights, keywords, names[0])
    if images is not None:
        images += images_of(part, keywords, weights.source, fit.scene, axis, parameters)
    sums, wavelength = fit.sums[:, used], weights.wavelength[used]
    columns = columns_of(sums, wavelength, scales_used, factor)
    if part.data.ndim == 3:
        columns |= integration_columns(keywords, times, len(sums), len(wavelength))
    else:
        columns = {name: column[0] for name, column in columns.items()}
    return Spectrum(header_of(keywords, weights, axis, part.wcs), columns, units_of(scales))


def summed(
    pixels: Pixels,
    waves: Float64,
    found: Extraction,
    position: Position | None,
    parameters: Extract1dParameters,
) -> Fitted:
    """Return the sums over an aperture, with what they stand for in each pixel if it is wanted."""
    weights = placed(found, waves, position, parameters.position_offset)
    fill = parameters.lost_pixels == FILL
    sums = extract_box(pixels, weights, found.background, fill=fill)
    scene = NOTHING
    if parameters.scene:
        scene = box_scene(pixels, weights, found.background, sums)
    return Fitted(sums, weights, scene)


def beyond_aperture(
    part: Image,
    keywords: Metadata,
    reference: Reference | None,
    box: Fitted,
    parameters: Extract1dParameters,
) -> Float64 | float:
    """Return the factor of every element for the light beyond the aperture."""
    weights, used = box.weights, box.weights.extracted
    unwanted = not parameters.apply_apcorr or keywords.get("SRCTYPE") != POINT
    if reference is None or unwanted or not used.any():
        return 1.0
    # the official way goes by the pixels that are left
    fill = parameters.lost_pixels == FILL
    widths = weights.source.sum(axis=1)[used] if fill else box.sums[:, used, NPIXELS]
    scale = arcsec_per_pixel(part, weights, dispersion_axis(keywords))
    wavelength = weights.wavelength[used]
    return correction(reference, keywords, wavelength, widths, arcsec_per_pixel=scale, hold=fill)


def check_seen(weights: Weights, keywords: Metadata, name: str) -> None:
    """Refuse an aperture that no pixel with a wavelength is in.

    Raises
    ------
    InputError
        If so.
    """
    if not weights.extracted.any():
        msg = (
            f"{keywords.source}: no pixel of {name} with a wavelength is in the aperture "
            f"(pixels {weights.limits[0]:.1f} to {weights.limits[1]:.1f} across the dispersion); "
            "the spectrum is off the detector, or the reference for another one"
        )
        raise InputError(msg)


def placed(found: Extraction, waves: Float64, position: Position | None, offset: float) -> Weights:
    """Return the weights of the aperture where the source is, or where the reference has it."""
    aperture = found.aperture
    if position is None:
        return weights_of(aperture.shifted(offset), waves)
    nominal = weights_of(aperture, waves)
    centre = centre_of(nominal, position.middle)
    if not np.isfinite(centre):
        centre = centre_of(nominal)
    move = position.place - centre + offset
    return weights_of(aperture.shifted(move), waves, position.trace + offset)


def arcsec_per_pixel(part: Image, weights: Weights, axis: int) -> float | None:
    """Return the width of a pixel across the dispersion in the middle of the spectrum."""
    if part.wcs is None:
        return None
    steps = np.array([-0.5, 0.5])
    ra, dec = (np.radians(value) for value in sky_of(part.wcs, weights, axis, steps))
    dx = (ra[1] - ra[0] + np.pi) % (2.0 * np.pi) - np.pi
    distance = np.hypot(dx * np.cos(dec.mean()), dec[1] - dec[0])
    return float(np.degrees(distance)) * ARCSEC


def sky_of(wcs: Any, weights: Weights, axis: int, steps: Float64) -> tuple[Float64, Float64]:
    """Return right ascension and declination, degrees, in the middle of a spectrum.

    Parameters
    ----------
    wcs : World
    weights : Weights
        The aperture, in the middle of which the places are.
    axis : 1 or 2
        Of the dispersion.
    steps : float64 (n,)
        Pixels off the middle, across the dispersion.
    """
    used = np.flatnonzero(weights.extracted)
    middle = 0.5 * float(used[0] + used[-1])
    across, along = centre_of(weights, int(middle)) + steps, np.full(len(steps), middle)
    places = (across, along) if axis == VERTICAL else (along, across)
    ra, dec = wcs(*places, with_bounding_box=False)[:2]
    return np.asarray(ra, np.float64), np.asarray(dec, np.float64)


def header_of(keywords: Metadata, weights: Weights, axis: int, wcs: Any = None) -> Metadata:
    """Return the keywords of a spectrum: limits of its aperture (from 1 on), its middle's place."""
    known = {name: keywords[name] for name in SPECTRUM_KEYWORDS if name in keywords}
    result = Metadata(known, keywords.source)
    result.setdefault("SPORDER", 1)
    used = np.flatnonzero(weights.extracted)
    along, across = ("Y", "X") if axis == VERTICAL else ("X", "Y")
    result[f"EXTR{along}STR"] = int(used[0]) + 1
    result[f"EXTR{along}STP"] = int(used[-1]) + 1
    result[f"EXTR{across}STR"] = weights.limits[0] + 1.0
    result[f"EXTR{across}STP"] = weights.limits[1] + 1.0
    if wcs is not None:
        place = [float(value[0]) for value in sky_of(wcs, weights, axis, np.zeros(1))]
        if np.isfinite(place).all():
            result["SLIT_RA"], result["SLIT_DEC"] = place
    return result
