"""What an observing program is made of, as the proposal tool would say it.

A program has observations; an observation looks at one target, in one visit for each tile of a
mosaic; a visit is a row of activities; an activity repeats one set-up at each position of a dither
pattern. In a file name, ``jw{program}{observation}{visit}_{group}{sequence}{activity}_{exposure}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Offset = tuple[float, float]


@dataclass(frozen=True)
class Target:
    """What is looked at.

    Attributes
    ----------
    name : str
        TARGPROP, the proposer's name.
    ra, dec : float
        Degrees.
    catalog : str
        TARGNAME, the name in catalogs.
    kind : str
        TARGTYPE: FIXED, MOVING or GENERIC.
    """

    name: str
    ra: float
    dec: float
    catalog: str = ""
    kind: str = "FIXED"


@dataclass(frozen=True)
class Readout:
    """How a detector is read.

    Attributes
    ----------
    pattern : str
        READPATT.
    groups, integrations : int
        NGROUPS and NINTS.
    segments : int
        Files that an exposure is cut into, on the borders of integrations.
    """

    pattern: str
    groups: int
    integrations: int = 1
    segments: int = 1


@dataclass(frozen=True)
class Dither:
    """Positions of the target in the aperture.

    Attributes
    ----------
    pattern : str
        PATTTYPE.
    offsets : tuple of (float, float)
        Primary positions, in arcsec in the aperture's ideal frame.
    subpixel : int
        Small steps at each primary position (SUBPXPTS).
    keywords : mapping
        Further keywords of the pattern, such as NOD_TYPE.
    """

    pattern: str = "NONE"
    offsets: tuple[Offset, ...] = ((0.0, 0.0),)
    subpixel: int = 1
    keywords: Mapping[str, str] = field(default_factory=dict)

    @property
    def positions(self) -> tuple[Offset, ...]:
        """All positions: the small steps of the first primary position, then of the next."""
        return tuple(
            (round(x + 0.016 * step, 6), round(y + 0.016 * step, 6))
            for x, y in self.offsets
            for step in range(self.subpixel)
        )


STARE = Dither()


@dataclass(frozen=True)
class Setup:
    """Detectors that look through the same optics at the same time.

    Attributes
    ----------
    exp_type : str
        EXP_TYPE.
    detectors : tuple of str
        DETECTOR of each file.
    aperture : str
        Name in the SIAF; ``{}`` stands for how the detector's apertures begin.
    readout : Readout
    subarray : str
        SUBARRAY.
    optics : mapping
        Keywords of what is in the light path, such as FILTER.
    """

    exp_type: str
    detectors: tuple[str, ...]
    aperture: str
    readout: Readout
    subarray: str
    optics: Mapping[str, str | int]


def setup(
    exp_type: str,
    detectors: str,
    aperture: str,
    readout: Readout,
    subarray: str = "FULL",
    **optics: str | int,
) -> Setup:
    """Return a set-up of detectors in one text, with blanks between them."""
    return Setup(exp_type, tuple(detectors.split()), aperture, readout, subarray, optics)


@dataclass(frozen=True)
class Activity:
    """Set-ups that expose together, at each position of a dither pattern.

    Attributes
    ----------
    setups : tuple of Setup
        The first is what the telescope points with.
    dither : Dither
    point : str
        Aperture that the target is put in, where it is not the first set-up's (PPS_APER).
    imprint : bool
        Whether the light's way is closed, to see what leaks through (IS_IMPRT).
    specification : int
        Number of the exposure specification in the proposal; 0 for a new one.
    off_target : (float, float)
        Arcsec by which the telescope is moved away from the target.
    """

    setups: tuple[Setup, ...]
    dither: Dither = STARE
    point: str = ""
    imprint: bool = False
    specification: int = 0
    off_target: Offset = (0.0, 0.0)


@dataclass(frozen=True)
class Observation:
    """What is done on one target.

    Attributes
    ----------
    number : int
    template : str
        TEMPLATE.
    target : Target
    activities : tuple of Activity
    label : str
        OBSLABEL.
    roll : float
        Position angle of V3 in degrees.
    psf, background, series : bool
        IS_PSF, BKGDTARG, TSOVISIT.
    visit_type : str
        VISITYPE; by default that of the target's kind.
    tiles : tuple of (float, float)
        Where the tiles of a mosaic are, arcsec east and north of the target.
    pure_parallel : bool
        Whether another program points the telescope.
    """

    number: int
    template: str
    target: Target
    activities: tuple[Activity, ...]
    label: str = ""
    roll: float = 95.0
    psf: bool = False
    background: bool = False
    series: bool = False
    visit_type: str = ""
    tiles: tuple[Offset, ...] = ((0.0, 0.0),)
    pure_parallel: bool = False


@dataclass(frozen=True)
class Group:
    """Observations that the proposal puts together: an association candidate.

    Attributes
    ----------
    kind : str
        Such as mosaic, background or direct_image.
    observations : tuple of int
    """

    kind: str
    observations: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A program.

    Attributes
    ----------
    mode : str
        Its name on the command line.
    number : int
        Program number of the first copy.
    instrument : str
        INSTRUME; detectors know theirs, this is for lists.
    sentence : str
        What it observes.
    observations : tuple of Observation
    groups : tuple of Group
    """

    mode: str
    number: int
    instrument: str
    sentence: str
    observations: tuple[Observation, ...]
    groups: tuple[Group, ...] = ()
