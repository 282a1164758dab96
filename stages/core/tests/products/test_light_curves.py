"""Light curves are written as astropy writes them, and read by it."""

import sys

import numpy as np
import pytest

from calwebb_core.framework.catalogs import read_catalog, write_catalog
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.light_curves import LightCurve, write_light_curve
from programs import run

META = {
    "instrument": "NIRCAM",
    "none": None,
    "yes": True,
    "long": "a word " * 40,
    "small": 1.5e-7,
    "colon": "a: b",
    "nested": {"text": "", "list": [1, {"c": [], "a": "b"}]},
}


@pytest.fixture
def curve():
    rng = np.random.default_rng(1)
    flux = rng.normal(1, 1e-3, 50)
    flux[[0, 7]] = np.nan, 1e-300
    columns = {"MJD_UTC": 59000 + np.arange(50) / 3, "flux": flux, "number": np.arange(50)}
    return LightCurve(columns, {"flux": "Jy"}, META)


def test_the_file_is_the_one_that_astropy_writes(tmp_path, curve):
    from astropy.table import Table

    write_light_curve(curve, tmp_path / "own.ecsv", {"runs": [1, 2]})
    table = Table(curve.columns, units=curve.units, meta=curve.meta)
    write_catalog(table, tmp_path / "theirs.ecsv", {"runs": [1, 2]})
    assert (tmp_path / "own.ecsv").read_bytes() == (tmp_path / "theirs.ecsv").read_bytes()


def test_it_is_read_with_units_and_meta(tmp_path, curve):
    write_light_curve(curve, tmp_path / "own.ecsv")
    found = read_catalog(tmp_path / "own.ecsv", ("flux",))
    assert found["flux"].unit == "Jy"
    assert curve.table()["flux"].unit == "Jy"
    assert dict(found.meta) == META
    for name, column in curve.columns.items():
        np.testing.assert_array_equal(np.asarray(found[name]), column)


def test_without_head(tmp_path):
    write_light_curve(LightCurve({"a": np.arange(2.0)}), tmp_path / "own.ecsv")
    assert read_catalog(tmp_path / "own.ecsv")["a"].tolist() == [0, 1]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, curve):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be"):
        write_light_curve(curve, tmp_path / "file" / "own.ecsv")


def test_astropy_is_not_loaded():
    code = (
        "import sys, numpy; from calwebb_core.framework.light_curves import LightCurve, text_of;"
        "text_of(LightCurve({'a': numpy.arange(2.0)}, {}, {'b': 1}));"
        "assert 'astropy' not in sys.modules"
    )
    run([sys.executable, "-c", code])
