"""Snowballs: large round events in near-infrared detectors, saturated in the middle.

In each group the connected regions of jumps and of newly saturated pixels are replaced by the
ellipses of their second moments. A region of jumps of `min_jump_area` pixels is a snowball if
the centre of a region of `min_sat_area` pixels that saturates in the same group or the next lies
in its ellipse, or if its own centre is within `edge_size` of the edge, where the core may be
off the frame. The ellipse enlarged by `expand_factor` gets JUMP_DET.

Saturated cores of snowballs wider than `min_sat_radius_extend` are enlarged by `sat_expand`
pixels, and are SATURATED to the end of the integration: charge spreads from them. Since they
leave afterglow, they get JUMP_DET at the start of the next integration (for
`snowball_time_masked_next_int`).
"""

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import UInt8
from calwebb_detector1.kernels import regions
from calwebb_detector1.kernels.flags import JUMP_DET, SATURATED, UNUSABLE
from calwebb_detector1.kernels.types import Float64
from calwebb_detector1.large_events.ellipses import flag_jumps
from calwebb_detector1.large_events.options import LargeEventOptions

NONE = np.empty((0, regions.PARAMETERS))


def near_edge(ellipses: Float64, shape: tuple[int, int], size: int) -> NDArray[np.bool_]:
    """Say which ellipses have their centre within `size` pixels of the edge of a frame."""
    x, y = ellipses[:, regions.X], ellipses[:, regions.Y]
    high_y, high_x = (max(0, side - size) for side in shape)
    near: NDArray[np.bool_] = (x < size) | (y < size) | (x > high_x) | (y > high_y)
    return near


class SnowballSearch:
    """Search of one integration, group by group, as each may saturate pixels of the next.

    Parameters
    ----------
    groupdq : uint8, (ngroups, ny, nx), changed
    options : LargeEventOptions

    Attributes
    ----------
    count : int
        Snowballs so far.
    cores : uint8, (ny, nx)
        JUMP_DET in the enlarged cores' original ellipses.
    """

    def __init__(self, groupdq: UInt8, options: LargeEventOptions) -> None:
        self.groupdq = groupdq
        self.options = options
        self.count = 0
        self.cores: UInt8 = np.zeros(groupdq.shape[1:], np.uint8)
        self._mask: UInt8 = np.empty(groupdq.shape[1:], np.uint8)
        self._earlier = NONE

    def run(self) -> None:
        """Search all groups but the first, which cannot jump."""
        for group in range(1, len(self.groupdq)):
            self.search(group)

    def search(self, group: int) -> None:
        """Find the snowballs of a group and flag them."""
        jumps = self.jumps(group)
        if self.options.sat_required_snowball:
            cores, following = self.saturating(group), self.saturating(group + 1)
            chosen = near_edge(jumps, self._mask.shape, self.options.edge_size)
            inside = np.zeros(len(cores), np.bool_)
            regions.match_centres(jumps, cores, chosen, inside)
            regions.match_centres(jumps, following, chosen, np.zeros(len(following), np.bool_))
            # the core of a snowball found in the group before may saturate in this one only
            earlier = np.zeros(len(self._earlier), np.bool_)
            regions.match_centres(self._earlier, cores, earlier, inside)
            self._earlier = jumps = jumps[chosen]
            self.enlarge_cores(group, cores[inside])
        self.count += len(jumps)
        options = self.options
        flag_jumps(self.groupdq[group], jumps, options.expand_factor, options.max_extended_radius)

    def jumps(self, group: int) -> Float64:
        """Return the ellipses of the regions of jumps."""
        if not regions.mark_bits(self.groupdq[group], JUMP_DET, self._mask):
            return NONE
        found: Float64 = regions.find_ellipses(self._mask, self.options.min_jump_area)
        return found

    def saturating(self, group: int) -> Float64:
        """Return the ellipses of the regions that saturate in a group."""
        if group >= len(self.groupdq) or not regions.mark_new(
            self.groupdq[group - 1], self.groupdq[group], SATURATED, self._mask
        ):
            return NONE
        found: Float64 = regions.find_ellipses(self._mask, self.options.min_sat_area)
        return found

    def enlarge_cores(self, group: int, cores: Float64) -> None:
        """Flag enlarged cores SATURATED from `group` on, and remember where they are."""
        growth = 2.0 * self.options.sat_expand
        limit = 2.0 * self.options.max_extended_radius
        none = np.uint8(0)
        for core in cores:
            width, length = float(core[regions.WIDTH]), float(core[regions.LENGTH])
            if width <= self.options.min_sat_radius_extend:
                continue
            wider, longer = min(width + growth, limit), min(length + growth, limit)
            for frame in self.groupdq[group:]:
                regions.flag_ellipse(frame, core, wider, longer, SATURATED, none, JUMP_DET)
            regions.flag_ellipse(self.cores, core, width, length, JUMP_DET, none, none)


def flag_cores(groupdq: UInt8, cores: UInt8, groups: int) -> None:
    """Flag JUMP_DET the cores of the integration before in the usable first groups of this.

    Parameters
    ----------
    groupdq : uint8, (ngroups, ny, nx), changed
    cores : uint8, (ny, nx): JUMP_DET in cores
    groups : how many groups the time to be flagged has; a jump in the first means nothing
    """
    for frame in groupdq[1:groups]:
        frame |= np.where(frame & UNUSABLE == 0, cores, np.uint8(0))
