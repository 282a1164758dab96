"""The telescope's entrance pupil, drawn from its published dimensions.

18 hexagonal segments in two rings, 1.32 m flat to flat with gaps of 7 mm, a secondary mirror
held by three struts (Gardner et al. 2006, SSRv 123, 485). The wavefront error is a fixed draw
of piston, tip, tilt, defocus and astigmatism of every segment, scaled to an rms of the size
measured in flight (McElwain et al. 2023, PASP 135, 058001).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.random import stream

Float64 = NDArray[np.float64]
DIAMETER = 6.603  # m, of the circle around the segments
FLAT_TO_FLAT = 1.32  # m
GAP = 0.007  # m
STRUT_WIDTH = 0.12  # m, as projected on the pupil
STRUT_ANGLES = (90.0, 180.0 + 61.0, 360.0 - 61.0)  # degrees, counted from +V2 towards +V3
WAVEFRONT_RMS = 0.065  # um
WAVEFRONT_SEED = 20_220_711
SUBSAMPLES = 3


@dataclass(frozen=True)
class Pupil:
    """Amplitude (0 to 1) and optical path difference (um), both float64 (n, n), over DIAMETER."""

    amplitude: Float64
    path: Float64

    @property
    def sampling(self) -> float:
        """Distance of the samples in m."""
        return DIAMETER / len(self.amplitude)


def segment_centres() -> Float64:
    """Return the centres of the 18 segments in m, shape (18, 2)."""
    pitch = FLAT_TO_FLAT + GAP
    found = []
    for q in range(-2, 3):
        for r in range(-2, 3):
            ring = max(abs(q), abs(r), abs(q + r))
            if 1 <= ring <= 2:
                found.append((pitch * np.sqrt(3) / 2 * q, pitch * (r + q / 2)))
    return np.array(found)


def draw_pupil(samples: int, rms: float = WAVEFRONT_RMS) -> Pupil:
    """Draw the pupil on a grid.

    Parameters
    ----------
    samples : int
        Grid points along DIAMETER.
    rms : float
        Wavefront error in um.
    """
    x, y = _grid(samples * SUBSAMPLES)
    open_area = ~_struts(x, y)
    amplitude = np.zeros((samples, samples))
    path = np.zeros((samples, samples))
    xs, ys = _grid(samples)
    for index, centre in enumerate(segment_centres()):
        inside = _hexagon(x - centre[0], y - centre[1]) & open_area
        amplitude += _shrink(inside)
        near = np.hypot(xs - centre[0], ys - centre[1]) < FLAT_TO_FLAT / np.sqrt(3)
        owner = near & (_hexagon_distance(xs - centre[0], ys - centre[1]) <= 0.5 + 1e-9)
        path += np.where(owner, _segment_error(xs - centre[0], ys - centre[1], index), 0.0)
    path -= _plane(path, amplitude, xs, ys)
    found = np.sqrt(np.average(path**2, weights=amplitude))
    return Pupil(amplitude, path * (rms / found))


def _plane(path: Float64, amplitude: Float64, x: Float64, y: Float64) -> Float64:
    """Return the piston, tip and tilt of the whole wavefront."""
    shapes = np.stack([np.ones_like(x), x, y])
    # sums without BLAS, whose order of adding depends on the number of threads
    normal = np.array([[np.sum(a * b * amplitude) for b in shapes] for a in shapes])
    solution = np.linalg.solve(normal, [np.sum(shape * path * amplitude) for shape in shapes])
    return np.asarray(sum(value * shape for value, shape in zip(solution, shapes, strict=True)))


def _grid(samples: int) -> tuple[Float64, Float64]:
    axis = (np.arange(samples) + 0.5) * (DIAMETER / samples) - DIAMETER / 2
    x, y = np.meshgrid(axis, axis)
    return x, y


def _shrink(mask: NDArray[np.bool_]) -> Float64:
    n = len(mask) // SUBSAMPLES
    return np.asarray(mask.reshape(n, SUBSAMPLES, n, SUBSAMPLES).mean(axis=(1, 3)))


def _hexagon_distance(x: Float64, y: Float64) -> Float64:
    """Return the distance from the centre in flat-to-flat widths along the nearest normal."""
    pitch = FLAT_TO_FLAT + GAP
    slanted = np.sqrt(3) / 2 * np.abs(x) + np.abs(y) / 2
    return np.asarray(np.maximum(np.abs(y), slanted) / pitch)


def _hexagon(x: Float64, y: Float64) -> NDArray[np.bool_]:
    """Tell which points are on a segment: flats up and down."""
    return np.asarray(_hexagon_distance(x, y) * (FLAT_TO_FLAT + GAP) <= FLAT_TO_FLAT / 2)


def _struts(x: Float64, y: Float64) -> NDArray[np.bool_]:
    hidden = np.zeros(x.shape, dtype=bool)
    for angle in np.radians(STRUT_ANGLES):
        along = x * np.cos(angle) + y * np.sin(angle)
        across = np.abs(y * np.cos(angle) - x * np.sin(angle))
        hidden |= (along > 0) & (across < STRUT_WIDTH / 2)
    return hidden


def _segment_error(x: Float64, y: Float64, index: int) -> Float64:
    draws = stream(WAVEFRONT_SEED, "segment", index).standard_normal(6)
    u, v = x / FLAT_TO_FLAT, y / FLAT_TO_FLAT
    shapes = (np.full_like(u, 0.5), u, v, u * u + v * v - 0.14, 2 * u * v, u * u - v * v)
    parts = [draw * shape for draw, shape in zip(draws, shapes, strict=True)]
    return np.asarray(sum(parts))
