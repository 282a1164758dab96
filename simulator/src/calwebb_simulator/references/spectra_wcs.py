"""Reference files of where spectra fall: specwcs and wavelengthrange, of simulated spectrographs.

- specwcs of MIRI's low-resolution spectrometer: a table of 388 rows (one a pixel along the
  dispersion, in pixels from the reference point of the slit or of the slitless position), the
  square of the wavelength a cubic of the row, the trace slightly bent, corners of each row 20
  pixels to either side.
- specwcs of NIRCam's grisms along rows: wavelength and column as linear functions of the
  parameter t of each order, 1000 pixels per um in the first and 2000 in the second; rows stay.
- wavelengthrange of NIRCam and NIRSpec.

Numbers are of the size of the real ones, but invented.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.modeling.models import Polynomial1D
from numpy.typing import NDArray

from calwebb_simulator.references.base import write
from calwebb_simulator.references.optics import asdf_meta, write_tree
from calwebb_simulator.references.spectra import (
    GRISM_FILTERS,
    HISTORY,
    ORDERS,
    SERIES_OF,
    spectral_keywords,
)
from calwebb_simulator.references.spectra_slits import frame_keywords
from calwebb_simulator.spectra.modes import GRATINGS, SpectralMode

Float64 = NDArray[np.float64]
TOP: Final = 94  # first row of MIRI's table, above the reference point
ROWS: Final = 388
HALF_WIDTH: Final = 20.0
SQUARE: Final = (14.5, 255.0, -120.0, 47.0)  # um2, powers of the row's place in the table
BEND: Final = (0.0012, -1.2e-5)  # pixels per row, and per row squared
PLACES: Final = {"IMX": 326.13, "IMY": 300.7, "IMXSLTL": 38.5, "IMYSLTL": 829.0}
COLUMNS: Final = (
    *("x_center", "y_center", "wavelength"),
    *("x0", "y0", "x1", "y1", "x2", "y2", "x3", "y3"),
)
BLUE: Final = 2.4  # um of t = 0
SPAN: Final = 2.6  # um up to t = 1
UNDEVIATED: Final = 3.94  # um that the first order leaves in its place
PIXELS_PER_UM: Final = 1000.0
GRISM_SIGN: Final = {"A": 1.0, "B": -1.0}


def lrs_wavelengths(row: Any) -> Float64:
    """Return um at rows counted from the reference point."""
    place = (TOP + 0.5 - np.asarray(row, dtype=float)) / ROWS
    return np.asarray(np.sqrt(np.polynomial.polynomial.polyval(place, SQUARE)))


def lrs_columns(row: Any) -> Float64:
    """Return the column of the trace at rows, both counted from the reference point."""
    row = np.asarray(row, dtype=float)
    return np.asarray(BEND[0] * row + BEND[1] * row**2)


def write_lrs_specwcs(path: Path, mode: SpectralMode) -> Path:
    """Write where each wavelength falls on MIRI's imager behind the prism."""
    header = spectral_keywords(mode, "specwcs", "MiriLRSSpecwcsModel", "Prism on the detector")
    header |= frame_keywords(mode, mode.subarray) | {"FILTER": mode.filter, **PLACES}
    header |= {"EXP_TYPE": mode.exp_type, "CHANNEL": "N/A", "BAND": "N/A"}
    header.pop("P_EXP_TY", None)
    row = TOP - np.arange(ROWS, dtype=float)
    x, below = lrs_columns(row), lrs_columns(row - 1)
    values = {"x_center": x, "y_center": row, "wavelength": lrs_wavelengths(row)}
    corners = ((x, -1, 0.5), (x, 1, 0.5), (below, 1, -0.5), (below, -1, -0.5))
    for number, (middle, side, step) in enumerate(corners):
        values |= {f"x{number}": middle + side * HALF_WIDTH, f"y{number}": row + step}
    table = np.zeros(ROWS, dtype=[(name, ">f8") for name in COLUMNS])
    for name in COLUMNS:
        table[name] = values[name]
    return write(path, header, [fits.BinTableHDU(table, name="WAVETABLE")], HISTORY)


def grism_polynomials(module: str) -> dict[str, list[Polynomial1D]]:
    """Return the models of a grism along rows, with their inverses, for the orders 1 and 2."""
    found: dict[str, list[Polynomial1D]] = {}
    for order in ORDERS:
        slope = GRISM_SIGN[module] * PIXELS_PER_UM * order
        # the second order leaves no wavelength of its range in place
        start = slope * (BLUE - UNDEVIATED / order)
        models = {
            "displ": (BLUE, SPAN),
            "dispx": (start, slope * SPAN),
            "dispy": (0.0, 0.0),
            "invdispl": (-BLUE / SPAN, 1 / SPAN),
            "invdispx": (-start / (slope * SPAN), 1 / (slope * SPAN)),
            "invdispy": (0.0, 0.0),
        }
        for name, (constant, linear) in models.items():
            found.setdefault(name, []).append(Polynomial1D(1, c0=constant, c1=linear))
    return found


def write_grism_specwcs(path: Path, mode: SpectralMode) -> Path:
    """Write where each wavelength falls behind NIRCam's grism."""
    module = mode.detector[3]
    meta = asdf_meta(
        "specwcs",
        "NIRCAMGrismModel",
        "Grism along rows",
        name=mode.instrument,
        module=module,
        pupil=mode.pupil,
    )
    meta |= {
        "exposure": {"type": mode.exp_type, "p_exptype": SERIES_OF[mode.exp_type]},
        "exp_type": mode.exp_type,
        "input_units": units.micron,
        "output_units": units.micron,
    }
    return write_tree(path, {**grism_polynomials(module), "meta": meta, "orders": list(ORDERS)})


def write_grism_range(path: Path, mode: SpectralMode) -> Path:
    """Write the range of wavelengths of each order and filter of NIRCam's grism series."""
    meta = asdf_meta("wavelengthrange", "WavelengthrangeModel", "Ranges", name=mode.instrument)
    meta |= {
        "exposure": {"type": mode.exp_type, "p_exptype": SERIES_OF[mode.exp_type]},
        "input_units": units.micron,
        "output_units": units.micron,
    }
    ranges = [
        [order, mode.pupil, name, low, high]  # as version 3 of the official package reads them
        for order in ORDERS
        for name, (low, high) in GRISM_FILTERS.items()
    ]
    tree = {
        "meta": meta,
        "order": list(ORDERS),
        "wavelengthrange": ranges,
        "waverange_selector": list(GRISM_FILTERS),
        "extract_orders": [[name, [1]] for name in GRISM_FILTERS],
    }
    return write_tree(path, tree)


def write_nirspec_range(path: Path, mode: SpectralMode) -> Path:
    """Write the order and the range (in metres) of each grating of NIRSpec with its filter."""
    meta = asdf_meta("wavelengthrange", "WavelengthrangeModel", "Ranges", name=mode.instrument)
    meta["instrument"]["p_detector"] = "NRS1|NRS2|"
    meta |= {
        "exposure": {"type": mode.exp_type, "p_exptype": SERIES_OF[mode.exp_type]},
        "wavelength_units": units.m,
    }
    tree = {
        "meta": meta,
        "order": [0 if grating == "PRISM" else -1 for grating in GRATINGS],
        "waverange_selector": [f"{row[0]}_{grating}" for grating, row in GRATINGS.items()],
        "wavelengthrange": [[row[1] * 1e-6, row[2] * 1e-6] for row in GRATINGS.values()],
    }
    return write_tree(path, tree)
