"""Reference files of slits: pathloss, the three flats of NIRSpec, apertures of extract1d.

- pathloss of NIRSpec (FITS, one set of PS, PSVAR, UNI, UNIVAR an aperture; EXTVER counts): the
  part of a star's light that passes, by place in the slit (21 x 21 from -0.5 to 0.5) and
  wavelength (21 planes from 0.6 um in metres); data are divided by it. S400A1 is there, too.
- pathloss of MIRI (table, 388 rows): one over that part, by place in pixels along (50, from -25)
  and across (20, by halves from -5) the slit; data are multiplied by it.
- fflat: FAST_VARIATION, one row a slit. sflat: the same, and an image of a single plane. dflat:
  four planes with their WAVELENGTH, and one FAST_VARIATION for all pixels. Formulas:
  `spectra.flats`. Pixels without light are NaN and NO_FLAT_FIELD in the dflat.
- extract1d (JSON): apertures 10 pixels wide about the star's trace, background beside it.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.atomic import write_text
from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.references.base import AUTHOR, USEAFTER, dq_def, image, keywords, write
from calwebb_simulator.references.spectra import HISTORY, SERIES_OF, spectral_keywords
from calwebb_simulator.spectra.flats import (
    ERROR,
    PLANES,
    detector_fast,
    detector_plane,
    fore_fast,
    spectrograph_fast,
    spectrograph_image,
)
from calwebb_simulator.spectra.losses import point_throughput, uniform_throughput
from calwebb_simulator.spectra.modes import FIXED_SLITS, GRATINGS, SpectralMode

Float32 = NDArray[np.float32]
STEPS: Final = 21
PLACES: Final = np.linspace(-0.5, 0.5, STEPS)
WAVES: Final = np.linspace(0.6, 5.3, STEPS)
PATHLOSS_ROWS: Final = 388
ALONG: Final = np.arange(50) - 25.0  # pixels along MIRI's slit
ACROSS: Final = np.arange(20) * 0.5 - 5.0  # and across
LRS_SLIT_PIXELS: Final = (4.6, 42.4)  # width and length
LEAST: Final = 0.02  # of the light that a correction still makes up for
FAST: Final = 800  # samples of a fast variation
FAST_SPARE: Final = 50
HALF_APERTURE: Final = 5.0  # pixels
# pixels from the star where wings are faint
BACKGROUND: Final = {"MIRI": (20.0, 30.0), "NIRCAM": (15.0, 26.0), "NIRSPEC": (9.0, 15.0)}
ANY: Final = "ANY"


def write_pathloss(path: Path, mode: SpectralMode) -> Path:
    """Write the losses at a mode's slits: MIRI's table, or NIRSpec's cubes."""
    return write_lrs_pathloss(path, mode) if mode.instrument == "MIRI" else _cubes(path, mode)


def _cubes(path: Path, mode: SpectralMode) -> Path:
    header = spectral_keywords(mode, "pathloss", "PathlossModel", "Losses at fixed slits")
    header |= {"DETECTOR": "N/A"}
    hdus: list[Any] = []
    for number, slit in enumerate(FIXED_SLITS, start=1):
        through = point_throughput(
            slit, WAVES[:, None, None], PLACES[None, None, :], PLACES[None, :, None]
        )
        uniform = uniform_throughput(WAVES)
        arrays = {
            "PS": through,
            "PSVAR": np.full_like(through, 1e-6),
            "UNI": uniform,
            "UNIVAR": np.full_like(uniform, 1e-6),
        }
        for name, array in arrays.items():
            hdu = image(name, array)
            hdu.ver = number
            for keyword, value in _axes(array.ndim).items():
                hdu.header[keyword] = value
            if name == "PS":
                hdu.header["APERTURE"] = slit
                hdu.header["SHUTTERS"] = 1
            hdus.append(hdu)
    return write(path, header, hdus, HISTORY)


def _axes(count: int) -> dict[str, Any]:
    """Return the WCS of a cube, or of a vector of wavelengths (in metres)."""
    wave = (WAVES[0] * 1e-6, (WAVES[1] - WAVES[0]) * 1e-6, "METER")
    place = (PLACES[0], PLACES[1] - PLACES[0], "UNITLESS")
    axes = [place, place, wave] if count == 3 else [wave]
    found: dict[str, Any] = {}
    for number, (value, step, unit) in enumerate(axes, start=1):
        found |= {
            f"CRPIX{number}": 1.0,
            f"CRVAL{number}": float(value),
            f"CDELT{number}": float(step),
            f"CTYPE{number}": unit,
        }
    return found


