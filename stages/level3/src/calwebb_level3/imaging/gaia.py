"""Stars of the Gaia mission at the epoch of an observation, from an archive over the network.

The archive is asked once by the Table Access Protocol for the stars in a cone; proper motions
take them from the epoch of the catalog to that of the exposures.
"""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.science.footprint import footprint, separation, unit_vectors

if TYPE_CHECKING:
    from astropy.table import Table

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]

ATTEMPTS = 2
# More than this the archive doesn't give at once; the brightest are taken.
MOST_STARS = 10_000
MAS = np.deg2rad(1.0 / 3.6e6)
# What is assumed of a star whose motion isn't known, mas per year along each axis.
UNKNOWN_MOTION = 10.0
COLUMNS = (
    "source_id",
    "ra",
    "dec",
    "ra_error",
    "dec_error",
    "pmra",
    "pmdec",
    "pmra_error",
    "pmdec_error",
    "phot_g_mean_mag",
)


@dataclass(frozen=True)
class Release:
    """A Gaia catalog.

    Attributes
    ----------
    table : str
        Its name in the archive.
    epoch : float
        Julian year of its positions.
    moving : bool
        Whether only stars of known proper motion count.
    """

    table: str
    epoch: float
    moving: bool = False


RELEASES = {
    "GAIAREFCAT": Release("gaiadr3.gaia_source", 2016.0, moving=True),
    "GAIADR3": Release("gaiadr3.gaia_source", 2016.0),
    "GAIADR2": Release("gaiadr2.gaia_source", 2015.5),
    "GAIADR1": Release("gaiadr1.gaia_source", 2015.0),
}


@dataclass(frozen=True)
class Cone:
    """A circle on the sky, degrees."""

    ra: float
    dec: float
    radius: float


def cone_of(exposures: Sequence[Exposure], margin: float) -> Cone:
    """Return the cone around all footprints.

    Parameters
    ----------
    exposures : sequence of Exposure
    margin : float
        Added to the radius, arcsec.
    """
    corners = np.concatenate([footprint(e.wcs, e.shape) for e in exposures])
    vectors = unit_vectors(corners[:, 0], corners[:, 1])
    x, y, z = middle = vectors.mean(axis=0)
    radius = float(np.max(separation(middle, vectors))) + margin / 3600.0
    ra, dec = np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
    return Cone(float(ra), float(dec), radius)


def epoch_of(exposures: Sequence[Exposure]) -> float:
    """Return the mean time of exposures as a Julian year.

    Raises
    ------
    InputError
        If no keyword tells it.
    """
    days = []
    for exposure in exposures:
        values = [exposure.metadata.get(key) for key in ("EXPMID", "EXPSTART", "EXPEND")]
        known = [float(value) for value in values if isinstance(value, int | float)]
        if not known:
            msg = (
                f"{exposure.name}: EXPMID, EXPSTART and EXPEND are missing; one is needed to move "
                "the stars of Gaia to the time of the exposure"
            )
            raise InputError(msg)
        days.append(known[0])
    return 2000.0 + (float(np.mean(days)) - 51544.5) / 365.25


def query_gaia(
    name: str, cone: Cone, epoch: float, *, service: str, timeout: float = 30.0
) -> "Table":
    """Return the stars of a Gaia catalog in a cone, at an epoch.

    Parameters
    ----------
    name : str
        Of `RELEASES`.
    cone : Cone
    epoch : float
        Julian year.
    service : str
        Address of the archive.
    timeout : float
        Seconds to wait for an answer; there is one second attempt.

    Returns
    -------
    astropy.table.Table
        RA, DEC (degrees), weight (inverse variance of the position, 1/arcsec**2), mag, source_id;
        brightest first.

    Raises
    ------
    InputError
        If the archive can't be reached or refuses.
    """
    from astropy.table import Table

    release = RELEASES[name]
    rows = ask(adql(release, cone), name, service, timeout)
    columns = {key: np.ma.filled(np.ma.asarray(rows[key]), np.nan) for key in COLUMNS[1:]}
    vectors, variance = moved({k: np.asarray(v, float) for k, v in columns.items()}, release, epoch)
    x, y, z = vectors.T
    table = Table(
        {
            "RA": np.degrees(np.arctan2(y, x)) % 360.0,
            "DEC": np.degrees(np.arctan2(z, np.hypot(x, y))),
            "weight": 1e6 / variance,
            "mag": np.asarray(columns["phot_g_mean_mag"], float),
            "source_id": np.asarray(rows["source_id"], np.int64),
        }
    )
    table.meta.update(catalog=name, epoch=round(epoch, 6), service=service)
    good = np.isfinite(table["RA"]) & np.isfinite(table["weight"])
    logger.info("tweakreg: %d stars of %s at epoch %.3f", np.sum(good), name, epoch)
    return table[good]


