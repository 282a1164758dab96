"""Containers as products: which array becomes which HDU, with which keywords."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.asdf_extension import to_asdf
from calwebb_core.framework.exposures import Pixels
from calwebb_core.framework.fits_headers import (
    card,
    cards,
    checked_values,
    closing_cards,
    product_metadata,
)
from calwebb_core.framework.fits_write import (
    Block,
    Lazy,
    Streamed,
    asdf_block,
    table_block,
    write_blocks,
)
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Planes, Ramp, Segmentation, Slit, Table
from calwebb_core.framework.product_reading import IMAGE_ARRAYS, SLIT
from calwebb_core.framework.spectra import SpectralImage


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
    """Write an image, a cube of one image per integration, a mosaic, or a slit with its planes.

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
    if isinstance(image, Slit) or image.metadata.get("DATAMODL") == SLIT:
        model = SLIT
    if isinstance(image, Slit):
        arrays |= with_type(dict(image.planes), np.float32)
    write_product(path, image.metadata, model, arrays, image.tables, image.wcs)


def write_pixels(pixels: Pixels, path: Path) -> None:
    """Write an exposure or a mosaic whose pixels are not in memory.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    arrays = {
        name: lazy(pixels, attribute, np.dtype(dtype))
        for name, (attribute, dtype) in IMAGE_ARRAYS.items()
        if pixels.has(attribute)
    }
    write_product(path, pixels.metadata, "ImageModel", arrays, pixels.tables, pixels.wcs)


def lazy(pixels: Pixels, name: str, dtype: np.dtype[Any]) -> Lazy:
    """Return a plane that is read when it is written; the context as signed integers."""
    layers = pixels.layers(name)

    def read(layer: int, rows: slice) -> NDArray[Any]:
        found = layers[layer](rows)
        return found.view(dtype) if name == "context" else found

    shape = pixels.shape if name != "context" else (len(layers), *pixels.shape)
    return Lazy(shape, dtype, read)


def write_spectral_image(image: SpectralImage, path: Path) -> None:
    """Write an array that shows how a spectrum was extracted.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    model = "CubeModel" if image.data.ndim == 3 else "ImageModel"
    write_product(path, image.metadata, model, {"SCI": image.data}, unit=image.unit)


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


def write_planes(planes: Planes, path: Path) -> None:
    """Write a product of arrays that is not an image.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    arrays = with_type(planes.arrays, np.float32)
    write_product(path, planes.metadata, planes.model, arrays, unit="")


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
    arrays: Mapping[str, NDArray[Any] | Lazy],
    tables: dict[str, Table] | None = None,
    wcs: Any = None,
    *,
    unit: str | None = None,
) -> None:
    """Write a product: PRIMARY, arrays, tables, ASDF; the arguments are `product_blocks`'."""
    blocks = product_blocks(Path(path), metadata, model, arrays, tables, wcs, unit=unit)
    write_blocks(Path(path), blocks)


def product_blocks(
    path: Path,
    metadata: Metadata,
    model: str,
    arrays: Mapping[str, NDArray[Any] | Streamed | Lazy],
    tables: dict[str, Table] | None = None,
    wcs: Any = None,
    *,
    unit: str | None = None,
) -> list[Block]:
    """Return the HDUs of a product in order.

    Parameters
    ----------
    path : Path
    metadata : Metadata
        Is not changed.
    model : str
        DATAMODL.
    arrays : dict of ndarray
        By EXTNAME, in the order of the file.
    tables : dict of Table, optional
    wcs : gwcs.WCS, optional
    unit : str, optional
        BUNIT that the product always has, "" for none; the metadata's otherwise.
    """
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
    return blocks


def array_cards(name: str, metadata: Metadata, values: dict[str, Any]) -> list[Any]:
    """Return the keywords of an array HDU: SCI has its own, ERR the unit of SCI."""
    if name == "SCI":
        return cards(metadata, values, "SCI")
    if name == "ERR" and "BUNIT" in values:
        return [card("BUNIT", values["BUNIT"], "physical units of the array values")]
    return []
