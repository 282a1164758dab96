"""World coordinates of an imaging exposure: detector pixels to V2, V3 to the sky.

The chain has the frames of the official product, ``detector`` -> ``v2v3`` -> ``v2v3vacorr``
-> ``world``, and only models of astropy and gwcs, so that any asdf reader with gwcs opens it
and tweakwcs can insert its correction after ``v2v3vacorr``.

Angles: V2, V3 in arcsec, sky in degrees. The rotation from V2, V3 to the sky is that of
JWST-STScI-001550 (SIAF): about z by V2_REF, about y by -V3_REF, about x by ROLL_REF (position
angle of V3 at the reference point), then to RA_REF, DEC_REF.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import Tagged, read_tree
from calwebb_core.science.footprint import footprint, s_region
from calwebb_core.science.sip import fits_sip
from calwebb_core.science.transforms import (
    NoInverseError,
    Transform,
    UnknownTransformError,
    from_node,
)
from calwebb_core.science.transforms.elementary import Identity, Scale, Shift
from calwebb_core.science.transforms.sphere import Rotations, ToCartesian, ToSpherical
from calwebb_core.science.world import Box, Frame, World, read_box

__all__ = ["World", "find_filter_offset", "fits_sip", "footprint", "imaging_wcs", "s_region"]

logger = logging.getLogger(__name__)

ARCSEC_PER_DEGREE = 3600.0
ANY_PUPIL = "N/A"


def imaging_wcs(
    metadata: Metadata,
    distortion_model: Any,
    filter_offset: tuple[float, float] | None = None,
    *,
    source: str = "",
) -> World:
    """Build the WCS of an imaging exposure from its pointing keywords.

    Parameters
    ----------
    metadata : Metadata
        Needs SUBSTRT1, SUBSTRT2, SUBSIZE1, SUBSIZE2 (1-based start and size of the subarray),
        V2_REF, V3_REF (arcsec), RA_REF, DEC_REF, ROLL_REF (degrees); VA_SCALE is taken as 1
        where it is absent.
    distortion_model : Tagged, Transform or astropy.modeling.Model
        The reference's transform from 0-based full-frame pixels to V2, V3 in arcsec: the ASDF
        node, or what it stands for.
    filter_offset : (float, float), optional
        Column and row offset in pixels that the filter adds, see `find_filter_offset`.
    source : str
        Name of the distortion reference, for messages.

    Returns
    -------
    World
        From 0-based pixel centres of the subarray to ICRS degrees, with a bounding box.

    Raises
    ------
    InputError
        If a keyword is missing or VA_SCALE is not positive.
    ReferenceFileError
        If the distortion model does not take two coordinates to two, has no inverse, or is of
        a kind that is not evaluated here.
    """
    distortion, box = read_distortion(distortion_model, source)
    to_v2v3, box = subarray_to_v2v3(metadata, distortion, box, filter_offset)
    return World(
        (Frame.plane("detector", ("x", "y"), "pixel"), *sky_frames()),
        (to_v2v3, velocity_aberration(metadata), v23_to_sky(metadata)),
        box,
        (metadata.require("SUBSIZE1", int), metadata.require("SUBSIZE2", int)),
    )


def sky_frames() -> tuple[Frame, Frame, Frame]:
    """Return the frames from the telescope's focal plane to the sky."""
    axes = ("v2", "v3")
    return (
        Frame.plane("v2v3", axes, "arcsec"),
        Frame.plane("v2v3vacorr", axes, "arcsec"),
        Frame.sky(),
    )


def read_distortion(model: Any, source: str = "") -> tuple[Transform, Box | None]:
    """Return the transform of a distortion reference and the bounding box it carries.

    Raises
    ------
    ReferenceFileError
        If it is not a transform of two coordinates to two with an inverse.
    """
    node = model_node(model)
    what = f"{source}: the distortion reference" if source else "the distortion reference"
    try:
        transform = model if isinstance(model, Transform) else from_node(node)
        box = read_box(node) if isinstance(node, Tagged) else None
    except UnknownTransformError as error:
        msg = f"{what} can't be evaluated ({error}); expected a model of 2 to 2"
        raise ReferenceFileError(msg) from error
    if (transform.n_inputs, transform.n_outputs) != (2, 2):
        shape = f"{transform.n_inputs} to {transform.n_outputs}"
        msg = f"{what} holds a model of {shape}; expected a model of 2 to 2"
        raise ReferenceFileError(msg)
    try:
        _ = transform.inverse
    except NoInverseError:
        msg = f"{what} has no inverse; one is needed to find sky positions"
        raise ReferenceFileError(msg) from None
    return transform, box


