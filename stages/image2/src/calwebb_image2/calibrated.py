"""What stage 2 imaging makes of an exposure: the calibrated image and its resampled view."""

from dataclasses import dataclass

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image


@dataclass
class Calibrated:
    """A calibrated image and, once resampled, the side product `_i2d`.

    Attributes
    ----------
    image : Image
        `_cal` or `_calints`.
    resampled : Image
        `_i2d`.
    """

    image: Image
    resampled: Image

    @property
    def metadata(self) -> Metadata:
        """Keywords of the calibrated image."""
        return self.image.metadata
