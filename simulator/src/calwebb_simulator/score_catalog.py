"""How well a source catalog tells the true sky: completeness, fluxes, positions."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_simulator.statistics import mean, median, scatter
from calwebb_simulator.transit import TARGET_ID

Float64 = NDArray[np.float64]
SNR_EDGES = (5.0, 10.0, 20.0, 40.0, 100.0, 300.0, 1000.0, np.inf)
MATCH_PIXELS = 2.0
FALSE_PIXELS = 4.0
ISOLATED_PIXELS = 12.0
# Light of a star's neighbours at its place over its own peak, the wings of a PSF falling with
# the third power of the distance in pixels.
CROWDED = 2e-3
ENOUGH = 3.0  # exposures
BRIGHT = 100.0  # signal-to-noise ratio


def score_catalog(truth: Path, summary: dict[str, Any], path: Path) -> dict[str, Any]:
    """Compare a source catalog with the scene.

    Returns
    -------
    dict
        sources, matched, false (further than some pixels from any true source); false_deep and
        sources_deep: the same where at least three exposures made the mosaic;
        completeness by signal-to-noise ratio of stars that enough exposures see and that no
        neighbour outshines, and of all of them (completeness_crowded);
        flux_ratio and flux_scatter of their total fluxes over the truth, ra_offset, dec_offset
        (median) and ra_rms, dec_rms (about the median, mas) for isolated stars with a
        signal-to-noise ratio above 20; bright: the same of those above 100 that fill no pixel;
        false_by_snr: sources in intervals of their own flux over its error, and how many of
        them are false. Of a moving target, see `score_moving`.
    """
    name, scale = filter_of(path, summary)
    catalog = Table.read(path, format="ascii.ecsv")
    if len(catalog) == 0:
        return {"filter": name, "sources": 0}
    scene = Table.read(truth / "scene.ecsv", format="ascii.ecsv")
    seen = scene[np.asarray(scene[f"exposures_{name}"]) > 0]
    ra, dec = positions(catalog)
    if any(entry.get("moving") for entry in summary["exposures"]):
        return {"filter": name, "sources": len(catalog), **score_moving(catalog, truth, summary)}
    if len(seen) == 0:
        return {"filter": name, "sources": len(catalog), "false": len(catalog)}
    nearest, east, north = match(seen, ra, dec)
    distance = np.hypot(east, north)
    hit = distance < MATCH_PIXELS * scale
    far = match_distance(scene, ra, dec) > FALSE_PIXELS * scale
    deep = seen_by(path, catalog) >= enough_exposures(scene, name)
    snr = np.asarray(seen[f"snr_{name}"])
    complete = np.asarray(seen[f"exposures_{name}"]) >= enough_exposures(scene, name)
    stars = (np.asarray(seen["type"]) == "star") & complete
    flux = total_flux(catalog)[nearest] / np.asarray(seen[f"flux_{name}"])
    alone = isolated(seen, ISOLATED_PIXELS * scale, name) & ~crowded(scene, seen, scale, name)
    good = stars & hit & (snr > 20) & alone & np.isfinite(flux)
    bright = good & (snr > BRIGHT)
    if f"saturates_{name}" in seen.colnames:
        bright &= ~np.asarray(seen[f"saturates_{name}"])
    return {
        "filter": name,
        "sources": len(catalog),
        "matched": int(np.count_nonzero(hit)),
        "false": int(np.count_nonzero(far)),
        "false_deep": int(np.count_nonzero(far & deep)),
        "sources_deep": int(np.count_nonzero(deep)),
        "false_by_snr": false_by_snr(catalog, far),
        "completeness": completeness(snr[stars & alone], hit[stars & alone]),
        "completeness_crowded": completeness(snr[stars], hit[stars]),
        "measured": int(np.count_nonzero(good)),
        **measured(flux[good], east[good], north[good]),
        "bright": {
            "stars": int(np.count_nonzero(bright)),
            **measured(flux[bright], east[bright], north[bright]),
        },
    }


def measured(flux: Float64, east: Float64, north: Float64) -> dict[str, float]:
    """Return how well some stars were measured: relative fluxes, offsets in arcsec."""
    return {
        "flux_ratio": median(flux),
        "flux_scatter": scatter(flux),
        **offsets(east, north),
    }


def enough_exposures(scene: Table, name: str) -> float:
    """Return how many exposures must see a star that counts: three, or all if there are fewer.

    Fewer cannot outvote a cosmic ray.
    """
    return min(float(np.max(scene[f"exposures_{name}"])), ENOUGH)


def seen_by(path: Path, catalog: Table) -> NDArray[np.int64]:
    """Return how many exposures made the pixel of each source, from CON of the mosaic beside it.

    Enough of them where there is no such mosaic.
    """
    from astropy.io import fits

    mosaic = path.with_name(path.name.replace("_cat.ecsv", "_i2d.fits"))
    result = np.full(len(catalog), int(ENOUGH))
    if not mosaic.is_file():
        return result
    with fits.open(mosaic) as hdus:
        planes = np.array(hdus["CON"].data, dtype=np.int32).view(np.uint32)
    ny, nx = planes.shape[1:]
    x = np.clip(np.rint(np.asarray(catalog["xcentroid"])).astype(int), 0, nx - 1)
    y = np.clip(np.rint(np.asarray(catalog["ycentroid"])).astype(int), 0, ny - 1)
    return np.asarray(np.bitwise_count(planes[:, y, x]).sum(axis=0), dtype=np.int64)


def false_by_snr(catalog: Table, far: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return how many sources are false by the signal-to-noise ratio that the catalog claims."""
    if "isophotal_flux_err" not in catalog.colnames:
        return []
    error = np.asarray(catalog["isophotal_flux_err"], dtype=float)
    snr = np.asarray(catalog["isophotal_flux"], dtype=float) / np.where(error > 0, error, np.nan)
    rows = []
    for low, high in pairwise((0.0, *SNR_EDGES)):
        chosen = (snr >= low) & (snr < high)
        rows.append(
            {
                "from": low,
                "to": float(high) if np.isfinite(high) else None,
                "sources": int(np.count_nonzero(chosen)),
                "false": int(np.count_nonzero(chosen & far)),
            }
        )
    return rows


