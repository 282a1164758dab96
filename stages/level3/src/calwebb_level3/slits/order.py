"""The steps of calwebb_spec3 in order."""

from typing import Final

from calwebb_core.framework.step import Step
from calwebb_level3.slits.steps import (
    combine_1d,
    extract_1d,
    master_background,
    outlier_detection,
    pixel_replace,
    resample_spec,
)

STEPS: Final[tuple[Step, ...]] = (
    master_background.STEP,
    outlier_detection.STEP,
    pixel_replace.STEP,
    resample_spec.STEP,
    extract_1d.STEP,
    combine_1d.STEP,
)
