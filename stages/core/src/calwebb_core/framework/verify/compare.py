"""Compare two files of one product bit by bit, and say what differs where they do."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_layout import Hdu, find, scan
from calwebb_core.framework.fits_read import PIECE, read_bytes, read_into, storage
from calwebb_core.framework.metadata import PROVENANCE
from calwebb_core.framework.verify.findings import Finding
from calwebb_core.framework.verify.record import CATALOG, WINDOWS

BLOCK = 1 << 20
CHECKSUMS = ("CHECKSUM", "DATASUM")
IN_ERR = ("SCI", "ERR")  # extensions whose differences are given in units of ERR
SHOWN = 5


def same_bytes(one: Path, other: Path) -> bool:
    """Say whether two files have the same bytes."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while block := first.read(BLOCK):
            if block != second.read(BLOCK):
                return False
    return True


def differences(old: Path, new: Path) -> list[Finding]:
    """Return what differs between a product and the one made again.

    Parameters
    ----------
    old, new : Path
        FITS files or catalogs.

    Returns
    -------
    list of Finding
        What is recorded about how they were made is left to `explain`.
    """
    if old.suffix == CATALOG:
        return compare_catalogs(old, new)
    if old.suffix == WINDOWS:
        return compare_windows(old, new)
    before, after = scan(old), scan(new)
    names = [[hdu.name for hdu in hdus] for hdus in (before, after)]
    if names[0] != names[1]:
        text = f"it has the extensions {', '.join(names[0])}; made again {', '.join(names[1])}"
        return [Finding("extensions", text, {"recorded": names[0], "found": names[1]})]
    found: list[Finding] = []
    for one, other in zip(before, after, strict=True):
        found += compare_headers(one, other)
        if one.name == "ASDF":
            found += compare_trees(read_bytes(old, one), read_bytes(new, other))
        elif one.size or other.size:
            found += compare_data((old, one), (new, other), find(before, "ERR"))
    return found


def compare_headers(one: Hdu, other: Hdu) -> list[Finding]:
    """Name the keywords that differ, other than checksums."""
    before, after = (cards(hdu) for hdu in (one, other))
    if one.name == "ASDF":  # its size follows from its content
        return []
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return []
    shown = ", ".join(
        f"{name} ({said(before.get(name))}, made again {said(after.get(name))})"
        for name in names[:SHOWN]
    )
    more = f" and {len(names) - SHOWN} more" if names[SHOWN:] else ""
    values = {name: [before.get(name), after.get(name)] for name in names}
    text = f"keywords of {one.name} differ: {shown}{more}"
    return [Finding("keywords", text, {"hdu": one.name, "keywords": values})]


def cards(hdu: Hdu) -> dict[str, Any]:
    """Return the values of a header; those of repeated keywords together."""
    values: dict[str, list[Any]] = {}
    for card in hdu.header.cards:
        if card.keyword not in CHECKSUMS:
            values.setdefault(card.keyword or "COMMENT", []).append(card.value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def said(value: Any) -> str:
    """Return a keyword's value in few words."""
    return "absent" if value is None else f"{value!r:.60}"


def compare_trees(before: bytes, after: bytes) -> list[Finding]:
    """Say whether metadata and WCS differ, the record of how they were made left out."""
    from calwebb_core.framework.plain_asdf import DamagedError, UnknownContentError, read_tree

    if before == after:
        return []
    try:
        trees = [read_tree(content) for content in (before, after)]
    except (DamagedError, UnknownContentError):
        return [Finding("metadata", "the ASDF extension differs")]
    for tree in trees:
        tree.pop(PROVENANCE, None)
    metas = [dict(tree.get("meta") or {}) for tree in trees]
    wcs = [repr(meta.pop("wcs", None)) for meta in metas]
    found = []
    if wcs[0] != wcs[1]:
        found.append(Finding("wcs", "the WCS in the ASDF extension differs"))
    if repr(metas[0]) != repr(metas[1]):
        found.append(Finding("metadata", "the metadata in the ASDF extension differ"))
    return found


@dataclass
class Tally:
    """What differs in an array: how many values, by how much at most, and that in ERR."""

    count: int = 0
    largest: float = 0.0
    in_err: float = 0.0


def compare_data(old: tuple[Path, Hdu], new: tuple[Path, Hdu], err: Hdu | None) -> list[Finding]:
    """Count the values that differ in an extension."""
    (path, one), (_, other) = old, new
    if one.shape != other.shape:
        text = f"{one.name} has shape {one.shape}; made again {other.shape}"
        return [Finding("shape", text, {"hdu": one.name})]
    if not one.is_image or one.header["BITPIX"] != other.header["BITPIX"]:
        if read_bytes(*old) == read_bytes(*new):
            return []
        return [Finding("table", f"the content of {one.name} differs", {"hdu": one.name})]
    tally = Tally()
    noise = err if one.name in IN_ERR and err is not None and err.shape == one.shape else None
    for pair in pieces(old, new, (path, noise)):
        add(tally, *pair)
    return [pixels_finding(one, tally, in_err=noise is not None)] if tally.count else []


def pixels_finding(hdu: Hdu, tally: Tally, *, in_err: bool) -> Finding:
    """Say how much of an extension differs."""
    total = int(np.prod(hdu.shape))
    size = f"{tally.in_err:.3g} ERR" if in_err else f"{tally.largest:.6g}"
    text = f"{hdu.name}: {tally.count} of {total} pixels differ, by {size} at most"
    details = {"hdu": hdu.name, "pixels": tally.count, "of": total, "largest": tally.largest}
    return Finding("pixels", text, details | ({"largest_in_err": tally.in_err} if in_err else {}))


Piece = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any] | None]


