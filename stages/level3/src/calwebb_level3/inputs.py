"""Read what stage 3 imaging starts from: an association, an exposure, or a mosaic."""

import logging
from pathlib import Path
from typing import Unpack

from calwebb_core.framework.association import (
    MemberOptions,
    is_association,
    read_association,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.metadata import Metadata
from calwebb_level3.imageset import LATER_KEYWORDS, ImageSet, make_set

PROGRAM = "calwebb-image3"

logger = logging.getLogger(__name__)


def read(path: Path, **options: Unpack[MemberOptions]) -> ImageSet:
    """Read an association with its members, a single exposure, or a mosaic to be catalogued.

    Parameters
    ----------
    path : Path
        Association (.json), `_cal` or `_i2d`.
    **options
        Where the association's members are and which of its products is wanted.

    Raises
    ------
    InputError
        If the association or a member is missing or unfit; see `imageset.make_set`.
    """
    path = Path(path)
    if is_association(path):
        return read_members(path, **options)
    from calwebb_core.framework.products import root_of

    image = Exposure.open(path)
    if not image.has("weight"):
        return make_set([image], product=root_of(path))
    return ImageSet(without_catalog(image.metadata), root_of(path), mosaic=image)


def read_members(path: Path, **options: Unpack[MemberOptions]) -> ImageSet:
    """Read the science members of an association's product.

    Raises
    ------
    InputError
        If it has several products, or one whose name leaves the source open.
    """
    association = read_association(path, **options)
    product = association.only_product(PROGRAM, level=3)
    for kind, count in product.not_of(("science",)).items():
        logger.warning("%s: %d members of type %s are not used by image3", path, count, kind)
    exposures = [Exposure.open(member.path) for member in product.of_type("science")]
    return make_set(
        exposures,
        product=product.named(str(path)),
        asn_id=association.asn_id,
        pool=association.pool,
        table=path.name,
    )


def first_metadata(path: Path, **options: Unpack[MemberOptions]) -> Metadata:
    """Return the keywords of an input without its pixels: those of the first science member."""
    from calwebb_core.framework.products import read_metadata

    path = Path(path)
    if not is_association(path):
        metadata = read_metadata(path)
        # Mosaics say how they were weighted.
        return without_catalog(metadata) if "RESWHT" in metadata else as_input(metadata)
    product = read_association(path, **options).only_product(PROGRAM, level=3)
    product.named(str(path))
    members = product.of_type("science")
    if not members:
        msg = f"{path}: the association has no science member; expected at least one"
        raise InputError(msg)
    return as_input(read_metadata(members[0].path))


def as_input(metadata: Metadata) -> Metadata:
    """Forget the mosaic and catalog of an exposure's own stage 2 products."""
    for keyword in LATER_KEYWORDS:
        metadata.pop(keyword, None)
    return metadata


def without_catalog(metadata: Metadata) -> Metadata:
    """Forget that a mosaic has a catalog: it is made anew."""
    metadata.pop("S_SRCCAT", None)
    return metadata
