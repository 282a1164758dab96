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

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Image, UInt32
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.custom_grid import custom_wcs
from calwebb_core.science.drizzling import (
    NO_FLAGS,
    NONE,
    Drop,
    add_flags,
    add_planes,
    bands,
    drizzle_layer,
    part_of,
)
from calwebb_core.science.kernels.mosaic import (
    deviations,
    fold,
    means,
    variances_and_error,
)
from calwebb_core.science.output_grid import output_wcs
from calwebb_core.science.pixelmap import PixelMap, Window, pixel_map
from calwebb_core.science.resample_keywords import Exposures, product_keywords
from calwebb_core.science.weights import (
    GOOD_BITS,
    chunks,
    good_mask,
    input_weight,
    typical_weight,
    unit_weight,
    weighed_rows,
)

__all__ = [
    "GOOD_BITS", "KERNELS", "Drop", "Mosaic", "PixelMap", "bands", "custom_wcs", "drizzle_layer",
    "good_mask", "input_weight", "output_wcs", "pixel_map", "render", "typical_weight",
]  # fmt: skip

Float64 = NDArray[np.float64]

KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
CONTEXT_BITS = 32
NO_SUMS = np.empty((0, 0, 0), np.float32)
VARIANCES = ("var_poisson", "var_rnoise", "var_flat")


