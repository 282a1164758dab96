"""Curves of reference files: a value at some wavelengths, and between them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError

Float64 = NDArray[np.float64]
FEWEST = 2  # points that make a curve


@dataclass(frozen=True)
class Curve:
    """Values at wavelengths.

    Attributes
    ----------
    wavelength : float64, (n,), micrometres, increasing
    values : float64, (n,)
        NaN where the reference has none that can be used.
    """

    wavelength: Float64
    values: Float64

    def at(self, wavelengths: Float64) -> Float64:
        """Return the values at wavelengths (any shape, micrometres), linear between the points.

        NaN where the wavelength is NaN or out of range, or a neighbouring value is not usable.
        """
        found = np.interp(wavelengths, self.wavelength, self.values, left=np.nan, right=np.nan)
        return np.asarray(found, np.float64)

    def covers(self, wavelengths: Float64) -> NDArray[np.bool_]:
        """Say which wavelengths are in the curve's range."""
        inside = (wavelengths >= self.wavelength[0]) & (wavelengths <= self.wavelength[-1])
        return np.asarray(inside, np.bool_)


def curve_of(
    wavelength: Any, values: Any, what: str, *, length: int | None = None, positive: bool = True
) -> Curve:
    """Return the curve of a row or of columns of a reference file.

    Parameters
    ----------
    wavelength, values : (n,)
        In increasing or decreasing order of wavelength.
    what : str
        What it is, for messages: file, table, row.
    length : int, optional
        How many of the points count (NELEM); those behind are filling.
    positive : bool
        Whether values up to zero cannot be used either.

    Raises
    ------
    ReferenceFileError
        If there are fewer than two points, a wavelength is not positive, the wavelengths go up and
        down, or no value can be used.
    """
    known, found = (np.asarray(part, np.float64).ravel() for part in (wavelength, values))
    count = min(known.size, found.size) if length is None or length < 0 else length
    if not FEWEST <= count <= min(known.size, found.size):
        msg = f"{what}: has {count} wavelengths of {known.size}; expected at least {FEWEST}"
        raise ReferenceFileError(msg)
    known, found = known[:count], found[:count]
    if known[-1] < known[0]:
        known, found = known[::-1], found[::-1]
    if not (np.all(np.isfinite(known)) and known[0] > 0 and np.all(np.diff(known) > 0)):
        msg = f"{what}: its wavelengths are not positive numbers in order; use another file"
        raise ReferenceFileError(msg)
    usable = np.isfinite(found) & ((found > 0) | (not positive))
    if not usable.any():
        msg = f"{what}: none of its values is a number above zero; use another file"
        raise ReferenceFileError(msg)
    return Curve(np.ascontiguousarray(known), np.where(usable, found, np.nan))
