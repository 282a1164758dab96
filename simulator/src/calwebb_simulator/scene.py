"""The true sky: a catalog of stars and galaxies.

A catalog is an ECSV table with the columns

id, type ("star" or "sersic"), ra, dec (degrees),
flux_<FILTER> (uJy) and abmag_<FILTER> for every filter,
re (arcsec, half-light semi-major axis), n (Sersic index), q (axis ratio), pa (degrees, major
axis, north through east); the last four are NaN for stars.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table, vstack
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_simulator.instruments import Filter
from calwebb_simulator.random import stream
from calwebb_simulator.transit import TARGET_ID

Float64 = NDArray[np.float64]
SHAPE = ("re", "n", "q", "pa")
AB_ZERO = 23.9  # AB magnitude of 1 uJy
UNITS = {"ra": "deg", "dec": "deg", "re": "arcsec", "pa": "deg"}


@dataclass(frozen=True)
class StarField:
    """Stars to be drawn: some in a cluster, the others all over the field.

    Attributes
    ----------
    count : int
    brightest, faintest : float
        Range of AB magnitudes.
    slope : float
        Their numbers grow as 10**(slope * magnitude).
    clustered : float
        Fraction that belongs to the cluster.
    core : float
        Half-number radius of the cluster in arcsec (a Plummer profile).
    """

    count: int = 100
    brightest: float = 18.0
    faintest: float = 25.0
    slope: float = 0.25
    clustered: float = 0.0
    core: float = 10.0


@dataclass(frozen=True)
class GalaxyField:
    """Galaxies to be drawn all over the field; magnitudes as for stars, sizes in arcsec."""

    count: int = 30
    brightest: float = 19.0
    faintest: float = 24.5
    slope: float = 0.3
    smallest: float = 0.08
    largest: float = 1.0


def generate(
    stars: StarField,
    galaxies: GalaxyField,
    filters: Sequence[Filter],
    centre: tuple[float, float],
    radius: float,
    seed: int,
) -> Table:
    """Draw a catalog.

    Parameters
    ----------
    stars, galaxies : StarField, GalaxyField
    filters : sequence of Filter
        Magnitudes are drawn for the first; the others follow from a colour.
    centre : (float, float)
        RA and Dec in degrees.
    radius : float
        Half the side of the square field in arcsec.
    seed : int

    Returns
    -------
    Table
        Brightest first.
    """
    parts = [
        _draw_stars(stars, radius, stream(seed, "stars")),
        _draw_galaxies(galaxies, radius, stream(seed, "galaxies")),
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(joined["magnitude"], kind="stable")
    values = {name: column[order] for name, column in joined.items()}
    table = Table({"id": np.arange(1, len(order) + 1), "type": values["type"]})
    table["ra"], table["dec"] = offset(*centre, values["east"], values["north"])
    for optics in filters:
        redder = np.log(optics.pivot / filters[0].pivot)
        flux = 10 ** ((AB_ZERO - values["magnitude"]) / 2.5) * np.exp(values["colour"] * redder)
        table[f"flux_{optics.name}"] = flux
        table[f"abmag_{optics.name}"] = AB_ZERO - 2.5 * np.log10(flux)
    for name in SHAPE:
        table[name] = values[name]
    return with_units(table)


def with_target(
    table: Table, magnitude: float, filters: Sequence[Filter], place: tuple[float, float]
) -> Table:
    """Return a catalog with a star at the target's place before the others.

    Raises
    ------
    InputError
        If the target's number is taken.
    """
    if np.any(table["id"] == TARGET_ID):
        msg = f"the catalog has a source with id {TARGET_ID}, which is the target's"
        raise InputError(msg)
    row: dict[str, Any] = {"id": TARGET_ID, "type": "star", "ra": place[0], "dec": place[1]}
    for optics in filters:
        row[f"flux_{optics.name}"] = 10 ** ((AB_ZERO - magnitude) / 2.5)
        row[f"abmag_{optics.name}"] = magnitude
    row |= dict.fromkeys(SHAPE, np.nan)
    first = Table({name: [row[name]] for name in table.colnames if name in row})
    return with_units(vstack([first, table], join_type="outer"))


def with_units(table: Table) -> Table:
    """Attach the units of the columns."""
    for name in table.colnames:
        unit = "uJy" if name.startswith("flux_") else UNITS.get(name)
        if unit:
            table[name].unit = unit
    return table


def offset(ra: float, dec: float, east: Float64, north: Float64) -> tuple[Float64, Float64]:
    """Return positions on the sky of tangent-plane offsets in arcsec."""
    x, y = np.radians(np.asarray(east) / 3600), np.radians(np.asarray(north) / 3600)
    dec0 = np.radians(dec)
    down = np.cos(dec0) - y * np.sin(dec0)
    right = np.degrees(np.arctan2(x, down))
    up = np.degrees(np.arctan2(np.sin(dec0) + y * np.cos(dec0), np.hypot(x, down)))
    return (ra + right) % 360, up


def _magnitudes(field: StarField | GalaxyField, rng: np.random.Generator) -> Float64:
    low, high = (10 ** (field.slope * edge) for edge in (field.brightest, field.faintest))
    if field.slope == 0:
        return rng.uniform(field.brightest, field.faintest, field.count)
    return np.log10(rng.uniform(low, high, field.count)) / field.slope


def _draw_stars(
    field: StarField, radius: float, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    n = field.count
    magnitude = _magnitudes(field, rng)
    east, north = rng.uniform(-radius, radius, (2, n))
    inside = rng.random(n) < field.clustered
    share = rng.uniform(0.0, 0.9, n)
    distance = field.core * np.sqrt(share / (1 - share))
    angle = rng.uniform(0, 2 * np.pi, n)
    east = np.where(inside, distance * np.cos(angle), east)
    north = np.where(inside, distance * np.sin(angle), north)
    nothing = np.full(n, np.nan)
    return {
        "type": np.full(n, "star"),
        "magnitude": magnitude,
        "colour": rng.normal(-1.5, 0.5, n),
        "east": east,
        "north": north,
        **dict.fromkeys(SHAPE, nothing),
    }


def _draw_galaxies(
    field: GalaxyField, radius: float, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    n = field.count
    sizes = float(np.log(field.smallest)), float(np.log(field.largest))
    return {
        "type": np.full(n, "sersic"),
        "magnitude": _magnitudes(field, rng),
        "colour": rng.normal(0.5, 0.7, n),
        "east": rng.uniform(-radius, radius, n),
        "north": rng.uniform(-radius, radius, n),
        "re": np.exp(rng.uniform(sizes[0], sizes[1], n)),
        "n": rng.choice([1.0, 1.5, 2.5, 4.0], n, p=[0.5, 0.2, 0.15, 0.15]),
        "q": rng.uniform(0.25, 1.0, n),
        "pa": rng.uniform(0.0, 180.0, n),
    }


def read_catalog(path: Path, filters: Sequence[Filter]) -> Table:
    """Read a catalog and check it.

    Raises
    ------
    InputError
        If the file is missing or no ECSV table, or lacks a column.
    """
    try:
        table = Table.read(path, format="ascii.ecsv")
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read as an ECSV catalog: {' '.join(str(error).split())}"
        raise InputError(msg) from error
    for optics in filters:
        _complete_flux(path, table, optics.name)
    needed = ["id", "type", "ra", "dec"]
    if "sersic" in set(table["type"]):
        needed += SHAPE
    missing = [name for name in needed if name not in table.colnames]
    if missing:
        msg = f"{path}: the catalog lacks the columns {', '.join(missing)}"
        raise InputError(msg)
    for name in SHAPE:
        if name not in table.colnames:
            table[name] = np.full(len(table), np.nan)
    return with_units(table)


def _complete_flux(path: Path, table: Table, name: str) -> None:
    flux, magnitude = f"flux_{name}", f"abmag_{name}"
    if flux not in table.colnames and magnitude not in table.colnames:
        msg = f"{path}: the catalog has neither {flux} (uJy) nor {magnitude}"
        raise InputError(msg)
    if flux not in table.colnames:
        table[flux] = 10 ** ((AB_ZERO - np.asarray(table[magnitude])) / 2.5)
    elif magnitude not in table.colnames:
        table[magnitude] = AB_ZERO - 2.5 * np.log10(np.asarray(table[flux]))
