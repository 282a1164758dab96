"""What stage 2 imaging makes of an exposure: the calibrated image and its resampled view."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.exposures import ALL, Pixels
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Table
from calwebb_core.framework.product_stream import ImageStream
from calwebb_core.framework.target_images import EXTENSIONS


@dataclass
class StreamedImage(Pixels):
    """A calibrated image or cube whose pixels are in its file already; its keywords may change.

    Attributes
    ----------
    metadata : Metadata
    stream : ImageStream
    wcs : World
    tables : dict of Table
    """

    metadata: Metadata
    stream: ImageStream = field(repr=False)
    wcs: Any = None
    tables: dict[str, Table] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Rows and columns."""
        ny, nx = self.stream.arrays["SCI"].shape[-2:]
        return ny, nx

    def has(self, name: str) -> bool:
        """Say whether there is such a plane."""
        return EXTENSIONS[name][0] in self.stream.arrays

    def plane(self, name: str, rows: slice = ALL, columns: slice = ALL) -> NDArray[Any] | None:
        """Return some pixels of a plane of an image, or None."""
        if not self.has(name):
            return None
        start, stop, _ = rows.indices(self.shape[0])
        found = self.stream.get(EXTENSIONS[name][0], slice(start, stop))
        return found if columns == ALL else np.ascontiguousarray(found[:, columns])

    def close(self) -> Path:
        """Write the keywords and return the product's path."""
        self.stream.metadata, self.stream.wcs = self.metadata, self.wcs
        self.stream.tables = self.tables
        self.stream.close()
        return self.stream.path


@dataclass
class Calibrated:
    """A calibrated image and, once resampled, the side product `_i2d`.

    Attributes
    ----------
    image : Image or StreamedImage
        `_cal` or `_calints`.
    resampled : Image
        `_i2d`.
    """

    image: Image | StreamedImage
    resampled: Image

    @property
    def metadata(self) -> Metadata:
        """Keywords of the calibrated image."""
        return self.image.metadata
