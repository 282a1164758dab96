"""What was observed: the facts of each exposure, and targets with all that was done on them."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from calwebb_associate.pool import Row, candidates
from calwebb_associate.summary.fits import Headers
from calwebb_associate.summary.gather import Gathered
from calwebb_associate.summary.state import Unit
from calwebb_associate.summary.text import clean, joined, sexagesimal
from calwebb_core.framework.quicklook_sky import Sky

OPTICS: Final = ("filter", "pupil", "grating", "fxd_slit")
PLAIN: Final = frozenset(("clear", "null", "none", "n/a", "opaque", "mirror", ""))
THIS_CENTURY: Final = (51544, 88069)
LONGEST_REGION: Final = 20_000
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Exposure:
    """An exposure as the report shows it; numbers that are not known are None.

    Attributes
    ----------
    root, observation, visit, instrument, detector, exp_type : str
    optics : str
        Filter, pupil, grating, band: what the light went through.
    subarray, readout, target, target_type, targets, candidates : str
        `targets` is the target's number.
    nints, ngroups : float
    seconds : float
        Effective exposure time.
    start, end : float
        Modified Julian dates.
    position : (float, float)
        Of the aperture, degrees; or that of the target.
    aim : (float, float)
        Of the target, degrees.
    corners : tuple
        Outline on the sky, degrees; empty where it is not known.
    stage1 : Unit
    stage2 : list of Unit
    """

    root: str
    observation: str
    visit: str
    instrument: str
    detector: str
    exp_type: str
    optics: str
    subarray: str
    readout: str
    target: str
    target_type: str
    number: str
    candidates: str
    nints: float | None
    ngroups: float | None
    seconds: float | None
    start: float | None
    end: float | None
    position: tuple[float, float] | None
    aim: tuple[float, float] | None
    corners: Corners
    stage1: Unit
    stage2: list[Unit]

    @property
    def pointing(self) -> str:
        """What all detectors and segments of an exposure have in common."""
        return self.root.rpartition("_")[0].partition("-seg")[0]


@dataclass(frozen=True)
class Observed:
    """What was done on a target in one way.

    Attributes
    ----------
    instrument, exp_type, optics, detectors, subarrays : str
    exposures : int
        Files.
    nints, ngroups : tuple
    seconds : float or None
        Exposure time; detectors that were read together, and segments, count once.
    """

    instrument: str
    exp_type: str
    optics: str
    detectors: str
    subarrays: str
    exposures: int
    nints: tuple[float | None, ...]
    ngroups: tuple[float | None, ...]
    seconds: float | None


@dataclass(frozen=True)
class Target:
    """A target and all that was done on it.

    Attributes
    ----------
    number, name, kind, place : str
        `place` is the position in both notations, or "".
    exposures : list of Exposure
    observed : list of Observed
    """

    number: str
    name: str
    kind: str
    place: str
    exposures: list[Exposure]
    observed: list[Observed]


def exposures_of(gathered: Gathered) -> list[Exposure]:
    """Return the exposures in the order of their names."""
    return [_exposure(gathered, root, gathered.rows[root]) for root in sorted(gathered.rows)]


def _exposure(gathered: Gathered, root: str, row: Row) -> Exposure:
    """Put together what pool and headers say of an exposure."""
    headers = gathered.best_header(root)
    start = _mjd(headers, "EXPSTART", "MJD-BEG")
    return Exposure(
        root=clean(root),
        observation=_shown(row, "obs_num"),
        visit=_shown(row, "visit"),
        instrument=_shown(row, "instrume").upper(),
        detector=_shown(row, "detector").upper(),
        exp_type=_shown(row, "exp_type").upper(),
        optics=_optics(row),
        subarray=_shown(row, "subarray").upper(),
        readout=headers.text("READPATT"),
        target=headers.text("TARGPROP", "TARGNAME") or _shown(row, "targprop") or "unnamed",
        target_type=_shown(row, "targtype"),
        number=_shown(row, "targetid"),
        candidates=joined(name for name, _ in candidates(row)),
        nints=headers.number("NINTS") or _whole(row.get("nints", "")),
        ngroups=headers.number("NGROUPS"),
        seconds=headers.number("EFFEXPTM", "XPOSURE"),
        start=start,
        end=_mjd(headers, "EXPEND", "MJD-END"),
        position=_pair(headers, "RA_REF", "DEC_REF") or _pair(headers, "TARG_RA", "TARG_DEC"),
        aim=_pair(headers, "TARG_RA", "TARG_DEC"),
        corners=corners_of(headers),
        stage1=gathered.stage1(root),
        stage2=gathered.stage2(root),
    )


def _shown(row: Row, column: str) -> str:
    """Return a value of the pool, "" for null."""
    text = clean(row.get(column, ""))
    return "" if text.lower() in ("null", "none", "n/a", "nan") else text


def _optics(row: Row) -> str:
    """Return what the light went through, without what says nothing."""
    words = [_shown(row, column) for column in OPTICS]
    telling = [word.upper() for word in words if word.lower() not in PLAIN]
    channel = _shown(row, "channel")
    if channel.isdecimal():  # of an integral-field spectrograph; that of a camera is its detector's
        telling += [f"CHANNEL {channel}", _shown(row, "band").upper()]
    return (
        " + ".join(filter(None, dict.fromkeys(telling)))
        or joined(word.upper() for word in words)
        or "none"
    )


def _mjd(headers: Headers, *keywords: str) -> float | None:
    """Return a modified Julian date of this century, or None."""
    found = headers.number(*keywords)
    return found if found is not None and THIS_CENTURY[0] < found < THIS_CENTURY[1] else None


def _whole(text: str) -> float | None:
    return float(text) if text.isdecimal() else None


def _pair(headers: Headers, *keywords: str) -> tuple[float, float] | None:
    """Return a position in degrees, or None."""
    ra, dec = (headers.number(keyword) for keyword in keywords)
    return None if ra is None or dec is None or abs(dec) > 90 else (ra % 360, dec)


def corners_of(headers: Headers) -> Corners:
    """Return an exposure's outline: S_REGION's, or that of its WCS keywords, or nothing."""
    found = headers.value("S_REGION")
    if isinstance(found, str) and len(found) < LONGEST_REGION and "POLYGON" in found.upper():
        numbers = [float(word) for word in found.split() if _NUMBER.fullmatch(word)]
        corners = tuple(zip(numbers[::2], numbers[1::2], strict=False))
        if len(corners) >= 3 and all(abs(ra) <= 360 and abs(dec) <= 90 for ra, dec in corners):
            return corners
    return _by_keywords(headers)


def _by_keywords(headers: Headers) -> Corners:
    """Return the corners of the image by the tangent plane of its header."""
    try:
        sky = Sky.of(headers.science)
    except (ValueError, TypeError, OverflowError):
        return ()
    nx, ny = headers.number("SUBSIZE1"), headers.number("SUBSIZE2")
    if sky is None or not nx or not ny or sky.scale > 10:
        return ()
    x, y = (-0.5, nx - 0.5, nx - 0.5, -0.5), (-0.5, -0.5, ny - 0.5, ny - 0.5)
    ra, dec = sky.sky(x, y)
    return tuple((float(a), float(d)) for a, d in zip(ra, dec, strict=True))


def targets_of(exposures: Sequence[Exposure]) -> list[Target]:
    """Return the targets by number."""
    groups: dict[tuple[str, str], list[Exposure]] = defaultdict(list)
    for item in exposures:
        groups[item.number.zfill(4), item.target.lower()].append(item)
    return [_target(groups[key]) for key in sorted(groups)]


def _target(exposures: list[Exposure]) -> Target:
    aims = [item.aim for item in exposures if item.aim is not None]
    place = f"{sexagesimal(*aims[0])} ({aims[0][0]:.5f}, {aims[0][1]:+.5f})" if aims else ""
    ways: dict[tuple[str, str, str], list[Exposure]] = defaultdict(list)
    for item in exposures:
        ways[item.instrument, item.exp_type, item.optics].append(item)
    return Target(
        number=exposures[0].number,
        name=exposures[0].target,
        kind=exposures[0].target_type.lower(),
        place=place,
        exposures=exposures,
        observed=[_observed(ways[key]) for key in sorted(ways)],
    )


def _observed(exposures: Sequence[Exposure]) -> Observed:
    first = exposures[0]
    return Observed(
        instrument=first.instrument,
        exp_type=first.exp_type,
        optics=first.optics,
        detectors=joined(item.detector for item in exposures),
        subarrays=joined(item.subarray for item in exposures),
        exposures=len(exposures),
        nints=tuple(item.nints for item in exposures),
        ngroups=tuple(item.ngroups for item in exposures),
        seconds=exposure_time(exposures),
    )


def exposure_time(exposures: Sequence[Exposure]) -> float | None:
    """Return the exposure time; detectors that were read together count once.

    So do segments: each has the time of the whole exposure.
    """
    longest: dict[str, float] = {}
    for item in exposures:
        if item.seconds is not None:
            longest[item.pointing] = max(item.seconds, longest.get(item.pointing, 0.0))
    return math.fsum(longest.values()) if longest else None
