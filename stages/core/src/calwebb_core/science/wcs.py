"""World coordinates of an imaging exposure: detector pixels to V2, V3 to the sky.

The chain has the frames of the official product, ``detector`` -> ``v2v3`` -> ``v2v3vacorr``
-> ``world``, and only models of astropy and gwcs, so that any asdf reader with gwcs opens it
and tweakwcs can insert its correction after ``v2v3vacorr``.

Angles: V2, V3 in arcsec, sky in degrees. The rotation from V2, V3 to the sky is that of
JWST-STScI-001550 (SIAF): about z by V2_REF, about y by -V3_REF, about x by ROLL_REF (position
angle of V3 at the reference point), then to RA_REF, DEC_REF.
"""

import copy
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from astropy import coordinates, units
from astropy.modeling import Model, bind_bounding_box
from astropy.modeling.models import Identity, RotationSequence3D, Scale, Shift
from gwcs import WCS
from gwcs.coordinate_frames import CelestialFrame, Frame2D
from gwcs.geometry import CartesianToSpherical, SphericalToCartesian

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import footprint, s_region
from calwebb_core.science.sip import fits_sip

__all__ = ["find_filter_offset", "fits_sip", "footprint", "imaging_wcs", "s_region"]

logger = logging.getLogger(__name__)

ARCSEC_PER_DEGREE = 3600.0


def imaging_wcs(
    metadata: Metadata,
    distortion_model: Model,
    filter_offset: tuple[float, float] | None = None,
) -> WCS:
    """Build the WCS of an imaging exposure from its pointing keywords.

    Parameters
    ----------
    metadata : Metadata
        Needs SUBSTRT1, SUBSTRT2, SUBSIZE1, SUBSIZE2 (1-based start and size of the subarray),
        V2_REF, V3_REF (arcsec), RA_REF, DEC_REF, ROLL_REF (degrees); VA_SCALE is taken as 1
        where it is absent.
    distortion_model : astropy.modeling.Model
        The reference's transform from 0-based full-frame pixels to V2, V3 in arcsec. It is
        copied, not changed.
    filter_offset : (float, float), optional
        Column and row offset in pixels that the filter adds, see `find_filter_offset`.

    Returns
    -------
    gwcs.WCS
        From 0-based pixel centres of the subarray to ICRS degrees, with a bounding box.

    Raises
    ------
    InputError
        If a keyword is missing or VA_SCALE is not positive.
    ReferenceFileError
        If the distortion model does not take two coordinates to two.
    """
    check_distortion(distortion_model)
    to_v2v3 = subarray_to_v2v3(metadata, distortion_model, filter_offset)
    steps = [
        (Frame2D(name="detector", axes_order=(0, 1), unit=(units.pix, units.pix)), to_v2v3),
        (telescope_frame("v2v3"), velocity_aberration(metadata)),
        (telescope_frame("v2v3vacorr"), v23_to_sky(metadata)),
        (CelestialFrame(name="world", reference_frame=coordinates.ICRS()), None),
    ]
    wcs = WCS(steps)
    wcs.pixel_shape = (metadata.require("SUBSIZE1", int), metadata.require("SUBSIZE2", int))
    return wcs


def check_distortion(model: Any) -> None:
    """Refuse a distortion that is not a model of two coordinates with an inverse.

    Raises
    ------
    ReferenceFileError
        If it is something else.
    """
    if not isinstance(model, Model) or model.n_inputs != 2 or model.n_outputs != 2:
        msg = f"the distortion reference holds {type(model).__name__}; expected a model of 2 to 2"
        raise ReferenceFileError(msg)
    try:
        _ = model.inverse
    except NotImplementedError:
        msg = "the distortion reference has no inverse; one is needed to find sky positions"
        raise ReferenceFileError(msg) from None


def telescope_frame(name: str) -> Frame2D:
    """Return a frame of V2, V3 in arcsec."""
    return Frame2D(
        name=name,
        axes_order=(0, 1),
        axes_names=("v2", "v3"),
        unit=(units.arcsec, units.arcsec),
    )


