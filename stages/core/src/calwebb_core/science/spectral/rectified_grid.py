"""The grid of a rectified spectrum: wavelength along one axis, place along the slit on the other.

One step along the dispersion is one column of the first spectrum: its wavelength is the median
across the slit there. What others see beyond is added in steps of the last one. Across, places are
equally spaced on the sky, along the line that the slit has in the middle of the first spectrum.

The places are those of the official step (jwst 3.0.0), found by looking at its products. The
length is that between the outermost pixels of all spectra to the east or north, whichever the slit
runs along, rounded up. Its middle is that of the slit in the middle of the spectrum for one
exposure, and the middle of the limits in right ascension and declination for several.
NIRSpec's slits have a pixel more at the beginning, and their middle is that of the limits always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.science.frames import Box, Frame
from calwebb_core.science.spectral.extraction import VERTICAL
from calwebb_core.science.spectral.slit_footprints import Footprint, Line, limits_centre
from calwebb_core.science.transforms.base import Transform
from calwebb_core.science.transforms.elementary import (
    Affine,
    Constant,
    Identity,
    Remap,
    Scale,
    Shift,
)
from calwebb_core.science.transforms.sphere import (
    Rotations,
    Tangent,
    ToCartesian,
    ToSpherical,
)
from calwebb_core.science.transforms.tables import Tabular
from calwebb_core.science.world import World

Float64 = NDArray[np.float64]

SLIT_FRAME: Final = "slit_frame"
ARCSEC: Final = 3600.0
ROUNDING: Final = 1e-4  # pixel
MOST_PIXELS: Final = 1 << 26  # of a rectified spectrum


@dataclass(frozen=True)
class RectifiedGrid:
    """A rectified grid.

    Attributes
    ----------
    crval : (float, float)
        Right ascension and declination that the line across passes through, degrees.
    direction : (float, float)
        Of the line: east and north, a unit vector.
    step : float
        From pixel to pixel, degrees.
    origin : float
        Pixel across at `crval`.
    nacross : int
    wavelengths : float64 (nalong,)
        Rising or falling throughout, micrometres.
    axis : 1 or 2
        Of the dispersion.
    places : float64 (nacross,) or None
        Place along the slit of each pixel, in NIRSpec's slit frame.
    """

    crval: tuple[float, float]
    direction: tuple[float, float]
    step: float
    origin: float
    nacross: int
    wavelengths: Float64
    axis: int
    places: Float64 | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        sizes = len(self.wavelengths), self.nacross
        return sizes if self.axis == VERTICAL else (sizes[1], sizes[0])

    def positions(self, footprint: Footprint) -> tuple[Float64, Float64]:
        """Return the elements along and the pixels across of a footprint."""
        east, north = footprint.on_plane(self.crval)
        across = east * self.direction[0] + north * self.direction[1]
        return (
            extrapolated(footprint.wavelength, self.wavelengths),
            across / self.step + self.origin,
        )

    def world(self) -> World:
        """Return the WCS: ``detector``, for NIRSpec ``slit_frame``, and ``world``."""
        line = on_line(self)
        ny, nx = self.shape
        box = Box(((-0.5, nx - 0.5), (-0.5, ny - 0.5)))
        light = Frame.spectral()
        last = Frame.composite("world", Frame.sky("sky"), light)
        first = Frame.plane("detector", ("x", "y"), "pixel")
        wave = Tabular(np.arange(len(self.wavelengths)), self.wavelengths)
        if self.places is None:
            return World((first, last), (direct(self, wave, line),), box, (nx, ny))
        plane = Frame.plane("slit_spatial", ("x_slit", "y_slit"), "")
        frames = (first, Frame.composite(SLIT_FRAME, plane, light), last)
        place = Tabular(np.arange(self.nacross), self.places)
        return World(frames, through_slit(self, wave, place, line), box, (nx, ny))


def on_line(grid: RectifiedGrid) -> tuple[Transform, Transform]:
    """Return the ways from a pixel across to the sky, and back to a pixel and a distance."""
    (east, north), step = grid.direction, grid.step
    ways = [Shift(-grid.origin) | Scale(step * part) for part in (east, north)]
    ra, dec = grid.crval
    turn = Rotations([dec - 90.0, -ra], "yz")
    plane = Tangent() | ToCartesian(180) | turn | ToSpherical(360)
    matrix = np.array([[east, north], [-north, east]]) / step
    return (ways[0] & ways[1]) | plane, plane.inverse | Affine(matrix, (grid.origin, 0.0))


def direct(grid: RectifiedGrid, wave: Tabular, line: tuple[Transform, Transform]) -> Transform:
    """Return the way from pixels to sky and wavelength."""
    forward, backward = line
    if grid.axis == VERTICAL:
        order, end = [0, 0, 1], Remap([0, 2], 3) | Identity(1) & wave.inverse
    else:
        order, end = [1, 1, 0], Remap([2, 0], 3) | wave.inverse & Identity(1)
    way = Remap(order, 2) | forward & wave
    return way.with_inverse(backward & Identity(1) | end)


def through_slit(
    grid: RectifiedGrid, wave: Tabular, place: Tabular, line: tuple[Transform, Transform]
) -> tuple[Transform, Transform]:
    """Return the ways from pixels to the slit, and from there to sky and wavelength."""
    forward, backward = line
    along, across = (1, 0) if grid.axis == VERTICAL else (0, 1)
    pixels: Transform = Remap([across, across, along], 2) | Constant(0.0) & place & wave
    both = wave.inverse & place.inverse if along == 0 else place.inverse & wave.inverse
    to_slit = pixels.with_inverse(Remap([2, 1] if along == 0 else [1, 2], 3) | both)
    to_sky = Remap([1, 1, 2], 3) | (place.inverse & place.inverse | forward) & Identity(1)
    back = backward & Identity(1) | Remap([0, 0, 2], 3) | Constant(0.0) & place & Identity(1)
    return to_slit, to_sky.with_inverse(back)


def rectified_grid(
    parts: Sequence[Footprint],
    line: Line,
    axis: int,
    *,
    in_slit: bool = False,
    step: float | None = None,
    source: str = "",
) -> RectifiedGrid:
    """Return the grid of some spectra.

    Parameters
    ----------
    parts : sequence of Footprint
    line : Line
        Of the first.
    axis : 1 or 2
        Of the dispersion.
    in_slit : bool
        Whether it is one of NIRSpec's slits.
    step : float, optional
        Size of a pixel across the dispersion, degrees; that of the first spectrum by default.
    source : str
        For messages.

    Raises
    ------
    InputError
        If the grid would be absurdly large.
    """
    step = line.step if step is None else step
    crval = limits_centre(parts) if in_slit or len(parts) > 1 else line.crval
    larger = int(abs(line.direction[1]) > abs(line.direction[0]))
    offsets = [part.on_plane(crval)[larger] for part in parts]
    reach = max(map(np.nanmax, offsets)) - min(map(np.nanmin, offsets))
    length = float(reach) / abs(line.direction[larger])
    nacross = max(int(np.ceil(length / step - ROUNDING)), 1) + int(in_slit)
    waves = merged_wavelengths([median_wavelengths(part.wavelength) for part in parts])
    if nacross * len(waves) > MOST_PIXELS:
        msg = (
            f"{source}: the rectified spectrum would have {nacross} pixels across and {len(waves)} "
            "along the dispersion; check pixel_scale, and that the exposures see the same place"
        )
        raise InputError(msg)
    origin = 0.5 * (nacross if in_slit else nacross - 1)
    return RectifiedGrid(crval, line.direction, step, origin, nacross, waves, axis)


def median_wavelengths(wavelength: Float64) -> Float64:
    """Return the median across the slit of each element that has one, in their order."""
    lit = np.isfinite(wavelength).any(axis=1)
    medians: Float64 = np.nanmedian(wavelength[lit], axis=1)
    falling = len(medians) > 1 and medians[-1] < medians[0]
    rising = -medians if falling else medians
    kept = rising > np.concatenate([[-np.inf], np.maximum.accumulate(rising)[:-1]])
    return medians[kept]


def merged_wavelengths(waves: Sequence[Float64]) -> Float64:
    """Return the wavelengths of the first, with steps to the ends of the others."""
    result = waves[0]
    falling = result[-1] < result[0]
    rising = result[::-1] if falling else result
    low = min(float(other.min()) for other in waves)
    high = max(float(other.max()) for other in waves)
    if len(rising) > 1:
        before, behind = rising[1] - rising[0], rising[-1] - rising[-2]
        left = rising[0] - before * np.arange(round((rising[0] - low) / before), 0, -1)
        right = rising[-1] + behind * np.arange(1, round((high - rising[-1]) / behind) + 1)
        rising = np.concatenate([left, rising, right])
    return np.ascontiguousarray(rising[::-1] if falling else rising)


def extrapolated(values: Float64, nodes: Float64) -> Float64:
    """Return the fractional place of values among nodes, beyond the ends by the last step."""
    falling = nodes[-1] < nodes[0]
    rising = nodes[::-1] if falling else nodes
    place = np.interp(values, rising, np.arange(len(nodes), dtype=np.float64))
    if len(nodes) > 1:
        low, high = values < rising[0], values > rising[-1]
        place = np.where(low, (values - rising[0]) / (rising[1] - rising[0]), place)
        last = len(nodes) - 1 + (values - rising[-1]) / (rising[-1] - rising[-2])
        place = np.where(high, last, place)
    return len(nodes) - 1 - place if falling else place
