"""Products on disk and in memory: what each file holds and how it is read and written.

All float arrays are float32 and all flags uint32 (GROUPDQ uint8), big-endian in the file and
native here. Every HDU has CHECKSUM and DATASUM; the last one is the ASDF extension.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.asdf_extension import from_asdf, to_asdf
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import (
    card,
    cards,
    checked_values,
    closing_cards,
    metadata_from,
    product_metadata,
)
from calwebb_core.framework.fits_layout import Hdu, find, require, scan
from calwebb_core.framework.fits_read import read_array, read_bytes
from calwebb_core.framework.fits_write import Block, asdf_block, table_block, write_blocks
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Ramp, Segmentation, Table
from calwebb_core.framework.names import split_suffix, stem_of
from calwebb_core.framework.raw_ramp import (
    RAMP_ARRAYS,
    RawRamp,
    carried,
    check_shape,
    check_sizes,
    clear_nan,
    open_raw,
    ramp_shape,
)

__all__ = [
    "RawRamp",
    "clear_nan",
    "open_raw",
    "product_path",
    "read_image",
    "read_metadata",
    "read_ramp",
    "read_segmentation",
    "root_of",
    "write_image",
    "write_ramp",
    "write_raw",
    "write_segmentation",
]

logger = logging.getLogger(__name__)

DO_NOT_USE = 1
# EXTNAME of the arrays of an image, the attribute that holds each, and its stored type
IMAGE_ARRAYS = {
    "SCI": ("data", np.float32),
    "ERR": ("err", np.float32),
    "DQ": ("dq", np.uint32),
    "CON": ("context", np.int32),
    "WHT": ("weight", np.float32),
    "AREA": ("area", np.float32),
    "VAR_POISSON": ("var_poisson", np.float32),
    "VAR_RNOISE": ("var_rnoise", np.float32),
    "VAR_FLAT": ("var_flat", np.float32),
}


def read_metadata(path: Path) -> Metadata:
    """Read the keywords of a product without its pixels.

    Raises
    ------
    InputError
        If the file is not FITS, is truncated or has no SCI extension.
    """
    path = Path(path)
    hdus = scan(path, until="SCI")
    require(path, hdus, "SCI")
    return metadata_from(path, {hdu.name: hdu.header for hdu in hdus})


def open_product(path: Path) -> tuple[list[Hdu], Metadata]:
    """Find the HDUs of a product and read its keywords; SCI must be there, once."""
    hdus = scan(path)
    require(path, hdus, "SCI")
    count = sum(hdu.name == "SCI" for hdu in hdus)
    if count > 1:
        msg = f"{path}: has {count} SCI extensions; expected one, multi-slit products are not read"
        raise InputError(msg)
    return hdus, metadata_from(path, {hdu.name: hdu.header for hdu in hdus})


def read_ramp(path: Path) -> Ramp:
    """Read a raw exposure or a saved intermediate with four dimensions.

    NaN in raw data that are stored as floats is counted in a warning, replaced by 0 and
    flagged DO_NOT_USE in GROUPDQ; pixels without any finite group also in PIXELDQ.

    Raises
    ------
    InputError
        If it is no FITS file, truncated, has no SCI with 4 dimensions, NINTS, NGROUPS, SUBSIZE1
        or SUBSIZE2 disagree with the array, or another array has the wrong shape.
    """
    path = Path(path)
    hdus, metadata = open_product(path)
    science = require(path, hdus, "SCI")
    shape = ramp_shape(path, science)
    check_sizes(metadata, shape)
    nints, ngroups, ny, nx = shape
    ramp = Ramp(
        metadata=metadata,
        data=read_array(path, science, np.float32),
        pixeldq=optional(path, hdus, "PIXELDQ", (ny, nx), np.uint32, fill=True),
        groupdq=optional(path, hdus, "GROUPDQ", shape, np.uint8, fill=True),
        zeroframe=optional(path, hdus, "ZEROFRAME", (nints, ny, nx), np.float32),
        refout=optional(path, hdus, "REFOUT", (nints, ngroups, ny, None), np.float32),
        average_dark_current=optional(path, hdus, "AVDRKCUR", (ny, nx), np.float32),
        tables=carried(path, hdus, RAMP_ARRAYS),
    )
    flag_nan(ramp)
    metadata.provenance = read_asdf(path, hdus)[1]
    return ramp


def flag_nan(ramp: Ramp) -> None:
    """Replace NaN by 0, flag it and say how often it was found."""
    count = clear_nan(ramp.data, ramp.groupdq, DO_NOT_USE)
    if not count:
        return
    dead = np.all(ramp.groupdq & DO_NOT_USE, axis=(0, 1))
    ramp.pixeldq[dead] |= np.uint32(DO_NOT_USE)
    logger.warning(
        "%s: %d values of SCI are not finite, in %d pixels all of them; set to 0 and flagged "
        "DO_NOT_USE",
        ramp.metadata.source,
        count,
        np.count_nonzero(dead),
    )


def optional(
    path: Path,
    hdus: list[Hdu],
    name: str,
    shape: tuple[int | None, ...],
    dtype: Any,
    *,
    fill: bool = False,
) -> Any:
    """Read an array that a product may have.

    Parameters
    ----------
    shape : tuple
        Shape it must have; None for an axis of any size.
    dtype : dtype
        Native type to return.
    fill : bool
        Whether to return zeros instead of None where it is absent.
    """
    hdu = find(hdus, name)
    wanted = tuple(size or (hdu.shape[-1] if hdu else 0) for size in shape)
    if hdu is None or not hdu.shape:
        return np.zeros(wanted, dtype) if fill else None
    check_shape(path, require(path, hdus, name), wanted)
    return read_array(path, hdu, dtype)


def read_asdf(path: Path, hdus: list[Hdu]) -> tuple[Any, dict[str, Any]]:
    """Return WCS and provenance from the ASDF extension: (None, {}) without one."""
    hdu = find(hdus, "ASDF")
    if hdu is None:
        return None, {}
    return from_asdf(read_bytes(path, hdu), str(path))


def read_image(path: Path) -> Image:
    """Read an image, a cube of one image per integration, or a mosaic.

    Raises
    ------
    InputError
        If it is no FITS file, truncated, has no SCI or ERR, has neither DQ nor WHT, SCI has
        not 2 or 3 dimensions, or another array has the wrong shape.
    """
    path = Path(path)
    hdus, metadata = open_product(path)
    shape = require(path, hdus, "SCI").shape
    if len(shape) not in (2, 3) or 0 in shape:
        msg = f"{path}: SCI has shape {shape}; expected an image (2-D) or one per integration (3-D)"
        raise InputError(msg)
    for name in ("ERR",) if find(hdus, "WHT") else ("ERR", "DQ"):
        require(path, hdus, name)
    arrays = {
        attribute: optional(path, hdus, name, image_shape(name, hdus, shape), dtype)
        for name, (attribute, dtype) in IMAGE_ARRAYS.items()
    }
    if arrays["context"] is not None:
        arrays["context"] = arrays["context"].view(np.uint32)
    wcs, metadata.provenance = read_asdf(path, hdus)
    tables = carried(path, hdus, tuple(IMAGE_ARRAYS))
    return Image(metadata=metadata, wcs=wcs, tables=tables, **arrays)


def image_shape(name: str, hdus: list[Hdu], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that an array of an image must have."""
    if name == "AREA":
        return shape[-2:]
    if name == "CON":
        hdu = find(hdus, name)
        return (hdu.shape[0] if hdu and hdu.shape else 0, *shape[-2:])
    return shape


