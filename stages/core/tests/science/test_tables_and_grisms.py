"""Tables and grisms as transforms, against astropy and the official data models' classes."""

import io

import asdf
import numpy as np
import pytest
from astropy.modeling import models
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.plain_asdf import Tagged, read_tree, write_tree
from calwebb_core.science.transforms import NoInverseError, UnknownTransformError, from_node
from calwebb_core.science.transforms.elementary import Polynomial
from calwebb_core.science.transforms.grism import GrismBackward, GrismForward
from calwebb_core.science.transforms.tables import Tabular


def node_of(model):
    buffer = io.BytesIO()
    asdf.AsdfFile({"model": model}).write_to(buffer)
    return read_tree(buffer.getvalue())["model"]


def opened(transform):
    with asdf.open(io.BytesIO(write_tree({"model": transform.node()})), lazy_load=False) as file:
        return file["model"]


def arrays(found):
    return np.array(np.broadcast_arrays(*found))


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("fill", [np.nan, 7.0])
def test_table_is_that_of_astropy(turn, fill):
    points, values = np.array([1.0, 2.0, 4.0, 4.5]), np.array([3.0, 2.0, 1.5, -9.0])
    theirs = models.Tabular1D(
        points[::turn], values[::turn], bounds_error=False, fill_value=fill, name="wave"
    )
    x = np.linspace(0.0, 5.0, 101)
    ours = from_node(node_of(theirs))
    assert ours.name == "wave"
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-14)
    np.testing.assert_array_equal(opened(ours)(x), theirs(x))
    inside = np.linspace(1.0, 4.5, 50)
    np.testing.assert_allclose(ours.inverse(ours(inside)), inside, rtol=1e-13)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20, unique=True), st.floats(0.0, 1.0))
def test_table_there_and_back(found, place):
    points = np.sort(np.round(found, 2))
    if np.any(np.diff(points) <= 0):
        return
    table = Tabular(points, np.arange(points.size) * -2.0)
    x = min(points[0] + place * (points[-1] - points[0]), points[-1])
    assert table.inverse(table(x)) == pytest.approx(x, rel=1e-9, abs=1e-6)


