"""Images whose pixels stay where they are until somebody asks for some rows of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_layout import Hdu, find, require
from calwebb_core.framework.fits_read import read_rows
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Table
from calwebb_core.framework.planes import Plane
from calwebb_core.framework.product_reading import (
    IMAGE_ARRAYS,
    check_image,
    open_product,
    read_asdf,
)
from calwebb_core.framework.raw_ramp import carried

ALL = slice(None)
OUTLIER = np.uint32(16 | 1)  # OUTLIER and DO_NOT_USE
EXTENSIONS = {attribute: name for name, (attribute, _) in IMAGE_ARRAYS.items()}
DTYPES = dict(IMAGE_ARRAYS.values())
# What becomes NaN where a pixel is an outlier.
MEASURED = ("data", "err", "var_poisson", "var_rnoise", "var_flat")


class Pixels(ABC):
    """What exposures and mosaics have in common: keywords, WCS, tables, and planes of pixels."""

    metadata: Metadata
    shape: tuple[int, int]
    wcs: Any
    tables: dict[str, Table]

    @property
    def name(self) -> str:
        """File name, for messages."""
        return self.metadata.source

    @abstractmethod
    def has(self, name: str) -> bool:
        """Say whether there is such a plane."""

    @abstractmethod
    def plane(self, name: str, rows: slice = ALL, columns: slice = ALL) -> NDArray[Any] | None:
        """Return pixels of a plane, native and C-contiguous, or None.

        Parameters
        ----------
        name : str
            Attribute of `Image`: data, err, dq, var_poisson, var_rnoise, var_flat, area, weight.
        rows, columns : slice
            With step 1.
        """

    def names(self) -> Iterator[str]:
        """Yield the planes there are, in the order of the file."""
        yield from (name for name in EXTENSIONS if self.has(name))

    def layers(self, name: str) -> list[Callable[[slice], NDArray[Any]]]:
        """Return a function for each 2-D layer of a plane, which reads rows of it."""

        def read(rows: slice) -> NDArray[Any]:
            found = self.plane(name, rows)
            assert found is not None  # noqa: S101 - asked by the caller
            return found

        return [read]

    def image(self) -> Image:
        """Return everything in memory."""
        planes = {name: self.plane(name) for name in self.names()}
        return Image(metadata=self.metadata, wcs=self.wcs, tables=self.tables, **planes)  # type: ignore[arg-type]


@dataclass(eq=False)
class Exposure(Pixels):
    """One 2-D image, whose pixels are in its file or in memory.

    What steps find out about its pixels is kept beside them: outliers as a list of pixels, a
    level to subtract as a number. `plane` hands out the pixels with both applied.

    Attributes
    ----------
    metadata : Metadata
    wcs : gwcs.WCS or None
    tables : dict of Table
    path : Path or None
    """

    metadata: Metadata
    wcs: Any = None
    tables: dict[str, Table] = field(default_factory=dict)
    path: Path | None = None
    _hdus: list[Hdu] = field(default_factory=list, repr=False)
    _image: Image | None = field(default=None, repr=False)
    _outliers: NDArray[np.int64] | None = field(default=None, repr=False)
    _level: float = 0.0

    @classmethod
    def open(cls, path: Path) -> "Exposure":
        """Read all but the pixels of a product.

        Raises
        ------
        InputError
            As `calwebb_core.framework.products.read_image`, or if SCI is not 2-D.
        """
        path = Path(path)
        hdus, metadata = open_product(path)
        shape = check_image(path, hdus)
        if len(shape) != 2:
            msg = f"{path}: SCI has shape {shape}; expected a 2-D image such as a _cal file"
            raise InputError(msg)
        wcs, metadata.provenance = read_asdf(path, hdus)
        tables = carried(path, hdus, tuple(IMAGE_ARRAYS))
        return cls(metadata, wcs, tables, path, hdus)

    @classmethod
    def of(cls, image: Image) -> "Exposure":
        """Return an image in memory as an exposure; its arrays are not changed."""
        return cls(image.metadata, image.wcs, image.tables, _image=image)

    @cached_property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Rows and columns."""
        if self._image is not None:
            found = self._image.data.shape
        else:
            found = require(self.path or Path(), self._hdus, "SCI").shape
        return found[-2], found[-1]

    def has(self, name: str) -> bool:
        """Say whether there is such a plane."""
        if self._image is not None:
            return getattr(self._image, name) is not None
        hdu = find(self._hdus, EXTENSIONS[name])
        return hdu is not None and bool(hdu.shape)

    def plane(self, name: str, rows: slice = ALL, columns: slice = ALL) -> NDArray[Any] | None:
        """Return the caller's own copy of some pixels of a plane, or None."""
        if not self.has(name):
            return None
        values = self._read(name, rows, columns)
        if name == "data" and self._level:
            values -= np.float32(self._level)
        if self._outliers is not None and (name == "dq" or name in MEASURED):
            self._apply(name, rows, columns, values)
        return values

    def _read(self, name: str, rows: slice, columns: slice) -> NDArray[Any]:
        if self._image is not None:
            return np.array(getattr(self._image, name)[rows, columns], DTYPES[name], order="C")
        path, hdu = self.path or Path(), require(self.path or Path(), self._hdus, EXTENSIONS[name])
        start, stop, _ = rows.indices(self.shape[0])
        return read_rows(path, hdu, start, max(start, stop), DTYPES[name], columns)

    def _apply(self, name: str, rows: slice, columns: slice, values: NDArray[Any]) -> None:
        outliers, (ny, nx) = self._outliers, self.shape
        assert outliers is not None  # noqa: S101 - asked by the caller
        (start, stop, _), (left, right, _) = rows.indices(ny), columns.indices(nx)
        first, last = np.searchsorted(outliers, (start * nx, stop * nx))
        y, x = np.divmod(outliers[first:last], nx)
        inside = (x >= left) & (x < right)
        places = y[inside] - start, x[inside] - left
        if name == "dq":
            values[places] |= OUTLIER
        else:
            values[places] = np.nan

    def mark(self, hits: NDArray[np.bool_]) -> None:
        """Take pixels as outliers from now on.

        They have OUTLIER and DO_NOT_USE in `dq` (if there is one) and NaN in the others.

        Parameters
        ----------
        hits : bool, (ny, nx)
        """
        found = np.flatnonzero(hits)
        if self._outliers is not None:
            found = np.union1d(self._outliers, found)
        self._outliers = found

    @property
    def outliers(self) -> NDArray[np.int64]:
        """Outliers marked so far, as sorted indices of the flattened image."""
        return np.empty(0, np.int64) if self._outliers is None else self._outliers

    def subtract(self, level: float) -> None:
        """Subtract a level from `data` from now on."""
        self._level += level

    def put(self, image: Image) -> None:
        """Take the pixels of an image in memory instead, with its keywords and WCS."""
        self.metadata, self.wcs, self.tables = image.metadata, image.wcs, image.tables
        self._image, self._outliers, self._level = image, None, 0.0
        self.__dict__.pop("shape", None)


