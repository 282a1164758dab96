"""Slits in the plane of NIRSpec's micro-shutter array, from the msa reference.

The reference has five parts: a quadrant of shutters each, Q1 to Q4, and Q5 with the fixed slits and
the entrance of the integral-field unit. A part holds a table (number, centre x and y, width and
height, in metres of the part's own plane) and the transform from that plane to the MSA's.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.transforms import (
    NoInverseError,
    Transform,
    UnknownTransformError,
    from_node,
)
from calwebb_core.science.transforms.elementary import Scale, Shift

FIXED_SLITS: Final = ("S200A1", "S200A2", "S400A1", "S1600A1", "S200B1")
FIXED_PART: Final = 5
COLUMNS: Final = 5  # number, centre x, y, width, height
PRIMARY_SOURCE: Final = 1  # SOURCEID of the slit that was pointed
FIRST_KEY: Final = -101  # by which the official WCS of several slits tells them apart


@dataclass(frozen=True)
class Aperture:
    """A slit, shutter or slice that light comes through.

    Attributes
    ----------
    name : str
    part : int
        Of the msa reference: a quadrant, or 5.
    number : int
        Row in the part's table, from 0.
    low, high : float
        Ends of the spectrum along the slit, in heights of the slit from its middle.
    source : int
        SOURCEID.
    """

    name: str
    part: int
    number: int
    low: float = -0.55
    high: float = 0.55
    source: int = 0

    @property
    def key(self) -> int:
        """The number by which an official WCS of several fixed slits tells it from others."""
        return FIRST_KEY - self.number


def fixed_slit(
    name: str, primary: str | None = None, limits: tuple[float, float] = (-0.55, 0.55)
) -> Aperture:
    """Return a fixed slit.

    Parameters
    ----------
    name : str
        One of `FIXED_SLITS`.
    primary : str, optional
        The one that was pointed at the target (FXD_SLIT). It has the source 1; the sources of the
        others tell which it was and which they are: 43 is that in the third, if the fourth was
        pointed.
    limits : (float, float)
        Ends of the spectrum along the slit.
    """
    number = FIXED_SLITS.index(name)
    pointed = FIXED_SLITS.index(primary) + 1 if primary in FIXED_SLITS else 0
    source = PRIMARY_SOURCE if name == primary else 10 * pointed + number + 1
    return Aperture(name, FIXED_PART, number, *limits, source)


def aperture_to_msa(msa: Reference, aperture: Aperture) -> Transform:
    """Return the way from places in an aperture to the MSA's plane, in metres.

    A place is 0, 0 in the aperture's middle and goes from -0.5 to 0.5 across its width and height.

    Raises
    ------
    ReferenceFileError
        If the reference lacks the aperture.
    """
    x, y, width, height = size_and_place(msa, aperture)
    inside = Scale(width) & Scale(height) | Shift(x) & Shift(y)
    return inside | part_model(msa, aperture.part)


def size_and_place(msa: Reference, aperture: Aperture) -> list[float]:
    """Return centre x and y, width and height of an aperture in its part, in metres.

    Raises
    ------
    ReferenceFileError
        If the reference lacks them, or a size is not positive.
    """
    table = np.asarray(part_of(msa, aperture.part).get("data"))
    names = table.dtype.names
    wide = len(names) if names else (table.shape[-1] if table.ndim == 2 else 0)
    if wide < COLUMNS or not 0 <= aperture.number < len(table):
        msg = (
            f"{msa.name}: the msa reference has no row {aperture.number + 1} of five numbers in "
            f"Q{aperture.part} for {aperture.name}"
        )
        raise ReferenceFileError(msg)
    values = [float(value) for value in list(table[aperture.number])[1:COLUMNS]]
    if not (np.all(np.isfinite(values)) and min(values[2:]) > 0):
        msg = f"{msa.name}: place and size of {aperture.name} are {values}; expected metres"
        raise ReferenceFileError(msg)
    return values


def part_of(msa: Reference, part: int) -> dict[str, Any]:
    """Return a part of the reference.

    Raises
    ------
    ReferenceFileError
        If it has none of that number.
    """
    found = (msa.tree or {}).get(f"Q{part}")
    if not isinstance(found, dict):
        msg = f"{msa.name}: the msa reference has no Q{part}"
        raise ReferenceFileError(msg)
    return found


def part_model(msa: Reference, part: int) -> Transform:
    """Return the transform from a part's plane to the MSA's.

    Raises
    ------
    ReferenceFileError
        If there is none that can be evaluated both ways.
    """
    try:
        transform = from_node(part_of(msa, part).get("model"))
        _ = transform.inverse
    except (UnknownTransformError, NoInverseError) as error:
        msg = f"{msa.name}: the msa reference has no `model` with an inverse in Q{part} ({error})"
        raise ReferenceFileError(msg) from error
    return transform
