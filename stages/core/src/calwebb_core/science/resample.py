"""Images onto a common grid by drizzling, one after the other, in bands of rows.

Fruchter & Hook 2002 (PASP 114, 144) give the weighted mean of surface brightness for each
output pixel; see `calwebb_core.science.drizzling` for the loops. Input weights are the inverse
read-noise variance (Casertano et al. 2000, AJ 120, 2747) or the exposure time.

Variances: within one image the standard deviation is averaged like the signal, so that sums
over many output pixels keep the right error although neighbours are correlated; between
images, which are independent, variances add with squared weights:
``V = sum(w^2 sigma^2) / (sum w)^2 / r^2`` with ``r`` the output over the input pixel scale.

A mosaic that is larger than memory is made band by band; exposures are read as far as they
reach a band:

>>> pixmaps = [PixelMap.of(e.wcs, grid, e.shape) for e in exposures]           # doctest: +SKIP
>>> def fill(rows):                                                            # doctest: +SKIP
...     mosaic = Mosaic(grid, rows=rows, nimages=len(exposures), pixel_scale_ratio=1.0)
...     for exposure, pixmap in zip(exposures, pixmaps):   # all, in order: CON counts them
...         mosaic.add(exposure, pixmap, sky=0.0)
...     for name, values in mosaic.planes().items():       # data, weight, context, err, var_*
...         ...                                            # write `values` to rows of `name`
>>> in_threads(fill, bands(grid_shape))                                        # doctest: +SKIP

`render` does this for a mosaic that fits into memory.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.custom_grid import custom_wcs
from calwebb_core.science.drizzling import bands, drizzle_layer
from calwebb_core.science.drop_shapes import Drop
from calwebb_core.science.mosaic import KERNELS, VARIANCES, Mosaic, image_of
from calwebb_core.science.mosaic_sums import CONTEXT_BITS
from calwebb_core.science.output_grid import output_wcs
from calwebb_core.science.pixelmap import PixelMap, pixel_map
from calwebb_core.science.weights import GOOD_BITS, good_mask, input_weight, typical_weight

# the one module that users of the resampling need to know
__all__ = [
    "CONTEXT_BITS", "GOOD_BITS", "KERNELS", "VARIANCES", "Drop", "Mosaic", "PixelMap", "bands",
    "custom_wcs", "drizzle_layer", "good_mask", "input_weight", "output_wcs", "pixel_map", "render",
    "typical_weight",
]  # fmt: skip


def render(
    images: Sequence[Exposure | Image],
    pixmaps: Sequence[PixelMap],
    output_wcs: Any,
    metadata: Metadata,
    *,
    levels: Sequence[float] | None = None,
    **options: Any,
) -> Image:
    """Return a mosaic in memory, made band by band by all threads.

    Parameters
    ----------
    images : sequence of Exposure or Image
    pixmaps : sequence of PixelMap
    output_wcs : World
    metadata : Metadata
        Keywords to start from.
    levels : sequence of float, optional
        Sky level to subtract from each image.
    options
        Of `Mosaic`.

    Raises
    ------
    InputError
        As `Mosaic`.
    """
    levels = [0.0] * len(images) if levels is None else levels
    ny, nx = int(output_wcs.pixel_shape[1]), int(output_wcs.pixel_shape[0])
    result: dict[str, NDArray[Any]] = {}
    made: list[Mosaic] = []

    def fill(rows: slice) -> None:
        mosaic = Mosaic(output_wcs, rows=rows, nimages=len(images), **options)
        for image, pixmap, level in zip(images, pixmaps, levels, strict=True):
            mosaic.add(image, pixmap, sky=level)
        for name, values in mosaic.planes().items():
            whole = result.setdefault(name, np.empty((*values.shape[:-2], ny, nx), values.dtype))
            whole[..., rows, :] = values
        made.append(mosaic)

    for pixmap in pixmaps:
        pixmap.prepare()
    in_threads(fill, bands((ny, nx)))
    return image_of(result, made[0].keywords(metadata), output_wcs)