def write_lrs_pathloss(path: Path, mode: SpectralMode) -> Path:
    """Write what makes up for the losses at MIRI's slit."""
    header = spectral_keywords(mode, "pathloss", "MirLrsPathlossModel", "Losses at the LRS slit")
    header |= {"SUBARRAY": "FULL", "FILTER": mode.filter, "EXP_TYPE": "MIR_LRS-FIXEDSLIT"}
    header["P_EXP_TY"] = "MIR_LRS-FIXEDSLIT|"
    shape = (len(ACROSS), len(ALONG))
    dtype = [("wavelength", ">f4"), ("pathloss", ">f4", shape), ("pathloss_err", ">f4", shape)]
    rows = np.zeros(PATHLOSS_ROWS, dtype=dtype)
    # falling, as in the real file: the official step knows no other order
    wave = np.linspace(mode.low - 0.5, mode.high + 0.2, PATHLOSS_ROWS)[::-1]
    rows["wavelength"] = wave
    through = lrs_throughput(wave[:, None, None], ACROSS[None, :, None], ALONG[None, None, :])
    rows["pathloss"] = 1 / np.maximum(through, LEAST)
    rows["pathloss_err"] = 0.01
    table = fits.BinTableHDU(rows, name="PATHLOSS")
    axes = (("1", -25.0, 1.0), ("2", -5.0, 0.5))
    table.header["WCSAXES"] = 2
    for axis, value, step in axes:
        table.header[f"CRPIX{axis}"] = 1.0
        table.header[f"CRVAL{axis}"] = value
        table.header[f"CDELT{axis}"] = step
        table.header[f"CTYPE{axis}"] = "UNITLESS"
        table.header[f"CUNIT{axis}"] = ""
    return write(path, header, [table], HISTORY)


def lrs_throughput(wave: Any, across: Any, along: Any) -> NDArray[np.float64]:
    """Return the part of a star's light that passes MIRI's slit, by its place in pixels.

    Parameters
    ----------
    wave : array_like
        In um.
    across, along : array_like
        Pixels from the middle of the slit, along the dispersion and across it.
    """
    wide, long = LRS_SLIT_PIXELS
    return point_throughput("MIR_LRS-FIXEDSLIT", wave, across / wide, along / long)


def fast_table(rows: dict[str, Any], wave: NDArray[np.float64]) -> fits.BinTableHDU:
    """Return a FAST_VARIATION table: a row a slit, longer than what is used."""
    length = len(wave) + FAST_SPARE
    vectors = [(name, ">f4", (length,)) for name in ("wavelength", "data", "error")]
    table = np.zeros(len(rows), dtype=[("slit_name", "S15"), ("nelem", ">i4"), *vectors])
    for row, (name, values) in zip(table, rows.items(), strict=True):
        row["slit_name"], row["nelem"] = name, len(wave)
        row["wavelength"][: len(wave)] = wave
        row["data"][: len(wave)] = values
        row["error"][: len(wave)] = ERROR * values
    return fits.BinTableHDU(table, name="FAST_VARIATION")


def flat_keywords(mode: SpectralMode, kind: str, text: str) -> dict[str, Any]:
    """Return the keywords of one of NIRSpec's flats."""
    header = spectral_keywords(mode, kind, "NirspecFlatModel", text)
    return header | {"LAMP": "N/A", "OPMODE": "N/A"}


def write_fflat(path: Path, mode: SpectralMode) -> Path:
    """Write the flat of the fore optics of a filter."""
    header = flat_keywords(mode, "fflat", "Flat of the fore optics")
    header |= {"DETECTOR": "N/A", "FILTER": mode.filter, "GRATING": "N/A"}
    wave = np.linspace(0.55, 5.4, FAST)
    rows = {slit: fore_fast(slit, wave) for slit in FIXED_SLITS}
    return write(path, header, [fast_table(rows, wave)], HISTORY)


def write_sflat(path: Path, mode: SpectralMode) -> Path:
    """Write the flat of the spectrograph of a grating, for the whole detector."""
    frame = mode.frame("FULL")
    header = flat_keywords(mode, "sflat", "Flat of the spectrograph")
    header |= {"FILTER": mode.filter, "GRATING": mode.grating} | frame_keywords(mode, "FULL")
    data = spectrograph_image(frame.shape, frame.x_start, frame.y_start)
    dq = np.zeros(frame.shape, dtype=np.uint32)
    low, high = GRATINGS[mode.grating][1:]
    wave = np.linspace(low - 0.1, high + 0.1, FAST)
    rows = {slit: spectrograph_fast(slit, wave) for slit in FIXED_SLITS}
    hdus = [
        image("SCI", data),
        image("ERR", np.full(frame.shape, ERROR)),
        image("DQ", dq),
        fast_table(rows, wave),
        dq_def(dq),
    ]
    return write(path, header, hdus, HISTORY)