def model_node(model: Any) -> Any:
    """Return the ASDF node of a model; one of astropy passes through the asdf library."""
    if isinstance(model, Tagged | Transform) or not hasattr(model, "n_inputs"):
        return model
    import io

    import asdf

    buffer = io.BytesIO()
    asdf.AsdfFile({"model": model}).write_to(buffer)
    return read_tree(buffer.getvalue())["model"]


def subarray_to_v2v3(
    metadata: Metadata,
    distortion: Transform,
    box: Box | None,
    filter_offset: tuple[float, float] | None,
) -> tuple[Transform, Box]:
    """Chain the subarray's place, the filter's offset and the distortion.

    The bounding box is that of the reference for an image that starts at the detector's corner,
    where it has one, within the edges of the image; otherwise these edges.
    """
    transform = distortion
    if filter_offset is not None:
        transform = Shift(filter_offset[0]) & Shift(filter_offset[1]) | transform
    start = tuple(metadata.require(f"SUBSTRT{axis}", int) - 1 for axis in (1, 2))
    if start != (0, 0):
        transform = Shift(float(start[0])) & Shift(float(start[1])) | transform
        box = None
    edges = [(-0.5, metadata.require(f"SUBSIZE{axis}", int) - 0.5) for axis in (1, 2)]
    if box is not None:
        edges = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(edges, box, strict=True)]
    return transform, Box((edges[0], edges[1]))


def find_filter_offset(
    rows: Iterable[Mapping[str, Any]], metadata: Metadata
) -> tuple[float, float] | None:
    """Return column and row offset in pixels of the exposure's filter.

    Parameters
    ----------
    rows : iterable of mapping
        The ``filters`` list of a FILTEROFFSET reference: filter, pupil (absent or N/A for MIRI),
        column_offset, row_offset.
    metadata : Metadata
        FILTER and PUPIL are matched.

    Returns
    -------
    (float, float) or None
        None, with a warning in the log, if the reference has no row for this filter, or no
        numbers in it.
    """
    wanted = (str(metadata.get("FILTER")), str(metadata.get("PUPIL")))
    for row in rows:
        if str(row.get("filter", row.get("name"))) != wanted[0]:
            continue
        if str(row.get("pupil", ANY_PUPIL)) in (ANY_PUPIL, wanted[1]):
            offsets = row.get("column_offset"), row.get("row_offset")
            if all(isinstance(offset, int | float) for offset in offsets):
                return float(offsets[0]), float(offsets[1])  # type: ignore[arg-type]
    logger.warning(
        "%s: the filteroffset reference has no row for FILTER %s and PUPIL %s; none is applied",
        metadata.source,
        *wanted,
    )
    return None


def velocity_aberration(metadata: Metadata) -> Transform:
    """Return the scaling of V2, V3 about the reference point by VA_SCALE.

    VA_SCALE is the apparent over the true plate scale; the observatory's motion stretches the
    field about the guided position, which the reference point stands for.

    Raises
    ------
    InputError
        If VA_SCALE is not a positive number.
    """
    if metadata.get("VA_SCALE") is None:
        return Identity(2)
    scale = metadata.require("VA_SCALE", float)
    if scale == 1:
        return Identity(2)
    if not scale > 0:
        msg = f"{metadata.source}: keyword VA_SCALE is {scale!r}; expected a positive number"
        raise InputError(msg)
    shifts = [(1 - scale) * metadata.require(key, float) for key in ("V2_REF", "V3_REF")]
    stretch = Scale(scale, "dva_scale_v2") & Scale(scale, "dva_scale_v3")
    back = Shift(shifts[0], "dva_v2_shift") & Shift(shifts[1], "dva_v3_shift")
    return (stretch | back).named("DVA_Correction")


def v23_to_sky(metadata: Metadata) -> Transform:
    """Return the rotation from V2, V3 in arcsec to right ascension, declination in degrees."""
    v2, v3, roll, ra, dec = (
        metadata.require(key, float)
        for key in ("V2_REF", "V3_REF", "ROLL_REF", "RA_REF", "DEC_REF")
    )
    angles = [v2 / ARCSEC_PER_DEGREE, -v3 / ARCSEC_PER_DEGREE, roll, dec, -ra]
    model = (
        Scale(1 / ARCSEC_PER_DEGREE) & Scale(1 / ARCSEC_PER_DEGREE)
        | ToCartesian(180)
        | Rotations(angles, "zyxyz")
        | ToSpherical(360)
    )
    return model.named("v23tosky")
