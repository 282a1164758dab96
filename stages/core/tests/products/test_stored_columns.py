"""Rows that wait in a file come back as they were, and make the same product."""

import gc
import re
from pathlib import Path

import numpy as np
import pytest

from calwebb_core.framework import spectra_products, stored_columns
from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.spectra import COLUMNS, DTYPES, PER_INTEGRATION, Spectra, Spectrum
from calwebb_core.framework.spectra_products import row_type, rows_of, write_spectra
from calwebb_core.framework.stored_columns import StoredColumns

NINTS, NWAVE = 23, 17


def some_columns():
    rng = np.random.default_rng(4)
    columns = {}
    for name in COLUMNS["x1dints"]:
        shape = (NINTS,) if name in PER_INTEGRATION else (NINTS, NWAVE)
        columns[name] = (1e3 * rng.random(shape)).astype(DTYPES.get(name, np.float64))
    return columns


def stored(columns, cuts=(5, 6, 20)):
    kinds = row_type(columns, "x1dints", "test")
    result = StoredColumns(kinds)
    for first, last in zip((0, *cuts), (*cuts, NINTS), strict=True):
        result.append(rows_of(columns, kinds, first, last))
    return result


@pytest.mark.parametrize("at_once", [1, 10_000, 1 << 22])
def test_columns_come_back(monkeypatch, at_once):
    monkeypatch.setattr(stored_columns, "AT_ONCE", at_once)
    columns = some_columns()
    found = stored(columns)
    assert (found.count, list(found), len(found)) == (NINTS, list(columns), len(columns))
    for name, column in columns.items():
        assert found[name].dtype == column.dtype
        np.testing.assert_array_equal(found[name], column)
    assert "FLUX" in found
    assert "NOTHING" not in found


def test_the_product_is_the_same_to_the_byte(monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    columns = some_columns()
    made = []
    for kind, layer in ((dict, 1 << 22), (stored, 1 << 22), (stored, 4)):
        monkeypatch.setattr("calwebb_core.framework.fits_write.LAYER", layer)
        spectrum = Spectrum(Metadata({"SPORDER": 1}), kind(columns), {"FLUX": "Jy"})
        path = tmp_path / f"jw00001001001_{len(made)}" / "x_x1dints.fits"
        path.parent.mkdir()
        write_spectra(Spectra(Metadata(), [spectrum], {}, "x1dints"), path)
        made.append(path.read_bytes())
    assert made[0] == made[1] == made[2]
    found = spectra_products.read_spectra(path).spectra[0].columns
    for name, column in columns.items():
        np.testing.assert_array_equal(found[name], column)


def opened():
    return {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}


def test_the_file_goes_with_its_columns():
    before = opened()
    found = stored(some_columns())
    assert opened() != before
    del found
    gc.collect()
    assert opened() == before


def test_a_full_disk_is_told(monkeypatch):
    columns = some_columns()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("calwebb_core.framework.fits_write.write_at", full)
    expected = "a temporary file cannot be written: No space left on device"
    with pytest.raises(ProcessingError, match=re.escape(expected)):
        stored(columns)
