"""Relative and absolute alignment of exposures by their stars.

Stars are matched in a plane tangent to the sky (`calwebb_level3.imaging.matching`); the
correction, a shift with a small rotation, goes into the WCS (`calwebb_level3.imaging.correction`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import sky, unit_vectors
from calwebb_core.science.world import World
from calwebb_level3.imaging import matching as pairing
from calwebb_level3.imaging.correction import TangentPlane, corrected, tangent_plane
from calwebb_level3.imaging.star_matching import Matching, Outcome, Positions, find_correction
from calwebb_level3.imaging.stars import Stars

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]


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
    scale : float
        Arcsec a pixel, for the weights of the stars.
    """

    wcs: World
    metadata: Metadata
    stars: Stars
    group: str
    scale: float = 1.0

    @property
    def plane(self) -> TangentPlane:
        """Where it is corrected."""
        return tangent_plane(self.wcs, self.metadata)


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
    weights = [p.stars.weight / p.scale**2 for p in pointings]
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
    plane, points = spread_out(stars)
    first = most_connected(points, matching.searchrad)
    reference = ReferenceStars(stars[first])
    outcomes = {first: Outcome("reference")}
    waiting = [name for name in groups if name != first]
    tried: set[str] = set()
    while len(tried) < len(waiting):
        known = plane.project(reference.vectors)
        counts = {n: shared(points[n], known, matching.searchrad) for n in waiting}
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


def align_absolute(
    pointings: Sequence[Pointing],
    outcomes: Mapping[str, Outcome],
    catalog: Positions,
    matching: Matching,
) -> tuple[list[World], dict[str, Outcome]]:
    """Move what is aligned with one another as one onto a catalog, and the others one by one.

    Parameters
    ----------
    pointings : sequence of Pointing
        After `align_relative`.
    outcomes : dict of Outcome
        Of that, by group.
    catalog : Positions
    matching : Matching

    Returns
    -------
    list of World
        The given WCS where it was not moved.
    dict
        Outcomes, by the name of what was moved.
    """
    sets: dict[str, list[int]] = {}
    for index, pointing in enumerate(pointings):
        failed = outcomes[pointing.group].status == "failed"
        name = f"exposure {pointing.group}" if failed else "what is aligned with one another"
        sets.setdefault(name, []).append(index)
    wcses = [pointing.wcs for pointing in pointings]
    found: dict[str, Outcome] = {}
    for name, members in sets.items():
        these = [pointings[i] for i in members]
        stars = merged_stars(these, 0.5 * matching.tolerance)
        moved, found[name] = align_group(these, catalog, matching, stars)
        for index, wcs in zip(members, moved, strict=True):
            wcses[index] = wcs
    return wcses, found


def merged_stars(pointings: Sequence[Pointing], radius: float) -> Positions:
    """Return the stars of aligned images, one for each star in the sky.

    Parameters
    ----------
    pointings : sequence of Pointing
    radius : float
        Within which two are the same, arcsec.
    """
    groups: dict[str, list[Pointing]] = {}
    for pointing in pointings:
        groups.setdefault(pointing.group, []).append(pointing)
    first, *others = (star_positions(members) for members in groups.values())
    merged = ReferenceStars(first)
    for stars in others:
        merged.merge(stars, radius, expand=True)
    return merged.positions


def spread_out(stars: Mapping[str, Positions]) -> tuple[TangentPlane, dict[str, Float64]]:
    """Return one plane for all groups, and where their stars lie in it, float64 (n, 2)."""
    plane = plane_about(np.concatenate([own.vectors for own in stars.values()]))
    points = {name: plane.project(own.vectors) for name, own in stars.items()}
    return plane, {name: there[np.isfinite(there[:, 0])] for name, there in points.items()}


def shared(points: Float64, others: Float64, radius: float) -> int:
    """Return how many points have another one within a radius."""
    index, _ = pairing.nearest(points, others, radius)
    return int(np.count_nonzero(index >= 0))


def most_connected(points: Mapping[str, Float64], radius: float) -> str:
    """Return the group with most stars of others within a radius (arcsec) of its own."""
    counts = dict.fromkeys(points, 0)
    for name, own in points.items():
        for other, theirs in points.items():
            counts[name] += shared(theirs, own, radius) if other != name else 0
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
