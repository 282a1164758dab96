"""When a detector is read: frame time, groups, integrations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.instruments import Pattern


@dataclass(frozen=True)
class Timing:
    """The reads of an exposure.

    Attributes
    ----------
    frame_time : float
        Seconds between frames.
    pattern : Pattern
        Frames averaged in a group, frames dropped between groups.
    groups, integrations : int
        How many.
    """

    frame_time: float
    pattern: Pattern
    groups: int
    integrations: int

    @property
    def group_time(self) -> float:
        """Seconds between groups."""
        return self.frame_time * (self.pattern.frames + self.pattern.gap)

    @property
    def frames(self) -> int:
        """Frames of one integration, averaged and dropped, up to the last read."""
        return self.groups * (self.pattern.frames + self.pattern.gap) - self.pattern.gap

    @property
    def integration_time(self) -> float:
        """Effective time of one integration in s."""
        return self.frames * self.frame_time

    @property
    def exposure_time(self) -> float:
        """Effective time of the exposure in s."""
        return self.integration_time * self.integrations

    @property
    def duration(self) -> float:
        """Time from the first to the last read, with a reset frame between integrations, in s."""
        return self.exposure_time + self.frame_time * (self.integrations - 1)

    def starts(self) -> NDArray[np.float64]:
        """Return when each integration begins, in s since the exposure's start: (integrations,)."""
        between = self.integration_time + self.frame_time
        return np.arange(self.integrations, dtype=np.float64) * np.float64(between)

    def reads(self, group: int) -> list[int]:
        """Return the numbers (from 1) of the frames that are averaged in a group (from 0)."""
        first = group * (self.pattern.frames + self.pattern.gap)
        return [first + frame + 1 for frame in range(self.pattern.frames)]

    def group_times(self) -> NDArray[np.float64]:
        """Return the mean time since the reset of every group's frames in s: (groups,)."""
        times = [np.mean(self.reads(group)) * self.frame_time for group in range(self.groups)]
        return np.array(times)

    def group_of_frame(self, frame: int) -> int:
        """Return the first group (from 0) that holds charge which arrived before a frame's read.

        `frame` counts from 1.
        """
        length = self.pattern.frames + self.pattern.gap
        group = (frame - 1) // length
        in_group = (frame - 1) % length < self.pattern.frames
        return group if in_group else group + 1
