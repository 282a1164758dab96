"""A look ahead, at a few groups: which pixels are saturated early in an integration."""

import numpy as np
from numpy.typing import NDArray

from calwebb_core.science.dq import SATURATED
from calwebb_detector1.blocks import Exposure, Window, in_threads


def saturated_pixels(exposure: Exposure, integration: int, group: int) -> NDArray[np.bool_]:
    """Return which pixels (ny, nx) the steps before flag SATURATED in a group."""
    ny, nx = exposure.image_shape
    block = exposure.source.part(
        Window(0, ny, 0, nx), 0, slice(integration, integration + 1), slice(group, group + 1)
    )
    for correction in exposure.chain:
        if not correction.changes_data:
            correction.apply(block)
    found: NDArray[np.bool_] = block.groupdq[0, 0] & np.uint8(SATURATED) != 0
    return found


def first_kept_group(exposure: Exposure, integration: int, wanted: int) -> int:
    """Return the first of `wanted` groups to skip that rscd lets some pixel keep.

    A ramp keeps group k, from 0, if it is saturated two groups later but not in the first.
    """
    if wanted == 0:
        return 0
    beyond = saturated_pixels(exposure, integration, 0)

    def kept(group: int) -> bool:
        return bool((saturated_pixels(exposure, integration, group + 2) & ~beyond).any())

    if not kept(wanted - 1):
        return wanted
    return next((group for group in range(wanted - 1) if kept(group)), wanted - 1)


def common_groups(exposure: Exposure, wanted: NDArray[np.int64]) -> list[int]:
    """Return how many of the first groups of each integration rscd takes from every pixel.

    That is a guess from what earlier steps flag, where they run together with rscd.
    """
    if not exposure.chain:
        return [int(number) for number in wanted]
    items = list(enumerate(wanted.tolist()))
    return in_threads(lambda item: first_kept_group(exposure, *item), items)
