"""lastframe: flag the last group of each MIRI integration.

The reset of the odd rows that follows an integration pulls the even rows of its last frame down
and the other way round, so that no slope can use it: GROUPDQ of the last group gets DO_NOT_USE.
The LASTFRAME reference file of CRDS is not used. Does not run for other instruments or for fewer
than three groups.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from calwebb_core.framework.models import UInt8
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_detector1.arrays import check_array
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.together import alone

MINIMUM = 3


def flag_last_group(groupdq: UInt8) -> None:
    """Flag the last group of `groupdq` (nints, ngroups, ny, nx) DO_NOT_USE in place."""
    check_array("groupdq", groupdq, np.uint8, groupdq.shape)
    groupdq[:, -1] |= np.uint8(DO_NOT_USE)


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why an exposure has no last group to flag."""
    if metadata.get("INSTRUME") != "MIRI":
        return "only MIRI's last frame is disturbed"
    ngroups = metadata.get("NGROUPS")
    if isinstance(ngroups, int) and ngroups < MINIMUM:
        return f"{ngroups} groups; at least {MINIMUM} are needed"
    return None


def prepare(exposure: Exposure, _: References, __: NoParameters) -> Correction | Status:
    """Note that no pixel can use the last groups of an exposure."""
    reason = not_needed(exposure.metadata)
    if reason:
        return skipped(reason)
    exposure.flag_group(-1)

    def apply(block: Block) -> int:
        flag_last_group(block.groupdq)
        return 0

    return Correction(apply, changes_data=False)


run = alone(prepare)

STEP = Step(
    name="lastframe",
    keyword="S_LASTFR",
    meaning="Flag the last group of each MIRI integration.",
    parameters=NoParameters,
    run=run,
    prepare=prepare,
    not_needed=not_needed,
)
