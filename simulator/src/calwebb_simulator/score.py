"""How well the truth was recovered: rates, cosmic rays, the catalog, the sky."""

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.score_catalog import score_catalog
from calwebb_simulator.score_jumps import score_jumps
from calwebb_simulator.score_mosaic import score_mosaic
from calwebb_simulator.score_series import score_series
from calwebb_simulator.score_spectra import score_spectra
from calwebb_simulator.statistics import mean, median, scatter

Float64 = NDArray[np.float64]
FAINT = 1.0  # DN/s above the sky up to which a pixel counts as sky
BRIGHT_PULL = 50.0  # rate over error from which a pixel counts as bright
RAMPS = ("ramp", "jump")  # the last one wins where both are there
NAMES = ("rates", "cosmic_rays", "jumps", "light_curves", "calibrated", "mosaics", "catalogs")
EMPTY: dict[str, Any] = {name: {} for name in (*NAMES, "spectra")}
CHARGE_EDGES = (30.0, 60.0, 100.0, 150.0, 300.0, 1000.0, 10_000.0, np.inf)


def score(truth: Path, results: Path) -> dict[str, Any]:
    """Compare products with the truth.

    Parameters
    ----------
    truth : Path
        Folder `truth` of a simulation.
    results : Path
        Any folder below which `*_rate.fits`, `*_cal.fits`, `*_cat.ecsv`, `*_i2d.fits`,
        `*_rateints.fits`, `*_crf.fits` and `*_jump.fits` (or `*_ramp.fits`) are looked for by
        name.

    Returns
    -------
    dict
        "rates", "cosmic_rays", "jumps", "light_curves", "calibrated", "mosaics", "catalogs" and
        "spectra", each empty if there is no product.

    Raises
    ------
    InputError
        If there is no truth, or nothing to compare with it.
    """
    summary = read_summary(truth)
    roots = {entry["root"]: entry for entry in summary["exposures"]}
    if summary.get("spectra"):
        names = {"scenario": summary["scenario"], "seed": summary["seed"]}
        return names | EMPTY | score_spectra(truth, results, roots)
    rates = {root: path for path, root in found(results, roots, "rate")}
    images = {root: path for path, root in found(results, roots, "cal")}
    catalogs = sorted(results.rglob("*_cat.ecsv"))
    cubes = {root: path for path, root in found(results, roots, "rateints")}
    ramps = {root: path for suffix in RAMPS for path, root in found(results, roots, suffix)}
    if not any((rates, images, catalogs, cubes, ramps, any(results.rglob("*_crf.fits")))):
        msg = (
            f"{results}: no _rate, _rateints, _jump, _ramp, _cal, _crf or _cat product of the "
            "simulated exposures is below it"
        )
        raise InputError(msg)
    return {
        "scenario": summary["scenario"],
        "seed": summary["seed"],
        "rates": {root: score_rate(truth, root, path) for root, path in rates.items()},
        "cosmic_rays": score_cosmic_rays(truth, rates),
        "jumps": score_jumps(truth, ramps),
        "light_curves": score_series(truth, cubes),
        "calibrated": {
            root: score_image(truth, root, path, backgrounds(truth, summary, root))
            for root, path in images.items()
        },
        "mosaics": score_mosaic(truth, results, roots),
        "catalogs": {path.name: score_catalog(truth, summary, path) for path in catalogs},
        "spectra": {},
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
    result["unusable"] = mean(unusable[science])
    return result


def score_image(
    truth: Path, root: str, path: Path, others: list[Path] | None = None
) -> dict[str, float]:
    """Compare a calibrated image with the noise-free one; the same figures in MJy/sr.

    `others` are the truths of background exposures, whose sky is missing where bkg_subtract ran.
    """
    known = read_truth(truth, root)
    product = read_product(path, known["CAL"].shape)
    expected = known["CAL"]
    faint = (FAINT + known["header"]["SKYRATE"]) * known["header"]["PHOTMJSR"]
    seen = np.isfinite(expected) & (expected > 0)
    if others and fits.getval(path, "S_BKDSUB", 0, default="") == "COMPLETE":
        level = np.mean([surroundings(item) for item in others], axis=0)
        expected, faint = expected - level, faint - float(np.mean(level))
    return compare(product, expected, faint, seen)


def backgrounds(truth: Path, summary: dict[str, Any], root: str) -> list[Path]:
    """Return the truths of the background exposures that fit an exposure."""
    keys = ("detector", "filter", "subarray")
    entries = {entry["root"]: entry for entry in summary["exposures"]}
    return [
        truth / f"{name}_truth.fits"
        for name, entry in entries.items()
        if entry.get("background") and all(entry[key] == entries[root][key] for key in keys)
    ]


def surroundings(path: Path) -> Float64:
    """Return the sky of an exposure in MJy/sr: (ny, nx), or a single value in (1, 1)."""
    with fits.open(path) as hdus:
        if "SURROUNDINGS" in hdus:
            return np.array(hdus["SURROUNDINGS"].data, dtype=float)
        return np.full((1, 1), float(hdus[0].header["SKY"]))


def compare(
    product: dict[str, NDArray[Any]],
    expected: Float64,
    faint: float,
    seen: NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    """Compare an image with what is expected, over pixels without any flag that see light."""
    if seen is None:
        seen = np.isfinite(expected) & (expected > 0)
    good = seen & (product["DQ"] == 0) & np.isfinite(product["SCI"]) & (product["ERR"] > 0)
    miss = product["SCI"] - expected
    sky = good & (expected < faint)
    pull = (miss / np.where(good, product["ERR"], 1.0))[sky]
    pull = pull[np.abs(pull) < 5]
    bright = good & (expected > BRIGHT_PULL * product["ERR"])
    return {
        "sky_bias": median(miss[sky]),
        "sky_bias_error": 1.25 * scatter(miss[sky]) / max(np.sqrt(np.count_nonzero(sky)), 1.0),
        "sky_scatter": scatter(miss[sky]),
        "chi2": mean(pull**2),
        "bright_bias": median(miss[bright] / expected[bright]),
        "bright_pixels": int(np.count_nonzero(bright)),
    }


def score_cosmic_rays(truth: Path, rates: dict[str, Path]) -> list[dict[str, Any]]:
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
    rows: list[dict[str, Any]] = []
    for low, high in pairwise(CHARGE_EDGES):
        chosen = (charge >= low) & (charge < high)
        rows.append(
            {
                "from": low,
                "to": float(high) if np.isfinite(high) else None,
                "hits": int(np.count_nonzero(chosen)),
                "found": mean(flagged[chosen]),
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
    chosen = brightest[(count[inverse[brightest]] == 1) & (hits["group"][brightest] > 0)]
    return np.asarray(hits[chosen])