def score_moving(catalog: Table, truth: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """Compare the moving target in a catalog with the truth.

    Returns
    -------
    dict
        east, north: its offset in mas from the mean of where it was; flux_ratio.
    """
    from astropy.io import fits

    places = [
        fits.getheader(truth / f"{entry['root']}_truth.fits")
        for entry in summary["exposures"]
        if entry.get("moving")
    ]
    centre = [float(np.mean([header[key] for header in places])) for key in ("MT_RA", "MT_DEC")]
    found = tangent(*positions(catalog), (centre[0], centre[1]))
    nearest = int(np.argmin(np.hypot(*found.T)))
    scene = Table.read(truth / "scene.ecsv", format="ascii.ecsv")
    name = places[0]["FILTER"]
    star = scene[np.asarray(scene["id"]) == TARGET_ID]
    ratio = float(total_flux(catalog)[nearest] / star[f"flux_{name}"][0]) if len(star) else np.nan
    east, north = (float(value * 1000) for value in found[nearest])
    return {"target": {"east": east, "north": north, "flux_ratio": ratio}}


def filter_of(path: Path, summary: dict[str, Any]) -> tuple[str, float]:
    """Return the filter and pixel size that a catalog's name tells, or the only one there is."""
    known = {entry["filter"]: entry["pixel_scale"] for entry in summary["exposures"]}
    words = path.name.lower().replace("-", "_").split("_")
    named = [name for name in known if name.lower() in words]
    chosen = named or list(known)
    if len(chosen) != 1:
        names = ", ".join(known)
        msg = f"{path}: the name tells no filter of the simulation; expected one of {names}"
        raise InputError(msg)
    return chosen[0], known[chosen[0]]


def positions(catalog: Table) -> tuple[Float64, Float64]:
    """Return right ascension and declination of a catalog's sources in degrees."""
    if "sky_centroid" in catalog.colnames:
        sky = catalog["sky_centroid"]
        return np.asarray(sky.ra.deg), np.asarray(sky.dec.deg)
    return np.asarray(catalog["sky_centroid.ra"]), np.asarray(catalog["sky_centroid.dec"])


def total_flux(catalog: Table) -> Float64:
    """Return the aperture-corrected total fluxes in uJy (catalogs are in Jy)."""
    return np.asarray(catalog["aper_total_flux"], dtype=float) * 1e6


def tangent(ra: Float64, dec: Float64, centre: tuple[float, float]) -> Float64:
    """Return tangent-plane offsets east and north in arcsec: (n, 2)."""
    lon, lat = np.radians(np.asarray(ra) - centre[0]), np.radians(np.asarray(dec))
    lat0 = np.radians(centre[1])
    down = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon)
    east = np.cos(lat) * np.sin(lon) / down
    north = (np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(lon)) / down
    return np.asarray(np.degrees(np.stack([east, north], axis=1)) * 3600)


