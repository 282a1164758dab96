"""Read what calwebb_spec3 starts from: exposures through slits, by an association or alone."""

import logging
from pathlib import Path
from typing import Unpack

from calwebb_core.framework.association import (
    AssociationProduct,
    MemberOptions,
    is_association,
    read_association,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slits
from calwebb_core.framework.roots import root_of
from calwebb_core.framework.spectra import Spectra
from calwebb_level3.slits.sources import (
    SourceSet,
    check_common,
    check_exposure,
    source_id,
    sources_of,
)

PROGRAM = "calwebb-spec3"
KNOWN = ("science", "background")
# Of this program; the exposures may have them from stage 2.
LATER_KEYWORDS = ("S_MSBSUB", "S_OUTLIR", "S_PXREPL", "S_RESAMP", "S_EXTR1D", "S_COMB1D")

logger = logging.getLogger(__name__)


def read(path: Path, **options: Unpack[MemberOptions]) -> SourceSet:
    """Read the exposures of an association's product, and its spectra of the sky.

    Parameters
    ----------
    path : Path
        Association (.json), or the `_cal` of one exposure.
    **options
        Where the association's members are and which of its products is wanted.

    Raises
    ------
    InputError
        If the association or a member is missing or unfit.
    """
    path = Path(path)
    if not is_association(path):
        return make_set([read_exposure(path)], AssociationProduct(root_of(path), ()), path)
    association = read_association(path, **options)
    product = association.only_product(PROGRAM, level=3)
    for kind, count in product.not_of(KNOWN).items():
        logger.warning("%s: %d members of type %s are not used by spec3", path, count, kind)
    exposures = [read_exposure(member.path) for member in product.of_type("science")]
    if not exposures:
        msg = f"{path}: the association has no science member; expected at least one"
        raise InputError(msg)
    for exposure in exposures:
        exposure.metadata["ASNTABLE"] = path.name
        exposure.metadata["ASNPOOL"] = association.pool or None
    result = make_set(exposures, product, path)
    result.asn_id = association.asn_id
    result.backgrounds = [read_sky(member.path) for member in product.of_type("background")]
    return result


def read_exposure(path: Path) -> Image | Slits:
    """Read one exposure.

    Raises
    ------
    InputError
        If it is no product of spectra.
    """
    from calwebb_core.framework.fits_layout import scan
    from calwebb_core.framework.product_reading import read_image
    from calwebb_core.framework.slit_products import is_of_slits, read_slits

    exposure = read_slits(path) if is_of_slits(scan(path)) else read_image(path)
    check_exposure(exposure)
    for keyword in LATER_KEYWORDS:
        exposure.metadata.pop(keyword, None)
    return exposure


def read_sky(path: Path) -> Spectra:
    """Read a spectrum of the sky.

    Raises
    ------
    InputError
        If it has no extracted spectrum.
    """
    from calwebb_core.framework.spectra_products import read_spectra

    try:
        return read_spectra(path)
    except InputError as error:
        msg = f"{error} (members of type background are spectra of the sky, _x1d or _c1d)"
        raise InputError(msg) from error


def make_set(exposures: list[Image | Slits], product: AssociationProduct, path: Path) -> SourceSet:
    """Check that exposures belong together and gather the sources that they show."""
    check_common(exposures)

    def named(keywords: Metadata) -> str:
        name = str(keywords.get("SLTNAME") or "").lower()
        return product.named(str(path), source_id=source_id(keywords), slit_name=name)

    metadata = exposures[0].metadata.copy()
    return SourceSet(
        metadata, product.name, exposures=exposures, sources=sources_of(exposures, named)
    )


def first_metadata(path: Path, **options: Unpack[MemberOptions]) -> Metadata:
    """Return the keywords of an input without its pixels: those of the first exposure."""
    from calwebb_core.framework.products import read_metadata

    path, backgrounds = Path(path), 0
    if is_association(path):
        product = read_association(path, **options).only_product(PROGRAM, level=3)
        members = product.of_type("science")
        if not members:
            msg = f"{path}: the association has no science member; expected at least one"
            raise InputError(msg)
        path, backgrounds = members[0].path, len(product.of_type("background"))
    metadata = read_metadata(path)
    for keyword in LATER_KEYWORDS:
        metadata.pop(keyword, None)
    return with_members(metadata, backgrounds)


def with_members(metadata: Metadata, backgrounds: int) -> Metadata:
    """Return keywords that know how many spectra of the sky there are."""
    from calwebb_core.framework.target_images import TargetMetadata

    return TargetMetadata.of(metadata, {"background": backgrounds})
