"""The pixels of a mosaic, band by band, whether they are in memory or on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Bools = NDArray[np.bool_]

# Pixels of a band: what is in memory of each plane at a time, per thread.
BAND = 2_000_000
ALL = slice(None)


class Mosaic(Protocol):
    """An image whose planes are read by rows."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    def has(self, name: str) -> bool:
        """Say whether there is such a plane."""

    def plane(self, name: str, rows: slice) -> NDArray[Any] | None:
        """Return some rows of a plane, or None."""


@dataclass(frozen=True)
class Pixels:
    """Data and errors of an image.

    Attributes
    ----------
    shape : (ny, nx)
    read : callable
        Returns data and errors of rows [first, last) and of a slice of columns if it is given,
        float32, the data NaN where they
        aren't to be used. They may be the image's own arrays: they are not written to.
    band : int
        Pixels that are read at a time.
    weight : callable or None
        Returns the weights of rows [first, last), float32 (n, nx).
    """

    shape: tuple[int, int]
    read: Callable[..., tuple[Float32, Float32]]
    band: int = BAND
    weight: Callable[[int, int], Float32] | None = None

    @classmethod
    def of(
        cls,
        data: Float32,
        err: Float32,
        mask: Bools | None = None,
        weight: Float32 | None = None,
        band: int = BAND,
    ) -> "Pixels":
        """Return the pixels of arrays (ny, nx), without those that are masked or of no weight."""

        def read(first: int, last: int, columns: slice = ALL) -> tuple[Float32, Float32]:
            part = (slice(first, last), columns)
            values = data[part]
            if mask is not None:
                values = np.where(mask[part], np.float32(np.nan), values)
            if weight is not None:
                values = np.where(weight[part] > 0, values, np.float32(np.nan))
            return values, err[part]

        def weights(first: int, last: int) -> Float32:
            assert weight is not None  # noqa: S101 - only then it is used
            return weight[first:last]

        return cls((data.shape[0], data.shape[1]), read, band, None if weight is None else weights)

    @classmethod
    def of_mosaic(cls, mosaic: Mosaic, band: int = BAND) -> "Pixels":
        """Return the pixels of a mosaic, those without weight as NaN."""

        def read(first: int, last: int, columns: slice = ALL) -> tuple[Float32, Float32]:
            rows = slice(first, last)
            data, err, weight = (mosaic.plane(name, rows) for name in ("data", "err", "weight"))
            assert data is not None  # noqa: S101 - every mosaic has these
            assert err is not None  # noqa: S101
            data, err = data[:, columns], err[:, columns]
            weight = None if weight is None else weight[:, columns]
            if weight is not None and not (weight > 0).all():
                data = np.where(weight > 0, data, np.float32(np.nan))
            return data, err

        def weights(first: int, last: int) -> Float32:
            weight = mosaic.plane("weight", slice(first, last))
            assert weight is not None  # noqa: S101 - only then it is used
            return weight

        has = mosaic.has("weight")
        return cls((mosaic.shape[0], mosaic.shape[1]), read, band, weights if has else None)

    def rows(self, first: int, last: int) -> tuple[Float32, Float32]:
        """Return data and errors of rows [first, last)."""
        return self.read(first, last)

    def window(self, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[Float32, Float32]:
        """Return data and errors of rows and columns [first, last) each."""
        data, err = self.read(*rows, slice(*columns))
        return data, err

    def usable(self, first: int, last: int) -> Float32:
        """Return the data of rows [first, last), NaN where the error isn't positive."""
        data, err = self.read(first, last)
        return np.where(np.isfinite(err) & (err > 0), data, np.float32(np.nan))

    def bands(self) -> list[tuple[int, int]]:
        """Return the first and last row (exclusive) of each band."""
        ny, nx = self.shape
        height = max(1, min(ny, self.band // max(1, nx)))
        return [(first, min(first + height, ny)) for first in range(0, ny, height)]
