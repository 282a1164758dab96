"""Showers: faint extended events in MIRI, below the limit for jumps of single pixels.

Each difference of groups is compared with the pixel's median over all integrations, in units
of its noise (with many integrations: with median and scatter of the same group across
integrations, clipped at five sigma). The absolute deviations are averaged over a ring around
each pixel; flagged pixels do not count, those beyond the edge count as 0. Connected regions of
`extend_min_area` pixels above `extend_snr_threshold` are showers. Their ellipses, enlarged by
`extend_ellipse_expand_ratio`, get JUMP_DET from that group on for `time_masked_after_shower`.

As showers are faint, a pixel whose mean rate would change by more than `max_shower_amplitude`
keeps the flags that it had, and so does one that would have no rate left.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.models import Float32, UInt8
from calwebb_detector1.kernels import jump_flags, regions, showers
from calwebb_detector1.kernels.flags import DO_NOT_USE, JUMP_DET, SPREADING, UNUSABLE
from calwebb_detector1.kernels.types import Float64, Int64
from calwebb_detector1.large_events.ellipses import enlarged
from calwebb_detector1.large_events.options import LargeEventOptions

logger = logging.getLogger(__name__)

FEWEST_DIFFERENCES = 10
ROWS = 32


@dataclass(frozen=True)
class Exposure:
    """Arrays in which showers are looked for.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    blind : uint8, (ny, nx), 0 where pixels are usable
    gain : float32, (ny, nx), electron/DN
    variance : float32, (ny, nx), electron^2 of a difference without signal
    """

    data: Float32
    groupdq: UInt8
    blind: UInt8
    gain: Float32
    variance: Float32


def ring_offsets(inner: float, width: float) -> Int64:
    """Return the offsets (y, x) of the pixels with centres in a ring, int64, (n, 2)."""
    reach = int(np.floor(inner + width))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    radius = np.hypot(y, x)
    chosen = (radius >= inner) & (radius <= inner + width)
    return np.ascontiguousarray(np.argwhere(chosen) - reach)


def groups_to_search(groupdq: UInt8) -> list[tuple[int, int]]:
    """Return (integration, group) after the first usable group of each integration."""
    items = []
    for i, integration in enumerate(groupdq):
        usable = [not jump_flags.all_flagged(frame, DO_NOT_USE) for frame in integration]
        if any(usable):
            items += [(i, g) for g in range(usable.index(True) + 1, len(usable))]
    return items


def enough_differences(groupdq: UInt8) -> bool:
    """Say whether an exposure has enough differences to tell a steady rate."""
    nints, ngroups = groupdq.shape[:2]
    frames = groupdq.reshape(-1, *groupdq.shape[2:])
    lost = sum(jump_flags.all_flagged(frame, DO_NOT_USE) for frame in frames)
    return bool(nints * (ngroups - 1) - lost >= FEWEST_DIFFERENCES)


class ShowerSearch:
    """Search of an exposure; groups may be searched in any order and at the same time.

    Parameters
    ----------
    exposure : Exposure
    options : LargeEventOptions
    across : bool
        Compare groups across integrations rather than with the median of all.
    """

    def __init__(self, exposure: Exposure, options: LargeEventOptions, *, across: bool) -> None:
        self.exposure = exposure
        self.options = options
        self.across = across
        self.ring = ring_offsets(options.extend_inner_radius, options.extend_outer_radius)
        self.rim = int(np.abs(self.ring).max(initial=0))
        shape = exposure.gain.shape
        self._level, self._sigma = (np.empty(shape, np.float32) for _ in range(2))

    def prepare(self, in_threads: Callable[..., list[None]]) -> None:
        """Find the steady rates, a few rows at a time."""
        if self.across:
            return
        ny = self.exposure.gain.shape[0]
        in_threads(self._steady_rates, [(y, min(y + ROWS, ny)) for y in range(0, ny, ROWS)])

    def _steady_rates(self, rows: tuple[int, int]) -> None:
        own = self.exposure
        showers.steady_rates(
            own.data, own.groupdq, rows, own.gain, own.variance, self._level, self._sigma
        )

    def rates(self, group: int) -> tuple[Float32, Float32]:
        """Return what to compare a group's differences with, and their noise."""
        if not self.across:
            return self._level, self._sigma
        level, sigma = np.empty_like(self._level), np.empty_like(self._sigma)
        own = self.exposure
        showers.clipped_rates(own.data, own.groupdq, own.gain, group, level, sigma)
        return level, sigma

    def find(self, item: tuple[int, int]) -> Float64:
        """Return the ellipses of the showers of an integration's group."""
        own = self.exposure
        ny, nx = own.gain.shape
        wider = (ny + 2 * self.rim, nx + 2 * self.rim)
        deviation, good = np.zeros(wider, np.float32), np.ones(wider, np.float32)
        level, sigma = self.rates(item[1])
        showers.write_deviations(
            own.data, own.groupdq, item, own.gain, level, sigma, own.blind, deviation, good
        )
        mask = np.empty((ny, nx), np.uint8)
        threshold = self.options.extend_snr_threshold
        if not showers.mark_emission(deviation, good, self.ring, threshold, mask):
            return np.empty((0, regions.PARAMETERS))
        found: Float64 = regions.find_ellipses(mask, self.options.extend_min_area)
        return found


def mark_showers(
    groupdq: UInt8, group: int, ellipses: Float64, groups: int, options: LargeEventOptions
) -> None:
    """Mark SPREADING the groups of an integration (ngroups, ny, nx) that showers spoil."""
    blocked = UNUSABLE | JUMP_DET
    for ellipse in ellipses:
        width, length = enlarged(
            ellipse, options.extend_ellipse_expand_ratio, options.max_extended_radius
        )
        for frame in groupdq[group : group + groups + 1]:
            regions.flag_ellipse(frame, ellipse, width, length, SPREADING, blocked, np.uint8(0))