def subarray_to_v2v3(
    metadata: Metadata, distortion_model: Model, filter_offset: tuple[float, float] | None
) -> Model:
    """Chain the subarray's place, the filter's offset and the distortion.

    The bounding box is that of the reference for a full frame, where it has one, and otherwise
    the edges of the subarray.
    """
    transform = copy.deepcopy(distortion_model)
    box = reference_bounding_box(transform)
    if filter_offset is not None:
        transform = Shift(filter_offset[0]) & Shift(filter_offset[1]) | transform
    start = tuple(metadata.require(f"SUBSTRT{axis}", int) - 1 for axis in (1, 2))
    if start != (0, 0):
        transform = Shift(float(start[0])) & Shift(float(start[1])) | transform
        box = None
    if box is None:
        box = tuple((-0.5, metadata.require(f"SUBSIZE{axis}", int) - 0.5) for axis in (1, 2))
    bind_bounding_box(transform, box, order="F")
    return transform


def reference_bounding_box(model: Model) -> tuple[tuple[float, float], ...] | None:
    """Return the ((x0, x1), (y0, y1)) a reference model carries, or None."""
    try:
        box = model.bounding_box.bounding_box(order="F")
    except NotImplementedError:
        return None
    return tuple((float(low), float(high)) for low, high in box)


def find_filter_offset(
    rows: Iterable[Mapping[str, Any]], metadata: Metadata
) -> tuple[float, float] | None:
    """Return column and row offset in pixels of the exposure's filter.

    Parameters
    ----------
    rows : iterable of mapping
        The ``filters`` list of a FILTEROFFSET reference: filter, pupil (absent for MIRI),
        column_offset, row_offset.
    metadata : Metadata
        FILTER and PUPIL are matched.

    Returns
    -------
    (float, float) or None
        None, with a warning in the log, if the reference has no row for this filter.
    """
    wanted = (str(metadata.get("FILTER")), str(metadata.get("PUPIL")))
    for row in rows:
        if str(row.get("filter", row.get("name"))) != wanted[0]:
            continue
        if "pupil" not in row or str(row["pupil"]) == wanted[1]:
            return float(row["column_offset"]), float(row["row_offset"])
    logger.warning(
        "%s: the filteroffset reference has no row for FILTER %s and PUPIL %s; none is applied",
        metadata.source,
        *wanted,
    )
    return None


def velocity_aberration(metadata: Metadata) -> Model:
    """Return the scaling of V2, V3 about the reference point by VA_SCALE.

    VA_SCALE is the apparent over the true plate scale; the observatory's motion stretches the
    field about the guided position, which the reference point stands for.

    Raises
    ------
    InputError
        If VA_SCALE is not positive.
    """
    scale = metadata.get("VA_SCALE")
    if scale is None or scale == 1:
        return Identity(2)
    if not scale > 0:
        msg = f"{metadata.source}: keyword VA_SCALE is {scale!r}; expected a positive number"
        raise InputError(msg)
    shifts = [(1 - scale) * metadata.require(key, float) for key in ("V2_REF", "V3_REF")]
    model = Scale(scale, name="dva_scale_v2") & Scale(scale, name="dva_scale_v3")
    model = model | Shift(shifts[0], name="dva_v2_shift") & Shift(shifts[1], name="dva_v3_shift")
    model.name = "DVA_Correction"
    return model


def v23_to_sky(metadata: Metadata) -> Model:
    """Return the rotation from V2, V3 in arcsec to right ascension, declination in degrees."""
    v2, v3, roll, ra, dec = (
        metadata.require(key, float)
        for key in ("V2_REF", "V3_REF", "ROLL_REF", "RA_REF", "DEC_REF")
    )
    angles = [v2 / ARCSEC_PER_DEGREE, -v3 / ARCSEC_PER_DEGREE, roll, dec, -ra]
    model = (
        Scale(1 / ARCSEC_PER_DEGREE) & Scale(1 / ARCSEC_PER_DEGREE)
        | SphericalToCartesian(wrap_lon_at=180)
        | RotationSequence3D(angles, axes_order="zyxyz")
        | CartesianToSpherical(wrap_lon_at=360)
    )
    model.name = "v23tosky"
    return model
