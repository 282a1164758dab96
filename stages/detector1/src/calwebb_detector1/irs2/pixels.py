"""Steps that know nothing of IRS2, on the pixels of its frames alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Ramp
from calwebb_core.framework.reference_arrays import shape_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status
from calwebb_detector1.arrays import image_shape
from calwebb_detector1.blocks import Block, Correction, Exposure, Window
from calwebb_detector1.irs2.layout import NORMAL, REFERENCE, ROWS, Indices, layout_of

Prepare = Callable[[Exposure, Any, Any], Correction | Status]
Run = Callable[[Ramp, Any, Any], tuple[Ramp, Status]]


class PixelReferences:
    """References without the rows of IRS2 frames that are not pixels."""

    def __init__(self, references: References, rows: Indices) -> None:
        self._references = references
        self._rows = rows

    def load(self, kind: str, metadata: Metadata) -> Reference | None:
        """Return a reference whose images have the size of the detector."""
        reference = self._references.load(kind, metadata)
        if reference is None:
            return None
        arrays = reference.arrays
        long = [name for name in arrays if shape_of(arrays, name)[-2:-1] == (ROWS,)]
        if not long:
            return reference
        dq = reference.dq
        return replace(
            reference,
            arrays={**arrays, **{name: arrays[name].take(self._rows, -2) for name in long}},
            dq=dq if dq is None or dq.shape[-2] != ROWS else dq.take(self._rows, -2),
        )


def on_pixels(prepare: Prepare) -> Prepare:
    """Return the `prepare` of a step for IRS2 frames, where it sees pixels only."""

    def prepare_pixels(
        exposure: Exposure, references: References, parameters: Any
    ) -> Correction | Status:
        rows = layout_of(exposure.metadata, exposure.image_shape).science_rows
        nints, ngroups, _, nx = exposure.shape
        inner = replace(
            exposure, shape=(nints, ngroups, rows.size, nx), pixeldq=exposure.pixeldq[rows]
        )
        made = prepare(inner, PixelReferences(references, rows), parameters)
        exposure.pixeldq[rows] = inner.pixeldq
        if isinstance(made, Status):
            return made
        return replace(made, apply=apply_to_pixels(made, rows), halo=rows_around(made.halo))

    return prepare_pixels


def rows_around(halo: int) -> int:
    """Return how many rows of a frame hold at least `halo` rows of pixels."""
    return halo + REFERENCE * -(-halo // NORMAL)


def apply_to_pixels(correction: Correction, rows: Indices) -> Callable[[Block], int]:
    """Return what a correction does to the pixels of a block of IRS2 frames."""

    def trimmed(window: Window) -> Window:
        y0, y1 = np.searchsorted(rows, [window.y0, window.y1]).tolist()
        return Window(y0, y1, window.x0, window.x1)

    def apply(block: Block) -> int:
        window = trimmed(block.window)
        inside = rows[window.rows] - block.window.y0
        if inside.size == 0:
            return 0
        inner = Block(
            window,
            trimmed(block.core),
            block.data.take(inside, 2),
            block.groupdq.take(inside, 2),
            block.pixeldq.take(inside, 0),
            None if block.zeroframe is None else block.zeroframe.take(inside, 1),
        )
        count = correction.apply(inner)
        put_back(block, inner, inside, data=correction.changes_data)
        return count

    return apply


def put_back(block: Block, inner: Block, inside: Indices, *, data: bool) -> None:
    """Write the pixels' values and flags into a block of IRS2 frames."""
    block.groupdq[:, :, inside] = inner.groupdq
    block.pixeldq[inside] = inner.pixeldq
    if data:
        block.data[:, :, inside] = inner.data
    if block.zeroframe is not None and inner.zeroframe is not None:
        block.zeroframe[:, inside] = inner.zeroframe


def run_on_pixels(run: Run) -> Run:
    """Return the `run` of a step that takes whole frames, where it sees pixels only."""

    def run_pixels(ramp: Ramp, references: References, parameters: Any) -> tuple[Ramp, Status]:
        rows = layout_of(ramp.metadata, image_shape(ramp)).science_rows

        def part(array: NDArray[Any], axis: int) -> NDArray[Any]:
            return array.take(rows, axis)

        inner = replace(
            ramp,
            data=part(ramp.data, 2),
            pixeldq=part(ramp.pixeldq, 0),
            groupdq=part(ramp.groupdq, 2),
        )
        inner, status = run(inner, PixelReferences(references, rows), parameters)
        ramp.data[:, :, rows] = inner.data
        ramp.pixeldq[rows] = inner.pixeldq
        ramp.groupdq[:, :, rows] = inner.groupdq
        return ramp, status

    return run_pixels
