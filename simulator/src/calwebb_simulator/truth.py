"""The truth of an exposure: what it was made from, for tests and scores."""

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path
from calwebb_simulator.cosmic_rays import Hits
from calwebb_simulator.events import EventRows
from calwebb_simulator.header_tables import raw_tables
from calwebb_simulator.light import Light, sky_electrons, throughput_of
from calwebb_simulator.photometry import photmjsr
from calwebb_simulator.plan import Planned
from calwebb_simulator.ramp import Exposed, Variable
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.surroundings import sky_level, sky_map

Float32 = NDArray[np.float32]
GRID = 5  # pixels along each axis whose place is written
PLACES_DTYPE = np.dtype([("x", "f8"), ("y", "f8"), ("ra", "f8"), ("dec", "f8")])
UNITS = {
    "SCI": "DN/s",
    "CAL": "MJy/sr",
    "SURROUNDINGS": "MJy/sr",
    "TARGET": "DN/s",
    "TRAPS_BEFORE": "DN",
    "TRAPS_AFTER": "DN",
    "PERSISTENCE": "DN",
}
LIGHT_CURVE_DTYPE = np.dtype(
    [("integration", "i4"), ("mjd_utc", "f8"), ("bjd_tdb", "f8"), ("light", "f8")]
)


def write_truth(
    path: Path,
    scenario: Scenario,
    entry: Planned,
    light: Light,
    hits: Hits,
    gain: Float32,
    exposed: Exposed | None = None,
) -> None:
    """Write the truth of an exposure.

    SCI is the noise-free rate in DN/s with the pixels' sensitivity in it and without dark
    current, where there are ramps; CAL the noise-free image in MJy/sr; COSMIC_RAYS has a row
    for every pixel of every track: integration (of the file) and group (from 0; the first group
    that holds it), frame (from 1), track, x, y (from 0), charge in electrons. With a star at the
    target there are
    TARGET, its rate in DN/s outside a transit, in the units of SCI, and LIGHT_CURVE: relative
    light at the middle of every integration. LARGE_EVENTS has a row for every snowball and
    shower (see `event_hdu`). PLACES says where some pixels really are on the sky; SURROUNDINGS
    is the sky in MJy/sr where it is not the same everywhere. With persistence there are
    TRAPS_BEFORE and TRAPS_AFTER, DN in the traps of each family at the start and the end, and
    PERSISTENCE, the DN that joined every integration until its last read.
    """
    header = fits.Header()
    for keyword, value in _truth_keywords(scenario, entry).items():
        header[keyword] = value
    hdus = fits.HDUList([fits.PrimaryHDU(header=header)])
    if exposed is not None:
        hdus.append(fits.ImageHDU(light.rate, name="SCI"))
    hdus.append(fits.ImageHDU(light.surface, name="CAL"))
    hdus.append(fits.BinTableHDU(hits, name="COSMIC_RAYS"))
    if not entry.instrument.spectral:
        hdus.append(fits.BinTableHDU(true_places(entry), name="PLACES"))
        surroundings = sky_map(scenario, entry)
        if surroundings.size > 1:
            hdus.append(fits.ImageHDU(surroundings.astype(np.float32), name="SURROUNDINGS"))
    if light.variable is not None:
        hdus.append(fits.ImageHDU((light.variable.rate / gain).astype(np.float32), name="TARGET"))
        hdus.append(fits.BinTableHDU(light_curve(entry, light.variable), name="LIGHT_CURVE"))
    if exposed is not None:
        hdus.extend(ramp_hdus(exposed))
    for hdu in hdus[1:]:
        if hdu.name in UNITS:
            hdu.header["BUNIT"] = UNITS[hdu.name]
    with atomic_path(path) as temporary:
        hdus.writeto(temporary, overwrite=True)


