"""Figures of what two sets of imaging products have in common, and where they differ."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS, FITSFixedWarning
from numpy.typing import NDArray
from photutils.aperture import CircularAperture, aperture_photometry

from calwebb_core.framework.products import read_image

Array = NDArray[Any]
MAS = 3.6e6
SATURATED, OUTLIER = 2, 16
PHOTOMETRY = ("PHOTMJSR", "PHOTUJA2", "PIXAR_SR", "PIXAR_A2")


def planes(path: Path) -> dict[str, Array]:
    """Return the images of a product by extension, in native order."""
    with fits.open(path, memmap=False) as hdus:
        found = [hdu for hdu in hdus[1:] if hdu.is_image and hdu.data is not None and hdu.data.size]
        return {hdu.name: hdu.data.astype(hdu.data.dtype.newbyteorder("=")) for hdu in found}


def keywords(path: Path) -> dict[str, Any]:
    """Return the keywords of the first two headers."""
    with fits.open(path) as hdus:
        return dict(hdus[0].header) | dict(hdus[1].header)


def spread(values: Array) -> float:
    """Return the robust standard deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) if values.size else np.nan


def difference(mine: Array, theirs: Array, scale: Array) -> dict[str, float]:
    """Return the largest and the 99.9th percentile of |mine - theirs| / scale, and lone NaN."""
    missing = np.isnan(mine), np.isnan(theirs)
    with np.errstate(all="ignore"):
        values = np.abs(mine.astype(float) - theirs) / np.abs(scale)
    # where both are zero there is nothing to divide by
    values = np.where(mine == theirs, 0.0, values)[~missing[0] & ~missing[1]]
    values = values[np.isfinite(values)]
    return {
        "max": float(values.max(initial=0.0)),
        "p999": float(np.quantile(values, 0.999)) if values.size else 0.0,
        "nan_here": int(np.count_nonzero(missing[0] & ~missing[1])),
        "nan_there": int(np.count_nonzero(missing[1] & ~missing[0])),
    }


