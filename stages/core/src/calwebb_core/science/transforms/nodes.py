"""Transforms from the nodes of an ASDF file."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from calwebb_core.framework.plain_asdf import Tagged
from calwebb_core.science.transforms import (
    cosines,
    dispersers,
    elementary,
    grism,
    sphere,
    tables,
)
from calwebb_core.science.transforms.base import Beside, Chain, Transform

Builder = Callable[[Tagged], Transform]


class UnknownTransformError(Exception):
    """A transform, or a form of one, that this package doesn't evaluate."""


def from_node(node: Any) -> Transform:
    """Return the transform of an ASDF node.

    Parameters
    ----------
    node : Tagged

    Raises
    ------
    UnknownTransformError
        If it or a part of it isn't known, or its parameters are wrong.
    """
    if not isinstance(node, Tagged) or node.kind not in BUILDERS:
        msg = node.tag if isinstance(node, Tagged) else type(node).__name__
        raise UnknownTransformError(msg)
    try:
        transform = BUILDERS[node.kind](node)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        msg = f"{node.kind}: {' '.join(str(error).split())}"
        raise UnknownTransformError(msg) from error
    if "name" in node:
        transform.name = node["name"]
    if node.get("inverse") is not None:
        transform.own_inverse = from_node(node["inverse"])
    return transform


def pair(node: Tagged) -> tuple[Transform, Transform]:
    """Return the two transforms of a compound node."""
    first, second = node["forward"]
    return from_node(first), from_node(second)


def number(value: Any) -> float:
    """Return a plain number; quantities and arrays of numbers are not evaluated here."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"the value {value!r}; expected a number"
        raise TypeError(msg)
    return float(value)


def remap(node: Tagged) -> Transform:
    """Return a remap; texts in a mapping stand for constants and are not evaluated here."""
    return elementary.Remap([int(index) for index in node["mapping"]], node.get("n_inputs"))


def constant(node: Tagged) -> Transform:
    """Return a constant of one or two coordinates."""
    return elementary.Constant(number(node["value"]), int(node.get("dimensions", 1)))


def affine(node: Tagged) -> Transform:
    """Return an affine transform."""
    return elementary.Affine(np.asarray(node["matrix"]), np.asarray(node["translation"]))


def rotate2d(node: Tagged) -> Transform:
    """Return a rotation in the plane as a matrix."""
    angle = np.deg2rad(number(node["angle"]))
    cosine, sine = np.cos(angle), np.sin(angle)
    return elementary.Affine([[cosine, -sine], [sine, cosine]])


def arithmetic(node: Tagged) -> Transform:
    """Return the sum, difference, product or ratio of two transforms."""
    first, second = pair(node)
    if (first.n_inputs, first.n_outputs) != (second.n_inputs, second.n_outputs):
        msg = "two transforms of different dimensions"
        raise ValueError(msg)
    return elementary.Arithmetic(node.kind.removeprefix("transform/"), first, second)


def polynomial(node: Tagged) -> Transform:
    """Return a polynomial in one or two coordinates."""
    coefficients = np.asarray(node["coefficients"], np.float64)
    if coefficients.ndim not in (1, 2) or len(set(coefficients.shape)) != 1:
        msg = f"coefficients of shape {coefficients.shape}"
        raise ValueError(msg)
    domain, window = (intervals(node.get(key), coefficients.ndim) for key in ("domain", "window"))
    return elementary.Polynomial(coefficients, domain, window)


def intervals(value: Any, dimensions: int) -> list[tuple[float, float]] | None:
    """Return the intervals of a domain, one a coordinate."""
    if value is None:
        return None
    pairs: Sequence[Any] = [value] if dimensions == 1 else value
    return [(number(low), number(high)) for low, high in pairs]


def rotations(node: Tagged) -> Transform:
    """Return a sequence of rotations of vectors."""
    if node.get("rotation_type", "cartesian") != "cartesian":
        msg = "rotations of angles"
        raise ValueError(msg)
    return sphere.Rotations(node["angles"], node["axes_order"])


def cosine_rotations(node: Tagged) -> Transform:
    """Return a sequence of rotations of direction cosines."""
    return cosines.CosineRotations(node["angles"], node["axes_order"])


def direction(node: Tagged) -> Transform:
    """Return the change from a ray's coordinates to direction cosines, or back."""
    kinds = {
        "unitless2directional": cosines.ToCosines,
        "directional2unitless": cosines.FromCosines,
    }
    return kinds[node["model_type"]]()


def spherical(node: Tagged) -> Transform:
    """Return a change between angles and vectors."""
    wrap = int(node.get("wrap_lon_at", 360))
    if wrap not in (180, 360):
        msg = f"wrap_lon_at {wrap}"
        raise ValueError(msg)
    if node["transform_type"] == "spherical_to_cartesian":
        return sphere.ToCartesian(wrap)
    return sphere.ToSpherical(wrap)


def gnomonic(node: Tagged) -> Transform:
    """Return the tangent projection or its inverse."""
    return sphere.Tangent() if node["direction"] == "pix2sky" else sphere.ToTangent()


