"""The GROUP and INT_TIMES tables of raw counts."""

from typing import Any

import numpy as np
from astropy.time import TimeDelta

from calwebb_core.framework.models import Table
from calwebb_simulator.geometry import Placement
from calwebb_simulator.plan import POSITION, Planned

LIGHT_SPEED = 299_792.458
GROUP_DTYPE = np.dtype(
    [
        ("integration_number", "i2"),
        ("group_number", "i2"),
        ("end_day", "i2"),
        ("end_milliseconds", "i4"),
        ("end_submilliseconds", "i2"),
        ("group_end_time", "S26"),
        ("number_of_columns", "i2"),
        ("number_of_rows", "i2"),
        ("number_of_gaps", "i2"),
        ("completion_code_number", "i2"),
        ("completion_code_text", "S36"),
        ("bary_end_time", "f8"),
        ("helio_end_time", "f8"),
    ]
)
TIME_NAMES = ("int_start", "int_mid", "int_end")
INT_TIMES_DTYPE = np.dtype(
    [("integration_number", "i4")]
    + [(f"{name}_MJD_UTC", "f8") for name in TIME_NAMES]
    + [(f"{name}_BJD_TDB", "f8") for name in TIME_NAMES]
)
EPOCH_2000 = 51544.0  # MJD that end_day counts from


def light_delay(placement: Placement) -> float:
    """Return the light time in s from the observatory to the barycentre along the line of sight.

    Positive when the observatory is nearer to the source: the wave reaches it first.
    """
    ra, dec, _ = placement.reference
    ra, dec = np.radians(ra), np.radians(dec)
    direction = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    return float(direction @ np.array(POSITION)) / LIGHT_SPEED


def raw_tables(entry: Planned) -> dict[str, Table]:
    """Return the GROUP and INT_TIMES tables of a file: of its integrations only.

    Integrations are numbered from the start of the exposure, not of the segment.
    """
    timing, delay = entry.timing, light_delay(entry.commanded) / 86400
    integrations = np.array(entry.segment.integrations)
    begin = timing.starts()[integrations]
    times = np.zeros(len(integrations), dtype=INT_TIMES_DTYPE)
    times["integration_number"] = integrations + 1
    for name, after in zip(TIME_NAMES, (0.0, 0.5, 1.0), strict=True):
        moments = entry.start + TimeDelta(begin + after * timing.integration_time, format="sec")
        times[f"{name}_MJD_UTC"] = moments.mjd
        times[f"{name}_BJD_TDB"] = moments.tdb.mjd + delay
    groups = np.zeros(len(integrations) * timing.groups, dtype=GROUP_DTYPE)
    groups["integration_number"] = np.repeat(integrations + 1, timing.groups)
    groups["group_number"] = np.tile(np.arange(1, timing.groups + 1), len(integrations))
    ends = np.array([max(timing.reads(group)) for group in range(timing.groups)])
    seconds = (begin[:, None] + ends * timing.frame_time).reshape(-1)
    _fill_groups(groups, entry, seconds, delay)
    return {"GROUP": Table(groups), "INT_TIMES": Table(times)}


def _fill_groups(rows: Any, entry: Planned, seconds: Any, delay: float) -> None:
    ends = entry.start + TimeDelta(seconds, format="sec")
    day = np.floor(ends.mjd)
    milliseconds = (ends.mjd - day) * 86_400_000
    rows["end_day"] = day - EPOCH_2000
    rows["end_milliseconds"] = np.floor(milliseconds)
    rows["end_submilliseconds"] = np.floor((milliseconds % 1) * 1000)
    rows["group_end_time"] = ends.isot.astype("S26")
    rows["number_of_columns"], rows["number_of_rows"] = entry.frame.nx, entry.frame.ny
    rows["completion_code_text"] = b"COMPLETE"
    rows["bary_end_time"] = rows["helio_end_time"] = ends.tdb.mjd + delay
