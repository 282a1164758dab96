"""persistence: flag, or subtract, what earlier light leaves behind in a detector.

Charge that traps caught while a pixel was bright is let go for minutes to hours afterwards. The
option `method` chooses what is done about it; the step is off unless asked for.

**window** (as jwst 3.0.0). From the first saturated group of an integration on, or from a group
above `dn_threshold` DN outside a window, a pixel is in a window of `persistence_time` seconds. All
groups within it get PERSISTENCE in GROUPDQ, and DO_NOT_USE with `persistence_dnu`. Group g of an
integration is at ``start + (g + 1) TGROUP``. The ends of the windows are kept over integrations
and, with `save_persistence` and `persistence_array_file`, handed to the next exposure.

**traps** (the model of the documents for jwst until 2.x). A detector has some families f of traps,
each with the columns of the TRAPPARS table: ``c0`` (`capture0`, DN), ``tau = 1 / |capture1|``, s,
``c2`` (`capture2`, DN), ``lambda = |decay_param|``, 1/s. A pixel has the relative density of traps
``D`` (TRAPDENSITY, SCI) and is full at ``F`` (PERSAT, SCI, DN after linearity); ``D (c0 + c2)`` is
the most that a family holds. The state is the charge in traps ``S_f``, DN, per pixel and family.

1. Between exposures: ``S_f <- S_f exp(-lambda (EXPSTART - EXPEND of the earlier one) 86400 s)``.
2. Each integration starts with n resets (NRSTSTRT for the first, NRESETS for the others) of TFRAME:
   ``S_f <- S_f exp(-lambda n TFRAME)``; what is let go in a reset goes with it.
3. At group g, ``t = g TGROUP + (NFRAMES + 1) / 2 TFRAME`` after the reset, ``P_g = sum_f S_f (1 -
   exp(-lambda t))`` has been let go; it is subtracted from the group, and what is let go in TFRAME
   from a zero frame. After the last group: ``S_f <- S_f exp(-lambda L)`` with the length of the
   integration ``L = (ngroups - 1) TGROUP + NFRAMES TFRAME``.
4. Then what the light of the integration has filled is added to ``S_f``, D (c0 + c2) at the most.
   `r` is the slope in DN a group, not below 0: the mean of the differences of neighbouring groups
   that are below F, usable and no jumps, else the first group over its time. ``s = r / (F TGROUP)``
   and T = 1 / s, but after the last usable group below F, and not after the first at or above F. A
   pixel with T < L is full from then on (s = 1 / T), another one rises for T = L:

   - rising part: ``N = 2 D s^2 (T^2 (c0 + c2) / 2 + c0 (T tau + tau^2) exp(-T / tau) - c0 tau^2)``,
     the integral of ``2 D s^2 t (c0 (1 - exp(-t / tau)) + c2)`` from 0 to T;
   - full part: ``N <- N + (D (c0 + c2) - N) (1 - exp(-(L - T) / tau))``;
   - hits: for a jump in group k >= 1 below F, from ``a = value_{k-1} + r`` to a larger ``b
     = value_k``: ``N <- N + D (b^2 - a^2) / F^2 (c0 (1 - exp(-(ngroups - k - 0.5) TGROUP / tau)) +
     c2)``.

Pixels from which `flag_pers_cutoff` DN or more are subtracted get PERSISTENCE in PIXELDQ. The state
at the end of the exposure is the product `_trapsfilled` (SCI float32 (nfamilies, ny, nx), DN),
which `input_trapsfilled` hands to the next exposure of the detector.

Reference files: PERSAT and TRAPDENSITY are images (SCI float32, DQ uint32 with DQ_DEF) of the full
detector or the subarray; TRAPPARS has a binary table TRAPPARS with a row for each family and the
float64 columns capture0, capture1, capture2, decay_param. Nothing is caught where D or F is NaN or
not above 0, or flagged DO_NOT_USE, nor in reference pixels. Does not run with traps where one of
the references is N/A, as for NIRSpec and MIRI.

Source: description of the persistence step in the public documentation of jwst 0.9 to 1.20
(docs/jwst/persistence/description.rst); for the window the parameters of jwst 3.0.0.
"""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Float32, UInt8
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import PixelDQ
from calwebb_detector1.afterglow import WindowEnds, given_ends, given_traps
from calwebb_detector1.arrays import check_array, check_ramps
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.kernels import persistence as kernels
from calwebb_detector1.together import alone
from calwebb_detector1.traps import Course, correct_traps, families_of, trapping_pixels

logger = logging.getLogger(__name__)

TYPES = ("persat", "trapdensity", "trappars")
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class PersistenceParameters:
    """Options of the persistence step."""

    method: str = option(
        "window",
        "flag groups for a time after saturation, or subtract what charge traps let go",
        choices=("window", "traps"),
    )
    persistence_time: float | None = option(
        None, "window: how long groups are flagged; needed", minimum=0.0, unit="s"
    )
    dn_threshold: float | None = option(
        None, "window: groups above this open a window too", unit="DN"
    )
    persistence_dnu: bool = option(False, "window: flag groups DO_NOT_USE as well")
    save_persistence: bool = option(False, "window: write when windows end (_perswindow.asdf)")
    persistence_array_file: str | None = option(
        None, "window: when windows end that an earlier exposure left", file=True
    )
    input_trapsfilled: str | None = option(
        None, "traps: the _trapsfilled that the detector's previous exposure left", file=True
    )
    flag_pers_cutoff: float | None = option(
        40.0, "traps: flag pixels from which this or more is subtracted", minimum=0.0, unit="DN"
    )


