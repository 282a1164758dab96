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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import REFERENCE_PIXEL, PixelDQ
from calwebb_detector1.arrays import check_array, check_ramps
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.integrations import first_integration
from calwebb_detector1.kernels import rscd as kernels
from calwebb_detector1.outlook import common_groups
from calwebb_detector1.rscd_tables import Skip, decay_table, groups_to_skip
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)

MINIMUM = 3
SHORT = 5
DIGIT = 1 << 32
NOT_LISTED = "the rscd reference does not list this SUBARRAY and READPATT"


@dataclass(frozen=True)
class RscdParameters:
    """Options of the step rscd."""

    flag_groups: bool = option(True, "flag the first groups")
    correct_decay: bool = option(
        False, "correct integrations 2 and later with the exponential formula of 2018"
    )


class Kept(NamedTuple):
    """Pixels, bool (2, ny, nx), in the first integration and in any later one.

    `lowered`: some of the groups to skip are kept; `first`: all of them are.
    """

    lowered: NDArray[np.bool_]
    first: NDArray[np.bool_]


def limited(skip: Skip, ngroups: int) -> Skip:
    """Return how many groups to skip of `ngroups`: one of five or fewer; three remain."""
    wanted = Skip(1, 1) if ngroups <= SHORT else skip
    most = max(0, ngroups - MINIMUM)
    return Skip(min(wanted.first, most), min(wanted.later, most))


def parts_of(nints: int, first: int) -> NDArray[np.int64]:
    """Return 0 for the first integration of the exposure and 1 for later ones."""
    return (np.arange(nints, dtype=np.int64) + first > 1).astype(np.int64)


def flag_groups(groupdq: UInt8, pixeldq: UInt32, *, skip: Skip, first: int = 1) -> Kept:
    """Flag the first groups of each integration in place.

    Parameters
    ----------
    groupdq : uint8, (nints, ngroups, ny, nx)
    pixeldq : uint32, (ny, nx)
    skip : groups to skip, as `limited` returns
    first : number of the first integration within the exposure, from 1

    Returns
    -------
    Kept
        Pixels with fewer flagged groups.
    """
    nints, _, ny, nx = groupdq.shape
    check_array("groupdq", groupdq, np.uint8, groupdq.shape)
    check_array("pixeldq", pixeldq, np.uint32, (ny, nx))
    part = parts_of(nints, first)
    wanted = np.array(skip, np.int64)[part]
    lowered, kept = np.zeros((2, 2, ny, nx), np.bool_)
    kernels.flag_first_groups(groupdq, wanted, part, lowered, kept)
    pixeldq[lowered.any(axis=0)] |= np.uint32(PixelDQ.FLUX_ESTIMATED)
    return Kept(lowered, kept)


def packed(kept: Kept, block: Block) -> int:
    """Return the four numbers of a block's pixels as the digits of one, so that blocks add up."""
    images = (*block.inner(kept.lowered), *block.inner(kept.first))
    return sum(int(np.count_nonzero(image)) * DIGIT**k for k, image in enumerate(images))


def unpacked(total: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return what `packed` has packed: lowered and first, in integration 1 and in later ones."""
    digits = [total // DIGIT**k % DIGIT for k in range(4)]
    return (digits[0], digits[1]), (digits[2], digits[3])


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


def record(metadata: Metadata, skip: Skip, parts: NDArray[np.int64], total: int) -> None:
    """Write the keywords of the integrations that there are."""
    lowered, kept = unpacked(total)
    for part in np.unique(parts).tolist():
        prefix = f"INT{part + 1}"
        metadata[f"{prefix}SKIP"] = skip[part]
        metadata[f"{prefix}UGP1"] = kept[part]
        metadata[f"{prefix}BORS"] = lowered[part]


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why an exposure has no groups to leave out."""
    if metadata.get("INSTRUME") != "MIRI":
        return "only MIRI has this decay"
    ngroups = metadata.get("NGROUPS")
    if isinstance(ngroups, int) and ngroups < MINIMUM:
        return f"{ngroups} groups; at least {MINIMUM} are needed"
    return None


def warn_of_segment(metadata: Metadata) -> None:
    """Warn that the first integration of a later segment is not corrected."""
    first = first_integration(metadata)
    if first > 1:
        logger.warning(
            "%s: the decay in integration %d is not corrected, because the one before it is in "
            "another segment",
            metadata.source,
            first,
        )


def prepare(
    exposure: Exposure, references: References, parameters: RscdParameters
) -> Correction | Status:
    """Look up which groups of an exposure to flag, and how the decay goes."""
    metadata, (nints, ngroups) = exposure.metadata, exposure.shape[:2]
    reason = not_needed(metadata)
    if reason:
        return skipped(reason)
    reference = references.load("rscd", metadata)
    if reference is None:
        return skipped("the rscd reference is N/A")
    listed = groups_to_skip(reference, metadata) if parameters.flag_groups else Skip(0, 0)
    table = decay_table(reference, metadata, ngroups) if parameters.correct_decay else None
    if listed is None or (parameters.correct_decay and table is None):
        logger.warning("%s: %s", metadata.source, NOT_LISTED)
        return skipped(NOT_LISTED)
    if table is not None:
        warn_of_segment(metadata)
    skip = limited(listed, ngroups) if parameters.flag_groups else None
    return correction(exposure, skip, table, parts_of(nints, first_integration(metadata)))


def correction(
    exposure: Exposure,
    skip: Skip | None,
    table: NDArray[np.float64] | None,
    parts: NDArray[np.int64],
) -> Correction:
    """Return what is done to each block: correct by `table`, flag the groups to `skip`."""
    row = int(exposure.metadata.get("SUBSTRT2") or 1)
    first = 1 if parts[0] == 0 else 2
    if skip is not None:
        nominal = np.array(skip, np.int64)[parts]
        for i, number in enumerate(nominal):
            exposure.typical_groups[i, :number] = True
        for i, number in enumerate(common_groups(exposure, nominal)):
            for group in range(number):
                exposure.flag_group(group, slice(i, i + 1))

    def apply(block: Block) -> int:
        if table is not None:
            own = row + block.window.y0
            correct_decay(block.data, block.groupdq, block.pixeldq, table=table, first_row=own)
        if skip is None:
            return 0
        return packed(flag_groups(block.groupdq, block.pixeldq, skip=skip, first=first), block)

    def finish(total: int) -> None:
        if skip is not None:
            record(exposure.metadata, skip, parts, total)
            logger.info(
                "%d groups are skipped in integration 1, %d in later ones; "
                "%d and %d pixels keep some",
                *skip,
                *unpacked(total)[0],
            )

    return Correction(apply, changes_data=table is not None, finish=finish)


run = alone(prepare)

STEP = Step(
    name="rscd",
    keyword="S_RSCD",
    meaning="Flag the groups that MIRI's reset switch charge decay disturbs.",
    parameters=RscdParameters,
    run=run,
    prepare=prepare,
    references=("rscd",),
    not_needed=not_needed,
)