@dataclass(eq=False)
class StoredImage(Pixels):
    """A mosaic whose planes are in a store.

    Attributes
    ----------
    metadata : Metadata
    wcs : gwcs.WCS
    shape : (ny, nx)
    planes : dict of Plane
        By attribute of `Image`.
    context : list of Plane
        The planes of CON.
    tables : dict of Table
    """

    metadata: Metadata
    wcs: Any
    shape: tuple[int, int]
    planes: dict[str, Plane] = field(default_factory=dict)
    context: list[Plane] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Say whether there is such a plane."""
        return bool(self.context) if name == "context" else name in self.planes

    def plane(self, name: str, rows: slice = ALL, columns: slice = ALL) -> NDArray[Any] | None:
        """Return some pixels of a plane, or None; the context as (nplanes, rows, columns)."""
        if columns != ALL:
            found = self.plane(name, rows)
            return None if found is None else np.ascontiguousarray(found[..., columns])
        if name == "context":
            return np.stack([p.read(rows) for p in self.context]) if self.context else None
        return self.planes[name].read(rows) if name in self.planes else None

    def layers(self, name: str) -> list[Callable[[slice], NDArray[Any]]]:
        """Return a function for each 2-D layer of a plane, which reads rows of it."""
        return [p.read for p in self.context] if name == "context" else super().layers(name)
