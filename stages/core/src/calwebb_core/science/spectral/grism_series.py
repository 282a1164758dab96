"""World coordinates of NIRCam's grism time series, and where the spectrum is in the exposure.

One bright star is dispersed along rows. It would be seen, without the grism, at the aperture's
reference pixel (XREF_SCI, YREF_SCI): the specwcs reference tells the offset from there for each
wavelength, the distortion where that pixel looks. A pixel of the spectrum has one wavelength for
each spectral order, so that the order is a third coordinate of the pixels of an exposure, and a
constant once the spectrum is cut out (`calwebb_core.science.transforms.grism`).

The frames are the official ones: ``grism_detector``, ``direct_image``, ``v2v3``, ``v2v3vacorr``,
``world``. As there, XREF_SCI and YREF_SCI are taken as they are, though keywords count from 1 and
pixels from 0; SUBSTRT1 and SUBSTRT2 are not looked at, as the subarrays begin in the corner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import Tagged
from calwebb_core.framework.reference_data import ANY_VALUE, Reference
from calwebb_core.science.frames import Box, Frame
from calwebb_core.science.spectral.frames import (
    doppler_factor,
    spectral_frames,
    with_wavelength,
)
from calwebb_core.science.spectral.pointing import dithered_place
from calwebb_core.science.transforms import Transform, UnknownTransformError, from_node
from calwebb_core.science.transforms.elementary import Constant, Identity, Remap, Scale, Shift
from calwebb_core.science.transforms.grism import ROW, GrismForward
from calwebb_core.science.wcs import read_distortion, v23_to_sky, velocity_aberration
from calwebb_core.science.world import World

Float64 = NDArray[np.float64]

CURVES: Final = ("displ", "dispx", "dispy")
WITH_ORDER: Final = 2  # wavelength and order, which the transforms of positions leave as they are
HEIGHT: Final = 64  # rows cut out: those of the smallest subarray
SOURCE_ROW: Final = 34.0  # where the star is in every subarray, as the official step has it


@dataclass(frozen=True)
class Light:
    """A spectral order and its range of wavelengths in micrometres."""

    order: int
    low: float
    high: float


def grism_series_wcs(
    metadata: Metadata,
    distortion: Any,
    specwcs: Reference,
    filter_offset: tuple[float, float] | None = None,
    *,
    source: str = "",
) -> World:
    """Build the WCS of an exposure of a grism time series.

    Parameters
    ----------
    metadata : Metadata
        As for `imaging_wcs` (SUBSTRT1 and SUBSTRT2 are not needed), with XREF_SCI, YREF_SCI.
        VELOSYS (m/s), where it is there, moves wavelengths to the barycentre.
    distortion : Tagged, Transform or astropy.modeling.Model
        0-based full-frame pixels to V2, V3 in arcsec.
    specwcs : Reference
        With the dispersion of the grism.
    filter_offset : (float, float), optional
        Column and row offset in pixels that the filter adds.
    source : str
        Name of the distortion reference, for messages.

    Returns
    -------
    World
        From 0-based pixels and the order to ICRS degrees, micrometres (and the order, see
        `World`).

    Raises
    ------
    InputError, ReferenceFileError
        If a keyword is missing, or a reference is for another mode or lacks what it should hold.
    """
    to_direct = to_direct_image(metadata, specwcs)
    to_v2v3, _ = read_distortion(distortion, source)
    if filter_offset is not None:
        to_v2v3 = Shift(filter_offset[0]) & Shift(filter_offset[1]) | to_v2v3
    positions = (to_v2v3, velocity_aberration(metadata), v23_to_sky(metadata))
    frames = (
        Frame.plane("grism_detector", ("x", "y"), "pixel"),
        Frame.composite(
            "direct_image", Frame.plane("full_detector", ("dx", "dy"), "pixel"), Frame.spectral()
        ),
        *spectral_frames(),
    )
    nx, ny = (metadata.require(f"SUBSIZE{axis}", int) for axis in (1, 2))
    transforms = (to_direct, *(with_wavelength(part, WITH_ORDER) for part in positions))
    return World(frames, transforms, None, (nx, ny))


def to_direct_image(metadata: Metadata, specwcs: Reference) -> Transform:
    """Return the way from pixels and the order to the source, the wavelength and the order."""
    dispersion = dispersion_of(metadata, specwcs)
    x0, y0 = (metadata.require(keyword, float) for keyword in ("XREF_SCI", "YREF_SCI"))
    place = [Constant(value).with_inverse(Constant(value)) for value in (x0, y0)]
    at_source = Remap([0, 1, 0, 1, 2]) | Identity(2) & place[0] & place[1] & Identity(1)
    transform = at_source | dispersion.with_inverse(dispersion.derived_inverse())
    doppler = doppler_factor(metadata)
    if doppler == 1.0:
        return transform
    return transform | Identity(2) & Scale(1.0 / doppler) & Identity(1)


def dispersion_of(metadata: Metadata, specwcs: Reference) -> GrismForward:
    """Return the dispersion that a specwcs reference holds.

    Raises
    ------
    InputError
        If the exposure has no PUPIL, or one that does not disperse along rows.
    ReferenceFileError
        If the reference is for another grism or module, or cannot be used.
    """
    pupil = metadata.require("PUPIL", str)
    if pupil != "GRISMR":
        msg = f"{metadata.source}: PUPIL is {pupil}; grism time series are taken with GRISMR"
        raise InputError(msg)
    tree = specwcs.tree or {}
    meta = tree.get("meta")
    instrument = meta.get("instrument") if isinstance(meta, Mapping) else None
    stated = instrument if isinstance(instrument, Mapping) else {}
    for key, keyword in (("pupil", "PUPIL"), ("module", "MODULE")):
        found, expected = str(stated.get(key) or ""), metadata.require(keyword, str)
        if found.upper() not in ANY_VALUE and found != expected:
            msg = (
                f"{specwcs.name}: the specwcs reference is for {keyword} {found}; "
                f"{metadata.source} has {expected}"
            )
            raise ReferenceFileError(msg)
    try:
        curves = [[curve_of(node) for node in tree[key]] for key in CURVES]
        return GrismForward(ROW, tree["orders"], *curves)
    except (KeyError, TypeError, ValueError, UnknownTransformError) as error:
        reason = " ".join(str(error).split())
        msg = f"{specwcs.name}: the specwcs reference can't be used ({reason})"
        raise ReferenceFileError(msg) from error


def curve_of(node: Any) -> Transform | list[Transform]:
    """Return a polynomial along a spectrum, or those of the source's place that make one."""
    if isinstance(node, Tagged):
        return from_node(node)
    parts = [from_node(part) for part in node]
    return parts[0] if len(parts) == 1 and parts[0].n_inputs == 1 else parts


