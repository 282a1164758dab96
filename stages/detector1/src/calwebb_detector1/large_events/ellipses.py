"""Enlarge ellipses and flag what is in them."""

import numpy as np

from calwebb_core.framework.models import UInt8
from calwebb_detector1.kernels import regions
from calwebb_detector1.kernels.flags import JUMP_DET, UNUSABLE
from calwebb_detector1.kernels.types import Float64


def enlarged(ellipse: Float64, factor: float, radius: float) -> tuple[float, float]:
    """Return (width, length) of an ellipse enlarged by `factor` of its minor axis.

    The major axis grows by as many pixels as the minor one, lest streaks become large; neither
    grows beyond twice `radius`. Both are rounded as half widths are.
    """
    width, length = float(ellipse[regions.WIDTH]), float(ellipse[regions.LENGTH])
    growth = (factor - 1.0) * width
    return min(width + growth, 2 * radius), min(length + growth, 2 * radius)


def flag_jumps(frame: UInt8, ellipses: Float64, factor: float, radius: float) -> None:
    """Flag JUMP_DET the usable pixels of a frame (uint8, (ny, nx)) inside enlarged ellipses."""
    for ellipse in ellipses:
        width, length = enlarged(ellipse, factor, radius)
        regions.flag_ellipse(frame, ellipse, width, length, JUMP_DET, UNUSABLE, np.uint8(0))
