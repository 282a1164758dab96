"""Reference files of the optics: distortion, filter offsets, photometry, apertures."""

import io
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import asdf
import numpy as np
from astropy import units
from astropy.io import fits
from astropy.modeling import Model
from astropy.modeling.models import Mapping, Polynomial2D, Shift
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path
from calwebb_simulator.clocks import MIRI_ROWS
from calwebb_simulator.detector import detector_area
from calwebb_simulator.geometry import Distortion
from calwebb_simulator.instruments import Filter
from calwebb_simulator.photometry import (
    STERADIAN_PER_ARCSEC2,
    photmjsr,
    pixel_steradian,
)
from calwebb_simulator.psf import encircled, filter_psf
from calwebb_simulator.references.base import (
    AUTHOR,
    USEAFTER,
    Scope,
    image,
    keywords,
    optical_keywords,
    write,
)
from calwebb_simulator.throughput import decline_of

PHOTOM_ERROR = 0.01
NEXT_PHOTOM_CHANGE = 1.02
ENERGIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
SKY_ANNULUS = 8.0, 12.0  # pixels beyond the largest aperture
EXTRA_BOXES = 3  # droplet, output pixel, share of a pixel in an aperture
HISTORY = "From the optics that the simulator used."
SUBARRAYS = ("GENERIC", *MIRI_ROWS)
TEXTS = {"filter": "S12", "pupil": "S15", "subarray": "S17"}
PHOTOM_VALUES = ("photmjsr", "uncertainty")
APCORR_VALUES = ("eefraction", "radius", "apcorr", "skyin", "skyout")


def table_dtype(scope: Scope, values: Sequence[str]) -> np.dtype[Any]:
    """Return the columns of a photometric table: what tells optics apart, then numbers."""
    texts = [(name, TEXTS[name]) for name in scope.instrument.optical_keys]
    return np.dtype(texts + [(name, ">f4") for name in values])


def optical_rows(scope: Scope, optics: Filter) -> list[tuple[bytes, ...]]:
    """Return a filter's entries in the columns that tell optics apart: one per subarray there."""
    keys = scope.instrument.optical_keys
    frames = SUBARRAYS if "subarray" in keys else ("",)
    known = {"filter": optics.keyword, "pupil": optics.pupil}
    return [
        tuple((known | {"subarray": frame})[name].encode() for name in keys) for frame in frames
    ]


def write_photom(path: Path, scope: Scope, optics: Filter, version: int = 1) -> Path:
    """Write the photometric calibration of a filter; version 1 is what the simulator applied."""
    frame = scope.frame
    header = keywords(
        scope, "photom", f"{scope.instrument.models}PhotomModel", f"Photometry, version {version}"
    )
    steradian = pixel_steradian(frame.distortion)
    header |= _exposure_types(scope) | optical_keywords(optics)
    header |= {
        "PIXAR_SR": steradian,
        "PIXAR_A2": steradian / STERADIAN_PER_ARCSEC2,
    }
    value = photmjsr(optics, frame.detector, frame.distortion)
    value *= NEXT_PHOTOM_CHANGE ** (version - 1)
    rows = [(*keys, value, value * PHOTOM_ERROR) for keys in optical_rows(scope, optics)]
    table = np.array(rows, dtype=table_dtype(scope, PHOTOM_VALUES))
    hdus = [fits.BinTableHDU(table, name="PHOTOM"), *time_tables(scope, optics)]
    return write(path, header, hdus, HISTORY)


def time_tables(scope: Scope, optics: Filter) -> list[fits.BinTableHDU]:
    """Return the table of how a filter's throughput changes, where it does."""
    decline = decline_of(scope.instrument, optics)
    if decline is None:
        return []
    rows = [(*keys, *astuple(decline)) for keys in optical_rows(scope, optics)]
    dtype = table_dtype(scope, [item.name for item in fields(decline)])
    return [fits.BinTableHDU(np.array(rows, dtype=dtype), name="TIMECOEFF_EXPONENTIAL")]


def _exposure_types(scope: Scope) -> dict[str, str]:
    return {"EXP_TYPE": scope.instrument.image_type, "P_EXP_TY": scope.exposure_types + "|"}


