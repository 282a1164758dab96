"""Moving targets: what the headers and the MOVING_TARGET_POSITION table of an exposure say."""

from typing import Any

import numpy as np
from astropy.time import TimeDelta

from calwebb_core.framework.models import Table
from calwebb_simulator.plan import Planned

INTERVAL = 60.0  # s between rows of the table, about
NUMBERS = (
    "ref_pixel_RA",
    "ref_pixel_Dec",
    "mt_apparent_RA",
    "mt_apparent_Dec",
    *(f"mt_apparent_{axis}_helio" for axis in "xyz"),
    *(f"jwst_{axis}_helio" for axis in "xyz"),
    *(f"mt_apparent_{axis}_jwst" for axis in "xyz"),
    "mt_apparent_jwst_distance",
    "mt_apparent_sun_distance",
    "apparent_phase_angle",
    "apparent_light_travel_time",
    *(f"mt_true_{axis}_helio" for axis in "xyz"),
    *(f"mt_true_{axis}_jwst" for axis in "xyz"),
    "mt_v2",
    "mt_v3",
)
DTYPE = np.dtype(
    [("time", "S23"), ("mt_sci_x", "f4"), ("mt_sci_y", "f4")] + [(name, "f8") for name in NUMBERS]
)


def moving_keywords(entry: Planned) -> dict[str, Any]:
    """Return where a moving target is in the middle of an exposure; nothing for a fixed one."""
    if not any(entry.motion):
        return {}
    return {"MT_RA": entry.aim.ra, "MT_DEC": entry.aim.dec}


def moving_table(entry: Planned) -> dict[str, Table]:
    """Return the MOVING_TARGET_POSITION table of a moving target.

    What depends on the target's distance, which the simulator does not know, is NaN.
    """
    if not any(entry.motion):
        return {}
    length = entry.timing.duration
    seconds = np.linspace(0.0, length, max(int(length / INTERVAL), 1) + 1)
    rows = np.zeros(len(seconds), dtype=DTYPE)
    for name in NUMBERS:
        rows[name] = np.nan
    for row, after in zip(rows, seconds, strict=True):
        since = after - length / 2
        aim = entry.aim.moved(entry.motion[0] * since, entry.motion[1] * since)
        row["time"] = (entry.start + TimeDelta(after, format="sec")).isot[:23].encode()
        row["mt_apparent_RA"], row["mt_apparent_Dec"] = aim.ra, aim.dec
        row["mt_v2"], row["mt_v3"] = aim.v2, aim.v3
        row["ref_pixel_RA"], row["ref_pixel_Dec"] = aim.attitude.sky(
            entry.frame.aperture["V2Ref"], entry.frame.aperture["V3Ref"]
        )
    x, y = entry.commanded.pixel(entry.aim.ra, entry.aim.dec)
    rows["mt_sci_x"], rows["mt_sci_y"] = x + 1, y + 1
    return {"MOVING_TARGET_POSITION": Table(rows)}
