"""Angles, unit vectors, rotations and the tangent plane."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from calwebb_core.framework.plain_asdf import STANDARD_TAG, Tagged
from calwebb_core.science.transforms.base import Arrays, Float64, Transform
from calwebb_core.science.transforms.elementary import Affine, Scale, Shift

GWCS_TAG = "tag:stsci.edu:"


class ToCartesian(Transform):
    """Longitude and latitude in degrees to unit vectors."""

    tag = "gwcs/spherical_cartesian-1.3.0"
    authority = GWCS_TAG
    n_inputs, n_outputs = 2, 3

    def __init__(self, wrap_lon_at: int = 360) -> None:
        self.wrap_lon_at = wrap_lon_at

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return x, y, z."""
        lon, lat = np.deg2rad(arrays[0]), np.deg2rad(arrays[1])
        cosine = np.cos(lat)
        return cosine * np.cos(lon), cosine * np.sin(lon), np.sin(lat)

    def derived_inverse(self) -> Transform:
        """Return the way back."""
        return ToSpherical(self.wrap_lon_at)

    def fields(self) -> dict[str, Any]:
        """Return the direction and where longitudes wrap."""
        return {"transform_type": "spherical_to_cartesian", "wrap_lon_at": self.wrap_lon_at}


class ToSpherical(Transform):
    """Vectors to longitude and latitude in degrees."""

    tag = "gwcs/spherical_cartesian-1.3.0"
    authority = GWCS_TAG
    n_inputs, n_outputs = 3, 2

    def __init__(self, wrap_lon_at: int = 360) -> None:
        self.wrap_lon_at = wrap_lon_at

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return longitude and latitude."""
        x, y, z = arrays
        distance = np.hypot(x, y)
        lat = np.rad2deg(np.arctan2(z, distance))
        lon = np.where(distance == 0, 0.0, np.rad2deg(np.arctan2(y, x)))
        return (lon if self.wrap_lon_at == 180 else np.mod(lon, 360.0)), lat

    def derived_inverse(self) -> Transform:
        """Return the way back."""
        return ToCartesian(self.wrap_lon_at)

    def fields(self) -> dict[str, Any]:
        """Return the direction and where longitudes wrap."""
        return {"transform_type": "cartesian_to_spherical", "wrap_lon_at": self.wrap_lon_at}


class Rotations(Transform):
    """Rotations of the coordinate axes about x, y or z, one after the other, in degrees.

    Parameters
    ----------
    angles : sequence of float, degrees
        A positive angle turns the frame counter-clockwise seen from the tip of the axis.
    axes_order : str
        Of the letters x, y, z, one an angle.
    """

    tag = "transform/rotate_sequence_3d-1.2.0"
    n_inputs = n_outputs = 3

    def __init__(self, angles: ArrayLike, axes_order: str) -> None:
        self.angles = [float(angle) for angle in np.ravel(angles)]
        self.axes_order = axes_order
        if len(self.angles) != len(axes_order) or set(axes_order) - set("xyz"):
            msg = f"{len(self.angles)} angles for the axes {axes_order!r}"
            raise ValueError(msg)
        self.matrix = np.identity(3)
        for angle, axis in zip(self.angles, axes_order, strict=True):
            self.matrix = axis_rotation(angle, axis) @ self.matrix

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Multiply by the product of the matrices."""
        x, y, z = arrays
        return tuple(row[0] * x + row[1] * y + row[2] * z for row in self.matrix)

    def derived_inverse(self) -> Transform:
        """Return the rotations back, in the other order."""
        return Rotations([-angle for angle in reversed(self.angles)], self.axes_order[::-1])

    def fields(self) -> dict[str, Any]:
        """Return angles and axes."""
        return {
            "angles": self.angles,
            "axes_order": self.axes_order,
            "rotation_type": "cartesian",
        }


def axis_rotation(angle: float, axis: str) -> Float64:
    """Return the matrix, float64 (3, 3), that turns the frame by `angle` degrees about an axis."""
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.identity(3)
    matrix[[first, second], [first, second]] = cosine
    matrix[first, second], matrix[second, first] = sine, -sine
    return matrix


