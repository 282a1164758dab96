"""An exposure of a target, in its file or in memory, with the backgrounds of its association."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.product_reading import IMAGE_ARRAYS, read_asdf, read_image
from calwebb_core.framework.raw_ramp import carried
from calwebb_core.framework.target_images import ImageFile, TargetImage, number_of_members


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


def number_of_backgrounds(metadata: Metadata) -> int:
    """Return how many background exposures an exposure's association has."""
    return number_of_members(metadata, "background")
