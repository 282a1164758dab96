"""Dedicated background exposures: their average, subtracted from an exposure of a target.

For each file the mean over its integrations, then the mean over the files, both without values
more than `sigma` standard deviations from the median of a pixel. The variances of that mean
are added to the target's, and its flags. Everything goes by bands of rows: the memory needed
does not depend on how many files there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Image, UInt32
from calwebb_core.framework.threads import in_threads, number_of_threads
from calwebb_core.science.kernels.clipped_mean import clipped_mean, subtract_mean

SAME = (
    "INSTRUME", "DETECTOR", "FILTER", "PUPIL", "EXP_TYPE", "BUNIT", "SUBSTRT1", "SUBSTRT2",
    "SUBSIZE1", "SUBSIZE2", "S_FLAT",
)  # fmt: skip
# Bytes of background pixels in memory at a time, in all threads together.
MEMORY = 64 << 20
BYTES_PER_PIXEL = 16
ALWAYS = 1 << 30
HIGHEST_BAND = 128


class BackgroundExposure(Protocol):
    """A background exposure whose pixels are read when they are asked for."""

    @property
    def keywords(self) -> Metadata:
        """Keywords of the file."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Integrations, rows, columns."""

    def rows(self, name: str, integration: int, rows: slice) -> NDArray[Any] | None:
        """Return rows of data, err, dq, var_poisson or var_rnoise, or None if it has none."""


@dataclass
class Means:
    """Some rows of an average: float32 and, for `dq`, uint32, (n, rows, nx) or (rows, nx)."""

    data: Float32
    var_poisson: Float32
    var_rnoise: Float32
    dq: UInt32

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> "Means":
        """Return arrays to be filled."""
        floats = [np.empty(shape, np.float32) for _ in range(3)]
        return cls(floats[0], floats[1], floats[2], np.empty(shape, np.uint32))

    def arrays(self) -> tuple[Any, ...]:
        """Return data, var_poisson, var_rnoise and dq."""
        return self.data, self.var_poisson, self.var_rnoise, self.dq

    def part(self, index: Any) -> "Means":
        """Return views of a part."""
        return Means(*(array[index] for array in self.arrays()))


def check_background(target: Metadata, background: Metadata) -> None:
    """Refuse a background that was not taken as the target was.

    Raises
    ------
    InputError
        If detector, optical elements, subarray, exposure type, unit or state of calibration
        differ; the message names both files, the keyword and both values.
    """
    for keyword in SAME:
        ours, other = target.get(keyword), background.get(keyword)
        if ours != other:
            msg = (
                f"{background.source}: {keyword} of the background is {other!r}; that of "
                f"{target.source} is {ours!r}: choose a background taken in the same way"
            )
            raise InputError(msg)


def subtract_backgrounds(
    image: Image,
    backgrounds: Sequence[BackgroundExposure],
    *,
    sigma: float = 3.0,
    maxiters: int | None = None,
    keep: bool = False,
) -> Image | None:
    """Subtract the average of background exposures from an image or a cube, in place.

    Parameters
    ----------
    image : Image
        2-D, or one image per integration. Its data, err, dq and variances are changed; a
        variance that it lacks counts as zero.
    backgrounds : sequence of BackgroundExposure
        Of the image's size.
    sigma : float
        Distance from the median, in standard deviations, beyond which values are left out.
    maxiters : int, optional
        Most rounds of clipping; until nothing changes by default.
    keep : bool
        Whether to return the average.

    Returns
    -------
    Image or None
        The average with its own errors and the first background's keywords.

    Raises
    ------
    InputError
        If there is no background or one is of another size.
    """
    check_sizes(image.metadata, image.data.shape, backgrounds)
    ny, nx = image.data.shape[-2:]
    rounds = ALWAYS if maxiters is None else maxiters
    if image.dq is None:
        image.dq = np.zeros(image.data.shape, np.uint32)
    for name in ("var_poisson", "var_rnoise"):
        if getattr(image, name) is None:
            setattr(image, name, np.zeros(image.data.shape, np.float32))
    whole = Means.empty((ny, nx)) if keep else None
    arrays = (image.data, image.err, image.dq, image.var_poisson, image.var_rnoise)
    cubes = [array.reshape(-1, ny, nx) for array in arrays if array is not None]

    def subtract(rows: slice) -> None:
        mean = average(backgrounds, rows, nx, sigma, rounds)
        subtract_rows(cubes, rows, mean)
        if whole is not None:
            for target, values in zip(whole.arrays(), mean.arrays(), strict=True):
                target[rows] = values

    in_threads(subtract, bands(ny, nx, backgrounds))
    return None if whole is None else as_image(whole, backgrounds[0].keywords)