def ramp_hdus(exposed: Exposed) -> list[Any]:
    """Return what happened in the ramps besides cosmic rays: large events, charge traps."""
    hdus: list[Any] = []
    if exposed.events is not None and len(exposed.events):
        hdus.append(event_hdu(exposed.events))
    if exposed.traps is not None:
        hdus.append(fits.ImageHDU(exposed.traps.before, name="TRAPS_BEFORE"))
        hdus.append(fits.ImageHDU(exposed.traps.after, name="TRAPS_AFTER"))
        hdus.append(fits.ImageHDU(np.array(exposed.traps.released), name="PERSISTENCE"))
    return hdus


def true_places(entry: Planned) -> NDArray[Any]:
    """Return right ascension and declination (degrees) of a grid of pixels (0-based x, y)."""
    ny, nx = entry.frame.shape
    x, y = np.meshgrid(np.linspace(0, nx - 1, GRID), np.linspace(0, ny - 1, GRID))
    rows = np.zeros(GRID * GRID, dtype=PLACES_DTYPE)
    rows["x"], rows["y"] = x.ravel(), y.ravel()
    rows["ra"], rows["dec"] = entry.placement.sky(rows["x"], rows["y"])
    return rows


def event_hdu(events: EventRows) -> fits.BinTableHDU:
    """Return the table of large events.

    kind; integration (of the file) and group (from 0; the first group that holds it), frame
    (from 1); x, y (from 0); core, radius in pixels within which a snowball saturates; ring and
    halo, radii (of a shower, semi-major axes) at which 100 and 10 electrons a pixel are left of
    a snowball, or a half and a tenth of a shower's peak; ratio and angle (degrees from x) of a
    shower's axes; charge, electrons just outside the core or at the peak; glow, electrons per
    second that pixels of the core or the peak go on giving at first, and its lifetime in s.
    """
    return fits.BinTableHDU(events, name="LARGE_EVENTS")


def light_curve(entry: Planned, variable: Variable) -> NDArray[Any]:
    """Return the relative light of a file's integrations, which are numbered from 1."""
    times = raw_tables(entry)["INT_TIMES"].data
    rows = np.zeros(len(times), dtype=LIGHT_CURVE_DTYPE)
    rows["integration"] = times["integration_number"]
    rows["mjd_utc"] = times["int_mid_MJD_UTC"]
    rows["bjd_tdb"] = times["int_mid_BJD_TDB"]
    rows["light"] = variable.light
    return rows


def _truth_keywords(scenario: Scenario, entry: Planned) -> dict[str, Any]:
    frame, timing = entry.frame, entry.timing
    return {
        "ROOT": entry.root,
        "SCENARIO": scenario.name,
        "SEED": scenario.seed,
        "INSTRUME": scenario.instrument,
        "DETECTOR": frame.detector.name,
        "FILTER": entry.optics.name,
        "SUBARRAY": frame.subarray,
        "NINTS": timing.integrations,
        "INTSTART": entry.segment.first + 1,
        "INTEND": entry.segment.first + entry.segment.count,
        "TSERIES": entry.group.time_series,
        "DEPTH": scenario.scene.target.depth if scenario.scene.target else 0.0,
        "NGROUPS": timing.groups,
        "NFRAMES": timing.pattern.frames,
        "GAIN": frame.detector.gain,
        "TGROUP": timing.group_time,
        "SKY": sky_level(scenario, entry),
        "SKYRATE": sky_electrons(scenario, entry) / frame.detector.gain,
        "PHOTMJSR": photmjsr(entry.optics, frame.detector, frame.distortion) / throughput_of(entry),
        "BKGDTARG": entry.group.background,
        "VISIT": entry.name.visit,
        "ERR_EAST": entry.error.east,
        "ERR_NORT": entry.error.north,
        "ERR_ROLL": entry.error.roll,
        "MOVE_E": entry.motion[0],
        "MOVE_N": entry.motion[1],
        "MT_RA": entry.aim.ra,
        "MT_DEC": entry.aim.dec,
    }
