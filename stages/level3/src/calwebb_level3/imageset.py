"""The container of stage 3 imaging: the exposures of an association and what is made of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure, StoredImage
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Segmentation
from calwebb_core.framework.names import ExposureName
from calwebb_core.framework.planes import Store
from calwebb_level3.imaging.geometry import Geometry

if TYPE_CHECKING:
    from astropy.table import Table

logger = logging.getLogger(__name__)

# Exposures that differ in one of these cannot be averaged.
COMMON_KEYWORDS = ("TELESCOP", "INSTRUME", "CHANNEL", "FILTER", "PUPIL", "BUNIT", "TARGTYPE")
STEP_NAMES = {
    "S_MTWCS": "assign_mtwcs",
    "S_TWKREG": "tweakreg",
    "S_SKYMAT": "skymatch",
    "S_OUTLIR": "outlier_detection",
    "S_RESAMP": "resample",
    "S_SRCCAT": "source_catalog",
}
# Not of an exposure's own history, although its stage 2 products may have them.
LATER_KEYWORDS = ("S_RESAMP", "S_SRCCAT")
KEPT_STEP_KEYWORDS = ("S_MTWCS", "S_TWKREG", "S_SKYMAT", "S_OUTLIR")
EXPOSURE_KEYWORDS = ("PROGRAM", "OBSERVTN", "VISIT", "VISITGRP", "SEQ_ID", "ACT_ID", "EXPOSURE")


@dataclass
class ImageSet:
    """Exposures of one target in one filter, and the products made of them.

    Attributes
    ----------
    metadata : Metadata
        Keywords of the whole: the first exposure's, with the status of the steps of this
        pipeline.
    product : str
        Name of the mosaic without suffix, such as ``jw01345-o001_t001_nircam_f200w``.
    asn_id : str
        Association id that goes into the names of exposures, such as ``o001``; may be empty.
    exposures : list of Exposure
        2-D images with WCS and DQ, whose pixels stay on disk.
    mosaic : StoredImage or Exposure or None
    catalog : astropy.table.Table or None
    segmentation : Segmentation or None
    reference_catalog : astropy.table.Table or None
        Columns RA, DEC (degrees): positions for the absolute alignment.
    custom_stars : dict of Stars
        Stars that the user gives, by the exposure's index.
    tables : dict of astropy.table.Table
        Tables to be written beside the products, by file name.
    sky_levels : dict of float
        Sky levels that the user gives, by name of the exposure without suffix.
    pictures : list of (str, StoredImage)
        Images that steps made on the way and that are written, with their suffix.
    store : Store
        Where steps keep what is larger than a band of the mosaic.
    geometry : Geometry
        The mosaic's grid and the exposures' places on it.
    output_grid : dict or None
        Tree of the user's own grid for the mosaic.
    """

    metadata: Metadata
    product: str
    asn_id: str = ""
    exposures: list[Exposure] = field(default_factory=list)
    mosaic: StoredImage | Exposure | None = None
    catalog: Table | None = None
    segmentation: Segmentation | None = None
    reference_catalog: Table | None = None
    custom_stars: dict[int, Any] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    sky_levels: dict[str, float] = field(default_factory=dict)
    pictures: list[tuple[str, StoredImage]] = field(default_factory=list)
    store: Store = field(default_factory=Store)
    geometry: Geometry = field(default_factory=Geometry)
    output_grid: dict[str, Any] | None = None

    def groups(self) -> dict[str, list[int]]:
        """Return the exposures (by index) that were taken at the same time, by name.

        The detectors of one exposure share their pointing: they are aligned and matched in
        sky level as one.
        """
        result: dict[str, list[int]] = {}
        for index, image in enumerate(self.exposures):
            result.setdefault(group_name(image.metadata, index), []).append(index)
        return result

    def require_exposures(self, step: str) -> None:
        """Refuse a step that needs exposures when there is only a mosaic.

        Raises
        ------
        InputError
            If there is no exposure.
        """
        if not self.exposures:
            msg = (
                f"{self.product}: {step} needs calibrated exposures; the input holds a mosaic "
                "only: give the association"
            )
            raise InputError(msg)


def group_name(metadata: Metadata, index: int) -> str:
    """Return what the detectors of one exposure have in common.

    From the exposure's keywords; from its file name where they are absent; otherwise each
    image is a group of its own.
    """
    values = [metadata.get(key) for key in EXPOSURE_KEYWORDS]
    if all(value not in (None, "") for value in values):
        segment = metadata.get("EXSEGNUM")
        return "_".join(str(value) for value in [*values, segment] if value is not None)
    try:
        name = ExposureName.parse(str(metadata.get("FILENAME") or metadata.source))
    except InputError:
        return f"image {index + 1}"
    return name.root.removesuffix(f"_{name.detector}")


def usable_pixels(data: Any, dq: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return bool (ny, nx): finite in SCI and not flagged DO_NOT_USE or NON_SCIENCE."""
    from calwebb_core.science.dq import DO_NOT_USE, NON_SCIENCE

    good = np.isfinite(data)
    if dq is not None:
        good &= (dq & np.uint32(DO_NOT_USE | NON_SCIENCE)) == 0
    return np.asarray(good, bool)


