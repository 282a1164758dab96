"""Read what stage 2 imaging starts from: a product, or an association with one science member.

Background members of the association are opened here; their pixels are read by the step.
"""

from pathlib import Path

from calwebb_core.framework.association import AssociationProduct, read_association
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.names import split_suffix
from calwebb_core.framework.products import read_metadata as read_headers
from calwebb_image2.target import ImageFile, TargetFile, TargetMetadata


def read(path: Path, *, input_dir: Path | None = None) -> Image:
    """Read an exposure into memory.

    Parameters
    ----------
    path : Path
        ``_rate``, ``_rateints``, an intermediate of this program, or an association (.json).
    input_dir : Path, optional
        Folder of the association's members.

    Raises
    ------
    InputError
        If the file or association does not fit.
    """
    return open_target(path, input_dir=input_dir).load()


def open_target(path: Path, *, input_dir: Path | None = None) -> TargetFile:
    """Open an exposure without reading its pixels, and the backgrounds of its association.

    Raises
    ------
    InputError
        As `read`.
    """
    target = TargetFile.open(member_of(path, input_dir))
    check_size(target.metadata, target.file.shape[1:])
    if path.suffix != ".json":
        return target
    note_association(target.metadata, path, input_dir)
    files = science_member(path, input_dir)[0].of_type("background")
    target.backgrounds = tuple(ImageFile.open(member.path) for member in files)
    return target


def read_metadata(path: Path, *, input_dir: Path | None = None) -> Metadata:
    """Return the keywords of an exposure, or of the science member of an association."""
    if path.suffix != ".json":
        return read_headers(path)
    product, member = science_member(path, input_dir)
    return TargetMetadata.of(read_headers(member), len(product.of_type("background")))


def member_of(path: Path, input_dir: Path | None) -> Path:
    """Return a product's own path, or that of the science member of an association."""
    if path.suffix != ".json":
        return path
    return science_member(path, input_dir)[1]


def science_member(path: Path, input_dir: Path | None) -> tuple[AssociationProduct, Path]:
    """Return the one product of an image2 association and its science exposure.

    Raises
    ------
    InputError
        If it has several products or not exactly one science member.
    """
    association = read_association(path, input_dir=input_dir)
    if len(association.products) != 1:
        msg = (
            f"{path}: the association has {len(association.products)} products; expected 1: "
            "calwebb-image2 makes one product a run"
        )
        raise InputError(msg)
    product = association.products[0]
    science = product.of_type("science")
    if len(science) != 1:
        msg = f"{path}: product {product.name} has {len(science)} science members; expected 1"
        raise InputError(msg)
    return product, science[0].path


def note_association(metadata: Metadata, path: Path, input_dir: Path | None) -> None:
    """Write the association's name and pool to the keywords.

    Raises
    ------
    InputError
        If the product is named otherwise than its exposure.
    """
    product, member = science_member(path, input_dir)
    root, _ = split_suffix(member.name)
    if product.name != root:
        msg = (
            f"{path}: product {product.name} is made of {member.name}; expected product {root}: "
            "stage 2 products are named like their exposure"
        )
        raise InputError(msg)
    metadata["ASNTABLE"] = path.name
    metadata["ASNPOOL"] = read_association(path, input_dir=input_dir).pool or None


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
