"""firstframe: flag the first group of each MIRI integration.

The first group after a reset does not lie on the ramp; it gets DO_NOT_USE in GROUPDQ. With
`bright_use_group1` pixels whose third group is saturated keep it, because what it is off by is
small against their signal; they get FLUX_ESTIMATED in PIXELDQ. The step is deprecated: rscd
flags the first groups. It is off unless asked for, and does not run for other instruments or
for fewer than four groups.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import UInt8, UInt32
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import DO_NOT_USE, SATURATED, PixelDQ
from calwebb_detector1.arrays import check_array
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)

MINIMUM = 4


@dataclass(frozen=True)
class FirstframeParameters:
    """Options of the step firstframe."""

    bright_use_group1: bool = option(
        True, "keep the first group of pixels that saturate in the third"
    )


def flag_first_group(groupdq: UInt8, pixeldq: UInt32, *, keep_bright: bool) -> NDArray[np.bool_]:
    """Flag the first group of each integration in place.

    Parameters
    ----------
    groupdq : uint8, (nints, ngroups, ny, nx), four groups or more
    pixeldq : uint32, (ny, nx)
    keep_bright : leave pixels alone whose third group is saturated

    Returns
    -------
    bool, (ny, nx)
        Usable pixels that keep their first group in an integration.
    """
    check_array("groupdq", groupdq, np.uint8, groupdq.shape)
    check_array("pixeldq", pixeldq, np.uint32, groupdq.shape[2:])
    bright = groupdq[:, 2] & np.uint8(SATURATED) != 0
    if not keep_bright:
        bright[:] = False
    groupdq[:, 0] |= np.where(bright, np.uint8(0), np.uint8(DO_NOT_USE))
    kept = bright.any(axis=0)
    pixeldq[kept] |= np.uint32(PixelDQ.FLUX_ESTIMATED)
    usable: NDArray[np.bool_] = kept & (pixeldq & DO_NOT_USE == 0)
    return usable


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why no first group of an exposure can be flagged."""
    if metadata.get("INSTRUME") != "MIRI":
        return "only MIRI's first frame is off"
    ngroups = metadata.get("NGROUPS")
    if isinstance(ngroups, int) and ngroups < MINIMUM:
        return f"{ngroups} groups; at least {MINIMUM} are needed"
    return None


def prepare(
    exposure: Exposure, _: References, parameters: FirstframeParameters
) -> Correction | Status:
    """Note that hardly a pixel can use the first groups of an exposure."""
    reason = not_needed(exposure.metadata)
    if reason:
        return skipped(reason)
    exposure.flag_group(0)

    def apply(block: Block) -> int:
        if block.groupdq.shape[1] < MINIMUM:
            return 0  # one group that a later step looks at beforehand
        keep = parameters.bright_use_group1
        kept = flag_first_group(block.groupdq, block.pixeldq, keep_bright=keep)
        return int(np.count_nonzero(block.inner(kept)))

    def finish(pixels: int) -> None:
        logger.info("%d usable bright pixels keep their first group", pixels)

    return Correction(apply, changes_data=False, finish=finish)


run = alone(prepare)

STEP = Step(
    name="firstframe",
    keyword="S_FRSTFR",
    meaning="Flag the first group of each MIRI integration (deprecated: see rscd).",
    parameters=FirstframeParameters,
    run=run,
    prepare=prepare,
    not_needed=not_needed,
    skip=True,
)
