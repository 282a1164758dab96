"""Where an exposure's pixels lie on a near-infrared detector, in the order it is read.

The detector reads along its fast axis (columns, 0-2047) and then the next row along its slow
axis. FASTAXIS and SLOWAXIS say how these lie in the images, which are oriented as on the sky:
1 along x, 2 along y, negative against it.
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata

SIZE = 2048
EDGE = 4


@dataclass(frozen=True)
class Orientation:
    """Position of an array on the detector.

    Attributes
    ----------
    fast_is_y : whether columns of the detector are rows of the array
    flip_fast, flip_slow : whether the detector counts against the array along that axis
    fast0, slow0 : detector column and row of the oriented array's first pixel, from 0
    nfast, nslow : columns and rows that the array covers
    """

    fast_is_y: bool
    flip_fast: bool
    flip_slow: bool
    fast0: int
    slow0: int
    nfast: int
    nslow: int

    def turn(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return a view of (..., y, x) as (..., slow, fast)."""
        turned = image.swapaxes(-1, -2) if self.fast_is_y else image
        rows = slice(None, None, -1) if self.flip_slow else slice(None)
        columns = slice(None, None, -1) if self.flip_fast else slice(None)
        return turned[..., rows, columns]

    @property
    def full(self) -> bool:
        """Whether the array covers the whole detector."""
        return (self.nfast, self.nslow) == (SIZE, SIZE)


def orientation_of(metadata: Metadata, shape: tuple[int, int]) -> Orientation:
    """Return the orientation of an exposure from its keywords.

    Parameters
    ----------
    metadata : Metadata
        With FASTAXIS, SLOWAXIS, SUBSTRT1, SUBSTRT2.
    shape : (ny, nx)

    Raises
    ------
    InputError
        If a keyword is missing, or the subarray lies outside of the detector.
    """
    fast, slow = (metadata.require(key, int) for key in ("FASTAXIS", "SLOWAXIS"))
    if sorted((abs(fast), abs(slow))) != [1, 2]:
        msg = f"{metadata.source}: FASTAXIS is {fast} and SLOWAXIS {slow}; expected +-1 and +-2"
        raise InputError(msg)
    x0, y0 = (metadata.require(key, int) - 1 for key in ("SUBSTRT1", "SUBSTRT2"))
    ny, nx = shape
    if x0 < 0 or y0 < 0 or x0 + nx > SIZE or y0 + ny > SIZE:
        msg = (
            f"{metadata.source}: SUBSTRT1 {x0 + 1}, SUBSTRT2 {y0 + 1} and the size {nx} x {ny} "
            f"leave the detector of {SIZE} x {SIZE} pixels"
        )
        raise InputError(msg)
    along_x, along_y = (x0, nx), (y0, ny)
    (fast0, nfast), (slow0, nslow) = (along_y, along_x) if abs(fast) == 2 else (along_x, along_y)
    return Orientation(
        fast_is_y=abs(fast) == 2,
        flip_fast=fast < 0,
        flip_slow=slow < 0,
        fast0=SIZE - fast0 - nfast if fast < 0 else fast0,
        slow0=SIZE - slow0 - nslow if slow < 0 else slow0,
        nfast=nfast,
        nslow=nslow,
    )
