"""Products of spectra in one dimension: one table each, told apart by EXTVER.

A time series has one row an integration; its columns are vectors along the wavelength.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.asdf_extension import to_asdf
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import (
    card,
    cards,
    checked_values,
    closing_cards,
    home_of,
    metadata_from,
    product_metadata,
)
from calwebb_core.framework.fits_layout import Hdu, scan
from calwebb_core.framework.fits_read import read_bytes
from calwebb_core.framework.fits_tables import plain_form, read_plain, stored_rows, structure
from calwebb_core.framework.fits_write import (
    Block,
    Rows,
    asdf_block,
    header_cards,
    table_block,
    write_blocks,
)
from calwebb_core.framework.keywords import find_keyword
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.product_reading import read_record
from calwebb_core.framework.raw_ramp import carried
from calwebb_core.framework.spectra import (
    COLUMNS,
    DTYPES,
    PER_INTEGRATION,
    SPECTRUM_KEYWORDS,
    Spectra,
    Spectrum,
)
from calwebb_core.framework.stored_columns import StoredColumns

MODELS: Final = {
    "x1d": "MultiSpecModel",
    "x1dints": "TSOMultiSpecModel",
    "c1d": "MultiCombinedSpecModel",
}
EXTRACT: Final = "EXTRACT1D"
COMBINE: Final = "COMBINE1D"


def write_spectra(spectra: Spectra, path: Path) -> None:
    """Write a product of spectra: PRIMARY, a table of each, other tables, ASDF.

    Raises
    ------
    InputError, ProcessingError
        If a spectrum lacks a column or has one of another length; if the folder cannot be
        written or the disk is full.
    """
    path = Path(path)
    own = primary_of(product_metadata(spectra.metadata, path, MODELS[spectra.kind]))
    values = checked_values(own)
    blocks = [Block("PRIMARY", None, cards(own, values, "PRIMARY") + closing_cards(own))]
    for version, spectrum in enumerate(spectra.spectra, 1):
        blocks.append(spectrum_block(spectrum, spectra.kind, version, path))
    blocks += [table_block(name, table) for name, table in spectra.tables.items()]
    blocks.append(asdf_block(to_asdf(own, values)))
    write_blocks(path, blocks)


def primary_of(metadata: Metadata) -> Metadata:
    """Return the keywords without those of SCI, an extension that such a product has not."""
    result = metadata.copy()
    for name in list(result):
        if home_of(result, name) != "PRIMARY":
            del result[name]
    return result


def spectrum_block(spectrum: Spectrum, kind: str, version: int, path: Path) -> Block:
    """Return the table of one spectrum."""
    name = COMBINE if kind == "c1d" else EXTRACT
    columns = spectrum.columns
    if isinstance(columns, StoredColumns):
        kinds, count, rows = columns.dtype, columns.count, columns.rows
    else:
        kinds = row_type(columns, kind, f"{path}: {name} {version}")
        count = len(columns["WAVELENGTH"])
        rows = partial(rows_of, columns, kinds)
    form = plain_form(kinds)
    if form is None:
        msg = f"{path}: {name} {version} has columns that no table holds"
        raise InputError(msg)

    def read(first: int, last: int) -> bytes:
        return stored_rows(rows(first, last), form).tobytes()

    made = Rows(count, form.itemsize, read)
    named = header_cards(("EXTNAME", name, "extension name"), ("EXTVER", version, ""))
    cards = structure(kinds, count, spectrum.units)
    return Block(name, made, keyword_cards(spectrum.metadata), [*cards, *named])


def keyword_cards(metadata: Metadata) -> list[Any]:
    """Return the cards of a spectrum's keywords, those that stand in PRIMARY left out."""
    result = []
    for name, value in checked_values(metadata).items():
        entry = find_keyword(name)
        if entry is not None and entry.hdu == "PRIMARY" and name not in SPECTRUM_KEYWORDS:
            continue
        comment = metadata.comments.get(name) or (entry.comment if entry else "")
        result.append(card(name, value, comment))
    return result


