"""Relative and absolute alignment of exposures by their stars.

Stars are matched in a plane tangent to the sky (`calwebb_level3.imaging.matching`); the
correction, a shift with a small rotation, goes into the WCS (`calwebb_level3.imaging.correction`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import sky, unit_vectors
from calwebb_core.science.world import World
from calwebb_level3.imaging import matching as pairing
from calwebb_level3.imaging.correction import TangentPlane, corrected, tangent_plane
from calwebb_level3.imaging.matching import Fit, Linear
from calwebb_level3.imaging.stars import Stars

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

REMATCHES = 5
# Matches must be more than chance makes, by so many times its scatter.
CHANCE_SIGMA = 5.0


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
class Pointing:
    """One image to be aligned.

    Attributes
    ----------
    wcs : World
    metadata : Metadata
        V2_REF, V3_REF, ROLL_REF.
    stars : Stars
    group : str
        Images of a group are moved as one.
    """

    wcs: World
    metadata: Metadata
    stars: Stars
    group: str

    @property
    def plane(self) -> TangentPlane:
        """Where it is corrected."""
        return tangent_plane(self.wcs, self.metadata)


@dataclass(frozen=True)
class Positions:
    """Places on the sky.

    Attributes
    ----------
    vectors : float64, (n, 3)
        Unit vectors.
    weights : float64, (n,) or None
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


