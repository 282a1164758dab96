"""Matching of positions in a plane, and the linear transformation between the matched ones.

A histogram of the offsets of all pairs gives the first guess; each point is then paired with the
nearest other one, if that is mutual; with the fitted transformation the pairs are looked for
anew. The fits are least squares with weights, clipped at a multiple of the scatter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.kernels import pairs

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST_POINTS = {"shift": 1, "rshift": 2, "rscale": 2, "general": 3}


@dataclass(frozen=True)
class Linear:
    """A linear transformation of a plane, ``matrix @ point + shift``.

    Attributes
    ----------
    matrix : float64, (2, 2)
    shift : float64, (2,)
    """

    matrix: Float64
    shift: Float64

    def __call__(self, points: Float64) -> Float64:
        """Transform float64 (n, 2)."""
        return np.asarray(points @ self.matrix.T + self.shift)

    def after(self, first: "Linear") -> "Linear":
        """Return the transformation that does another one first."""
        return Linear(self.matrix @ first.matrix, self.matrix @ first.shift + self.shift)

    @property
    def rotation(self) -> float:
        """Angle in degrees, -180 to 180."""
        (a, b), (c, d) = self.matrix
        return float(np.degrees(np.arctan2(b - c, a + d)))

    @classmethod
    def identity(cls, shift: tuple[float, float] = (0.0, 0.0)) -> "Linear":
        """Return a pure shift."""
        return cls(np.eye(2), np.array(shift, float))


@dataclass(frozen=True)
class Fit:
    """A fitted transformation.

    Attributes
    ----------
    transform : Linear
    used : bool, (n,)
        Pairs that were not clipped.
    rmse : float
        Weighted scatter of the distances of the pairs that were used.
    """

    transform: Linear
    used: Bools
    rmse: float


def by_height(points: Float64) -> Int64:
    """Return the order of points that the kernels need: ascending second coordinate."""
    return np.asarray(np.argsort(points[:, 1], kind="stable"), np.int64)


def nearest(points: Float64, others: Float64, radius: float) -> tuple[Int64, Float64]:
    """Return the nearest of other points within a radius.

    Parameters
    ----------
    points : float64, (n, 2)
    others : float64, (m, 2)
    radius : float

    Returns
    -------
    index : int64, (n,)
        -1 if none is near.
    distance : float64, (n,)
        Infinite if none is near.
    """
    order = by_height(others)
    index, distance = np.empty(len(points), np.int64), np.empty(len(points))
    pairs.nearest(points, others[order], radius, False, index, distance)
    found = index >= 0
    index[found] = order[index[found]]
    return index, distance


def lonely(points: Float64, separation: float) -> Bools:
    """Return which points have no other one within a distance."""
    order = by_height(points)
    ordered = points[order]
    index, distance = np.empty(len(points), np.int64), np.empty(len(points))
    pairs.nearest(ordered, ordered, separation, True, index, distance)
    result = np.empty(len(points), bool)
    result[order] = index < 0
    return result


def guess_shift(points: Float64, others: Float64, reach: float, tolerance: float) -> Float64:
    """Return the most frequent offset of pairs.

    Bins are half the tolerance wide and counted three by three; the mean of the pairs within the
    tolerance of the fullest place follows.

    Parameters
    ----------
    points, others : float64, (n, 2), (m, 2)
    reach : float
        Largest offset along each axis.
    tolerance : float

    Returns
    -------
    float64, (2,)
    """
    step = 0.5 * tolerance
    half = int(np.ceil(reach / step)) + 1
    counts = np.zeros((2 * half + 1, 2 * half + 1), np.int64)
    ordered = others[by_height(others)]
    pairs.offset_histogram(points, ordered, reach, step, counts)
    wide = np.pad(counts, 1)
    wide = wide[:-2] + wide[1:-1] + wide[2:]
    wide = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    # Of equally full places the one nearest to no offset.
    row, column = np.nonzero(wide == wide.max())
    best = np.argmin((row - half) ** 2 + (column - half) ** 2)
    guess = np.array([column[best] - half, row[best] - half]) * step
    for _ in range(3):
        x, y, _ = pairs.mean_offset(points, ordered, guess, tolerance)
        guess = np.array([x, y])
    return guess


def mutual_pairs(points: Float64, others: Float64, radius: float) -> tuple[Int64, Int64]:
    """Return the rows of points that are the nearest to one another."""
    forth, _ = nearest(points, others, radius)
    back, _ = nearest(others, points, radius)
    own = np.flatnonzero(forth >= 0)
    own = own[back[forth[own]] == own]
    return own, forth[own]


def chance_pairs(points: Float64, others: Float64, reach: float, tolerance: float) -> float:
    """Return how many pairs would be within the tolerance if the lists had nothing in common."""
    step = 2.0 * reach
    counts = np.zeros((3, 3), np.int64)
    pairs.offset_histogram(points, others[by_height(others)], reach, step, counts)
    return float(counts.sum() * np.pi * (tolerance / (2.0 * reach)) ** 2)


def fit_linear(
    source: Float64, target: Float64, weights: Float64 | None, geometry: str
) -> tuple[Linear, float]:
    """Fit ``target = transform(source)`` by weighted least squares.

    Parameters
    ----------
    source, target : float64, (n, 2)
    weights : float64, (n,), optional
    geometry : {"shift", "rshift", "rscale", "general"}
        A shift; with rotation; with rotation and scale; with any matrix.

    Returns
    -------
    Linear
    float
        Weighted root of the mean squared distance.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the points don't determine the transformation.
    """
    w = np.ones(len(source)) if weights is None else weights
    w = (w / w.sum())[:, np.newaxis]
    from_mean, to_mean = (w * source).sum(axis=0), (w * target).sum(axis=0)
    u, v = source - from_mean, target - to_mean
    matrix = np.eye(2)
    if geometry == "general":
        matrix = np.linalg.solve(u.T @ (w * u), u.T @ (w * v)).T
    elif geometry != "shift":
        along = float(np.sum(w * u * v))
        across = float(np.sum(w[:, 0] * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])))
        length = float(np.hypot(along, across))
        if not length > 0:
            msg = "the points coincide"
            raise np.linalg.LinAlgError(msg)
        scale = length / float(np.sum(w * u * u)) if geometry == "rscale" else 1.0
        c, s = scale * along / length, scale * across / length
        matrix = np.array([[c, -s], [s, c]])
    transform = Linear(matrix, to_mean - matrix @ from_mean)
    residuals = target - transform(source)
    return transform, float(np.sqrt(np.sum(w * residuals**2)))


def fit_clipped(
    source: Float64,
    target: Float64,
    weights: Float64 | None,
    geometry: str,
    nclip: int,
    sigma: float,
) -> Fit | None:
    """Fit as `fit_linear`, leaving out pairs further apart than `sigma` times the scatter.

    Returns
    -------
    Fit or None
        None if there are too few points, or they coincide or lie on a line.
    """
    least = LEAST_POINTS[geometry]
    used = np.ones(len(source), bool)
    if len(source) < least:
        return None
    try:
        for attempt in range(nclip + 1):
            chosen = None if weights is None else weights[used]
            transform, rmse = fit_linear(source[used], target[used], chosen, geometry)
            near = np.hypot(*(target - transform(source)).T) < sigma * rmse
            near &= used
            enough = len(source) > least and np.count_nonzero(near) >= least
            if attempt == nclip or not enough or np.array_equal(near, used):
                break
            used = near
    except np.linalg.LinAlgError:
        return None
    return Fit(transform, used, rmse) if np.isfinite(transform.matrix).all() else None