def row_type(columns: Mapping[str, NDArray[Any]], kind: str, source: str) -> np.dtype[Any]:
    """Return the type of the rows of a spectrum's table: the official columns, then others.

    Raises
    ------
    InputError
        If one is missing, or has another shape than WAVELENGTH.
    """
    missing = [name for name in COLUMNS[kind] if name not in columns]
    if missing:
        msg = f"{source}: has no column {missing[0]}; expected {', '.join(COLUMNS[kind])}"
        raise InputError(msg)
    names = [*COLUMNS[kind], *(name for name in columns if name not in COLUMNS[kind])]
    shape = columns["WAVELENGTH"].shape
    fields = []
    for name in names:
        check_column(name, columns[name], shape, kind, source)
        fields.append((name, DTYPES.get(name, np.float64), columns[name].shape[1:]))
    return np.dtype(fields)


def rows_of(
    columns: Mapping[str, NDArray[Any]], kinds: np.dtype[Any], first: int, last: int
) -> NDArray[Any]:
    """Return the rows [first, last) of a table; `kinds` is from `row_type`."""
    rows = np.empty(last - first, kinds)
    for name in kinds.names or ():
        rows[name] = columns[name][first:last]
    return rows


def check_column(
    name: str, column: NDArray[Any], shape: tuple[int, ...], kind: str, source: str
) -> None:
    """Refuse a column of another shape than its kind of product has."""
    series = kind == "x1dints"
    expected = shape[:1] if series and name in PER_INTEGRATION else shape
    if len(shape) != 1 + series or column.shape != expected:
        form = "(integrations, wavelengths)" if series else "(wavelengths,)"
        msg = (
            f"{source}: column {name} has shape {column.shape}, WAVELENGTH {shape}; expected {form}"
        )
        raise InputError(msg)


def read_spectra(path: Path) -> Spectra:
    """Read a product of spectra.

    Raises
    ------
    InputError
        If it is no FITS file, truncated, has no table EXTRACT1D or COMBINE1D, or tables of a
        form that products of spectra have not.
    """
    path = Path(path)
    hdus = scan(path)
    tables = spectra_of(hdus)
    if not tables:
        found = ", ".join(hdu.name or "(no name)" for hdu in hdus)
        msg = f"{path}: has no table EXTRACT1D or COMBINE1D; found {found}; expected spectra"
        raise InputError(msg)
    metadata = metadata_from(path, {"PRIMARY": hdus[0].header})
    metadata.provenance = read_record(path, hdus)
    spectra = [read_spectrum(path, hdu) for hdu in tables]
    kind = kind_of(path, tables[0], spectra)
    return Spectra(metadata, spectra, carried(path, hdus, (EXTRACT, COMBINE)), kind)


def spectra_of(hdus: list[Hdu]) -> list[Hdu]:
    """Return the tables of spectra, in the order of EXTVER."""
    tables = [hdu for hdu in hdus if hdu.name in (EXTRACT, COMBINE) and not hdu.is_image]
    return sorted(tables, key=lambda hdu: hdu.version)


def read_spectrum(path: Path, hdu: Hdu) -> Spectrum:
    """Read the table of one spectrum."""
    table = read_plain(read_bytes(path, hdu), hdu)
    names = table.data.dtype.names or () if table else ()
    if table is None or "WAVELENGTH" not in names or not len(table.data):
        msg = f"{path}: table {hdu.name} {hdu.version} is none of a spectrum; make the file again"
        raise InputError(msg)
    metadata = Metadata(table.keywords, str(path))
    columns = {name: np.ascontiguousarray(table.data[name]) for name in names}
    return Spectrum(metadata, columns, table.units)


def kind_of(path: Path, hdu: Hdu, spectra: list[Spectrum]) -> str:
    """Return the kind of product that the tables make.

    Raises
    ------
    InputError
        If they are of different kinds, or one lacks a column.
    """
    kind = "c1d" if hdu.name == COMBINE else "x1d"
    if kind == "x1d" and "INT_NUM" in spectra[0].columns:
        kind = "x1dints"
    for number, spectrum in enumerate(spectra, 1):
        if kind == "x1dints" and spectrum.nints is None:
            widen(spectrum)
        row_type(spectrum.columns, kind, f"{path}: {hdu.name} {number}")
    return kind


def widen(spectrum: Spectrum) -> None:
    """Give columns of one wavelength, which a file holds as numbers, their second axis."""
    spectrum.columns = {
        name: column[:, None] if name not in PER_INTEGRATION and column.ndim == 1 else column
        for name, column in spectrum.columns.items()
    }
