"""Read what stage 2 imaging starts from: a product, or an association with one science member.

Background members of the association are opened here; their pixels are read by the step.
"""

import logging
from pathlib import Path
from typing import Unpack

from calwebb_core.framework.association import MemberOptions, is_association, read_association
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.products import read_metadata as read_headers
from calwebb_core.framework.target_images import ImageFile, TargetMetadata
from calwebb_image2.target import TargetFile

PROGRAM = "calwebb-image2"
USED = ("science", "background")

logger = logging.getLogger(__name__)


def read(path: Path, **options: Unpack[MemberOptions]) -> Image:
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
    return open_target(path, **options).load()


def open_target(path: Path, **options: Unpack[MemberOptions]) -> TargetFile:
    """Open an exposure without reading its pixels, and the backgrounds of its association.

    Raises
    ------
    InputError
        As `read`.
    """
    if not is_association(path):
        return _open_file(path)
    association = read_association(path, **options)
    product, member = association.one_exposure(PROGRAM)
    target = _open_file(member)
    target.metadata["ASNTABLE"] = path.name
    target.metadata["ASNPOOL"] = association.pool or None
    for kind, count in product.not_of(USED).items():
        logger.warning("%s: %d members of type %s are not used by image2", path, count, kind)
    files = product.of_type("background")
    target.backgrounds = tuple(ImageFile.open(member.path) for member in files)
    return target


def _open_file(path: Path) -> TargetFile:
    target = TargetFile.open(path)
    check_size(target.metadata, target.file.shape[1:])
    return target


def read_metadata(path: Path, **options: Unpack[MemberOptions]) -> Metadata:
    """Return the keywords of an exposure, or of the science member of an association."""
    if not is_association(path):
        return read_headers(path)
    product, member = read_association(path, **options).one_exposure(PROGRAM)
    return TargetMetadata.of(
        read_headers(member), {"background": len(product.of_type("background"))}
    )


def check_size(metadata: Metadata, shape: tuple[int, int]) -> None:
    """Refuse an image whose arrays differ from SUBSIZE1 x SUBSIZE2.

    Raises
    ------
    InputError
        If so.
    """
    expected = (metadata.require("SUBSIZE2", int), metadata.require("SUBSIZE1", int))
    if shape != expected:
        msg = f"{metadata.source}: SCI has shape {shape}; SUBSIZE2, SUBSIZE1 say {expected}"
        raise InputError(msg)
