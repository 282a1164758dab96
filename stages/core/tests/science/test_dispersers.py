"""Gratings, NIRSpec's prism, limits and constants among inputs, beside the official transforms."""

import warnings

import numpy as np
import pytest

from calwebb_core.framework.plain_asdf import Tagged, read_tree, write_tree
from calwebb_core.science.transforms import UnknownTransformError, from_node
from calwebb_core.science.transforms.dispersers import (
    GratingAngles,
    GratingWavelength,
    Limit,
    Prism,
    PrismIndex,
)
from calwebb_core.science.transforms.elementary import Fixed, Identity, Polynomial, Shift

K = [0.58339748, 0.46085267, 3.8915394]
SELLMEIER = [0.00252643, 0.010078333, 1200.556]
THERMAL = [-2.66e-05, 1e-8, 1e-10, 1e-7, 1e-9, 0.1]
GLASS = {
    "prism_angle": -16.5, "kcoef": K, "lcoef": SELLMEIER, "tcoef": THERMAL, "ref_temp": 35.0,
    "temp": 37.0, "ref_pressure": 0.0, "pressure": 0.0,
}  # fmt: skip
OLD = "tag:stsci.edu:jwst_pipeline/"


def rays(count=50):
    rng = np.random.default_rng(3)
    light = rng.uniform(0.6e-6, 5.3e-6, count)
    alpha, beta = rng.uniform(-0.5, 0.2, count), rng.uniform(-0.3, 0.3, count)
    return light, alpha, beta, np.sqrt(1 - alpha**2 - beta**2)


def prism(temperature=37.0):
    return Prism(-16.5, K, SELLMEIER, THERMAL, 35.0, temperature)


@pytest.fixture
def official():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("stdatamodels.jwst.transforms.models")


@pytest.mark.parametrize("temperature", [36.0, 54.0, 60.0, 300.0])
def test_prism_as_the_official_one(official, temperature):
    theirs = official.Snell(-16.5, K, SELLMEIER, THERMAL, 35.0, 0.0, temperature, 0.0)
    light, *before = rays()
    mine = prism(temperature)(light, *before)
    for one, other in zip(mine, theirs(light, *before), strict=True):
        assert one == pytest.approx(other, abs=1e-14)
    index = PrismIndex(-16.5)(*before[:2], mine[0])
    assert index == pytest.approx(prism(temperature).index(light), rel=1e-13)
    known = official.RefractionIndexFromPrism(-16.5)(*before[:2], mine[0])
    assert index == pytest.approx(known, rel=1e-14)


def test_old_grating_equation_as_the_official_one(official):
    light, *before = rays()
    values = {"groove_density": 89408.7, "order": -1.0}
    angles = from_node(Tagged(OLD + "grating_equation-1.2.0", values | {"output": "angle"}))
    theirs = official.AngleFromGratingEquation(89408.7, -1.0)(light, *before)
    assert np.array(angles(light, *before)) == pytest.approx(np.array(theirs), abs=1e-14)
    lengths = from_node(Tagged(OLD + "grating_equation-1.2.0", values | {"output": "wavelength"}))
    theirs = official.WavelengthFromGratingEquation(89408.7, -1.0)(*before)
    assert lengths(*before) == pytest.approx(theirs, rel=1e-13)


def test_grating_there_and_back():
    light, alpha, beta, _ = rays()
    out, _, third = GratingAngles(89408.7, -1)(light, -alpha, beta)
    assert GratingWavelength(89408.7, -1)(alpha, out) == pytest.approx(-light, rel=1e-9)
    assert out**2 + beta**2 + third**2 == pytest.approx(1.0)


def test_no_ray_is_nan():
    assert np.isnan(GratingAngles(89408.7, -1)(1e-5, 0.9, 0.0)[2])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("GT", [1, 2, np.nan]), ("LT", [np.nan, 2, 3]), ("EQ", [1, np.nan, 3])],
)
def test_limit(condition, expected):
    found = Limit(condition, 2.0)(np.array([1.0, 2.0, 3.0]))
    assert np.array_equal(found, expected, equal_nan=True)


def test_fixed_inputs():
    inner = Shift(1.0) & Polynomial([[0.0, 1.0], [2.0, 0.0]])
    assert Fixed(inner, {1: 5.0})(1.0, 3.0) == (2.0, 13.0)
    assert np.array_equal(Fixed(inner, {0: 7.0})(np.ones(3), np.ones(3))[0], [8.0] * 3)


@pytest.mark.parametrize(
    "transform",
    [
        prism(), PrismIndex(-16.5), GratingWavelength(9e4, -1), GratingAngles(9e4, -1),
        Limit("GT", 0.55), Fixed(Identity(2), {1: 3.0}),
    ],
)  # fmt: skip
def test_stored_and_read_again(transform):
    again = from_node(read_tree(write_tree({"model": transform.node()}))["model"])
    inputs = [np.array([0.1, 0.2])] * transform.n_inputs
    first, second = (np.array(found(*inputs)) for found in (transform, again))
    assert np.array_equal(first, second, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("snell-1.2.0", {"pressure": 1.0}, "a prism that is not in a vacuum"),
        ("snell-1.2.0", {"kcoef": [1.0]}, "1, 3, 6 coefficients; not 3, 3, 6"),
        ("snell-1.2.0", {"temp": "warm"}, "expected a number"),
        ("logical-1.2.0", {"condition": "GE", "compareto": 1, "value": 2}, "the condition 'GE'"),
        ("grating_equation-1.2.0", {"groove_density": 1.0, "order": 1.0}, "output"),
    ],
)  # fmt: skip
def test_nodes_of_other_forms(name, change, match):
    with pytest.raises(UnknownTransformError, match=match):
        from_node(Tagged(OLD + name, GLASS | change))


def test_records_in_asdf_files(tmp_path):
    """Tables of records, as the slits of the msa reference, are read without the library."""
    import asdf

    rows = np.array([(1, 0.5, 2.0), (2, 1.5, 4.0)], dtype=[("no", "i2"), ("x", "f4"), ("y", ">f8")])
    asdf.AsdfFile({"data": rows}).write_to(tmp_path / "rows.asdf")
    found = read_tree((tmp_path / "rows.asdf").read_bytes())["data"]
    assert found.dtype.names == ("no", "x", "y")
    assert [tuple(row) for row in found] == [tuple(row) for row in rows]
    assert found.dtype["y"].isnative
