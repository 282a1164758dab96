"""Catalogs as ECSV: units, sky positions, metadata, the same text each time."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from calwebb_core.framework.catalogs import read_catalog, write_catalog
from calwebb_core.framework.errors import InputError


def catalog():
    table = QTable(
        {
            "label": np.arange(1, 4, dtype=np.int32),
            "xcentroid": [1.5, 2.25, np.nan] * units.pix,
            "sky_centroid": SkyCoord([1, 2, 3], [4, 5, 6], unit="deg"),
            "is_extended": [True, False, True],
            "note": ["a", "b c", "d"],
        },
        meta={"own": 1},
    )
    table["xcentroid"].info.description = "column, 0-based"
    return table


def test_round_trip(tmp_path):
    table = catalog()
    write_catalog(table, tmp_path / "x_cat.ecsv", {"filter": "F444W", "numbers": [1, 2.5]})
    assert table.meta == {"own": 1}
    back = read_catalog(tmp_path / "x_cat.ecsv", ("label", "sky_centroid"))
    assert back.meta["filter"] == "F444W"
    assert back.meta["numbers"] == [1, 2.5]
    assert back.meta["own"] == 1
    assert back["xcentroid"].unit == units.pix
    assert back["xcentroid"].info.description == "column, 0-based"
    assert back["sky_centroid"].ra.deg.tolist() == [1, 2, 3]
    assert back["is_extended"].tolist() == [True, False, True]
    assert back["note"].tolist() == ["a", "b c", "d"]


def test_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_catalog(catalog(), tmp_path / name, {"x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_missing_column(tmp_path):
    write_catalog(catalog(), tmp_path / "x_cat.ecsv")
    with pytest.raises(InputError, match="has no column flux, ra; found label, xcentroid"):
        read_catalog(tmp_path / "x_cat.ecsv", ("label", "flux", "ra"))
