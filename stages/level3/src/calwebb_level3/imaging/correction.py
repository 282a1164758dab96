"""The correction of a pointing, in the WCS: a frame ``v2v3corr`` behind ``v2v3vacorr``.

V2, V3 are projected from the sphere on a plane tangent at V2_REF, V3_REF and turned by ROLL_REF;
there a linear transformation applies, and the result is projected back. Names and order of the
models are those that tweakwcs writes and looks for, so that it, and this, can correct further.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import unit_vectors
from calwebb_core.science.transforms.base import Chain, Transform
from calwebb_core.science.transforms.elementary import (
    Affine,
    Arithmetic,
    Constant,
    Identity,
    Remap,
    Scale,
)
from calwebb_core.science.transforms.nodes import UnknownTransformError
from calwebb_core.science.transforms.sphere import Rotations, ToCartesian, ToSpherical
from calwebb_core.science.world import World
from calwebb_level3.imaging.matching import Linear

Float64 = NDArray[np.float64]

ARCSEC = np.deg2rad(1.0 / 3600.0)
RIGHT_ANGLE = 324_000.0  # arcsec
CORRECTED = "v2v3corr"
NAME = "JWST tangent-plane linear correction. v1"


@dataclass(frozen=True)
class TangentPlane:
    """A plane tangent to the sky, in arcsec.

    Attributes
    ----------
    axes : float64, (3, 3)
        Rows: the point of contact and the directions of the first and second coordinate, as unit
        vectors of right ascension and declination.
    """

    axes: Float64

    def project(self, vectors: Float64) -> Float64:
        """Return where unit vectors, float64 (n, 3), lie in the plane: float64 (n, 2).

        NaN for what is behind the sphere.
        """
        along = vectors @ self.axes.T
        depth = np.where(along[:, :1] > 0, along[:, :1], np.nan)
        return np.asarray(along[:, 1:] / depth / ARCSEC)

    def lift(self, points: Float64) -> Float64:
        """Return the unit vectors, float64 (n, 3), of points in the plane, float64 (n, 2)."""
        along = np.concatenate([np.ones((len(points), 1)), points * ARCSEC], axis=1)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        return np.asarray(along @ self.axes)

    def carry(self, transform: Linear, other: "TangentPlane", points: Float64) -> Linear:
        """Return what a transformation in this plane amounts to in another one.

        Parameters
        ----------
        transform : Linear
        other : TangentPlane
        points : float64, (n, 2)
            Three or more in the other plane, not on a line: there it is right.
        """
        moved = other.project(self.lift(transform(self.project(other.lift(points)))))
        middle = points.mean(axis=0)
        design = points - middle
        change, *_ = np.linalg.lstsq(design, moved - moved.mean(axis=0) - design, rcond=None)
        matrix = np.eye(2) + change.T
        return Linear(matrix, moved.mean(axis=0) - matrix @ middle)


def reference_angles(wcs: World, metadata: Metadata) -> tuple[float, float, float]:
    """Return longitude, minus latitude and roll, in degrees, of the point of contact.

    Those of an earlier correction count more than the keywords.
    """
    earlier = earlier_correction(wcs)
    if earlier is not None:
        lon, lat, roll = part(earlier, "det_to_optic_axis").angles
        return lon, lat, roll
    v2, v3, roll = (metadata.require(key, float) for key in ("V2_REF", "V3_REF", "ROLL_REF"))
    return v2 / 3600.0, -v3 / 3600.0, roll


def part(transform: Transform, name: str) -> Any:
    """Return the part of a chain that has a name, or None."""
    if transform.name == name:
        return transform
    if isinstance(transform, Chain):
        found = part(transform.first, name)
        return part(transform.second, name) if found is None else found
    return None


def earlier_correction(wcs: World) -> Transform | None:
    """Return the transform of a correction that a WCS has already, or None.

    Raises
    ------
    InputError
        If the frame is there but was made by something else.
    """
    frames = wcs.available_frames
    if CORRECTED not in frames:
        return None
    transform = wcs.transforms[frames.index(CORRECTED) - 1]
    if transform.name != NAME or part(transform, "tp_affine") is None:
        msg = (
            f"the WCS has a frame {CORRECTED} by a transform named {transform.name!r}; expected "
            f"{NAME!r}: make the _cal file anew with calwebb-image2"
        )
        raise InputError(msg)
    return transform


def telescope_frame(wcs: World) -> str:
    """Return the name of the last frame in V2, V3.

    Raises
    ------
    InputError
        If there is none.
    """
    for name in (CORRECTED, "v2v3vacorr", "v2v3"):
        if name in wcs.available_frames:
            return name
    msg = f"the WCS has frames {', '.join(wcs.available_frames)}; expected v2v3vacorr to align it"
    raise InputError(msg)


def as_world(wcs: Any, metadata: Metadata) -> World:
    """Return a WCS as `World`.

    Raises
    ------
    InputError
        If it has transforms that are not known there.
    """
    try:
        return World.of(wcs)
    except UnknownTransformError as error:
        msg = (
            f"{metadata.source}: the WCS can't be aligned: it has {error}; make the _cal file anew "
            "with calwebb-image2, or skip tweakreg"
        )
        raise InputError(msg) from error


def tangent_plane(wcs: World, metadata: Metadata) -> TangentPlane:
    """Return the plane in which a WCS is corrected.

    Raises
    ------
    InputError
        If the WCS doesn't rotate V2, V3 to the sky.
    """
    # A rotation is known from where it takes the axes.
    lon, lat = np.array([0.0, RIGHT_ANGLE, 0.0]), np.array([0.0, 0.0, RIGHT_ANGLE])
    to_sky = wcs.get_transform(telescope_frame(wcs), wcs.available_frames[-1])
    world = unit_vectors(*to_sky(lon, lat))
    if not np.allclose(world @ world.T, np.eye(3), atol=1e-9):
        msg = (
            f"{metadata.source}: the WCS doesn't rotate V2, V3 to the sky and can't be aligned; "
            "make the _cal file anew with calwebb-image2, or skip tweakreg"
        )
        raise InputError(msg)
    return TangentPlane(Rotations(reference_angles(wcs, metadata), "zyx").matrix @ world)


def corrected(wcs: World, metadata: Metadata, transform: Linear) -> World:
    """Return a WCS with a correction in its tangent plane; the given one is not changed.

    Parameters
    ----------
    wcs : World
    metadata : Metadata
        V2_REF, V3_REF, ROLL_REF.
    transform : Linear
        In `tangent_plane`, arcsec; it comes after what the WCS is corrected by already.
    """
    earlier = earlier_correction(wcs)
    angles = reference_angles(wcs, metadata)
    if earlier is None:
        return wcs.inserted(telescope_frame(wcs), CORRECTED, correction(angles, transform))
    affine = part(earlier, "tp_affine")
    before = Linear(np.array(affine.matrix), np.array(affine.translation) / ARCSEC)
    transforms = list(wcs.transforms)
    place = wcs.available_frames.index(CORRECTED) - 1
    transforms[place] = correction(angles, transform.after(before))
    return replace(wcs, transforms=tuple(transforms), _cache={})


def correction(angles: tuple[float, float, float], transform: Linear) -> Transform:
    """Return the transform from V2, V3 to corrected V2, V3, with its inverse.

    Parameters
    ----------
    angles : (float, float, float)
        See `reference_angles`.
    transform : Linear
        In arcsec.
    """
    inverse = np.linalg.inv(transform.matrix)
    shift = transform.shift * ARCSEC
    there = chain(angles, Affine(transform.matrix, shift).named("tp_affine"))
    back = chain(angles, Affine(inverse, -inverse @ shift).named("tp_affine_inv"))
    return there.named(NAME).with_inverse(back.named(f"Inverse {NAME}"))


def both(factor: float, name: str) -> Transform:
    """Return a scale of two coordinates."""
    one = Scale(factor).named(f"{name}_1D")
    return (one & one).named(f"{name}_2D")


def chain(angles: tuple[float, float, float], affine: Transform) -> Transform:
    """Return the projection on the plane, a linear transform in radians, and the way back."""
    turn = Rotations(angles, "zyx")
    divided = Arithmetic(
        "divide", Remap([0, 1, 2], 3).named("xyz"), Remap([0, 0, 0], 3).named("xxx")
    )
    project = divided | Remap([1, 2], 3).named("xtyt")
    lift = Remap([0, 0, 1], 2).named("xtyt2xyz") | (
        Constant(1.0).named("one") & Identity(2).named("I(2D)")
    )
    return (
        both(1.0 / 3600.0, "arcsec_to_deg")
        | ToCartesian(180).named("s2c")
        | turn.named("det_to_optic_axis")
        | project.named("Cartesian 3D to TAN")
        | affine
        | lift.named("TAN to cartesian 3D")
        | turn.inverse.named("optic_axis_to_det")
        | ToSpherical(180).named("c2s")
        | both(3600.0, "deg_to_arcsec")
    )
