"""The sums that a mosaic, or a band of its rows, is made of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.science.drizzling import NONE
from calwebb_core.science.drop_shapes import NO_FLAGS
from calwebb_core.science.grid_window import Window
from calwebb_core.science.kernels.mosaic import fold, means, variances_and_error

Float64 = NDArray[np.float64]

CONTEXT_BITS = 32
NO_SUMS = np.empty((0, 0, 0), np.float32)


class MosaicSums:
    """Sums over images, and the sums of the image that is being added.

    Parameters
    ----------
    shape : (ny, nx)
    variances : sequence of str
        Planes of variances that images have.
    planes_of_context : int
        How many planes CON has at least; None makes none.

    Attributes
    ----------
    image : float64, (2 + nvariances, ny, nx)
        Of the image that is being added: sums of weight, weight times value, and weight times
        standard deviations.
    """

    def __init__(
        self, shape: tuple[int, int], variances: Sequence[str], planes_of_context: int | None
    ) -> None:
        self.shape, self.variances = shape, tuple(variances)
        number = len(self.variances)
        self.image = np.zeros((2 + number, *shape))
        self._signal, self._weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._weighted = np.zeros((number, *shape), np.float32)
        self._total = np.zeros((min(1, number), *shape), np.float32)
        self._context: UInt32 | None = None
        if planes_of_context is not None:
            self._context = np.zeros((planes_of_context, *shape), np.uint32)

    def own(self) -> Float64:
        """Return sums of weights of each plane, for an image whose planes have their own gaps."""
        return np.repeat(self.image[:1], 1 + len(self.variances), axis=0)

    def fold(self, own: Float64, window: Window, number: int, unit: float, ivm: bool) -> None:
        """Add the sums of an image to those of all, and begin a new one.

        Parameters
        ----------
        own : float64, (1 + nvariances, ny, nx), or empty
            From `own`.
        window : Window
            Where the image has sums.
        number : int
            How many images were added before.
        unit : float
            Weight of the image without `ivm`.
        ivm : bool
            Whether its weight is its inverse variance of read noise.
        """
        if own.size and len(self._total) != len(self.variances):
            self._total = np.repeat(self._total, len(self.variances), axis=0)
        plane, bit = divmod(number, CONTEXT_BITS)
        noise = ivm and "var_rnoise" in self.variances
        fold(
            self.image,
            own,
            (window.y0, window.y1, window.x0, window.x1),
            self.variances.index("var_rnoise") if noise else -1,
            unit,
            bit,
            self._signal,
            self._weight,
            NO_FLAGS if self._context is None else self._context_plane(plane),
            self._weighted,
            self._total,
        )

    def _context_plane(self, plane: int) -> UInt32:
        assert self._context is not None  # noqa: S101 - asked by the callers
        if plane >= len(self._context):
            missing = np.zeros((plane + 1 - len(self._context), *self.shape), np.uint32)
            self._context = np.concatenate([self._context, missing])
        found: UInt32 = self._context[plane]
        return found

    def results(
        self, number: int, fillval: float, scale_ratio: float, *, variances: bool, error: bool
    ) -> dict[str, NDArray[Any]]:
        """Return the planes of the mosaic; nothing can be added afterwards.

        Parameters
        ----------
        number : int
            How many images were added.
        fillval : float
            Value of pixels that no image reaches.
        scale_ratio : float
            Output over input pixel scale.
        variances, error : bool
            Whether to return them.
        """
        self.image = NONE
        means(self._signal, self._weight, fillval)
        result: dict[str, NDArray[Any]] = {"data": self._signal, "weight": self._weight}
        if self._context is not None:
            if number:
                self._context_plane((number - 1) // CONTEXT_BITS)
            result["context"] = self._context
        return result | self._errors(1.0 / scale_ratio**2, variances, error)

    def _errors(self, scale: float, variances: bool, error: bool) -> dict[str, Float32]:
        shape = (len(self.variances) if variances else 0, *self.shape)
        parts, whole = np.empty(shape, np.float32), np.empty(self.shape, np.float32)
        variances_and_error(self._weighted, self._total, scale, parts, whole)
        self._weighted, self._total = NO_SUMS, NO_SUMS
        result = {"err": whole} if error else {}
        return result | dict(zip(self.variances, parts, strict=False))