def match(scene: Table, ra: Float64, dec: Float64) -> tuple[NDArray[np.int64], Float64, Float64]:
    """Return for every true source the nearest found one and its offsets in arcsec."""
    from scipy.spatial import cKDTree

    centre = float(np.median(scene["ra"])), float(np.median(scene["dec"]))
    true = tangent(np.asarray(scene["ra"]), np.asarray(scene["dec"]), centre)
    seen = tangent(ra, dec, centre)
    index = cKDTree(seen).query(true)[1]
    east, north = (seen[index] - true).T
    return index, east, north


def match_distance(scene: Table, ra: Float64, dec: Float64) -> Float64:
    """Return for every found source the distance to the nearest true one in arcsec."""
    from scipy.spatial import cKDTree

    centre = float(np.median(scene["ra"])), float(np.median(scene["dec"]))
    true = tangent(np.asarray(scene["ra"]), np.asarray(scene["dec"]), centre)
    return np.asarray(cKDTree(true).query(tangent(ra, dec, centre))[0])


def isolated(scene: Table, radius: float, name: str) -> NDArray[np.bool_]:
    """Tell which sources have no neighbour of more than 3 % of their flux near them."""
    from scipy.spatial import cKDTree

    centre = float(np.median(scene["ra"])), float(np.median(scene["dec"]))
    place = tangent(np.asarray(scene["ra"]), np.asarray(scene["dec"]), centre)
    flux = np.asarray(scene[f"flux_{name}"])
    alone = np.ones(len(scene), dtype=bool)
    for first, second in cKDTree(place).query_pairs(radius, output_type="ndarray"):
        alone[first] &= flux[second] < 0.03 * flux[first]
        alone[second] &= flux[first] < 0.03 * flux[second]
    return alone


def crowded(scene: Table, seen: Table, scale: float, name: str) -> NDArray[np.bool_]:
    """Tell which sources lie in the light of others, wings of distant bright stars included."""
    centre = float(np.median(seen["ra"])), float(np.median(seen["dec"]))
    place = tangent(np.asarray(seen["ra"]), np.asarray(seen["dec"]), centre) / scale
    sources = tangent(np.asarray(scene["ra"]), np.asarray(scene["dec"]), centre) / scale
    light = np.asarray(scene[f"flux_{name}"])
    result = np.zeros(len(seen), dtype=bool)
    for row, (x, y) in enumerate(place):
        distance = np.hypot(sources[:, 0] - x, sources[:, 1] - y)
        others = distance > 1e-6
        foreign = np.sum(light[others] / np.maximum(distance[others], 1.0) ** 3)
        result[row] = foreign > CROWDED * seen[f"flux_{name}"][row]
    return result


def completeness(snr: Float64, hit: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the fraction found in each interval of signal-to-noise ratio."""
    rows = []
    for low, high in pairwise(SNR_EDGES):
        chosen = (snr >= low) & (snr < high)
        rows.append(
            {
                "from": low,
                "to": float(high) if np.isfinite(high) else None,
                "stars": int(np.count_nonzero(chosen)),
                "found": mean(hit[chosen]),
            }
        )
    return rows


def offsets(east: Float64, north: Float64) -> dict[str, float]:
    """Return median offsets and the scatter about them in mas."""
    result = {}
    for name, values in (("ra", east * 1000), ("dec", north * 1000)):
        result[f"{name}_offset"] = median(values)
        result[f"{name}_rms"] = scatter(values)
    return result
