"""Cosmic rays: tracks of charge through the detector, with a list of the truth.

Particles come from all directions with the flux measured at L2 (about 5 a second and cm2); the
charge of a hit is drawn from a broad log-normal so that faint hits, which test the detection,
are as common as bright ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.geometry import Frame

Float32 = NDArray[np.float32]
THICKNESS = 5.0  # um of sensitive material
MEDIAN_CHARGE = 600.0  # electrons
SPREAD = 1.5  # of the natural logarithm
LONGEST = 30.0  # pixels
SPILL = 0.02  # of the charge that each of the four neighbours takes
SHIFTS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
HIT_DTYPE = np.dtype(
    [
        ("integration", "i4"),
        ("group", "i4"),
        ("frame", "i4"),
        ("track", "i4"),
        ("x", "i4"),
        ("y", "i4"),
        ("charge", "f4"),
    ]
)
Hits = NDArray[np.void]


@dataclass(frozen=True)
class Rain:
    """The hits of one frame interval: pixels, electrons, and the track each belongs to."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    charge: NDArray[np.float64]
    track: NDArray[np.int64]


def draw_rain(rng: np.random.Generator, frame: Frame, pitch: float, fluence: float) -> Rain:
    """Draw the cosmic rays that hit a frame within some time.

    Parameters
    ----------
    rng : numpy Generator
    frame : Frame
    pitch : float
        Pixel size in um.
    fluence : float
        Particles per cm2.
    """
    area = frame.nx * frame.ny * (pitch * 1e-4) ** 2
    count = rng.poisson(fluence * area)
    start = rng.uniform(-0.5, (frame.nx - 0.5, frame.ny - 0.5), (count, 2))
    charge = MEDIAN_CHARGE * np.exp(SPREAD * rng.standard_normal(count))
    # an isotropic flux through a plane: the cosine of the angle to the normal squared is uniform
    cosine = np.sqrt(rng.uniform(0, 1, count))
    slant = np.sqrt(1 - cosine**2) / np.maximum(cosine, 1e-3)
    length = np.minimum(THICKNESS / pitch * slant, LONGEST)
    angle = rng.uniform(0, 2 * np.pi, count)
    end = start + length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _deposit(start, end, charge, length, frame.shape)


def _deposit(
    start: NDArray[Any],
    end: NDArray[Any],
    charge: NDArray[Any],
    length: NDArray[Any],
    shape: tuple[int, int],
) -> Rain:
    """Spread the charge of every track evenly over points along it, and some to neighbours."""
    steps = np.ceil(length * 4).astype(int) + 1
    track = np.repeat(np.arange(len(charge)), steps)
    first = np.repeat(np.cumsum(steps) - steps, steps)
    share = (np.arange(len(track)) - first + 0.5) / steps[track]
    point = start[track] + (end - start)[track] * share[:, None]
    part = (charge / steps)[track]
    pixel = np.floor(point + 0.5).astype(int)
    pieces = [
        (track, pixel[:, 0] + dx, pixel[:, 1] + dy, part * (SPILL if dx or dy else 1 - 4 * SPILL))
        for dx, dy in SHIFTS
    ]
    joined = [np.concatenate(columns) for columns in zip(*pieces, strict=True)]
    return _merge(joined[0], joined[1], joined[2], joined[3], shape)


def _merge(
    track: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
    charge: NDArray[Any],
    shape: tuple[int, int],
) -> Rain:
    """Add up what one track leaves in one pixel; drop what misses the frame."""
    ny, nx = shape
    inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny)
    key = (track[inside] * ny + y[inside]) * nx + x[inside]
    unique, index = np.unique(key, return_inverse=True)
    total = np.zeros(len(unique))
    np.add.at(total, index, charge[inside])
    return Rain(unique % nx, unique // nx % ny, total, unique // (nx * ny))


def record(rain: Rain, integration: int, group: int, frame: int, first_track: int) -> Hits:
    """Return the hits of one frame as rows of the truth list."""
    rows = np.zeros(len(rain.x), dtype=HIT_DTYPE)
    rows["integration"], rows["group"], rows["frame"] = integration, group, frame
    rows["track"] = rain.track + first_track
    rows["x"], rows["y"], rows["charge"] = rain.x, rain.y, rain.charge
    return rows
