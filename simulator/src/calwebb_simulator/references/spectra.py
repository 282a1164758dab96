"""Reference files of spectra that are tables of wavelength: photom, area, apcorr, PSF, WAVECORR.

All in the official formats. What is in them:

- photom: the curves of `spectra.response`. MIRI: MJy/sr per DN/s, one row for P750L and each
  subarray, wavelengths falling as in the observatory's file. NIRCam: MJy/sr per DN/s and um (the
  step divides by the dispersion), one row for each order of each filter with GRISMR. NIRSpec: MJy
  per DN/s, one row for each grating and fixed slit. Rows are longer than what is used (NELEM).
- area: NIRSpec's pixel areas in arcsec2 for each fixed slit.
- apcorr: one over the light of `spectra.profile` that sums over apertures of some widths find:
  in rectified spectra for slits, in those of the detector for series.
- psf (MIRI): the profile on a grid of a tenth of a pixel, one row a wavelength, each with sum 10.
- wavecorr: by how many pixels the wavelengths of a star beside the middle of a slit are off:
  half the slit's width in pixels at its edge, a little less at long wavelengths.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.modeling.models import Tabular2D
from numpy.typing import NDArray

from calwebb_simulator.photometry import STERADIAN_PER_ARCSEC2
from calwebb_simulator.references.base import keywords, write
from calwebb_simulator.references.optics import asdf_meta, write_tree
from calwebb_simulator.spectra.losses import SLITS
from calwebb_simulator.spectra.modes import FIXED_SLITS, GRATINGS, SpectralMode, with_grating
from calwebb_simulator.spectra.profile import share_between, summed_share
from calwebb_simulator.spectra.response import (
    PIXEL_AREA,
    SLIT_AREA,
    UNCERTAINTY,
    relative_response,
    scale_of,
)

Float64 = NDArray[np.float64]
HISTORY: Final = "Describes the simulated spectrograph exactly; nothing was measured."
ELEMENTS: Final = 300  # of a photometric table that are used
SPARE: Final = 20  # and that are not
WIDTHS: Final = (2, 4, 6, 8, 10, 14, 20, 30)  # pixels of apertures
PHASES: Final = (-0.5, 0.0, 0.5)  # of a star in its pixel
SUBSAMPLING: Final = 10
HALF_PSF: Final = 30  # pixels
WAVES: Final = 40  # of aperture corrections and PSFs
SERIES_OF: Final = {
    "MIR_LRS-FIXEDSLIT": "MIR_LRS-FIXEDSLIT|MIR_LRS-SLITLESS|",
    "MIR_LRS-SLITLESS": "MIR_LRS-FIXEDSLIT|MIR_LRS-SLITLESS|",
    "NRS_FIXEDSLIT": "NRS_FIXEDSLIT|NRS_BRIGHTOBJ|",
    "NRS_BRIGHTOBJ": "NRS_FIXEDSLIT|NRS_BRIGHTOBJ|",
    "NRC_TSGRISM": "NRC_TSGRISM|",
}
PHOTOM_MODELS: Final = {
    "MIRI": "MirLrsPhotomModel",
    "NIRCAM": "NrcWfssPhotomModel",
    "NIRSPEC": "NrsFsPhotomModel",
}
APCORR_MODELS: Final = {
    "MIRI": "MirLrsApcorrModel",
    "NIRCAM": "NrcWfssApcorrModel",
    "NIRSPEC": "NrsFsApcorrModel",
}
LRS_SUBARRAYS: Final = ("FULL", "SLITLESSPRISM")
GRISM_FILTERS: Final = {
    "F277W": (2.42, 3.13),
    "F322W2": (2.45, 3.98),
    "F356W": (3.12, 4.02),
    "F444W": (3.88, 4.98),
}
ORDERS: Final = (1, 2)
# what photom's and apcorr's rows of time series are chosen by; series are not rectified
SERIES_ROWS: Final = ("SLITLESSPRISM", "S1600A1")


def spectral_keywords(
    mode: SpectralMode, kind: str, model: str, description: str
) -> dict[str, Any]:
    """Return the keywords of a file that is a table: for all of a mode's subarrays."""
    header = keywords(mode.scope("FULL"), kind, model, description)
    for name in ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2", "MODULE", "CHANNEL"):
        header.pop(name, None)
    return header | {
        "SUBARRAY": "GENERIC",
        "EXP_TYPE": mode.exp_type,
        "P_EXP_TY": SERIES_OF[mode.exp_type],
    }


def variants(mode: SpectralMode) -> list[tuple[tuple[Any, ...], SpectralMode, str]]:
    """Return the rows of a mode's photom: what chooses each, its mode and slit."""
    if mode.instrument == "MIRI":
        return [((mode.filter, name), mode, mode.slit) for name in LRS_SUBARRAYS]
    if mode.instrument == "NIRCAM":
        return [
            ((name, mode.pupil, order), grism_mode(mode, name), "ANY")
            for name in GRISM_FILTERS
            for order in ORDERS
        ]
    return [
        ((GRATINGS[grating][0], grating, slit), with_grating(mode, grating), slit)
        for grating in GRATINGS
        for slit in FIXED_SLITS
    ]


