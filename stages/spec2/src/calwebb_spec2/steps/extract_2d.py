"""extract_2d: cut the spectra out of an exposure.

NIRCam's grism time series (`calwebb_core.science.spectral.grism_series`): the first 64 rows, those
of the smallest subarray, over all columns; the star is in row 34 of each subarray. The result has a
WAVELENGTH array and a WCS of its own, for one spectral order.

NIRSpec's fixed slits (`calwebb_core.science.nirspec.cutting`): for each slit the bounding box of
its WCS, as a slit of its own; of a time series of a bright object the one slit alone. Each gets a
WAVELENGTH array, NaN beside the slit's light, its place on the exposure (SLTSTRT1, ...), and where
in the slit the source is (SRCXPOS, SRCYPOS). Flags and values are as they were.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step

ARRAYS: Final = ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat")


@dataclass(frozen=True)
class Extract2dParameters:
    """Options of extract_2d."""

    tsgrism_extract_height: int | None = option(
        None, "NIRCam grism time series: rows to cut out; 64 by default.", minimum=1, unit="pixel"
    )
    extract_orders: int | None = option(
        None, "NIRCam grism time series: order to cut out; by default that of the reference."
    )
    slit_names: tuple[str, ...] | None = option(
        None, "NIRSpec: slits to cut out; by default all that are on the detector."
    )


@dataclass(frozen=True)
class Branch:
    """How the spectra of a mode are cut out.

    Attributes
    ----------
    references : tuple of str
        CRDS types.
    run : callable
        ``run(image, references, parameters) -> Slit or Slits``.
    """

    references: tuple[str, ...]
    run: Callable[[Image, References, Extract2dParameters], Slit | Slits]


def run_grism_series(image: Image, references: References, parameters: Extract2dParameters) -> Slit:
    """Return the spectrum of a NIRCam grism time series."""
    from calwebb_core.science.spectral.grism_series import (
        check_on_columns,
        cut_wcs,
        light_of,
        series_wavelengths,
        source_column,
    )

    metadata = image.metadata
    ranges = references.load("wavelengthrange", metadata, cutout=False)
    if ranges is None:
        msg = f"{metadata.source}: the wavelengthrange reference is N/A; extract_2d needs one"
        raise ReferenceFileError(msg)
    wanted = parameters.extract_orders
    light = light_of(metadata, ranges, None if wanted is None else [wanted])
    nx = image.data.shape[-1]
    rows = height_of(metadata, image.data.shape[-2], parameters.tsgrism_extract_height)
    check_on_columns(metadata, image.wcs, light, nx)
    column = source_column(metadata, image.wcs)
    wcs = cut_wcs(image.wcs, light.order, nx, rows)
    arrays = {name: cut_rows(getattr(image, name), rows) for name in ARRAYS}
    plane = series_wavelengths(wcs, (rows, nx)).astype(np.float32)
    describe(metadata, light.order, (nx, rows), column)
    return Slit(metadata, **arrays, wcs=wcs, tables=image.tables, planes={"WAVELENGTH": plane})


def cut_rows(array: Any, rows: int) -> Any:
    """Return the first rows of an array, None for None."""
    return None if array is None else np.ascontiguousarray(array[..., :rows, :])


def height_of(metadata: Metadata, available: int, wanted: int | None) -> int:
    """Return how many rows to cut out.

    Raises
    ------
    InputError
        If the star would not be in them.
    """
    from calwebb_core.science.spectral.grism_series import HEIGHT, SOURCE_ROW

    rows = min(wanted or HEIGHT, available)
    if rows <= SOURCE_ROW:
        msg = (
            f"{metadata.source}: {rows} rows are to be cut out, but the star is in row "
            f"{SOURCE_ROW:g}; tsgrism_extract_height and the exposure need more"
        )
        raise InputError(msg)
    return rows


def describe(metadata: Metadata, order: int, size: tuple[int, int], column: float) -> None:
    """Write where the spectrum was cut out and where its source is."""
    from calwebb_core.science.spectral.grism_series import SOURCE_ROW

    values = {
        "SLTNAME": "1", "SLTSTRT1": 1, "SLTSIZE1": size[0], "SLTSTRT2": 1, "SLTSIZE2": size[1],
        "SOURCEID": 1, "SRCXPOS": column, "SRCYPOS": SOURCE_ROW,
    }  # fmt: skip
    for keyword, known in (("SRCNAME", "TARGNAME"), ("SRCALIAS", "TARGPROP")):
        if metadata.get(known):
            values[keyword] = metadata[known]
    metadata.update(values)
    metadata.homes.update(dict.fromkeys(values, "SCI"))
    metadata.update({"SPORDER": order, "XREF_SCI": column + 1.0, "YREF_SCI": SOURCE_ROW})


def run_slits(image: Image, _: References, parameters: Extract2dParameters) -> Slit | Slits:
    """Return the spectra of NIRSpec's fixed slits, of a bright object's time series the one.

    Raises
    ------
    InputError
        If the WCS isn't one of slits, or a slit that is asked for isn't there.
    """
    from calwebb_core.science.nirspec.cutting import cut
    from calwebb_core.science.nirspec.open_slits import slit_keywords
    from calwebb_core.science.nirspec.slit_worlds import chosen

    slits = [
        cut(image, world, slit_keywords(image.metadata, world, aperture))
        for aperture, world in chosen(image, parameters.slit_names)
    ]
    if image.metadata["EXP_TYPE"] != BRIGHT_OBJECT:
        return Slits(image.metadata, slits, image.tables)
    slit = slits[0]
    image.metadata.update(slit.metadata)
    image.metadata.homes.update(slit.metadata.homes)
    slit.metadata, slit.tables = image.metadata, image.tables
    return slit


BRIGHT_OBJECT: Final = "NRS_BRIGHTOBJ"
MODES: Final[dict[str, Branch]] = {
    "NRC_TSGRISM": Branch(("wavelengthrange",), run_grism_series),
    "NRS_FIXEDSLIT": Branch((), run_slits),
    BRIGHT_OBJECT: Branch((), run_slits),
}


def types_of(metadata: Metadata) -> tuple[str, ...]:
    """Return the CRDS types that cutting out an exposure's spectra needs."""
    branch = MODES.get(str(metadata.get("EXP_TYPE")))
    return () if branch is None else branch.references


def run(
    model: Image | Slits, references: References, parameters: Extract2dParameters
) -> tuple[Slit | Slits, Status]:
    """Cut the spectra out of an exposure.

    Raises
    ------
    InputError
        If they are cut out already, the WCS is missing, the spectrum is off the detector, or the
        mode is not available yet.
    ReferenceFileError
        If a reference is missing, or lacks what it should hold.
    """
    metadata = model.metadata
    kind = metadata.require("EXP_TYPE", str)
    if kind not in MODES:
        msg = f"{metadata.source}: extract_2d for EXP_TYPE {kind} is not available yet"
        raise InputError(msg)
    if isinstance(model, Slit | Slits):
        msg = f"{metadata.source}: its spectra are cut out already"
        raise InputError(msg)
    if model.wcs is None:
        msg = f"{metadata.source}: has no WCS; run assign_wcs before extract_2d"
        raise InputError(msg)
    return MODES[kind].run(model, references, parameters), COMPLETE


STEP = Step(
    name="extract_2d",
    keyword="S_EXTR2D",
    meaning="Cut the spectra out of the exposure.",
    parameters=Extract2dParameters,
    run=run,
    references=tuple(dict.fromkeys(kind for mode in MODES.values() for kind in mode.references)),
)
