"""Exposures cut into blocks: some rows of all integrations and groups at a time.

A block is small enough for the processor's cache, so that a chain of steps reads and writes
the exposure once, whatever its size; threads share the blocks. A step says in its `prepare`
what it has to know of the whole exposure beforehand and returns a `Correction`, which works on
any block. Running one step alone is a chain of one: the same code gives the same bits.

A step that looks at neighbours asks for a halo: that many more rows (and columns, where blocks
are cut in columns too) around each block, which are computed and thrown away.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_core.framework.step import COMPLETE, Status
from calwebb_core.framework.threads import in_threads
from calwebb_detector1 import windows
from calwebb_detector1.windows import Shape, Window, windows_of

__all__ = ["Block", "Correction", "Exposure", "Reshaped", "Window", "in_threads", "run_chain"]


@dataclass
class Block:
    """Part of an exposure with all its integrations and groups; C-contiguous, to be changed.

    Attributes
    ----------
    window : Window
        What the arrays cover, halo included.
    core : Window
        The part that counts.
    data : float32, (nints, ngroups, rows, columns), DN
    groupdq : uint8, shape of `data`
    pixeldq : uint32, (rows, columns)
    zeroframe : float32, (nints, rows, columns), DN, or None
    rates : what the ramp fit made of it, or None: (rateints, rate), each a tuple of arrays
        (slope, err, dq, var_poisson, var_rnoise) of shape (nints, rows, columns) and (rows,
        columns)
    optional : dict of optional results of the fit by name, (..., rows, columns)
    """

    window: Window
    core: Window
    data: Float32
    groupdq: UInt8
    pixeldq: UInt32
    zeroframe: Float32 | None = None
    rates: Any = None
    optional: dict[str, Any] = field(default_factory=dict)

    def inner(self, array: NDArray[Any]) -> Any:
        """Return the part of an array (..., rows, columns) without the halo, as a view."""
        core = self.core.within(self.window)
        return array[..., core.rows, core.columns]


def nothing(_: int) -> None:
    """Do nothing once all blocks are done."""


@dataclass
class Correction:
    """What a step does to a block.

    Attributes
    ----------
    apply : callable
        ``apply(block) -> int``: works in place; returns a count over the core that is summed
        over all blocks (0 if there is nothing to count).
    halo : int
        Rows and columns around a block that it looks at. With a halo only flags and the zero
        frame may change, not `data`.
    changes_data : bool
        Whether it changes `data` or the zero frame (steps that only flag need not run before
        the levels of the reference pixels are found).
    finish : callable
        ``finish(total)`` once all blocks are done: messages, keywords.
    status : Status
        How the step ends; SKIPPED where it only looks whether it had to run.
    """

    apply: Callable[[Block], int]
    halo: int = 0
    changes_data: bool = True
    finish: Callable[[int], None] = nothing
    status: Status = COMPLETE


class Reshaped(Exception):  # noqa: N818 - a signal, not an error
    """What was assumed of the exposure as a whole before it was read turned out otherwise.

    Raised by `Correction.finish`, after what was found is noted in the `Exposure`; the chain
    then runs once more.
    """


class Source(Protocol):
    """Where blocks come from."""

    def read(self, core: Window, halo: int, pixeldq: UInt32) -> Block:
        """Return a block, with flags of its own."""

    def part(self, core: Window, halo: int, integrations: slice, groups: slice | None) -> Block:
        """Return part of some groups, or without any of the zero frames, of some integrations."""


class Sink(Protocol):
    """Where finished blocks go."""

    def begin(self) -> None:
        """Forget blocks of an earlier run of the chain."""

    def write(self, block: Block) -> None:
        """Take the core of a block."""


@dataclass
class Exposure:
    """What is known of an exposure before its samples are read; `prepare` functions change it.

    Attributes
    ----------
    metadata : Metadata
    shape : (nints, ngroups, ny, nx)
    pixeldq : uint32, (ny, nx): flags so far; `prepare` adds those that it knows
    source : Source
        The samples, before `chain`.
    has_zeroframe : bool
    average_dark_current : float32, (ny, nx), electron/s, or None
    unusable_groups : bool, (nints, ngroups): DO_NOT_USE for every pixel, as far as known; a
        step that flags whole groups says so with `flag_group`
    typical_groups : bool, (nints, ngroups): DO_NOT_USE for most pixels, as far as known; it
        only makes steps faster
    shared : what steps have worked out of reference files, for later steps
    found : dict of such arrays: what an earlier run of the chain found, see `census`
    chain : corrections that come before, in order
    afterglow : what it leaves in the detector for the next exposure, as in `Ramp`
    """

    metadata: Metadata
    shape: Shape
    pixeldq: UInt32
    source: Source
    has_zeroframe: bool = False
    average_dark_current: Float32 | None = None
    unusable_groups: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    typical_groups: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    found: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    chain: list[Correction] = field(default_factory=list)
    shared: dict[str, Any] = field(default_factory=dict)
    afterglow: Any = None

    def __post_init__(self) -> None:
        if self.unusable_groups.size == 0:
            self.unusable_groups = np.zeros(self.shape[:2], np.bool_)
        if self.typical_groups.size == 0:
            self.typical_groups = self.unusable_groups.copy()

    @property
    def image_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.shape[2:]

    def share(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what an earlier step worked out under this name, or make it now."""
        if name not in self.shared:
            self.shared[name] = make()
        return self.shared[name]

    def flag_group(self, group: int, integrations: slice = slice(None)) -> None:
        """Note that a step makes a group unusable for every pixel."""
        self.unusable_groups[integrations, group] = True
        self.typical_groups[integrations, group] = True

    def planes(self, function: Callable[[int, int, Float32], None]) -> None:
        """Call ``function(integration, group, images)`` on all groups as `chain` leaves them.

        `images` is float32 (nints, ngroups, ny, nx), DN: some groups of some integrations, from
        the two numbers on; zero frames come as group -1. In threads.
        """
        nints, ngroups, ny, nx = self.shape
        size = ngroups * ny * nx * windows.BYTES_PER_SAMPLE
        if size > windows.BLOCK_BYTES:
            groups = [-1, *range(ngroups)] if self.has_zeroframe else list(range(ngroups))
            in_threads(
                lambda item: function(*item, self._plane(*item)),
                [(i, g) for i in range(nints) for g in groups],
            )
            return
        step = max(1, windows.BLOCK_BYTES // size)
        in_threads(
            lambda first: self._frames(slice(first, min(first + step, nints)), function),
            range(0, nints, step),
        )

    def _frames(self, some: slice, function: Callable[[int, int, Float32], None]) -> None:
        """Call a function on all groups of some integrations, and on their zero frames."""
        _, ngroups, ny, nx = self.shape
        whole = Window(0, ny, 0, nx)
        block = self.source.part(whole, 0, some, slice(0, ngroups))
        for correction in self.chain:
            if correction.changes_data:
                correction.apply(block)
        function(some.start, 0, block.data)
        if self.has_zeroframe:
            block = self.source.part(whole, 0, some, None)
            for correction in self.chain:
                correction.apply(block)
            function(some.start, -1, block.zeroframe[:, np.newaxis])  # type: ignore[index]

    def _plane(self, integration: int, group: int) -> Float32:
        """Return one group, or the zero frame as group -1, put together from blocks of rows."""
        halo = sum(correction.halo for correction in self.chain)
        image = np.empty((1, 1, *self.image_shape), np.float32)
        one = slice(integration, integration + 1)
        for core in windows_of((1, 1, *self.image_shape), halo):
            groups = slice(group, group + 1) if group >= 0 else None
            block = self.source.part(core, halo, one, groups)
            for correction in self.chain:
                if correction.changes_data or group < 0:
                    correction.apply(block)
            found = block.data if group >= 0 else block.zeroframe
            core.put(image, block.inner(found))  # type: ignore[arg-type]
        return image


def run_chain(exposure: Exposure, chain: list[Correction], sink: Sink) -> None:
    """Send an exposure through a chain of corrections, block by block, in threads.

    Raises
    ------
    Reshaped
        If the chain has to be prepared anew, with what is now known of the exposure.
    """
    halo = sum(correction.halo for correction in chain)

    def work(core: Window) -> list[int]:
        block = exposure.source.read(core, halo, exposure.pixeldq)
        counts = [correction.apply(block) for correction in chain]
        sink.write(block)
        return counts

    sink.begin()
    counts = in_threads(work, windows_of(exposure.shape, halo))
    reshaped = False
    for correction, own in zip(chain, zip(*counts, strict=True), strict=True):
        try:
            correction.finish(sum(own))
        except Reshaped:
            reshaped = True
    if reshaped:
        raise Reshaped
