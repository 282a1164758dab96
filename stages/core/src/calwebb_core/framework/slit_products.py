"""Products of several slits or sources: the same HDUs again and again, told apart by EXTVER."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from calwebb_core.framework.asdf_extension import (
    checked_record,
    damaged,
    slits_from_asdf,
    slits_to_asdf,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import (
    cards,
    checked_values,
    closing_cards,
    metadata_from,
    product_metadata,
)
from calwebb_core.framework.fits_layout import Hdu, find, require, scan
from calwebb_core.framework.fits_read import read_bytes
from calwebb_core.framework.fits_write import Block, asdf_block, table_block, write_blocks
from calwebb_core.framework.metadata import PROVENANCE, Metadata
from calwebb_core.framework.models import Slit, Slits
from calwebb_core.framework.product_reading import (
    IMAGE_ARRAYS,
    check_image,
    optional,
    read_planes,
)
from calwebb_core.framework.product_writing import array_cards
from calwebb_core.framework.raw_ramp import carried

MODEL = "MultiSlitModel"
ASDF = "ASDF"


def is_of_slits(hdus: list[Hdu]) -> bool:
    """Say whether a product has several slits, or one that is to be told apart from others."""
    count = sum(hdu.name == "SCI" for hdu in hdus)
    return count > 1 or (count == 1 and hdus[0].header.get("DATAMODL") == MODEL)


def read_slits(path: Path) -> Slits:
    """Read a product of several slits.

    Raises
    ------
    InputError
        If it is no FITS file, truncated, has no SCI; if a slit has no ERR or DQ, two of one, or
        an array of another shape than its SCI; if an array belongs to no slit; or if the ASDF
        extension is damaged.
    """
    path = Path(path)
    hdus = scan(path)
    require(path, hdus, "SCI")
    planes = [hdu for hdu in hdus[1:] if hdu.is_image and hdu.shape and hdu.name != ASDF]
    versions = check_versions(path, planes)
    metadata = metadata_from(path, {"PRIMARY": hdus[0].header})
    known = {hdu.name for hdu in planes}
    check_tables(path, [hdu for hdu in hdus[1:] if hdu.name not in known])
    slits = [read_slit(path, [hdu for hdu in planes if hdu.version == v]) for v in versions]
    extension = find(hdus, ASDF)
    if extension is not None:
        content = read_bytes(path, extension)
        metadata.provenance = provenance_of(content, path)
        found = slits_from_asdf(content, str(path), len(slits))
        for slit, (wcs, extended) in zip(slits, found, strict=True):
            slit.wcs, slit.extended = wcs, extended
    return Slits(metadata, slits, carried(path, hdus, tuple(known)))


def check_versions(path: Path, planes: list[Hdu]) -> list[int]:
    """Return EXTVER of the slits in order; refuse arrays that belong to none or to two."""
    counts = Counter((hdu.name, hdu.version) for hdu in planes)
    twice = next((key for key, count in counts.items() if count > 1), None)
    if twice is not None:
        msg = f"{path}: has two {twice[0]} arrays with EXTVER {twice[1]}; expected one a slit"
        raise InputError(msg)
    versions = [hdu.version for hdu in planes if hdu.name == "SCI"]
    for hdu in planes:
        if hdu.version not in versions:
            msg = f"{path}: {hdu.name} has EXTVER {hdu.version}, which no SCI has"
            raise InputError(msg)
    return versions


def check_tables(path: Path, rest: list[Hdu]) -> None:
    """Refuse tables of one name for several slits: a container has one of each."""
    counts = Counter(hdu.name for hdu in rest if hdu.name)
    for name, count in counts.items():
        if count > 1:
            msg = f"{path}: has {count} tables {name}; expected one, tables of slits are not read"
            raise InputError(msg)


def read_slit(path: Path, planes: list[Hdu]) -> Slit:
    """Read the arrays of one slit; they have the same EXTVER."""
    shape = check_image(path, planes)
    science = require(path, planes, "SCI")
    arrays = {
        attribute: optional(path, planes, name, shape, dtype)
        for name, (attribute, dtype) in IMAGE_ARRAYS.items()
        if name not in ("CON", "AREA")
    }
    arrays["area"] = optional(path, planes, "AREA", shape[-2:], np.float32)
    return Slit(
        metadata_from(path, {"SCI": science.header}),
        **arrays,
        planes=read_planes(path, planes, shape),
    )


def provenance_of(content: bytes, path: Path) -> dict[str, Any]:
    """Return the record of how a product was made; {} for one of another origin."""
    from calwebb_core.framework.plain_asdf import DamagedError, UnknownContentError, read_tree

    if PROVENANCE.encode() not in content:
        return {}
    try:
        return checked_record(read_tree(content).get(PROVENANCE))
    except UnknownContentError:
        return {}
    except DamagedError as error:
        raise damaged(str(path), error) from error


def write_slits(slits: Slits, path: Path) -> None:
    """Write a product of several slits: PRIMARY, the arrays of each in turn, tables, ASDF.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    path = Path(path)
    own = product_metadata(slits.metadata, path, MODEL)
    values = checked_values(own)
    blocks = [Block("PRIMARY", None, cards(own, values, "PRIMARY") + closing_cards(own))]
    for version, slit in enumerate(slits.slits, 1):
        blocks += slit_blocks(slit, version)
    blocks += [table_block(name, table) for name, table in slits.tables.items()]
    rest = [(slit.wcs, slit.extended) for slit in slits.slits]
    blocks.append(asdf_block(slits_to_asdf(own, values, rest)))
    write_blocks(path, blocks)


def slit_blocks(slit: Slit, version: int) -> list[Block]:
    """Return the HDUs of one slit."""
    metadata = in_science(slit.metadata)
    values = checked_values(metadata)
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(slit, attribute), dtype)
        for name, (attribute, dtype) in IMAGE_ARRAYS.items()
        if getattr(slit, attribute) is not None
    }
    arrays |= {name: np.ascontiguousarray(plane) for name, plane in slit.planes.items()}
    return [
        Block(name, array, array_cards(name, metadata, values), version=version)
        for name, array in arrays.items()
    ]


def in_science(metadata: Metadata) -> Metadata:
    """Return keywords that all have their place in SCI."""
    result = metadata.copy()
    result.homes = dict.fromkeys(result, "SCI")
    return result
