"""Three or more mosaics of a target as one colour image.

The mosaics are put on one grid, along the rows of the widest one and no further than all reach,
freed of their background, brought to the same brightness, and combined as Lupton et al. (2004,
PASP 116, 133) do: the stretch is applied to the mean of the three colours, so that bright sources
keep theirs. The bluest third of the mosaics is blue, the reddest red.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import metadata_from
from calwebb_core.framework.fits_layout import find, require, scan
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.quicklook_figure import rgb
from calwebb_core.framework.quicklook_grid import Frame, border
from calwebb_core.framework.quicklook_image import binned
from calwebb_core.framework.quicklook_page import (
    LONGEST,
    MISSING,
    Layout,
    new_page,
    save,
    show,
    sky_axes,
)
from calwebb_core.framework.quicklook_sky import Sky

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

FEWEST = 3
COMMON = ("INSTRUME", "TARGPROP")
BRIGHT = 5.0  # sigma above the background: sources with colour, which set its balance
DARK = 3.0  # sigma: the stretch is linear up to here
SKY = 1.0  # sigma below the background that are black
DEPTH = np.uint8(0xF8)  # bits kept of a colour: what noise needs is left to the file's size
_FILTER = re.compile(r"F(\d{3,4})([A-Z])\w*")


@dataclass(frozen=True)
class Layer:
    """A mosaic as it is read for a colour image.

    Attributes
    ----------
    path : Path
    metadata : Metadata
    sky : Sky
        Of the mosaic's own pixels.
    shape : (ny, nx)
        Of the mosaic.
    """

    path: Path
    metadata: Metadata
    sky: Sky
    shape: tuple[int, int]

    @classmethod
    def open(cls, path: Path) -> "Layer":
        """Read the headers.

        Raises
        ------
        InputError
            If it is no image with sky coordinates.
        """
        hdus = scan(path)
        science = require(path, hdus, "SCI")
        sky = Sky.of(science.header)
        if sky is None or len(science.shape) != 2:
            msg = f"{path}: has no image with sky coordinates; expected a mosaic (_i2d)"
            raise InputError(msg)
        metadata = metadata_from(path, {hdu.name: hdu.header for hdu in hdus})
        return cls(path, metadata, sky, (science.shape[0], science.shape[1]))

    @property
    def filter(self) -> tuple[float, str]:
        """Wavelength in microns and name of its filter.

        Raises
        ------
        InputError
            If no name says a wavelength.
        """
        words = [str(self.metadata.get(key) or "") for key in ("FILTER", "PUPIL")]
        found = [match for match in map(_FILTER.fullmatch, words) if match]
        if not found:
            msg = (
                f"{self.path}: neither FILTER nor PUPIL ({', '.join(words)}) names a wavelength, "
                "such as F277W; a colour image needs one"
            )
            raise InputError(msg)
        narrowest = min(found, key=lambda match: "NMW".find(match[2]))
        return int(narrowest[1]) / 100, narrowest[0]

    def read(self, factor: int) -> Float32:
        """Return the image, averaged over `factor` x `factor` pixels."""
        hdus = scan(self.path)
        quality = find(hdus, "WHT") or find(hdus, "DQ")
        return binned(self.path, require(self.path, hdus, "SCI"), quality, 0, factor)


def write_colour(products: Sequence[Path], png: Path) -> None:
    """Draw mosaics of one target through three or more filters as a colour image.

    Parameters
    ----------
    products : sequence of Path
        Mosaics in any order.
    png : Path
        File to write, whole or not at all.

    Raises
    ------
    InputError
        If there are fewer than three filters, or the mosaics differ in instrument or target.
    """
    layers = sorted(map(Layer.open, map(Path, products)), key=lambda layer: layer.filter)
    check(layers)
    grid = Grid.of(layers)
    images = [without_background(on_grid(layer, grid)) for layer in layers]
    parts = np.array_split(np.arange(len(images)), 3)
    planes = [np.mean([images[i] for i in part], axis=0) for part in parts]
    picture = combined(balanced(planes)[::-1])
    names = ["+".join(layers[i].filter[1] for i in part) for part in parts]
    save(page(picture, grid, names), png, [layer.path for layer in layers])


@dataclass(frozen=True)
class Grid:
    """The grid of a colour image, in pixels of the widest mosaic.

    Attributes
    ----------
    widest : Layer
    frame : (left, right, bottom, top)
        Its borders.
    step : float
        Side of its pixels.
    note : str
        To be said in the title.
    """

    widest: Layer
    frame: Frame
    step: float
    note: str = ""

    @classmethod
    def of(cls, layers: Sequence[Layer]) -> "Grid":
        """Return the grid of what all mosaics reach: as fine as the finest, at most LONGEST."""
        widest = max(layers, key=lambda layer: layer.sky.scale**2 * layer.shape[0] * layer.shape[1])
        boxes = np.array([box_of(layer, widest) for layer in layers])
        low, high = boxes[:, 0].max(axis=0), boxes[:, 1].min(axis=0)
        note = ""
        if not (high - low >= 1).all():
            low, high = np.array(box_of(widest, widest))
            note = "the mosaics do not overlap"
        finest = min(layer.sky.scale for layer in layers) / widest.sky.scale
        step = max(finest, float((high - low).max()) / LONGEST)
        shape = np.maximum(1, np.floor((high - low) / step + 1e-9))
        right, top = low + shape * step
        return cls(widest, (float(low[0]), float(right), float(low[1]), float(top)), step, note)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        left, right, bottom, top = self.frame
        return round((top - bottom) / self.step), round((right - left) / self.step)


def box_of(layer: Layer, widest: Layer) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the lower and upper corner of a mosaic's borders in pixels of the widest."""
    ny, nx = layer.shape
    x, y = border((-0.5, nx - 0.5, -0.5, ny - 0.5))
    if layer is not widest:
        x, y = widest.sky.pixels(*layer.sky.sky(x, y))
    return (float(x.min()), float(y.min())), (float(x.max()), float(y.max()))


