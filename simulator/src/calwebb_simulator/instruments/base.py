"""Descriptions that every instrument fills in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    wheel : str
        FILTER keyword where it is not the name; "N/A" where there is no filter.
    grating : str
        GRATING keyword of a spectrograph.
    """

    name: str
    pupil: str
    pivot: float
    width: float
    throughput: float
    offset: tuple[float, float] = (0.0, 0.0)
    wheel: str = ""
    grating: str = ""

    @property
    def keyword(self) -> str:
        """FILTER keyword."""
        return self.wheel or self.name


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
    axes : (int, int), optional
        FASTAXIS and SLOWAXIS where the SIAF does not tell them.
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
    axes: tuple[int, int] | None = None


@dataclass(frozen=True)
class Pattern:
    """A readout pattern.

    Attributes
    ----------
    frames, gap : int
        Frames averaged in a group, frames dropped between groups.
    irs2 : bool
        Whether reference pixels are read between the others (NIRSpec's IRS2).
    """

    frames: int
    gap: int
    irs2: bool = False


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
    shape : (int, int)
        Rows and columns of a detector.
    borders : (int, int, int, int)
        Reference pixels left, right, below and above.
    pixel_pitch : float
        Pixel size in um.
    sample_time : float
        Time between samples in us.
    full_outputs : int
        Outputs that read a full frame.
    detectors, filters, patterns : mapping
        By name.
    channels : mapping
        The filters in front of the detectors of each channel.
    subarray_outputs : int
        Outputs that read a subarray.
    extra_rows : int
        Rows' worth of time that reading a subarray takes longer.
    interleaved : bool
        Whether the outputs take columns in turns (MIRI) and a further output reads no pixels,
        instead of a band of columns each.
    exposure_types : tuple of str
        EXP_TYPEs that reference files are for.
    spectral_types : tuple of str
        EXP_TYPEs of spectra of a star that can be simulated.
    models : str
        How the names of the photometric data models begin.
    optical_keys : tuple of str
        Columns that tell optical elements apart in photometric tables.
    apertures : mapping
        Subarrays whose aperture in the SIAF is not named after the detector and them.
    windows : mapping
        First column and row (1-based), columns and rows of subarrays that the SIAF does not
        know; detectors of a spectrograph, which have no place on the sky.
    subarray_gain : float
        GAINFACT of subarrays: their gain over that of full frames.
    superbias : bool
        Whether a bias file is subtracted; without, it stays in the signal.
    """

    name: str
    siaf: str
    image_type: str
    template: str
    shape: tuple[int, int]
    borders: tuple[int, int, int, int]
    pixel_pitch: float
    sample_time: float
    full_outputs: int
    detectors: Mapping[str, Detector]
    filters: Mapping[str, Filter]
    patterns: Mapping[str, Pattern]
    channels: Mapping[str, tuple[str, ...]]
    subarray_outputs: int = 1
    extra_rows: int = 2
    interleaved: bool = False
    exposure_types: tuple[str, ...] = ()
    spectral_types: tuple[str, ...] = ()
    models: str = ""
    optical_keys: tuple[str, ...] = ("filter", "pupil")
    apertures: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)
    subarray_gain: float = 1.0
    superbias: bool = True
    time_series_type: str = ""
    time_series_template: str = ""

    @property
    def spectral(self) -> bool:
        """Whether it is a spectrograph, whose pixels have no place on the sky."""
        return bool(self.windows)

    def aperture_name(self, detector: Detector, subarray: str) -> str:
        """Return the name of a frame's aperture in the SIAF."""
        return self.apertures.get(subarray, f"{detector.siaf}_{subarray}")

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
