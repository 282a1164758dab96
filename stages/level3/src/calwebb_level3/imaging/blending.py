"""Keywords of a mosaic from those of its exposures, and the table of them all (HDRTAB)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table

# What differs between exposures and has no single value becomes this word.
SEVERAL = "MULTIPLE"
MULTIPLE = ("DETECTOR", "MODULE", "CHANNEL")
EARLIEST = ("DATE-BEG", "MJD-BEG", "TDB-BEG", "EXPSTART", "VSTSTART", "BSTRTIME", "HSTRTIME")
LATEST = ("DATE-END", "MJD-END", "TDB-END", "EXPEND", "VISITEND", "BENDTIME", "HENDTIME")
# Of a single exposure: meaningless for a mosaic, and kept in HDRTAB.
DROPPED = ("BKGLEVEL", "PATT_NUM", "XOFFSET", "YOFFSET", "DITH_RA", "DITH_DEC", "SCA_NUM")
DATE_OF_START = ("DATE-OBS", "TIME-OBS")
# Longest text that a column of HDRTAB holds.
TEXT_LENGTH = 256


def blend(inputs: Sequence[Metadata], whole: Metadata) -> tuple[Metadata, Table]:
    """Return the keywords of a mosaic and HDRTAB.

    Parameters
    ----------
    inputs : sequence of Metadata
        Of the exposures, in order.
    whole : Metadata
        Keywords of the set; they start the mosaic's.

    Returns
    -------
    Metadata
        First start and last end; MULTIPLE where detectors, modules or channels differ;
        exposure times are summed by the mosaic itself.
    Table
        One row for each exposure, one column for each keyword that any of them has.
    """
    result = whole.copy()
    for keyword in MULTIPLE:
        if len(distinct(inputs, keyword)) > 1:
            result[keyword] = SEVERAL
    for keywords, choose in ((EARLIEST, min), (LATEST, max)):
        for keyword in keywords:
            values = distinct(inputs, keyword)
            if values and len({type(value) for value in values}) == 1:
                result[keyword] = choose(values)
    first = min(inputs, key=lambda m: (str(m.get("DATE-OBS")), str(m.get("TIME-OBS"))))
    for keyword in DATE_OF_START:
        if first.get(keyword) is not None:
            result[keyword] = first[keyword]
    for keyword in DROPPED:
        if len(distinct(inputs, keyword)) > 1:
            result.pop(keyword, None)
    return result, header_table(inputs)


def distinct(inputs: Sequence[Metadata], keyword: str) -> list[Any]:
    """Return the different values of a keyword in order, without those of inputs that lack it."""
    return list(dict.fromkeys(m[keyword] for m in inputs if m.get(keyword) is not None))


def header_table(inputs: Sequence[Metadata]) -> Table:
    """Return a table of all keywords: absent text is empty, an absent number NaN.

    A whole number or truth value that some exposure lacks, and values of mixed kinds, are
    given as float or text.
    """
    names = list(dict.fromkeys(keyword for metadata in inputs for keyword in metadata))
    columns = {name: column([metadata.get(name) for metadata in inputs]) for name in names}
    kept = {name: values for name, values in columns.items() if values is not None}
    rows = np.empty(len(inputs), dtype=[(name, values.dtype) for name, values in kept.items()])
    for name, values in kept.items():
        rows[name] = values
    return Table(rows)


def column(values: Sequence[Any]) -> np.ndarray[Any, Any] | None:
    """Return a column of keyword values, or None if there is nothing in it."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    kinds = {type(value) for value in present}
    if kinds == {bool} and len(present) == len(values):
        return np.array(values, bool)
    if kinds == {int} and len(present) == len(values):
        return np.array(values, np.int64)
    if kinds <= {int, float, bool}:
        return np.array([np.nan if value is None else float(value) for value in values])
    texts = ["" if value is None else str(value).encode("ascii", "replace") for value in values]
    length = min(TEXT_LENGTH, max(1, *(len(text) for text in texts)))
    return np.array(texts, dtype=f"S{length}")