def read_segmentation(path: Path) -> Segmentation:
    """Read a segmentation map.

    Raises
    ------
    InputError
        If it is no FITS file, truncated, or has no SCI with 2 dimensions.
    """
    path = Path(path)
    hdus, metadata = open_product(path)
    science = require(path, hdus, "SCI")
    if len(science.shape) != 2:
        msg = f"{path}: SCI has shape {science.shape}; expected 2 dimensions, as a _segm file has"
        raise InputError(msg)
    wcs, metadata.provenance = read_asdf(path, hdus)
    return Segmentation(metadata, read_array(path, science, np.uint32), wcs)


def write_raw(
    path: Path,
    metadata: Metadata,
    data: NDArray[np.uint16],
    *,
    zeroframe: NDArray[np.uint16] | None = None,
    refout: NDArray[np.uint16] | None = None,
    tables: dict[str, Table] | None = None,
) -> None:
    """Write a raw exposure (`_uncal`).

    Parameters
    ----------
    path : Path
    metadata : Metadata
    data : uint16 (nints, ngroups, ny, nx), DN
    zeroframe : uint16 (nints, ny, nx), DN, optional
    refout : uint16 (nints, ngroups, ny, nx // 4), DN, optional
    tables : GROUP, INT_TIMES, ..., optional

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    arrays = {"SCI": data, "ZEROFRAME": zeroframe, "REFOUT": refout}
    write_product(path, metadata, "Level1bModel", with_type(arrays, np.uint16), tables, unit="DN")


def write_ramp(ramp: Ramp, path: Path) -> None:
    """Write detector ramps (`_ramp`, or the intermediate of a step of detector1).

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    arrays = with_type({"SCI": ramp.data}, np.float32)
    arrays |= with_type({"PIXELDQ": ramp.pixeldq}, np.uint32)
    arrays |= with_type({"GROUPDQ": ramp.groupdq}, np.uint8)
    rest = {
        "ZEROFRAME": ramp.zeroframe,
        "REFOUT": ramp.refout,
        "AVDRKCUR": ramp.average_dark_current,
    }
    arrays |= with_type(rest, np.float32)
    write_product(path, ramp.metadata, "RampModel", arrays, ramp.tables, unit="DN")


