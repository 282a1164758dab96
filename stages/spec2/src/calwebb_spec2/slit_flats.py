"""The flat field of a NIRSpec slit, put together from those of three parts of the instrument.

Each of fore optics (FFLAT), spectrograph (SFLAT) and detector (DFLAT) may have an image, or images
at several wavelengths between which each pixel is interpolated, and a fast variation with
wavelength: the mean of a tabulated curve over the wavelengths that fall on the pixel. The flat is
the product of all; its relative errors are added in quadrature.

The mean is that of Gauss-Legendre with three points. A pixel's wavelengths reach half way to those
of the pixel after it along the dispersion, and as far to the other side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import UInt32
from calwebb_core.framework.reference_arrays import part_of, shape_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.dq import PixelDQ
from calwebb_core.science.photom import columns, text
from calwebb_core.science.spectral.curves import Curve, curve_of

Float64 = NDArray[np.float64]
WITHOUT: Final = np.uint32(PixelDQ.DO_NOT_USE | PixelDQ.NO_FLAT_FIELD)
UNUSABLE: Final = np.uint32(WITHOUT | PixelDQ.UNRELIABLE_FLAT)
# Points within half a pixel on either side, and their weights.
POINTS: Final = (-np.sqrt(0.6), 0.0, np.sqrt(0.6))
WEIGHTS: Final = (5 / 18, 8 / 18, 5 / 18)
ANY_SLIT: Final = "ANY"


@dataclass(frozen=True)
class Pixels:
    """The pixels that a flat is wanted for.

    Attributes
    ----------
    wavelengths : float64, (ny, nx), micrometres
        NaN where there is none.
    axis : int
        Of dispersion: 1 along x, 2 along y.
    window : rows and columns, slices of the exposure's subarray
    slit : str
        Name of the slit.
    """

    wavelengths: Float64
    axis: int
    window: tuple[slice, slice]
    slit: str


@dataclass(frozen=True)
class Layer:
    """One factor of a flat: its values and their errors, (ny, nx) or scalar; flags (ny, nx).

    Values are NaN where there is none.
    """

    values: Any
    errors: Any
    flags: UInt32

    def times(self, other: "Layer") -> "Layer":
        """Return the product of both."""
        errors = np.hypot(self.errors * other.values, self.values * other.errors)
        return Layer(self.values * other.values, errors, self.flags | other.flags)


def slit_flat(references: Mapping[str, Reference], pixels: Pixels) -> Layer:
    """Return the flat field of a slit.

    Parameters
    ----------
    references : mapping of Reference
        FFLAT, SFLAT, DFLAT, those there are.
    pixels : Pixels

    Returns
    -------
    Layer
        float32; 1 without error where it is unknown, flagged `UNUSABLE`.

    Raises
    ------
    ReferenceFileError
        If one does not cover the slit or its wavelengths, or has no usable values.
    """
    shape = pixels.wavelengths.shape
    flags = np.where(np.isnan(pixels.wavelengths), WITHOUT, np.uint32(0))
    flat = Layer(np.ones(shape), np.zeros(shape), flags)
    for reference in references.values():
        factor = image_of(reference, pixels)
        if "FAST_VARIATION" in reference.tables:
            factor = factor.times(fast_variation(reference, pixels))
        check_range(reference, factor, pixels)
        flat = flat.times(factor)
    known = np.isfinite(flat.values) & (flat.values != 0) & ((flat.flags & WITHOUT) == 0)
    errors = np.where(np.isfinite(flat.errors), flat.errors, 0.0)
    return Layer(
        np.where(known, flat.values, 1.0).astype(np.float32),
        np.where(known, errors, 0.0).astype(np.float32),
        np.where(known, flat.flags, flat.flags | UNUSABLE),
    )


def check_range(reference: Reference, factor: Layer, pixels: Pixels) -> None:
    """Refuse a reference that says something of no pixel.

    Raises
    ------
    ReferenceFileError
        If so.
    """
    asked = np.isfinite(pixels.wavelengths)
    if asked.any() and not np.any(np.isfinite(np.where(asked, factor.values, np.nan))):
        found = pixels.wavelengths[asked]
        msg = (
            f"{reference.name}: the {reference.type} reference has no value for any pixel of slit "
            f"{pixels.slit} ({found.min():.4g}-{found.max():.4g} um): choose another file"
        )
        raise ReferenceFileError(msg)


def image_of(reference: Reference, pixels: Pixels) -> Layer:
    """Return the part of a flat that images say, 1 if there are none."""
    shape = pixels.wavelengths.shape
    none = np.zeros(shape, np.uint32)
    if "SCI" not in reference.arrays:
        return Layer(np.ones(shape), np.zeros(shape), none)
    check_window(reference, pixels)
    if len(shape_of(reference.arrays, "SCI")) == 2:
        values, errors = (cut(reference, name, pixels) for name in ("SCI", "ERR"))
        return Layer(positive(values), known_errors(errors), flags_of(reference, pixels))
    return interpolated(reference, pixels)


def check_window(reference: Reference, pixels: Pixels) -> None:
    """Refuse a flat that does not cover the slit.

    Raises
    ------
    ReferenceFileError
        If so.
    """
    ny, nx = shape_of(reference.arrays, "SCI")[-2:]
    rows, cols = pixels.window
    if rows.stop > ny or cols.stop > nx:
        msg = (
            f"{reference.name}: SCI of the {reference.type} reference has {nx} columns and {ny} "
            f"rows here; slit {pixels.slit} ends at {cols.stop}, {rows.stop}: choose a file that "
            "covers its subarray"
        )
        raise ReferenceFileError(msg)


def cut(reference: Reference, name: str, pixels: Pixels) -> Any:
    """Return an array of a flat, cut out to the slit; zero if it does not have it."""
    if name not in reference.arrays:
        return 0.0
    rows, cols = pixels.window
    return part_of(reference.arrays, name, rows=rows, columns=cols).astype(np.float64)


def flags_of(reference: Reference, pixels: Pixels) -> NDArray[np.uint32]:
    """Return the flags of a flat, cut out to the slit, (ny, nx) or (nplanes, ny, nx)."""
    if reference.dq is None:
        return np.zeros(pixels.wavelengths.shape, np.uint32)
    return reference.dq[(..., *pixels.window)]


def positive(values: Any) -> Any:
    """Return values of a flat with NaN for those that cannot be divided by."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def known_errors(errors: Any) -> Any:
    """Return errors with zero for those that are not known."""
    return np.where(np.isfinite(errors), errors, 0.0)


