"""Transforms against astropy and gwcs, which evaluate the same nodes."""

import io

import asdf
import numpy as np
import pytest
from astropy.modeling import models
from gwcs import FITSImagingWCSTransform
from gwcs.geometry import CartesianToSpherical, SphericalToCartesian

from calwebb_core.framework.plain_asdf import Tagged, read_tree, write_tree
from calwebb_core.science.transforms import NoInverseError, UnknownTransformError, from_node
from calwebb_core.science.transforms.cosines import CosineRotations, FromCosines, ToCosines
from calwebb_core.science.transforms.elementary import (
    Affine,
    Constant,
    Identity,
    Polynomial,
    Remap,
    Scale,
    Shift,
)
from calwebb_core.science.transforms.sphere import (
    FitsImage,
    PlaneToSky,
    Rotations,
    SkyToPlane,
    Tangent,
    ToCartesian,
    ToSpherical,
)

RNG = np.random.default_rng(4)
COEFFICIENTS = {f"c{i}_{j}": RNG.normal() for i in range(4) for j in range(4 - i)}
MODELS = {
    "shift": models.Shift(2.5),
    "scale": models.Scale(-0.3),
    "multiply": models.Multiply(1.7),
    "identity": models.Identity(2),
    "remap": models.Mapping((1, 0, 1)),
    "dropping": models.Mapping((1,), n_inputs=3),
    "constant": models.Const1D(4.0),
    "polynomial": models.Polynomial2D(3, **COEFFICIENTS),
    "domain": models.Polynomial2D(
        3, **COEFFICIENTS, x_domain=(-3, 2), y_domain=(0, 4), x_window=(-1, 1), y_window=(-1, 1)
    ),
    "line": models.Polynomial1D(3, c0=1, c1=-2, c2=0.5, c3=0.1),
    "line domain": models.Polynomial1D(2, c0=1, c1=-2, c2=0.5, domain=(-2, 5)),
    "affine": models.AffineTransformation2D([[1, 0.5], [-0.2, 2]], [3, -1]),
    "rotation": models.Rotation2D(33.0),
    "rotations": models.RotationSequence3D([10, 20, 30, -40, 55], "zyxyz"),
    "sphere": SphericalToCartesian(wrap_lon_at=180) | CartesianToSpherical(wrap_lon_at=360),
    "half": SphericalToCartesian(wrap_lon_at=180) | CartesianToSpherical(wrap_lon_at=180),
    "tangent": models.Pix2Sky_TAN(),
    "to tangent": models.Pix2Sky_TAN() | models.Sky2Pix_TAN(),
    "sum": models.Shift(1) + models.Scale(2) * models.Scale(3),
    "quotient": models.Shift(5) / models.Shift(9) - models.Scale(2),
    "image": FITSImagingWCSTransform(
        models.Pix2Sky_TAN(), crpix=[10, 20], crval=[359.99, -69.5], cdelt=[1e-5, 2e-5],
        pc=[[0.6, -0.8], [0.8, 0.6]],
    ),
    "chain": models.Shift(1) & models.Scale(2)
    | models.Mapping((0, 1, 0, 1))
    | models.Polynomial2D(3, **COEFFICIENTS) & models.Identity(2),
}  # fmt: skip


def node_of(model):
    buffer = io.BytesIO()
    asdf.AsdfFile({"m": model}).write_to(buffer)
    return read_tree(buffer.getvalue())["m"]


def inputs(n):
    random = np.random.default_rng(4)  # the same for each test, whatever ran before it
    return [random.uniform(-2, 3, (4, 5)) for _ in range(n)]


def as_tuple(values):
    return values if isinstance(values, tuple) else (values,)


