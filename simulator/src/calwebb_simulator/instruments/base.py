"""Descriptions that every instrument fills in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from calwebb_core.framework.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Filter:
    """A bandpass.

    Attributes
    ----------
    name, pupil : str
        FILTER and PUPIL keywords.
    pivot, width : float
        Pivot wavelength and effective width in um.
    throughput : float
        Mean efficiency of telescope, instrument and detector over the width.
    offset : (float, float)
        Column and row by which the filter moves the image, in pixels.
    """

    name: str
    pupil: str
    pivot: float
    width: float
    throughput: float
    offset: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Detector:
    """A detector and its typical properties.

    Attributes
    ----------
    name : str
        DETECTOR keyword.
    siaf : str
        How its apertures' names begin in the SIAF.
    module, channel : str
        MODULE and CHANNEL keywords.
    sca : int
        SCA_NUM keyword.
    gain : float
        Electrons per DN.
    cds_noise : float
        Noise of the difference of two reads in electrons.
    dark : float
        Dark current in electrons per second.
    well : float
        Full well in electrons.
    bias : float
        Bias level in DN.
    """

    name: str
    siaf: str
    module: str
    channel: str
    sca: int
    gain: float
    cds_noise: float
    dark: float
    well: float
    bias: float


@dataclass(frozen=True)
class Pattern:
    """A readout pattern: frames averaged in a group, frames dropped between groups."""

    frames: int
    gap: int


@dataclass(frozen=True)
class Instrument:
    """An instrument.

    Attributes
    ----------
    name : str
        INSTRUME keyword.
    siaf : str
        Its name in the SIAF.
    image_type : str
        EXP_TYPE of an image.
    template : str
        TEMPLATE keyword of an image.
    time_series_type, time_series_template : str
        The same of a time series; empty where there is none.
    size : int
        Columns and rows of a detector.
    border : int
        Reference pixels along each edge.
    pixel_pitch : float
        Pixel size in um.
    sample_time : float
        Time between samples in us.
    full_outputs : int
        Outputs that read a full frame; subarrays are read through one.
    detectors, filters, patterns : mapping
        By name.
    """

    name: str
    siaf: str
    image_type: str
    template: str
    size: int
    border: int
    pixel_pitch: float
    sample_time: float
    full_outputs: int
    detectors: Mapping[str, Detector]
    filters: Mapping[str, Filter]
    patterns: Mapping[str, Pattern]
    channels: Mapping[str, tuple[str, ...]]
    time_series_type: str = ""
    time_series_template: str = ""

    def detector(self, name: str) -> Detector:
        """Return a detector by name; InputError if there is none."""
        return look_up(self.detectors, name, f"detector of {self.name}")

    def filter(self, name: str) -> Filter:
        """Return a filter by name; InputError if there is none."""
        return look_up(self.filters, name, f"filter of {self.name}")

    def pattern(self, name: str) -> Pattern:
        """Return a readout pattern by name; InputError if there is none."""
        return look_up(self.patterns, name, f"readout pattern of {self.name}")

    def check_filter(self, detector: Detector, name: str) -> Filter:
        """Return a filter that is in front of a detector.

        Raises
        ------
        InputError
            If it is a filter of the other channel.
        """
        chosen = self.filter(name)
        if name not in self.channels[detector.channel]:
            usable = ", ".join(self.channels[detector.channel])
            msg = f"filter {name} is not in front of detector {detector.name}; it has {usable}"
            raise InputError(msg)
        return chosen


def look_up(table: Mapping[str, T], name: str, what: str) -> T:
    """Return an entry; InputError with what there is when it is missing."""
    try:
        return table[name]
    except KeyError:
        msg = f"unknown {what}: {name!r}; there are {', '.join(table)}"
        raise InputError(msg) from None