def grism_mode(mode: SpectralMode, name: str) -> SpectralMode:
    """Return a mode of NIRCam with another filter."""
    from dataclasses import replace

    low, high = GRISM_FILTERS[name]
    return replace(mode, filter=name, low=low, high=high)


KEYS: Final = {
    "MIRI": [("filter", "S12"), ("subarray", "S17")],
    "NIRCAM": [("filter", "S12"), ("pupil", "S15"), ("order", ">i2")],
    "NIRSPEC": [("filter", "S12"), ("grating", "S15"), ("slit", "S15")],
}


def write_spectral_photom(path: Path, mode: SpectralMode) -> Path:
    """Write the conversion of count rates as a function of wavelength."""
    header = spectral_keywords(mode, "photom", PHOTOM_MODELS[mode.instrument], "Spectral response")
    if mode.instrument in PIXEL_AREA:
        area = PIXEL_AREA[mode.instrument]
        header |= {"PIXAR_SR": area * STERADIAN_PER_ARCSEC2, "PIXAR_A2": area}
    scale = "photmj" if mode.instrument == "NIRSPEC" else "photmjsr"
    length = ELEMENTS + SPARE
    vectors = [(name, ">f4", (length,)) for name in ("wavelength", "relresponse", "reluncertainty")]
    dtype = [*KEYS[mode.instrument], (scale, ">f4"), ("uncertainty", ">f4"), ("nelem", ">i2")]
    rows = np.zeros(len(variants(mode)), dtype=dtype + vectors)
    for row, (keys, variant, slit) in zip(rows, variants(mode), strict=True):
        for (name, _), value in zip(KEYS[mode.instrument], keys, strict=True):
            row[name] = value
        row[scale] = scale_of(variant, slit)
        row["uncertainty"] = scale_of(variant, slit) * UNCERTAINTY
        row["nelem"] = ELEMENTS
        wave = table_waves(variant)
        row["wavelength"][:ELEMENTS] = wave
        row["relresponse"][:ELEMENTS] = relative_response(variant, wave)
        row["reluncertainty"][:ELEMENTS] = UNCERTAINTY
    return write(path, header, [fits.BinTableHDU(rows, name="PHOTOM")], HISTORY)


def table_waves(mode: SpectralMode) -> Float64:
    """Return the wavelengths of a photometric table; MIRI's fall as the observatory's do."""
    margin = 0.03 * (mode.high - mode.low)
    wave = np.linspace(mode.low - margin, mode.high + margin, ELEMENTS)
    return wave[::-1] if mode.instrument == "MIRI" else wave


def write_slit_area(path: Path, mode: SpectralMode) -> Path:
    """Write the pixel areas of NIRSpec's fixed slits."""
    header = spectral_keywords(mode, "area", "NirspecSlitAreaModel", "Pixel areas of fixed slits")
    header |= {"DETECTOR": "N/A", "FILTER": mode.filter, "GRATING": mode.grating}
    rows = np.zeros(len(FIXED_SLITS), dtype=[("slit_id", "S15"), ("pixarea", ">f4")])
    rows["slit_id"] = FIXED_SLITS
    rows["pixarea"] = [SLIT_AREA[slit] for slit in FIXED_SLITS]
    return write(path, header, [fits.BinTableHDU(rows, name="AREA")], HISTORY)


def write_spectral_apcorr(path: Path, mode: SpectralMode) -> Path:
    """Write aperture corrections by width of the aperture and wavelength."""
    header = spectral_keywords(mode, "apcorr", APCORR_MODELS[mode.instrument], "Apertures")
    # one file for all detectors of an EXP_TYPE: that is all that its rules go by
    header["DETECTOR"] = "N/A"
    narrow = mode.instrument == "NIRSPEC"
    maker = slit_corrections if narrow else plain_corrections
    chosen = [item for item in variants(mode) if item[0][-1] != ORDERS[1]]
    columns = [item for item in KEYS[mode.instrument] if item[0] != "order"]
    if mode.instrument == "MIRI":
        columns = columns[1:]
    slits = mode.instrument != "NIRCAM"
    parts = [
        maker(variant, rectified=slits and keys[-1] not in SERIES_ROWS)
        for keys, variant, _ in chosen
    ]
    dtype = columns + [
        (name, array.dtype.newbyteorder(">"), array.shape) for name, array in parts[0].items()
    ]
    rows = np.zeros(len(chosen), dtype=dtype)
    for row, (values, _, _), part in zip(rows, chosen, parts, strict=True):
        known = dict(zip((name for name, _ in KEYS[mode.instrument]), values, strict=True))
        for name, _ in columns:
            row[name] = known[name]
        for name, array in part.items():
            row[name] = array
    table = fits.BinTableHDU(rows, name="APCORR")
    table.header["SIZEUNIT"] = "arcsec" if narrow else "pixels"
    return write(path, header, [table], HISTORY)


