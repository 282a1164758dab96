"""Products as containers: which HDU becomes which array, and what is checked on the way."""

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.asdf_extension import from_asdf, record_from_asdf
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import metadata_from
from calwebb_core.framework.fits_layout import Hdu, find, require, scan
from calwebb_core.framework.fits_read import read_array, read_bytes
from calwebb_core.framework.memory import check_room
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Ramp, Segmentation, Slit
from calwebb_core.framework.raw_ramp import (
    RAMP_ARRAYS,
    carried,
    check_shape,
    check_sizes,
    clear_nan,
    ramp_shape,
)

logger = logging.getLogger(__name__)

DO_NOT_USE = 1
SLIT = "SlitModel"  # DATAMODL of one spectrum that was cut out, in the HDUs of an image
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
    check_room(path, "its samples and their flags", 5 * math.prod(shape))
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


def read_record(path: Path, hdus: list[Hdu]) -> dict[str, Any]:
    """Return the provenance in the ASDF extension: empty without one."""
    hdu = find(hdus, "ASDF")
    return {} if hdu is None else record_from_asdf(read_bytes(path, hdu), str(path))


def read_image(path: Path, stored: tuple[Any, dict[str, Any]] | None = None) -> Image:
    """Read an image, a cube of one image per integration, a mosaic, or a slit of its own.

    Parameters
    ----------
    path : Path
    stored : (WCS or None, dict), optional
        What `read_asdf` has given for this file before: reading the WCS takes a while.

    Returns
    -------
    Image
        A `Slit` with its planes if DATAMODL is SlitModel.

    Raises
    ------
    InputError
        If it is no FITS file, truncated, has no SCI or ERR, has neither DQ nor WHT, SCI has
        not 2 or 3 dimensions, or another array has the wrong shape.
    """
    path = Path(path)
    hdus, metadata = open_product(path)
    shape = check_image(path, hdus)
    sizes = [4 * math.prod(hdu.shape) for hdu in hdus if hdu.name in IMAGE_ARRAYS]
    check_room(path, "the arrays of the image", sum(sizes))
    arrays = {
        attribute: optional(path, hdus, name, image_shape(name, hdus, shape), dtype)
        for name, (attribute, dtype) in IMAGE_ARRAYS.items()
    }
    if arrays["context"] is not None:
        arrays["context"] = arrays["context"].view(np.uint32)
    wcs, metadata.provenance = stored or read_asdf(path, hdus)
    if metadata.get("DATAMODL") != SLIT:
        tables = carried(path, hdus, tuple(IMAGE_ARRAYS))
        return Image(metadata=metadata, wcs=wcs, tables=tables, **arrays)
    planes = read_planes(path, hdus, shape)
    tables = carried(path, hdus, (*IMAGE_ARRAYS, *planes))
    return Slit(metadata=metadata, wcs=wcs, tables=tables, **arrays, planes=planes)


def read_planes(
    path: Path, hdus: list[Hdu], shape: tuple[int, ...]
) -> dict[str, NDArray[np.float32]]:
    """Read the arrays of a slit that an image does not have; one may hold for all integrations."""
    others = [hdu for hdu in hdus if hdu.is_image and hdu.shape and hdu.name != "PRIMARY"]
    others = [hdu for hdu in others if hdu.name and hdu.name not in IMAGE_ARRAYS]
    for hdu in others:
        check_shape(path, hdu, shape if len(hdu.shape) == len(shape) else shape[-2:])
    return {hdu.name: read_array(path, hdu, np.float32) for hdu in others}


def check_image(path: Path, hdus: list[Hdu]) -> tuple[int, ...]:
    """Check the arrays of an image by their headers; return the shape of SCI.

    Raises
    ------
    InputError
        As `read_image`.
    """
    shape = require(path, hdus, "SCI").shape
    if len(shape) not in (2, 3) or 0 in shape:
        msg = f"{path}: SCI has shape {shape}; expected an image (2-D) or one per integration (3-D)"
        raise InputError(msg)
    for name in ("ERR",) if find(hdus, "WHT") else ("ERR", "DQ"):
        require(path, hdus, name)
    for name in IMAGE_ARRAYS:
        hdu = find(hdus, name)
        if hdu is not None and hdu.shape:
            check_shape(path, require(path, hdus, name), image_shape(name, hdus, shape))
    return shape


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
