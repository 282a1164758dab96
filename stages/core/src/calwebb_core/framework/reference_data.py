"""One loaded reference file, and whether it fits an exposure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table

ANY_VALUE = ("", "N/A", "ANY", "ALL", "MULTI", "MULTIPLE", "GENERIC")
# Keywords with what a file is for besides what it was measured with: NRS1|NRS2|
PATTERNS = {"DETECTOR": "P_DETECT"}
LONG_NAMES = {"NRCA5": "NRCALONG", "NRCB5": "NRCBLONG"}


class Window(NamedTuple):
    """Rectangle of detector pixels: first column and row (1-based), columns, rows."""

    x: int
    y: int
    nx: int
    ny: int

    def contains(self, other: "Window") -> bool:
        """Say whether another window lies within this one."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.nx <= self.x + self.nx
            and other.y + other.ny <= self.y + self.ny
        )

    def __str__(self) -> str:
        last_x, last_y = self.x + self.nx - 1, self.y + self.ny - 1
        return f"columns {self.x}-{last_x}, rows {self.y}-{last_y}"


@dataclass
class Reference:
    """One loaded reference file.

    Attributes
    ----------
    type : str
        CRDS type in lower case.
    name : str
        File name.
    path : Path or None
        None when it was made in memory.
    metadata : Metadata
        Keywords of PRIMARY and SCI, or their equals from the tree of an ASDF file.
    arrays : mapping
        Image HDUs by EXTNAME ("SCI", second of the name "SCI,2"): native byte order,
        C-contiguous, type kept, cut out to the exposure's subarray. Never write into them. Those of
        a file are read each time they are asked for (`reference_arrays.part_of` for a part).
    tables : dict
        Binary tables by EXTNAME; texts are stripped `str`.
    tree : dict or None
        Tree of an ASDF file.
    dq : uint32 array or None
        The DQ array with its bits translated by name (DQ_DEF) to `PixelDQ`.
    headers : dict
        Keywords of each extension by its name, those of its structure left out.
    """

    type: str
    name: str = ""
    path: Path | None = None
    metadata: Metadata = field(default_factory=Metadata)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    tree: dict[str, Any] | None = None
    dq: NDArray[np.uint32] | None = None
    headers: dict[str, dict[str, Any]] = field(default_factory=dict)


def science_window(metadata: Metadata) -> Window | None:
    """Return the exposure's subarray on the detector, or None if the keywords are absent."""
    keywords = ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
    values = [value for key in keywords if isinstance(value := metadata.get(key), int)]
    return Window(*values) if len(values) == len(keywords) else None


def check_fits(reference: Reference, science: Metadata) -> None:
    """Check that a reference file is of its type and made for the exposure's detector.

    Raises
    ------
    ReferenceFileError
        If REFTYPE, INSTRUME or DETECTOR say otherwise.
    """
    found = str(reference.metadata.get("REFTYPE", "")).strip().lower()
    if found and found != reference.type:
        msg = (
            f"{reference.path}: REFTYPE is {found!r}, expected {reference.type!r}; "
            f"name the right file with --override {reference.type}=FILE"
        )
        raise ReferenceFileError(msg)
    for keyword in ("INSTRUME", "DETECTOR"):
        _check_keyword(reference, science, keyword)


def _check_keyword(reference: Reference, science: Metadata, keyword: str) -> None:
    found = str(reference.metadata.get(keyword, "")).strip().upper()
    wanted = str(science.get(keyword, "")).strip().upper()
    if not wanted or found in ANY_VALUE:
        return
    others = str(reference.metadata.get(PATTERNS.get(keyword, ""), "")).upper()
    names = [LONG_NAMES.get(name.strip(), name.strip()) for name in f"{found}|{others}".split("|")]
    if LONG_NAMES.get(wanted, wanted) not in names:
        msg = (
            f"{reference.path}: {keyword} of the {reference.type} reference file is {found}, "
            f"but the exposure {science.source} is of {wanted}; choose a file for {wanted}"
        )
        raise ReferenceFileError(msg)
