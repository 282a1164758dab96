"""An exposure of a target, in its file or in memory, with the backgrounds of its association."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_layout import Hdu, find, require
from calwebb_core.framework.fits_read import read_rows
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.product_reading import (
    IMAGE_ARRAYS,
    check_image,
    open_product,
    read_asdf,
    read_image,
)
from calwebb_core.framework.raw_ramp import carried

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
    """

    backgrounds: tuple[ImageFile, ...] = field(default=(), repr=False)
    combined: Image | None = None


@dataclass
class TargetFile:
    """The target's exposure as it is opened: all but its pixels.

    Attributes
    ----------
    image : Image
        Keywords, WCS and tables; its arrays have the right shapes, but hold nothing.
    file : ImageFile
    backgrounds : tuple of ImageFile
    made : set of str
        EXTNAME of arrays that steps will add.
    area : mapping or None
        SCI of the pixel area map that will be attached.
    """

    image: Image
    file: ImageFile
    backgrounds: tuple[ImageFile, ...] = field(default=(), repr=False)
    made: set[str] = field(default_factory=set)
    area: Mapping[str, NDArray[Any]] | None = field(default=None, repr=False)

    @classmethod
    def open(cls, path: Path) -> "TargetFile":
        """Read keywords, WCS and tables.

        Raises
        ------
        InputError
            If it is no image product.
        """
        file = ImageFile.open(path)
        metadata = file.keywords
        wcs, metadata.provenance = read_asdf(path, file.hdus)
        shape = file.shape[-file.ndim :]
        nothing = [np.broadcast_to(np.float32(0), shape) for _ in range(2)]
        tables = carried(path, file.hdus, tuple(IMAGE_ARRAYS))
        return cls(Image(metadata, nothing[0], nothing[1], wcs=wcs, tables=tables), file)

    @property
    def metadata(self) -> Metadata:
        """Keywords of the exposure."""
        return self.image.metadata

    def load(self) -> Image:
        """Return the exposure in memory."""
        image = read_image(self.file.path)
        image.metadata, image.wcs = self.metadata, self.image.wcs
        if not self.backgrounds:
            return image
        parts = {item.name: getattr(image, item.name) for item in fields(image)}
        return TargetImage(**parts, backgrounds=self.backgrounds)


class TargetMetadata(Metadata):
    """Keywords of an exposure, and how many background exposures its association has."""

    backgrounds: int = 0

    @classmethod
    def of(cls, metadata: Metadata, backgrounds: int) -> "TargetMetadata":
        """Return the same keywords with that number."""
        result = cls()
        result.__dict__.update(metadata.__dict__)
        result.backgrounds = backgrounds
        return result


def number_of_backgrounds(metadata: Metadata) -> int:
    """Return how many background exposures an exposure's association has."""
    return metadata.backgrounds if isinstance(metadata, TargetMetadata) else 0
