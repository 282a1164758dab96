"""Relative and absolute alignment of exposures by their stars, on tweakwcs.

Catalogs are matched in a tangent plane: a histogram of all pair offsets gives the first guess,
then nearest pairs. The correction, a shift with a small rotation, is written into the WCS as a
frame ``v2v3corr`` behind ``v2v3vacorr``.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray
from scipy.spatial import KDTree
from tweakwcs import JWSTWCSCorrector, XYXYMatch, align_wcs

from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import sky, unit_vectors

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]
ARCSEC = np.deg2rad(1.0 / 3600.0)


@dataclass(frozen=True)
class Matching:
    """How catalogs are matched and fitted; lengths in arcsec.

    Attributes
    ----------
    minobj : int
        Fewest matches to accept.
    searchrad, separation, tolerance, xoffset, yoffset, use2dhist
        Of the matching; see `tweakwcs.XYXYMatch`.
    fitgeometry : {"shift", "rshift", "rscale", "general"}
    nclip : int
        Clipping iterations of the fit at `sigma` times its scatter.
    sigma : float
    maximum_rotation : float
        Larger rotations are refused, degrees.
    expand_refcat : bool
        Whether stars of aligned exposures join the reference.
    """

    minobj: int = 10
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

    def matcher(self) -> XYXYMatch:
        """Return tweakwcs's matcher."""
        return XYXYMatch(
            searchrad=self.searchrad,
            separation=self.separation,
            use2dhist=self.use2dhist,
            xoffset=self.xoffset,
            yoffset=self.yoffset,
            tolerance=self.tolerance,
        )


@dataclass(frozen=True)
class Pointing:
    """One image to be aligned.

    Attributes
    ----------
    wcs : gwcs.WCS
    metadata : Metadata
        V2_REF, V3_REF, ROLL_REF.
    stars : astropy.table.Table
        x, y, weight.
    group : str
        Images of a group are moved as one.
    """

    wcs: Any
    metadata: Metadata
    stars: Table
    group: str

    def corrector(self, group: str) -> JWSTWCSCorrector:
        """Return tweakwcs's handle for this WCS; those of one group move as one."""
        angles = {
            key.lower(): self.metadata.require(key, float)
            for key in ("V2_REF", "V3_REF", "ROLL_REF")
        }
        meta = {
            "catalog": self.stars["x", "y", "weight"],
            "group_id": group,
            "name": self.metadata.source,
        }
        return JWSTWCSCorrector(self.wcs, angles, meta=meta)


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
    pointings : sequence of Pointing
        The first exposure's images.
    """

    def __init__(self, pointings: Sequence[Pointing]) -> None:
        self.vectors, self.weights = star_vectors(pointings)

    def table(self) -> Table:
        """Return RA, DEC (degrees) and weight."""
        x, y, z = self.vectors.T
        return Table(
            {
                "RA": np.degrees(np.arctan2(y, x)) % 360.0,
                "DEC": np.degrees(np.arctan2(z, np.hypot(x, y))),
                "weight": self.weights,
            }
        )

    def near(self, vectors: Float64, radius: float) -> int:
        """Return how many positions have a reference star within a radius in arcsec."""
        distance, _ = KDTree(self.vectors).query(vectors)
        return int(np.count_nonzero(distance < radius * ARCSEC))

    def merge(self, pointings: Sequence[Pointing], radius: float, *, expand: bool) -> None:
        """Average the stars within a radius (arcsec) of one another; add the others if wanted."""
        vectors, weights = star_vectors(pointings)
        tree = KDTree(self.vectors)
        distance, index = tree.query(vectors)
        _, back = KDTree(vectors).query(self.vectors)
        mutual = (distance < radius * ARCSEC) & (back[index] == np.arange(len(vectors)))
        own, theirs = index[mutual], weights[mutual]
        total = self.weights[own] + theirs
        mean = self.vectors[own] * self.weights[own, None] + vectors[mutual] * theirs[:, None]
        self.vectors[own] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        self.weights[own] = total
        if expand:
            # Unmatched stars near a reference star are doubtful: blends, or the wrong one.
            new = distance > 2 * radius * ARCSEC
            self.vectors = np.concatenate([self.vectors, vectors[new]])
            self.weights = np.concatenate([self.weights, weights[new]])


def star_vectors(pointings: Sequence[Pointing]) -> tuple[Float64, Float64]:
    """Return unit vectors (n, 3) and weights (n,) of the stars of images."""
    vectors = [unit_vectors(*sky(p.wcs, p.stars["x"], p.stars["y"])) for p in pointings]
    weights = [np.asarray(p.stars["weight"], float) for p in pointings]
    return np.concatenate(vectors), np.concatenate(weights)


def align_relative(
    pointings: Sequence[Pointing], matching: Matching
) -> tuple[list[Any], dict[str, Outcome]]:
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
    list of gwcs.WCS
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
    stars = {name: star_vectors([pointings[i] for i in m])[0] for name, m in groups.items()}
    first = most_connected(stars, matching.searchrad)
    reference = ReferenceStars([pointings[i] for i in groups[first]])
    outcomes = {first: Outcome("reference")}
    waiting = [name for name in groups if name != first]
    tried: set[str] = set()
    while len(tried) < len(waiting):
        counts = {n: reference.near(stars[n], matching.searchrad) for n in waiting}
        name = max((n for n in waiting if n not in tried), key=lambda n: counts[n])
        members = [pointings[i] for i in groups[name]]
        moved, outcomes[name] = align_group(members, reference.table(), matching)
        if outcomes[name].status != "aligned":
            tried.add(name)
            continue
        for index, wcs in zip(groups[name], moved, strict=True):
            wcses[index] = wcs
        aligned = [replace(p, wcs=wcs) for p, wcs in zip(members, moved, strict=True)]
        reference.merge(aligned, 0.5 * matching.tolerance, expand=matching.expand_refcat)
        waiting.remove(name)
        tried.clear()
    return wcses, {name: outcomes[name] for name in groups}


def most_connected(stars: Mapping[str, Float64], radius: float) -> str:
    """Return the group with most stars within a radius (arcsec) of another group's."""
    trees = {name: KDTree(vectors) for name, vectors in stars.items()}
    shared = dict.fromkeys(stars, 0)
    for name, tree in trees.items():
        for other, vectors in stars.items():
            if other != name:
                near = tree.query(vectors)[0] < radius * ARCSEC
                shared[name] += int(np.count_nonzero(near))
    return max(shared, key=lambda name: shared[name])