def interpolated(reference: Reference, pixels: Pixels) -> Layer:
    """Return the images of a flat at several wavelengths, interpolated to those of the pixels."""
    planes = plane_wavelengths(reference)
    waves = pixels.wavelengths
    lower = np.clip(np.searchsorted(planes, waves, side="right") - 1, 0, planes.size - 2)
    share = (waves - planes[lower]) / (planes[lower + 1] - planes[lower])
    outside = ~((waves >= planes[0]) & (waves <= planes[-1]))
    values, errors = (cut(reference, name, pixels) for name in ("SCI", "ERR"))
    flags = flags_of(reference, pixels)
    if flags.ndim == 3:
        flags = picked(flags, lower) | picked(flags, lower + 1)
    flags = np.where(outside, flags | WITHOUT, flags)
    found = between(positive(values), lower, share)
    errors = known_errors(errors)
    errors = between(errors, lower, share) if np.ndim(errors) == 3 else errors
    return Layer(np.where(outside, np.nan, found), errors, flags)


def plane_wavelengths(reference: Reference) -> Float64:
    """Return the wavelengths of a flat's images.

    Raises
    ------
    ReferenceFileError
        If it has none, not one for each image, or they do not increase.
    """
    table = reference.tables.get("WAVELENGTH")
    count = shape_of(reference.arrays, "SCI")[0]
    names = {} if table is None else columns(table)
    if table is None or "wavelength" not in names:
        msg = f"{reference.name}: the {reference.type} reference has no WAVELENGTH table"
        raise ReferenceFileError(msg)
    found = np.asarray(table.data[names["wavelength"]], np.float64).ravel()
    if found.size != count or count < 2 or not np.all(np.diff(found) > 0):
        msg = (
            f"{reference.name}: WAVELENGTH has {found.size} wavelengths for {count} images; "
            "expected one for each, increasing"
        )
        raise ReferenceFileError(msg)
    return found


