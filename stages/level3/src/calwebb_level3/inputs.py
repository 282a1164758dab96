"""Read what stage 3 imaging starts from: an association, an exposure, or a mosaic."""

import logging
from collections import Counter
from pathlib import Path

from calwebb_core.framework.association import read_association
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.metadata import Metadata
from calwebb_level3.imageset import LATER_KEYWORDS, ImageSet, make_set

logger = logging.getLogger(__name__)


def read(path: Path, input_dir: Path | None = None) -> ImageSet:
    """Read an association with its members, a single exposure, or a mosaic to be catalogued.

    Parameters
    ----------
    path : Path
        Association (.json), `_cal` or `_i2d`.
    input_dir : Path, optional
        Folder of the members; the association's own by default.

    Raises
    ------
    InputError
        If the association or a member is missing or unfit; see `imageset.make_set`.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        return read_members(path, input_dir)
    from calwebb_core.framework.products import root_of

    image = Exposure.open(path)
    if not image.has("weight"):
        return make_set([image], product=root_of(path))
    return ImageSet(without_catalog(image.metadata), root_of(path), mosaic=image)


def read_members(path: Path, input_dir: Path | None) -> ImageSet:
    """Read the science members of an association's product.

    Raises
    ------
    InputError
        If it has several products.
    """
    association = read_association(path, input_dir=input_dir)
    if len(association.products) != 1:
        msg = f"{path}: has {len(association.products)} products; an image3 association has one"
        raise InputError(msg)
    product = association.products[0]
    others = Counter(member.exptype for member in product.members if member.exptype != "science")
    for kind, count in others.items():
        logger.warning("%s: %d members of type %s are not used by image3", path, count, kind)
    exposures = [Exposure.open(member.path) for member in product.of_type("science")]
    return make_set(
        exposures,
        product=product.name,
        asn_id=association.asn_id,
        pool=association.pool,
        table=path.name,
    )


def first_metadata(path: Path, input_dir: Path | None = None) -> Metadata:
    """Return the keywords of an input without its pixels: those of the first science member."""
    from calwebb_core.framework.products import read_metadata

    path = Path(path)
    if path.suffix.lower() != ".json":
        metadata = read_metadata(path)
        # Mosaics say how they were weighted.
        return without_catalog(metadata) if "RESWHT" in metadata else as_input(metadata)
    members = read_association(path, input_dir=input_dir).products[0].of_type("science")
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
