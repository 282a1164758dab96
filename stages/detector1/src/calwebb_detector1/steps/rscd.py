"""rscd: leave out the groups of MIRI that the decay of the reset switch charge disturbs.

The first groups of an integration get DO_NOT_USE in GROUPDQ: as many as the RSCD reference lists
for the subarray and read pattern, for the first integration of the exposure and for later ones.
With five groups or fewer it is one; three groups always remain. A ramp that saturates so early
that fewer than two unsaturated groups would remain keeps more of its first ones (not if already
the first is saturated); such pixels get FLUX_ESTIMATED in PIXELDQ. In a segment of an exposure
the first integration is INTSTART. INT1SKIP, INT2SKIP say how many groups were skipped, INT1BORS,
INT2BORS in how many pixels fewer were, INT1UGP1, INT2UGP1 in how many none was.

With `correct_decay` the decay is first corrected by the formula of the documents of 2018:
``S'[i, g] = S[i, g] + 0.01 L a exp(-(g + 1) / tau)``, L the last group of the integration before
(extrapolated from the two before it, because the last frame is off), g from 0. After a ramp that
does not saturate ``a = b1 C^b2 / (exp(C / b3) - 1)``, C = L - crossover, zero for C <= 0; after
one that does, ``a = slope SAT_SCALE F + SAT_MZP``, F the last group that a line through the
unsaturated ones predicts. b1 and slope are polynomials in the number of groups; even and odd rows
of the detector have their own coefficients (table RSCD of the reference).

Does not run for other instruments, fewer than three groups, without a reference, or where the
tables don't list the subarray and read pattern.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Ramp, UInt8, UInt32
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.dq import REFERENCE_PIXEL, PixelDQ
from calwebb_detector1.arrays import check_array, check_ramps
from calwebb_detector1.integrations import first_integration
from calwebb_detector1.kernels import rscd as kernels
from calwebb_detector1.rscd_tables import Skip, decay_table, groups_to_skip

logger = logging.getLogger(__name__)

MINIMUM = 3
SHORT = 5
NOT_LISTED = "the rscd reference does not list this SUBARRAY and READPATT"


@dataclass(frozen=True)
class RscdParameters:
    """Options of the step rscd."""

    flag_groups: bool = option(True, "flag the first groups")
    correct_decay: bool = option(
        False, "correct integrations 2 and later with the exponential formula of 2018"
    )


@dataclass(frozen=True)
class Counts:
    """Pixels that keep some of the groups to skip (`lowered`), and all of them (`kept`)."""

    lowered: tuple[int, int]
    kept: tuple[int, int]


def limited(skip: Skip, ngroups: int) -> Skip:
    """Return how many groups to skip of `ngroups`: one of five or fewer; three remain."""
    wanted = Skip(1, 1) if ngroups <= SHORT else skip
    most = max(0, ngroups - MINIMUM)
    return Skip(min(wanted.first, most), min(wanted.later, most))


def parts_of(nints: int, first: int) -> NDArray[np.int64]:
    """Return 0 for the first integration of the exposure and 1 for later ones."""
    return (np.arange(nints, dtype=np.int64) + first > 1).astype(np.int64)


def flag_groups(groupdq: UInt8, pixeldq: UInt32, *, skip: Skip, first: int = 1) -> Counts:
    """Flag the first groups of each integration in place.

    Parameters
    ----------
    groupdq : uint8, (nints, ngroups, ny, nx)
    pixeldq : uint32, (ny, nx)
    skip : groups to skip, as `limited` returns
    first : number of the first integration within the exposure, from 1

    Returns
    -------
    Counts
        Pixels with fewer flagged groups, in the first integration and in any later one.
    """
    nints, _, ny, nx = groupdq.shape
    check_array("groupdq", groupdq, np.uint8, groupdq.shape)
    check_array("pixeldq", pixeldq, np.uint32, (ny, nx))
    part = parts_of(nints, first)
    wanted = np.array(skip, np.int64)[part]
    lowered, kept = np.zeros((2, 2, ny, nx), np.bool_)
    kernels.flag_first_groups(groupdq, wanted, part, lowered, kept)
    pixeldq[lowered.any(axis=0)] |= np.uint32(PixelDQ.FLUX_ESTIMATED)
    return Counts(numbers(lowered), numbers(kept))


def numbers(pixels: NDArray[np.bool_]) -> tuple[int, int]:
    """Return how many pixels are marked in the first integration and in later ones."""
    return int(np.count_nonzero(pixels[0])), int(np.count_nonzero(pixels[1]))


def correct_decay(
    data: Float32,
    groupdq: UInt8,
    pixeldq: UInt32,
    *,
    table: NDArray[np.float64],
    first_row: int = 1,
) -> None:
    """Add to the integrations after the first of `data`, in place, what the decay has taken.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN; three groups or more
    groupdq : uint8, shape of `data`
    pixeldq : uint32, (ny, nx); reference pixels stay as they are
    table : float64, (8, 2), as `calwebb_detector1.rscd_tables.decay_table` returns
    first_row : number of the first row on the detector, from 1
    """
    check_ramps(data, groupdq)
    check_array("pixeldq", pixeldq, np.uint32, data.shape[2:])
    kernels.add_decay(data, groupdq, pixeldq & REFERENCE_PIXEL != 0, table, first_row)


def record(metadata: Metadata, skip: Skip, counts: Counts, first: int, nints: int) -> None:
    """Write the keywords of the integrations that there are."""
    present = [part for part in (0, 1) if part in parts_of(nints, first)]
    for part in present:
        prefix = f"INT{part + 1}"
        metadata[f"{prefix}SKIP"] = skip[part]
        metadata[f"{prefix}UGP1"] = counts.kept[part]
        metadata[f"{prefix}BORS"] = counts.lowered[part]
    logger.info(
        "%d groups are skipped in integration 1, %d in later ones; %d and %d pixels keep some",
        *skip,
        *counts.lowered,
    )


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why an exposure has no groups to leave out."""
    if metadata.get("INSTRUME") != "MIRI":
        return "only MIRI has this decay"
    ngroups = metadata.get("NGROUPS")
    if isinstance(ngroups, int) and ngroups < MINIMUM:
        return f"{ngroups} groups; at least {MINIMUM} are needed"
    return None


