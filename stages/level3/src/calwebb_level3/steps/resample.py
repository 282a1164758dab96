"""resample: drizzle all exposures onto one undistorted grid.

Drizzling (Fruchter & Hook 2002, PASP 114, 144) by `calwebb_core.science.resample`: the grid
is a tangent plane over the union of the exposures' footprints, weights are the inverse
read-noise variance or the exposure time, sky levels of skymatch that are still in the pixels
are subtracted on the fly. The mosaic's keywords are a blend of the exposures'
(`calwebb_level3.imaging.blending`); its HDRTAB has a row for each exposure.
"""

import logging
import math
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_level3.imageset import ImageSet
from calwebb_level3.steps.skymatch import level_to_subtract

logger = logging.getLogger(__name__)

GRID_OPTIONS = (
    "pixel_scale", "pixel_scale_ratio", "rotation", "output_shape", "crpix", "crval", "output_wcs",
)  # fmt: skip
KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")


@dataclass(frozen=True)
class ResampleParameters:
    """Options of resample; names as in the official step."""

    pixfrac: float = option(1.0, "Side of the shrunken pixel.", minimum=0, maximum=1)
    kernel: str = option("square", "Drizzle kernel.", choices=KERNELS)
    fillval: str = option("NAN", "Value where no exposure reaches, a number or NAN.")
    weight_type: str = option("ivm", "Weight of a pixel.", choices=("ivm", "exptime", "none"))
    good_bits: str = option("~DO_NOT_USE+NON_SCIENCE", "Flags of pixels to use nevertheless.")
    pixel_scale: float | None = option(
        None, "Side of an output pixel; goes before the ratio.", minimum=1e-4, unit="arcsec"
    )
    pixel_scale_ratio: float = option(
        1.0, "Output over input pixel scale.", minimum=0.01, maximum=100
    )
    rotation: float | None = option(
        None, "Position angle of +y; the first exposure's if empty.", unit="degree"
    )
    output_shape: str = option("", "Columns and rows, such as '2048 2048'; all sky if empty.")
    crpix: str = option("", "Column and row of the reference pixel, from 0.")
    crval: str = option("", "Right ascension and declination of the reference pixel.")
    output_wcs: str | None = option(
        None, "ASDF file with a grid of the user's own (wcs); goes before the options above.",
        file=True,
    )  # fmt: skip
    enable_ctx: bool = option(True, "Say which exposures are in a pixel (CON).")
    enable_err: bool = option(True, "Make ERR.")
    report_var: bool = option(True, "Make VAR_POISSON, VAR_RNOISE, VAR_FLAT.")
    propagate_dq: bool = option(False, "Collect the flags of the pixels in a pixel (DQ).")


def run(
    images: ImageSet,
    references: Any,  # noqa: ARG001
    parameters: ResampleParameters,
) -> tuple[ImageSet, Status]:
    """Make the mosaic of a set of exposures, band by band."""
    from calwebb_level3.imaging.blending import blend
    from calwebb_level3.imaging.mosaicking import fill_mosaic

    images.require_exposures("resample")
    grid = grid_of(images, parameters)
    maps = images.geometry.maps(images.exposures, grid)
    levels = [level_to_subtract(image) for image in images.exposures]
    options = {
        "pixfrac": parameters.pixfrac,
        "kernel": parameters.kernel,
        "fillval": fill_value(parameters.fillval),
        "weight_type": None if parameters.weight_type == "none" else parameters.weight_type,
        "good_bits": parameters.good_bits,
        "pixel_scale_ratio": ratio_of(images, parameters),
        "enable_ctx": parameters.enable_ctx,
        "enable_err": parameters.enable_err,
        "report_var": parameters.report_var,
        "propagate_dq": parameters.propagate_dq,
    }
    mosaic = fill_mosaic(images.exposures, maps, levels, grid, images.store, options)
    metadata, table = blend([image.metadata for image in images.exposures], images.metadata)
    images.mosaic = mosaic.stored(metadata, {"HDRTAB": table})
    logger.info("resample: %d exposures on %d x %d pixels", len(maps), *grid.pixel_shape)
    return images, COMPLETE


def grid_of(images: ImageSet, parameters: ResampleParameters | None = None) -> Any:
    """Return the grid of the mosaic, a WCS with ``pixel_shape``; the default one without options.

    Raises
    ------
    InputError
        If an option makes no sense, or the mosaic would be absurdly large.
    """
    parameters = parameters or ResampleParameters()
    key = tuple(getattr(parameters, name) for name in GRID_OPTIONS)
    return images.geometry.grid(images.exposures, key, lambda: make_grid(images, parameters))


def make_grid(images: ImageSet, parameters: ResampleParameters) -> Any:
    """Return the grid that the options ask for."""
    from calwebb_core.science.custom_grid import custom_wcs
    from calwebb_core.science.resample import output_wcs

    columns_rows = numbers(parameters.output_shape, "output_shape", int)
    shape = None if columns_rows is None else (columns_rows[1], columns_rows[0])
    if parameters.output_wcs and images.output_grid is not None:
        return custom_wcs(images.output_grid, parameters.output_wcs, shape)
    return output_wcs(
        [image.wcs for image in images.exposures],
        [image.shape for image in images.exposures],
        reference=images.exposures[0].metadata,
        names=[image.name for image in images.exposures],
        pixel_scale=parameters.pixel_scale,
        pixel_scale_ratio=parameters.pixel_scale_ratio,
        rotation=parameters.rotation,
        output_shape=shape,
        crpix=numbers(parameters.crpix, "crpix", float),
        crval=numbers(parameters.crval, "crval", float),
    )


def ratio_of(images: ImageSet, parameters: ResampleParameters) -> float | None:
    """Return the output over the input pixel scale; None for a grid of the user's own."""
    from calwebb_core.science.output_grid import scale_ratio

    if parameters.output_wcs:
        return None
    first, wanted = images.exposures[0], (parameters.pixel_scale, parameters.pixel_scale_ratio)
    return scale_ratio(first.wcs, first.shape, first.metadata, *wanted)


def numbers(text: str, name: str, kind: type[Any]) -> tuple[Any, Any] | None:
    """Return the two numbers of an option, or None if it is empty.

    Raises
    ------
    InputError
        If it isn't two numbers.
    """
    if not str(text).strip():
        return None
    try:
        first, second = (kind(word) for word in str(text).replace(",", " ").split())
    except ValueError:
        msg = f"resample.{name} is {text!r}; expected two numbers such as '2048 2048'"
        raise InputError(msg) from None
    return first, second


def fill_value(text: str) -> float:
    """Return the number of the option fillval.

    Raises
    ------
    InputError
        If it isn't one.
    """
    if str(text).strip().upper() in ("NAN", "INDEF"):
        return math.nan
    try:
        return float(text)
    except ValueError:
        msg = f"resample.fillval is {text!r}; expected a number or NAN"
        raise InputError(msg) from None


STEP = Step(
    name="resample",
    keyword="S_RESAMP",
    meaning="Drizzle all exposures onto one grid.",
    parameters=ResampleParameters,
    run=run,
)