def frame_keywords(mode: SpectralMode, subarray: str) -> dict[str, Any]:
    """Return the keywords that say which part of the detector a file covers."""
    whole = keywords(mode.scope(subarray), "", "", "")
    names = ("SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2", "FASTAXIS", "SLOWAXIS")
    return {name: whole[name] for name in names}


def write_dflat(
    path: Path, mode: SpectralMode, subarray: str = "FULL", flat: Float32 | None = None
) -> Path:
    """Write the flat of the detector: always the whole, as the official step cuts it itself.

    Parameters
    ----------
    path : Path
    mode : SpectralMode
    subarray : str
        What `flat` covers.
    flat : float32, (ny, nx), optional
        The flat there in the middle of its range, 0 where it sees nothing; elsewhere it is 1.
    """
    frame = mode.frame("FULL")
    flat = whole_detector(mode, subarray, flat)
    header = flat_keywords(mode, "dflat", "Flat of the detector")
    header |= frame_keywords(mode, "FULL")
    corner = frame.x_start, frame.y_start
    planes = np.stack([detector_plane(flat, wave, *corner) for wave in PLANES])
    blind = flat <= 0
    planes[:, blind] = np.nan
    bad = int(PixelDQ.NO_FLAT_FIELD | PixelDQ.DO_NOT_USE)
    dq = np.where(blind, bad, 0).astype(np.uint32)
    waves = np.zeros(len(PLANES), dtype=[("wavelength", ">f4")])
    waves["wavelength"] = PLANES
    fast = np.linspace(0.55, 5.4, FAST)
    hdus = [
        image("SCI", planes),
        image("ERR", np.full(frame.shape, ERROR)),
        image("DQ", dq),
        fits.BinTableHDU(waves, name="WAVELENGTH"),
        fast_table({ANY: detector_fast(fast)}, fast),
        dq_def(dq),
    ]
    return write(path, header, hdus, HISTORY)


def whole_detector(mode: SpectralMode, subarray: str, flat: Float32 | None) -> Float32:
    """Return the flat of a subarray as part of the whole detector's, which is 1 elsewhere."""
    whole = np.ones(mode.frame("FULL").shape, dtype=np.float32)
    if flat is not None:
        part = mode.frame(subarray)
        first = part.y_start - 1, part.x_start - 1
        ny, nx = part.shape
        whole[first[0] : first[0] + ny, first[1] : first[1] + nx] = flat
    return whole


def write_extract1d(
    path: Path, mode: SpectralMode, middle: tuple[float, ...] | None = None
) -> Path:
    """Write the apertures of a mode.

    Parameters
    ----------
    path : Path
        Ends in .json.
    mode : SpectralMode
    middle : tuple of float, optional
        Row or column (from 0, in the image that is extracted) of the star in series, as the
        coefficients of a polynomial of the pixel along the dispersion; without, the aperture
        follows the position of the source.
    """
    names = FIXED_SLITS if mode.instrument == "NIRSPEC" else (mode.slit,)
    content = {
        "REFTYPE": "EXTRACT1D",
        "INSTRUME": mode.instrument,
        "TELESCOP": "JWST",
        "DETECTOR": "N/A",
        "EXP_TYPE": mode.exp_type,
        "P_EXP_TY": SERIES_OF[mode.exp_type],
        "PEDIGREE": "SIMULATION",
        "DESCRIP": "Apertures of simulated spectra",
        "AUTHOR": AUTHOR,
        "HISTORY": HISTORY,
        "USEAFTER": USEAFTER,
        "apertures": [_aperture(mode, name, middle) for name in names],
    }
    write_text(path, json.dumps(content, indent=2) + "\n")
    return path


def _aperture(mode: SpectralMode, name: str, middle: tuple[float, ...] | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": name,
        "region_type": "target",
        "dispaxis": mode.axis,
        "extract_width": int(2 * HALF_APERTURE),
        "bkg_fit": "poly",
        "bkg_order": 0,
        "use_source_posn": middle is None,
    }
    if mode.instrument == "NIRCAM":
        values["spectral_order"] = 1
    if middle is not None:
        level, *tilt = middle
        near, far = BACKGROUND[mode.instrument]
        source, sky = (-HALF_APERTURE, HALF_APERTURE), (-far, -near, near, far)
        values["src_coeff"] = [[level + edge, *tilt] for edge in source]
        values["bkg_coeff"] = [[level + edge, *tilt] for edge in sky]
    return values
