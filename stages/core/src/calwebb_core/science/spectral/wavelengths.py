"""The wavelength of every pixel of a spectrum, and the axis along which it is dispersed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit

Float64 = NDArray[np.float64]

PLANE = "WAVELENGTH"
HORIZONTAL, VERTICAL = 1, 2  # DISPAXIS


def wavelengths(model: Image) -> Float64:
    """Return the wavelength of every pixel.

    Parameters
    ----------
    model : Image or Slit
        With a plane WAVELENGTH, or else a WCS whose third coordinate is the wavelength.

    Returns
    -------
    float64, (ny, nx), micrometres
        NaN where there is none. It is the same for every integration.

    Raises
    ------
    InputError
        If the model has neither.
    """
    shape = model.data.shape[-2:]
    if isinstance(model, Slit) and PLANE in model.planes:
        plane = np.asarray(model.planes[PLANE], np.float64)
        return plane if plane.ndim == 2 else plane[0]
    if model.wcs is None:
        msg = (
            f"{model.metadata.source}: has neither a WAVELENGTH array nor a WCS; run assign_wcs "
            f"(and extract_2d, where the mode has it) first"
        )
        raise InputError(msg)
    return world_of_pixels(model.wcs, shape)[2]


def world_of_pixels(wcs: Any, shape: tuple[int, ...]) -> tuple[Float64, Float64, Float64]:
    """Return right ascension, declination (degrees) and wavelength (micrometres) of all pixels.

    Parameters
    ----------
    wcs : World or gwcs.WCS
    shape : (..., ny, nx)

    Returns
    -------
    three float64, (ny, nx)
        NaN outside of the WCS's bounding box.

    Raises
    ------
    InputError
        If it is the WCS of an image, which has no wavelengths.
    """
    y, x = np.mgrid[: shape[-2], : shape[-1]].astype(np.float64)
    found = wcs(x, y)
    if len(found) < 3:
        msg = f"the WCS gives {len(found)} coordinates; that of a spectrum gives three"
        raise InputError(msg)
    ra, dec, wavelength = (np.broadcast_to(np.asarray(part), x.shape) for part in found[:3])
    return ra, dec, wavelength


def dispersion_axis(metadata: Metadata) -> int:
    """Return the axis of dispersion: 1 along x (rows), 2 along y (columns).

    Raises
    ------
    InputError
        If DISPAXIS is missing or neither.
    """
    axis = metadata.require("DISPAXIS", int)
    if axis not in (HORIZONTAL, VERTICAL):
        msg = f"{metadata.source}: DISPAXIS is {axis}; expected 1 (along x) or 2 (along y)"
        raise InputError(msg)
    return axis