def align_group(
    pointings: Sequence[Pointing], reference: Table, matching: Matching
) -> tuple[list[Any], Outcome]:
    """Move some images as one onto the positions of a catalog.

    Parameters
    ----------
    pointings : sequence of Pointing
    reference : astropy.table.Table
        RA, DEC (degrees), and weight if there are any.
    matching : Matching

    Returns
    -------
    list of gwcs.WCS
        The given ones if the alignment failed.
    Outcome
    """
    wcses = [pointing.wcs for pointing in pointings]
    correctors = [pointing.corrector("all") for pointing in pointings]
    # The library measures overlaps of spherical polygons, in 0.2 s each, unless given an order.
    align_wcs(
        correctors,
        refcat=reference,
        enforce_user_order=True,
        minobj=matching.minobj,
        match=matching.matcher(),
        fitgeom=matching.fitgeometry,
        nclip=matching.nclip,
        sigma=(matching.sigma, "rmse"),
    )
    outcome = judge(correctors[0].meta["fit_info"], matching)
    if outcome.status != "aligned":
        return wcses, outcome
    pairs = zip(correctors, wcses, strict=True)
    return [with_frame_of(corrector.wcs, wcs) for corrector, wcs in pairs], outcome


def with_frame_of(corrected: Any, original: Any) -> Any:
    """Return a corrected WCS with the size and bounding box that tweakwcs doesn't carry over."""
    corrected.bounding_box = original.bounding_box
    corrected.pixel_shape = original.pixel_shape
    return corrected


def judge(fit: Mapping[str, Any], matching: Matching) -> Outcome:
    """Return what a fit of tweakwcs amounts to; absurd corrections are refused."""
    status = str(fit["status"])
    if status == "REFERENCE":
        return Outcome("reference")
    if status != "SUCCESS":
        return Outcome("failed", status.removeprefix("FAILED: "))
    shift = (float(fit["shift"][0]), float(fit["shift"][1]))
    rotation = (float(fit["proper_rot"]) + 180.0) % 360.0 - 180.0
    found = Outcome("aligned", "", shift, rotation, int(np.sum(fit["fitmask"])), float(fit["rmse"]))
    reason = absurdity(found, matching)
    return Outcome("failed", f"refused: {reason} ({found})") if reason else found


def absurdity(found: Outcome, matching: Matching) -> str:
    """Return why a correction can't be right, or an empty string."""
    length = float(np.hypot(*found.shift))
    if not np.isfinite([length, found.rotation, found.rmse]).all():
        return "the fit is not a number"
    if length > matching.searchrad + matching.tolerance:
        return f"a shift of {length:.2f} arcsec is more than searchrad"
    if abs(found.rotation) > matching.maximum_rotation:
        return f"a rotation of {found.rotation:.3f} degrees is more than maximum_rotation"
    if 2 * found.matches < matching.minobj:
        return f"{found.matches} stars after clipping are fewer than half of minobj"
    if found.rmse > matching.tolerance:
        return f"a scatter of {found.rmse:.3f} arcsec is more than tolerance"
    return ""
