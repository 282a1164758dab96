"""The steps of calwebb_tso3 in order; images and spectra each take some of them."""

from typing import Final

from calwebb_core.framework.step import Step
from calwebb_level3.timeseries.steps import (
    extract_1d,
    outlier_detection,
    pixel_replace,
    tso_photometry,
    white_light,
)

STEPS: Final[tuple[Step, ...]] = (
    outlier_detection.STEP,
    tso_photometry.STEP,
    pixel_replace.STEP,
    extract_1d.STEP,
    white_light.STEP,
)
OF_IMAGES: Final = ("outlier_detection", "tso_photometry")
OF_SPECTRA: Final = ("outlier_detection", "pixel_replace", "extract_1d", "white_light")
