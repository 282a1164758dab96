"""Write what an exposure leaves in its detector: `_trapsfilled.fits` or `_perswindow.asdf`."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from calwebb_core.framework.atomic import atomic_path
from calwebb_core.framework.metadata import PROVENANCE
from calwebb_core.framework.product_writing import write_product
from calwebb_core.framework.products import product_path, root_of
from calwebb_detector1.afterglow import TrapsFilled, WindowEnds
from calwebb_detector1.detector_state import window_of


def write_afterglow(afterglow: TrapsFilled | WindowEnds | None, directory: Path) -> list[Path]:
    """Write it, if there is any, and return the paths.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    if afterglow is None:
        return []
    root = root_of(afterglow.metadata)
    if isinstance(afterglow, TrapsFilled):
        path = product_path(directory, root, "trapsfilled")
        write_trapsfilled(afterglow, path)
    else:
        path = product_path(directory, root, "perswindow", "asdf")
        write_ends(afterglow, path)
    return [path]


def write_trapsfilled(traps: TrapsFilled, path: Path) -> None:
    """Write the state of the traps (`_trapsfilled`)."""
    arrays = {"SCI": np.ascontiguousarray(traps.data, np.float32)}
    write_product(path, traps.metadata, "TrapsFilledModel", arrays, unit="")


def write_ends(windows: WindowEnds, path: Path) -> None:
    """Write when windows end, for the pixels that are in one, as the official package does.

    `start` is ours: where the pixels are counted from. So is the record of how it was made.
    """
    import asdf

    area = window_of(windows.metadata, windows.ends.shape)
    rows, columns = np.nonzero(windows.ends)
    entry = {
        "filename": root_of(windows.metadata),
        "rows": rows,
        "cols": columns,
        "vals": windows.ends[rows, columns],
        "pers_time": windows.length,
        "start": [area.x, area.y],
    }
    tree: dict[str, Any] = {windows.metadata.require("DETECTOR", str).upper(): entry}
    if windows.metadata.provenance:
        tree[PROVENANCE] = windows.metadata.provenance
    buffer = io.BytesIO()
    asdf.AsdfFile(tree).write_to(buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
