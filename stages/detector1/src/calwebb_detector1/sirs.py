"""SIRS: levels of rows from reference columns filtered by frequency.

Simple Improved Reference Subtraction (Rauscher 2022, JATIS 8, 028002): for every output the drift
from row to row is the sum of the left and of the right reference columns, each convolved with the
kernel that least squares found best for it. The SIRSKERNEL reference holds the kernels' Fourier
coefficients: gamma for the left, zeta for the right columns.
"""

import logging
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.arrays import label
from calwebb_detector1.blocks import Window
from calwebb_detector1.orientation import SIZE, Orientation
from calwebb_detector1.reference_levels import Mask, Options, column_levels, outer, strips

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]
OUTPUTS = 4
# Standard deviation of normal noise by its median absolute deviation.
DEVIATION = 1.48


@dataclass(frozen=True)
class Kernels:
    """Convolution kernels of a detector, float64 (4 outputs, 2 halfwidth + 1), and clipping."""

    left: Float64
    right: Float64
    reject: float


class SirsOptions(Options, Protocol):
    """The options of refpix that matter here."""

    @property
    def sigreject(self) -> float:
        """Clipping of reference pixels, sigma."""

    @property
    def gaussmooth(self) -> float:
        """Width of the Gaussian that the kernels are smoothed with, rows."""

    @property
    def halfwidth(self) -> int:
        """Rows of the kernels to each side."""


def load_kernels(
    metadata: Metadata, references: References, parameters: SirsOptions, *, full: bool
) -> Kernels | None:
    """Return the kernels for an exposure, or None, with the reason in the log, if it has none."""
    if not full:
        logger.info("SIRS is for full frames: running medians serve")
        return None
    reference = references.load("sirskernel", metadata)
    detector = metadata.require("DETECTOR", str)
    kernels = None if reference is None else kernels_of(reference, detector, parameters)
    if kernels is None:
        why = "the sirskernel reference is N/A"
        if reference is not None:
            why = f"{label(reference)} has no kernels for {detector}"
        logger.warning("%s: %s; running medians serve", metadata.source, why)
    return kernels


def kernels_of(reference: Reference, detector: str, parameters: SirsOptions) -> Kernels | None:
    """Return the kernels of a detector from a SIRSKERNEL reference, None if it has none.

    Parameters
    ----------
    reference : Reference
        ASDF tree with gamma and zeta, complex (4, n), by detector in lower case.
    detector : str
    parameters : the options of refpix

    Raises
    ------
    ReferenceFileError
        If the coefficients have another shape.
    """
    own = (reference.tree or {}).get(detector.lower())
    if own is None:
        return None
    sides = []
    for name in ("gamma", "zeta"):
        coefficients = np.asarray(own.get(name, ()))
        if coefficients.ndim != 2 or len(coefficients) != OUTPUTS:
            msg = (
                f"{label(reference)}: {name} of {detector} has shape {coefficients.shape}; "
                f"expected ({OUTPUTS}, frequencies)"
            )
            raise ReferenceFileError(msg)
        sides.append(_kernels(coefficients, parameters.halfwidth, parameters.gaussmooth))
    return Kernels(left=sides[0], right=sides[1], reject=parameters.sigreject)


def _kernels(coefficients: NDArray[np.complex128], halfwidth: int, smoothing: float) -> Float64:
    """Return the middle of the coefficients' inverse transforms, smoothed."""
    offsets = np.arange(-halfwidth, halfwidth + 1)
    weights = np.exp(-0.5 * (offsets / smoothing) ** 2)
    series = np.fft.irfft(coefficients, axis=1)
    middle = series[:, offsets % series.shape[1]]
    rows = [np.convolve(row, weights / weights.sum(), mode="same") for row in middle]
    return np.stack(rows)


def filtered(samples: Float32, good: Mask, kernels: Float64, reject: float) -> Float64:
    """Return what one side of reference columns says on every row, (4 outputs, nrows).

    Parameters
    ----------
    samples : float32, (nrows, 4), DN
    good : bool, (nrows, 4)
    kernels : float64, (4 outputs, n)
    reject : clipping, sigma
    """
    levels = np.zeros((OUTPUTS, len(samples)))
    if not good.any():
        return levels
    values = samples.astype(np.float64)
    centre = np.median(values[good])
    deviation = DEVIATION * np.median(np.abs(values[good] - centre))
    kept = good & (np.abs(values - centre) <= reject * deviation)
    mean = np.where(kept, values, 0.0).sum(axis=1) / samples.shape[1]
    share = kept.sum(axis=1) / samples.shape[1]
    for output, kernel in enumerate(kernels):
        # Rejected samples and rows beyond the ends are made up for by the others' weights.
        whole, found, seen = (
            np.convolve(series, kernel, mode="same") for series in (np.ones(len(mean)), mean, share)
        )
        np.divide(found * whole, seen, out=levels[output], where=seen != 0)
    return levels


class SirsLevels:
    """The reference levels of all groups of a full frame, by column and by output and row.

    Parameters
    ----------
    nints, ngroups : of the exposure; one more plane an integration is kept for the zero frame
    good : bool, (slow, fast): reference pixels to use
    where : Orientation
    kernels : Kernels
    parameters : the options of refpix
    """

    def __init__(
        self,
        nints: int,
        ngroups: int,
        good: Mask,
        where: Orientation,
        kernels: Kernels,
        parameters: Options,
    ) -> None:
        self._good, self._where, self._kernels = good, where, kernels
        self._parameters = parameters
        self._columns = np.zeros((nints, ngroups + 1, SIZE))
        self._rows = np.zeros((nints, ngroups + 1, OUTPUTS, SIZE))

    def add(self, integration: int, group: int, images: Float32) -> None:
        """Find the levels of groups (nints, ngroups, ny, nx), of zero frames as group -1."""
        for i, g in np.ndindex(*images.shape[:2]):
            self._add(integration + i, group + g, images[i, g])

    def _add(self, integration: int, group: int, image: Float32) -> None:
        planes, where = image[np.newaxis], self._where
        columns = column_levels(planes, self._good, where, self._parameters)
        self._columns[integration, group] = columns[0]
        if not self._parameters.use_side_ref_pixels:
            return
        samples, mask = strips(planes, self._good, where, -1)
        kernels = (self._kernels.left, self._kernels.right)
        for end, (part, kernel) in enumerate(zip(outer(columns, 0, -1), kernels, strict=True)):
            side = samples[0, end] - part[0].astype(np.float32)
            self._rows[integration, group] += filtered(
                side, mask[end], kernel, self._kernels.reject
            )

    def subtract(self, planes: Float32, groups: slice, part: Window) -> None:
        """Subtract the levels from some pixels of `planes` (nints, ngroups, rows, columns)."""
        where = self._where
        fast, slow = (part.rows, part.columns) if where.fast_is_y else (part.columns, part.rows)
        turn_fast, turn_slow = (
            slice(None, None, -1 if flip else 1) for flip in (where.flip_fast, where.flip_slow)
        )
        output = (np.arange(SIZE) * OUTPUTS // SIZE)[turn_fast][fast]
        columns = self._columns[:, groups, turn_fast][..., fast]
        rows = self._rows[:, groups, :, turn_slow][..., slow]
        for integration, group in np.ndindex(columns.shape[:2]):
            level = columns[integration, group][:, np.newaxis] + rows[integration, group][output]
            planes[integration, group] -= (level if where.fast_is_y else level.T).astype(np.float32)
