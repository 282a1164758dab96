"""Load what later steps need while earlier ones are at work.

A compiled kernel is read from its cache when it is first called, which for all kernels of the
catalog takes longer than cataloguing. So each is called once with next to nothing, in a thread
beside the steps before. Nothing of the results is kept.
"""

from typing import Any

import numpy as np


def warm_mosaic() -> None:
    """Load what puts exposures on a grid, takes their median and compares them with it."""
    from calwebb_core.framework.metadata import Metadata
    from calwebb_core.framework.models import Image
    from calwebb_core.science.blot import blot
    from calwebb_core.science.drizzling import drizzle_layer
    from calwebb_core.science.pixelmap import PixelMap
    from calwebb_core.science.resample import Mosaic

    shape = (16, 16)
    grid = tangent_plane(shape)
    ones = np.ones(shape, np.float32)
    variances: dict[str, Any] = {f"var_{k}": ones for k in ("poisson", "rnoise", "flat")}
    image = Image(Metadata({}), ones, ones, np.zeros(shape, np.uint32), **variances, wcs=grid)
    pixmap = PixelMap.of(grid, grid, shape)
    pixmap.prepare()
    mosaic = Mosaic(grid, pixel_scale_ratio=1.0)
    mosaic.add(image, pixmap)
    mosaic.planes()
    from calwebb_core.framework.exposures import Exposure

    layer, _ = drizzle_layer([Exposure.of(image)], [pixmap], [0.0], slice(0, shape[0]))
    blot(layer, pixmap)


def warm_catalog() -> None:
    """Load what finds and measures sources."""
    from calwebb_level3.imaging.aperture_reference import typical_apertures
    from calwebb_level3.imaging.catalog import Calibration

    example_catalog(typical_apertures(2.5, (30, 50, 70)), Calibration(1.0, 0.0, (2.0, 1.8)))


def example_catalog(apertures: Any, calibration: Any) -> Any:
    """Return the catalog of a few made stars: its columns are those of any catalog.

    Parameters
    ----------
    apertures : Apertures
    calibration : Calibration
    """
    from calwebb_level3.imaging.catalog import make_catalog
    from calwebb_level3.imaging.detection import Detection
    from calwebb_level3.imaging.measuring import catalogued
    from calwebb_level3.imaging.pixels import Pixels

    shape = (96, 96)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    data = np.sin(37.0 * x * y).astype(np.float32)
    for place in (16, 34, 52, 70):
        data += 900.0 * np.exp(-0.4 * ((x - place) ** 2 + (y - place - 8) ** 2)).astype(np.float32)
    ones = np.ones(shape, np.float32)
    pixels = Pixels.of(data, ones, weight=ones)
    found = catalogued(pixels, Detection(2.5, bkg_boxsize=48), apertures, np.zeros(shape, np.int32))
    assert found is not None  # noqa: S101 - stars of 900 sigma
    return make_catalog(found, tangent_plane(shape), apertures=apertures, calibration=calibration)


def tangent_plane(shape: tuple[int, int]) -> object:
    """Return a grid of 0.06 arcsec."""
    from calwebb_core.science.output_grid import Grid, grid_wcs

    scale = 0.06 / 3600
    return grid_wcs(Grid((80.0, -69.5), (8.0, 8.0), scale, np.diag([-1.0, 1.0]), shape), None)
