"""An exposure of a target together with the background exposures of its association."""

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
class BackgroundFile:
    """A background exposure, `_rate` or `_rateints`, whose pixels stay in its file.

    Attributes
    ----------
    path : Path
    keywords : Metadata
    shape : (nints, ny, nx), with nints 1 for a `_rate`
    hdus : list of Hdu
    """

    path: Path
    keywords: Metadata
    shape: tuple[int, int, int]
    hdus: list[Hdu]

    @classmethod
    def open(cls, path: Path) -> "BackgroundFile":
        """Read the headers.

        Raises
        ------
        InputError
            If it is no image product.
        """
        hdus, keywords = open_product(path)
        shape = check_image(path, hdus)
        nints = shape[0] if len(shape) == 3 else 1
        return cls(path, keywords, (nints, shape[-2], shape[-1]), hdus)

    def rows(self, name: str, integration: int, rows: slice) -> NDArray[Any] | None:
        """Return rows of data, err, dq, var_poisson or var_rnoise, or None if it has none."""
        extension, dtype = EXTENSIONS[name]
        hdu = find(self.hdus, extension)
        if hdu is None or not hdu.shape:
            return None
        first = integration * self.shape[1]
        hdu = require(self.path, self.hdus, extension)
        return read_rows(self.path, hdu, first + rows.start, first + rows.stop, np.dtype(dtype))


@dataclass
class TargetImage(Image):
    """An image or cube with the background exposures that belong to it.

    Attributes
    ----------
    backgrounds : tuple of BackgroundFile
    combined : Image or None
        Their average, if it is to be saved.
    """

    backgrounds: tuple[BackgroundFile, ...] = field(default=(), repr=False)
    combined: Image | None = None


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
