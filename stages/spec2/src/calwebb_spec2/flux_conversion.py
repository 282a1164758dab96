"""Flux calibration of spectra: count rate to flux density or surface brightness.

The conversion of a pixel is the scalar of the row of the PHOTOM table that fits the exposure,
divided by the relative throughput at its time, times the relative response at its wavelength. Rows
give MJy (photmj) or MJy/sr (photmjsr) per DN/s; grism series also divide by the dispersion, because
their response is one for each micrometre of wavelength.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.science.photom import columns, relative_throughput, row_for
from calwebb_core.science.spectral.curves import Curve, curve_of

Float64 = NDArray[np.float64]
FLUX: Final = "MJy"
BRIGHTNESS: Final = "MJy/sr"
UNITS: Final = {"photmj": FLUX, "photmjsr": BRIGHTNESS}
CURVE: Final = ("wavelength", "relresponse")


@dataclass(frozen=True)
class Calibration:
    """The flux calibration of one spectrum.

    Attributes
    ----------
    scalar : `unit` per DN/s, time correction included
    unit : "MJy" or "MJy/sr"
    response : relative response by wavelength, or None
    name : of the reference file, for messages
    """

    scalar: float
    unit: str
    response: Curve
    name: str

    def factors(self, wavelengths: Float64) -> Float64:
        """Return `unit` per DN/s of pixels, NaN where the reference says nothing.

        Parameters
        ----------
        wavelengths : float64, (ny, nx), micrometres

        Raises
        ------
        ReferenceFileError
            If it says nothing of any of them.
        """
        factors = self.scalar * self.response.at(wavelengths)
        if np.isnan(factors).all():
            found = wavelengths[np.isfinite(wavelengths)]
            pixels = f"{found.min():.4g}-{found.max():.4g}" if found.size else "no"
            first, last = self.response.wavelength[[0, -1]]
            msg = (
                f"{self.name}: the response is known at {first:.4g}-{last:.4g} um, but the pixels "
                f"have {pixels} um: choose another photom reference file"
            )
            raise ReferenceFileError(msg)
        return factors

    def lost(self, wavelengths: Float64) -> int:
        """Return how many pixels within the response's range have none that can be used."""
        inside = self.response.covers(wavelengths)
        return int(np.count_nonzero(inside & np.isnan(self.response.at(wavelengths))))


def calibration(
    tables: Mapping[str, Table],
    metadata: Metadata,
    *,
    name: str = "photom",
    time_correction: bool = True,
) -> Calibration:
    """Look up the flux calibration of a spectrum.

    Parameters
    ----------
    tables : mapping of Table
        PHOTOM (keys such as filter, grating, slit; photmj or photmjsr, nelem, wavelength,
        relresponse) and, where they exist, TIMECOEFF_* with the same keys.
    metadata : Metadata
        Keywords of the exposure and the slit; EXPMID (MJD) for the time correction.
    name : str
        Name of the reference file for messages.
    time_correction : bool
        Whether to apply the change of throughput with time.

    Raises
    ------
    InputError
        If a keyword that the table goes by is missing.
    ReferenceFileError
        If the table is not one of spectra, has no row for them, or its values cannot be used.
    """
    table = tables.get("PHOTOM")
    names = {} if table is None else columns(table)
    kind = next((column for column in UNITS if column in names), None)
    if table is None or kind is None or not set(CURVE) <= set(names):
        msg = (
            f"{name}: the photom reference has no PHOTOM table with photmj or photmjsr, "
            "wavelength and relresponse: it is not one of spectra"
        )
        raise ReferenceFileError(msg)
    row = row_for(table, metadata, name, "PHOTOM")
    value = float(row[names[kind]])
    throughput = relative_throughput(tables, metadata, name) if time_correction else 1.0
    if not (np.isfinite(value) and value > 0 and np.isfinite(throughput) and throughput > 0):
        msg = f"{name}: {kind} is {value} and the relative throughput {throughput}; expected > 0"
        raise ReferenceFileError(msg)
    return Calibration(value / throughput, UNITS[kind], response_of(row, names, name), name)


def response_of(row: Any, names: Mapping[str, str], name: str) -> Curve:
    """Return the relative response of a row of the PHOTOM table."""
    length = int(row[names["nelem"]]) if "nelem" in names else None
    wavelength, values = (row[names[column]] for column in CURVE)
    return curve_of(wavelength, values, f"{name}: relresponse of PHOTOM", length=length)


def slit_area(tables: Mapping[str, Table], slit: str, name: str) -> float:
    """Return the area on the sky of a pixel of a NIRSpec slit.

    Parameters
    ----------
    tables : mapping of Table
        AREA: slit_id, pixarea.
    slit : str
    name : str
        Name of the reference file for messages.

    Returns
    -------
    float
        Square arcsec.

    Raises
    ------
    ReferenceFileError
        If there is no such table, no row for the slit, or no area in it.
    """
    table = tables.get("AREA")
    names = {} if table is None else columns(table)
    if table is None or not {"slit_id", "pixarea"} <= set(names):
        msg = f"{name}: the area reference has no AREA table with slit_id and pixarea"
        raise ReferenceFileError(msg)
    areas = {str(row[names["slit_id"]]).strip(): float(row[names["pixarea"]]) for row in table.data}
    area = areas.get(slit, np.nan)
    if not (np.isfinite(area) and area > 0):
        msg = f"{name}: AREA has no pixarea above zero for slit {slit}; it has {', '.join(areas)}"
        raise ReferenceFileError(msg)
    return area


def dispersion(wavelengths: Float64, axis: int) -> Float64:
    """Return the change of wavelength from a pixel to the next.

    Half the difference of both neighbours, or the difference to the one that has a wavelength.

    Parameters
    ----------
    wavelengths : float64, (ny, nx), micrometres
    axis : int
        1 along x, 2 along y.

    Returns
    -------
    float64, (ny, nx), micrometres/pixel
        Positive; NaN without neighbours.

    Raises
    ------
    InputError
        If no pixel has a wavelength and a neighbour along the axis.
    """
    lines = wavelengths if axis == 1 else wavelengths.T
    steps = np.diff(lines, axis=1)
    edge = np.full((lines.shape[0], 1), np.nan)
    before, after = np.hstack([edge, steps]), np.hstack([steps, edge])
    both = (before + after) / 2
    one = np.where(np.isnan(before), after, before)
    result = np.abs(np.where(np.isnan(both), one, both))
    if not np.any(result > 0):
        msg = f"the wavelengths of the spectrum do not change along axis {axis} (DISPAXIS)"
        raise InputError(msg)
    result[result == 0] = np.nan
    return result if axis == 1 else result.T
