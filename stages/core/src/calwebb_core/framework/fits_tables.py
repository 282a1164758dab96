"""Plain binary tables as structured arrays.

Astropy's tables bring half of the library with them, which takes longer to load than many an
exposure takes to calibrate. Columns of numbers, truth values and texts are read and written
here; anything else (scaled columns, bits, rows of varying length) is left to astropy.
"""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_cards import Card
from calwebb_core.framework.fits_layout import Hdu
from calwebb_core.framework.keywords import is_structural
from calwebb_core.framework.models import Table

STORED = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "L": "S1"}
CODES = {"u1": "B", "i2": "I", "i4": "J", "i8": "K", "f4": "E", "f8": "D", "b1": "L"}
# unsigned columns are stored as signed ones with TZERO
CODES |= {"u2": "I", "u4": "J"}
TOP_BITS = {"I": 2**15, "J": 2**31}
FORMAT = re.compile(r"(\d*)([A-Z])\s*$")
SCALED = ("TZERO", "TSCAL", "TNULL", "TDISP", "TDIM")


def stored_dtype(header: Any) -> np.dtype[Any] | None:
    """Return the type of a table's rows as they are stored, or None if it is not plain."""
    try:
        return plain_dtype(header)
    except (ValueError, TypeError, OverflowError):  # a column twice, a card without sense
        return None


def plain_dtype(header: Any) -> np.dtype[Any] | None:
    """Return the type of a plain table's rows; ValueError where its columns make no sense."""
    fields: list[tuple[str, str, tuple[int, ...]]] = []
    for number in range(1, int(header.get("TFIELDS", 0)) + 1):
        found = FORMAT.match(str(header.get(f"TFORM{number}", "")).strip())
        name = str(header.get(f"TTYPE{number}", "")).strip()
        if found is None or is_scaled(header, number, found[2]) or not name:
            return None
        repeat, code = int(found[1] or 1), found[2]
        if repeat > header["NAXIS1"]:
            return None
        if code == "A" and repeat:
            fields.append((name, f"S{repeat}", ()))
        elif code in STORED and repeat:
            fields.append((name, STORED[code], cell_shape(header, number, repeat)))
        else:
            return None
    dtype = np.dtype(fields) if fields else None
    return dtype if dtype is not None and dtype.itemsize == header.get("NAXIS1") else None


def is_scaled(header: Any, number: int, code: str) -> bool:
    """Say whether a column is stored in another form than its values, unsigned ones aside."""
    words = [word for word in SCALED if word != "TDISP" and f"{word}{number}" in header]
    if "TDIM" in words and has_shape(header, number):
        words.remove("TDIM")
    if words == ["TZERO"]:
        return not is_unsigned(header, number, code)
    return bool(words)


def has_shape(header: Any, number: int) -> bool:
    """Say whether TDIM gives numbers a shape that fits their count; of texts it makes lists."""
    form = FORMAT.match(str(header[f"TFORM{number}"]).strip())
    shape = shape_of(header, number)
    if form is None or not shape or form[2] not in STORED or form[2] == "L":
        return False
    return math.prod(shape) == int(form[1] or 1)


def shape_of(header: Any, number: int) -> tuple[int, ...]:
    """Return what TDIM says, slowest axis first; nothing if it makes no sense."""
    text = str(header.get(f"TDIM{number}", "")).strip()
    if not re.fullmatch(r"\(\s*\d+\s*(,\s*\d+\s*)*\)", text):
        return ()
    return tuple(int(length) for length in reversed(text[1:-1].split(",")))


def cell_shape(header: Any, number: int, repeat: int) -> tuple[int, ...]:
    """Return the shape of a column's cells, () of single numbers."""
    shape = shape_of(header, number)
    if len(shape) > 1:
        return shape
    return () if repeat == 1 else (repeat,)


def is_unsigned(header: Any, number: int, code: str) -> bool:
    """Say whether a column's values are unsigned, stored as signed ones with TZERO."""
    return code in TOP_BITS and header.get(f"TZERO{number}") == TOP_BITS[code]


def read_plain(raw: bytes, hdu: Hdu) -> Table | None:
    """Return a table from its bytes as a native structured array, or None if it is not plain."""
    dtype = stored_dtype(hdu.header)
    if dtype is None or hdu.header.get("PCOUNT", 0):
        return None
    stored = np.frombuffer(raw, dtype, int(hdu.header["NAXIS2"]))
    names = dtype.names or ()
    columns = {name: native(stored[name], hdu.header, i) for i, name in enumerate(names)}
    fields = [(name, column.dtype, column.shape[1:]) for name, column in columns.items()]
    data = np.empty(len(stored), fields)
    for name, column in columns.items():
        data[name] = column
    units = {}
    for number, name in enumerate(columns, 1):
        # a value that follows no form of the standard says nothing
        with suppress(ValueError):
            if unit := str(hdu.header.get(f"TUNIT{number}", "")).strip():
                units[name] = unit
    return Table(data, units, keywords_of(hdu.header))