def write_area(path: Path, scope: Scope) -> Path:
    """Write the relative pixel areas of a whole detector."""
    header = keywords(scope, "area", "PixelAreaModel", "Pixel areas")
    steradian = pixel_steradian(scope.frame.distortion)
    header |= _exposure_types(scope) | {
        "FILTER": "ANY",
        "PUPIL": "ANY",
        "PIXAR_SR": steradian,
        "PIXAR_A2": steradian / STERADIAN_PER_ARCSEC2,
    }
    return write(path, header, [image("SCI", detector_area(scope.frame))], HISTORY)


def write_apcorr(path: Path, scope: Scope, pairs: Sequence[tuple[Filter, float]]) -> Path:
    """Write aperture corrections for mosaics with pixels of the detector's size.

    Parameters
    ----------
    path : Path
    scope : Scope
    pairs : sequence of (Filter, float)
        Filters and their detectors' pixel size in arcsec.
    """
    model = f"{scope.instrument.models}ApcorrModel"
    header = keywords(scope, "apcorr", model, "Aperture corrections")
    header |= _exposure_types(scope) | {"DETECTOR": "N/A"}
    for name in ("MODULE", "CHANNEL"):
        header.pop(name, None)
    rows = [
        (*keys, *row)
        for optics, scale in pairs
        for row in aperture_rows(optics, scale)
        for keys in optical_rows(scope, optics)
    ]
    table = np.array(rows, dtype=table_dtype(scope, APCORR_VALUES))
    return write(path, header, [fits.BinTableHDU(table, name="APCORR")], HISTORY)


def aperture_rows(optics: Filter, scale: float) -> list[tuple[float, ...]]:
    """Return the numbers in the rows of a filter.

    The PSF is widened by what drizzling and the sharing of edge pixels add: three boxes of one
    pixel, 3/12 pixel^2 of variance an axis, besides the detector's pixel that is in it already.
    A correction makes up for what lies outside the aperture and for the star's own light in the
    sky annulus.
    """
    widened = filter_psf(optics, scale).widened(EXTRA_BOXES)
    radii = np.linspace(0, 60, 12_001)
    growth = encircled(widened, radii)
    apertures = np.interp(ENERGIES, growth, radii)
    inner = float(np.ceil(apertures[-1])) + SKY_ANNULUS[0]
    outer = inner + SKY_ANNULUS[1] - SKY_ANNULUS[0]
    ring = np.interp([inner, outer], radii, growth)
    sky = (ring[1] - ring[0]) / (np.pi * (outer**2 - inner**2))
    return [
        (energy, radius, 1 / (energy - sky * np.pi * radius**2), inner, outer)
        for energy, radius in zip(ENERGIES, apertures, strict=True)
    ]


def asdf_meta(kind: str, model: str, title: str, **instrument: str) -> dict[str, Any]:
    """Return the metadata of a reference file in ASDF; `name` is the instrument's."""
    return {
        "author": AUTHOR,
        "date": USEAFTER,
        "description": title,
        "instrument": {key: value for key, value in instrument.items() if value},
        "model_type": model,
        "pedigree": "SIMULATION",
        "reftype": kind,
        "telescope": "JWST",
        "title": title,
        "useafter": USEAFTER,
    }


def write_tree(path: Path, tree: dict[str, Any]) -> Path:
    """Write an ASDF file; the same tree gives the same bytes."""
    buffer = io.BytesIO()
    asdf.AsdfFile(tree).write_to(buffer)
    buffer.seek(0)
    with asdf.open(buffer) as first:
        used = sorted(first["history"]["extensions"], key=lambda entry: entry["extension_uri"])
    # asdf lists the extensions it used in the order of a set, but keeps the order of a list
    listed = [asdf.tags.core.ExtensionMetadata(entry) for entry in used]
    with atomic_path(path) as temporary:
        asdf.AsdfFile(tree | {"history": {"extensions": listed}}).write_to(temporary)
    return path


