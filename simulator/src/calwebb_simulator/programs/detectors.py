"""Detectors of all instruments, their subarrays' places, and how fast they are read."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from calwebb_simulator.programs.model import Readout
from calwebb_simulator.siaf import Entry, aperture


@dataclass(frozen=True)
class Detector:
    """A detector.

    Attributes
    ----------
    instrument, siaf : str
        INSTRUME, and the instrument's name in the SIAF.
    prefix : str
        How its apertures' names begin.
    sca : int
        SCA_NUM.
    fast, slow : int
        FASTAXIS and SLOWAXIS.
    columns, rows : int
        Of the whole detector.
    module, channel : str
        MODULE and CHANNEL of NIRCam.
    """

    instrument: str
    siaf: str
    prefix: str
    sca: int
    fast: int
    slow: int
    columns: int = 2048
    rows: int = 2048
    module: str = ""
    channel: str = ""


def _nircam() -> dict[str, Detector]:
    found = {}
    for number in range(10):
        module, place = "AB"[number // 5], number % 5 + 1
        long = place == 5
        sign = -1 if (place % 2 == 1) == (module == "A") else 1
        found[f"NRC{module}{'LONG' if long else place}"] = Detector(
            "NIRCAM",
            "NIRCam",
            f"NRC{module}{place}",
            481 + number,
            sign,
            -2 * sign,
            module=module,
            channel="LONG" if long else "SHORT",
        )
    return found


DETECTORS: Final = {
    **_nircam(),
    "MIRIMAGE": Detector("MIRI", "MIRI", "MIRIM", 493, 1, 2, 1032, 1024),
    "MIRIFULONG": Detector("MIRI", "MIRI", "MIRIFU", 494, 1, 2, 1032, 1024),
    "MIRIFUSHORT": Detector("MIRI", "MIRI", "MIRIFU", 495, 1, 2, 1032, 1024),
    "NIS": Detector("NIRISS", "NIRISS", "NIS", 496, -2, -1),
    "NRS1": Detector("NIRSPEC", "NIRSpec", "NRS1", 491, 2, 1),
    "NRS2": Detector("NIRSPEC", "NIRSpec", "NRS2", 492, -2, -1),
    "GUIDER1": Detector("FGS", "FGS", "FGS1", 497, -2, -1),
    "GUIDER2": Detector("FGS", "FGS", "FGS2", 498, 2, -1),
}
FULL_APERTURES: Final = {"MIRIM": "MIRIM_FULL", "NIS": "NIS_CEN"}

# First column and row, columns and rows of subarrays that are not as large as their aperture in
# the SIAF, or not in it. Those of NRS2 begin two rows later.
WINDOWS: Final = {
    "SUBSTRIP256": (1, 1793, 2048, 256),
    "ALLSLITS": (1, 897, 2048, 256),
    "SUBS200A1": (1, 1054, 2048, 64),
    "SUBS200A2": (1, 1018, 2048, 64),
    "SUB2048": (1, 959, 2048, 32),
    "SUB512": (1025, 957, 512, 32),
}

# Frames averaged in a group, and frames dropped between groups; 1 and 0 where it is not named.
PATTERNS: Final = {
    "BRIGHT1": (1, 1),
    "SHALLOW4": (4, 1),
    "NIS": (4, 0),
    "NRSIRS2": (5, 0),
    "FGS60": (1, 5),
}
# Frame times in s that follow from no simple formula.
IRS2_FRAME: Final = 14.58889
FULL_FRAME: Final = 10.73677
MIRI_FRAMES: Final = {
    "FULL": 2.77504,
    "SLITLESSPRISM": 0.15904,
    "MASK1140": 0.23968,
    "MASKLYOT": 0.32400,
}
STRIPES: Final = frozenset({"SUBGRISM256"})  # read through all four outputs


@cache
def window(detector: str, aperture_name: str, subarray: str) -> tuple[int, int, int, int]:
    """Return first column and row (1-based), columns and rows of what is read."""
    known = DETECTORS[detector]
    if subarray == "FULL":
        return 1, 1, known.columns, known.rows
    if subarray in WINDOWS:
        x, y, columns, rows = WINDOWS[subarray]
        return x, y + 2 * (detector == "NRS2"), columns, rows
    # An acquisition's aperture is a part of MIRI's subarray; the subarray has one of its own.
    miri = known.instrument == "MIRI"
    part = aperture(known.siaf, f"MIRIM_{subarray}" if miri else aperture_name)
    full = whole(detector)
    right, up = full.detector_to_science(part["XDetRef"], part["YDetRef"])
    corner = round(right - part["XSciRef"]) + 1, round(up - part["YSciRef"]) + 1
    return *corner, round(part["XSciSize"]), round(part["YSciSize"])


@cache
def whole(detector: str) -> Entry:
    """Return the aperture of a whole detector."""
    known = DETECTORS[detector]
    return aperture(known.siaf, FULL_APERTURES.get(known.prefix, f"{known.prefix}_FULL"))


@dataclass(frozen=True)
class Timing:
    """How long an exposure takes, in s.

    Attributes
    ----------
    frames, gap : int
        NFRAMES and GROUPGAP.
    frame, group, integration, exposure, duration : float
        TFRAME, TGROUP, EFFINTTM, EFFEXPTM, DURATION.
    """

    frames: int
    gap: int
    frame: float
    group: float
    integration: float
    exposure: float
    duration: float


def outputs(detector: str, subarray: str, readout: Readout) -> int:
    """Return NOUTPUTS."""
    if "IRS2" in readout.pattern:
        return 5
    whole_frame = subarray == "FULL" or subarray in STRIPES
    return 4 if whole_frame or DETECTORS[detector].instrument == "MIRI" else 1


@cache
def timing(detector: str, aperture_name: str, subarray: str, readout: Readout) -> Timing:
    """Return the times of an exposure."""
    frames, gap = PATTERNS.get(readout.pattern, (1, 0))
    frame = _frame_time(detector, aperture_name, subarray, readout)
    group = (frames + gap) * frame
    integration = (readout.groups - 1) * group + frames * frame
    resets = (readout.integrations - 1) * frame
    return Timing(
        frames,
        gap,
        frame,
        round(group, 6),
        round(integration, 6),
        round(integration * readout.integrations, 3),
        round(integration * readout.integrations + resets, 3),
    )


def _frame_time(detector: str, aperture_name: str, subarray: str, readout: Readout) -> float:
    if DETECTORS[detector].instrument == "MIRI":
        return MIRI_FRAMES[subarray]
    if "IRS2" in readout.pattern:
        return IRS2_FRAME
    if subarray == "FULL":
        return FULL_FRAME
    _, _, columns, rows = window(detector, aperture_name, subarray)
    if abs(DETECTORS[detector].fast) == 2:
        columns, rows = rows, columns
    line = columns // outputs(detector, subarray, readout) + 12
    return round(line * (rows + 2) * 1e-5, 6)
