"""Sky levels of exposures, and their differences in the area that they share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# More pixels than this don't make a level better that 1/f noise limits; they are thinned out.
MOST_PIXELS = 1_000_000
FEWEST_PIXELS = 100


@dataclass(frozen=True)
class Statistic:
    """How the level of a set of pixels is measured.

    Attributes
    ----------
    kind : {"median", "mode", "mean", "midpt"}
    nclip : int
        Clipping iterations.
    lsigma, usigma : float
        Clipping limits below and above in units of the standard deviation.
    binwidth : float
        Bins of the mode's histogram in units of the standard deviation.
    lower, upper : float or None
        Leave out pixels beyond these values.
    """

    kind: str = "median"
    nclip: int = 5
    lsigma: float = 4.0
    usigma: float = 4.0
    binwidth: float = 0.1
    lower: float | None = None
    upper: float | None = None

    def level(self, values: Float32) -> tuple[float, int]:
        """Return the level of some pixels, and how many pixels it stands for.

        Parameters
        ----------
        values : float32, (n,)

        Returns
        -------
        float
            NaN if there are fewer than 100 pixels.
        int
        """
        values = values[np.isfinite(values)]
        if self.lower is not None:
            values = values[values >= self.lower]
        if self.upper is not None:
            values = values[values <= self.upper]
        count = values.size
        if count < FEWEST_PIXELS:
            return math.nan, count
        thin = values[:: -(-count // MOST_PIXELS)]
        return self._measure(clip(thin, self.nclip, self.lsigma, self.usigma)), count

    def _measure(self, values: Float32) -> float:
        if self.kind == "mean":
            return float(np.mean(values, dtype=np.float64))
        median = float(np.median(values))
        if self.kind == "midpt":
            return 3.0 * median - 2.0 * float(np.mean(values, dtype=np.float64))
        return mode(values, self.binwidth) if self.kind == "mode" else median


def clip(values: Float32, nclip: int, lsigma: float, usigma: float) -> Float32:
    """Return values within limits around the median, iterated until nothing is clipped."""
    for _ in range(nclip):
        centre, sigma = float(np.median(values)), float(np.std(values, dtype=np.float64))
        keep = (values >= centre - lsigma * sigma) & (values <= centre + usigma * sigma)
        if keep.all() or not keep.any():
            break
        values = values[keep]
    return values


def mode(values: Float32, binwidth: float) -> float:
    """Return the peak of the histogram, from a parabola through the bins around the highest.

    Parameters
    ----------
    values : float32, (n,)
    binwidth : float
        In units of the standard deviation.
    """
    width = binwidth * float(np.std(values, dtype=np.float64))
    if not width > 0:
        return float(np.median(values))
    low = float(values.min())
    bins = max(1, math.ceil((float(values.max()) - low) / width))
    counts = np.bincount(((values - low) / width).astype(np.int64), minlength=bins)
    peak = int(np.argmax(counts))
    around = np.arange(max(0, peak - 5), min(len(counts), peak + 6))
    a, b, _ = np.polyfit(around - peak, counts[around], 2) if len(around) > 2 else (0.0, 0.0, 0.0)
    step = -b / (2 * a) if a < 0 else 0.0
    return low + width * (peak + 0.5 + float(np.clip(step, -5.0, 5.0)))


@dataclass
class Differences:
    """Weighted sums of the level differences between groups: the pairs of a least-squares fit."""

    sums: dict[tuple[int, int], tuple[float, float]]

    def add(self, first: int, second: int, difference: float, weight: float) -> None:
        """Add a measurement of the second group's level minus the first's."""
        total, weights = self.sums.get((first, second), (0.0, 0.0))
        self.sums[first, second] = (total + weight * difference, weights + weight)

    def rows(self) -> list[tuple[int, int, float, float]]:
        """Return (first, second, mean difference, weight) in order."""
        return [(i, j, t / w, w) for (i, j), (t, w) in sorted(self.sums.items()) if w > 0]


def solve(differences: Differences, count: int) -> tuple[Float64, list[list[int]]]:
    """Return levels whose differences fit best, with mean 0 in each set of linked groups.

    Minimizes ``sum w_ij (s_j - s_i - d_ij)^2``.

    Parameters
    ----------
    differences : Differences
    count : int
        Number of groups.

    Returns
    -------
    float64, (count,)
    list of list of int
        Groups that overlap one another, directly or through others.
    """
    rows = differences.rows()
    design, values = np.zeros((len(rows), count)), np.zeros(len(rows))
    for k, (i, j, difference, weight) in enumerate(rows):
        root = math.sqrt(weight)
        design[k, i], design[k, j], values[k] = -root, root, root * difference
    levels = np.zeros(count)
    if rows:
        levels = np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], np.float64)
    linked = components([(i, j) for i, j, *_ in rows], count)
    for members in linked:
        levels[members] -= levels[members].mean()
    return levels, linked


def components(pairs: Sequence[tuple[int, int]], count: int) -> list[list[int]]:
    """Return the connected components of an undirected graph, each sorted."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(count, count))
    number, label = connected_components(graph, directed=False)
    return [[int(i) for i in np.flatnonzero(label == k)] for k in range(number)]


def anchor(levels: Float64, linked: Sequence[Sequence[int]], *, down: bool) -> Float64:
    """Shift matched levels so that the lowest (or highest) of each linked set is 0."""
    result = levels.copy()
    for members in linked:
        chosen = levels[list(members)]
        result[list(members)] -= chosen.min() if down else chosen.max()
    return result