def fits_image(node: Tagged) -> Transform:
    """Return a FITS image's coordinates in the tangent plane."""
    if not isinstance(from_node(node["projection"]), sphere.Tangent):
        msg = "a projection other than the tangent plane"
        raise UnknownTransformError(msg)
    return sphere.FitsImage(node["crpix"], node["crval"], node["cdelt"], node["pc"])


def tabular(node: Tagged) -> Transform:
    """Return a table of one coordinate."""
    if node.get("bounds_error") or node.get("method", "linear") != "linear":
        msg = "a table that is not linear, or may not be left"
        raise UnknownTransformError(msg)
    (points,), values = node["points"], np.asarray(node["lookup_table"], np.float64)
    fill = node.get("fill_value")
    limit = None if fill is None else float(fill)
    return tables.Tabular(np.asarray(points, np.float64), values, limit)


def grism_dispersion(node: Tagged) -> Transform:
    """Return the dispersion of a grism of NIRCam, or its inverse."""
    curves = [
        [
            from_node(c) if isinstance(c, Tagged) else [from_node(part) for part in c]
            for c in node[k]
        ]
        for k in ("lmodels", "xmodels", "ymodels")
    ]
    kind = node["model_type"]
    if kind == grism.BACKWARD:
        return grism.GrismBackward(grism.ROW, node["orders"], *curves)
    axes = {name: axis for axis, name in grism.FORWARD.items()}
    return grism.GrismForward(axes[kind], node["orders"], *curves)


def grating(node: Tagged) -> Transform:
    """Return the grating equation as gwcs has it."""
    kinds = {"wavelength": dispersers.GratingWavelength, "angle": dispersers.GratingAngles}
    return kinds[node["output"]](number(node["groove_density"]), number(node["order"]))


def old_grating(node: Tagged) -> Transform:
    """Return the grating equation of older products, which has the ray before turned round."""
    density, order = number(node["groove_density"]), number(node["order"])
    if node["output"] == "wavelength":
        back = dispersers.GratingWavelength(density, order) | elementary.Scale(-1.0)
        return elementary.Remap([0, 2], 3) | back
    turned = elementary.Identity(1) & elementary.Scale(-1.0) & elementary.Identity(1)
    return elementary.Remap([0, 1, 2], 4) | turned | dispersers.GratingAngles(density, order)


def prism(node: Tagged) -> Transform:
    """Return the way through the prism; only in a vacuum."""
    if node["ref_pressure"] or node["pressure"]:
        msg = "a prism that is not in a vacuum"
        raise UnknownTransformError(msg)
    k, sellmeier, thermal = (
        [number(value) for value in node[key]] for key in ("kcoef", "lcoef", "tcoef")
    )
    reference, temperature = number(node["ref_temp"]), number(node["temp"])
    angle = number(node["prism_angle"])
    return dispersers.Prism(angle, k, sellmeier, thermal, reference, temperature)


def logical(node: Tagged) -> Transform:
    """Return another value where a condition holds."""
    limit, value = number(node["compareto"]), number(node["value"])
    return dispersers.Limit(node["condition"], limit, value)


def fixed(node: Tagged) -> Transform:
    """Return a transform some of whose inputs are constants."""
    inner, given = node["forward"]
    names = list(inner.get("inputs", []))
    places = [key if isinstance(key, int) else names.index(key) for key in given["keys"]]
    values = [number(value) for value in given["values"]]
    return elementary.Fixed(from_node(inner), dict(zip(places, values, strict=True)))


BUILDERS: dict[str, Builder] = {
    "transform/shift": lambda node: elementary.Shift(number(node["offset"])),
    "transform/scale": lambda node: elementary.Scale(number(node["factor"])),
    "transform/multiplyscale": lambda node: elementary.Scale(number(node["factor"])),
    "transform/identity": lambda node: elementary.Identity(int(node.get("n_dims", 1))),
    "transform/remap_axes": remap,
    "transform/constant": constant,
    "transform/affine": affine,
    "transform/rotate2d": rotate2d,
    "transform/polynomial": polynomial,
    "transform/compose": lambda node: Chain(*pair(node)),
    "transform/concatenate": lambda node: Beside(*pair(node)),
    "transform/add": arithmetic,
    "transform/subtract": arithmetic,
    "transform/multiply": arithmetic,
    "transform/divide": arithmetic,
    "transform/tabular": tabular,
    "transform/rotate_sequence_3d": rotations,
    "transform/gnomonic": gnomonic,
    "gwcs/spherical_cartesian": spherical,
    "jwst_pipeline/coords": direction,
    "jwst_pipeline/nircam_grism_dispersion": grism_dispersion,
    "jwst_pipeline/rotation_sequence": cosine_rotations,
    "jwst_pipeline/grating_equation": old_grating,
    "jwst_pipeline/snell": prism,
    "jwst_pipeline/refraction_index_from_prism": lambda node: dispersers.PrismIndex(
        number(node["prism_angle"])
    ),
    "jwst_pipeline/logical": logical,
    "gwcs/grating_equation": grating,
    "gwcs/fitswcs_imaging": fits_image,
    "transform/fix_inputs": fixed,
}
