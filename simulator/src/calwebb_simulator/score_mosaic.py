"""How well exposures were made ready for a mosaic: their places, sky levels, cosmic rays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.models import Image
from calwebb_core.framework.products import read_image
from calwebb_simulator.score_catalog import tangent
from calwebb_simulator.score_exposures import (
    Known,
    Members,
    calibrated_files,
    clean_exposures,
    read_known,
)
from calwebb_simulator.score_outliers import score_outliers
from calwebb_simulator.statistics import median

FAINT_PERCENT = 60.0  # of an exposure's pixels count as sky
ARCSEC_PER_RADIAN = 180 / np.pi * 3600


def score_mosaic(truth: Path, results: Path, roots: Mapping[str, Any]) -> dict[str, Any]:
    """Compare the exposures behind mosaics with the truth.

    Parameters
    ----------
    truth, results : Path
    roots : mapping
        The exposures of the simulation by the root of their files.

    Returns
    -------
    dict
        By association id and filter: "pointing" (see `score_pointing`), "sky" (`score_sky`)
        and "outliers" (`score_outliers`); empty if there is no `_crf`.
    """
    figures: dict[str, Any] = {}
    for name, members in sorted(clean_exposures(results, roots).items()):
        pairs = [(root, path, read_known(truth, root)) for root, path in members]
        calibrated = calibrated_files(truth, results)
        figures[name] = {
            "pointing": score_pointing(pairs),
            "sky": score_sky(pairs, calibrated),
            "outliers": score_outliers(pairs, calibrated, results, name),
        }
    return figures


def score_pointing(members: Members) -> dict[str, Any]:
    """Compare where exposures are put on the sky with where the telescope really pointed.

    Returns
    -------
    dict
        exposures: by root, the offset of the WCS from the truth (east, north, mas), its turn
        (roll, arcsec), both as `injected` by the simulator and `left` in the product; east_mean,
        north_mean: offset of all together, mas; east_rms, north_rms: about that mean;
        worst, the greatest distance from it; roll_worst, arcsec.
    """
    average = np.mean([(k.header["MT_RA"], k.header["MT_DEC"]) for _, _, k in members], axis=0)
    rows, left = {}, []
    for root, path, known in members:
        with_wcs = read_image(path)
        if with_wcs.wcs is None:
            continue
        shift = (0.0, 0.0)
        if with_wcs.metadata.get("S_MTWCS") == "COMPLETE":
            shift = tuple(average - (known.header["MT_RA"], known.header["MT_DEC"]))
        east, north, roll = miss(with_wcs, known.places, shift)
        left.append((east, north, roll))
        rows[root] = {
            "injected": [known.header[f"ERR_{axis}"] for axis in ("EAST", "NORT", "ROLL")],
            "left": [east, north, roll],
        }
    if not left:
        return {}
    table = np.array(left)
    centre = table[:, :2].mean(axis=0)
    about = table[:, :2] - centre
    rms = np.sqrt(np.mean(about**2, axis=0))
    return {
        "east_mean": float(centre[0]),
        "north_mean": float(centre[1]),
        "east_rms": float(rms[0]),
        "north_rms": float(rms[1]),
        "worst": float(np.hypot(*about.T).max()),
        "roll_worst": float(np.abs(table[:, 2] - table[:, 2].mean()).max()),
        "exposures": rows,
    }


def miss(
    image: Image, places: NDArray[Any], shift: tuple[float, ...]
) -> tuple[float, float, float]:
    """Return the mean offset (mas east, north) and the turn (arcsec) of a WCS from true places."""
    ra, dec = image.wcs(places["x"], places["y"], with_bounding_box=False)
    true_ra, true_dec = places["ra"] + shift[0], places["dec"] + shift[1]
    centre = float(np.mean(true_ra)), float(np.mean(true_dec))
    true = tangent(true_ra, true_dec, centre)
    seen = tangent(np.asarray(ra), np.asarray(dec), centre)
    off = seen - true
    arm = true - true.mean(axis=0)
    # position angles run from north to east
    turn = np.sum(arm[:, 1] * off[:, 0] - arm[:, 0] * off[:, 1]) / np.sum(arm**2)
    east, north = off.mean(axis=0) * 1000
    return float(east), float(north), float(turn * ARCSEC_PER_RADIAN)


def score_sky(members: Members, calibrated: Mapping[str, Path]) -> dict[str, Any]:
    """Compare the differences between sky levels (BKGLEVEL) with those of the truth.

    Ramps without reference pixels keep drifts of the electronics, which an image cannot tell
    from sky: levels are compared with those of the sky and with those that images really have.

    Returns
    -------
    dict
        exposures: by root, [true level, that of the calibrated image, BKGLEVEL], MJy/sr; scatter
        and worst of the differences between BKGLEVEL and the image's level about the mean one;
        sky_scatter, that of the differences from the sky's; spread of the sky's levels. Empty
        without BKGLEVEL.
    """
    rows = {}
    for root, path, known in members:
        level = sky_keyword(path, "BKGLEVEL")
        if level is not None:
            true = float(known.header["SKY"])
            drift = drift_of(calibrated[root], known) if root in calibrated else 0.0
            rows[root] = [true, true + drift, float(level)]
    if not rows:
        return {}
    table = np.array(list(rows.values()))
    error, whole = (table[:, 2] - table[:, k] for k in (1, 0))
    error, whole = error - error.mean(), whole - whole.mean()
    return {
        "scatter": float(np.sqrt(np.mean(error**2))),
        "worst": float(np.abs(error).max()),
        "sky_scatter": float(np.sqrt(np.mean(whole**2))),
        "spread": float(np.ptp(table[:, 0])),
        "exposures": rows,
    }


def drift_of(path: Path, known: Known) -> float:
    """Return by how much the faint pixels of a calibrated image lie above the truth, MJy/sr."""
    image = read_image(path)
    faint = known.image < np.nanpercentile(known.image, FAINT_PERCENT)
    if image.dq is not None:
        faint &= image.dq == 0
    return median((image.data - known.image)[faint & np.isfinite(image.data)])


def sky_keyword(path: Path, keyword: str) -> Any:
    """Return a keyword of the SCI or the primary header, None without it."""
    with fits.open(path) as hdus:
        for header in (hdus["SCI"].header, hdus[0].header):
            if keyword in header:
                return header[keyword]
    return None
