"""Where pixels of a spectrum look: wavelength, and distance from the star across the spectrum.

The WCS are those of the pipeline's core, made of the reference files in the simulator's cache: a
test compares them with the official ones. The star is where the telescope really points.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.nirspec.apertures import fixed_slit
from calwebb_core.science.nirspec.slits import Spectrograph
from calwebb_core.science.spectral.lrs import lrs_wcs
from calwebb_core.science.transforms import from_node
from calwebb_core.science.world import World
from calwebb_simulator.plan import Planned
from calwebb_simulator.references.optics import distortion_model
from calwebb_simulator.spectra.losses import SLITS
from calwebb_simulator.spectra.modes import SpectralMode
from calwebb_simulator.spectra.optics_files import geometry_references

Float64 = NDArray[np.float64]
EDGE: Final = 0.5  # of a slit's length from its middle


@dataclass(frozen=True)
class SlitView:
    """What the pixels of a slit (or of a slitless spectrum) see.

    Attributes
    ----------
    slit : str
    wavelength : float64, (ny, nx)
        um; NaN where there is none.
    distance : float64, (ny, nx)
        Pixels from the star across the spectrum.
    place : (float, float)
        Where the star is in the slit, across and along, in units of the slit; 0 without slit.
    open : bool, (ny, nx)
        Where light comes through.
    holds_star : bool
        Whether the star is in this slit.
    """

    slit: str
    wavelength: Float64
    distance: Float64
    place: tuple[float, float]
    open: NDArray[np.bool_]
    holds_star: bool = True


def views(
    mode: SpectralMode, entry: Planned, metadata: Metadata, cache: Path | None = None
) -> list[SlitView]:
    """Return what the pixels see of each slit.

    Parameters
    ----------
    mode : SpectralMode
    entry : Planned
    metadata : Metadata
        Keywords of the exposure.
    cache : Path, optional
        CRDS cache with the observatory's files.
    """
    return VIEWS[mode.instrument](mode, entry, metadata, geometry_references(mode, cache))


def _pixels(entry: Planned) -> tuple[Float64, Float64]:
    ny, nx = entry.frame.shape
    y, x = np.mgrid[0:ny, 0:nx].astype(float)
    return x, y


def star_position(entry: Planned) -> tuple[float, float]:
    """Return where the pipeline's WCS would put the star: its own place less the pointing error.

    Headers carry where the telescope believes that it points. A telescope that misses by an
    offset shows the star where one that points well shows a star beside it.
    """
    v2, v3 = entry.placement.attitude.telescope(entry.aim.ra, entry.aim.dec)
    ra, dec = entry.commanded.attitude.sky(v2, v3)
    return float(ra), float(dec)


def _lrs(
    mode: SpectralMode, entry: Planned, metadata: Metadata, references: dict[str, Reference]
) -> list[SlitView]:
    specwcs = references["specwcs"]
    world = lrs_wcs(metadata, distortion_model(entry.frame.distortion), specwcs, smoothing=0.0)
    x, y = _pixels(entry)
    wave = np.asarray(world(x, y)[2])
    ra, dec, _ = (np.asarray(part) for part in world(x, y, with_bounding_box=False))
    star = star_position(entry)
    along, across = _offsets(ra, dec, star)
    wave = np.where((wave >= mode.low - 1) & (wave <= mode.high + 0.5), wave, np.nan)
    if mode.series:
        return [SlitView(mode.slit, wave, along, (0.0, 0.0), np.isfinite(wave))]
    middle = _offsets(ra, dec, entry.commanded.reference[:2])[0]
    wide, long = (size / mode.scale for size in SLITS[mode.slit])
    inside = np.isfinite(wave) & (np.abs(middle) <= long / 2)
    place = (float(np.nanmedian(across)) / wide, float(np.nanmedian(middle - along)) / long)
    return [SlitView(mode.slit, wave, along, place, inside)]


def _offsets(ra: Float64, dec: Float64, star: tuple[float, ...]) -> tuple[Float64, Float64]:
    """Return distances in pixels from a position: along rows, and along columns of one pixel.

    The second is that of the position from where a pixel looks, across the slit.
    """
    east = (ra - star[0]) * np.cos(np.radians(star[1]))
    north = dec - star[1]
    step_east, step_north = np.gradient(east, axis=1), np.gradient(north, axis=1)
    square = step_east**2 + step_north**2
    along = (east * step_east + north * step_north) / square
    # the same turned by a quarter: columns of square pixels
    return along, (east * step_north - north * step_east) / square


def _nirspec(
    mode: SpectralMode, entry: Planned, metadata: Metadata, references: dict[str, Reference]
) -> list[SlitView]:
    spectrograph = Spectrograph.of(metadata, references)
    found = []
    for slit in mode.slits:
        world = spectrograph.world(fixed_slit(slit, mode.slit))
        found.append(_slit_view(mode, entry, world, slit))
    return found


def _slit_view(mode: SpectralMode, entry: Planned, world: World, slit: str) -> SlitView:
    to_slit = world.get_transform("detector", "slit_frame")
    x, y = _pixels(entry)
    _, height, wave = (np.asarray(part, dtype=float) for part in to_slit(x, y))
    wave = wave * 1e6
    wave = np.where((wave >= mode.low) & (wave <= mode.high), wave, np.nan)
    star = star_position(entry)
    middle = (mode.low + mode.high) / 2
    place = world.get_transform("world", "slit_frame")(*star, middle)
    # the slit's frame runs against the rows or with them
    inside = np.isfinite(wave) & (np.abs(height) <= EDGE)
    step = np.gradient(height, axis=0)
    # beside pixels that see no slit there is no gradient, but it is all but the same everywhere
    usual = np.median(np.abs(step[inside & np.isfinite(step)])) if inside.any() else 1.0
    step = np.where(np.isfinite(step), np.abs(step), usual)
    distance = (height - float(place[1])) / step
    return SlitView(
        slit, wave, distance, (float(place[0]), float(place[1])), inside, slit == mode.slit
    )


def _grism(
    mode: SpectralMode, entry: Planned, metadata: Metadata, references: dict[str, Reference]
) -> list[SlitView]:
    del metadata
    x, y = _pixels(entry)
    column, row = (float(part) for part in entry.placement.pixel(entry.aim.ra, entry.aim.dec))
    tree = references["specwcs"].tree or {}
    to_place, to_wave, to_row = (
        from_node(tree[name][0]) for name in ("invdispx", "displ", "dispy")
    )
    # official WCS subtract XREF_SCI, which counts from 1, from columns that count from 0: what a
    # wavelength calibration measures has that pixel in it
    place = to_place(x - column - 1)
    wave = np.asarray(to_wave(place))
    wave = np.where((wave >= mode.low - 0.1) & (wave <= mode.high + 0.1), wave, np.nan)
    distance = y - row - np.asarray(to_row(place))
    return [SlitView(mode.slit, wave, distance, (0.0, 0.0), np.isfinite(wave))]


VIEWS: Final = {"MIRI": _lrs, "NIRSPEC": _nirspec, "NIRCAM": _grism}
