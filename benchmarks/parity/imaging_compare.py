"""All figures of one case, from the products of both."""

import json
from pathlib import Path
from typing import Any

import imaging_figures as figures
import numpy as np
from astropy.table import QTable
from imaging_cases import Case

RADIUS = 4.0  # pixels, of the aperture fluxes
MOST = 30  # stars


class Products:
    """The products of both, and the sky as the official data models see it."""

    def __init__(self, folder: Path, points: int) -> None:
        self.ours, self.official, self.points = folder / "ours", folder / "official", points
        opened = json.loads((folder / "job.opened.json").read_text())
        self.opened: dict[str, Any] = opened
        self.sky = dict(zip(opened, np.load(folder / "job.npy"), strict=True))

    def pairs(self, mine: str, theirs: str, suffix: str) -> list[tuple[Path, Path]]:
        """Return what both have of a suffix, in a folder of ours and one of the official ones."""
        official = sorted((self.official / theirs).rglob(f"*_{suffix}.*"))
        found = {path.name: path for path in (self.ours / mine).rglob(f"*_{suffix}.*")}
        return [(found[path.name], path) for path in official if path.name in found]

    def seen(self, path: Path) -> Any:
        """Return x, y, ra, dec of a product as the official data models see it."""
        return self.sky[str(path)]


def compare(folder: Path, case: Case, points: int) -> dict[str, Any]:
    """Return all figures of a case by table."""
    products = Products(folder, points)
    result = {
        "title": case.title,
        "image2": image2(products),
        "opened": opened(products),
        "alike": mosaics(products, case, "alike", "alike"),
        "image3": image3(products, case, "image3"),
    }
    if case.own:
        result["own"] = image3(products, case, "own")
    return result


def image2(products: Products) -> dict[str, Any]:
    """Compare `_cal`, `_calints` and `_i2d`."""
    cal = products.pairs("image2", "image2", "cal")
    wcs: list[float] = []
    fits: dict[str, list[dict[str, float]]] = {"ours": [], "official": []}
    for mine, theirs in cal:
        size = figures.pixel_size(mine)
        wcs.append(figures.sky_difference(products.seen(mine), products.seen(theirs), size))
        fits["ours"].append(figures.sip(mine, products.seen(mine)))
        fits["official"].append(figures.sip(theirs, products.seen(theirs)))
    return {
        "exposures": len(cal),
        "wcs": max(wcs),
        "region": max(figures.region_difference(*pair) for pair in cal),
        "sip": {
            who: max(found, key=lambda one: one["measured"]) for who, found in fits.items()
        },
        "keywords": max(figures.photometry(*pair) for pair in cal),
        "cal": merged([figures.pixels(*pair) for pair in cal]),
        "calints": merged(
            [figures.pixels(*pair) for pair in products.pairs("image2", "image2", "calints")]
        ),
        "exact": merged(
            [
                figures.pixels(*pair, inner=True)
                for pair in products.pairs("exact", "image2", "i2d")
            ]
        ),
        "i2d": merged(
            [
                figures.pixels(*pair, inner=True)
                for pair in products.pairs("image2", "image2", "i2d")
            ]
        ),
    }  # fmt: skip


def merged(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the worst of the figures of several products, by extension."""
    result: dict[str, Any] = {}
    for name in rows[0] if rows else ():
        own = [row[name] for row in rows]
        if name == "extensions":
            result[name] = all(own)
        elif "differ" in own[0]:
            result[name] = {key: sum(row[key] for row in own) for key in own[0]}
        else:
            result[name] = figures.worst(own)
    return result


def opened(products: Products) -> dict[str, Any]:
    """Return the kinds of our products, warnings, and how far apart the two readers' skies are."""
    kinds: dict[str, int] = {}
    warnings, apart = set(), 0.0
    for path, found in products.opened.items():
        if not Path(path).is_relative_to(products.ours):
            continue
        label = f"{Path(path).stem.rpartition('_')[2]} {found['kind']}"
        kinds[label] = kinds.get(label, 0) + 1
        warnings.update(found["warnings"])
        if not path.endswith("segm.fits"):
            sky = figures.own_sky(Path(path), products.points)
            size = figures.pixel_size(Path(path))
            apart = max(apart, figures.sky_difference(sky, products.seen(Path(path)), size))
    return {"kinds": kinds, "warnings": sorted(warnings), "wcs": apart}


def mosaics(products: Products, case: Case, mine: str, theirs: str) -> dict[str, Any]:
    """Compare two mosaics on the same grid, and fluxes of stars in them."""
    ((first, second),) = products.pairs(mine, theirs, "i2d")
    stars, _ = stars_of(products, case)
    fluxes = [figures.aperture_fluxes(path, stars, RADIUS) for path in (first, second)]
    grid = figures.grid_difference(first, second)
    same = grid["ours"] == grid["official"]
    return {
        "grid": grid,
        "pixels": figures.pixels(first, second, inner=True) if same else None,
        "fluxes": figures.ratios(*fluxes),
    }


def stars_of(products: Products, case: Case) -> tuple[QTable, QTable]:
    """Return the brightest unsaturated stars, which are measured, and all that are bright."""
    (path,) = (products.ours / "image3").rglob("*_cat.ecsv")
    catalog = QTable.read(path, format="ascii.ecsv")
    bright = catalog["aper_total_flux"] > 50 * catalog["aper_total_flux_err"]
    stars = figures.bright_stars(catalog, case.isolation)
    exposures = sorted((products.ours / "image3").rglob("*_crf.fits"))
    stars = stars[~figures.saturated(exposures, stars)]
    return stars[: min(MOST, len(stars))], catalog[bright]


def image3(products: Products, case: Case, theirs: str) -> dict[str, Any]:
    """Compare aligned exposures, levels, flags, the mosaic and the catalog."""
    crf = products.pairs("image3", theirs, "crf")
    stars, bright = stars_of(products, case)
    flags = figures.flags(
        crf,
        {
            "ra": bright["sky_centroid"].ra.deg, "dec": bright["sky_centroid"].dec.deg,
            "ra_measured": stars["sky_centroid"].ra.deg,
            "dec_measured": stars["sky_centroid"].dec.deg, "radius": np.array(RADIUS + 1),
        },
    )  # fmt: skip
    touched = flags.pop("touched")
    ((first, second),) = products.pairs("image3", theirs, "i2d")
    fluxes = [figures.aperture_fluxes(path, stars, RADIUS) for path in (first, second)]
    catalogs = products.pairs("image3", theirs, "cat")
    return {
        "statuses": [
            [figures.keywords(path).get(key) for key in ("S_TWKREG", "S_SKYMAT", "S_OUTLIR")]
            for path in crf[-1]
        ],
        "shifts": figures.shifts([(products.seen(a), products.seen(b)) for a, b in crf]),
        "levels": figures.levels(crf),
        "flags": flags,
        "grid": figures.grid_difference(first, second),
        "fluxes": figures.ratios(*fluxes),
        "untouched": figures.ratios(*(one[~touched] for one in fluxes)),
        "catalog": figures.catalogs(*catalogs[0], figures.pixel_size(first)) if catalogs else None,
    }