@pytest.mark.parametrize("name", MODELS)
def test_same_values_as_astropy(name):
    model, ours = MODELS[name], from_node(node_of(MODELS[name]))
    assert (ours.n_inputs, ours.n_outputs) == (model.n_inputs, model.n_outputs)
    values = inputs(model.n_inputs)
    for found, expected in zip(as_tuple(ours(*values)), as_tuple(model(*values)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", MODELS)
def test_astropy_reads_the_nodes_back(name):
    model = MODELS[name]
    content = write_tree({"m": from_node(node_of(model)).node()})
    with asdf.open(io.BytesIO(content)) as file:
        again = file["m"]
    values = inputs(model.n_inputs)
    for found, expected in zip(as_tuple(again(*values)), as_tuple(model(*values)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


INVERTIBLE = [
    Shift(2.5), Scale(-0.3), Identity(3), Remap((1, 0)), Affine([[1, 0.5], [-0.2, 2]], [3, -1]),
    Rotations([10, 20, 30], "zyx"), CosineRotations([1, 2], "xy"), ToCartesian(180), Tangent(),
    ToCosines(), PlaneToSky((80.0, -69.5)),
    FitsImage([10, 20], [0.001, 89.9], [1e-5, 1e-5], [[0.6, -0.8], [0.8, 0.6]]),
    Shift(1.0) & Scale(2.0) | Affine([[1, 0.5], [-0.2, 2]]),
]  # fmt: skip


@pytest.mark.parametrize("transform", INVERTIBLE, ids=lambda t: type(t).__name__)
def test_there_and_back(transform):
    values = inputs(transform.n_inputs)
    back = as_tuple(transform.inverse(*as_tuple(transform(*values))))
    # pixels of 1e-5 degree: a declination of 90 degrees is rounded to 1.4e-9 of them
    limit = 1e-8 if isinstance(transform, FitsImage) else 1e-9
    for found, expected in zip(back, values, strict=True):
        assert np.abs(found - expected).max() < limit


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (Constant(1.0), "Constant"),
        (Polynomial([[1.0]]), "Polynomial"),
        (Scale(0.0), "a scale of zero"),
        (Remap((0,), 2), "drops a coordinate"),
        (Affine([[1, 1], [1, 1]]), "a singular matrix"),
    ],
)
def test_no_inverse(transform, message):
    with pytest.raises(NoInverseError, match=message):
        _ = transform.inverse


def test_given_inverse_is_taken_and_stored():
    transform = Polynomial([1.0, 2.0]).with_inverse(Shift(3.0)).named("p")
    again = from_node(read_tree(write_tree({"t": transform.node()}))["t"])
    assert again.inverse(1.0) == 4.0
    assert again.name == "p"


def test_numbers_and_broadcasting():
    chain = Shift(1.0) & Shift(2.0)
    assert chain(1, 2) == (2.0, 4.0)
    x, y = chain(np.zeros((3, 1)), np.zeros(4))
    assert x.shape == y.shape == (3, 4)
    with pytest.raises(TypeError, match="Beside takes 2 inputs; 1 were given"):
        chain(1.0)


def test_large_arrays_give_the_same_bits(monkeypatch):
    transform = from_node(node_of(MODELS["chain"] | models.Identity(3)))
    values = [RNG.normal(size=(37, 23)) for _ in range(2)]
    whole = transform(*values)
    monkeypatch.setattr("calwebb_core.science.transforms.base.CHUNK", 100)
    for part, expected in zip(transform(*values), whole, strict=True):
        np.testing.assert_array_equal(part, expected)
    x, y = (Shift(1.0) & Shift(2.0))(np.zeros((20, 1)), np.zeros(30))
    assert (x.shape, x[3, 4], y[3, 4]) == ((20, 30), 1.0, 2.0)


def test_links_that_don_t_fit():
    with pytest.raises(ValueError, match="Remap gives 3 coordinates, Identity takes 2"):
        Remap((0, 1, 0)) | Identity(2)


def test_projection_keeps_small_offsets():
    """A microarcsecond next to the reference point, at RA 0 and near the pole."""
    for place in ((0.0, 0.0), (359.9999999, 60.0), (12.0, 89.99)):
        plane = SkyToPlane(place)
        east, north = plane(place[0], place[1] + 1e-6 / 3600)
        assert north * 3600 == pytest.approx(1e-6, rel=1e-2)
        assert abs(east) < 1e-13
    assert np.isnan(SkyToPlane((0.0, 0.0))(180.0, 0.0)).all()


def test_poles_have_longitude_zero():
    assert ToSpherical(360)(0.0, 0.0, 1.0) == (0.0, 90.0)


def test_cosines_are_unit_vectors():
    x, y, z = ToCosines()(0.3, -0.4)
    assert x * x + y * y + z * z == pytest.approx(1.0, abs=1e-15)
    assert FromCosines()(x, y, z) == pytest.approx((0.3, -0.4), abs=1e-15)


SHIFT = "tag:stsci.edu:asdf/transform/shift-1.4.0"


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"offset": 1.0}, "dict"),
        (Tagged("tag:stsci.edu:asdf/transform/tabular-1.4.0", {}), "tabular"),
        (Tagged(SHIFT, {"offset": Tagged("tag:x:quantity-1.0.0", {})}), "transform/shift: the val"),
        (Tagged(SHIFT, {}), "transform/shift: 'offset'"),
        (Tagged("tag:stsci.edu:asdf/transform/remap_axes-1.0.0", {"mapping": ["x"]}), "remap_axes"),
        (
            Tagged("tag:stsci.edu:asdf/transform/polynomial-1.0.0", {"coefficients": [[1, 2]]}),
            "coefficients of shape",
        ),
        (
            Tagged(
                "tag:stsci.edu:asdf/transform/rotate_sequence_3d-1.0.0",
                {"angles": [1.0], "axes_order": "xy"},
            ),
            "1 angles for the axes 'xy'",
        ),
        (
            Tagged(
                "tag:stsci.edu:asdf/transform/rotate_sequence_3d-1.0.0",
                {"angles": [1.0], "axes_order": "x", "rotation_type": "spherical"},
            ),
            "rotations of angles",
        ),
        (
            Tagged(
                "tag:stsci.edu:gwcs/spherical_cartesian-1.0.0",
                {"wrap_lon_at": 90, "transform_type": "spherical_to_cartesian"},
            ),
            "wrap_lon_at 90",
        ),
    ],
)
def test_what_is_not_evaluated(node, message):
    with pytest.raises(UnknownTransformError, match=message):
        from_node(node)


def test_parts_of_different_dimensions():
    parts = [Shift(1.0).node(), Identity(2).node()]
    node = Tagged("tag:stsci.edu:asdf/transform/add-1.4.0", {"forward": parts})
    with pytest.raises(UnknownTransformError, match="two transforms of different dimensions"):
        from_node(node)


def test_other_projections():
    image = FitsImage([1, 2], [3, 4], [1e-5, 1e-5], np.identity(2)).node()
    image["projection"] = Shift(1.0).node()
    with pytest.raises(UnknownTransformError, match="other than the tangent plane"):
        from_node(image)
