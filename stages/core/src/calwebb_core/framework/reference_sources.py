"""Where the reference file of a type comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.hashing import sha256_of
from calwebb_core.framework.parameters import did_you_mean
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.reference_types import KNOWN_TYPES

NOT_APPLICABLE = "N/A"


@dataclass(frozen=True)
class Source:
    """Where a reference file is: name, path, SHA-256 if known, and whether CRDS chose it."""

    name: str
    path: Path
    sha256: str | None = None
    from_crds: bool = True


@dataclass(frozen=True)
class Missing:
    """A type for which CRDS has no file for this exposure, and why."""

    reason: str


Entry = Source | Reference | Missing | None


def check_type(kind: str, also: Iterable[str] = ()) -> str:
    """Return a reference type in lower case.

    Raises
    ------
    InputError
        If CRDS has no such type.
    """
    known = sorted({*KNOWN_TYPES, *also})
    if kind.lower() not in known:
        msg = f"unknown reference type {kind!r}{did_you_mean(kind, known)}"
        raise InputError(msg)
    return kind.lower()


def override(kind: str, value: str | Path) -> Source | None:
    """Return the entry of a file that the user names, or None for "N/A".

    Raises
    ------
    ReferenceFileError
        If the file does not exist.
    """
    if str(value).upper() == NOT_APPLICABLE:
        return None
    path = Path(value)
    if not path.is_file():
        msg = f"{path}: the file of --override {kind} does not exist"
        raise ReferenceFileError(msg)
    return Source(path.name, path, from_crds=False)


def in_memory(kind: str, value: Any) -> Reference | None:
    """Return a reference made of a dict of arrays."""
    if value is None or isinstance(value, Reference):
        return value
    reference = Reference(kind, f"{kind} in memory")
    reference.arrays = {name: np.asarray(array) for name, array in value.items()}
    if "DQ" in reference.arrays:
        reference.dq = reference.arrays["DQ"].astype(np.uint32)
    return reference


def compare(kind: str, source: Source) -> None:
    """Compare a file with the SHA-256 it was listed with.

    Raises
    ------
    ReferenceFileError
        If it has changed.
    """
    found = sha256_of(source.path)
    if found != source.sha256:
        msg = (
            f"{source.path}: the {kind} reference file has changed since the list was made "
            f"(SHA-256 {found[:12]}..., listed {str(source.sha256)[:12]}...); make the list anew"
        )
        raise ReferenceFileError(msg)