def light_of(metadata: Metadata, ranges: Reference, orders: Sequence[int] | None = None) -> Light:
    """Return the order to cut out and its range of wavelengths.

    Parameters
    ----------
    metadata : Metadata
        FILTER and PUPIL are matched.
    ranges : Reference
        Of the type wavelengthrange.
    orders : sequence of int, optional
        The order that the user wants; that of the reference by default.

    Raises
    ------
    InputError
        If more than one order is asked for.
    ReferenceFileError
        If the reference has no range for the filter and order.
    """
    tree, name = ranges.tree or {}, metadata.require("FILTER", str)
    pupil = metadata.require("PUPIL", str)
    try:
        usual = (list(found) for key, found in tree.get("extract_orders", ()) if key == name)
        wanted = list(orders) if orders else next(usual, [1])
        # files for version 3 of the official package have the pupil before the filter
        found = (
            Light(int(order), float(low), float(high))
            for order, *keys, low, high in tree.get("wavelengthrange", ())
            if [order] == wanted[:1] and keys in ([name], [pupil, name])
        )
        light = next(found, None)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"{ranges.name}: the wavelengthrange reference can't be used ({reason})"
        raise ReferenceFileError(msg) from error
    if len(wanted) != 1:
        msg = f"{metadata.source}: the orders {wanted} are to be cut out; expected one"
        raise InputError(msg)
    if light is not None and light.low < light.high:
        return light
    msg = (
        f"{ranges.name}: the wavelengthrange reference has no range for FILTER {name}, PUPIL "
        f"{pupil}, order {wanted[0]}"
    )
    raise ReferenceFileError(msg)


def source_column(metadata: Metadata, wcs: World) -> float:
    """Return the 0-based column of the star in the direct image, offsets in the pointing included.

    Parameters
    ----------
    metadata : Metadata
        As for `dithered_place`.
    wcs : World
        Of `grism_series_wcs`.
    """
    back = wcs.get_transform("v2v3", "direct_image")
    return float(back(*dithered_place(metadata), 0.0, 1.0)[0])


def check_on_columns(metadata: Metadata, wcs: World, light: Light, columns: int) -> None:
    """Refuse an exposure whose columns do not see the spectrum.

    Raises
    ------
    InputError
        If so.
    """
    back = wcs.get_transform("direct_image", "grism_detector")
    x0, y0 = (metadata.require(keyword, float) for keyword in ("XREF_SCI", "YREF_SCI"))
    ends = [float(back(x0, y0, end, float(light.order))[0]) for end in (light.low, light.high)]
    if max(ends) < -0.5 or min(ends) > columns - 0.5:
        msg = (
            f"{metadata.source}: the spectrum is off the detector: order {light.order} is at x "
            f"{min(ends) + 1:.1f} to {max(ends) + 1:.1f}, the exposure has {columns} columns; "
            "check XREF_SCI and the specwcs reference"
        )
        raise InputError(msg)


def cut_wcs(wcs: World, order: int, columns: int, rows: int) -> World:
    """Return the WCS of the spectrum of one order, cut out from the exposure's first row.

    Parameters
    ----------
    wcs : World
        Of the exposure: pixels and the order to the sky.
    order : int
    columns, rows : int
        Size of what is cut out.
    """
    constant = Constant(float(order)).with_inverse(Constant(float(order)))
    fixed = Remap([0, 1, 0]) | Shift(0.0) & Shift(0.0) & constant
    box = Box(((-0.5, columns - 0.5), (-0.5, rows - 0.5)))
    return replace(
        wcs,
        transforms=(fixed | wcs.transforms[0], *wcs.transforms[1:]),
        bounding_box=box,
        pixel_shape=(columns, rows),
        _cache={},
    )


def series_wavelengths(wcs: World, shape: tuple[int, int]) -> Float64:
    """Return the wavelength of every pixel of the spectrum.

    Parameters
    ----------
    wcs : World
        Of `cut_wcs`.
    shape : (ny, nx)

    Returns
    -------
    float64, (ny, nx), micrometres
        NaN beyond the ends of a dispersion that does not go on there: its transform stays at the
        last wavelength.
    """
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    found = np.array(wcs(x, y)[2])
    still = np.diff(found, axis=1) == 0
    stuck = np.zeros(found.shape, bool)
    stuck[:, 1:] |= still
    stuck[:, :-1] |= still
    found[stuck] = np.nan
    return found
