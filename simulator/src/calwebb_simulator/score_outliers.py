"""How many cosmic rays outlier detection left in a mosaic, and what it took without one."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Image
from calwebb_core.framework.products import read_image
from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.score_exposures import MOSAIC, Known, Members
from calwebb_simulator.statistics import median

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
LEAST_CHARGE = 10.0  # electrons from which a pixel counts as hit
STANDS_OUT = 5.0  # errors
FAR_OUT = 8.0  # errors, at which no limit of the outlier detection is near
CORE = 50.0  # of the sky's noise, above which a pixel belongs to a bright source


def score_outliers(
    members: Members, calibrated: Mapping[str, Path], results: Path, name: str
) -> dict[str, Any]:
    """Count cosmic rays that outlier detection left, and pixels that it took without one.

    Returns
    -------
    dict
        harmful: pixels that cosmic rays hit and that stand out in `_cal` by more than 5 errors;
        found: the fraction of them that `_crf` flags; far, found_far: the same of those above 8
        errors; left: pixels that stand out in `_crf`;
        left_in_mosaic: pixels of the mosaic that they fall on; false: the fraction of good
        pixels without a hit that were flagged as outliers; core_pixels, false_in_cores: the same
        of the pixels of bright sources.
    """
    names = ("harmful", "found", "far", "found_far", "left", "good", "false", "core", "core_false")
    counts = dict.fromkeys(names, 0)
    touched = Touched(results, name)
    for root, path, known in members:
        image = read_image(path)
        if image.data.shape != known.image.shape or image.dq is None:
            continue
        hit, near = hit_pixels(known)
        flagged = (image.dq & np.uint32(PixelDQ.OUTLIER)) != 0
        unusable = (image.dq & np.uint32(PixelDQ.DO_NOT_USE)) != 0
        left = hit & ~unusable & (deviation(image, known) > STANDS_OUT)
        touched.add(image, left)
        if root in calibrated:
            off = np.where(hit, deviation(read_image(calibrated[root]), known), 0.0)
            for all_of, found, limit in (
                ("harmful", "found", STANDS_OUT),
                ("far", "found_far", FAR_OUT),
            ):
                counts[all_of] += int((off > limit).sum())
                counts[found] += int(((off > limit) & unusable).sum())
        clean = ~near & (flagged | ~unusable) & np.isfinite(known.image)
        core = clean & bright(image, known)
        for key, chosen in (
            ("left", left),
            ("good", clean),
            ("false", clean & flagged),
            ("core", core),
            ("core_false", core & flagged),
        ):
            counts[key] += int(chosen.sum())
    return {
        "harmful": counts["harmful"],
        "found": share(counts["found"], counts["harmful"]),
        "far": counts["far"],
        "found_far": share(counts["found_far"], counts["far"]),
        "left": counts["left"],
        "left_in_mosaic": touched.count,
        "false": counts["false"] / max(counts["good"], 1),
        "core_pixels": counts["core"],
        "false_in_cores": counts["core_false"] / max(counts["core"], 1),
    }


def share(part: int, whole: int) -> float:
    """Return a fraction; NaN of nothing."""
    return part / whole if whole else float("nan")


def hit_pixels(known: Known) -> tuple[Bool, Bool]:
    """Return where cosmic rays hit, and these pixels with the ones next to them."""
    hit = np.zeros(known.image.shape, dtype=bool)
    rows = known.hits[known.hits["charge"] > LEAST_CHARGE]
    hit[rows["y"], rows["x"]] = True
    padded = np.pad(hit, 1)
    ny, nx = known.image.shape
    near = np.zeros_like(hit)
    for dy in range(3):
        for dx in range(3):
            near |= padded[dy : dy + ny, dx : dx + nx]
    return hit, near


def deviation(image: Image, known: Known) -> Float64:
    """Return by how many errors pixels lie above the truth, sky levels apart; NaN counts as 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        off = (image.data - known.image).astype(float)
        level = median(off[np.isfinite(off)].ravel()[::7])
        found = (off - level) / image.err
    return np.where(np.isfinite(found), found, 0.0)


def bright(image: Image, known: Known) -> Bool:
    """Tell which pixels stand far above the noise of the sky."""
    noise = float(np.nanmedian(image.err))
    return np.asarray(known.image - known.header["SKY"] > CORE * noise)


def belongs(file: str, name: str) -> bool:
    """Tell whether a mosaic may be made of the exposures of an association id and a filter."""
    words = re.split(r"[-_]", file.lower())
    wanted = [word for word in name.lower().split() if word not in ("background", "open")]
    return all(word in words for word in wanted)


class Touched:
    """Counts the pixels of a mosaic that some pixels of exposures fall on."""

    def __init__(self, results: Path, name: str) -> None:
        paths = [path for path in sorted(results.rglob("*_i2d.fits")) if MOSAIC.match(path.name)]
        mine = [path for path in paths if belongs(path.name, name)]
        self.mosaics = [read_image(path) for path in mine]
        self.places: list[set[tuple[int, int]]] = [set() for _ in mine]

    def add(self, image: Image, chosen: Bool) -> None:
        """Note where the chosen pixels of an exposure fall."""
        y, x = np.nonzero(chosen)
        if image.wcs is None or not len(x):
            return
        ra, dec = image.wcs(x.astype(float), y.astype(float), with_bounding_box=False)
        for mosaic, places in zip(self.mosaics, self.places, strict=True):
            if mosaic.wcs is None:
                continue
            found = mosaic.wcs.invert(ra, dec, with_bounding_box=False)
            columns, rows = (np.rint(np.asarray(item)).astype(int) for item in found)
            ny, nx = mosaic.data.shape
            inside = (columns >= 0) & (rows >= 0) & (columns < nx) & (rows < ny)
            places.update(zip(rows[inside].tolist(), columns[inside].tolist(), strict=True))

    @property
    def count(self) -> int:
        """How many pixels there are, all mosaics together."""
        return sum(len(places) for places in self.places)