def picked(cube: NDArray[Any], planes: NDArray[np.intp]) -> NDArray[Any]:
    """Return of each pixel of a cube the value of one plane."""
    return np.asarray(np.take_along_axis(cube, planes[None], axis=0)[0])


def between(cube: Float64, lower: NDArray[np.intp], share: Float64) -> Float64:
    """Return values between two planes of a cube, `share` of the way to the second."""
    return np.asarray((1 - share) * picked(cube, lower) + share * picked(cube, lower + 1))


def fast_variation(reference: Reference, pixels: Pixels) -> Layer:
    """Return the part of a flat that varies fast with wavelength.

    Raises
    ------
    ReferenceFileError
        If it has no row for the slit.
    """
    curve, errors = fast_curves(reference, pixels.slit)
    waves = pixels.wavelengths
    half = widths(waves, pixels.axis) / 2
    values = np.zeros(waves.shape)
    for point, weight in zip(POINTS, WEIGHTS, strict=True):
        values += weight * curve.at(waves + point * half)
    flags = np.where(np.isnan(values), WITHOUT, np.uint32(0))
    return Layer(values, known_errors(errors.at(waves)), flags)


def fast_curves(reference: Reference, slit: str) -> tuple[Curve, Curve]:
    """Return the curve of a slit, and that of its errors.

    Raises
    ------
    ReferenceFileError
        If there is no row for the slit, or its numbers cannot be used.
    """
    table = reference.tables["FAST_VARIATION"]
    names = columns(table)
    what = f"{reference.name}: FAST_VARIATION of slit {slit}"
    if not {"slit_name", "nelem", "wavelength", "data"} <= set(names):
        msg = f"{what}: has columns {', '.join(names)}; expected slit_name, nelem, wavelength, data"
        raise ReferenceFileError(msg)
    rows = {text(row[names["slit_name"]]).upper(): row for row in table.data}
    row = rows.get(slit.upper(), rows.get(ANY_SLIT))
    if row is None:
        msg = f"{what}: there is no row for it; there are {', '.join(rows)}: choose another file"
        raise ReferenceFileError(msg)
    waves, values = (row[names[name]] for name in ("wavelength", "data"))
    length = int(row[names["nelem"]])
    curve = curve_of(waves, values, what, length=length)
    errors = np.nan_to_num(row[names["error"]] if "error" in names else np.zeros_like(values))
    if not np.any(errors[:length]):
        return curve, Curve(curve.wavelength, np.zeros_like(curve.values))
    return curve, curve_of(waves, errors, what, length=length, positive=False)


def widths(wavelengths: Float64, axis: int) -> Float64:
    """Return how far in wavelength each pixel is from the next along the dispersion.

    From the one before where the next has no wavelength; 0 without neighbours.

    Parameters
    ----------
    wavelengths : float64, (ny, nx), micrometres
    axis : int
        1 along x, 2 along y.
    """
    lines = wavelengths if axis == 1 else wavelengths.T
    steps = np.abs(np.diff(lines, axis=1))
    edge = np.full((lines.shape[0], 1), np.nan)
    after, before = np.hstack([steps, edge]), np.hstack([edge, steps])
    found = np.nan_to_num(np.where(np.isnan(after), before, after))
    return found if axis == 1 else found.T
