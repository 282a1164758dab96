"""Where an exposure looks: pointing keywords, a linear WCS, the footprint.

The target is put at the dither's place in the aperture that points; every detector's aperture
follows from the telescope's attitude. Footprints are the apertures' corners in the SIAF.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Self

import numpy as np

from calwebb_simulator.geometry import Attitude, aberration
from calwebb_simulator.plan import POSITION, VELOCITY
from calwebb_simulator.pointing import beside
from calwebb_simulator.programs.detectors import DETECTORS
from calwebb_simulator.programs.model import Offset
from calwebb_simulator.programs.schedule import Raw
from calwebb_simulator.siaf import Entry, Float64, aperture

MOTION: Final = (28.0, 11.0)  # arcsec per hour east and north, of moving targets
CORNERS: Final = range(1, 5)


def target_place(raw: Raw) -> tuple[float, float]:
    """Return where the target is at the middle of the exposure, degrees."""
    target = raw.observation.target
    if target.kind != "MOVING":
        return target.ra, target.dec
    since = (raw.start - raw.began).total_seconds() + raw.timing.duration / 2
    return beside(target.ra, target.dec, *(rate * since / 3600 for rate in MOTION))


@dataclass(frozen=True)
class Sight:
    """All that a pointing follows from; copies of a program share theirs.

    Attributes
    ----------
    siaf, aperture, point : str
        Instrument in the SIAF, the file's aperture, the one that the target is put in.
    offset : (float, float)
        Where the target is in it, arcsec.
    ra, dec : float
        Of the target or the tile, degrees.
    roll : float
        Position angle of V3 there, degrees.
    """

    siaf: str
    aperture: str
    point: str
    offset: Offset
    ra: float
    dec: float
    roll: float

    @classmethod
    def of(cls, raw: Raw) -> Self:
        """Return that of a file."""
        east, north = raw.observation.tiles[raw.tile - 1]
        off = raw.doing.off_target
        place = beside(*target_place(raw), east + off[0], north + off[1])
        siaf = DETECTORS[raw.detector].siaf
        roll = raw.observation.roll
        return cls(siaf, raw.aperture, pointed_with(raw), raw.offset, *place, roll)

    @property
    def attitude(self) -> Attitude:
        """The telescope's orientation."""
        entry = aperture(self.siaf, self.point)
        v2, v3 = telescope(entry, *(np.array([value]) for value in self.offset))
        return Attitude.at(float(v2[0]), float(v3[0]), self.ra, self.dec, self.roll)


def pointed_with(raw: Raw) -> str:
    """Return PPS_APER: the aperture that the target is put in."""
    prime = raw.doing.setups[0]
    return raw.doing.point or prime.aperture.format(DETECTORS[prime.detectors[0]].prefix)


def telescope(entry: Entry, x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Return V2, V3 in arcsec of places in an aperture's ideal frame in arcsec."""
    angle, parity = np.radians(entry["V3IdlYAngle"]), entry["VIdlParity"]
    v2 = entry["V2Ref"] + parity * x * np.cos(angle) + y * np.sin(angle)
    v3 = entry["V3Ref"] - parity * x * np.sin(angle) + y * np.cos(angle)
    return v2, v3


@cache
def corners(siaf: str, name: str) -> tuple[Float64, Float64]:
    """Return V2, V3 of an aperture's reference point and corners."""
    entry = aperture(siaf, name)
    sides = [np.array([entry[f"{axis}IdlVert{n}"] for n in CORNERS]) for axis in "XY"]
    v2, v3 = telescope(entry, *sides)
    return np.append(entry["V2Ref"], v2), np.append(entry["V3Ref"], v3)


@lru_cache(maxsize=10_000)
def pointing(sight: Sight) -> dict[str, Any]:
    """Return the pointing keywords of the SCI extension."""
    entry, orientation = aperture(sight.siaf, sight.aperture), sight.attitude
    v2, v3 = corners(sight.siaf, sight.aperture)
    ra, dec = orientation.sky(np.append(v2, 0.0), np.append(v3, 0.0))
    roll = orientation.roll(entry["V2Ref"], entry["V3Ref"])
    turned = (roll + entry["V3IdlYAngle"]) % 360
    outline = " ".join(f"{a:.9f} {d:.9f}" for a, d in zip(ra[1:5], dec[1:5], strict=True))
    return {
        "PA_APER": turned,
        "VA_SCALE": aberration(VELOCITY, float(ra[0]), float(dec[0]))[0],
        "RADESYS": "ICRS",
        "RA_V1": float(ra[5]),
        "DEC_V1": float(dec[5]),
        "PA_V3": orientation.roll(0.0, 0.0),
        **linear_wcs(entry, float(ra[0]), float(dec[0]), turned),
        "S_REGION": f"POLYGON ICRS  {outline}",
        "V2_REF": entry["V2Ref"],
        "V3_REF": entry["V3Ref"],
        "VPARITY": int(entry["VIdlParity"]),
        "V3I_YANG": entry["V3IdlYAngle"],
        "RA_REF": float(ra[0]),
        "DEC_REF": float(dec[0]),
        "ROLL_REF": roll,
        **{f"JWST_{axis}": value for axis, value in zip("XYZ", POSITION, strict=True)},
        **{f"JWST_D{axis}": value for axis, value in zip("XYZ", VELOCITY, strict=True)},
    }


def linear_wcs(entry: Entry, ra: float, dec: float, turned: float) -> dict[str, Any]:
    """Return a WCS about the reference point, of apertures whose pixels see the sky."""
    if "XSciScale" not in entry.values:
        return {}
    parity, angle = entry["VIdlParity"], np.radians(turned)
    matrix = (
        (parity * np.cos(angle), np.sin(angle)),
        (-parity * np.sin(angle), np.cos(angle)),
    )
    values: dict[str, Any] = {"WCSAXES": 2}
    for axis in (0, 1):
        values |= {
            f"CRPIX{axis + 1}": entry["XYZ"[axis] + "SciRef"],
            f"CRVAL{axis + 1}": (ra, dec)[axis],
            f"CTYPE{axis + 1}": ("RA---TAN", "DEC--TAN")[axis],
            f"CUNIT{axis + 1}": "deg",
            f"CDELT{axis + 1}": entry["XYZ"[axis] + "SciScale"] / 3600,
        }
        for other in (0, 1):
            values[f"PC{axis + 1}_{other + 1}"] = float(matrix[axis][other])
    return values
