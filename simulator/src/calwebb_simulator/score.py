"""How well the truth was recovered: rates, cosmic rays, the catalog, the sky."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.science.dq import PixelDQ

Float64 = NDArray[np.float64]
FAINT = 1.0  # DN/s above the sky up to which a pixel counts as sky
BRIGHT_PULL = 50.0  # rate over error from which a pixel counts as bright
CHARGE_EDGES = (30.0, 60.0, 100.0, 150.0, 300.0, 1000.0, 10_000.0, np.inf)
SNR_EDGES = (5.0, 10.0, 20.0, 40.0, 100.0, 300.0, np.inf)
MATCH_PIXELS = 2.0
FALSE_PIXELS = 4.0
ISOLATED_PIXELS = 12.0
SIGMA = 1.4826  # standard deviation over median absolute deviation of a Gaussian


def score(truth: Path, results: Path) -> dict[str, Any]:
    """Compare products with the truth.

    Parameters
    ----------
    truth : Path
        Folder `truth` of a simulation.
    results : Path
        Any folder below which `*_rate.fits`, `*_cal.fits`, `*_cat.ecsv` and `*_i2d.fits` are
        looked for by name.

    Returns
    -------
    dict
        "rates", "cosmic_rays", "calibrated" and "catalogs", each empty if there is no product.

    Raises
    ------
    InputError
        If there is no truth, or nothing to compare with it.
    """
    summary = read_summary(truth)
    roots = {entry["root"]: entry for entry in summary["exposures"]}
    rates = {root: path for path, root in found(results, roots, "rate")}
    images = {root: path for path, root in found(results, roots, "cal")}
    catalogs = sorted(path for path in results.rglob("*_cat.ecsv"))
    if not (rates or images or catalogs):
        msg = f"{results}: no _rate, _cal or _cat product of the simulated exposures is below it"
        raise InputError(msg)
    return {
        "scenario": summary["scenario"],
        "seed": summary["seed"],
        "rates": {root: score_rate(truth, root, path) for root, path in rates.items()},
        "cosmic_rays": score_cosmic_rays(truth, rates),
        "calibrated": {root: score_image(truth, root, path) for root, path in images.items()},
        "catalogs": {path.name: score_catalog(truth, summary, path) for path in catalogs},
    }


def read_summary(truth: Path) -> dict[str, Any]:
    """Read truth.json.

    Raises
    ------
    InputError
        If it is missing or no truth.
    """
    path = truth / "truth.json"
    if not path.is_file():
        msg = f"{path}: does not exist; --truth is the folder `truth` that a simulation wrote"
        raise InputError(msg)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def found(results: Path, roots: Iterable[str], suffix: str) -> list[tuple[Path, str]]:
    """Return the products of a suffix that belong to exposures of the simulation."""
    known = set(roots)
    pairs = [
        (path, path.name.removesuffix(f"_{suffix}.fits"))
        for path in results.rglob(f"*_{suffix}.fits")
    ]
    return sorted((path, root) for path, root in pairs if root in known)


def read_truth(truth: Path, root: str) -> dict[str, Any]:
    """Read the truth of an exposure: arrays SCI and CAL, the hits, keywords."""
    with fits.open(truth / f"{root}_truth.fits") as hdus:
        return {
            "SCI": np.array(hdus["SCI"].data, dtype=float),
            "CAL": np.array(hdus["CAL"].data, dtype=float),
            "hits": np.array(hdus["COSMIC_RAYS"].data),
            "header": dict(hdus[0].header),
        }


def read_product(path: Path, shape: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """Read SCI, ERR and DQ of a product.

    Raises
    ------
    InputError
        If its shape is not that of the truth.
    """
    with fits.open(path) as hdus:
        arrays = {name: np.array(hdus[name].data) for name in ("SCI", "ERR", "DQ")}
    if arrays["SCI"].shape != shape:
        msg = f"{path}: SCI has shape {arrays['SCI'].shape}; the truth has {shape}"
        raise InputError(msg)
    return arrays


def score_rate(truth: Path, root: str, path: Path) -> dict[str, float]:
    """Compare a rate image with the noise-free rate.

    Returns
    -------
    dict
        sky_bias and sky_scatter in DN/s; sky_bias_error, its statistical error; chi2, mean
        squared pull of sky pixels, clipped at 5 sigma; bright_bias, median relative difference
        of bright pixels; unusable, the fraction of science pixels with DO_NOT_USE.
    """
    known = read_truth(truth, root)
    product = read_product(path, known["SCI"].shape)
    result = compare(product, known["SCI"], FAINT + known["header"]["SKYRATE"])
    science = known["SCI"] > 0
    unusable = (product["DQ"] & PixelDQ.DO_NOT_USE) != 0
    result["unusable"] = _mean(unusable[science])
    return result


def score_image(truth: Path, root: str, path: Path) -> dict[str, float]:
    """Compare a calibrated image with the noise-free one; the same figures in MJy/sr."""
    known = read_truth(truth, root)
    product = read_product(path, known["CAL"].shape)
    faint = (FAINT + known["header"]["SKYRATE"]) * known["header"]["PHOTMJSR"]
    return compare(product, known["CAL"], faint)


def compare(product: dict[str, NDArray[Any]], expected: Float64, faint: float) -> dict[str, float]:
    """Compare an image with what is expected, over pixels without any flag."""
    good = (product["DQ"] == 0) & np.isfinite(product["SCI"]) & (product["ERR"] > 0)
    good &= np.isfinite(expected) & (expected > 0)
    miss = product["SCI"] - expected
    sky = good & (expected < faint)
    pull = (miss / np.where(good, product["ERR"], 1.0))[sky]
    pull = pull[np.abs(pull) < 5]
    bright = good & (expected > BRIGHT_PULL * product["ERR"])
    return {
        "sky_bias": _median(miss[sky]),
        "sky_bias_error": 1.25 * _scatter(miss[sky]) / max(np.sqrt(np.count_nonzero(sky)), 1.0),
        "sky_scatter": _scatter(miss[sky]),
        "chi2": _mean(pull**2),
        "bright_bias": _median(miss[bright] / expected[bright]),
        "bright_pixels": int(np.count_nonzero(bright)),
    }


def score_cosmic_rays(truth: Path, rates: dict[str, Path]) -> list[dict[str, float]]:
    """Compare cosmic rays with the JUMP_DET flags of rate images.

    A track is counted where it left the most charge, if no other track went through that pixel
    and it came after the first group: earlier ones leave no jump.

    Returns
    -------
    list of dict
        For each interval of charge: from, to (electrons), hits, found (fraction).
    """
    charge, flagged = np.zeros(0), np.zeros(0, dtype=bool)
    for root, path in rates.items():
        known = read_truth(truth, root)
        product = read_product(path, known["SCI"].shape)
        hits = single_hits(known["hits"])
        dq = product["DQ"][hits["y"], hits["x"]]
        usable = (dq & (PixelDQ.DO_NOT_USE | PixelDQ.SATURATED)) == 0
        charge = np.append(charge, hits["charge"][usable])
        flagged = np.append(flagged, (dq[usable] & PixelDQ.JUMP_DET) != 0)
    rows = []
    for low, high in zip(CHARGE_EDGES[:-1], CHARGE_EDGES[1:], strict=True):
        chosen = (charge >= low) & (charge < high)
        rows.append(
            {
                "from": low,
                "to": float(high) if np.isfinite(high) else None,
                "hits": int(np.count_nonzero(chosen)),
                "found": _mean(flagged[chosen]),
            }
        )
    return rows if len(charge) else []


def single_hits(hits: NDArray[Any]) -> NDArray[Any]:
    """Return the brightest pixel of each track after the first group that no other track hit."""
    place = hits["y"].astype(np.int64) * 65536 + hits["x"]
    _, inverse, count = np.unique(place, return_inverse=True, return_counts=True)
    order = np.lexsort((-hits["charge"], hits["track"], hits["integration"]))
    track = np.stack([hits["integration"][order], hits["track"][order]])
    first = np.append(True, np.any(track[:, 1:] != track[:, :-1], axis=0))[: len(order)]
    brightest = order[first]
    return hits[brightest[(count[inverse[brightest]] == 1) & (hits["group"][brightest] > 0)]]


def score_catalog(truth: Path, summary: dict[str, Any], path: Path) -> dict[str, Any]:
    """Compare a source catalog with the scene.

    Returns
    -------
    dict
        sources, matched, false (further than some pixels from any true source);
        completeness by signal-to-noise ratio of stars that all exposures see;
        flux_ratio and flux_scatter of their total fluxes over the truth, ra_offset, dec_offset
        (median) and ra_rms, dec_rms (about the median, mas) for isolated stars with a
        signal-to-noise ratio above 20.
    """
    name, scale = filter_of(path, summary)
    catalog = Table.read(path, format="ascii.ecsv")
    scene = Table.read(truth / "scene.ecsv", format="ascii.ecsv")
    seen = scene[np.asarray(scene[f"exposures_{name}"]) > 0]
    ra, dec = positions(catalog)
    nearest, east, north = match(seen, ra, dec)
    distance = np.hypot(east, north)
    hit = distance < MATCH_PIXELS * scale
    far = match_distance(scene, ra, dec) > FALSE_PIXELS * scale
    snr = np.asarray(seen[f"snr_{name}"])
    complete = np.asarray(seen[f"exposures_{name}"]) == np.max(scene[f"exposures_{name}"])
    stars = (np.asarray(seen["type"]) == "star") & complete
    good = stars & hit & (snr > 20) & isolated(seen, ISOLATED_PIXELS * scale, name)
    flux = total_flux(catalog)[nearest[good]] / np.asarray(seen[f"flux_{name}"])[good]
    return {
        "filter": name,
        "sources": len(catalog),
        "matched": int(np.count_nonzero(hit)),
        "false": int(np.count_nonzero(far)),
        "completeness": completeness(snr[stars], hit[stars]),
        "measured": int(np.count_nonzero(good)),
        "flux_ratio": _median(flux),
        "flux_scatter": _scatter(flux),
        **offsets(east[good], north[good]),
    }


def filter_of(path: Path, summary: dict[str, Any]) -> tuple[str, float]:
    """Return the filter and pixel size that a catalog's name tells, or the only one there is."""
    known = {entry["filter"]: entry["pixel_scale"] for entry in summary["exposures"]}
    named = [
        name for name in known if name.lower() in path.name.lower().replace("-", "_").split("_")
    ]
    chosen = named or list(known)
    if len(chosen) != 1:
        msg = f"{path}: the name tells no filter of the simulation; expected one of {', '.join(known)}"
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
    return np.degrees(np.stack([east, north], axis=1)) * 3600


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
    """Tell which sources have no neighbour within `radius` arcsec of more than 3 % of their flux."""
    from scipy.spatial import cKDTree

    centre = float(np.median(scene["ra"])), float(np.median(scene["dec"]))
    place = tangent(np.asarray(scene["ra"]), np.asarray(scene["dec"]), centre)
    flux = np.asarray(scene[f"flux_{name}"])
    alone = np.ones(len(scene), dtype=bool)
    for first, second in cKDTree(place).query_pairs(radius, output_type="ndarray"):
        alone[first] &= flux[second] < 0.03 * flux[first]
        alone[second] &= flux[first] < 0.03 * flux[second]
    return alone


def completeness(snr: Float64, hit: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the fraction found in each interval of signal-to-noise ratio."""
    rows = []
    for low, high in zip(SNR_EDGES[:-1], SNR_EDGES[1:], strict=True):
        chosen = (snr >= low) & (snr < high)
        rows.append(
            {
                "from": low,
                "to": float(high) if np.isfinite(high) else None,
                "stars": int(np.count_nonzero(chosen)),
                "found": _mean(hit[chosen]),
            }
        )
    return rows


def offsets(east: Float64, north: Float64) -> dict[str, float]:
    """Return median offsets and the scatter about them in mas."""
    result = {}
    for name, values in (("ra", east * 1000), ("dec", north * 1000)):
        result[f"{name}_offset"] = _median(values)
        result[f"{name}_rms"] = _scatter(values)
    return result


def _median(values: NDArray[Any]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _scatter(values: NDArray[Any]) -> float:
    return SIGMA * _median(np.abs(values - _median(values)))