def write_image(image: Image, path: Path) -> None:
    """Write an image, a cube of one image per integration, or a mosaic.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    arrays: dict[str, Any] = {}
    for name, (attribute, dtype) in IMAGE_ARRAYS.items():
        array = getattr(image, attribute)
        if name == "CON" and array is not None:
            array = np.ascontiguousarray(array, np.uint32).view(np.int32)
        arrays |= with_type({name: array}, dtype)
    model = "CubeModel" if image.data.ndim == 3 else "ImageModel"
    write_product(path, image.metadata, model, arrays, image.tables, image.wcs)


def write_segmentation(segmentation: Segmentation, path: Path) -> None:
    """Write a segmentation map (`_segm`).

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    arrays = with_type({"SCI": segmentation.data}, np.uint32)
    write_product(
        path, segmentation.metadata, "SegmentationMapModel", arrays, wcs=segmentation.wcs, unit=""
    )


def with_type(arrays: dict[str, Any], dtype: Any) -> dict[str, NDArray[Any]]:
    """Return the arrays that are there in the type of the product, without a copy if it fits."""
    return {
        name: np.ascontiguousarray(array, dtype)
        for name, array in arrays.items()
        if array is not None
    }


def write_product(
    path: Path,
    metadata: Metadata,
    model: str,
    arrays: dict[str, NDArray[Any]],
    tables: dict[str, Table] | None = None,
    wcs: Any = None,
    *,
    unit: str | None = None,
) -> None:
    """Write a product: PRIMARY, arrays, tables, ASDF.

    Parameters
    ----------
    path : Path
    metadata : Metadata
        Is not changed.
    model : str
        DATAMODL.
    arrays : dict of ndarray
        By EXTNAME, in the order of the file; SCI is one of them.
    tables : dict of Table, optional
    wcs : gwcs.WCS, optional
    unit : str, optional
        BUNIT that the product always has, "" for none; the metadata's otherwise.
    """
    path = Path(path)
    own = product_metadata(metadata, path, model)
    if unit is not None:
        own["BUNIT"] = unit or None
    values = checked_values(own)
    blocks = [Block("PRIMARY", None, cards(own, values, "PRIMARY") + closing_cards(own))]
    for name, array in arrays.items():
        blocks.append(Block(name, array, array_cards(name, own, values)))
    for name, table in (tables or {}).items():
        blocks.append(table_block(name, table))
    blocks.append(asdf_block(to_asdf(own, values, wcs)))
    write_blocks(path, blocks)


def array_cards(name: str, metadata: Metadata, values: dict[str, Any]) -> list[Any]:
    """Return the keywords of an array HDU: SCI has its own, ERR the unit of SCI."""
    if name == "SCI":
        return cards(metadata, values, "SCI")
    if name == "ERR" and "BUNIT" in values:
        return [card("BUNIT", values["BUNIT"], "physical units of the array values")]
    return []


def product_path(directory: Path, root: str, suffix: str, extension: str = "fits") -> Path:
    """Return where a product is written: `directory/root_suffix.extension`."""
    return Path(directory) / f"{root}_{suffix}.{extension}"


def root_of(source: Path | str | Metadata) -> str:
    """Return the root of a product's name, without suffix and extension.

    Parameters
    ----------
    source : path or Metadata
        Of metadata, the file they were read from counts, or FILENAME.

    Returns
    -------
    str
        Such as jw01345001001_02201_00001_nrcalong; a file that is not named as the observatory
        does keeps its whole name.
    """
    if isinstance(source, Metadata):
        source = source.source or source.require("FILENAME", str)
    try:
        return split_suffix(source)[0]
    except InputError:
        return stem_of(source)