def test_tables_that_are_none():
    with pytest.raises(ValueError, match="neither rise nor fall"):
        Tabular([1.0, 3.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"\(2,\) points and \(3,\) values"):
        Tabular([1.0, 3.0], [1.0, 2.0, 3.0])
    with pytest.raises(NoInverseError, match="values neither rise nor fall"):
        _ = Tabular([1.0, 2.0, 3.0], [1.0, 2.0, 1.0]).inverse
    for change, message in (
        ({"bounds_error": True}, "may not be left"),
        ({"method": "nearest"}, "not linear"),
    ):
        node = Tabular([1.0, 2.0], [3.0, 4.0]).node()
        node.update(change)
        with pytest.raises(UnknownTransformError, match=message):
            from_node(node)


LINES = [(2.4, 2.6), (2.4, 1.3)], [(-1530.0, 2600.0), (860.0, 5180.0)], [(0.5, 0.0), (1.0, -3.0)]


def lines(factory):
    return [[factory(*line) for line in row] for row in LINES]


def official(kind, *curves, orders=(1, 2)):
    module = pytest.importorskip("stdatamodels.jwst.transforms.models")
    return getattr(module, kind)(list(orders), *curves)


@pytest.mark.parametrize("axis", [1, 2])
def test_grism_is_the_official_one(axis):
    polynomials = lines(lambda c0, c1: models.Polynomial1D(1, c0=c0, c1=c1))
    if axis == 2:
        polynomials = [polynomials[0], polynomials[2], polynomials[1]]
    name = {1: "NIRCAMForwardRowGrismDispersion", 2: "NIRCAMForwardColumnGrismDispersion"}[axis]
    theirs = official(name, *polynomials)
    theirs.inverse = official("NIRCAMBackwardGrismDispersion", *polynomials)
    ours = from_node(node_of(theirs))
    assert isinstance(ours, GrismForward)
    assert isinstance(ours.inverse, GrismBackward)
    x, wavelength = np.linspace(0.0, 2047.0, 40), np.linspace(2.0, 5.5, 40)
    for order in (1.0, 2.0):
        place = (x, x, 900.0, 34.0, order)
        np.testing.assert_array_equal(arrays(ours(*place)), arrays(theirs(*place)))
        np.testing.assert_array_equal(arrays(opened(ours)(*place)), arrays(theirs(*place)))
        source = (x * 0 + 900.0, x * 0 + 34.0, wavelength, x * 0 + order)
        np.testing.assert_array_equal(
            arrays(ours.inverse(*source)), arrays(theirs.inverse(*source))
        )
        back = opened(ours).inverse(*source)
        np.testing.assert_array_equal(arrays(back), arrays(theirs.inverse(*source)))


def of_source(factory):
    """Curves whose coefficients depend on where the source is."""
    along = [factory(-1530.0, 0.01, 0.002), factory(2600.0, 1e-3, 1e-3), factory(80.0, 0.0, 0.0)]
    across = [factory(1.0, 1e-3, 0.0), factory(2.0, 0.0, 0.0)]
    return [[factory(2.4, 0.0, 0.0), factory(2.6, 0.0, 1e-5)]], [along], [across]


def test_grism_that_depends_on_the_source_is_the_official_one():
    curves = of_source(lambda a, b, c: models.Polynomial2D(1, c0_0=a, c1_0=b, c0_1=c))
    theirs = official("NIRCAMForwardRowGrismDispersion", *curves, orders=(1,))
    back = official("NIRCAMBackwardGrismDispersion", *curves, orders=(1,))
    ours = from_node(node_of(theirs))
    x = np.linspace(-1800.0, 3500.0, 60)
    # the official one takes one pixel at a time
    expected = np.array([theirs(float(value), 30.0, 1000.0, 34.0, 1.0) for value in x]).T
    np.testing.assert_allclose(arrays(ours(x, 30.0, 1000.0, 34.0, 1.0)), expected, rtol=1e-14)
    # near both ends the official inverse leaves its own curve by up to 28 pixels
    wavelength = np.linspace(2.55, 4.85, 60)
    expected = arrays(back(1000.0, 34.0, wavelength, 1.0))
    found = arrays(ours.inverse(1000.0, 34.0, wavelength, 1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    ends = np.array([2.41, 2.42, 4.97, 5.0])
    pixels = arrays(ours.inverse(1000.0, 34.0, ends, 1.0))
    assert ours(*pixels)[2] == pytest.approx(ends, abs=1e-4)


def test_grism_of_several_sources_is_that_of_each():
    curves = of_source(lambda a, b, c: Polynomial([[a, c], [b, 0.0]]))
    grism = GrismForward(1, [1], *curves)
    x, x0, y0 = np.array([500.0, 700.0, 900.0]), np.array([1000.0, 1200.0, 1000.0]), 34.0
    found = grism(x, 30.0, x0, y0, 1.0)[2]
    each = [grism(x[i], 30.0, x0[i], y0, 1.0)[2] for i in range(3)]
    np.testing.assert_array_equal(found, each)
    assert grism(np.array([]), np.array([]), np.array([]), np.array([]), np.array([]))[2].size == 0


def test_grisms_that_are_refused():
    line = Polynomial([0.0, 1.0])
    with pytest.raises(ValueError, match="2 orders with another number"):
        GrismForward(1, [1, 2], [line], [line], [line])
    with pytest.raises(ValueError, match="no straight line"):
        GrismForward(1, [1], [line], [Polynomial([0.0, 1.0, 2.0])], [line])
    grism = GrismForward(1, [1, 2], *([line, line] for _ in range(3)))
    with pytest.raises(ValueError, match=r"order 3 of a grism; it has \[1, 2\]"):
        grism(1.0, 1.0, 1.0, 1.0, 3.0)
    with pytest.raises(ValueError, match="order 1, 2 of a grism"):
        grism(1.0, 1.0, 1.0, 1.0, np.array([1.0, 2.0]))
    node = Tagged(grism.node().tag, grism.node() | {"model_type": "other"})
    with pytest.raises(UnknownTransformError, match="nircam_grism_dispersion"):
        from_node(node)
