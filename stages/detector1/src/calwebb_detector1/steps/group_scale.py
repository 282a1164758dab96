"""group_scale: undo the wrong divisor of the on-board averaging of frames.

The focal-plane electronics divide the sum of NFRAMES frames by FRMDIVSR, a power of two. When
NFRAMES is none, groups are too small by FRMDIVSR / NFRAMES: ``S' = S FRMDIVSR / NFRAMES`` for
all groups (the zero frame is a single frame and right). MIRI's FASTGRPAVG modes count averaged
frames in MIRNFRMS. Sets no flags. Does not run where the two keywords agree or are absent.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from calwebb_core.framework.models import Float32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.together import alone


def scale_groups(data: Float32, *, frame_divisor: int, nframes: int) -> None:
    """Multiply `data` (float32, DN) in place by `frame_divisor` / `nframes`."""
    np.multiply(data, np.float32(frame_divisor / nframes), out=data)


def averaged_frames(metadata: Mapping[str, Any]) -> int | None:
    """Return how many frames were averaged into a group."""
    if str(metadata.get("READPATT", "")).startswith("FASTGRPAVG"):
        return metadata.get("MIRNFRMS")
    return metadata.get("NFRAMES")


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why an exposure needs no scaling."""
    divisor, nframes = metadata.get("FRMDIVSR"), averaged_frames(metadata)
    if not divisor or not nframes:
        return "keyword FRMDIVSR or NFRAMES is missing"
    if divisor == nframes:
        return f"FRMDIVSR equals the number of averaged frames, {nframes}"
    return None


def prepare(exposure: Exposure, _: References, __: NoParameters) -> Correction | Status:
    """Find the factor of an exposure."""
    reason = not_needed(exposure.metadata)
    if reason:
        return skipped(reason)
    nframes = averaged_frames(exposure.metadata)
    divisor = exposure.metadata.require("FRMDIVSR", int)

    def apply(block: Block) -> int:
        scale_groups(block.data, frame_divisor=divisor, nframes=int(nframes or divisor))
        return 0

    return Correction(apply)


run = alone(prepare)

STEP = Step(
    name="group_scale",
    keyword="S_GRPSCL",
    meaning="Rescale groups whose frames were averaged with another divisor.",
    parameters=NoParameters,
    run=run,
    prepare=prepare,
    not_needed=not_needed,
)