def check(layers: Sequence[Layer]) -> None:
    """Refuse what does not make a colour image.

    Raises
    ------
    InputError
        If so.
    """
    filters = {layer.filter[0] for layer in layers}
    if len(filters) < FEWEST:
        names = ", ".join(str(layer.path) for layer in layers)
        msg = f"{names}: {len(filters)} filters; a colour image needs {FEWEST}"
        raise InputError(msg)
    first = layers[0].metadata
    for layer in layers[1:]:
        for keyword in COMMON:
            if layer.metadata.get(keyword) != first.get(keyword):
                msg = (
                    f"{layer.path}: {keyword} is {layer.metadata.get(keyword)!r} but "
                    f"{first.get(keyword)!r} in {layers[0].path}; a colour image is made of "
                    "mosaics of one target and instrument"
                )
                raise InputError(msg)


def on_grid(layer: Layer, grid: Grid) -> Float32:
    """Return a mosaic on the grid, by linear interpolation; NaN where it has nothing.

    Pixels finer than the grid are averaged before.
    """
    own = max(1, round(grid.step * grid.widest.sky.scale / layer.sky.scale))
    rows, columns = np.indices(grid.shape, np.float64)
    x = grid.frame[0] + grid.step * (columns + 0.5)
    y = grid.frame[2] + grid.step * (rows + 0.5)
    if layer is not grid.widest:
        x, y = layer.sky.pixels(*grid.widest.sky.sky(x, y))
    middle = (own - 1) / 2
    return interpolated(layer.read(own), (x - middle) / own, (y - middle) / own)


def interpolated(image: Float32, x: Float64, y: Float64) -> Float32:
    """Return values of an image between its pixels; NaN outside and beside missing ones."""
    ny, nx = image.shape
    inside = (x >= 0) & (y >= 0) & (x <= nx - 1) & (y <= ny - 1)
    x0 = np.where(inside, x, 0).astype(np.intp).clip(0, max(nx - 2, 0))
    y0 = np.where(inside, y, 0).astype(np.intp).clip(0, max(ny - 2, 0))
    x1, y1 = np.minimum(x0 + 1, nx - 1), np.minimum(y0 + 1, ny - 1)
    right, up = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
    low = image[y0, x0] * (1 - right) + image[y0, x1] * right
    high = image[y1, x0] * (1 - right) + image[y1, x1] * right
    return np.asarray(np.where(inside, low * (1 - up) + high * up, np.nan), np.float32)


