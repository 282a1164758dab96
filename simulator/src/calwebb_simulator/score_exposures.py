"""The exposures behind a mosaic: which products belong to which truth."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError

Float64 = NDArray[np.float64]
MOSAIC = re.compile(r"jw\d{5}-.*_i2d\.fits")


@dataclass(frozen=True)
class Known:
    """The truth of an exposure: keywords, noise-free image in MJy/sr, hits, places of pixels."""

    header: dict[str, Any]
    image: Float64
    hits: NDArray[Any]
    places: NDArray[Any]


Members = list[tuple[str, Path, Known]]


def clean_exposures(
    results: Path, roots: Mapping[str, dict[str, Any]]
) -> dict[str, list[tuple[str, Path]]]:
    """Return the `_crf` files of the simulation's exposures, those of a mosaic together.

    They share the association's id and the filter, which make the name; backgrounds are apart.
    """
    found: dict[str, list[tuple[str, Path]]] = {}
    for path in sorted(results.rglob("*_crf.fits")):
        stem = path.name.removesuffix("_crf.fits")
        for root, entry in roots.items():
            if stem == root or stem.startswith(f"{root}_"):
                words = [stem[len(root) + 1 :], entry["filter"]]
                words += ["background"] if entry.get("background") else []
                found.setdefault(" ".join(word for word in words if word), []).append((root, path))
    return found


def calibrated_files(truth: Path, results: Path) -> dict[str, Path]:
    """Return `_cal` files by their root: those of the results, or those simulated directly."""
    places = (truth.parent / "cal", results)
    return {
        path.name.removesuffix("_cal.fits"): path
        for place in places
        if place.is_dir()
        for path in sorted(place.rglob("*_cal.fits"))
    }


def read_known(truth: Path, root: str) -> Known:
    """Read the truth of an exposure.

    Raises
    ------
    InputError
        If it is missing.
    """
    path = truth / f"{root}_truth.fits"
    if not path.is_file():
        msg = f"{path}: the truth of this exposure is missing; simulate it again without --no-truth"
        raise InputError(msg)
    with fits.open(path) as hdus:
        return Known(
            dict(hdus[0].header),
            np.array(hdus["CAL"].data, dtype=float),
            np.array(hdus["COSMIC_RAYS"].data),
            np.array(hdus["PLACES"].data),
        )
