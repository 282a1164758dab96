"""Correction for the light beyond the aperture, from an APCORR reference.

The factor is interpolated linearly in wavelength and in the width of the aperture (pixels), for
NIRSpec also in the place of the source within its pixel; beyond the table the last value holds
(the official step takes 1 for NIRSpec beyond the wavelengths of the table: `hold` is False). Flux
and surface brightness of a point source are multiplied by it, variances by its square.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import ANY_VALUE, Reference

Float64 = NDArray[np.float64]

TABLE: Final = "APCORR"
# column of the table and the keyword that it is compared with
SELECTORS: Final = (
    ("subarray", "SUBARRAY"), ("filter", "FILTER"), ("grating", "GRATING"), ("pupil", "PUPIL"),
    ("slit", "SLTNAME"),
)  # fmt: skip
PHASE: Final = 0.5  # of a source in the middle of a pixel
ARCSEC: Final = "arcsec"
UNIT: Final = "SIZEUNIT"


def row_of(reference: Reference, keywords: Metadata) -> dict[str, Any]:
    """Return the columns of the row that is for an exposure, by lower-case name.

    Raises
    ------
    ReferenceFileError
        If there is no such table or row.
    """
    table = reference.tables.get(TABLE)
    if table is None:
        msg = f"{reference.path or reference.name}: has no table {TABLE}; expected an apcorr file"
        raise ReferenceFileError(msg)
    names = {name.lower(): name for name in table.data.dtype.names or ()}
    selected = np.ones(len(table.data), bool)
    wanted = []
    for column, keyword in SELECTORS:
        if column in names and keyword in keywords:
            value = str(keywords[keyword]).strip().upper()
            column_values = np.char.upper(np.asarray(table.data[names[column]]).astype(str))
            selected &= (column_values == value) | np.isin(column_values, ANY_VALUE)
            wanted.append(f"{keyword} {value}")
    rows = np.flatnonzero(selected)
    if not rows.size:
        msg = (
            f"{reference.path or reference.name}: has no row for {', '.join(wanted)}; "
            "name another file with --override apcorr=FILE, or N/A"
        )
        raise ReferenceFileError(msg)
    row = table.data[rows[0]]
    return {lower: row[name] for lower, name in names.items()}


def correction(
    reference: Reference,
    keywords: Metadata,
    wavelengths: Float64,
    widths: Float64,
    *,
    arcsec_per_pixel: float | None = None,
    phase: float = PHASE,
    hold: bool = True,
) -> Float64:
    """Return the factor for every element of a spectrum.

    Parameters
    ----------
    reference : Reference
        APCORR.
    keywords : Metadata
    wavelengths : float64 (nwave,)
        Micrometres.
    widths : float64 (..., nwave)
        Of the aperture, pixels.
    arcsec_per_pixel : float, optional
        Needed where the table has sizes in arcsec.
    phase : float
        Place of the source in its pixel, 0.5 for the middle.
    hold : bool
        Whether the first and last value hold beyond the wavelengths of a table with phases.

    Returns
    -------
    float64 (..., nwave)
        1 where the table knows nothing.

    Raises
    ------
    ReferenceFileError
        If the table has no row for the exposure, or one that cannot be read.
    """
    row = row_of(reference, keywords)
    waves, sizes, factors = numbers_of(row, phase, str(reference.path or reference.name))
    keyword = reference.headers.get(TABLE, {}).get(UNIT) or reference.metadata.get(UNIT)
    unit = str(keyword or "pixels").lower()
    if unit.startswith(ARCSEC):
        if arcsec_per_pixel is None:
            msg = f"{reference.name}: has sizes in arcsec, but the scale of the pixels is unknown"
            raise ReferenceFileError(msg)
        sizes = sizes / arcsec_per_pixel
    order, rank = np.argsort(waves), np.argsort(sizes)
    table = factors[np.ix_(order, rank)]
    found = interpolated(waves[order], sizes[rank], table, wavelengths, widths)
    if not hold and "pixphase" in row:
        outside = (wavelengths < waves.min()) | (wavelengths > waves.max())
        found = np.where(outside, 1.0, found)
    return np.where(np.isfinite(found) & (found > 0.0), found, 1.0)


def numbers_of(row: dict[str, Any], phase: float, source: str) -> tuple[Float64, Float64, Float64]:
    """Return wavelengths (n,), sizes (m,) and factors (n, m) of a row.

    Raises
    ------
    ReferenceFileError
        If it lacks one of them, or their numbers do not go together.
    """
    try:
        nwave, nsize = int(row["nelem_wl"]), int(row["nelem_size"])
        waves = np.asarray(row["wavelength"], np.float64).reshape(-1)[: max(nwave, 0)]
        factors, sizes = plane_of(row, max(nwave, 0), max(nsize, 0), phase)
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        reason = f"no column {error}" if isinstance(error, KeyError) else f"no numbers: {error}"
        msg = f"{source}: the row of {TABLE} has {reason}; name another file, or N/A"
        raise ReferenceFileError(msg) from error
    known = waves.size and sizes.size and np.isfinite(waves).all() and np.isfinite(sizes).all()
    if not known or factors.shape != (waves.size, sizes.size):
        msg = (
            f"{source}: the row of {TABLE} has {waves.size} wavelengths and {sizes.size} sizes "
            f"for factors of shape {factors.shape}; name another file, or N/A"
        )
        raise ReferenceFileError(msg)
    return waves, sizes, factors


def plane_of(row: dict[str, Any], nwave: int, nsize: int, phase: float) -> tuple[Float64, Float64]:
    """Return factors (wavelength, size) and sizes of a row."""
    factors = np.asarray(row["apcorr"], np.float64)
    sizes = np.asarray(row["size"], np.float64)
    if factors.ndim == 2:
        return factors[:nwave, :nsize], sizes.reshape(-1)[:nsize]
    phases = np.asarray(row["pixphase"], np.float64).reshape(-1)
    factors = np.moveaxis(factors[:nsize, :nwave, : len(phases)], 0, 1)
    place = np.interp(phase, phases, np.arange(len(phases)))
    low = int(np.floor(place))
    high = min(low + 1, len(phases) - 1)
    part = place - low
    plane = (1.0 - part) * factors[..., low] + part * factors[..., high]
    return plane, (sizes[:nsize, 0] if sizes.ndim == 2 else sizes[:nsize])


def interpolated(
    waves: Float64, sizes: Float64, factors: Float64, at_wave: Float64, at_size: Float64
) -> Float64:
    """Return bilinear interpolation; beyond the table the last value holds."""
    i, u = cell_of(waves, at_wave)
    j, v = cell_of(sizes, at_size)
    k, m = np.minimum(i + 1, len(waves) - 1), np.minimum(j + 1, len(sizes) - 1)
    low = (1.0 - u) * factors[i, j] + u * factors[k, j]
    high = (1.0 - u) * factors[i, m] + u * factors[k, m]
    result: Float64 = (1.0 - v) * low + v * high
    return result


def cell_of(nodes: Float64, values: Float64) -> tuple[NDArray[np.intp], Float64]:
    """Return the node before each value and how far it is to the next one, from 0 to 1."""
    place = np.interp(values, nodes, np.arange(len(nodes), dtype=np.float64))
    place = np.nan_to_num(place, nan=0.0)
    low = np.clip(np.floor(place), 0, max(0, len(nodes) - 2)).astype(np.intp)
    return low, place - low
