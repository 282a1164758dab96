"""The options of a scenario: sets of exposures, the sky, errors of the pointing."""

from dataclasses import dataclass, field

from calwebb_simulator.pointing import PointingErrors
from calwebb_simulator.scene import GalaxyField, StarField
from calwebb_simulator.transit import TargetStar

__all__ = ["FOUR_DITHERS", "Exposures", "PointingErrors", "Scene"]

FOUR_DITHERS = ((0.0, 0.0), (0.41, 0.27), (-0.29, 0.52), (0.18, -0.37))


@dataclass(frozen=True)
class Exposures:
    """One set of dithered exposures through one filter (per channel).

    Attributes
    ----------
    detectors : tuple of str
    filters : tuple of str
        Each detector takes the one that is in front of it.
    subarray, readpatt : str
    groups, integrations : int
    dithers : tuple of (float, float)
        Where the target is in the aperture's ideal frame, in arcsec; one exposure each.
    zeroframe : bool
        Whether the first frames are kept beside the groups.
    time_series : bool
        Whether it is a time series: another exposure type, light that may vary.
    segments : int
        Files that each exposure is cut into, on the borders of integrations.
    distinct : int
        Integrations to simulate in full; the others take their noise from these, see `repeat`.
        0 for all.
    exp_type : str
        EXP_TYPE where it is not that of an image; of a spectroscopic mode for the spectrum of
        the scene's target.
    slit : str
        Fixed slit of NIRSpec that the target is in.
    observation, visit : int
        Numbers of the observation and the visit that they belong to.
    target : str
        Name of the target where it is not the scenario's.
    place : (float, float)
        Where the target is, in arcsec east and north of the scenario's.
    background : bool
        Whether they are there for their sky only (BKGDTARG).
    sky : tuple of float
        Surface brightness of the sky of each exposure in MJy/sr, over and over; that of the
        scene by default.
    gradient : tuple of (float, float)
        By how much the sky of each exposure rises over the width and the height of the whole
        detector, in MJy/sr, over and over.
    """

    detectors: tuple[str, ...]
    filters: tuple[str, ...]
    subarray: str = "FULL"
    readpatt: str = "RAPID"
    groups: int = 10
    integrations: int = 1
    dithers: tuple[tuple[float, float], ...] = FOUR_DITHERS
    zeroframe: bool = False
    time_series: bool = False
    segments: int = 1
    distinct: int = 0
    exp_type: str = ""
    slit: str = ""
    observation: int = 1
    visit: int = 1
    target: str = ""
    place: tuple[float, float] = (0.0, 0.0)
    background: bool = False
    sky: tuple[float, ...] = ()
    gradient: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Scene:
    """The sky.

    Attributes
    ----------
    catalog : str
        ECSV file to take instead of drawing one, relative to the scenario's file.
    radius : float
        Half the side of the square that sources are drawn in, in arcsec.
    stars, galaxies : StarField, GalaxyField
    sky : float
        Surface brightness of the background in MJy/sr; of a spectrograph, electrons per second
        in a pixel.
    glow : float
        Peak of a broad glow in MJy/sr that stays in its place on the detector.
    target : TargetStar, optional
        A star at the target's position.
    motion : (float, float)
        Arcsec per hour by which the target moves east and north; the telescope follows it.
    """

    catalog: str = ""
    radius: float = 5.0
    stars: StarField = field(default_factory=StarField)
    galaxies: GalaxyField = field(default_factory=GalaxyField)
    sky: float = 0.2
    glow: float = 0.0
    target: TargetStar | None = None
    motion: tuple[float, float] = (0.0, 0.0)

    @property
    def moving(self) -> bool:
        """Whether the target moves."""
        return self.motion != (0.0, 0.0)
