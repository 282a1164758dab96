"""World coordinates of MIRI's low-resolution spectrometer, in the slit and without it.

The prism disperses along columns. The specwcs reference has the trace: for each row, relative to a
reference pixel, how far it is shifted in x, and its wavelength. A row has one wavelength. The
position along the slit, alpha, follows from x without that shift; across it, beta is that of the
reference pixel: where in the slit the light came from is not told by its row. From there the
imager's distortion leads to V2, V3 and the sky.

The frames are the official ones: ``detector``, ``alpha_beta`` (arcsec from the reference pixel,
micrometres), ``v2v3``, ``v2v3vacorr``, ``world``. The official step smooths the wavelengths of the
table with a cubic spline (FITPACK; at most 0.002 micrometre^2 in the sum of squares), which moves
those of the reference files of 2022 by up to 0.2 pixel at the ends: so it is here by default.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import ANY_VALUE, Reference
from calwebb_core.science.frames import Box, Frame
from calwebb_core.science.spectral.frames import (
    doppler_factor,
    spectral_frames,
    with_wavelength,
)
from calwebb_core.science.transforms import Transform
from calwebb_core.science.transforms.elementary import (
    Arithmetic,
    Constant,
    Identity,
    Remap,
    Scale,
    Shift,
)
from calwebb_core.science.transforms.tables import Tabular, is_monotonic
from calwebb_core.science.wcs import read_distortion, v23_to_sky, velocity_aberration
from calwebb_core.science.world import World

Float64 = NDArray[np.float64]

SLIT: Final = "MIR_LRS-FIXEDSLIT"
SLITLESS: Final = "MIR_LRS-SLITLESS"
SMOOTHING: Final = 0.002  # micrometre^2
# The reference pixel in a specwcs file, 1-based on the whole detector.
REFERENCE_PIXEL: Final = {SLIT: ("IMX", "IMY"), SLITLESS: ("IMXSLTL", "IMYSLTL")}
CORNERS: Final = tuple(f"{axis}{corner}" for axis in "XY" for corner in range(4))
COLUMNS: Final = ("X_CENTER", "Y_CENTER", "WAVELENGTH", *CORNERS)
# Columns that see light without the slit: the first four of the detector are reference pixels.
LIT_COLUMNS: Final = (3.5, 71.5)
LEAST_ROWS: Final = 4  # of a table: a cubic spline goes through them


@dataclass(frozen=True)
class Trace:
    """The trace of a specwcs reference on the pixels of an exposure, 0-based.

    Attributes
    ----------
    kind : str
        EXP_TYPE.
    origin : (float, float)
        Reference pixel.
    y, shift, wavelength : float64, (nrows,)
        Row, shift in x of the trace (pixels), and wavelength (micrometres) as in the file.
    box : ((x0, x1), (y0, y1))
        Where there are spectra.
    """

    kind: str
    origin: tuple[float, float]
    y: Float64
    shift: Float64
    wavelength: Float64
    box: Box


def lrs_wcs(
    metadata: Metadata,
    distortion: Any,
    specwcs: Reference,
    *,
    smoothing: float = SMOOTHING,
    source: str = "",
) -> World:
    """Build the WCS of an exposure of the low-resolution spectrometer.

    Parameters
    ----------
    metadata : Metadata
        As for `imaging_wcs`, with EXP_TYPE; VELOSYS (m/s) moves wavelengths to the barycentre.
    distortion : Tagged, Transform or astropy.modeling.Model
        Of the imager: 0-based full-frame pixels to V2, V3 in arcsec.
    specwcs : Reference
        With the table WAVETABLE and the reference pixels.
    smoothing : float
        Sum of squares (micrometre^2) up to which wavelengths are smoothed; 0 for the table's.
    source : str
        Name of the distortion reference, for messages.

    Returns
    -------
    World
        From 0-based pixels of the subarray to ICRS degrees and micrometres.

    Raises
    ------
    InputError, ReferenceFileError
        If a keyword is missing, the spectrum is not on the exposure's pixels, or a reference is
        for another mode or lacks what it should hold.
    """
    trace = trace_of(metadata, specwcs)
    check_on_detector(metadata, trace)
    to_v2v3, _ = read_distortion(distortion, source)
    starts = [metadata.require(f"SUBSTRT{axis}", int) - 1 for axis in (1, 2)]
    to_v2v3 = Shift(float(starts[0])) & Shift(float(starts[1])) | to_v2v3
    arcsec = column_width(to_v2v3, trace.origin)
    wavelengths = smoothed(trace, smoothing, specwcs.name) / doppler_factor(metadata)
    along, across = (Scale(1 / arcsec) | Shift(place) for place in trace.origin)
    transforms = (
        to_slit(trace, wavelengths, arcsec),
        with_wavelength(along & across | to_v2v3),
        with_wavelength(velocity_aberration(metadata)),
        with_wavelength(v23_to_sky(metadata)),
    )
    nx, ny = (metadata.require(f"SUBSIZE{axis}", int) for axis in (1, 2))
    return World(lrs_frames(), transforms, trace.box, (nx, ny))


def lrs_frames() -> tuple[Frame, ...]:
    """Return the frames in order."""
    slit = Frame.plane("alpha_beta_spatial", ("alpha", "beta"), "arcsec")
    return (
        Frame.plane("detector", ("x", "y"), "pixel"),
        Frame.composite("alpha_beta", slit, Frame.spectral("alpha_beta_spectral")),
        *spectral_frames(),
    )


def column_width(to_v2v3: Transform, origin: tuple[float, float]) -> float:
    """Return how far the columns at a pixel are apart, in arcsec."""
    here, beside = (to_v2v3(origin[0] + step, origin[1]) for step in (0.0, 1.0))
    return float(np.hypot(beside[0] - here[0], beside[1] - here[1]))


def to_slit(trace: Trace, wavelengths: Float64, arcsec: float) -> Transform:
    """Return the way from pixels to alpha, beta and wavelength, with its inverse.

    The official pathloss takes the reference pixel from here: from what the second and the third
    of the simple transforms add. So these two have to be the shifts to it.
    """
    here, back = ([Shift(sign * place) for place in trace.origin] for sign in (-1.0, 1.0))
    rows = trace.y - trace.origin[1]
    shift = Tabular(rows, trace.shift, name="xshiftref")
    wave = Tabular(rows, wavelengths, name="waveref")
    row = wave.inverse
    straight = Arithmetic("subtract", Remap([0], 2), Remap([1], 2) | shift)
    slit = straight | Scale(arcsec)
    forward = Identity(2) | here[0] & here[1] | Remap([0, 1, 0, 1]) | slit & Constant(0.0) & wave
    column = Arithmetic("add", Remap([0], 2), Remap([1], 2))
    places = Scale(1 / arcsec) & (row | shift) & row
    backward = Remap([0, 2, 2], 3) | places | column & Identity(1) | back[0] & back[1]
    return forward.with_inverse(backward)


def trace_of(metadata: Metadata, specwcs: Reference) -> Trace:
    """Return the trace of a specwcs reference on the pixels of an exposure.

    Raises
    ------
    InputError
        If the exposure is none of this spectrometer.
    ReferenceFileError
        If the reference is for another mode, or has no usable table or reference pixel.
    """
    kind = metadata.require("EXP_TYPE", str)
    if kind not in REFERENCE_PIXEL:
        msg = f"{metadata.source}: EXP_TYPE {kind} is none of MIRI's low-resolution spectrometer"
        raise InputError(msg)
    check_mode(kind, specwcs)
    table = specwcs.tables.get("WAVETABLE")
    found = table.data.dtype.names if table else None
    names = {name.upper(): name for name in found or ()}
    missing = [name for name in COLUMNS if name not in names]
    if table is None or missing:
        msg = f"{specwcs.name}: the specwcs reference has no WAVETABLE with {', '.join(missing)}"
        raise ReferenceFileError(msg)
    columns = {name: np.asarray(table.data[names[name]], np.float64) for name in COLUMNS}
    check_table(columns, specwcs.name)
    x0, y0 = reference_pixel(metadata, specwcs)
    y = columns["Y_CENTER"] + y0
    box = box_of(kind, columns, (x0, y0), metadata.require("SUBSTRT1", int) - 1)
    return Trace(kind, (x0, y0), y, columns["X_CENTER"], columns["WAVELENGTH"], box)


def reference_pixel(metadata: Metadata, specwcs: Reference) -> tuple[float, float]:
    """Return the reference pixel of a specwcs reference, 0-based in an exposure's subarray.

    Raises
    ------
    ReferenceFileError
        If the reference has none.
    """
    names = REFERENCE_PIXEL[metadata.require("EXP_TYPE", str)]
    x, y = (
        pixel(specwcs, keyword) - metadata.require(f"SUBSTRT{axis}", int)
        for axis, keyword in enumerate(names, 1)
    )
    return x, y


def check_mode(kind: str, specwcs: Reference) -> None:
    """Refuse a specwcs reference that says it is for other exposures."""
    found = str(specwcs.metadata.get("EXP_TYPE") or "").strip()
    if found.upper() not in ANY_VALUE and found != kind:
        msg = f"{specwcs.name}: the specwcs reference is for EXP_TYPE {found}, expected {kind}"
        raise ReferenceFileError(msg)


def check_table(columns: dict[str, Float64], name: str) -> None:
    """Refuse a table with gaps or without order."""
    if any(not np.all(np.isfinite(values)) for values in columns.values()):
        msg = f"{name}: WAVETABLE of the specwcs reference has values that are not finite"
        raise ReferenceFileError(msg)
    if len(columns["Y_CENTER"]) < LEAST_ROWS:
        msg = (
            f"{name}: WAVETABLE of the specwcs reference has {len(columns['Y_CENTER'])} rows; "
            f"expected at least {LEAST_ROWS}"
        )
        raise ReferenceFileError(msg)
    if not is_monotonic(columns["Y_CENTER"]) or not is_monotonic(columns["WAVELENGTH"]):
        msg = f"{name}: rows or wavelengths in WAVETABLE of the specwcs reference are not in order"
        raise ReferenceFileError(msg)


def pixel(specwcs: Reference, keyword: str) -> float:
    """Return a coordinate of the reference pixel, 1-based on the whole detector."""
    value = specwcs.metadata.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{specwcs.name}: the specwcs reference has {keyword} {value!r}; expected a pixel"
        raise ReferenceFileError(msg)
    return float(value)


def box_of(kind: str, columns: dict[str, Float64], origin: tuple[float, float], first: int) -> Box:
    """Return where there are spectra: within the corners of the table's cells."""
    x, y = (np.stack([columns[f"{axis}{i}"] for i in range(4)]) for axis in "XY")
    if kind == SLIT:
        rows = columns["Y_CENTER"] + origin[1]
        return Box((edges(x + origin[0]), (float(rows.min()), float(rows.max()))))
    return Box(((LIT_COLUMNS[0] - first, LIT_COLUMNS[1] - first), edges(y + origin[1])))