def flag_windows(
    data: Float32,
    groupdq: UInt8,
    ends: Float64,
    *,
    times: Float64,
    parameters: PersistenceParameters,
) -> int:
    """Flag the groups within windows in `groupdq` and bring `ends` up to date, in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    ends : float64, (ny, nx), s, when each pixel's window ends; 0 for none
    times : float64, (nints, ngroups), s, on the clock of `ends`
    parameters : PersistenceParameters

    Returns
    -------
    int
        How many pixels are in a window after the last group.

    Raises
    ------
    ValueError
        If an array has another type or shape.
    """
    check_ramps(data, groupdq)
    check_array("ends", ends, np.float64, data.shape[2:])
    check_array("times", times, np.float64, data.shape[:2])
    flags = PixelDQ.PERSISTENCE | (PixelDQ.DO_NOT_USE if parameters.persistence_dnu else 0)
    threshold = np.inf if parameters.dn_threshold is None else parameters.dn_threshold
    length = float(parameters.persistence_time or 0.0)
    kernels.flag_windows(data, groupdq, ends, times, length, float(threshold), np.uint8(flags))
    return int(np.count_nonzero(ends))


def prepare_windows(
    exposure: Exposure, references: References, parameters: PersistenceParameters
) -> Correction:
    """Find the windows that are open as the exposure starts.

    Raises
    ------
    InputError
        If `persistence_time` is not given, EXPSTART is missing, or the file of an earlier exposure
        does not fit.
    """
    metadata, length = exposure.metadata, parameters.persistence_time
    if not length:
        msg = (
            f"{metadata.source}: persistence needs persistence_time, the time in seconds for which "
            f"groups are flagged (or method=traps)"
        )
        raise InputError(msg)
    given = parameters.persistence_array_file
    earlier = None if given is None else references.open_file("persistence window", given)
    state = given_ends(earlier, metadata, exposure.image_shape, length)
    times = Course.of(metadata, *exposure.shape[:2]).group_times(metadata)
    before = state.own_values()
    after = before.copy()

    def apply(block: Block) -> int:
        ends = block.window.cut(before).copy()
        flag_windows(block.data, block.groupdq, ends, times=times, parameters=parameters)
        block.core.put(after, block.inner(ends))
        return int(np.count_nonzero(block.inner(ends)))

    def finish(pixels: int) -> None:
        logger.info("%d pixels are in a window at the end of the exposure", pixels)
        if parameters.save_persistence:
            others = np.where(state.values > times[-1, -1], state.values, 0.0)
            ends = state.with_own(after, others)
            exposure.afterglow = WindowEnds(state.keywords(), ends, length)

    return Correction(apply, changes_data=False, finish=finish)


def prepare_traps(
    exposure: Exposure, references: References, parameters: PersistenceParameters
) -> Correction | Status:
    """Find what is in the traps as the exposure starts.

    Raises
    ------
    InputError
        If a keyword of the times is missing or the file of an earlier exposure does not fit.
    ReferenceFileError
        If a reference is of another size or has no families.
    """
    metadata = exposure.metadata
    for kind in TYPES:
        if references.load(kind, metadata) is None:
            return skipped(f"the {kind} reference is N/A")
    table = references.load("trappars", metadata)
    assert table is not None  # noqa: S101 - N/A was looked for before
    families, course = families_of(table), Course.of(metadata, *exposure.shape[:2])
    density, full = trapping_pixels(references, metadata, exposure.pixeldq)
    given = parameters.input_trapsfilled
    earlier = None if given is None else references.open_file("trapsfilled", given)
    traps = given_traps(earlier, metadata, exposure.image_shape, families.decay_rate)
    before = traps.at_start()
    after = before.copy()

    def apply(block: Block) -> int:
        state = block.window.cut(before).copy()
        old = block.pixeldq & np.uint32(PixelDQ.PERSISTENCE)
        correct_traps(
            block.data,
            block.groupdq,
            block.pixeldq,
            block.zeroframe,
            state,
            density=block.window.cut(density),
            full=block.window.cut(full),
            families=families,
            course=course,
            cutoff=parameters.flag_pers_cutoff,
        )
        block.core.put(after, block.inner(state))
        new = block.pixeldq & np.uint32(PixelDQ.PERSISTENCE) & ~old
        return int(np.count_nonzero(block.inner(new)))

    def finish(pixels: int) -> None:
        logger.info("%d pixels are flagged PERSISTENCE", pixels)
        exposure.afterglow = traps.product(after)

    return Correction(apply, finish=finish)


def prepare(
    exposure: Exposure, references: References, parameters: PersistenceParameters
) -> Correction | Status:
    """Do what the option `method` says."""
    if parameters.method == "window":
        return prepare_windows(exposure, references, parameters)
    return prepare_traps(exposure, references, parameters)


def needed_types(parameters: PersistenceParameters) -> tuple[str, ...]:
    """Return the reference types that the method uses."""
    return TYPES if parameters.method == "traps" else ()


run = alone(prepare)

STEP = Step(
    name="persistence",
    keyword="S_PERSIS",
    meaning="Flag or subtract what earlier light leaves behind in the detector.",
    parameters=PersistenceParameters,
    run=run,
    prepare=prepare,
    references=TYPES,
    references_for=needed_types,
    skip=True,
)