class ReferenceStars:
    """Positions that exposures are aligned to; each aligned exposure makes them better.

    Parameters
    ----------
    stars : Positions
        The first exposure's, with weights.
    """

    def __init__(self, stars: Positions) -> None:
        self.vectors = stars.vectors.copy()
        self.weights = weights_of(stars).copy()

    @property
    def positions(self) -> Positions:
        """As they are now."""
        return Positions(self.vectors, self.weights)

    def merge(self, stars: Positions, radius: float, *, expand: bool) -> None:
        """Average the stars within a radius (arcsec) of one another; add the others if wanted."""
        plane = plane_about(self.vectors)
        own, new = plane.project(self.vectors), plane.project(stars.vectors)
        rows, matched = pairing.mutual_pairs(own, new, radius)
        weights = weights_of(stars)
        theirs = weights[matched]
        total = self.weights[rows] + theirs
        mean = self.vectors[rows] * self.weights[rows, None]
        mean += stars.vectors[matched] * theirs[:, None]
        self.vectors[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        self.weights[rows] = total
        if expand:
            # Unmatched stars near a reference star are doubtful: blends, or the wrong one.
            index, _ = pairing.nearest(new, own, 2 * radius)
            self.vectors = np.concatenate([self.vectors, stars.vectors[index < 0]])
            self.weights = np.concatenate([self.weights, weights[index < 0]])


def weights_of(stars: Positions) -> Float64:
    """Return the weights, 1 for all if there are none."""
    return np.ones(len(stars.vectors)) if stars.weights is None else stars.weights


def plane_about(vectors: Float64) -> TangentPlane:
    """Return a plane tangent at the mean of some unit vectors, along no particular direction."""
    contact = vectors.mean(axis=0)
    contact = contact / np.linalg.norm(contact)
    aside = np.cross(np.eye(3)[np.argmin(np.abs(contact))], contact)
    aside = aside / np.linalg.norm(aside)
    return TangentPlane(np.stack([contact, aside, np.cross(contact, aside)]))


def star_positions(pointings: Sequence[Pointing]) -> Positions:
    """Return the places of the stars of images."""
    vectors = [unit_vectors(*sky(p.wcs, p.stars.x, p.stars.y)) for p in pointings]
    weights = [p.stars.weight for p in pointings]
    return Positions(np.concatenate(vectors), np.concatenate(weights))


def align_relative(
    pointings: Sequence[Pointing], matching: Matching
) -> tuple[list[World], dict[str, Outcome]]:
    """Align groups of images with one another.

    The group that shares most stars with the others is the reference and stays. The others
    follow, next the one that shares most stars with those already aligned; their stars are
    averaged with the reference's (and added to it, see `Matching.expand_refcat`). A group that
    fails is tried again when others have joined. What is refused pulls nobody along.

    Parameters
    ----------
    pointings : sequence of Pointing
    matching : Matching

    Returns
    -------
    list of World
        Corrected WCS of each image; the given one where it was not moved.
    dict
        Outcome of each group.
    """
    groups: dict[str, list[int]] = {}
    for index, pointing in enumerate(pointings):
        groups.setdefault(pointing.group, []).append(index)
    wcses = [pointing.wcs for pointing in pointings]
    if len(groups) < 2:
        return wcses, dict.fromkeys(groups, Outcome("reference"))
    stars = {name: star_positions([pointings[i] for i in m]) for name, m in groups.items()}
    first = most_connected(stars, matching.searchrad)
    reference = ReferenceStars(stars[first])
    outcomes = {first: Outcome("reference")}
    waiting = [name for name in groups if name != first]
    tried: set[str] = set()
    while len(tried) < len(waiting):
        counts = {n: shared(reference.vectors, stars[n].vectors, matching) for n in waiting}
        name = max((n for n in waiting if n not in tried), key=lambda n: counts[n])
        members = [pointings[i] for i in groups[name]]
        moved, outcomes[name] = align_group(members, reference.positions, matching, stars[name])
        if outcomes[name].status != "aligned":
            tried.add(name)
            continue
        for index, wcs in zip(groups[name], moved, strict=True):
            wcses[index] = wcs
        aligned = [replace(p, wcs=wcs) for p, wcs in zip(members, moved, strict=True)]
        reference.merge(
            star_positions(aligned), 0.5 * matching.tolerance, expand=matching.expand_refcat
        )
        waiting.remove(name)
        tried.clear()
    return wcses, {name: outcomes[name] for name in groups}


def shared(reference: Float64, vectors: Float64, matching: Matching) -> int:
    """Return how many positions have one of a reference within the search radius."""
    plane = plane_about(vectors)
    index, _ = pairing.nearest(
        plane.project(vectors), visible(plane, reference), matching.searchrad
    )
    return int(np.count_nonzero(index >= 0))


def visible(plane: TangentPlane, vectors: Float64) -> Float64:
    """Return the places in a plane of what lies on its side of the sky."""
    points = plane.project(vectors)
    return points[np.isfinite(points).all(axis=1)]


def most_connected(stars: Mapping[str, Positions], radius: float) -> str:
    """Return the group with most stars within a radius (arcsec) of another group's."""
    counts = dict.fromkeys(stars, 0)
    for name, own in stars.items():
        plane = plane_about(own.vectors)
        points = plane.project(own.vectors)
        for other, theirs in stars.items():
            if other != name:
                index, _ = pairing.nearest(visible(plane, theirs.vectors), points, radius)
                counts[name] += int(np.count_nonzero(index >= 0))
    return max(counts, key=lambda name: counts[name])


def align_group(
    pointings: Sequence[Pointing],
    reference: Positions,
    matching: Matching,
    stars: Positions | None = None,
) -> tuple[list[World], Outcome]:
    """Move some images as one onto given positions.

    Parameters
    ----------
    pointings : sequence of Pointing
    reference : Positions
    matching : Matching
    stars : Positions, optional
        Those of the pointings, if they are known already.

    Returns
    -------
    list of World
        The given ones if the alignment failed.
    Outcome
    """
    wcses = [pointing.wcs for pointing in pointings]
    stars = star_positions(pointings) if stars is None else stars
    plane = pointings[0].plane
    outcome, transform = find_correction(plane, stars, reference, matching)
    if outcome.status != "aligned" or transform is None:
        return wcses, outcome
    result = []
    for pointing in pointings:
        own = plane if pointing is pointings[0] else pointing.plane
        points = own.project(unit_vectors(*sky(pointing.wcs, *corners(pointing.wcs))))
        move = plane.carry(transform, own, points)
        result.append(corrected(pointing.wcs, pointing.metadata, move))
    return result, outcome


def corners(wcs: World) -> tuple[list[float], list[float]]:
    """Return x and y of the corners of an image, of any square if its size isn't known."""
    nx, ny = wcs.pixel_shape or (1024, 1024)
    return [0.0, nx - 1.0, 0.0, nx - 1.0], [0.0, 0.0, ny - 1.0, ny - 1.0]


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
    if found.matches < chance + CHANCE_SIGMA * np.sqrt(chance):
        return f"{found.matches} matches are no more than {chance:.0f} that chance makes"
    return ""
