"""A mosaic, or a band of its rows, to which images are added one after the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Image
from calwebb_core.science.drizzling import NONE, Part, add_flags, add_planes
from calwebb_core.science.drop_shapes import Drop
from calwebb_core.science.kernels.mosaic import deviations
from calwebb_core.science.mosaic_sums import CONTEXT_BITS, MosaicSums
from calwebb_core.science.pixelmap import PixelMap
from calwebb_core.science.resample_keywords import Exposures, product_keywords
from calwebb_core.science.weights import GOOD_BITS, unit_weight, weighed

Float64 = NDArray[np.float64]

KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
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
        self._flags = np.zeros(self.shape if self.propagate_dq else (0, 0), np.uint32)
        self._sums: MosaicSums | None = None

    def add(self, image: Exposure | Image, pixmap: PixelMap | Float64, *, sky: float = 0.0) -> None:
        """Drizzle an image onto the grid.

        Parameters
        ----------
        image : Exposure or Image
            2-D; its arrays are not changed. Only the pixels that reach the band are read, a part
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
        if self._sums is None:
            self._sums = self._begin(exposure)
        part = Part.of(pixmap, self.band, self.drop)
        if part is not None:
            self._add_part(exposure, pixmap, part, sky, self._sums)
        self.exposures.add(exposure)

    @property
    def drop(self) -> Drop:
        """Shape of a pixel as it falls on the grid."""
        return Drop(self.kernel, self.pixfrac, self.pixel_scale_ratio or 1.0)

    def _begin(self, exposure: Exposure) -> MosaicSums:
        """Make room for the planes that the first image has."""
        wanted = self.enable_err or self.report_var
        variances = [n for n in VARIANCES if wanted and exposure.has(n)]
        context = -(-self.nimages // CONTEXT_BITS) if self.enable_ctx else None
        return MosaicSums(self.shape, variances, context)

    def _add_part(
        self, exposure: Exposure, pixmap: PixelMap, part: Part, sky: float, sums: MosaicSums
    ) -> None:
        own, corner, drop = NONE, (self.band.start, 0), self.drop
        for rows, columns in part.pieces:
            values, weight = weighed(exposure, rows, columns, self.weight_type, self.good_bits, sky)
            pixels = rows, columns
            planes, unknown = planes_of(exposure, sums.variances, pixels, values, weight)
            if unknown and not own.size:
                own = sums.own()
            first, column = rows.start, columns.start
            add_planes(planes, weight, first, pixmap, drop, corner, sums.image, own, column)
            flags = exposure.plane("dq", rows, columns) if self.propagate_dq else None
            if flags is not None:
                add_flags(flags, weight, first, pixmap, drop, corner, self._flags, column)
        unit = unit_weight(exposure.metadata, self.weight_type)
        window = part.window.within(self.band.start)
        sums.fold(own, window, self.exposures.count, unit, self.weight_type == "ivm")

    def planes(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of the band; nothing can be added afterwards.

        Returns
        -------
        dict
            By attribute of `Image`: data, weight float32 (n, nx); context uint32
            (nplanes, n, nx); err and var_* float32, dq uint32 (n, nx), as far as wanted and known.
        """
        sums, self._sums = self._sums, None
        if sums is None:
            sums = MosaicSums(self.shape, (), 0 if self.enable_ctx else None)
        result = sums.results(
            self.exposures.count,
            self.fillval,
            self.pixel_scale_ratio or 1.0,
            variances=self.report_var,
            error=self.enable_err,
        )
        return result | {"dq": self._flags} if self.propagate_dq else result

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


def planes_of(
    exposure: Exposure,
    names: Sequence[str],
    pixels: tuple[slice, slice],
    values: Float32,
    weight: Float32,
) -> tuple[Float32, int]:
    """Return values and standard deviations of some pixels, and how many of these are NaN."""
    planes = np.empty((1 + len(names), *values.shape), np.float32)
    planes[0] = values
    unknown = 0
    for number, name in enumerate(names):
        variance = exposure.plane(name, *pixels)
        if variance is None:
            planes[1 + number] = np.nan
            unknown += 1
        else:
            unknown += deviations(variance, weight, planes[1 + number])
    return planes, unknown


def image_of(planes: dict[str, NDArray[Any]], metadata: Metadata, wcs: Any) -> Image:
    """Return planes by name as an image; ERR is None where it wasn't wanted."""
    arrays: dict[str, Any] = {"err": None} | planes
    return Image(metadata=metadata, wcs=wcs, **arrays)
