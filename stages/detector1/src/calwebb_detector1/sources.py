"""Where the blocks of an exposure come from and go to: raw files, ramps and rates in memory."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_layout import Hdu, find
from calwebb_core.framework.fits_read import read_array, storage
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Ramp, UInt32
from calwebb_core.framework.product_reading import read_asdf
from calwebb_core.framework.products import open_raw, read_ramp
from calwebb_core.framework.raw_ramp import RawRamp
from calwebb_core.framework.stored_parts import OpenFile, read_frames
from calwebb_detector1.blocks import Block, Exposure, Window
from calwebb_detector1.kernels import samples

ALL = slice(None)
AT_ONCE = 8 << 20  # bytes of a file that are in memory beside what is made of them


class RawExposure:
    """A raw exposure whose samples are still in its file.

    Attributes
    ----------
    metadata : Metadata
    shape : (nints, ngroups, ny, nx)
    tables : HDUs that are carried along
    """

    def __init__(self, path: Path, raw: RawRamp) -> None:
        self.path = path
        self.metadata: Metadata = raw.metadata
        self.shape = raw.shape
        self.tables = raw.tables()
        self._hdus = raw.hdus
        self._file: OpenFile | None = None

    def load(self) -> Ramp:
        """Read all samples into memory."""
        ramp = read_ramp(self.path)
        ramp.metadata = self.metadata
        return ramp

    def empty(self) -> Ramp:
        """Return ramps of its shape to be filled, with what is carried along."""
        nints, _, ny, nx = self.shape
        reference_output = find(self._hdus, "REFOUT")
        refout = None
        if reference_output is not None and reference_output.shape:
            refout = read_array(self.path, reference_output, np.float32)
        return Ramp(
            self.metadata,
            np.empty(self.shape, np.float32),
            np.zeros((ny, nx), np.uint32),
            np.empty(self.shape, np.uint8),
            np.empty((nints, ny, nx), np.float32) if self.has_zeroframe else None,
            refout,
            tables=self.tables,
        )

    @property
    def has_zeroframe(self) -> bool:
        """Whether there is a zero frame."""
        hdu = find(self._hdus, "ZEROFRAME")
        return hdu is not None and bool(hdu.shape)

    def exposure(self) -> Exposure:
        """Return what steps know of it before its samples are read."""
        pixeldq = np.zeros(self.shape[2:], np.uint32)
        return Exposure(self.metadata, self.shape, pixeldq, self, self.has_zeroframe)

    def _opened(self) -> OpenFile:
        if self._file is None:
            self._file = OpenFile(self.path)
        return self._file

    def samples(self, name: str, index: tuple[slice, ...]) -> Any:
        """Read a part of SCI (4 slices) or ZEROFRAME (3 slices) as float32, DN."""
        hdu = find(self._hdus, name)
        assert hdu is not None  # noqa: S101 - SCI is required, ZEROFRAME asked for before
        shape, flat = hdu.shape, (1,) * (4 - len(index))
        ranges = tuple(range(size)[part] for size, part in zip(shape, index, strict=True))
        out = np.empty([*flat, *map(len, ranges)], np.float32)
        shape, ranges = (*flat, *shape), (*map(range, flat), *ranges)
        step = max(1, AT_ONCE // (2 * len(ranges[2]) * len(ranges[3]) or 1))
        for i, integration in enumerate(ranges[0]):
            for first in range(0, len(ranges[1]), step):
                some = (range(integration, integration + 1), ranges[1][first : first + step])
                part = read_frames(
                    self._opened(), hdu.offset, shape, np.uint16, (*some, *ranges[2:])
                )
                samples.convert_raw(part, out[i : i + 1, first : first + step])
        return out.reshape(out.shape[len(flat) :])

    def read(self, core: Window, halo: int, pixeldq: UInt32) -> Block:
        """Return a block."""
        window = core.grown(halo, *self.shape[2:])
        part = (window.rows, window.columns)
        data = self.samples("SCI", (ALL, ALL, *part))
        zero = self.samples("ZEROFRAME", (ALL, *part)) if self.has_zeroframe else None
        flags = np.zeros(data.shape, np.uint8)
        return Block(window, core, data, flags, window.cut(pixeldq).copy(), zero)

    def part(self, core: Window, halo: int, integrations: slice, groups: slice | None) -> Block:
        """Return part of some groups, or without any of the zero frames."""
        window = core.grown(halo, *self.shape[2:])
        index = (window.rows, window.columns)
        if groups is None:
            zero = self.samples("ZEROFRAME", (integrations, *index))
            return block_of(window, core, np.empty((len(zero), 0, *window.shape), np.float32), zero)
        return block_of(window, core, self.samples("SCI", (integrations, groups, *index)), None)


def block_of(window: Window, core: Window, data: Any, zero: Any) -> Block:
    """Return a block of some groups, or of zero frames."""
    flags = np.zeros(data.shape, np.uint8)
    return Block(window, core, data, flags, np.zeros(window.shape, np.uint32), zero)


def open_exposure(path: Path) -> RawExposure | Ramp:
    """Open a raw exposure without reading its samples; read anything else.

    Raises
    ------
    InputError
        As `calwebb_core.framework.products.read_ramp`.
    """
    with open_raw(path) as raw:
        plain = all(is_raw(path, find(raw.hdus, name)) for name in ("SCI", "ZEROFRAME"))
        fresh = not any(find(raw.hdus, name) for name in ("PIXELDQ", "GROUPDQ"))
        if plain and fresh and sys.byteorder == "little":
            raw.metadata.provenance = read_asdf(path, raw.hdus)[1]
            return RawExposure(path, raw)
    return read_ramp(path)


def is_raw(path: Path, hdu: Hdu | None) -> bool:
    """Say whether an array is absent or stored as unsigned 16-bit integers."""
    if hdu is None or not hdu.shape:
        return True
    stored = storage(path, hdu)
    return stored.unsigned and stored.dtype.itemsize == 2


class RampSource:
    """Blocks of ramps in memory."""

    def __init__(self, ramp: Ramp) -> None:
        self.ramp = ramp

    def read(self, core: Window, halo: int, pixeldq: UInt32) -> Block:
        """Return a copy of a block."""
        ramp = self.ramp
        window = core.grown(halo, *ramp.pixeldq.shape)
        zero = None if ramp.zeroframe is None else window.cut(ramp.zeroframe).copy()
        return Block(
            window,
            core,
            copied(window, ramp.data),
            copied(window, ramp.groupdq),
            copied(window, pixeldq),
            zero,
        )

    def part(self, core: Window, halo: int, integrations: slice, groups: slice | None) -> Block:
        """Return a copy of part of some groups, or without any of the zero frames."""
        ramp = self.ramp
        window = core.grown(halo, *ramp.pixeldq.shape)
        if groups is None:
            assert ramp.zeroframe is not None  # noqa: S101 - `has_zeroframe` was asked before
            zero = copied(window, ramp.zeroframe[integrations])
            return block_of(window, core, np.empty((len(zero), 0, *window.shape), np.float32), zero)
        return block_of(window, core, copied(window, ramp.data[integrations, groups]), None)


def copied(window: Window, array: NDArray[Any]) -> Any:
    """Return a part of an array, always as a copy."""
    part = window.cut(array)
    return part.copy() if np.may_share_memory(part, array) else part


class RampSink:
    """Takes blocks back into ramps in memory; what is read is not what is written."""

    def __init__(self, ramp: Ramp, *, shared: bool, halo: int, changes_data: bool) -> None:
        self.ramp = ramp
        self.pixeldq = np.empty_like(ramp.pixeldq)
        # blocks still to come read the rows around theirs: they must not see what is done already
        apart = shared and halo > 0
        self.keeps_data = apart and not changes_data
        self.data = np.empty_like(ramp.data) if apart and changes_data else ramp.data
        self.groupdq = np.empty_like(ramp.groupdq) if apart else ramp.groupdq
        zero = ramp.zeroframe
        self.zeroframe = np.empty_like(zero) if apart and zero is not None else zero

    def begin(self) -> None:
        """Start anew: every block is written again."""

    def write(self, block: Block) -> None:
        """Take the core of a block."""
        core = block.core
        if not self.keeps_data:
            core.put(self.data, block.inner(block.data))
        core.put(self.groupdq, block.inner(block.groupdq))
        core.put(self.pixeldq, block.inner(block.pixeldq))
        if self.zeroframe is not None and block.zeroframe is not None:
            core.put(self.zeroframe, block.inner(block.zeroframe))

    def close(self) -> None:
        """Make what was written the ramps' own."""
        ramp = self.ramp
        ramp.data, ramp.groupdq, ramp.zeroframe = self.data, self.groupdq, self.zeroframe
        ramp.pixeldq = self.pixeldq
