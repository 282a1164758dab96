"""Digests of products, and what differs between two that should be the same."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

SHOWN = 2
SUMS = ("CHECKSUM", "DATASUM")
KINDS = {".fits", ".ecsv", ".json", ".png", ".html", ".asdf", ".csv", ".pmap", ".imap", ".rmap"}
NAMED_ALIKE = (".fits", ".ecsv", "_asn.json")


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every product below a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in KINDS
    }


def digests_by_name(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of images, catalogs and associations by name, however they are laid out.

    Lists of reference files say where these lie, pictures and summaries are named by the run.
    """
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.name.endswith(NAMED_ALIKE)
    }


def total(products: dict[str, str]) -> str:
    """Return one digest of all: what `sha256sum` would list, summed up."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(products.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def different(one: dict[str, str], two: dict[str, str]) -> list[str]:
    """Return the names of products that are not the same, or not in both."""
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


def difference(one: Path, two: Path) -> str:
    """Say in a line how two products differ."""
    if not one.exists() or not two.exists():
        return "in one of them only"
    if one.suffix != ".fits":
        return difference_of_bytes(one.read_bytes(), two.read_bytes())
    with fits.open(one) as first, fits.open(two) as second:
        if [hdu.name for hdu in first] != [hdu.name for hdu in second]:
            return "other extensions"
        errors = first["ERR"].data if "ERR" in first else None
        found = [difference_of_hdu(a, b, errors) for a, b in zip(first, second, strict=True)]
    return "; ".join(text for text in found if text)


def difference_of_bytes(one: bytes, two: bytes) -> str:
    """Say where two files without arrays begin to differ."""
    where = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), None)
    if where is None:
        return f"{len(one)} and {len(two)} bytes"
    return f"from byte {where} of {len(one)} and {len(two)}"


def difference_of_hdu(one: Any, two: Any, errors: Any) -> str:
    """Say how two HDUs differ; nothing if they are the same."""
    keys = [key for key in dict.fromkeys([*one.header, *two.header]) if key not in SUMS]
    cards = [
        f"{key}={one.header.get(key)!r}|{two.header.get(key)!r}"
        for key in keys
        if str(one.header.get(key)) != str(two.header.get(key))
    ]
    more = f" and {len(cards) - SHOWN} cards more" if len(cards) > SHOWN else ""
    header = f"{one.name or 'PRIMARY'} header: {', '.join(cards[:SHOWN])}{more}"
    texts = [header] if cards else []
    there = one.data is not None and two.data is not None
    if there and one.data.tobytes() != two.data.tobytes():
        texts.append(f"{one.name}: {difference_of_arrays(one.data, two.data, errors)}")
    return "; ".join(texts)


def difference_of_arrays(one: Any, two: Any, errors: Any) -> str:
    """Say how many values differ, and how much at most, in units of ERR where there is one."""
    if one.dtype.names is not None or one.shape != two.shape:
        return "other values"
    same = (one == two) | ((one != one) & (two != two))
    apart = np.abs(np.where(same, 0, one.astype(float) - two.astype(float)))
    text = f"{np.count_nonzero(~same)} of {one.size} values, at most {np.nanmax(apart):.3g}"
    if errors is None or errors.shape != one.shape or one.dtype.kind != "f":
        return text
    return f"{text} ({np.nanmax(apart / errors):.3g} ERR)"
