"""Translate the quality bits of a reference file by their names."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Table
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.dq import PixelDQ

logger = logging.getLogger(__name__)


def translate_dq(reference: Reference) -> NDArray[np.uint32] | None:
    """Return a reference's DQ array with its bits translated by name to `PixelDQ`.

    DQ_DEF gives the name of every VALUE; a bit without a known name is dropped. Without
    DQ_DEF the bits are taken as they are.
    """
    raw = reference.arrays.get("DQ")
    if raw is None:
        return None
    dq = np.ascontiguousarray(raw).astype(np.uint32)
    table = reference.tables.get("DQ_DEF")
    if table is None or len(table.data) == 0:
        return dq
    return _translate(dq, _bit_pairs(reference, table))


def _bit_pairs(reference: Reference, table: Table) -> list[tuple[int, int]]:
    columns = {name.upper(): name for name in table.data.dtype.names or ()}
    if not {"VALUE", "NAME"} <= set(columns):
        msg = f"{reference.path}: DQ_DEF has no column VALUE and NAME; use another file"
        raise ReferenceFileError(msg)
    pairs = []
    for value, name in zip(table.data[columns["VALUE"]], table.data[columns["NAME"]], strict=True):
        flag = PixelDQ.__members__.get(str(name).strip().upper())
        if flag is not None:
            pairs.append((_bit(reference, value), int(flag)))
        elif str(name).strip():
            logger.debug("%s: DQ bit named %s is unknown and dropped", reference.name, name)
    return pairs


def _bit(reference: Reference, value: Any) -> int:
    try:
        return int(np.uint32(int(value)))
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"{reference.path}: DQ_DEF has VALUE {value!s:.40}; expected a number of 32 bits"
        raise ReferenceFileError(msg) from error


def _translate(dq: NDArray[np.uint32], pairs: list[tuple[int, int]]) -> NDArray[np.uint32]:
    if all(value == flag for value, flag in pairs):
        return dq & np.uint32(sum({value for value, _ in pairs}))
    translated = np.zeros_like(dq)
    for value, flag in pairs:
        if value:
            translated[(dq & np.uint32(value)) != 0] |= np.uint32(flag)
    return translated
