"""Sky positions of a picture's pixels, from the keywords of a tangent plane with or without SIP.

Pictures need a hundredth of a pixel and to be there at once: this imports numpy only.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

ROUNDS = 8  # of the inversion of the SIP polynomials


@dataclass(frozen=True)
class Sky:
    """A tangent plane; pixels are 0-based.

    Attributes
    ----------
    origin : (float, float)
        Pixel at the tangent point.
    centre : (float, float)
        Right ascension and declination there, degrees.
    matrix : float64 (2, 2)
        Degrees on the plane (east, north) per pixel.
    distortion : tuple of float64 (n, n)
        Coefficients of x**i y**j of both SIP polynomials; empty without.
    """

    origin: tuple[float, float]
    centre: tuple[float, float]
    matrix: Float64
    distortion: tuple[Float64, ...] = field(default=())

    @classmethod
    def of(cls, header: Any) -> "Sky | None":
        """Return what a header says, or None if it has no tangent plane of RA and Dec."""
        kinds = [str(header.get(f"CTYPE{axis}", "")).removesuffix("-SIP") for axis in (1, 2)]
        if kinds != ["RA---TAN", "DEC--TAN"]:
            return None
        try:
            origin = (float(header["CRPIX1"]) - 1, float(header["CRPIX2"]) - 1)
            centre = (float(header["CRVAL1"]), float(header["CRVAL2"]))
        except (KeyError, TypeError, ValueError):
            return None
        matrix = matrix_of(header)
        if not np.isfinite([*origin, *centre]).all() or not abs(np.linalg.det(matrix)) > 0:
            return None
        found = [polynomial(header, letter) for letter in "AB"]
        known = [item for item in found if item is not None]
        return cls(origin, centre, matrix, tuple(known) if len(known) == 2 else ())

    @property
    def scale(self) -> float:
        """Side of a pixel in arcsec."""
        return float(3600 * np.sqrt(abs(np.linalg.det(self.matrix))))

    def sky(self, x: Any, y: Any) -> tuple[Float64, Float64]:
        """Return right ascension and declination in degrees of pixels."""
        u, v = np.asarray(x, float) - self.origin[0], np.asarray(y, float) - self.origin[1]
        if self.distortion:
            u, v = u + evaluate(self.distortion[0], u, v), v + evaluate(self.distortion[1], u, v)
        east, north = (np.radians(row[0] * u + row[1] * v) for row in self.matrix)
        dec0 = np.radians(self.centre[1])
        depth = np.cos(dec0) - north * np.sin(dec0)
        ra = self.centre[0] + np.degrees(np.arctan2(east, depth))
        dec = np.arctan2(np.sin(dec0) + north * np.cos(dec0), np.hypot(east, depth))
        return ra % 360, np.degrees(dec)

    def pixels(self, ra: Any, dec: Any) -> tuple[Float64, Float64]:
        """Return the pixels of sky positions in degrees; NaN behind the tangent plane."""
        turn = np.radians(np.asarray(ra, float) - self.centre[0])
        dec, dec0 = np.radians(np.asarray(dec, float)), np.radians(self.centre[1])
        depth = np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(turn)
        depth = np.where(depth > 0, depth, np.nan)
        east = np.degrees(np.cos(dec) * np.sin(turn) / depth)
        north = np.degrees(
            (np.sin(dec) * np.cos(dec0) - np.cos(dec) * np.sin(dec0) * np.cos(turn)) / depth
        )
        inverse = np.linalg.inv(self.matrix)
        u0, v0 = (row[0] * east + row[1] * north for row in inverse)
        u, v = u0, v0
        for _ in range(ROUNDS if self.distortion else 0):
            u, v = (
                u0 - evaluate(self.distortion[0], u, v),
                v0 - evaluate(self.distortion[1], u, v),
            )
        return u + self.origin[0], v + self.origin[1]

    def directions(self, x: float, y: float) -> tuple[Float64, Float64]:
        """Return the unit vectors in pixels that point north and east at a pixel."""
        ra, dec = self.sky(x, y)
        step = self.scale / 3600
        north = np.stack(self.pixels(ra, dec + step)) - (x, y)
        east = np.stack(self.pixels(ra + step / np.cos(np.radians(dec)), dec)) - (x, y)
        return north / np.hypot(*north), east / np.hypot(*east)


def matrix_of(header: Any) -> Float64:
    """Return the matrix of CD, or of PC and CDELT, degrees per pixel."""
    if any(f"CD{i}_{j}" in header for i in (1, 2) for j in (1, 2)):
        rows = [[float(header.get(f"CD{i}_{j}", 0.0)) for j in (1, 2)] for i in (1, 2)]
        return np.array(rows)
    rows = [
        [
            float(header.get(f"PC{i}_{j}", i == j)) * float(header.get(f"CDELT{i}", 1.0))
            for j in (1, 2)
        ]
        for i in (1, 2)
    ]
    return np.array(rows)


def polynomial(header: Any, letter: str) -> Float64 | None:
    """Return the coefficients of a SIP polynomial, or None without one."""
    order = header.get(f"{letter}_ORDER")
    if not isinstance(order, int):
        return None
    size = order + 1
    values = [
        [float(header.get(f"{letter}_{i}_{j}", 0.0)) for j in range(size)] for i in range(size)
    ]
    return np.array(values)


def evaluate(coefficients: Float64, u: Float64, v: Float64) -> Float64:
    """Return the sum of c_ij u**i v**j."""
    return np.asarray(np.polynomial.polynomial.polyval2d(u, v, coefficients))