def decay_of(reference: Reference, ramp: Ramp) -> NDArray[np.float64] | None:
    """Return the decay's coefficients for an exposure; warn of a segment's first integration."""
    first = first_integration(ramp.metadata)
    if first > 1:
        logger.warning(
            "%s: the decay in integration %d is not corrected, because the one before it is in "
            "another segment",
            ramp.metadata.source,
            first,
        )
    return decay_table(reference, ramp.metadata, ramp.data.shape[1])


def run(ramp: Ramp, references: References, parameters: RscdParameters) -> tuple[Ramp, Status]:
    """Flag, and if asked for correct, the groups of an exposure in place."""
    reason = not_needed(ramp.metadata)
    if reason:
        return ramp, skipped(reason)
    reference = references.load("rscd", ramp.metadata)
    if reference is None:
        return ramp, skipped("the rscd reference is N/A")
    listed = groups_to_skip(reference, ramp.metadata) if parameters.flag_groups else Skip(0, 0)
    table = decay_of(reference, ramp) if parameters.correct_decay else None
    if listed is None or (parameters.correct_decay and table is None):
        logger.warning("%s: %s", ramp.metadata.source, NOT_LISTED)
        return ramp, skipped(NOT_LISTED)
    if table is not None:
        row = int(ramp.metadata.get("SUBSTRT2") or 1)
        correct_decay(ramp.data, ramp.groupdq, ramp.pixeldq, table=table, first_row=row)
    if parameters.flag_groups:
        first, (nints, ngroups) = first_integration(ramp.metadata), ramp.data.shape[:2]
        skip = limited(listed, ngroups)
        counts = flag_groups(ramp.groupdq, ramp.pixeldq, skip=skip, first=first)
        record(ramp.metadata, skip, counts, first, nints)
    return ramp, COMPLETE


STEP = Step(
    name="rscd",
    keyword="S_RSCD",
    meaning="Flag the groups that MIRI's reset switch charge decay disturbs.",
    parameters=RscdParameters,
    run=run,
    references=("rscd",),
    not_needed=not_needed,
)