def spread(image: Float32) -> tuple[float, float]:
    """Return median and standard deviation of the background (three rounds of 3-sigma clipping).

    Returns
    -------
    middle, sigma : float
        sigma is 1 for a constant image.
    """
    values = image[np.isfinite(image)]
    if values.size == 0:
        return 0.0, 1.0
    for _ in range(3):
        middle = float(np.median(values))
        sigma = 1.4826 * float(np.median(np.abs(values - middle)))
        values = values[np.abs(values - middle) <= 3 * sigma]
    return float(np.median(values)), sigma or 1.0


def without_background(image: Float32) -> Float32:
    """Return an image less the level of its background."""
    return np.asarray(image - np.float32(spread(image)[0]), np.float32)


def balanced(planes: Sequence[Float32]) -> list[Float32]:
    """Return the planes scaled so that the median of the sources is white."""
    sigmas = [spread(plane)[1] for plane in planes]
    above = [plane > BRIGHT * sigma for plane, sigma in zip(planes, sigmas, strict=True)]
    bright = np.logical_and.reduce(above)
    if np.count_nonzero(bright) < 10:
        return [plane / np.float32(sigma) for plane, sigma in zip(planes, sigmas, strict=True)]
    mean = np.mean([plane[bright] for plane in planes], axis=0)
    return [plane / np.float32(np.median(plane[bright] / mean)) for plane in planes]


def combined(planes: Sequence[Float32]) -> UInt8:
    """Return the colour image of red, green and blue, uint8 (ny, nx, 3)."""
    cube = np.stack(planes, axis=-1)
    good = np.asarray(np.isfinite(cube).all(axis=-1))
    cube = np.where(good[..., None], cube, 0)
    mean = cube.mean(axis=-1)
    sigma = spread(np.where(good, mean, np.nan).astype(np.float32))[1]
    values = mean[good] if good.any() else np.zeros(1, np.float32)
    high = max(float(np.percentile(values, 99.7)), 10 * sigma)
    # noise has no colour: it is dark grey
    share = (mean / (BRIGHT * sigma)).clip(0, 1)[..., None]
    cube = mean[..., None] + share * (cube - mean[..., None])
    floor = SKY * sigma
    above = np.maximum(mean + floor, 1e-6 * sigma)
    # in double precision: in single, C libraries round it otherwise
    light = np.arcsinh(above / (DARK * sigma), dtype=np.float64) / np.arcsinh(high / (DARK * sigma))
    colour = (cube + floor) * (light / above).astype(np.float32)[..., None]
    colour /= np.maximum(colour.max(axis=-1), 1)[..., None]
    picture = (255 * colour.clip(0, 1)).round().astype(np.uint8) & DEPTH
    picture[~good] = rgb(MISSING)
    return np.asarray(picture)


def page(picture: UInt8, grid: Grid, names: Sequence[str]) -> Any:
    """Return the figure of a colour image."""
    layout = Layout.of(*grid.shape)
    metadata = grid.widest.metadata
    program = str(metadata.get("PROGRAM") or "")
    target = str(metadata.get("TARGPROP") or metadata.get("TARGNAME") or "")
    first = [f"program {program}" if program else "", target]
    second = [str(metadata.get("INSTRUME") or ""), "in colour", grid.note]
    lines = ["   ".join(part for part in parts if part) for parts in (first, second)]
    figure, axes = new_page(layout, lines)
    show(axes, picture, layout, grid.frame)
    sky_axes(axes, grid.widest.sky, grid.frame, layout)
    legend(figure, layout, names)
    return figure


def legend(figure: Any, layout: Layout, names: Sequence[str]) -> None:
    """Say beside the image which filters are red, green and blue."""
    x, y, _, height = layout.bar
    colours = (("#c03028", "red"), ("#2c8a3c", "green"), ("#3058c8", "blue"))
    for number, ((colour, word), name) in enumerate(zip(colours, names[::-1], strict=True)):
        text = "\n+".join(name.split("+"))
        figure.text(
            x, y + height - (10 + 62 * number) / layout.height, f"{word}:\n{text}", color=colour,
            fontsize=9, fontweight="bold", va="top", parse_math=False,
        )  # fmt: skip