def plain_corrections(mode: SpectralMode, *, rectified: bool) -> dict[str, Any]:
    """Return the columns of an aperture correction (wavelength, size): MIRI and NIRCam."""
    wave = np.linspace(mode.low, mode.high, WAVES)
    size = np.array(WIDTHS)
    light = summed_share(mode, wave[:, None], size, rectified=rectified)
    return {
        "wavelength": wave.astype(np.float32),
        "nelem_wl": np.int16(WAVES),
        "size": size.astype(np.uint8),
        "nelem_size": np.int16(len(size)),
        "apcorr": (1 / light).astype(np.float32),
        "apcorr_err": np.full(light.shape, 0.005, dtype=np.float32),
    }


def slit_corrections(mode: SpectralMode, *, rectified: bool) -> dict[str, Any]:
    """Return the columns of an aperture correction (size, wavelength, phase): NIRSpec.

    Sizes are full widths of the aperture in arcsec. Every phase of a star in its pixel has the
    mean of all: official steps take that of 0.5 wherever the star is.
    """
    wave = np.linspace(mode.low, mode.high, WAVES)
    size = np.array(WIDTHS)
    light = summed_share(mode, wave[None, :], size[:, None], rectified=rectified)
    shape = (*light.shape, len(PHASES))
    sizes = np.broadcast_to((size * mode.scale)[:, None], light.shape)
    return {
        "wavelength": wave.astype(np.float32),
        "nelem_wl": np.int16(WAVES),
        "size": sizes.astype(np.float32),
        "nelem_size": np.int16(len(size)),
        "pixphase": np.array(PHASES, dtype=np.float32),
        "apcorr": np.broadcast_to(1 / light[..., None], shape).astype(np.float32),
        "apcorr_err": np.full(shape, 0.005, dtype=np.float32),
    }


def write_spectral_psf(path: Path, mode: SpectralMode) -> Path:
    """Write the profile across the spectrum, one row a wavelength, longest first as on MIRI."""
    header = spectral_keywords(mode, "psf", "SpecPsfModel", "Profile across the spectrum")
    header["FILTER"] = mode.filter
    wave = np.linspace(mode.high, mode.low, 10 * WAVES)
    count = 2 * HALF_PSF * SUBSAMPLING + 1
    place = (np.arange(count) - HALF_PSF * SUBSAMPLING) / SUBSAMPLING
    # what a pixel gets whose centre is there
    table = share_between(mode, wave[:, None], place - 0.5, place + 0.5)
    table *= SUBSAMPLING / table.sum(axis=1, keepdims=True)
    psf = fits.ImageHDU(table if mode.axis == 2 else table.T.copy(), name="PSF")
    psf.header["APERTURE"] = "ANY"  # exposures of MIRI have no SLTNAME
    psf.header["SUBPIX"] = float(SUBSAMPLING)
    psf.header["CENTCOL" if mode.axis == 2 else "CENTROW"] = float(HALF_PSF * SUBSAMPLING)
    return write(path, header, [psf, fits.ImageHDU(wave, name="WAVE")], HISTORY)


def zero_points(slit: str, wave: Float64, place: Float64, scale: float) -> Float64:
    """Return by how many pixels a star beside the middle of a slit moves its wavelengths.

    Parameters
    ----------
    slit : str
    wave, place : (n,), (m,)
        In um, and in units of the slit's width.
    scale : float
        Arcsec per pixel along the dispersion.
    """
    width = SLITS[slit][0] / scale
    return np.asarray(width * place[:, None] * (1 - 0.02 * (wave[None, :] - 0.6)))


def write_wavecorr(path: Path, mode: SpectralMode) -> Path:
    """Write the shifts of wavelengths of NIRSpec's fixed slits: (place in the slit, metres)."""
    meta = asdf_meta("wavecorr", "WaveCorrModel", "Wavelengths of stars beside the middle")
    meta["instrument"] = {"name": "NIRSPEC", "p_detector": "NRS1|NRS2|"}
    meta["exposure"] = {"type": mode.exp_type, "p_exptype": SERIES_OF[mode.exp_type]}
    wave, place = np.linspace(0.6, 5.3, 21), np.linspace(-0.5, 0.5, 21)
    apertures = []
    for slit in FIXED_SLITS:
        table = zero_points(slit, wave, place, mode.scale)
        model = Tabular2D(
            points=(place, wave * 1e-6), lookup_table=table, bounds_error=False, fill_value=np.nan
        )
        apertures.append(
            {
                "aperture_name": slit,
                "zero_point_offset": model,
                "variance": np.full(table.shape, 1e-4),
                "width": SLITS[slit][0] * 3.95e-4,
            }
        )
    return write_tree(path, {"apertures": apertures, "meta": meta})
