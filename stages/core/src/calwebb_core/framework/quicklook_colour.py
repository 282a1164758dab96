"""Three or more mosaics of a target as one colour image.

The mosaics are put on the grid of the widest one, freed of their background, brought to the same
brightness, and combined as Lupton et al. (2004, PASP 116, 133) do: the stretch is applied to the
mean of the three colours, so that bright sources keep theirs. The bluest third of the mosaics is
blue, the reddest red.
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
from calwebb_core.framework.quicklook import binned
from calwebb_core.framework.quicklook_figure import rgb
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
BRIGHT = 5.0  # sigma above the background: sources that set the balance of the colours
DARK = 3.0  # sigma: the stretch is linear up to here
DEPTH = np.uint8(0xFC)  # bits kept of a colour: what noise needs is left to the file's size
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
    widest = max(layers, key=lambda layer: layer.sky.scale**2 * layer.shape[0] * layer.shape[1])
    factor = -(-max(widest.shape) // LONGEST)
    images = [without_background(on_grid(layer, widest, factor)) for layer in layers]
    parts = np.array_split(np.arange(len(images)), 3)
    planes = [np.mean([images[i] for i in part], axis=0) for part in parts]
    picture = combined(balanced(planes)[::-1])
    names = ["+".join(layers[i].filter[1] for i in part) for part in parts]
    save(page(picture, widest, factor, names), png)


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


def on_grid(layer: Layer, widest: Layer, factor: int) -> Float32:
    """Return a mosaic on the averaged grid of another, by linear interpolation.

    Pixels finer than the grid are averaged before.
    """
    if layer is widest:
        return layer.read(factor)
    own = max(1, round(factor * widest.sky.scale / layer.sky.scale))
    image = layer.read(own)
    ny, nx = (-(-count // factor) for count in widest.shape)
    y, x = np.indices((ny, nx), np.float64)
    middle = (factor - 1) / 2
    there = layer.sky.pixels(*widest.sky.sky(factor * x + middle, factor * y + middle))
    x, y = ((place - (own - 1) / 2) / own for place in there)
    return interpolated(image, x, y)


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
    floor = sigma  # of the mean, shown as black
    above = np.maximum(mean + floor, 1e-6 * sigma)
    light = np.arcsinh(above / (DARK * sigma)) / np.arcsinh(high / (DARK * sigma))
    colour = (cube + floor) * (light / above)[..., None]
    colour /= np.maximum(colour.max(axis=-1), 1)[..., None]
    picture = (255 * colour.clip(0, 1)).round().astype(np.uint8) & DEPTH
    picture[~good] = rgb(MISSING)
    return np.asarray(picture)


def page(picture: UInt8, widest: Layer, factor: int, names: Sequence[str]) -> Any:
    """Return the figure of a colour image."""
    ny, nx = picture.shape[:2]
    layout = Layout.of(ny, nx)
    metadata = widest.metadata
    target = metadata.get("TARGPROP") or metadata.get("TARGNAME") or ""
    program = metadata.get("PROGRAM")
    first = "   ".join(
        str(part) for part in (f"program {program}" if program else "", target) if part
    )
    instrument = str(metadata.get("INSTRUME") or "")
    figure, axes = new_page(layout, [first, f"{instrument} in colour"])
    frame = (-0.5, factor * nx - 0.5, -0.5, factor * ny - 0.5)
    show(axes, picture, layout, frame)
    sky_axes(axes, widest.sky, frame, layout)
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
            fontsize=9, fontweight="bold", va="top",
        )  # fmt: skip