def write_distortion(path: Path, scope: Scope) -> Path:
    """Write the distortion of a detector: 0-based full-frame pixels to V2, V3 in arcsec."""
    detector = scope.frame.detector
    meta = asdf_meta(
        "distortion",
        "DistortionModel",
        "Distortion from the SIAF",
        name=scope.instrument.name,
        detector=detector.name,
        channel=detector.channel,
        module=detector.module,
    )
    types = scope.exposure_types + "|"
    meta |= {
        "exposure": {"type": scope.instrument.image_type, "p_exptype": types},
        "input_units": units.pix,
        "output_units": units.arcsec,
        "subarray": {"name": "FULL"},
    }
    if scope.instrument.name == "NIRCAM":
        meta["instrument"]["p_pupil"] = "CLEAR|"
    return write_tree(path, {"meta": meta, "model": distortion_model(scope.frame.distortion)})


def distortion_model(distortion: Distortion) -> Model:
    """Return the distortion as a model of astropy with an inverse.

    The SIAF's own inverse polynomials miss by some hundredths of a pixel; the inverse here is
    fitted to the forward polynomials, two degrees higher, and misses by less than 1e-4 pixel.
    """
    entry = distortion.entry
    degree = int(entry["Sci2IdlDeg"])
    shift = 1 - entry["XSciRef"], 1 - entry["YSciRef"]
    forward = [_polynomial(entry.coefficients(f"Sci2Idl{axis}")) for axis in "XY"]
    angle, parity = np.radians(entry["V3IdlYAngle"]), entry["VIdlParity"]
    turn = np.array(
        [[parity * np.cos(angle), np.sin(angle)], [-parity * np.sin(angle), np.cos(angle)]]
    )
    backward = _fitted_inverse(forward, degree + 2, shift, entry["XDetSize"])
    model = (
        Shift(shift[0]) & Shift(shift[1])
        | Mapping((0, 1, 0, 1))
        | forward[0] & forward[1]
        | Mapping((0, 1, 0, 1))
        | _linear(turn[0]) & _linear(turn[1])
        | Shift(entry["V2Ref"]) & Shift(entry["V3Ref"])
    )
    turned_back = np.linalg.inv(turn)
    model.inverse = (
        Shift(-entry["V2Ref"]) & Shift(-entry["V3Ref"])
        | Mapping((0, 1, 0, 1))
        | _linear(turned_back[0]) & _linear(turned_back[1])
        | Mapping((0, 1, 0, 1))
        | backward[0] & backward[1]
        | Shift(-shift[0]) & Shift(-shift[1])
    )
    return model


def _polynomial(coefficients: NDArray[np.float64]) -> Polynomial2D:
    degree = len(coefficients) - 1
    names = {
        f"c{i}_{j}": coefficients[i, j] for i in range(degree + 1) for j in range(degree + 1 - i)
    }
    return Polynomial2D(degree, **names)


def _linear(row: NDArray[np.float64]) -> Polynomial2D:
    return Polynomial2D(1, c0_0=0.0, c1_0=row[0], c0_1=row[1])


def _fitted_inverse(
    forward: list[Polynomial2D], degree: int, shift: tuple[float, float], size: float
) -> list[Polynomial2D]:
    axis = np.linspace(-0.5, size - 0.5, 40)
    x, y = (grid.ravel() for grid in np.meshgrid(axis + shift[0], axis + shift[1]))
    ideal = [model(x, y) for model in forward]
    # a scale of order one keeps the normal equations well conditioned
    scale = float(max(np.abs(ideal[0]).max(), np.abs(ideal[1]).max()))
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    columns = [(ideal[0] / scale) ** i * (ideal[1] / scale) ** j for i, j in powers]
    # sums without BLAS, whose order of adding depends on the number of threads
    normal = np.array([[np.sum(first * second) for second in columns] for first in columns])
    found = []
    for target in (x, y):
        solution = np.linalg.solve(normal, [np.sum(column * target) for column in columns])
        matrix = np.zeros((degree + 1, degree + 1))
        for (i, j), value in zip(powers, solution, strict=True):
            matrix[i, j] = value / scale ** (i + j)
        found.append(_polynomial(matrix))
    return found