def pieces(
    old: tuple[Path, Hdu], new: tuple[Path, Hdu], err: tuple[Path, Hdu | None]
) -> Iterator[Piece]:
    """Yield parts of two arrays: where they differ in any bit, both values, and ERR there."""
    total = int(np.prod(old[1].shape))
    for first in range(0, total, PIECE):
        count = min(PIECE, total - first)
        (raw, before), (again, after) = (values(*file, first, count) for file in (old, new))
        width = f"u{raw.dtype.itemsize}"
        differ = raw.view(width) != again.view(width)
        if differ.any():
            noise = None if err[1] is None else values(err[0], err[1], first, count)[1][differ]
            yield differ, before[differ], after[differ], noise


def values(path: Path, hdu: Hdu, first: int, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a part of an array as it is stored, and as float64."""
    stored = storage(path, hdu)
    place = hdu.offset + first * stored.dtype.itemsize
    with path.open("rb", buffering=0) as stream:
        raw = read_into(stream, place, (count,), stored.dtype)
    return raw, stored.convert(raw, np.float64)


def add(
    tally: Tally,
    differ: NDArray[Any],
    before: NDArray[Any],
    after: NDArray[Any],
    noise: NDArray[Any] | None,
) -> None:
    """Add a part of two arrays to a tally; differences from or to NaN have no size."""
    tally.count += int(differ.sum())
    finite = np.isfinite(before) & np.isfinite(after)
    size = np.abs(before[finite] - after[finite])
    tally.largest = max(tally.largest, float(size.max(initial=0.0)))
    if noise is not None:
        scale = noise[finite]
        known = np.isfinite(scale) & (scale > 0)
        ratio = size[known] / scale[known]
        tally.in_err = max(tally.in_err, float(ratio.max(initial=0.0)))


def compare_windows(old: Path, new: Path) -> list[Finding]:
    """Say which entries of an ASDF file differ."""
    from calwebb_core.framework.plain_asdf import DamagedError, UnknownContentError, read_tree

    try:
        before, after = (read_tree(path.read_bytes()) for path in (old, new))
    except (DamagedError, UnknownContentError):
        return [Finding("metadata", "its content differs")]
    names = [
        name
        for name in {**before, **after}
        if name != PROVENANCE and not same_entry(before.get(name), after.get(name))
    ]
    if not names:
        return []
    text = f"its entries {', '.join(names)} differ"
    return [Finding("table", text, {"entries": names})]


def same_entry(one: Any, other: Any) -> bool:
    """Say whether two values of a tree are the same, arrays among them."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_entry(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and bool(one == other)


def compare_catalogs(old: Path, new: Path) -> list[Finding]:
    """Say which columns of a catalog differ, in how many rows."""
    from calwebb_core.framework.catalogs import read_catalog

    before, after = read_catalog(old), read_catalog(new)
    if before.colnames != after.colnames or len(before) != len(after):
        text = (
            f"the catalog has {len(before)} rows of {len(before.colnames)} columns; made again "
            f"{len(after)} of {len(after.colnames)}"
        )
        return [Finding("catalog", text)]
    rows = {}
    for name in before.colnames:
        pairs = zip(map(repr, before[name]), map(repr, after[name]), strict=True)
        if count := sum(a != b for a, b in pairs):
            rows[name] = count
    found = []
    if rows:
        shown = ", ".join(f"{name} ({count} rows)" for name, count in list(rows.items())[:SHOWN])
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        found.append(Finding("catalog", f"columns differ: {shown}{more}", {"columns": rows}))
    metas = [{k: v for k, v in table.meta.items() if k != PROVENANCE} for table in (before, after)]
    if repr(metas[0]) != repr(metas[1]):
        found.append(Finding("metadata", "the values in the head of the catalog differ"))
    return found
