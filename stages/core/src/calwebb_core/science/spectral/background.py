"""The background of a spectrum from spectra of the sky: one curve for all pixels.

The curve gives surface brightness by wavelength (MJy/sr, light that fills the slit). A spectrum
that was calibrated as that of a point source has been divided by other flats and path losses and
multiplied by another conversion; the curve goes through the same before it is subtracted:

``b = B(lambda) * F_uniform/F_point * L_uniform/L_point * C_point/C_uniform``

MIRI's losses are kept as the factor that a point source's spectrum was multiplied by, and light
that fills the slit is not corrected: ``b = B(lambda) * PATHLOSS_PS``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Image, Slit
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_core.science.spectral.wavelengths import wavelengths

Float64 = NDArray[np.float64]
# What a point source's spectrum went through, above what light that fills the slit would have.
RATIOS = (
    ("FLATFIELD_UN", "FLATFIELD_PS"),
    ("PATHLOSS_UN", "PATHLOSS_PS"),
    ("PHOTOM_PS", "PHOTOM_UN"),
)


def smoothed(curve: Float64, width: int) -> Float64:
    """Return the moving median of a curve over an odd number of points; edges are mirrored.

    Parameters
    ----------
    curve : float64, (n,)
    width : int
        An even one counts as the odd one below; 1 changes nothing.

    Returns
    -------
    float64, (n,)
        Of the finite values in the window; NaN where there is none.
    """
    half = (width - 1) // 2
    if half < 1 or curve.size == 0:
        return curve.copy()
    padded = np.pad(curve, half, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    result = np.full(curve.shape, np.nan)
    known = np.isfinite(windows).any(axis=1)
    result[known] = np.nanmedian(windows[known], axis=1)
    return result


def at_wavelengths(wave: Float64, curve_wave: Float64, curve: Float64) -> Float64:
    """Return a curve at any wavelengths, linearly between its points.

    Parameters
    ----------
    wave : float64, any shape
        Micrometres; may be NaN.
    curve_wave, curve : float64, (n,)
        In any order; points that are not finite are left out.

    Returns
    -------
    float64, shape of `wave`
        NaN outside the curve's range.

    Raises
    ------
    ValueError
        If the curve has fewer than two points.
    """
    known = np.isfinite(curve_wave) & np.isfinite(curve)
    if np.count_nonzero(known) < 2:
        msg = f"a background needs two points at least; found {np.count_nonzero(known)}"
        raise ValueError(msg)
    order = np.argsort(curve_wave[known], kind="stable")
    x, y = curve_wave[known][order], curve[known][order]
    found = np.interp(wave, x, y, left=np.nan, right=np.nan)
    return np.where(np.isfinite(wave), found, np.nan)


def background_of(
    model: Image, curve_wave: Float64, curve: Float64, *, point: bool, factor: bool = True
) -> Float64:
    """Return the background in every pixel of a spectrum, in its own calibration.

    Parameters
    ----------
    model : Image or Slit
    curve_wave, curve : float64, (n,)
        Wavelength (micrometres) and surface brightness (MJy/sr).
    point : bool
        Whether the spectrum was calibrated as that of a point source.
    factor : bool
        Whether the factor for the losses of a point source on MIRI counts.

    Returns
    -------
    float64, (ny, nx)
        NaN where the curve says nothing.

    Raises
    ------
    InputError
        If the spectrum has no wavelengths.
    """
    result = at_wavelengths(wavelengths(model), curve_wave, curve)
    if not point:
        return result
    for above, below in RATIOS:
        upper, lower = plane_of(model, above), plane_of(model, below)
        if lower is None:
            continue
        if upper is None:  # MIRI: what the spectrum was multiplied by
            result = result * lower if factor else result
            continue
        ratio = np.full(result.shape, np.nan)
        np.divide(upper, lower, out=ratio, where=lower != 0.0)
        result = result * ratio
    return result


def plane_of(model: Image, name: str) -> Float64 | None:
    """Return a plane of a spectrum, or None."""
    plane: Any = model.planes.get(name) if isinstance(model, Slit) else None
    if plane is None and name in model.tables:
        plane = model.tables[name].data
    if plane is None:
        return None
    values = np.asarray(plane, np.float64)
    return values if values.ndim == 2 else values[0]


def subtract_background(model: Image, background: Float64) -> int:
    """Subtract a background from a spectrum, in place.

    Pixels of which it says nothing get DO_NOT_USE, unless they have no data anyway.

    Parameters
    ----------
    model : Image or Slit
    background : float64, (ny, nx)

    Returns
    -------
    int
        Pixels with data that it says nothing of.

    Raises
    ------
    ValueError
        If shapes disagree.
    """
    if background.shape != model.data.shape[-2:]:
        msg = f"background has shape {background.shape}; expected {model.data.shape[-2:]}"
        raise ValueError(msg)
    unknown = ~np.isfinite(background)
    model.data -= np.where(unknown, 0.0, background).astype(np.float32)
    lost = unknown & np.isfinite(model.data)
    if model.dq is not None:
        model.dq[..., unknown] |= np.uint32(DO_NOT_USE)
    return int(np.count_nonzero(lost))
