"""An exposure of a target and what its association has besides: background exposures, imprints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_layout import Hdu, find, require
from calwebb_core.framework.fits_read import read_rows
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.product_reading import IMAGE_ARRAYS, check_image, open_product

EXTENSIONS = {attribute: (name, dtype) for name, (attribute, dtype) in IMAGE_ARRAYS.items()}


@dataclass(frozen=True)
class ImageFile:
    """An exposure, `_rate` or `_rateints`, whose pixels stay in its file.

    Attributes
    ----------
    path : Path
    keywords : Metadata
    shape : (nints, ny, nx), with nints 1 for a `_rate`
    hdus : list of Hdu
    ndim : int
        2 for a `_rate`.
    """

    path: Path
    keywords: Metadata
    shape: tuple[int, int, int]
    hdus: list[Hdu]
    ndim: int = 2

    @classmethod
    def open(cls, path: Path) -> "ImageFile":
        """Read the headers.

        Raises
        ------
        InputError
            If it is no image product.
        """
        hdus, keywords = open_product(path)
        shape = check_image(path, hdus)
        nints = shape[0] if len(shape) == 3 else 1
        return cls(path, keywords, (nints, shape[-2], shape[-1]), hdus, len(shape))

    def has(self, name: str) -> bool:
        """Say whether the file has an array, by its name in `Image`."""
        hdu = find(self.hdus, EXTENSIONS[name][0])
        return hdu is not None and bool(hdu.shape)

    def rows(self, name: str, integration: int, rows: slice) -> NDArray[Any] | None:
        """Return rows of an array, by its name in `Image`, or None if the file has none."""
        extension, dtype = EXTENSIONS[name]
        if not self.has(name):
            return None
        first = integration * self.shape[1]
        hdu = require(self.path, self.hdus, extension)
        return read_rows(self.path, hdu, first + rows.start, first + rows.stop, np.dtype(dtype))


@dataclass
class TargetImage(Image):
    """An image or cube with the background exposures that belong to it.

    Attributes
    ----------
    backgrounds : tuple of ImageFile
    combined : Image or None
        Their average, if it is to be saved.
    acquisition : Path or None
        The image that confirms where the target is; it need not be there unless it is used.
    """

    backgrounds: tuple[ImageFile, ...] = field(default=(), repr=False)
    combined: Image | None = None
    acquisition: Path | None = None


class TargetMetadata(Metadata):
    """Keywords of an exposure, and how many members of each type its association has."""

    def __init__(self, values: Any = (), source: str = "") -> None:
        super().__init__(values, source)
        self.members: Mapping[str, int] = {}

    @classmethod
    def of(cls, metadata: Metadata, members: Mapping[str, int]) -> "TargetMetadata":
        """Return the same keywords with those members."""
        result = cls()
        result.__dict__.update(metadata.__dict__)
        result.members = dict(members)
        return result

    def copy(self) -> "TargetMetadata":
        """Return an independent copy, members included."""
        return self.of(super().copy(), self.members)


def number_of_members(metadata: Metadata, exptype: str) -> int:
    """Return how many members of a type, such as "background", an exposure's association has."""
    return metadata.members.get(exptype, 0) if isinstance(metadata, TargetMetadata) else 0