@dataclass
class Mosaic:
    """A resampled image, or a band of its rows, to which inputs are added one at a time.

    Parameters
    ----------
    output_wcs : World
        From `output_wcs`, or another with ``pixel_shape``.
    pixfrac : float
        Side of the shrunken input pixel in units of the pixel, 0 to 1.
    kernel : str
        One of `KERNELS`.
    fillval : float
        Value of output pixels that no input reaches.
    weight_type : {"ivm", "exptime"} or None
        None weighs all usable pixels by 1.
    good_bits : int or str
    pixel_scale_ratio : float, optional
        Output over input pixel scale; from PIXAR_SR of the first image otherwise.
    rows : slice, optional
        Rows of the grid; all of them otherwise. Sums of a pixel are the same in any band.
    nimages : int, optional
        How many images will be added, so that the planes of CON are known.
    enable_ctx, enable_err, report_var : bool
        Whether to make CON, ERR and VAR_*.
    propagate_dq : bool
        Whether to make DQ: the flags of all pixels with weight in an output pixel.
    """

    output_wcs: Any
    pixfrac: float = 1.0
    kernel: str = "square"
    fillval: float = math.nan
    weight_type: str | None = "ivm"
    good_bits: int | str = GOOD_BITS
    pixel_scale_ratio: float | None = None
    rows: slice | None = None
    nimages: int = 1
    enable_ctx: bool = True
    enable_err: bool = True
    report_var: bool = True
    propagate_dq: bool = False
    exposures: Exposures = field(default_factory=Exposures)

    def __post_init__(self) -> None:
        if not 0 <= self.pixfrac <= 1:
            msg = f"pixfrac is {self.pixfrac}; expected a number from 0 to 1"
            raise InputError(msg)
        if self.kernel not in KERNELS:
            msg = f"kernel is {self.kernel!r}; expected one of {', '.join(KERNELS)}"
            raise InputError(msg)
        nx, ny = self.output_wcs.pixel_shape
        self.grid_shape = int(ny), int(nx)
        start, stop, _ = (self.rows or slice(None)).indices(int(ny))
        self.band = slice(start, stop)
        self.shape: tuple[int, int] = (stop - start, int(nx))
        self._signal = np.zeros(self.shape, np.float32)
        self._weight = np.zeros(self.shape, np.float32)
        planes = -(-self.nimages // CONTEXT_BITS) if self.enable_ctx else 0
        self._context = np.zeros((planes, *self.shape), np.uint32)
        self._flags = np.zeros(self.shape if self.propagate_dq else (0, 0), np.uint32)
        self._variances: tuple[str, ...] | None = None
        self._weighted, self._total = NO_SUMS, NO_SUMS
        self._sums = NONE

    def add(self, image: Exposure | Image, pixmap: PixelMap | Float64, *, sky: float = 0.0) -> None:
        """Drizzle an image onto the grid.

        Parameters
        ----------
        image : Exposure or Image
            2-D; its arrays are not changed. Only the rows that reach the band are read, a part
            at a time.
        pixmap : PixelMap, or float64 (ny, nx, 2)
            NaN where a pixel is not to be used.
        sky : float
            Level that is subtracted first, in the unit of SCI.

        Raises
        ------
        InputError
            If shapes differ or the image is not 2-D.
        """
        exposure = as_exposure(image)
        if not isinstance(pixmap, PixelMap):
            pixmap = PixelMap.from_array(pixmap, self.grid_shape)
        if pixmap.shape != exposure.shape:
            msg = f"{exposure.name}: pixel map has shape {pixmap.shape}; expected {exposure.shape}"
            raise InputError(msg)
        unit_weight(exposure.metadata, self.weight_type)
        if self.pixel_scale_ratio is None:
            self.pixel_scale_ratio = self.exposures.scale_ratio(exposure.metadata, self.output_wcs)
        if self._variances is None:
            self._begin(exposure)
        part = part_of(pixmap, self.band, self.drop)
        if part is not None:
            self._add_part(exposure, pixmap, *part, sky)
        self.exposures.add(exposure)

    @property
    def drop(self) -> Drop:
        """Shape of a pixel as it falls on the grid."""
        return Drop(self.kernel, self.pixfrac, self.pixel_scale_ratio or 1.0)

    def _begin(self, exposure: Exposure) -> None:
        """Make room for the variances that the first image has."""
        wanted = self.enable_err or self.report_var
        self._variances = tuple(n for n in VARIANCES if wanted and exposure.has(n))
        number = len(self._variances)
        self._weighted = np.zeros((number, *self.shape), np.float32)
        self._total = np.zeros((min(1, number), *self.shape), np.float32)
        self._sums = np.zeros((2 + number, *self.shape))

    def _add_part(
        self, exposure: Exposure, pixmap: PixelMap, window: Window, rows: slice, sky: float
    ) -> None:
        own, corner = NONE, (self.band.start, 0)
        columns = (pixmap.box.x0, pixmap.box.x1)
        for some in chunks(rows, exposure.shape[1]):
            values, weight = weighed_rows(
                exposure, some, columns, self.weight_type, self.good_bits, sky
            )
            planes, unknown = self._planes_of(exposure, some, values, weight)
            if unknown and not own.size:
                own = np.repeat(self._sums[:1], len(planes), axis=0)
            add_planes(planes, weight, some.start, pixmap, self.drop, corner, self._sums, own)
            flags = exposure.plane("dq", some) if self.propagate_dq else None
            if flags is not None:
                add_flags(flags, weight, some.start, pixmap, self.drop, corner, self._flags)
        self._fold(exposure, window, own)

    def _planes_of(
        self, exposure: Exposure, rows: slice, values: Float32, weight: Float32
    ) -> tuple[Float32, int]:
        """Return the values and the standard deviations, and how many of these are NaN."""
        names = self._variances or ()
        planes = np.empty((1 + len(names), *values.shape), np.float32)
        planes[0] = values
        unknown = 0
        for number, name in enumerate(names):
            variance = exposure.plane(name, rows)
            if variance is None:
                planes[1 + number] = np.nan
                unknown += 1
            else:
                unknown += deviations(variance, weight, planes[1 + number])
        return planes, unknown

    def _fold(self, exposure: Exposure, window: Window, own: Float64) -> None:
        """Add the sums of an image to those of all."""
        names, first = self._variances or (), self.band.start
        where = (window.y0 - first, window.y1 - first, window.x0, window.x1)
        if own.size and len(self._total) != len(names):
            self._total = np.repeat(self._total, len(names), axis=0)
        plane, bit = divmod(self.exposures.count, CONTEXT_BITS)
        context = self._context_plane(plane) if self.enable_ctx else NO_FLAGS
        ivm = self.weight_type == "ivm" and "var_rnoise" in names
        fold(
            self._sums,
            own,
            where,
            names.index("var_rnoise") if ivm else -1,
            unit_weight(exposure.metadata, self.weight_type),
            bit,
            self._signal,
            self._weight,
            context,
            self._weighted,
            self._total,
        )

    def _context_plane(self, plane: int) -> UInt32:
        if plane >= len(self._context):
            empty = np.zeros((1, *self.shape), np.uint32)
            self._context = np.concatenate([self._context, empty])
        found: UInt32 = self._context[plane]
        return found

    def planes(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of the band; nothing can be added afterwards.

        Returns
        -------
        dict
            By attribute of `Image`: data, weight float32 (n, nx); context uint32
            (nplanes, n, nx); err and var_* float32, dq uint32 (n, nx), as far as wanted and known.
        """
        self._sums = NONE
        means(self._signal, self._weight, self.fillval)
        result: dict[str, NDArray[Any]] = {"data": self._signal, "weight": self._weight}
        if self.enable_ctx:
            result["context"] = self._planes_of_context()
        if self.propagate_dq:
            result["dq"] = self._flags
        return result | self._errors()

    def _planes_of_context(self) -> UInt32:
        missing = -(-self.exposures.count // CONTEXT_BITS) - len(self._context)
        for _ in range(missing):
            self._context_plane(len(self._context))
        return self._context

    def _errors(self) -> dict[str, Float32]:
        names = self._variances or ()
        shape = (len(names) if self.report_var else 0, *self.shape)
        variances, error = np.empty(shape, np.float32), np.empty(self.shape, np.float32)
        scale = 1.0 / (self.pixel_scale_ratio or 1.0) ** 2
        variances_and_error(self._weighted, self._total, scale, variances, error)
        self._weighted, self._total = NO_SUMS, NO_SUMS
        result = {"err": error} if self.enable_err else {}
        return result | dict(zip(names, variances, strict=False))

    def finish(self, metadata: Metadata) -> Image:
        """Return the mosaic; nothing can be added afterwards.

        Parameters
        ----------
        metadata : Metadata
            Keywords to start from (the first input's, or a blend); they are copied, and those
            that resampling makes are set: WCS, PIXAR_*, S_REGION, exposure times, NDRIZ,
            PIXFRAC, RESWHT, PXSCLRT.

        Returns
        -------
        Image
            SCI, ERR, WHT, CON, VAR_*, DQ as far as wanted, with the output WCS.

        Raises
        ------
        InputError
            If no image was added.
        """
        return image_of(self.planes(), self.keywords(metadata), self.output_wcs)

    def keywords(self, metadata: Metadata) -> Metadata:
        """Return a copy of keywords with those that resampling makes, see `finish`.

        Raises
        ------
        InputError
            If no image was added.
        """
        if self.exposures.count == 0:
            msg = "no image was added to the mosaic; expected at least one"
            raise InputError(msg)
        return product_keywords(
            metadata,
            self.exposures,
            self.output_wcs,
            pixfrac=self.pixfrac,
            weight_type=self.weight_type,
            pixel_scale_ratio=self.pixel_scale_ratio or 1.0,
        )


def as_exposure(image: Any) -> Any:
    """Return an image in memory as an exposure, an exposure as it is.

    Raises
    ------
    InputError
        If it is not 2-D.
    """
    if not isinstance(image, Image):
        return image
    if image.data.ndim != 2:
        msg = f"{image.metadata.source}: SCI has {image.data.ndim} axes; resampling needs 2"
        raise InputError(msg)
    return Exposure.of(image)


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


def image_of(planes: dict[str, NDArray[Any]], metadata: Metadata, wcs: Any) -> Image:
    """Return planes by name as an image; ERR is None where it wasn't wanted."""
    arrays: dict[str, Any] = {"err": None} | planes
    return Image(metadata=metadata, wcs=wcs, **arrays)