def keywords_of(header: Any) -> dict[str, Any]:
    """Return the keywords of a table's header that say something about its content."""
    keywords = {}
    for card in header.cards:
        if not is_structural(card.keyword):
            # a value that follows no form of the standard says nothing
            with suppress(ValueError):
                keywords[card.keyword] = card.value
    return keywords


def native(column: NDArray[Any], header: Any, position: int) -> NDArray[Any]:
    """Return a column in native byte order; truth values as such, texts as bytes."""
    code = str(header[f"TFORM{position + 1}"]).strip()[-1:]
    if code == "L":
        truth: NDArray[np.bool_] = column == b"T"
        return truth
    if column.dtype.kind == "S":
        return column
    values = column.astype(column.dtype.newbyteorder("="))
    if is_unsigned(header, position + 1, code):
        return turned(values.view(values.dtype.str.replace("i", "u")))
    return values


def turned(values: NDArray[Any]) -> NDArray[Any]:
    """Return unsigned values as they are stored, or as they were: the top bit turned."""
    result: NDArray[Any] = values ^ values.dtype.type(1 << (8 * values.dtype.itemsize - 1))
    return result


def as_stored(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values of a column as they are stored, in native byte order."""
    if values.dtype.kind == "b":
        return np.where(values, b"T", b"F")
    if values.dtype.kind == "u" and values.dtype.itemsize > 1:
        return turned(values).view(values.dtype.str.replace("u", "i"))
    return values


def plain_bytes(table: Table) -> tuple[bytes, list[Any]] | None:
    """Return a table as stored bytes and the cards of its structure, or None if not plain."""
    form = plain_form(table.data.dtype)
    if form is None:
        return None
    cards = structure(table.data.dtype, len(table.data), table.units)
    return stored_rows(table.data, form).tobytes(), cards


def stored_rows(rows: NDArray[Any], form: np.dtype[Any]) -> NDArray[Any]:
    """Return native rows as they are stored; `form` is from `plain_form`."""
    stored = np.zeros(len(rows), form)
    for name in form.names or ():
        stored[name] = as_stored(rows[name])
    return stored


def plain_form(dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """Return the type of rows as they are stored, or None if a table of them is not plain."""
    fields: list[tuple[str, Any, tuple[int, ...]]] = []
    for name in dtype.names or ():
        base, shape = dtype[name].base, dtype[name].shape
        text = base.kind == "S"
        if len(shape) > 1 or (text and (shape or not base.itemsize)):
            return None
        if not text and base.str[1:] not in CODES:
            return None
        fields.append((name, base if text else STORED[CODES[base.str[1:]]], shape))
    return np.dtype(fields)


def form_of(column: np.dtype[Any]) -> str:
    """Return what TFORM says of a column of a plain table."""
    if column.base.kind == "S":
        return f"{column.base.itemsize}A"
    code = CODES[column.base.str[1:]]
    return f"{column.shape[0]}{code}" if column.shape else code


def structure(dtype: np.dtype[Any], count: int, units: Mapping[str, str]) -> list[Any]:
    """Return the cards that describe a plain table of `count` rows, but for its name."""
    form = plain_form(dtype)
    assert form is not None  # noqa: S101 - asked by the caller
    names = dtype.names or ()
    entries: list[tuple[str, Any, str]] = [
        ("XTENSION", "BINTABLE", "binary table extension"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", form.itemsize, "length of dimension 1"),
        ("NAXIS2", count, "length of dimension 2"),
        ("PCOUNT", 0, "number of group parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("TFIELDS", len(names), "number of table fields"),
    ]
    for number, name in enumerate(names, 1):
        code = form_of(dtype[name])
        entries += [(f"TTYPE{number}", name, ""), (f"TFORM{number}", code, "")]
        if units.get(name):
            entries.append((f"TUNIT{number}", units[name], ""))
        if dtype[name].base.kind == "u" and code[-1] in TOP_BITS:
            entries.append((f"TZERO{number}", TOP_BITS[code[-1]], ""))
    return [Card(*entry) for entry in entries]
