"""Where a detector's pixels are: distortion, subarrays, the telescope's attitude.

Pixels are 0-based centres. Distortion follows the SIAF: a polynomial from science pixels to
the aperture's ideal frame in arcsec, then a rotation to V2, V3 (planar approximation), as the
distortion references of the observatory do it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.polynomial.polynomial import polyval2d
from numpy.typing import ArrayLike

from calwebb_simulator.instruments import Detector, Instrument
from calwebb_simulator.siaf import Entry, Float64, aperture, spectral_apertures

LIGHT_SPEED = 299_792.458  # km/s
NEWTON_STEPS = 3
ARCSEC = np.pi / 180 / 3600


@dataclass(frozen=True)
class Distortion:
    """Distortion of a whole detector: 0-based full-frame pixels to V2, V3 in arcsec and back."""

    entry: Entry

    def to_telescope(self, x: ArrayLike, y: ArrayLike) -> tuple[Float64, Float64]:
        """Return V2, V3 in arcsec of full-frame pixels."""
        dx = np.asarray(x, dtype=float) + 1 - self.entry["XSciRef"]
        dy = np.asarray(y, dtype=float) + 1 - self.entry["YSciRef"]
        ideal = [polyval2d(dx, dy, self.entry.coefficients(f"Sci2Idl{axis}")) for axis in "XY"]
        return self._rotate(*(np.asarray(value, dtype=np.float64) for value in ideal))

    def _rotate(self, x: Float64, y: Float64) -> tuple[Float64, Float64]:
        angle, parity = np.radians(self.entry["V3IdlYAngle"]), self.entry["VIdlParity"]
        v2 = self.entry["V2Ref"] + parity * x * np.cos(angle) + y * np.sin(angle)
        v3 = self.entry["V3Ref"] - parity * x * np.sin(angle) + y * np.cos(angle)
        return v2, v3

    def _start(self, v2: Float64, v3: Float64) -> tuple[Float64, Float64]:
        angle, parity = np.radians(self.entry["V3IdlYAngle"]), self.entry["VIdlParity"]
        dv2, dv3 = v2 - self.entry["V2Ref"], v3 - self.entry["V3Ref"]
        x = parity * (dv2 * np.cos(angle) - dv3 * np.sin(angle))
        y = dv2 * np.sin(angle) + dv3 * np.cos(angle)
        pixel = [polyval2d(x, y, self.entry.coefficients(f"Idl2Sci{axis}")) for axis in "XY"]
        return pixel[0] + self.entry["XSciRef"] - 1, pixel[1] + self.entry["YSciRef"] - 1

    def jacobian(self, x: ArrayLike, y: ArrayLike, step: float = 0.5) -> Float64:
        """Return d(V2, V3)/d(x, y) by central differences: shape (..., 2, 2)."""
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        along_x = np.subtract(self.to_telescope(x + step, y), self.to_telescope(x - step, y))
        along_y = np.subtract(self.to_telescope(x, y + step), self.to_telescope(x, y - step))
        columns = np.stack([along_x, along_y], axis=-1) / (2 * step)
        return np.asarray(np.moveaxis(columns, 0, -2), dtype=np.float64)

    def to_pixel(self, v2: ArrayLike, v3: ArrayLike) -> tuple[Float64, Float64]:
        """Return full-frame pixels of V2, V3 in arcsec.

        The SIAF's inverse polynomial is only the start: it misses by up to 0.01 pixel, and
        Newton steps make it the exact inverse of `to_telescope`.
        """
        v2, v3 = np.asarray(v2, dtype=float), np.asarray(v3, dtype=float)
        x, y = self._start(v2, v3)
        for _ in range(NEWTON_STEPS):
            found = self.to_telescope(x, y)
            miss = np.stack([v2 - found[0], v3 - found[1]], axis=-1)
            step = np.linalg.solve(self.jacobian(x, y), miss[..., None])[..., 0]
            x, y = x + step[..., 0], y + step[..., 1]
        return x, y

    def relative_area(self, x: ArrayLike, y: ArrayLike) -> Float64:
        """Return pixel areas relative to the one at the detector's reference point."""
        entry = self.entry
        nominal = abs(np.linalg.det(self.jacobian(entry["XSciRef"] - 1, entry["YSciRef"] - 1)))
        return np.asarray(np.abs(np.linalg.det(self.jacobian(x, y))) / nominal)

    @property
    def pixel_area(self) -> float:
        """Pixel area at the detector's reference point in arcsec2."""
        entry = self.entry
        return float(abs(np.linalg.det(self.jacobian(entry["XSciRef"] - 1, entry["YSciRef"] - 1))))


