"""Some rows of an exposure on their way from the file to the product."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.framework.step import Status
from calwebb_core.framework.target_images import EXTENSIONS, ImageFile

BAND_BYTES = 8 << 20  # of an array of all integrations
HIGHEST_BAND = 64


@dataclass
class Band:
    """Rows of all integrations; an array that the exposure lacks is zero.

    Attributes
    ----------
    rows : slice
        Of the exposure.
    data, err, var_poisson, var_rnoise, var_flat : float32, (n, rows, nx)
    dq : uint32, (n, rows, nx)
    """

    rows: slice
    data: Float32
    err: Float32
    dq: UInt32
    var_poisson: Float32
    var_rnoise: Float32
    var_flat: Float32

    @classmethod
    def read(cls, file: ImageFile, rows: slice) -> "Band":
        """Read rows of all integrations of an exposure."""
        names = ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat")
        return cls(rows, *(read_cube(file, name, rows) for name in names))

    def cubes(self) -> tuple[Any, ...]:
        """Return data, err, dq, var_poisson, var_rnoise and var_flat."""
        return self.data, self.err, self.dq, self.var_poisson, self.var_rnoise, self.var_flat


class Correction(Protocol):
    """What a step does with each band, and at the end."""

    status: Status

    def apply(self, band: Band) -> None:
        """Change a band; called by several threads."""

    def finish(self) -> None:
        """Say what was found in all of them."""


def read_cube(file: ImageFile, name: str, rows: slice) -> NDArray[Any]:
    """Return rows of all integrations of an array, zeros where the exposure has none."""
    nints, _, nx = file.shape
    found = [file.rows(name, integration, rows) for integration in range(nints)]
    if any(part is None for part in found):
        return np.zeros((nints, rows.stop - rows.start, nx), EXTENSIONS[name][1])
    return found[0][None] if nints == 1 else np.stack(found)  # type: ignore[index, arg-type]


def bands_of(shape: tuple[int, int, int]) -> Iterator[slice]:
    """Yield bands of rows of an exposure (nints, ny, nx) that take a bounded amount of memory."""
    nints, ny, nx = shape
    height = min(max(1, BAND_BYTES // (4 * nints * nx)), HIGHEST_BAND)
    yield from (slice(y, min(y + height, ny)) for y in range(0, ny, height))