class Tangent(Transform):
    """The gnomonic projection, from the plane in degrees to native angles."""

    tag = "transform/gnomonic-1.4.0"
    n_inputs = n_outputs = 2

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return phi and theta in degrees (Calabretta & Greisen 2002, A&A 395, 1077)."""
        x, y = arrays
        theta = np.rad2deg(np.arctan2(np.rad2deg(1.0), np.hypot(x, y)))
        return np.rad2deg(np.arctan2(x, -y)), theta

    def derived_inverse(self) -> Transform:
        """Return the projection."""
        return ToTangent()

    def fields(self) -> dict[str, Any]:
        """Return the direction."""
        return {"direction": "pix2sky"}


class ToTangent(Transform):
    """The gnomonic projection, from native angles to the plane in degrees."""

    tag = "transform/gnomonic-1.4.0"
    n_inputs = n_outputs = 2

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return x and y in degrees; NaN on the far side of the sphere."""
        phi, theta = np.deg2rad(arrays[0]), np.deg2rad(arrays[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            radius = np.where(theta > 0, np.rad2deg(1.0) / np.tan(theta), np.nan)
        return radius * np.sin(phi), -radius * np.cos(phi)

    def derived_inverse(self) -> Transform:
        """Return the way back."""
        return Tangent()

    def fields(self) -> dict[str, Any]:
        """Return the direction."""
        return {"direction": "sky2pix"}


class FitsImage(Transform):
    """A FITS image's world coordinates in the tangent plane, exactly as the keywords say.

    Parameters
    ----------
    crpix : (float, float)
        0-based pixel of the reference point.
    crval : (float, float), degrees
    cdelt : (float, float), degrees a pixel
    pc : float64, (2, 2)
    """

    tag = "gwcs/fitswcs_imaging-1.0.0"
    authority = GWCS_TAG
    n_inputs = n_outputs = 2

    def __init__(self, crpix: ArrayLike, crval: ArrayLike, cdelt: ArrayLike, pc: ArrayLike) -> None:
        self.crpix, self.crval, self.cdelt, self.pc = (
            np.array(value, np.float64) for value in (crpix, crval, cdelt, pc)
        )
        east, north = float(self.crval[0]), float(self.crval[1])
        plane = (
            Shift(-self.crpix[0]) & Shift(-self.crpix[1])
            | Affine(self.pc)
            | Scale(self.cdelt[0]) & Scale(self.cdelt[1])
        )
        self.chain = plane | PlaneToSky((east, north))

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return right ascension and declination in degrees."""
        return self.chain.evaluate(*arrays)

    def derived_inverse(self) -> Transform:
        """Return the way back to pixels."""
        return self.chain.inverse

    def fields(self) -> dict[str, Any]:
        """Return the keywords and the projection."""
        projection = Tagged(STANDARD_TAG + Tangent.tag, {"direction": "pix2sky"})
        values = {"crpix": self.crpix, "crval": self.crval, "cdelt": self.cdelt, "pc": self.pc}
        return values | {"projection": projection}


class PlaneToSky(Transform):
    """The tangent plane at a position, in degrees (east, north), to right ascension, declination.

    It works with vectors, so that it loses no digits near the tangent point.
    """

    n_inputs = n_outputs = 2

    def __init__(self, crval: tuple[float, float]) -> None:
        self.crval = crval
        self.matrix = sky_axes(*crval)

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return longitude and latitude in degrees."""
        east, north = np.deg2rad(arrays[0]), np.deg2rad(arrays[1])
        vectors = [
            row[0] * east + row[1] * north + row[2] * np.ones_like(east) for row in self.matrix
        ]
        return ToSpherical(360).evaluate(*vectors)

    def derived_inverse(self) -> Transform:
        """Return the projection of the sky on the plane."""
        return SkyToPlane(self.crval)


class SkyToPlane(Transform):
    """Right ascension and declination in degrees to the tangent plane at a position, in degrees."""

    n_inputs = n_outputs = 2

    def __init__(self, crval: tuple[float, float]) -> None:
        self.crval = crval
        self.matrix = sky_axes(*crval)

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return offsets to the east and north; NaN on the far side of the sphere."""
        # the difference in longitude first: it keeps the digits that small offsets need
        lon, lat = np.deg2rad(arrays[0] - self.crval[0]), np.deg2rad(arrays[1])
        lat0 = np.deg2rad(self.crval[1])
        cosine = np.cos(lat)
        half = np.sin(lon / 2.0) ** 2
        depth = np.cos(lat - lat0) - 2.0 * cosine * np.cos(lat0) * half
        depth = np.where(depth > 0, depth, np.nan)
        east = cosine * np.sin(lon) / depth
        north = (np.sin(lat - lat0) + 2.0 * cosine * np.sin(lat0) * half) / depth
        return np.rad2deg(east), np.rad2deg(north)

    def derived_inverse(self) -> Transform:
        """Return the way back to the sky."""
        return PlaneToSky(self.crval)


def sky_axes(ra: float, dec: float) -> Float64:
    """Return unit vectors to the east, the north and a position: columns, float64 (3, 3)."""
    lon, lat = np.deg2rad(ra), np.deg2rad(dec)
    east = [-np.sin(lon), np.cos(lon), 0.0]
    north = [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)]
    outward = [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    return np.array([east, north, outward]).T