@dataclass(frozen=True)
class Frame:
    """A detector's full frame or subarray.

    Attributes
    ----------
    detector : Detector
    aperture : Entry
        Aperture of the frame, whose reference point the pointing keywords are about.
    subarray : str
        SUBARRAY keyword.
    x_start, y_start : int
        1-based first column and row (SUBSTRT1, SUBSTRT2).
    nx, ny : int
        Columns and rows.
    fast, slow : int
        FASTAXIS and SLOWAXIS.
    outputs : int
        NOUTPUTS.
    distortion : Distortion
        Of the whole detector.
    full : (int, int)
        Rows and columns of the whole detector.
    interleaved : bool
        Whether the outputs take columns in turns.
    """

    detector: Detector
    aperture: Entry
    subarray: str
    x_start: int
    y_start: int
    nx: int
    ny: int
    fast: int
    slow: int
    outputs: int
    distortion: Distortion
    full: tuple[int, int]
    interleaved: bool = False

    @classmethod
    def of(cls, instrument: Instrument, detector: Detector, subarray: str = "FULL") -> Self:
        """Look up a frame in the SIAF.

        Raises
        ------
        InputError
            If the detector has no such subarray.
        """
        name = instrument.aperture_name(detector, "FULL")
        full = aperture(instrument.siaf, name)
        if instrument.spectral:
            full, part = spectral_apertures(full, instrument.windows, subarray)
        else:
            part = aperture(instrument.siaf, instrument.aperture_name(detector, subarray))
        x_ref, y_ref = full.detector_to_science(part["XDetRef"], part["YDetRef"])
        fast, slow = detector.axes or full.read_directions()
        whole = subarray == "FULL"
        return cls(
            detector=detector,
            aperture=part,
            subarray=subarray,
            x_start=round(x_ref - part["XSciRef"]) + 1,
            y_start=round(y_ref - part["YSciRef"]) + 1,
            nx=round(part["XSciSize"]),
            ny=round(part["YSciSize"]),
            fast=fast,
            slow=slow,
            outputs=instrument.full_outputs if whole else instrument.subarray_outputs,
            distortion=Distortion(full),
            full=instrument.shape,
            interleaved=instrument.interleaved,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.ny, self.nx

    @property
    def read_shape(self) -> tuple[int, int]:
        """Pixels along the slow and the fast axis."""
        return self.shape if abs(self.fast) == 1 else (self.nx, self.ny)

    @property
    def window(self) -> tuple[slice, slice]:
        """The frame's rows and columns in an array of the whole detector."""
        y, x = self.y_start - 1, self.x_start - 1
        return slice(y, y + self.ny), slice(x, x + self.nx)


@dataclass(frozen=True)
class Attitude:
    """Orientation of the telescope: `matrix` turns V1, V2, V3 unit vectors to the sky's."""

    matrix: Float64

    @classmethod
    def at(cls, v2: float, v3: float, ra: float, dec: float, roll: float) -> Self:
        """Point V2, V3 (arcsec) at ra, dec (degrees), V3 there at position angle `roll`."""
        here = _triad(v2 * ARCSEC, v3 * ARCSEC, 0.0)
        there = _triad(np.radians(ra), np.radians(dec), np.radians(roll))
        return cls(there @ here.T)

    def sky(self, v2: ArrayLike, v3: ArrayLike) -> tuple[Float64, Float64]:
        """Return right ascension and declination in degrees of V2, V3 in arcsec."""
        vector = self.matrix @ _unit(np.multiply(v2, ARCSEC), np.multiply(v3, ARCSEC))
        lon, lat = _angles(vector)
        return np.degrees(lon) % 360, np.degrees(lat)

    def telescope(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Float64, Float64]:
        """Return V2, V3 in arcsec of right ascension and declination in degrees."""
        vector = self.matrix.T @ _unit(np.radians(ra), np.radians(dec))
        lon, lat = _angles(vector)
        return lon / ARCSEC, lat / ARCSEC

    def roll(self, v2: float, v3: float) -> float:
        """Return the position angle of V3 at V2, V3, degrees east of north in [0, 360)."""
        up = self.matrix @ _triad(v2 * ARCSEC, v3 * ARCSEC, 0.0)[:, 2]
        ra, dec = (np.radians(angle) for angle in self.sky(v2, v3))
        _, east, north = _triad(float(ra), float(dec), 0.0).T
        return float(np.degrees(np.arctan2(up @ east, up @ north)) % 360)


def _unit(lon: ArrayLike, lat: ArrayLike) -> Float64:
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _angles(vector: Float64) -> tuple[Float64, Float64]:
    lon = np.arctan2(vector[1], vector[0])
    return lon, np.arctan2(vector[2], np.hypot(vector[0], vector[1]))


def _triad(lon: float, lat: float, angle: float) -> Float64:
    """Return columns: the direction, and east and north there turned by `angle` north to east."""
    direction = _unit(lon, lat)
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = np.cross(direction, east)
    turned_east = np.cos(angle) * east - np.sin(angle) * north
    turned_north = np.sin(angle) * east + np.cos(angle) * north
    return np.stack([direction, turned_east, turned_north], axis=1)


@dataclass(frozen=True)
class Placement:
    """A frame on the sky: the geometry of one exposure of one detector.

    Attributes
    ----------
    frame : Frame
    attitude : Attitude
    filter_offset : (float, float)
        Column and row offset of the filter in pixels, added before the distortion.
    va_scale : float
        Velocity aberration: apparent over true plate scale about the reference point.
    """

    frame: Frame
    attitude: Attitude
    filter_offset: tuple[float, float] = (0.0, 0.0)
    va_scale: float = 1.0

    @property
    def reference(self) -> tuple[float, float, float]:
        """RA_REF, DEC_REF and ROLL_REF in degrees."""
        v2, v3 = self.frame.aperture["V2Ref"], self.frame.aperture["V3Ref"]
        ra, dec = self.attitude.sky(v2, v3)
        return float(ra), float(dec), self.attitude.roll(v2, v3)

    def sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Float64, Float64]:
        """Return right ascension and declination in degrees of 0-based pixels of the frame."""
        frame = self.frame
        v2, v3 = frame.distortion.to_telescope(
            np.asarray(x) + frame.x_start - 1 + self.filter_offset[0],
            np.asarray(y) + frame.y_start - 1 + self.filter_offset[1],
        )
        v2_ref, v3_ref = frame.aperture["V2Ref"], frame.aperture["V3Ref"]
        return self.attitude.sky(
            v2_ref + (v2 - v2_ref) * self.va_scale, v3_ref + (v3 - v3_ref) * self.va_scale
        )

    def pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Float64, Float64]:
        """Return 0-based pixels of the frame of right ascension and declination in degrees.

        Directions more than a few arcmin off the frame are NaN: there the polynomials of the
        distortion mean nothing.
        """
        frame = self.frame
        v2_ref, v3_ref = frame.aperture["V2Ref"], frame.aperture["V3Ref"]
        v2, v3 = self.attitude.telescope(ra, dec)
        far = np.hypot(v2 - v2_ref, v3 - v3_ref) > 300
        v2, v3 = np.where(far, v2_ref, v2), np.where(far, v3_ref, v3)
        x, y = frame.distortion.to_pixel(
            v2_ref + (v2 - v2_ref) / self.va_scale, v3_ref + (v3 - v3_ref) / self.va_scale
        )
        x = x - self.filter_offset[0] - (frame.x_start - 1)
        y = y - self.filter_offset[1] - (frame.y_start - 1)
        return np.where(far, np.nan, x), np.where(far, np.nan, y)


def aberration(
    velocity: tuple[float, float, float], ra: float, dec: float
) -> tuple[float, float, float]:
    """Return the velocity aberration of a direction.

    Parameters
    ----------
    velocity : (float, float, float)
        Barycentric velocity of the observatory in km/s, ICRS axes.
    ra, dec : float
        True direction in degrees.

    Returns
    -------
    scale, ra, dec : float
        Apparent over true angular scale there, apparent direction in degrees.
    """
    direction = _unit(np.radians(ra), np.radians(dec))
    beta = np.asarray(velocity) / LIGHT_SPEED
    along = float(direction @ beta)
    inverse_gamma = float(np.sqrt(1 - beta @ beta))
    apparent = (inverse_gamma * direction + beta * (1 + along / (1 + inverse_gamma))) / (1 + along)
    lon, lat = _angles(apparent)
    return (1 + along) / inverse_gamma, float(np.degrees(lon) % 360), float(np.degrees(lat))
