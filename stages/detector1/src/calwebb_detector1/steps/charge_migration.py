"""charge_migration: flag groups in which a bright pixel has lost charge to its neighbours.

As charge piles up in a pixel, its field weakens and new charge drifts to the neighbours (the
brighter-fatter effect): the ramp bends down in the peak of an undersampled star, and up beside
it. From a pixel's first group above `signal_threshold` on, it and its four neighbours get
CHARGELOSS | DO_NOT_USE, so that slopes come from the groups before (Goudfrooij et al. 2024,
PASP 136 014503). The fit of ramps still counts these groups in the variance of the read noise,
so that weights in later steps do not depend on brightness.

Groups that are DO_NOT_USE and nothing else start no flags. Off by default; does not run with
fewer than three groups.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from calwebb_core.framework.models import Float32, UInt8
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import GroupDQ
from calwebb_detector1.arrays import check_ramps
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.kernels import charge_migration as kernels
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)

CHARGELOSS = np.uint8(GroupDQ.CHARGELOSS)
FLAGS = CHARGELOSS | np.uint8(GroupDQ.DO_NOT_USE)
FEWEST_GROUPS = 3


@dataclass(frozen=True)
class ChargeMigrationParameters:
    """Options of the step charge_migration."""

    signal_threshold: float = option(
        25000.0, "groups above this signal have lost charge", minimum=0.0, unit="DN"
    )


def flag_charge_loss(data: Float32, groupdq: UInt8, *, threshold: float) -> None:
    """Flag groups that lost charge in `groupdq` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    threshold : DN

    Raises
    ------
    ValueError
        If shapes or types disagree.
    """
    check_ramps(data, groupdq)
    kernels.flag_charge_loss(data, groupdq, np.float32(threshold), FLAGS)


def too_few_groups(ngroups: int) -> str | None:
    """Say why an exposure cannot be treated."""
    if ngroups < FEWEST_GROUPS:
        return f"{ngroups} groups an integration; three are needed"
    return None


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why an exposure cannot be treated, from its header."""
    ngroups = metadata.get("NGROUPS")
    return too_few_groups(ngroups) if isinstance(ngroups, int) else None


def prepare(
    exposure: Exposure, _: References, parameters: ChargeMigrationParameters
) -> Correction | Status:
    """Flag the groups of each block."""
    reason = too_few_groups(exposure.shape[1])
    if reason:
        return skipped(reason)
    threshold = parameters.signal_threshold

    def apply(block: Block) -> int:
        flag_charge_loss(block.data, block.groupdq, threshold=threshold)
        return int(np.count_nonzero(block.inner(block.groupdq) & CHARGELOSS))

    def finish(count: int) -> None:
        logger.info("%d samples above %g DN, after or beside one", count, threshold)

    return Correction(apply, halo=1, changes_data=False, finish=finish)


run = alone(prepare)

STEP = Step(
    name="charge_migration",
    keyword="S_CHGMIG",
    meaning="Flag groups of bright pixels that lost charge to their neighbours.",
    parameters=ChargeMigrationParameters,
    run=run,
    prepare=prepare,
    not_needed=not_needed,
    skip=True,
)