def adql(release: Release, cone: Cone) -> str:
    """Return the question to the archive."""
    condition = (
        f"1 = CONTAINS(POINT('ICRS', ra, dec), "
        f"CIRCLE('ICRS', {cone.ra:.9f}, {cone.dec:.9f}, {cone.radius:.9f}))"
    )
    if release.moving:
        condition += " AND pmra IS NOT NULL"
    parts = {
        "SELECT": f"TOP {MOST_STARS} {', '.join(COLUMNS)}",
        "FROM": release.table,
        "WHERE": condition,
        "ORDER BY": "phot_g_mean_mag, source_id",
    }
    return " ".join(f"{word} {what}" for word, what in parts.items())


def moved(columns: dict[str, Float64], release: Release, epoch: float) -> tuple[Float64, Float64]:
    """Return where stars are at an epoch, and how well that is known.

    Parameters
    ----------
    columns : dict of float64, (n,)
        ra, dec (degrees), ra_error, dec_error (mas), pmra (with the cosine), pmdec and their
        errors (mas per year), NaN where unknown.
    release : Release
    epoch : float
        Julian year.

    Returns
    -------
    float64, (n, 3)
        Unit vectors.
    float64, (n,)
        Sum of the variances along both axes, mas**2.
    """
    years = epoch - release.epoch
    lon, lat = np.deg2rad(columns["ra"]), np.deg2rad(columns["dec"])
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=1)
    motion = [np.nan_to_num(columns[key])[:, np.newaxis] for key in ("pmra", "pmdec")]
    vectors = unit_vectors(columns["ra"], columns["dec"])
    vectors = vectors + years * MAS * (motion[0] * east + motion[1] * north)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    errors = [
        np.where(np.isnan(columns[key]), UNKNOWN_MOTION, columns[key])
        for key in ("pmra_error", "pmdec_error")
    ]
    variance = columns["ra_error"] ** 2 + columns["dec_error"] ** 2
    return vectors, variance + years**2 * (errors[0] ** 2 + errors[1] ** 2)


def ask(question: str, name: str, service: str, timeout: float) -> "Table":
    """Ask the archive, a second time if it doesn't answer.

    Raises
    ------
    InputError
        If it can't be reached or refuses.
    """
    pyvo, requests = network_libraries(name)
    reason = ""
    for attempt in range(ATTEMPTS):
        try:
            with requests.Session() as session, warnings.catch_warnings():
                # That there are more stars than were asked for is no fault.
                warnings.simplefilter("ignore")
                session.request = limited(session.request, timeout)
                archive = pyvo.dal.TAPService(service, session=session)
                return archive.search(question, maxrec=MOST_STARS).to_table()
        except pyvo.dal.DALQueryError as error:
            reason = f"{service} refused the query: {brief(error)}"
            break
        except (pyvo.dal.DALAccessError, requests.RequestException, ValueError) as error:
            reason = complaint(error, requests, service, timeout)
            logger.info("tweakreg: attempt %d: %s", attempt + 1, reason)
    msg = (
        f"abs_refcat is {name}, but {reason}; give a file instead, such as one that "
        "tweakreg.save_abs_catalog wrote where there is a network, or leave abs_refcat empty"
    )
    raise InputError(msg)


def network_libraries(name: str) -> tuple[Any, Any]:
    """Return pyvo and requests.

    Raises
    ------
    InputError
        If they are not installed.
    """
    try:
        import pyvo
        import requests
    except ImportError as error:
        msg = (
            f"abs_refcat is {name}, but {error.name} isn't installed, which asks the archive; "
            "install it (pip install pyvo) or give a file instead"
        )
        raise InputError(msg) from error
    return pyvo, requests


def limited(request: Any, timeout: float) -> Any:
    """Return a session's request that gives up after a time."""

    def send(*args: Any, **options: Any) -> Any:
        return request(*args, **{"timeout": timeout, **options})

    return send


def complaint(error: Exception, requests: Any, service: str, timeout: float) -> str:
    """Return why an archive gave no answer."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, requests.Timeout):
        return f"{service} gives no answer in {timeout:g} s"
    if isinstance(cause, requests.ConnectionError):
        return f"there is no connection to {service}"
    return f"{service} doesn't answer: {brief(error)}"


def brief(error: Exception) -> str:
    """Return an error in one short line."""
    return f"{' '.join(str(error).split()):.120}"
