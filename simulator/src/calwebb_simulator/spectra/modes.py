"""The spectroscopic modes that the simulator knows, as data."""

from dataclasses import dataclass, replace
from typing import Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import did_you_mean
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.references.base import Scope

ROWS, COLUMNS = 2, 1  # DISPAXIS: wavelength runs along columns (y), or along rows (x)
FIXED_SLITS: Final = ("S200A1", "S200A2", "S400A1", "S1600A1", "S200B1")


@dataclass(frozen=True)
class SpectralMode:
    """A spectroscopic mode with its optics and its part of the detector.

    Attributes
    ----------
    name, instrument, detector, subarray, exp_type : str
        The last four as the keywords have them.
    filter, grating, pupil : str
        Keywords; empty where there is none.
    slit : str
        The slit with the star (FXD_SLIT), or the name of its entry in extract1d.
    axis : int
        DISPAXIS.
    low, high : float
        Range of wavelengths in um.
    scale : float
        Arcsec per pixel across the spectrum.
    series : bool
        Whether it is a time series.
    aperture : str
        Aperture of the SIAF that the pointing is about.
    """

    name: str
    instrument: str
    detector: str
    subarray: str
    exp_type: str
    filter: str
    slit: str
    axis: int
    low: float
    high: float
    scale: float
    aperture: str
    grating: str = ""
    pupil: str = ""
    series: bool = False

    @property
    def point_units(self) -> str:
        """What photom makes of a count rate of a point source: MJy for NIRSpec, else MJy/sr."""
        return "MJy" if self.instrument == "NIRSPEC" else "MJy/sr"

    @property
    def slits(self) -> tuple[str, ...]:
        """The slits that light comes through: several in full frames of NIRSpec, else one."""
        if self.instrument != "NIRSPEC":
            return (self.slit,)
        if self.series:
            return ("S1600A1",)
        return SLITS_OF.get(self.subarray, FIXED_SLITS)

    def frame(self, subarray: str = "") -> Frame:
        """Return the frame of the subarray, or of another one such as FULL."""
        instrument = instrument_named(self.instrument)
        detector = instrument.detector(self.detector)
        return Frame.of(instrument, detector, subarray or self.subarray)

    def scope(self, subarray: str = "") -> Scope:
        """Return what reference files of the subarray, or of another one, are for."""
        return Scope(instrument_named(self.instrument), self.frame(subarray))


SLITS_OF: Final = {"SUBS200A1": ("S200A1",), "SUBS200A2": ("S200A2",), "SUBS400A1": ("S400A1",)}
# filter and range of each grating of NIRSpec
GRATINGS: Final = {
    "PRISM": ("CLEAR", 0.60, 5.30),
    "G140M": ("F100LP", 0.97, 1.89),
    "G140H": ("F100LP", 0.97, 1.89),
    "G235M": ("F170LP", 1.66, 3.17),
    "G235H": ("F170LP", 1.66, 3.17),
    "G395M": ("F290LP", 2.87, 5.27),
    "G395H": ("F290LP", 2.87, 5.27),
}

LRS_SLIT: Final = SpectralMode(
    name="lrs-slit",
    instrument="MIRI",
    detector="MIRIMAGE",
    subarray="FULL",
    exp_type="MIR_LRS-FIXEDSLIT",
    filter="P750L",
    slit="MIR_LRS-FIXEDSLIT",
    axis=ROWS,
    low=3.9,
    high=14.0,
    scale=0.1109,
    aperture="MIRIM_SLIT",
)
LRS_SLITLESS: Final = replace(
    LRS_SLIT,
    name="lrs-slitless",
    subarray="SLITLESSPRISM",
    exp_type="MIR_LRS-SLITLESS",
    slit="MIR_LRS-SLITLESS",
    aperture="MIRIM_SLITLESSPRISM",
    series=True,
)
NIRSPEC_SLIT: Final = SpectralMode(
    name="nirspec-slit",
    instrument="NIRSPEC",
    detector="NRS1",
    subarray="ALLSLITS",
    exp_type="NRS_FIXEDSLIT",
    filter="F290LP",
    grating="G395M",
    slit="S200A1",
    axis=COLUMNS,
    low=2.87,
    high=5.27,
    scale=0.1055,
    aperture="NRS_S200A1_SLIT",
)
NIRSPEC_BRIGHT: Final = replace(
    NIRSPEC_SLIT,
    name="nirspec-bright",
    subarray="SUB512",
    exp_type="NRS_BRIGHTOBJ",
    filter="CLEAR",
    grating="PRISM",
    slit="S1600A1",
    low=0.60,
    high=5.30,
    aperture="NRS_S1600A1_SLIT",
    series=True,
)
NIRCAM_GRISM: Final = SpectralMode(
    name="nircam-grism",
    instrument="NIRCAM",
    detector="NRCALONG",
    subarray="SUBGRISM64",
    exp_type="NRC_TSGRISM",
    filter="F322W2",
    pupil="GRISMR",
    slit="ANY",
    axis=COLUMNS,
    low=2.45,
    high=3.98,
    scale=0.0629,
    aperture="NRCA5_GRISM64_F322W2",
    series=True,
)
MODES: Final = {
    mode.name: mode for mode in (LRS_SLIT, LRS_SLITLESS, NIRSPEC_SLIT, NIRSPEC_BRIGHT, NIRCAM_GRISM)
}


def mode_named(name: str) -> SpectralMode:
    """Return a mode by name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name in MODES:
        return MODES[name]
    msg = f"unknown spectroscopic mode {name!r}{did_you_mean(name, MODES)}; there are "
    raise InputError(msg + ", ".join(MODES))


def with_grating(mode: SpectralMode, grating: str) -> SpectralMode:
    """Return a mode of NIRSpec with another grating and its filter.

    Raises
    ------
    InputError
        If there is no such grating, or the mode is not one of NIRSpec.
    """
    if mode.instrument != "NIRSPEC" or grating not in GRATINGS:
        msg = f"{mode.name} has no grating {grating!r}; NIRSpec has {', '.join(GRATINGS)}"
        raise InputError(msg)
    chosen, low, high = GRATINGS[grating]
    return replace(mode, grating=grating, filter=chosen, low=low, high=high)
