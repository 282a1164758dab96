"""Columns of numbers as an ECSV file, written without loading astropy's tables.

Loading these takes longer than a whole light curve. The file is the one that astropy would write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from calwebb_core.framework.atomic import write_text

if TYPE_CHECKING:
    from astropy.table import QTable

WIDTH = 130  # characters of a line of YAML


@dataclass
class LightCurve:
    """Columns of one length.

    Attributes
    ----------
    columns : dict of float64 or int64 (n,)
        By name: letters, digits and underscores.
    units : dict of str
        Of the columns that have one, as FITS spells it.
    meta : dict
        Plain values for the head of the file.
    """

    columns: dict[str, NDArray[Any]]
    units: dict[str, str] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    def table(self) -> QTable:
        """Return the same as a table of astropy."""
        from astropy.table import QTable

        return QTable(self.columns, units=self.units, meta=self.meta)


def text_of(curve: LightCurve, meta: Mapping[str, Any] | None = None) -> str:
    """Return the text of the file; `meta` comes behind the curve's own."""
    import yaml

    named = [
        {"name": name}
        | ({"unit": curve.units[name]} if name in curve.units else {})
        | {"datatype": str(column.dtype)}
        for name, column in curve.columns.items()
    ]
    head = f"%ECSV 1.0\n---\ndatatype:\n{plain(yaml, named, ordered=False)}"
    values = [{name: value} for name, value in (curve.meta | dict(meta or {})).items()]
    if values:
        head += f"meta: !!omap\n{plain(yaml, values, ordered=True)}"
    lines = [f"# {line}" for line in (f"{head}schema: astropy-2.0").splitlines()]
    lines.append(" ".join(curve.columns))
    rows = zip(*(column.tolist() for column in curve.columns.values()), strict=True)
    lines += [" ".join(map(repr, row)) for row in rows]
    return "\n".join(lines) + "\n"


def plain(yaml: Any, entries: list[dict[str, Any]], *, ordered: bool) -> str:
    """Return entries of a list as YAML, small ones in one line; keys by name or as they are."""
    text: str = yaml.safe_dump(entries, default_flow_style=None, width=WIDTH, sort_keys=ordered)
    return text


def write_light_curve(curve: LightCurve, path: Path, meta: Mapping[str, Any] | None = None) -> None:
    """Write a light curve as ECSV, whole or not at all.

    Parameters
    ----------
    curve : LightCurve
    path : Path
    meta : mapping, optional
        Plain values to store in the file's head beside the curve's own, in this order.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    write_text(Path(path), text_of(curve, meta))
