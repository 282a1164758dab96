"""The correction of a pointing from its stars: matched with a reference, fitted, and judged."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.science.footprint import unit_vectors
from calwebb_level3.imaging import matching as pairing
from calwebb_level3.imaging.correction import TangentPlane
from calwebb_level3.imaging.matching import Fit, Linear

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

REMATCHES = 5
# Matches must be more than chance makes, by so many times its scatter.
CHANCE_SIGMA = 5.0
SMALLEST_SCATTER = 0.01  # arcsec


@dataclass(frozen=True)
class Matching:
    """How catalogs are matched and fitted; lengths in arcsec.

    Attributes
    ----------
    minobj : int
        Fewest matches to accept.
    searchrad : float
        Largest shift along each axis.
    separation : float
        Stars with a nearer neighbour in the same list are left out.
    tolerance : float
        Largest distance of a match.
    xoffset, yoffset : float
        First guess of the shift if `use2dhist` is off.
    use2dhist : bool
        Whether the first guess is the most frequent offset of pairs.
    fitgeometry : {"shift", "rshift", "rscale", "general"}
    nclip : int
        Clipping iterations of the fit at `sigma` times its scatter.
    sigma : float
    maximum_rotation : float
        Larger rotations are refused, degrees.
    expand_refcat : bool
        Whether stars of aligned exposures join the reference.
    """

    minobj: int = 5
    searchrad: float = 2.0
    separation: float = 0.5
    tolerance: float = 0.2
    xoffset: float = 0.0
    yoffset: float = 0.0
    use2dhist: bool = True
    fitgeometry: str = "rshift"
    nclip: int = 3
    sigma: float = 3.0
    maximum_rotation: float = 0.1
    expand_refcat: bool = True


@dataclass(frozen=True)
class Positions:
    """Places on the sky.

    Attributes
    ----------
    vectors : float64, (n, 3)
        Unit vectors.
    weights : float64, (n,) or None
        1/arcsec**2.
    """

    vectors: Float64
    weights: Float64 | None = None

    @classmethod
    def of_table(cls, table: Any) -> "Positions":
        """Take the columns RA, DEC (degrees) and, if there is one, weight."""
        names = table.colnames
        weights = np.asarray(table["weight"], float) if "weight" in names else None
        ra, dec = (np.asarray(table[name], float) for name in ("RA", "DEC"))
        return cls(unit_vectors(ra, dec), weights)


@dataclass(frozen=True)
class Outcome:
    """What became of a group.

    Attributes
    ----------
    status : {"reference", "aligned", "failed"}
    reason : str
        Why it failed.
    shift : (float, float)
        Arcsec in the tangent plane.
    rotation : float
        Degrees.
    matches : int
    rmse : float
        Scatter of the matched stars, arcsec.
    """

    status: str
    reason: str = ""
    shift: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    matches: int = 0
    rmse: float = 0.0

    def __str__(self) -> str:
        if self.status != "aligned":
            return f"{self.status}: {self.reason}" if self.reason else self.status
        return (
            f"shift {1e3 * self.shift[0]:+.1f}, {1e3 * self.shift[1]:+.1f} mas, rotation "
            f"{3600 * self.rotation:+.1f} arcsec, {self.matches} stars, "
            f"scatter {1e3 * self.rmse:.1f} mas"
        )


def find_correction(
    plane: TangentPlane, stars: Positions, reference: Positions, matching: Matching
) -> tuple[Outcome, Linear | None]:
    """Match stars with a reference in a plane, and fit the transformation onto it.

    Parameters
    ----------
    plane : TangentPlane
    stars, reference : Positions
    matching : Matching
    """
    own, theirs = plane.project(stars.vectors), plane.project(reference.vectors)
    # What is far outside of the stars' surroundings can't match.
    margin = 2.0 * (matching.searchrad + matching.tolerance)
    inside = np.all(theirs > own.min(axis=0) - margin, axis=1)
    inside &= np.all(theirs < own.max(axis=0) + margin, axis=1)
    use, known = np.ones(len(own), bool), inside.copy()
    use &= pairing.lonely(own, matching.separation)
    known[inside] &= pairing.lonely(theirs[inside], matching.separation)
    if min(np.count_nonzero(use), np.count_nonzero(known)) < matching.minobj:
        # In a crowded field all have neighbours; mutual pairs then have to do.
        use, known = np.ones(len(own), bool), inside
    source, target = own[use], theirs[known]
    weights = joint_weights(stars, use), joint_weights(reference, known)
    return fit_pairs(source, target, weights, matching)


def joint_weights(positions: Positions, rows: Any) -> Float64 | None:
    """Return the weights of some rows, or None."""
    return None if positions.weights is None else positions.weights[rows]


def combine(first: Float64 | None, second: Float64 | None) -> Float64 | None:
    """Return the weights of differences of positions: the variances add."""
    if first is None or second is None:
        return second if first is None else first
    return np.asarray(first * second / (first + second))


def fit_pairs(
    source: Float64,
    target: Float64,
    weights: tuple[Float64 | None, Float64 | None],
    matching: Matching,
) -> tuple[Outcome, Linear | None]:
    """Pair points, fit, and pair again with the fit until the pairs stay the same."""
    if min(len(source), len(target)) < matching.minobj:
        return too_few(min(len(source), len(target)), matching), None
    shift = np.array([matching.xoffset, matching.yoffset])
    if matching.use2dhist:
        shift = pairing.guess_shift(source, target, matching.searchrad, matching.tolerance)
    transform = Linear(np.eye(2), shift)
    rows: tuple[Int64, Int64] | None = None
    fit: Fit | None = None
    for _ in range(REMATCHES):
        found = pairing.mutual_pairs(transform(source), target, matching.tolerance)
        if len(found[0]) < matching.minobj:
            return too_few(len(found[0]), matching), None
        if rows is not None and all(map(np.array_equal, rows, found)):
            break
        rows = found
        both = combine(*(None if w is None else w[r] for w, r in zip(weights, rows, strict=True)))
        fit = pairing.fit_clipped(
            source[rows[0]],
            target[rows[1]],
            both,
            matching.fitgeometry,
            matching.nclip,
            matching.sigma,
        )
        if fit is None:
            return Outcome("failed", "the matched stars don't determine the correction"), None
        transform = fit.transform
    chance = pairing.chance_pairs(source, target, matching.searchrad, matching.tolerance)
    outcome = judge(fit, source[rows[0]] if rows else source, chance, matching)
    return outcome, transform if outcome.status == "aligned" else None


def too_few(number: int, matching: Matching) -> Outcome:
    """Return the outcome of too few matches."""
    return Outcome("failed", f"{number} matches are fewer than minobj = {matching.minobj}")


def judge(fit: Fit | None, places: Float64, chance: float, matching: Matching) -> Outcome:
    """Return what a fit amounts to; absurd corrections are refused.

    Parameters
    ----------
    fit : Fit
    places : float64, (n, 2)
        Of the matched stars in the plane: the shift is told at their middle.
    chance : float
        Matches that are expected without anything in common.
    matching : Matching
    """
    if fit is None:
        return Outcome("failed", "nothing was fitted")
    middle = places.mean(axis=0)
    shift = fit.transform(middle[np.newaxis])[0] - middle
    found = Outcome(
        "aligned",
        "",
        (float(shift[0]), float(shift[1])),
        fit.transform.rotation,
        int(np.count_nonzero(fit.used)),
        fit.rmse,
    )
    reason = absurdity(found, chance, matching)
    return Outcome("failed", f"refused: {reason} ({found})") if reason else found


def absurdity(found: Outcome, chance: float, matching: Matching) -> str:
    """Return why a correction can't be right, or an empty string."""
    largest = float(np.max(np.abs(found.shift)))
    if not np.isfinite([largest, found.rotation, found.rmse]).all():
        return "the fit is not a number"
    if largest > matching.searchrad + matching.tolerance:
        return f"a shift of {largest:.2f} arcsec is more than searchrad"
    if abs(found.rotation) > matching.maximum_rotation:
        return f"a rotation of {found.rotation:.3f} degrees is more than maximum_rotation"
    if 2 * found.matches < matching.minobj:
        return f"{found.matches} stars after clipping are fewer than half of minobj"
    if found.rmse > matching.tolerance:
        return f"a scatter of {found.rmse:.3f} arcsec is more than tolerance"
    # Pairs by chance fill the circle of the tolerance; true ones lie near its middle.
    radius = min(1.0, max(3.0 * found.rmse, SMALLEST_SCATTER) / matching.tolerance)
    expected = chance * radius**2
    if found.matches < expected + CHANCE_SIGMA * np.sqrt(expected):
        return f"{found.matches} matches are no more than the {expected:.0f} that chance makes"
    return ""