def subtract_rows(cubes: Sequence[NDArray[Any]], rows: slice, mean: Means) -> None:
    """Subtract an average from some rows of data, err, dq, var_poisson, var_rnoise, in place."""
    for planes in zip(*cubes, strict=True):
        subtract_mean(*(plane[rows] for plane in planes), *mean.arrays())


def check_sizes(
    target: Metadata, shape: tuple[int, ...], backgrounds: Sequence[BackgroundExposure]
) -> None:
    """Refuse no background, or one that has not the rows and columns of the target."""
    if not backgrounds:
        msg = f"{target.source}: no background exposure is given; expected at least one"
        raise InputError(msg)
    for background in backgrounds:
        if background.shape[1:] != shape[-2:]:
            msg = (
                f"{background.keywords.source}: the background has {background.shape[1:]} pixels; "
                f"{target.source} has {shape[-2:]}"
            )
            raise InputError(msg)


def bands(ny: int, nx: int, backgrounds: Sequence[BackgroundExposure]) -> list[slice]:
    """Cut an image in bands of rows that are few enough for the memory."""
    depth = len(backgrounds) + max(background.shape[0] for background in backgrounds)
    share = MEMORY // number_of_threads()
    height = min(max(1, share // (depth * nx * BYTES_PER_PIXEL)), HIGHEST_BAND)
    return [slice(y, min(y + height, ny)) for y in range(0, ny, height)]


def average(
    backgrounds: Sequence[BackgroundExposure], rows: slice, nx: int, sigma: float, rounds: int
) -> Means:
    """Return some rows of the average of all backgrounds."""
    shape = (rows.stop - rows.start, nx)
    means = Means.empty((len(backgrounds), *shape))
    for number, background in enumerate(backgrounds):
        integrations = read(background, rows, shape)
        clipped_mean(*integrations.arrays(), sigma, rounds, *means.part(number).arrays())
    if len(backgrounds) == 1:
        return means.part(0)
    result = Means.empty(shape)
    clipped_mean(*means.arrays(), sigma, rounds, *result.arrays())
    return result


def read(background: BackgroundExposure, rows: slice, shape: tuple[int, int]) -> Means:
    """Read some rows of all integrations.

    Without VAR_POISSON or VAR_RNOISE all of ERR counts as read noise.
    """
    nints = background.shape[0]
    result = Means.empty((nints, *shape))
    for integration in range(nints):
        names = ("data", "dq", "var_poisson", "var_rnoise")
        data, dq, poisson, rnoise = (background.rows(name, integration, rows) for name in names)
        result.data[integration], result.dq[integration] = np.asarray(data), np.asarray(dq)
        if poisson is None or rnoise is None:
            err = np.asarray(background.rows("err", integration, rows))
            poisson, rnoise = np.zeros(shape, np.float32), np.square(err)
        result.var_poisson[integration], result.var_rnoise[integration] = poisson, rnoise
    return result


def as_image(mean: Means, keywords: Metadata) -> Image:
    """Return an average as an image."""
    return Image(
        keywords.copy(),
        mean.data,
        np.sqrt(mean.var_poisson + mean.var_rnoise),
        mean.dq,
        mean.var_poisson,
        mean.var_rnoise,
    )
