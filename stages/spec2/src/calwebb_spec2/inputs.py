"""Read what stage 2 spectroscopy starts from: a product, or an association with one science member.

A product has one SCI array (`Image`), or one for each slit (`Slits`).
"""

from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Unpack

from calwebb_core.framework.association import (
    AssociationProduct,
    MemberOptions,
    is_association,
    read_association,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_layout import scan
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slits
from calwebb_core.framework.products import read_image
from calwebb_core.framework.products import read_metadata as read_headers
from calwebb_core.framework.slit_products import is_of_slits, read_slits
from calwebb_core.framework.target_images import ImageFile, TargetImage, TargetMetadata

PROGRAM = "calwebb-spec2"
Spectra = Image | Slits


def read(path: Path, **options: Unpack[MemberOptions]) -> Spectra:
    """Read an exposure into memory.

    Parameters
    ----------
    path : Path
        ``_rate``, ``_rateints``, an intermediate of this program, or an association (.json).
    **options
        Where the association's members are and which of its products is wanted.

    Raises
    ------
    InputError
        If the file or association does not fit.
    """
    if not is_association(path):
        return read_file(path)
    association = read_association(path, **options)
    product, member = association.one_exposure(PROGRAM)
    model = read_file(member)
    files = tuple(ImageFile.open(item.path) for item in product.of_type("background"))
    images = [item.path for item in product.of_type("target_acquisition")]
    if isinstance(model, Image) and (files or images):
        parts = {item.name: getattr(model, item.name) for item in fields(model)}
        acquisition = images[-1] if images else None
        model = TargetImage(**parts, backgrounds=files, acquisition=acquisition)
    model.metadata["ASNTABLE"] = path.name
    model.metadata["ASNPOOL"] = association.pool or None
    model.metadata = TargetMetadata.of(model.metadata, members_of(product))
    return model


def read_file(path: Path) -> Spectra:
    """Read one product.

    Raises
    ------
    InputError
        If it is none of spectra, or its size is not that of SUBSIZE1 and SUBSIZE2.
    """
    if is_of_slits(scan(path)):
        return read_slits(path)
    image = read_image(path)
    if "SLTNAME" not in image.metadata and image.weight is None:
        check_size(image.metadata, image.data.shape[-2:])
    return image


def read_metadata(path: Path, **options: Unpack[MemberOptions]) -> Metadata:
    """Return the keywords of an exposure, or of the science member of an association."""
    if not is_association(path):
        return read_headers(path)
    product, member = read_association(path, **options).one_exposure(PROGRAM)
    return TargetMetadata.of(read_headers(member), members_of(product))


def members_of(product: AssociationProduct) -> dict[str, int]:
    """Return how many members of each type a product has."""
    return dict(Counter(member.exptype for member in product.members))


def check_size(metadata: Metadata, shape: tuple[int, ...]) -> None:
    """Refuse an exposure whose arrays differ from SUBSIZE1 x SUBSIZE2.

    Raises
    ------
    InputError
        If so.
    """
    expected = (metadata.require("SUBSIZE2", int), metadata.require("SUBSIZE1", int))
    if shape != expected:
        msg = f"{metadata.source}: SCI has shape {shape}; SUBSIZE2, SUBSIZE1 say {expected}"
        raise InputError(msg)
