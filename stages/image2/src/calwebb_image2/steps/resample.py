"""resample: the exposure without distortion, as the side product `_i2d`.

Drizzles the calibrated image on a tangent plane with the detector's orientation (see
`calwebb_core.science.resample`). Pixels flagged DO_NOT_USE or NON_SCIENCE have no weight. The
calibrated image itself is not changed. Runs for 2-D imaging exposures only.
"""

import math
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Pixels
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_image2.calibrated import Calibrated
from calwebb_image2.modes import RESAMPLED
from calwebb_image2.target import TargetFile

INTEGRATIONS = "the exposure has one image per integration"


@dataclass(frozen=True)
class ResampleParameters:
    """Options of resample."""

    pixfrac: float = option(
        1.0, "Side of the shrunken input pixel.", minimum=0.0, maximum=1.0, unit="pixel"
    )
    kernel: str = option(
        "square",
        "Shape of the shrunken input pixel; gaussian and lanczos do not keep the flux.",
        choices=("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3"),
    )
    fillval: float | None = option(
        None, "Value of output pixels that no input pixel reaches; NaN by default."
    )
    weight_type: str = option(
        "ivm", "Weight: inverse read-noise variance, or time.", choices=("ivm", "exptime")
    )
    pixel_scale_ratio: float = option(1.0, "Output over input pixel scale.", minimum=0.01)
    pixel_scale: float | None = option(
        None, "Output pixel scale; overrides pixel_scale_ratio.", minimum=1e-4, unit="arcsec"
    )
    rotation: float | None = option(
        None, "Position angle of the output's +y axis; the detector's by default.", unit="degree"
    )
    crval: tuple[float, float] | None = option(
        None, "Right ascension and declination of the reference pixel.", unit="degree"
    )
    crpix: tuple[float, float] | None = option(
        None, "Reference pixel (x, y), counted from 0.", unit="pixel"
    )
    output_shape: tuple[int, int] | None = option(
        None, "Columns and rows of the output; computed by default.", unit="pixel"
    )
    pixmap_tolerance: float = option(
        1e-4, "Greatest error of the interpolated pixel map.", minimum=0.0, unit="pixel"
    )


def not_needed(metadata: Metadata) -> str | None:
    """Say why an exposure gets no `_i2d`."""
    found = metadata.get("EXP_TYPE")
    return None if found in RESAMPLED else f"EXP_TYPE {found} gets no resampled image"


def resample(image: Image | Pixels, parameters: ResampleParameters) -> Image:
    """Return the resampled image; the input is not changed.

    Raises
    ------
    InputError
        If the image has no WCS.
    """
    from calwebb_core.science.output_grid import scale_ratio
    from calwebb_core.science.resample import PixelMap, output_wcs, render

    if image.wcs is None:
        msg = f"{image.metadata.source}: the image has no WCS; run assign_wcs before resample"
        raise InputError(msg)
    shape = image.data.shape if isinstance(image, Image) else image.shape
    size = parameters.output_shape
    grid = output_wcs(
        [image.wcs],
        [shape],
        reference=image.metadata,
        pixel_scale=parameters.pixel_scale,
        pixel_scale_ratio=parameters.pixel_scale_ratio,
        rotation=parameters.rotation,
        crval=parameters.crval,
        crpix=parameters.crpix,
        output_shape=None if size is None else (size[1], size[0]),
        names=[image.metadata.source],
    )
    pixmap = PixelMap.of(image.wcs, grid, shape, tolerance=parameters.pixmap_tolerance)
    images: list[Any] = [image]
    result = render(
        images,
        [pixmap],
        grid,
        image.metadata,
        pixfrac=parameters.pixfrac,
        kernel=parameters.kernel,
        fillval=math.nan if parameters.fillval is None else parameters.fillval,
        weight_type=parameters.weight_type,
        pixel_scale_ratio=scale_ratio(
            image.wcs, shape, image.metadata, parameters.pixel_scale, parameters.pixel_scale_ratio
        ),
    )
    result.metadata["S_RESAMP"] = str(COMPLETE)
    return result


def prepare(target: TargetFile, _: References, __: ResampleParameters) -> Status:
    """Say whether the exposure can be resampled once its bands are done."""
    return COMPLETE if target.file.ndim == 2 else skipped(INTEGRATIONS)


def run(
    image: Image, _: References, parameters: ResampleParameters
) -> tuple[Image | Calibrated, Status]:
    """Return the calibrated image together with its resampled view."""
    if image.data.ndim != 2:
        return image, skipped(INTEGRATIONS)
    return Calibrated(image, resample(image, parameters)), COMPLETE


STEP = Step(
    name="resample",
    keyword="S_RESAMP",
    meaning="Resample the exposure without distortion.",
    parameters=ResampleParameters,
    run=run,
    not_needed=not_needed,
    prepare=prepare,
)
