"""Photometry of one star in every integration: a circle around it, a ring for the background."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Aperture:
    """Radii in pixels: of the circle, and of the ring's inner and outer edge."""

    radius: float
    inner: float
    outer: float


@dataclass(frozen=True)
class Frames:
    """The pixels around the star in some integrations.

    Attributes
    ----------
    data, err : float64, (nints, ny, nx)
        NaN where unusable.
    filled : bool, (nints, ny, nx)
        Pixels that were unusable and are estimated.
    left, bottom : int
        Place of the first column and row in the whole image.
    """

    data: Float64
    err: Float64
    filled: NDArray[np.bool_]
    left: int
    bottom: int


def circle(shape: tuple[int, int], x: float, y: float, radius: float) -> Float64:
    """Return the share of each pixel that lies in a circle, float64 (ny, nx)."""
    from photutils.aperture import CircularAperture

    image = CircularAperture((x, y), radius).to_mask(method="exact").to_image(shape)
    return np.zeros(shape) if image is None else np.asarray(image, np.float64)


def fill_frames(data: Float64, err: Float64, star: NDArray[np.bool_]) -> Frames:
    """Estimate unusable pixels from the same pixels in the other integrations.

    The median along time is scaled, above the background, to the brightness of the star in the
    integration; the error grows by that of the estimate.

    Parameters
    ----------
    data, err : float64, (nints, ny, nx)
        NaN where unusable.
    star : bool, (ny, nx)
        Pixels of the star; the others are background.
    """
    known = np.isfinite(data)
    missing = ~known & known.any(axis=0)
    if not missing.any():
        return Frames(data, err, missing, 0, 0)
    usual, error = known_median(data), known_median(err)
    level = np.median(usual[~star & np.isfinite(usual)]) if (~star).any() else 0.0
    data, err = data.copy(), err.copy()
    for t in np.flatnonzero(missing.any(axis=(1, 2))):
        own = known[t] & ~star
        sky = np.median(data[t][own]) if own.any() else level
        both = known[t] & star & np.isfinite(usual)
        below = np.sum(usual[both] - level)
        share = np.sum(data[t][both] - sky) / below if below > 0 else 1.0
        gap = missing[t]
        data[t][gap] = sky + share * (usual[gap] - level)
        err[t][gap] = np.sqrt(2.0) * error[gap]
    return Frames(data, err, missing, 0, 0)


def known_median(cube: Float64) -> Float64:
    """Return the median along time of what is known, NaN where nothing is."""
    result = np.full(cube.shape[1:], np.nan)
    for y, x in zip(*np.nonzero(np.isfinite(cube).any(axis=0)), strict=True):
        column = cube[:, y, x]
        result[y, x] = np.median(column[np.isfinite(column)])
    return result


def sums(frames: Frames, x: Float64, y: Float64, aperture: Aperture) -> dict[str, Float64]:
    """Return sums and errors in circle and ring for each integration.

    Pixels without value are left out of both; the background is the mean of the ring times the
    area of the circle's known pixels.

    Parameters
    ----------
    frames : Frames
    x, y : float64, (nints,)
        Centre in the whole image.
    aperture : Aperture

    Returns
    -------
    dict of float64, (nints,)
        aperture_sum, annulus_sum, annulus_mean, aperture_bkg, net_aperture_sum, each with _err.
    """
    rows = []
    shape = (frames.data.shape[1], frames.data.shape[2])
    made: dict[tuple[float, float], tuple[Float64, Float64]] = {}
    for t in range(len(frames.data)):
        place = (float(x[t]) - frames.left, float(y[t]) - frames.bottom)
        if place not in made:
            made = {place: weights_at(shape, place, aperture)}
        rows.append(sums_once(frames.data[t], frames.err[t], *made[place]))
    names = (
        "aperture_sum", "aperture_sum_err", "annulus_sum", "annulus_sum_err", "annulus_mean",
        "annulus_mean_err", "aperture_bkg", "aperture_bkg_err", "net_aperture_sum",
        "net_aperture_sum_err",
    )  # fmt: skip
    return dict(zip(names, np.array(rows, np.float64).reshape(-1, len(names)).T, strict=True))


def weights_at(
    shape: tuple[int, int], place: tuple[float, float], aperture: Aperture
) -> tuple[Float64, Float64]:
    """Return the shares of pixels in the circle and in the ring."""
    inside = circle(shape, *place, aperture.radius)
    ring = circle(shape, *place, aperture.outer) - circle(shape, *place, aperture.inner)
    return inside, ring


def sums_once(data: Float64, err: Float64, inside: Float64, ring: Float64) -> tuple[float, ...]:
    """Return the numbers of one integration in the order of `sums`."""
    known = np.isfinite(data)
    values = np.where(known, data, 0.0)
    variance = np.where(known & np.isfinite(err), err, 0.0) ** 2
    area, around = float(np.sum(inside * known)), float(np.sum(ring * known))
    if area == 0.0 or around == 0.0:
        return (np.nan,) * 10
    total, spread = np.sum(inside * values), np.sqrt(np.sum(inside * variance))
    sky, noise = np.sum(ring * values), np.sqrt(np.sum(ring * variance))
    mean, error = sky / around, noise / around
    below, uncertain = mean * area, error * area
    net = total - below
    return (
        total, spread, sky, noise, mean, error, below, uncertain, net, np.hypot(spread, uncertain)
    )  # fmt: skip
