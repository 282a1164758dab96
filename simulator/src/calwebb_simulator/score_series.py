"""The light curve of a time series from its rates, by a simple aperture sum."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_simulator.statistics import SIGMA

Float64 = NDArray[np.float64]
APERTURE = 8.0  # pixels
SKY = 14.0, 24.0  # inner and outer radius of the background's annulus
OUTLIER = 5.0  # sigma beyond which an integration does not count
PPM = 1e6


def score_series(truth: Path, cubes: dict[str, Path]) -> dict[str, dict[str, float]]:
    """Compare light curves with the truth, all segments of an exposure together.

    Parameters
    ----------
    truth : Path
        Folder of the truth.
    cubes : dict
        `_rateints` files by root.

    Returns
    -------
    dict
        For each time series of a star at the target: integrations, clipped (how many of them lie
        beyond 5 sigma and are left out), depth_true, depth, depth_error, pull, scatter_ppm of the
        residuals, expected_ppm as ERR has it.

    Raises
    ------
    InputError
        If a file's shape is not the truth's.
    """
    parts: dict[str, list[tuple[Float64, Float64, Float64]]] = {}
    depths: dict[str, float] = {}
    for root, path in sorted(cubes.items()):
        with fits.open(truth / f"{root}_truth.fits") as known, fits.open(path) as hdus:
            if "LIGHT_CURVE" not in known or not known[0].header["TSERIES"]:
                continue
            light = np.array(known["LIGHT_CURVE"].data["light"], dtype=float)
            target = np.array(known["TARGET"].data, dtype=float)
            exposure = _exposure(root)
            depths[exposure] = float(known[0].header["DEPTH"])
            cube = np.array(hdus["SCI"].data, dtype=float)
            if cube.shape != (len(light), *target.shape):
                wanted = (len(light), *target.shape)
                msg = f"{path}: SCI has shape {cube.shape}; the truth has {wanted}"
                raise InputError(msg)
            flux, error = aperture_sum(cube, np.array(hdus["ERR"].data, dtype=float), target)
            parts.setdefault(exposure, []).append((light, flux, error))
    curves = {
        name: [np.concatenate(item) for item in zip(*rows, strict=True)]
        for name, rows in parts.items()
    }
    return {
        name: fit_depth(curve[0], curve[1], curve[2], depths[name])
        for name, curve in curves.items()
    }


def _exposure(root: str) -> str:
    """Return a root without its segment."""
    return "_".join(part.split("-seg")[0] for part in root.split("_"))


def aperture_sum(cube: Float64, error: Float64, target: Float64) -> tuple[Float64, Float64]:
    """Return the target's flux and its error for each integration.

    Pixels that are NaN in an integration take their median over all integrations; those that
    are NaN in all count nothing.
    """
    y, x = np.unravel_index(np.argmax(target), target.shape)
    rows, columns = np.indices(target.shape)
    radius = np.hypot(rows - y, columns - x)
    inside, around = radius <= APERTURE, (radius > SKY[0]) & (radius <= SKY[1])
    star = cube[:, inside]
    never = np.all(np.isnan(star), axis=0)
    middle = np.zeros(star.shape[1])
    middle[~never] = np.nanmedian(star[:, ~never], axis=0)
    star = np.where(np.isnan(star), middle, star)
    sky = np.nanmedian(cube[:, around], axis=1)
    flux = star.sum(axis=1) - sky * np.count_nonzero(inside)
    return flux, np.sqrt(np.nansum(error[:, inside] ** 2, axis=1))


def fit_depth(light: Float64, flux: Float64, error: Float64, depth: float) -> dict[str, float]:
    """Fit flux = level (1 - depth x shape) with the true shape, all integrations alike.

    The depth is NaN where they do not tell it.
    """
    shape = (1 - light) / depth if depth > 0 else np.zeros_like(light)
    columns = np.stack([np.ones_like(light), shape], axis=1)
    # integrations that are all as deep in the transit do not tell its depth
    seen = depth > 0 and bool(np.ptp(shape) > 0)
    columns = columns if seen else columns[:, :1]
    good = np.ones(len(flux), dtype=bool)
    for _ in range(3):
        found = np.linalg.lstsq(columns[good], flux[good], rcond=None)[0]
        residual = flux - columns @ found
        width = SIGMA * np.median(np.abs(residual[good]))
        good = np.abs(residual) <= OUTLIER * max(width, 1e-9 * abs(found[0]))
    level, rest = found[0], residual[good]
    result = {
        "integrations": len(flux),
        "clipped": int(np.count_nonzero(~good)),
        "depth_true": depth,
        "depth": float("nan") if depth > 0 else 0.0,
        "depth_error": float("nan"),
        "pull": float("nan"),
        "scatter_ppm": float(PPM * rest.std() / level),
        "expected_ppm": float(PPM * np.median(error) / level),
    }
    if seen and np.count_nonzero(good) > 2 and np.ptp(shape[good]) > 0:
        covariance = np.linalg.inv(columns[good].T @ columns[good])
        sigma = np.sqrt(covariance[1, 1] * rest @ rest / (len(rest) - 2)) / level
        result["depth"] = float(-found[1] / level)
        result["depth_error"] = float(sigma)
        result["pull"] = float((result["depth"] - depth) / sigma) if sigma > 0 else float("nan")
    return result
