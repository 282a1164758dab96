"""Images onto a common grid by drizzling, one after the other.

Fruchter & Hook 2002 (PASP 114, 144) give the weighted mean of surface brightness for each
output pixel; see `calwebb_core.science.drizzling` for the loops. Input weights are the inverse
read-noise variance (Casertano et al. 2000, AJ 120, 2747) or the exposure time.

Variances: within one image the standard deviation is averaged like the signal, so that sums
over many output pixels keep the right error although neighbours are correlated; between
images, which are independent, variances add with squared weights:
``V = sum(w^2 sigma^2) / (sum w)^2 / r^2`` with ``r`` the output over the input pixel scale.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Image
from calwebb_core.science.drizzling import Window, drizzle_planes
from calwebb_core.science.kernels.mosaic import add_weighted_variance
from calwebb_core.science.output_grid import output_wcs
from calwebb_core.science.pixelmap import pixel_map
from calwebb_core.science.resample_keywords import Exposures, product_keywords
from calwebb_core.science.weights import GOOD_BITS, good_mask, input_weight, measuring_time

__all__ = ["GOOD_BITS", "KERNELS", "Mosaic", "good_mask", "input_weight", "output_wcs", "pixel_map"]

Float64 = NDArray[np.float64]

KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
CONTEXT_BITS = 32
VARIANCES = ("var_poisson", "var_rnoise", "var_flat")


@dataclass
class VarianceSum:
    """Running sums of one kind of variance over the images, float32 (ny, nx)."""

    weighted: Float32
    weight: Float32

    def finish(self, scale_ratio: float) -> Float32:
        """Return the variance; NaN where nothing was added."""
        result = np.full(self.weighted.shape, np.nan, np.float32)
        np.divide(self.weighted, self.weight, out=result, where=self.weight > 0)
        np.divide(result, self.weight, out=result, where=self.weight > 0)
        result /= np.float32(scale_ratio**2)
        return result


@dataclass
class Mosaic:
    """A resampled image to which inputs are added one at a time.

    Parameters
    ----------
    output_wcs : gwcs.WCS
        From `output_wcs`, or another with ``pixel_shape``.
    pixfrac : float
        Side of the shrunken input pixel in units of the pixel, 0 to 1.
    kernel : str
        One of `KERNELS`.
    fillval : float
        Value of output pixels that no input reaches.
    weight_type : {"ivm", "exptime"}
    good_bits : int or str
    pixel_scale_ratio : float, optional
        Output over input pixel scale; from PIXAR_SR of the first image otherwise.
    variances : bool
        Whether to resample VAR_* and to make ERR from them.
    """

    output_wcs: Any
    pixfrac: float = 1.0
    kernel: str = "square"
    fillval: float = math.nan
    weight_type: str = "ivm"
    good_bits: int | str = GOOD_BITS
    pixel_scale_ratio: float | None = None
    variances: bool = True
    exposures: Exposures = field(default_factory=Exposures)

    def __post_init__(self) -> None:
        if not 0 <= self.pixfrac <= 1:
            msg = f"pixfrac is {self.pixfrac}; expected a number from 0 to 1"
            raise InputError(msg)
        if self.kernel not in KERNELS:
            msg = f"kernel is {self.kernel!r}; expected one of {', '.join(KERNELS)}"
            raise InputError(msg)
        nx, ny = self.output_wcs.pixel_shape
        self.shape: tuple[int, int] = (int(ny), int(nx))
        self._signal = np.zeros(self.shape, np.float32)
        self._weight = np.zeros(self.shape, np.float32)
        self._context = np.zeros((1, *self.shape), np.uint32)
        self._variances: dict[str, VarianceSum] = {}
        self._weight_unit: float | None = None

    def add(self, image: Image, pixmap: Float64, *, sky: float = 0.0) -> None:
        """Drizzle an image onto the grid.

        Parameters
        ----------
        image : Image
            2-D; its arrays are not changed.
        pixmap : float64, (ny, nx, 2)
            From `pixel_map`; NaN where a pixel is not to be used.
        sky : float
            Level that is subtracted first, in the unit of SCI.

        Raises
        ------
        InputError
            If shapes differ or the image is not 2-D.
        """
        if pixmap.shape != (*image.data.shape, 2):
            msg = (
                f"{image.metadata.source}: pixel map has shape {pixmap.shape}; "
                f"expected {(*image.data.shape, 2)}"
            )
            raise InputError(msg)
        weight = input_weight(image, self.weight_type, self.good_bits)
        weight[~np.isfinite(pixmap).all(axis=-1)] = 0
        if self.pixel_scale_ratio is None:
            self.pixel_scale_ratio = self.exposures.scale_ratio(image.metadata, self.output_wcs)
        window = Window.around(pixmap, self.shape)
        if window is not None:
            self._add_planes(image, window, window.local(pixmap), weight, sky)
        self.exposures.add(image)

    def _add_planes(
        self, image: Image, window: Window, pixmap: Float64, weight: Float32, sky: float
    ) -> None:
        names = [name for name in VARIANCES if getattr(image, name) is not None]
        names = names if self.variances else []
        planes = np.empty((1 + len(names), *image.data.shape), np.float32)
        planes[0] = np.where(weight > 0, image.data - np.float32(sky), np.float32(0))
        for position, name in enumerate(names):
            planes[1 + position] = standard_deviation(getattr(image, name))
        sums, totals = drizzle_planes(
            planes,
            weight,
            pixmap,
            window.shape,
            kernel=self.kernel,
            pixfrac=self.pixfrac,
            pixel_scale_ratio=self.pixel_scale_ratio or 1.0,
        )
        self._add_signal(window, sums[0], totals[0])
        sigmas = {
            name: weighted_mean(sums[1 + position], totals[1 + position])
            for position, name in enumerate(names)
        }
        self._add_variances(image, window, sigmas)

    def _add_signal(self, window: Window, sums: Float64, totals: Float64) -> None:
        self._signal[window.slices] += sums
        self._weight[window.slices] += totals
        plane, bit = divmod(self.exposures.count, CONTEXT_BITS)
        if plane == len(self._context):
            empty = np.zeros((1, *self.shape), np.uint32)
            self._context = np.concatenate([self._context, empty])
        self._context[plane][window.slices] |= np.where(totals > 0, np.uint32(1 << bit), 0).astype(
            np.uint32
        )

    def _add_variances(self, image: Image, window: Window, sigmas: dict[str, Float32]) -> None:
        weight = self._image_weight(image, sigmas.get("var_rnoise"), window.shape)
        for name, sigma in sigmas.items():
            if name not in self._variances:
                self._variances[name] = VarianceSum(
                    np.zeros(self.shape, np.float32), np.zeros(self.shape, np.float32)
                )
            total = self._variances[name]
            add_weighted_variance(
                sigma, weight, total.weighted[window.slices], total.weight[window.slices]
            )

    def _image_weight(
        self, image: Image, sigma_rnoise: Float32 | None, shape: tuple[int, int]
    ) -> Float32:
        if self.weight_type == "exptime":
            weight = np.full(shape, measuring_time(image.metadata), np.float64)
        elif sigma_rnoise is None:
            weight = np.ones(shape, np.float64)
        else:
            weight = np.zeros(shape, np.float64)
            np.divide(1.0, sigma_rnoise.astype(np.float64) ** 2, out=weight, where=sigma_rnoise > 0)
        if self._weight_unit is None and np.any(weight > 0):
            # Squares of inverse variances would leave the range of float32.
            self._weight_unit = float(np.median(weight[weight > 0]))
        return (weight / (self._weight_unit or 1.0)).astype(np.float32)

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
            SCI, ERR, WHT, CON and VAR_*, with the output WCS.

        Raises
        ------
        InputError
            If no image was added.
        """
        if self.exposures.count == 0:
            msg = "no image was added to the mosaic; expected at least one"
            raise InputError(msg)
        ratio = self.pixel_scale_ratio or 1.0
        variances = {name: total.finish(ratio) for name, total in self._variances.items()}
        self._variances.clear()
        data = np.full(self.shape, self.fillval, np.float32)
        np.divide(self._signal, self._weight, out=data, where=self._weight != 0)
        return Image(
            metadata=product_keywords(
                metadata,
                self.exposures,
                self.output_wcs,
                pixfrac=self.pixfrac,
                weight_type=self.weight_type,
                pixel_scale_ratio=ratio,
            ),
            data=data,
            err=total_error(variances, self.shape),
            weight=self._weight,
            context=self._context,
            wcs=self.output_wcs,
            var_poisson=variances.get("var_poisson"),
            var_rnoise=variances.get("var_rnoise"),
            var_flat=variances.get("var_flat"),
        )


def standard_deviation(variance: Float32) -> Float32:
    """Return the square root of variances; NaN where they are NaN or negative."""
    result = np.full(variance.shape, np.nan, np.float32)
    np.sqrt(variance, out=result, where=variance >= 0)
    return result


def weighted_mean(sums: Float64, totals: Float64) -> Float32:
    """Return sums over totals; NaN where nothing was added."""
    result = np.full(sums.shape, np.nan)
    np.divide(sums, totals, out=result, where=totals != 0)
    return result.astype(np.float32)


def total_error(variances: dict[str, Float32], shape: tuple[int, int]) -> Float32:
    """Return the square root of the sum of variances; NaN where none is known."""
    total = np.zeros(shape, np.float32)
    known = np.zeros(shape, bool)
    for variance in variances.values():
        finite = np.isfinite(variance)
        np.add(total, variance, out=total, where=finite)
        known |= finite
    return np.where(known, np.sqrt(total), np.float32(np.nan))
