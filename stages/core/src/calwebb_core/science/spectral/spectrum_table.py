"""The columns of an extracted spectrum from sums over its aperture."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.spectra import BACKGROUND, BRIGHTNESS, FLUX, TIMES
from calwebb_core.science.dq import PixelDQ
from calwebb_core.science.kernels import column_background as box

Float64 = NDArray[np.float64]

JY_PER_MJY: Final = 1e6
BRIGHT: Final = "MJy/sr"
POINTLIKE: Final = "MJy"
# columns of INT_TIMES for those of the spectra
TIME_COLUMNS: Final = dict(
    zip(
        TIMES,
        (
            "int_start_MJD_UTC", "int_mid_MJD_UTC", "int_end_MJD_UTC",
            "int_start_BJD_TDB", "int_mid_BJD_TDB", "int_end_BJD_TDB",
        ),
        strict=True,
    )
)  # fmt: skip
NUMBER: Final = "integration_number"
MOST: Final = 10**9  # of an exposure: more is no number of integrations


@dataclass(frozen=True)
class Scales:
    """From sums of pixels to the units of a spectrum.

    Attributes
    ----------
    flux : float
        Jy of one unit of the data in one pixel.
    brightness, background : float
        MJy/sr of one unit of the data; `brightness` is 0 where there is no such thing.
    units : (str, str)
        Of flux and of surface brightness.
    """

    flux: float
    brightness: float
    background: float
    units: tuple[str, str]

    @classmethod
    def of(cls, keywords: Metadata) -> "Scales":
        """Return the scales of an exposure by BUNIT and PIXAR_SR.

        Raises
        ------
        InputError
            If PIXAR_SR is missing where it is needed.
        """
        unit = str(keywords.get("BUNIT", "")).strip()
        if unit == BRIGHT:
            area = keywords.require("PIXAR_SR", float)
            if not area > 0.0:
                msg = f"{keywords.source}: PIXAR_SR is {area}; expected the area of a pixel in sr"
                raise InputError(msg)
            return cls(area * JY_PER_MJY, 1.0, 1.0, ("Jy", BRIGHT))
        if unit == POINTLIKE:
            known = keywords.get("PIXAR_SR")
            background = 1.0 / float(known) if known else np.nan
            return cls(JY_PER_MJY, 0.0, background, ("Jy", BRIGHT))
        return cls(1.0, 1.0, 1.0, (unit, unit))


def columns_of(
    sums: Float64, wavelength: Float64, scales: Scales, factor: Float64 | float = 1.0
) -> dict[str, NDArray[Any]]:
    """Return the columns of a spectrum.

    Parameters
    ----------
    sums : float64 (..., nwave, NCOLUMNS)
        From `extraction.extract_box`.
    wavelength : float64 (nwave,)
        Micrometres.
    scales : Scales
    factor : float64 (nwave,) or float
        Aperture correction.

    Returns
    -------
    dict of ndarray (..., nwave)
        By official name.
    """
    npixels = sums[..., box.NPIXELS]
    per_pixel = np.divide(1.0, npixels, out=np.zeros(npixels.shape), where=npixels > 0.0)
    parts = {
        FLUX: (box.FLUX, scales.flux * factor),
        BRIGHTNESS: (box.FLUX, scales.brightness * factor * per_pixel),
        BACKGROUND: (box.BKG, scales.background * per_pixel),
    }
    columns: dict[str, NDArray[Any]] = {
        "WAVELENGTH": np.broadcast_to(wavelength, npixels.shape).copy()
    }
    for (name, error, *variances), (first, scale) in parts.items():
        used = np.any(sums[..., first] != 0.0) or first == box.FLUX
        columns[name] = sums[..., first] * scale if used else np.zeros(npixels.shape)
        for place, variance in enumerate(variances, first + 1):
            squared = sums[..., place] * np.square(scale) if used else np.zeros(npixels.shape)
            columns[variance] = squared
        columns[error] = np.sqrt(sum(columns[variance] for variance in variances))
    lost = ~np.isfinite(columns[FLUX[0]])
    for name in (*FLUX, *BRIGHTNESS):
        columns[name][lost] = np.nan
    if scales.brightness == 0.0:
        for name in BRIGHTNESS:
            columns[name][...] = 0.0
    dq = np.where(lost, np.uint32(PixelDQ.DO_NOT_USE), np.uint32(0))
    dq[sums[..., box.FILLED] > 0.0] |= np.uint32(PixelDQ.FLUX_ESTIMATED)
    columns["DQ"] = dq
    columns["NPIXELS"] = npixels.copy()
    return columns


def units_of(scales: Scales) -> dict[str, str]:
    """Return the unit of each column."""
    flux, brightness = scales.units
    units = {"WAVELENGTH": "um"}
    for names, unit in ((FLUX, flux), (BRIGHTNESS, brightness), (BACKGROUND, brightness)):
        square = f"{unit}^2" if unit.isalnum() else f"({unit})^2"
        units |= dict.fromkeys(names[:2], unit) | dict.fromkeys(names[2:], square)
    return units


def integration_columns(
    keywords: Metadata, times: Table | None, nints: int, nwave: int
) -> dict[str, NDArray[Any]]:
    """Return the columns that have one value an integration; times are NaN without INT_TIMES.

    Raises
    ------
    InputError
        If INT_TIMES lacks an integration or a column.
    """
    first, segment = (number_of(keywords, name) for name in ("INTSTART", "EXSEGNUM"))
    numbers = np.arange(first, first + nints, dtype=np.int32)
    columns: dict[str, NDArray[Any]] = {
        "INT_NUM": numbers,
        "N_ALONGDISP": np.full(nints, nwave, np.uint32),
        "SEGMENT": np.full(nints, segment, np.int32),
    }
    if times is None:
        return columns | {name: np.full(nints, np.nan) for name in TIMES}
    rows = rows_of(times, numbers, keywords.source)
    return columns | {
        name: np.asarray(times.data[column][rows], np.float64)
        for name, column in TIME_COLUMNS.items()
    }


def number_of(keywords: Metadata, name: str) -> int:
    """Return the number of an integration or segment, 1 without one.

    Raises
    ------
    InputError
        If no exposure has as many.
    """
    number = keywords.optional(name, int) or 1
    if not 0 < number <= MOST:
        msg = f"{keywords.source}: {name} is {number}; expected 1 to {MOST}"
        raise InputError(msg)
    return number


def rows_of(times: Table, numbers: NDArray[np.int32], source: str) -> NDArray[np.intp]:
    """Return the rows of INT_TIMES that some integrations have.

    Raises
    ------
    InputError
        If one has none, or a column is missing.
    """
    names = times.data.dtype.names or ()
    missing = [name for name in (NUMBER, *TIME_COLUMNS.values()) if name not in names]
    if missing:
        msg = f"{source}: INT_TIMES has no column {missing[0]}; it has {', '.join(names)}"
        raise InputError(msg)
    order = np.argsort(times.data[NUMBER], kind="stable")
    known = times.data[NUMBER][order]
    place = np.searchsorted(known, numbers)
    found = np.take(known, np.minimum(place, len(known) - 1)) == numbers if len(known) else []
    if not len(known) or not np.all(found):
        msg = (
            f"{source}: INT_TIMES has {len(known)} integrations, but not all of {numbers[0]} to "
            f"{numbers[-1]}; correct the table or use another file"
        )
        raise InputError(msg)
    rows: NDArray[np.intp] = order[place]
    return rows
