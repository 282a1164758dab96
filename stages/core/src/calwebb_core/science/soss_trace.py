"""Where the spectral orders of NIRISS SOSS lie on the detector.

Curves of a PASTASOSS reference, turned about a pivot by how far the pupil wheel is from its
commanded position (Baines et al. 2023, JWST-STScI-008571).
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError, ReferenceFileError

Float64 = NDArray[np.float64]
FIRST_ROW = 1793  # of SUBSTRIP256, in whose pixels the curves are given


class Trace(NamedTuple):
    """Order, and for every column of the subarray the row of its centre, counted from 0."""

    order: int
    row: Float64


def traces(
    tree: Mapping[str, Any], name: str, *, pupil_wheel: float, first_row: int, columns: int
) -> list[Trace]:
    """Return the traces of all orders that a reference describes.

    Parameters
    ----------
    tree : mapping
        Content of a PASTASOSS reference.
    name : str
        Its name for messages.
    pupil_wheel : float
        PWCPOS, degrees.
    first_row : int
        SUBSTRT2, from 1.
    columns : int
        Columns of the subarray.

    Raises
    ------
    InputError
        If the pupil wheel is where the reference does not apply.
    ReferenceFileError
        If the reference lacks something.
    """
    try:
        low, high = tree["meta"]["pwcpos_bounds"]
        angle = math.radians(pupil_wheel - float(tree["meta"]["pwcpos_cmd"]))
        entries = [
            (
                int(entry["spectral_order"]),
                np.asarray(entry["trace"], dtype=np.float64),
                float(entry["pivot_x"]),
                float(entry["pivot_y"]),
            )
            for entry in tree["traces"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{name} is no PASTASOSS reference: {error!s} is missing or of another kind"
        raise ReferenceFileError(msg) from error
    if not low <= pupil_wheel <= high:
        msg = f"PWCPOS is {pupil_wheel}; {name} holds for {low} to {high} degrees"
        raise InputError(msg)
    x = np.arange(columns, dtype=np.float64)
    shift = FIRST_ROW - first_row
    return [
        Trace(order, turned(points, angle, (px, py), x) + shift)
        for order, points, px, py in entries
    ]


def turned(points: Float64, angle: float, pivot: tuple[float, float], x: Float64) -> Float64:
    """Return the rows at columns `x` of a curve turned about a pivot; constant beyond its ends.

    Parameters
    ----------
    points : float64, (n, 2), column and row
    angle : radians, from columns towards rows
    pivot : column, row
    x : float64
    """
    dx, dy = points[:, 0] - pivot[0], points[:, 1] - pivot[1]
    column = pivot[0] + math.cos(angle) * dx - math.sin(angle) * dy
    row = pivot[1] + math.sin(angle) * dx + math.cos(angle) * dy
    order = np.argsort(column, kind="stable")
    found: Float64 = np.interp(x, column[order], row[order])
    return found


def trace_mask(found: list[Trace], shape: tuple[int, int], half_width: float) -> NDArray[np.bool_]:
    """Return which pixels (ny, nx) are within `half_width` rows of a trace."""
    rows = np.arange(shape[0])[:, np.newaxis]
    mask = np.zeros(shape, np.bool_)
    for trace in found:
        mask |= (rows >= np.floor(trace.row - half_width)) & (
            rows <= np.ceil(trace.row + half_width)
        )
    return mask
