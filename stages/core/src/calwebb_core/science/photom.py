"""Flux calibration of images: DN/s to MJy/sr.

``S' = S * C`` and variances times ``C^2``, where ``C`` is PHOTMJSR of the row of the PHOTOM
reference that fits the optical elements, divided by the relative throughput at the middle of
the exposure where the reference says how it changes with time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Image, Table, UInt32
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.flat import row_bands
from calwebb_core.science.kernels.photom import scale_rows

DAYS_PER_YEAR = 365.0
# 1 MJy/sr in uJy/arcsec^2.
UJA2_PER_MJSR = 1e12 * (np.pi / 180.0 / 3600.0) ** 2
KEYWORD_OF_COLUMN = {
    "filter": "FILTER", "pupil": "PUPIL", "subarray": "SUBARRAY", "grating": "GRATING",
    "slit": "SLTNAME", "order": "SPORDER",
}  # fmt: skip
NUMBERS = ("order",)
ANY = ("GENERIC", "ANY")
LISTED = 12  # rows of a table that a message names


@dataclass(frozen=True)
class Conversion:
    """The flux calibration of one exposure.

    Attributes
    ----------
    photmjsr : MJy/sr per DN/s, time correction included
    throughput : relative throughput at the exposure's time, 1 without a time correction
    """

    photmjsr: float
    throughput: float = 1.0

    @property
    def photuja2(self) -> float:
        """Microjansky per square arcsec per DN/s."""
        return float(self.photmjsr * UJA2_PER_MJSR)


def text(value: Any) -> str:
    """Return a table cell as text without trailing blanks."""
    return (value.decode() if isinstance(value, bytes) else str(value)).strip()


def columns(table: Table) -> dict[str, str]:
    """Return the column names of a table by their lower-case form."""
    return {name.lower(): name for name in table.data.dtype.names or ()}


def wanted_elements(table: Table, metadata: Metadata) -> dict[str, str]:
    """Return column -> value that a row must have, from the exposure's keywords.

    Raises
    ------
    InputError
        If the table goes by a keyword that the exposure lacks.
    """
    names = columns(table)
    wanted = {}
    for column, keyword in KEYWORD_OF_COLUMN.items():
        if column in names:
            number = column in NUMBERS
            value = metadata.require(keyword, int) if number else metadata.require(keyword, str)
            wanted[names[column]] = str(value).strip().upper()
    return wanted


def find_row(table: Table, wanted: Mapping[str, str]) -> int | None:
    """Return the number of the row with all wanted values, or of that for any subarray, or None.

    Raises
    ------
    ReferenceFileError
        If several rows have them and don't say the same.
    """
    found = [
        number
        for number, row in enumerate(table.data)
        if all(text(row[column]).upper() == value for column, value in wanted.items())
    ]
    if found:
        if any(table.data[number] != table.data[found[0]] for number in found[1:]):
            msg = f"the table has {len(found)} rows for {as_text(wanted)} that differ; expected one"
            raise ReferenceFileError(msg)
        return found[0]
    column = columns(table).get("subarray")
    if column is None or wanted.get(column) in ANY:
        return None
    numbers = (find_row(table, {**wanted, column: name}) for name in ANY)
    return next((number for number in numbers if number is not None), None)


def as_text(elements: Mapping[str, str]) -> str:
    """Return wanted values for a message: "filter F444W, pupil CLEAR"."""
    return ", ".join(f"{column} {value}" for column, value in elements.items()) or "any exposure"


def row_for(table: Table, metadata: Metadata, name: str, extension: str) -> Any:
    """Return the row of a table for an exposure.

    Raises
    ------
    InputError
        If a keyword that the table goes by is missing.
    ReferenceFileError
        If there is none, or several that differ; the message says which rows there are.
    """
    wanted = wanted_elements(table, metadata)
    try:
        number = find_row(table, wanted)
    except ReferenceFileError as error:
        msg = f"{name}: {extension}: {error}"
        raise ReferenceFileError(msg) from None
    if number is None:
        there = sorted({", ".join(text(row[c]) for c in wanted) for row in table.data})
        more = f" and {len(there) - LISTED} more" if len(there) > LISTED else ""
        msg = (
            f"{name}: {extension} has no row for {as_text(wanted)} of {metadata.source}; it has "
            f"{'; '.join(there[:LISTED]) or 'none at all'}{more}: choose another reference file"
        )
        raise ReferenceFileError(msg)
    return table.data[number]


def conversion(
    tables: Mapping[str, Table],
    metadata: Metadata,
    *,
    name: str = "photom",
    time_correction: bool = True,
) -> Conversion:
    """Look up the flux calibration of an imaging exposure.

    Parameters
    ----------
    tables : mapping of Table
        PHOTOM (filter, pupil or subarray, photmjsr) and, where they exist, TIMECOEFF_LINEAR,
        TIMECOEFF_EXPONENTIAL, TIMECOEFF_POWERLAW with the same keys.
    metadata : Metadata
        FILTER, PUPIL, SUBARRAY as the table asks; EXPMID (MJD) for the time correction.
    name : str
        Name of the reference file for messages.
    time_correction : bool
        Whether to apply the change of throughput with time.

    Raises
    ------
    InputError
        If a keyword that the table goes by is missing.
    ReferenceFileError
        If the table is missing, has no row for the exposure, or its value is not positive.
    """
    table = tables.get("PHOTOM")
    if table is None or "photmjsr" not in columns(table):
        msg = f"{name}: the photom reference has no PHOTOM table with a photmjsr column"
        raise ReferenceFileError(msg)
    row = row_for(table, metadata, name, "PHOTOM")
    value = float(row[columns(table)["photmjsr"]])
    throughput = relative_throughput(tables, metadata, name) if time_correction else 1.0
    if not (np.isfinite(value) and value > 0 and np.isfinite(throughput) and throughput > 0):
        msg = f"{name}: photmjsr is {value} and the relative throughput {throughput}; expected > 0"
        raise ReferenceFileError(msg)
    return Conversion(value / throughput, throughput)


def linear(days: float, row: Mapping[str, float]) -> float:
    """Return ``1 - lossperyear * t / 365``."""
    return 1.0 - row["lossperyear"] * days / DAYS_PER_YEAR


def exponential(days: float, row: Mapping[str, float]) -> float:
    """Return ``amplitude * exp(-t / tau) + const``."""
    return float(row["amplitude"] * np.exp(-days / row["tau"]) + row["const"])


def powerlaw(days: float, row: Mapping[str, float]) -> float:
    """Return ``year1value * ((t + tsoft) / (365 + tsoft)) ** alpha``."""
    base = (days + row["tsoft"]) / (DAYS_PER_YEAR + row["tsoft"])
    return float(row["year1value"] * np.float64(base) ** row["alpha"]) if base > 0 else np.nan


TIME_FORMS = {
    "TIMECOEFF_LINEAR": linear,
    "TIMECOEFF_EXPONENTIAL": exponential,
    "TIMECOEFF_POWERLAW": powerlaw,
}


def relative_throughput(tables: Mapping[str, Table], metadata: Metadata, name: str) -> float:
    """Return the product of all time dependences at EXPMID; 1 where there is none.

    Raises
    ------
    InputError
        If there is a time dependence and EXPMID is missing.
    ReferenceFileError
        If a time table has no row for the exposure.
    """
    result = 1.0
    for extension, form in TIME_FORMS.items():
        table = tables.get(extension)
        if table is None or len(table.data) == 0:
            continue
        row = row_for(table, metadata, name, extension)
        numbers = {
            lower: float(row[column])
            for lower, column in columns(table).items()
            if lower not in KEYWORD_OF_COLUMN
        }
        result *= form(metadata.require("EXPMID", float) - numbers["t0"], numbers)
    return result


def apply_conversion(image: Image, factor: float) -> None:
    """Multiply an image or cube by a factor, in place: variances by its square.

    Afterwards NaN and DO_NOT_USE mean the same: a pixel with the flag is NaN in all arrays, and
    one that is NaN in any array has the flag.
    """
    if image.dq is None:
        image.dq = np.zeros(image.data.shape, np.uint32)
    variances = (image.var_poisson, image.var_rnoise, image.var_flat)
    squared = [array for array in variances if array is not None]
    scale((image.data, image.err), squared, image.dq, factor)


def scale(linear: Sequence[Float32], squared: Sequence[Float32], dq: UInt32, factor: float) -> None:
    """Multiply arrays by a factor and others by its square, all of one shape, in place."""
    width = dq.shape[-1]
    lines = [[array.reshape(-1, width) for array in arrays] for arrays in (linear, squared)]
    flags = dq.reshape(-1, width)

    def multiply(rows: slice) -> None:
        parts = [tuple(array[rows] for array in arrays) for arrays in lines]
        scale_rows(parts[0], parts[1], flags[rows], factor)

    in_threads(multiply, row_bands(len(flags)))


def check_area(area: NDArray[Any], shape: tuple[int, ...], name: str) -> Float32:
    """Return the pixel area map as float32.

    Raises
    ------
    ReferenceFileError
        If it doesn't have the image's shape.
    """
    check_area_shape(area.shape, shape, name)
    return np.ascontiguousarray(area, np.float32)


def check_area_shape(area: tuple[int, ...], shape: tuple[int, ...], name: str) -> None:
    """Refuse a pixel area map that doesn't have the image's shape.

    Raises
    ------
    ReferenceFileError
        If so.
    """
    if area != shape[-2:]:
        msg = f"{name}: the pixel area map has shape {area}; the image has {shape[-2:]}"
        raise ReferenceFileError(msg)
