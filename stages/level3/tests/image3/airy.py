"""Exposures of stars with a telescope's diffraction, undersampled by the detector."""

from functools import cache

import numpy as np
from scipy import ndimage, special

from calwebb_core.framework.models import Image
from calwebb_core.science.wcs import imaging_wcs

from .scene import SCALE, distortion, metadata, offset

OVERSAMPLE = 8
HALF = 12  # pixels
DIAMETER, OBSTRUCTION = 6.5, 0.2
JITTER = 0.006  # arcsec rms per axis: jitter and the diffusion of charge


@cache
def airy(micron):
    """Return cubic spline coefficients of an Airy pattern integrated over pixels, flux 1."""
    n = HALF * OVERSAMPLE + OVERSAMPLE // 2
    axis = np.arange(-n, n + 1) / OVERSAMPLE * SCALE / 206264.806
    radius = np.pi * DIAMETER / (micron * 1e-6) * np.hypot(*np.meshgrid(axis, axis))
    radius[n, n] = 1e-9
    field = special.j1(radius) / radius
    field -= OBSTRUCTION * special.j1(OBSTRUCTION * radius) / radius
    # the pattern in units of the light in the whole plane
    norm = (np.pi / 4 * DIAMETER**2 * (1 - OBSTRUCTION**2)) * 4 / (1 - OBSTRUCTION**2) ** 2
    image = field**2 * norm * (SCALE / 206264.806 / (micron * 1e-6)) ** 2 / OVERSAMPLE**2
    box = np.ones(OVERSAMPLE + 1)
    box[[0, -1]] = 0.5
    for axis in (0, 1):
        image = ndimage.convolve1d(image, box, axis=axis, mode="constant")
    image = ndimage.gaussian_filter(image, JITTER / SCALE * OVERSAMPLE)
    return ndimage.spline_filter(image, order=3)


def add_airy_stars(data, x, y, flux, micron):
    """Add stars at pixels x, y to an image, in place."""
    coefficients = airy(micron)
    middle = coefficients.shape[0] // 2
    steps = np.arange(-HALF + 1, HALF)
    padded = np.pad(data, HALF)
    for px, py, pf in zip(x, y, flux, strict=True):
        cx, cy = round(px), round(py)
        if not (-HALF < cx < data.shape[1] and -HALF < cy < data.shape[0]):
            continue
        at = np.meshgrid(
            (steps + cy - py) * OVERSAMPLE + middle,
            (steps + cx - px) * OVERSAMPLE + middle,
            indexing="ij",
        )
        star = pf * ndimage.map_coordinates(coefficients, at, order=3, prefilter=False)
        rows = slice(cy + 1, cy + 2 * HALF)
        columns = slice(cx + 1, cx + 2 * HALF)
        if star.shape == padded[rows, columns].shape:
            padded[rows, columns] += star
    data[:] = padded[HALF:-HALF, HALF:-HALF]


def sharp_exposure(
    stars, micron, *, nx=256, ny=256, noise=0.3, sky=1.0, hits=0, error=(0.0, 0.0, 0.0), seed=0,
    **keywords,
):  # fmt: skip
    """Return an exposure whose WCS is off by `error`: arcsec east and north, degrees of roll.

    `hits` pixels are hot or struck by a cosmic ray and not flagged.
    """
    rng = np.random.default_rng(seed)
    truth = metadata(nx, ny, **keywords)
    model = distortion(nx, ny)
    data = np.zeros((ny, nx))
    x, y = imaging_wcs(truth, model).invert(stars[0], stars[1], with_bounding_box=False)
    add_airy_stars(data, x, y, stars[2], micron)
    sigma = np.sqrt(noise**2 + np.clip(data + sky, 0, None) / 200.0)
    data += sky + rng.normal(0, 1, data.shape) * sigma
    for row, column in zip(
        rng.integers(2, ny - 2, hits), rng.integers(2, nx - 2, hits), strict=True
    ):
        track = [(0, 0), (0, 1), (1, 1), (1, 2)][: rng.integers(1, 4)]
        for dy, dx in track:
            data[row + dy, column + dx] += 10 ** rng.uniform(1.0, 3.0)
    told = truth.copy()
    told["RA_REF"], told["DEC_REF"] = offset(truth["RA_REF"], truth["DEC_REF"], *error[:2])
    told["ROLL_REF"] = truth["ROLL_REF"] + error[2]
    return Image(
        metadata=told,
        data=data.astype(np.float32),
        err=sigma.astype(np.float32),
        dq=np.zeros((ny, nx), np.uint32),
        wcs=imaging_wcs(told, model),
    ), (x, y)
