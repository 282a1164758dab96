"""A mosaic made band by band, each band by one thread, and kept as planes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.exposures import Exposure, StoredImage
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.planes import Plane, Store
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.resample import CONTEXT_BITS, VARIANCES, Mosaic, PixelMap, bands


@dataclass(frozen=True)
class Filled:
    """A mosaic whose bands are all done.

    Attributes
    ----------
    last : Mosaic
        One of the bands: it knows the keywords of the whole.
    planes : dict of Plane
        By attribute of `Image`.
    context : list of Plane
    """

    last: Mosaic
    planes: dict[str, Plane]
    context: list[Plane]

    def stored(self, metadata: Metadata, tables: dict[str, Table]) -> StoredImage:
        """Return the mosaic with its keywords."""
        keywords, grid = self.last.keywords(metadata), self.last.output_wcs
        return StoredImage(keywords, grid, self.last.grid_shape, self.planes, self.context, tables)


def fill_mosaic(
    exposures: Sequence[Exposure],
    maps: Sequence[PixelMap],
    levels: Sequence[float],
    grid: Any,
    store: Store,
    options: Mapping[str, Any],
) -> Filled:
    """Drizzle exposures onto a grid.

    What is held in memory is a few bands and some rows of an exposure for each thread, beside
    what the store keeps there.

    Parameters
    ----------
    exposures : sequence of Exposure
    maps : sequence of PixelMap
        To the grid.
    levels : sequence of float
        Sky level to subtract from each exposure.
    grid : World
        With ``pixel_shape``.
    store : Store
        Takes the planes.
    options : mapping
        Of `calwebb_core.science.resample.Mosaic`.
    """
    shape = int(grid.pixel_shape[1]), int(grid.pixel_shape[0])
    planes = {
        name: store.plane(shape, np.uint32 if name == "dq" else np.float32)
        for name in names_of(exposures[0], options)
    }
    layers = -(-len(exposures) // CONTEXT_BITS) if options.get("enable_ctx", True) else 0
    context = [store.plane(shape, np.uint32) for _ in range(layers)]

    def fill(rows: slice) -> Mosaic:
        mosaic = Mosaic(grid, rows=rows, nimages=len(exposures), **options)
        for exposure, pixmap, level in zip(exposures, maps, levels, strict=True):
            mosaic.add(exposure, pixmap, sky=level)
        made = mosaic.planes()
        for plane, values in zip(context, made.pop("context", ()), strict=True):
            plane.write(rows, values)
        for name, values in made.items():
            planes[name].write(rows, values)
        return emptied(mosaic)

    return Filled(in_threads(fill, bands(shape))[-1], planes, context)


def names_of(exposure: Exposure, options: Mapping[str, Any]) -> list[str]:
    """Return the planes that a mosaic will have, beside the context."""
    names = ["data", "weight"]
    if options.get("enable_err", True):
        names.append("err")
    if options.get("report_var", True):
        names += [name for name in VARIANCES if exposure.has(name)]
    return [*names, "dq"] if options.get("propagate_dq") else names


def emptied(mosaic: Mosaic) -> Mosaic:
    """Let a band go whose arrays are written; it still knows the keywords."""
    nothing: NDArray[Any] = np.empty((0, 0))
    for name, value in vars(mosaic).items():
        if isinstance(value, np.ndarray):
            setattr(mosaic, name, nothing)
    return mosaic