def worst(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the largest of the figures of several products, the sums of counts."""
    result = {key: max(row[key] for row in rows) for key in ("max", "p999")}
    return result | {key: sum(row[key] for row in rows) for key in ("nan_here", "nan_there")}


def pixels(ours: Path, official: Path, *, inner: bool = False) -> dict[str, Any]:
    """Compare all images of two products: SCI in units of ERR, the others relatively."""
    first, second = planes(ours), planes(official)
    if inner:
        first, second = (
            {name: data[..., 1:-1, 1:-1] for name, data in one.items()} for one in (first, second)
        )
    rows: dict[str, Any] = {"extensions": list(first) == list(second)}
    for name, theirs in second.items():
        mine = first[name]
        if theirs.dtype.kind != "f":
            rows[name] = {"differ": int(np.count_nonzero(mine != theirs)), "size": theirs.size}
        elif name == "SCI":
            rows[name] = difference(mine, theirs, second["ERR"])
            rows["SCI relative"] = difference(mine, theirs, theirs)
        else:
            rows[name] = difference(mine, theirs, theirs)
    return rows


def photometry(ours: Path, official: Path) -> float:
    """Return the largest relative difference of the keywords of fluxes."""
    mine, theirs = keywords(ours), keywords(official)
    return max(abs(float(mine[key]) / float(theirs[key]) - 1) for key in PHOTOMETRY)


def apart(first: Array, second: Array) -> tuple[Array, Array]:
    """Return by how much positions differ, degrees on the sky (east, north)."""
    east = (first[0] - second[0] + 180) % 360 - 180
    return east * np.cos(np.deg2rad(second[1])), first[1] - second[1]


def grid(shape: tuple[int, int], points: int) -> tuple[Array, Array]:
    """Return pixels from edge to edge."""
    ny, nx = shape
    rows, columns = np.linspace(-0.5, ny - 0.5, points), np.linspace(-0.5, nx - 0.5, points)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    return x, y


def own_sky(path: Path, points: int) -> Array:
    """Return x, y, ra, dec of our product's WCS, as our reader opens it."""
    image = read_image(path)
    x, y = grid(image.data.shape[-2:], points)
    return np.array([x, y, *image.wcs(x, y, with_bounding_box=False)])


def pixel_size(path: Path) -> float:
    """Return the side of a pixel in degrees."""
    return float(np.sqrt(keywords(path)["PIXAR_A2"])) / 3600


def sky_difference(first: Array, second: Array, size: float) -> float:
    """Return the greatest distance of two WCS on the same pixels, in pixels."""
    return float(np.hypot(*apart(first[2:], second[2:])).max() / size)


def sip(path: Path, sky: Array) -> dict[str, float]:
    """Return by how many pixels a FITS viewer's WCS is off, forward, and what the header says."""
    with fits.open(path) as hdus, warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        header = hdus["SCI"].header
        seen = WCS(header, hdus).celestial.all_pix2world(sky[0], sky[1], 0)
    keys = keywords(path)
    error = np.hypot(*apart(np.array(seen), sky[2:])).max() / pixel_size(path)
    return {
        "measured": float(error),
        "stated": float(keys.get("SIPMXERR", np.nan)),
        "degree": int(keys.get("A_ORDER", 0)),
    }


def region_difference(ours: Path, official: Path) -> float:
    """Return the greatest distance of corners of S_REGION in mas; NaN for another number."""
    corners = [
        np.array(keywords(path)["S_REGION"].split()[2:], float).reshape(-1, 2).T
        for path in (ours, official)
    ]
    if corners[0].shape != corners[1].shape:
        return float("nan")
    return float(np.hypot(*apart(*corners)).max() * MAS)


def grid_difference(ours: Path, official: Path) -> dict[str, Any]:
    """Return the shapes of two mosaics and the greatest distance of their WCS, in pixels."""
    shapes, skies = [], []
    for path in (ours, official):
        with fits.open(path) as hdus:
            shapes.append(hdus["SCI"].shape)
            skies.append(np.array([0, 0, *corners_of(hdus["SCI"].header, shapes[0])], object))
    distance = np.hypot(*apart(skies[0][2:], skies[1][2:])).astype(float).max()
    return {"ours": shapes[0], "official": shapes[1], "pixels": distance / pixel_size(ours)}


def corners_of(header: fits.Header, shape: tuple[int, int]) -> list[Array]:
    """Return ra, dec of a grid of a mosaic's pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return list(WCS(header).all_pix2world(*grid(shape, 9), 0))


def shifts(pairs: list[tuple[Array, Array]]) -> dict[str, float]:
    """Return by how much aligned exposures lie apart, mas: largest, and less what all share."""
    offsets = np.array([[one.mean() for one in apart(a[2:], b[2:])] for a, b in pairs]) * MAS
    relative = offsets - offsets.mean(axis=0)
    return {
        "common": float(np.hypot(*offsets.mean(axis=0))),
        "relative": float(np.hypot(*relative.T).max()),
    }


def levels(pairs: list[tuple[Path, Path]]) -> dict[str, float]:
    """Return the range of sky levels and the largest difference, and both in units of ERR."""
    found = np.array([[keywords(path).get("BKGLEVEL", 0.0) for path in pair] for pair in pairs])
    noise = float(np.nanmedian(planes(pairs[0][0])["ERR"]))
    return {
        "largest": float(found[:, 1].max()),
        "difference": float(np.abs(found[:, 0] - found[:, 1]).max()),
        "noise": noise,
    }


def flags(pairs: list[tuple[Path, Path]], stars: Mapping[str, Array]) -> dict[str, Any]:
    """Count outliers of both, of one only, those near stars apart; mark stars they touch.

    Parameters
    ----------
    pairs : list of (Path, Path)
        Our `_crf` and the official one.
    stars : mapping
        ``ra, dec`` of bright stars, ``ra_measured, dec_measured`` of those whose fluxes are
        compared, with ``radius`` in pixels.
    """
    total = dict.fromkeys(("both", "ours", "official", "ours_core", "official_core", "size"), 0)
    touched = np.zeros(len(stars["ra_measured"]), bool)
    for first, second in pairs:
        mine, theirs = ((planes(path)["DQ"] & OUTLIER) > 0 for path in (first, second))
        core = near(first, stars["ra"], stars["dec"], mine.shape, 2.5).any(axis=0)
        discs = near(
            first, stars["ra_measured"], stars["dec_measured"], mine.shape, float(stars["radius"])
        )
        touched |= (discs & (mine != theirs)).any(axis=(1, 2))
        total["both"] += int((mine & theirs).sum())
        total["size"] += mine.size
        for name, only in (("ours", mine & ~theirs), ("official", theirs & ~mine)):
            total[name] += int(only.sum())
            total[f"{name}_core"] += int((only & core).sum())
    return {**total, "touched": touched}


def saturated(paths: list[Path], stars: QTable) -> Array:
    """Return which stars have saturated pixels in their cores in any exposure."""
    result = np.zeros(len(stars), bool)
    for path in paths:
        full = (planes(path)["DQ"] & SATURATED) > 0
        places = stars["sky_centroid"].ra.deg, stars["sky_centroid"].dec.deg
        result |= (near(path, *places, full.shape, 2.5) & full).any(axis=(1, 2))
    return result


def near(path: Path, ra: Array, dec: Array, shape: tuple[int, int], radius: float) -> Array:
    """Return which pixels lie within a radius of each position (n, ny, nx)."""
    with fits.open(path) as hdus, warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        x, y = WCS(hdus["SCI"].header, hdus).celestial.all_world2pix(ra, dec, 0, quiet=True)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.array(
        [(rows - b) ** 2 + (columns - a) ** 2 <= radius**2 for a, b in zip(x, y, strict=True)]
    ).reshape(-1, *shape)


def bright_stars(catalog: QTable, isolation: float, snr: float = 50.0) -> QTable:
    """Return isolated point sources whose flux is known, the brightest first."""
    flux = np.asarray(catalog["aper_total_flux"].value)
    alone = np.asarray(catalog["nn_dist"].value) > isolation
    with np.errstate(invalid="ignore"):
        stands_out = flux > snr * catalog["aper_total_flux_err"].value
    use = stands_out & alone & ~np.asarray(catalog["is_extended"], bool)
    order = np.argsort(-np.where(use, flux, -np.inf), kind="stable")
    return catalog[order[: int(use.sum())]]


def aperture_fluxes(path: Path, stars: QTable, radius: float) -> Array:
    """Return fluxes in circles around positions on the sky, less the median of a ring around."""
    with fits.open(path) as hdus, warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        data = hdus["SCI"].data.astype(float)
        places = WCS(hdus["SCI"].header).world_to_pixel(stars["sky_centroid"])
    rows, columns = np.ogrid[: data.shape[0], : data.shape[1]]
    fluxes = []
    for x, y in zip(*places, strict=True):
        distance = np.hypot(rows - y, columns - x)
        level = np.nanmedian(data[(distance > radius + 2) & (distance < radius + 7)])
        circle = CircularAperture((x, y), radius)
        total = aperture_photometry(data, circle)["aperture_sum"][0]
        inside = x - radius > 0.5 and y - radius > 0.5
        inside &= x + radius < data.shape[1] - 1.5 and y + radius < data.shape[0] - 1.5
        fluxes.append(total - level * circle.area if inside else np.nan)
    return np.array(fluxes)


def ratios(mine: Array, theirs: Array) -> dict[str, float]:
    """Return median and scatter of flux ratios less one, and their number."""
    with np.errstate(all="ignore"):
        values = mine / theirs - 1
    values = values[np.isfinite(values)]
    return {
        "median": float(np.median(values)) if values.size else np.nan,
        "scatter": spread(values),
        "largest": float(np.abs(values).max(initial=0.0)),
        "number": int(values.size),
    }


def catalogs(ours: Path, official: Path, size: float, snr: float = 20.0) -> dict[str, Any]:
    """Match two catalogs within a pixel: numbers, positions and fluxes of what stands out."""
    mine, theirs = (QTable.read(path, format="ascii.ecsv") for path in (ours, official))
    result: dict[str, Any] = {"ours": len(mine), "official": len(theirs), "matched": 0}
    if not len(theirs) or not len(mine):
        return result
    index, distance, _ = SkyCoord(theirs["sky_centroid"]).match_to_catalog_sky(mine["sky_centroid"])
    result["matched"] = int((distance.deg < size).sum())
    quality = theirs["aper_total_flux"] / theirs["aper_total_flux_err"]
    use = (distance.deg < size) & (quality > snr) & (theirs["nn_dist"].value > 8)
    use &= ~np.asarray(mine["is_extended"][index], bool)
    places = [
        np.array([table["sky_centroid"].ra.deg, table["sky_centroid"].dec.deg])
        for table in (mine[index[use]], theirs[use])
    ]
    offsets = np.array(apart(*places)) * MAS
    columns = ("aper30_flux", "aper50_flux", "aper70_flux", "aper_total_flux")
    return {
        **result,
        "compared": int(use.sum()),
        "position": float(np.mean([spread(one) for one in offsets])),
        "fluxes": {
            name: ratios(mine[name][index[use]].value, theirs[name][use].value) for name in columns
        },
    }