def edges(values: Float64) -> tuple[float, float]:
    """Return the outer edges of the pixels that hold values."""
    return float(np.floor(values.min()) - 0.5), float(np.ceil(values.max()) + 0.5)


def check_on_detector(metadata: Metadata, trace: Trace) -> None:
    """Refuse an exposure whose pixels do not see the spectrum.

    Raises
    ------
    InputError
        If so.
    """
    sizes = [metadata.require(f"SUBSIZE{axis}", int) for axis in (1, 2)]
    for name, (low, high), size in zip("xy", trace.box, sizes, strict=True):
        if high <= -0.5 or low >= size - 0.5:
            msg = (
                f"{metadata.source}: the spectrum is off the detector: it is at {name} "
                f"{low + 1:g} to {high + 1:g}, the subarray has {size} pixels; check SUBSTRT1, "
                "SUBSTRT2 and the specwcs reference"
            )
            raise InputError(msg)


def smoothed(trace: Trace, smoothing: float, name: str) -> Float64:
    """Return the wavelengths of the trace, smoothed.

    Raises
    ------
    ReferenceFileError
        If they don't rise or fall throughout any more.
    """
    if smoothing <= 0:
        return trace.wavelength
    from scipy.interpolate import UnivariateSpline

    order = np.argsort(trace.y)
    spline = UnivariateSpline(trace.y[order], trace.wavelength[order], s=smoothing)
    found = np.asarray(spline(trace.y), np.float64)
    if not is_monotonic(found):
        msg = f"{name}: wavelengths of the specwcs reference, smoothed, are not in order"
        raise ReferenceFileError(msg)
    return found


def slit_region(wcs: World, specwcs: Reference) -> str | None:
    """Return S_REGION of the slit, from the corners in V2, V3 that its reference has.

    Parameters
    ----------
    wcs : World
        Of `lrs_wcs`.
    specwcs : Reference
        With V2VERT1 to V2VERT4, V3VERT1 to V3VERT4 in arcsec; without them there is no region.
    """
    keywords = [[f"V{axis}VERT{corner}" for corner in range(1, 5)] for axis in (2, 3)]
    corners = [[specwcs.metadata.get(keyword) for keyword in row] for row in keywords]
    if not all(isinstance(value, int | float) for row in corners for value in row):
        return None
    to_sky = wcs.get_transform("v2v3", "world")
    ra, dec, _ = to_sky(*np.array(corners, np.float64), 0.0)
    values = np.stack([np.mod(ra, 360.0), dec], axis=1).ravel()
    return "POLYGON ICRS  " + " ".join(f"{value:.9f}" for value in values)
