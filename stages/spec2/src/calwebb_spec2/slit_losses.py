"""How much light a slit loses, by wavelength and by where in the slit the source is.

References of NIRSpec have for each slit a cube (wavelength, y, x) for point sources, whose axes the
keywords of its WCS describe, and a curve for light that fills the slit: shares that get through.
Those of MIRI's low-resolution spectrometer have a table of wavelengths and images of factors to
multiply with. Between the positions of a cube or image is interpolated in both directions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.photom import columns
from calwebb_core.science.spectral.curves import Curve, curve_of

Float64 = NDArray[np.float64]
MICROMETRES_PER_METRE: Final = 1e6
NEAR: Final = 1e-9  # of a step: a position on the last point, but for rounding, is inside


@dataclass(frozen=True)
class Axis:
    """A linear axis of an array: coordinate of the first element, step and number."""

    start: float
    step: float
    count: int

    def index(self, coordinate: float) -> float | None:
        """Return the 0-based place of a coordinate on the axis; None if it is outside."""
        place = (coordinate - self.start) / self.step
        if not -NEAR <= place <= self.count - 1 + NEAR:
            return None
        return min(max(place, 0.0), self.count - 1.0)

    def coordinates(self) -> Float64:
        """Return the coordinates of all elements."""
        return np.asarray(self.start + self.step * np.arange(self.count), np.float64)


@dataclass(frozen=True)
class Losses:
    """The losses of one slit.

    Attributes
    ----------
    cube : float64, (nwave, ny, nx)
        For a point source.
    across, along : Axis
        Position in x and in y.
    wavelength : float64, (nwave,), micrometres
    uniform : Curve or None
        For light that fills the slit.
    what : str
        What it is, for messages.
    """

    cube: Float64
    across: Axis
    along: Axis
    wavelength: Float64
    uniform: Curve | None
    what: str

    def point(self, x: float, y: float) -> Curve | None:
        """Return the losses of a point source at a position, None if the cube ends before it.

        Raises
        ------
        ReferenceFileError
            If there are no numbers that can be used.
        """
        place, row = self.across.index(x), self.along.index(y)
        if place is None or row is None:
            return None
        x0, y0 = (min(int(at), axis.count - 2) for at, axis in
                  ((place, self.across), (row, self.along)))  # fmt: skip
        a, b = place - x0, row - y0
        corners = self.cube[:, y0 : y0 + 2, x0 : x0 + 2]
        lower = (1 - a) * corners[:, 0, 0] + a * corners[:, 0, 1]
        upper = (1 - a) * corners[:, 1, 0] + a * corners[:, 1, 1]
        return curve_of(self.wavelength, (1 - b) * lower + b * upper, self.what)


def axis_of(header: Mapping[str, Any], number: int, count: int, what: str) -> Axis:
    """Return an axis from the keywords of an array.

    Raises
    ------
    ReferenceFileError
        If CRPIXn, CRVALn, CDELTn are no numbers, CDELTn is zero, or it has fewer than 2 elements.
    """
    values = [header.get(f"{name}{number}") for name in ("CRPIX", "CRVAL", "CDELT")]
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 3 or not np.all(np.isfinite(numbers)) or numbers[2] == 0 or count < 2:
        msg = (
            f"{what}: axis {number} has {count} elements and CRPIX, CRVAL, CDELT {values}; "
            "expected numbers that describe it"
        )
        raise ReferenceFileError(msg)
    first, value, step = numbers
    return Axis(value + (1.0 - first) * step, step, count)


def slit_losses(reference: Reference, slit: str) -> Losses | None:
    """Return the losses of a NIRSpec slit, None if the reference does not have it.

    Parameters
    ----------
    reference : Reference
        PS and UNI for each aperture, told apart by EXTVER; APERTURE in the header of PS.
    slit : str
        Name of the slit.

    Raises
    ------
    ReferenceFileError
        If it has no apertures, or what it has of this one cannot be used.
    """
    names = [name for name in reference.arrays if name.partition(",")[0] == "PS"]
    found = {
        str(reference.headers.get(name, {}).get("APERTURE", "")).strip().upper(): name
        for name in names
    }
    if not names:
        msg = f"{reference.name}: the pathloss reference has no PS arrays, one for each aperture"
        raise ReferenceFileError(msg)
    name = found.get(slit.upper())
    if name is None:
        return None
    cube = np.asarray(reference.arrays[name], np.float64)
    what, header = f"{reference.name}: {name} ({slit})", reference.headers[name]
    if cube.ndim != 3:
        msg = f"{what}: has {cube.ndim} axes; expected 3: wavelength, y, x"
        raise ReferenceFileError(msg)
    wave, along, across = (
        axis_of(header, 3 - axis, count, what) for axis, count in enumerate(cube.shape)
    )
    wavelength = wave.coordinates() * MICROMETRES_PER_METRE
    uniform = uniform_losses(reference, "UNI" + name.removeprefix("PS"))
    return Losses(cube, across, along, wavelength, uniform, what)


def uniform_losses(reference: Reference, name: str) -> Curve:
    """Return the losses of light that fills a slit.

    Raises
    ------
    ReferenceFileError
        If they are missing or cannot be used.
    """
    what = f"{reference.name}: {name}"
    if name not in reference.arrays:
        msg = f"{what} is missing; expected the losses of light that fills the slit"
        raise ReferenceFileError(msg)
    values = np.asarray(reference.arrays[name], np.float64).ravel()
    wave = axis_of(reference.headers.get(name, {}), 1, values.size, what)
    return curve_of(wave.coordinates() * MICROMETRES_PER_METRE, values, what)


def lrs_losses(reference: Reference) -> Losses:
    """Return the losses of the slit of MIRI's low-resolution spectrometer.

    Parameters
    ----------
    reference : Reference
        Table PATHLOSS: wavelength (micrometres), pathloss (ny, nx); its header describes x
        (along the slit) and y (across it) in pixels from the reference pixel.

    Raises
    ------
    ReferenceFileError
        If it has no such table, or it cannot be used.
    """
    table = reference.tables.get("PATHLOSS")
    names = {} if table is None else columns(table)
    what = f"{reference.name}: PATHLOSS"
    if table is None or not {"wavelength", "pathloss"} <= set(names):
        msg = f"{what}: the pathloss reference has no such table with wavelength and pathloss"
        raise ReferenceFileError(msg)
    cube = np.asarray(table.data[names["pathloss"]], np.float64)
    if cube.ndim != 3:
        msg = f"{what}: pathloss has {cube.ndim - 1} axes in each row; expected 2: y, x"
        raise ReferenceFileError(msg)
    header = reference.headers.get("PATHLOSS", {})
    along, across = (axis_of(header, 2 - i, n, what) for i, n in enumerate(cube.shape[1:]))
    wavelength = np.asarray(table.data[names["wavelength"]], np.float64)
    return Losses(cube, across, along, wavelength, None, what)