def has_usable_pixels(exposure: Exposure, step: int = 256) -> bool:
    """Say whether any pixel of an exposure is usable, looking at some rows at a time."""
    for start in range(0, exposure.shape[0], step):
        rows = slice(start, start + step)
        if usable_pixels(exposure.plane("data", rows), exposure.plane("dq", rows)).any():
            return True
    return False


def make_set(
    exposures: Sequence[Exposure | Image],
    *,
    product: str,
    asn_id: str = "",
    pool: str = "",
    table: str = "",
) -> ImageSet:
    """Check that exposures belong together and put them in a set.

    Parameters
    ----------
    exposures : sequence of Exposure or Image
    product : str
        Name of the mosaic without suffix.
    asn_id, pool, table : str
        Association id, and the names of pool and association for ASNPOOL and ASNTABLE.

    Raises
    ------
    InputError
        If there is none, one is not a calibrated image with WCS, they differ in instrument,
        channel, filter, pupil or unit, or none has a usable pixel.
    """
    if not exposures:
        msg = f"{table or product}: the association has no science member; expected at least one"
        raise InputError(msg)
    members = [Exposure.of(i) if isinstance(i, Image) else i for i in exposures]
    for image in members:
        check_exposure(image)
    check_common(members)
    check_pixels(members)
    metadata = members[0].metadata.copy()
    for keyword in STEP_NAMES:
        common = {image.metadata.get(keyword) for image in members}
        metadata.pop(keyword, None)
        if keyword in KEPT_STEP_KEYWORDS and len(common) == 1 and None not in common:
            metadata[keyword] = common.pop()
    if table:
        metadata["ASNTABLE"] = table
    if pool:
        metadata["ASNPOOL"] = pool
    return ImageSet(metadata, product, asn_id, members)


def check_exposure(image: Exposure) -> None:
    """Refuse what is not a calibrated image with a WCS.

    Raises
    ------
    InputError
        If SCI is in DN/s, without WCS or with one that gives no sky position.
    """
    name = image.metadata.source
    unit = str(image.metadata.get("BUNIT", ""))
    if unit.upper().startswith("DN"):
        msg = f"{name}: BUNIT is {unit}; expected MJy/sr: run calwebb-image2 with photom first"
        raise InputError(msg)
    if image.wcs is None:
        msg = f"{name}: has no WCS; expected a _cal file: run calwebb-image2 first"
        raise InputError(msg)
    ny, nx = image.shape
    position = image.wcs((nx - 1) / 2.0, (ny - 1) / 2.0, with_bounding_box=False)
    if not np.all(np.isfinite(position)):
        msg = f"{name}: the WCS gives no sky position at the centre of the image; check RA_REF"
        raise InputError(msg)


def check_common(exposures: Sequence[Exposure]) -> None:
    """Refuse to combine images of different instruments, filters or units.

    Raises
    ------
    InputError
        Naming the keyword, both values and both files.
    """
    first = exposures[0].metadata
    for image in exposures[1:]:
        for keyword in COMMON_KEYWORDS:
            if image.metadata.get(keyword) != first.get(keyword):
                msg = (
                    f"{image.metadata.source}: {keyword} is {image.metadata.get(keyword)!r} but "
                    f"{first.get(keyword)!r} in {first.source}; an image3 association holds "
                    "exposures of one instrument, channel and filter"
                )
                raise InputError(msg)


def check_pixels(exposures: Sequence[Exposure]) -> None:
    """Warn of exposures without usable pixels, and refuse a set that has none at all.

    Raises
    ------
    InputError
        If no exposure has a usable pixel.
    """
    empty = [image.name for image in exposures if not has_usable_pixels(image)]
    if len(empty) == len(exposures):
        msg = (
            f"{empty[0]}{f' and {len(empty) - 1} more' if empty[1:] else ''}: no usable pixel "
            "(all NaN or DO_NOT_USE); expected calibrated images: check stages 1 and 2"
        )
        raise InputError(msg)
    for name in empty:
        logger.warning("%s: no usable pixel (all NaN or DO_NOT_USE); it adds nothing", name)
