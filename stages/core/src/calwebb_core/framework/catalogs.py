"""Tables as ECSV files (`_cat`, `_phot`, `_whtlt`): text with types, units and metadata."""

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from calwebb_core.framework.atomic import write_text
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plain_files import MEGABYTE, read_text

FORMAT = "ascii.ecsv"
LARGEST = 1000 * MEGABYTE  # some millions of sources


def write_catalog(table: Any, path: Path, meta: Mapping[str, Any] | None = None) -> None:
    """Write an astropy table as ECSV, whole or not at all.

    Parameters
    ----------
    table : astropy.table.Table
        Columns with units; is not changed.
    path : Path
    meta : mapping, optional
        Plain values to store in the file's head beside the table's own, in this order.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    out = table.copy(copy_data=False)
    out.meta.update(meta or {})
    text = io.StringIO()
    out.write(text, format=FORMAT)
    write_text(Path(path), text.getvalue())


def read_catalog(path: Path, columns: tuple[str, ...] = ()) -> Any:
    """Read an ECSV table.

    Parameters
    ----------
    path : Path
    columns : tuple of str
        Columns that must be there.

    Returns
    -------
    astropy.table.QTable

    Raises
    ------
    InputError
        If the file is missing, is no ECSV table or lacks a column.
    """
    from astropy.table import QTable

    path = Path(path)
    try:
        text = read_text(path, largest=LARGEST)
        check_head(text)
        table = QTable.read(text, format=FORMAT)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
    except MemoryError:
        raise
    except Exception as error:  # astropy and its YAML raise many kinds
        reason = " ".join(str(error).split())
        msg = f"{path}: is not an ECSV table ({reason:.120}); expected a catalog such as _cat.ecsv"
        raise InputError(msg) from error
    missing = [name for name in columns if name not in table.colnames]
    if missing:
        msg = f"{path}: has no column {', '.join(missing)}; found {', '.join(table.colnames)}"
        raise InputError(msg)
    return table


def check_head(text: str) -> None:
    """Refuse a head whose values are nested or repeated without end; see `yaml_reading`.

    Raises
    ------
    yaml.YAMLError
        If it is no YAML either.
    """
    from calwebb_core.framework.yaml_reading import check_yaml

    lines = takewhile(lambda line: line.startswith("#"), text.splitlines())
    check_yaml("\n".join(line[2:] for line in lines if line.startswith("# ")).partition("---")[2])


def read_columns(path: Path, names: Sequence[str]) -> list[list[str]]:
    """Read columns of an ECSV table as text, without what is slow to import.

    Raises
    ------
    InputError
        If the file is missing or lacks a column.
    """
    path = Path(path)
    try:
        lines = read_text(path, largest=LARGEST).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as an ECSV table"
        raise InputError(msg) from error
    comma = any("delimiter: ','" in line for line in lines if line.startswith("#"))
    rows = csv.reader(
        (line for line in lines if line and not line.startswith("#")),
        delimiter="," if comma else " ",
    )
    try:
        table = list(rows)
    except csv.Error as error:
        msg = f"{path}: cannot be read as an ECSV table ({error})"
        raise InputError(msg) from error
    if any(len(row) != len(table[0]) for row in table):
        msg = f"{path}: has rows of different lengths; expected a catalog of sources (ECSV)"
        raise InputError(msg)
    missing = [name for name in names if not table or name not in table[0]]
    if missing:
        msg = f"{path}: has no column {', '.join(missing)}; expected a catalog of sources (ECSV)"
        raise InputError(msg)
    places = [table[0].index(name) for name in names]
    return [[row[place] for row in table[1:]] for place in places]
