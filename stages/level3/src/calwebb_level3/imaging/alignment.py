"""Relative and absolute alignment of exposures by their stars, on tweakwcs.

Catalogs are matched in a tangent plane: a histogram of all pair offsets gives the first guess,
then nearest pairs. The correction, a shift with a small rotation, is written into the WCS as a
frame ``v2v3corr`` behind ``v2v3vacorr``.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import Table
from calwebb_core.framework.metadata import Metadata
from tweakwcs import JWSTWCSCorrector, XYXYMatch, align_wcs

logger = logging.getLogger(__name__)


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
        """Return tweakwcs's handle for this WCS."""
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


def align_relative(
    pointings: Sequence[Pointing], matching: Matching
) -> tuple[list[Any], dict[str, Outcome]]:
    """Align groups of images with one another; one group stays and is the reference.

    A group whose correction is refused is left out and the others are aligned anew, so that it
    pulls nobody along.

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
    outcomes: dict[str, Outcome] = {}
    remaining = {pointing.group for pointing in pointings}
    wcses = [pointing.wcs for pointing in pointings]
    while len(remaining) > 1:
        chosen = [i for i, pointing in enumerate(pointings) if pointing.group in remaining]
        correctors = [pointings[i].corrector(pointings[i].group) for i in chosen]
        align_wcs(
            correctors,
            enforce_user_order=False,
            expand_refcat=matching.expand_refcat,
            minobj=matching.minobj,
            match=matching.matcher(),
            fitgeom=matching.fitgeometry,
            nclip=matching.nclip,
            sigma=(matching.sigma, "rmse"),
        )
        latest = {
            corrector.meta["group_id"]: judge(corrector.meta["fit_info"], matching)
            for corrector in correctors
        }
        outcomes.update(latest)
        absurd = {name for name, outcome in latest.items() if outcome.reason.startswith("refused")}
        if not absurd:
            keep_corrections(wcses, chosen, correctors, latest)
            break
        remaining -= absurd
    return wcses, outcomes


def align_absolute(
    pointings: Sequence[Pointing], reference: Table, matching: Matching
) -> tuple[list[Any], Outcome]:
    """Move all images as one onto the positions of a catalog.

    Parameters
    ----------
    pointings : sequence of Pointing
        With WCS aligned relative to one another.
    reference : astropy.table.Table
        Columns RA, DEC in degrees.
    matching : Matching

    Returns
    -------
    list of gwcs.WCS
        The given ones if the alignment failed.
    Outcome
    """
    correctors = [pointing.corrector("all") for pointing in pointings]
    align_wcs(
        correctors,
        refcat=reference["RA", "DEC"],
        minobj=matching.minobj,
        match=matching.matcher(),
        fitgeom=matching.fitgeometry,
        nclip=matching.nclip,
        sigma=(matching.sigma, "rmse"),
    )
    outcome = judge(correctors[0].meta["fit_info"], matching)
    wcses = [pointing.wcs for pointing in pointings]
    keep_corrections(wcses, range(len(wcses)), correctors, {"all": outcome})
    return wcses, outcome


def keep_corrections(
    wcses: list[Any],
    chosen: Sequence[int],
    correctors: Sequence[JWSTWCSCorrector],
    outcomes: Mapping[str, Outcome],
) -> None:
    """Put the corrected WCS of the aligned groups in the list."""
    for index, corrector in zip(chosen, correctors, strict=True):
        if outcomes[corrector.meta["group_id"]].status == "aligned":
            wcses[index] = with_frame_of(corrector.wcs, wcses[index])


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
    if found.matches < matching.minobj:
        return f"{found.matches} stars after clipping are fewer than minobj"
    if found.rmse > matching.tolerance:
        return f"a scatter of {found.rmse:.3f} arcsec is more than tolerance"
    return ""
