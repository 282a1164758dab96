"""calwebb_image3: an association of calibrated images to a mosaic and a catalog.

Steps: tweakreg (assign_mtwcs for a moving target), skymatch, outlier_detection, resample,
source_catalog. Products: `_crf` for each exposure, `_i2d`, `_cat.ecsv` and `_segm` of the
association's product.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.step import Status, Step
from calwebb_level3.imageset import ImageSet
from calwebb_level3.inputs import first_metadata, read
from calwebb_level3.products import save, write
from calwebb_level3.steps import (
    assign_mtwcs,
    outlier_detection,
    resample,
    skymatch,
    source_catalog,
    tweakreg,
)

IMAGE_TYPES = ("NRC_IMAGE", "MIR_IMAGE", "NIS_IMAGE", "FGS_IMAGE")
# Also made into plain mosaics: full-frame coronagraphy of detectors without occulter, AMI.
ALSO_AS_IMAGES = ("NRC_CORON", "NIS_AMI", "NRC_TACONFIRM", "NRC_FOCUS", "NIS_FOCUS", "FGS_FOCUS")


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps in order.

    Raises
    ------
    InputError
        If the exposures are no images, or of a time series.
    """
    kind = metadata.require("EXP_TYPE", str)
    if kind not in IMAGE_TYPES + ALSO_AS_IMAGES:
        msg = f"{metadata.source}: EXP_TYPE is {kind}; calwebb-image3 makes mosaics of images"
        raise InputError(msg)
    if metadata.get("TSOVISIT") is True:
        msg = f"{metadata.source}: TSOVISIT is true; time series go to calwebb_tso3, not image3"
        raise InputError(msg)
    unused = tweakreg.STEP if assign_mtwcs.is_moving(metadata) else assign_mtwcs.STEP
    return tuple(step for step in STEPS if step.name != unused.name)


def align_with_catalog(
    images: ImageSet, references: Any, parameters: tweakreg.TweakregParameters
) -> tuple[ImageSet, Status]:
    """Run tweakreg with the catalogs that its options name read first: steps open no files."""
    if parameters.abs_refcat or parameters.use_custom_catalogs:
        from calwebb_level3.imaging.reference_catalogs import prepare

        prepare(images, parameters)
    return tweakreg.run(images, references, parameters)


def match_with_list(
    images: ImageSet, references: Any, parameters: skymatch.SkymatchParameters
) -> tuple[ImageSet, Status]:
    """Run skymatch with the levels of `skylist` read first: steps open no files."""
    if parameters.skylist:
        from calwebb_level3.imaging.sky_list import prepare

        prepare(images, parameters)
    return skymatch.run(images, references, parameters)


def resample_on_grid(
    images: ImageSet, references: Any, parameters: resample.ResampleParameters
) -> tuple[ImageSet, Status]:
    """Run resample with the grid of `output_wcs` read first: steps open no files."""
    if parameters.output_wcs:
        from calwebb_core.framework.grid_file import read_grid

        images.output_grid = read_grid(Path(parameters.output_wcs))
    return resample.run(images, references, parameters)


STEPS = (
    assign_mtwcs.STEP,
    replace(tweakreg.STEP, run=align_with_catalog),
    replace(skymatch.STEP, run=match_with_list),
    outlier_detection.STEP,
    replace(resample.STEP, run=resample_on_grid),
    source_catalog.STEP,
)

PIPELINE = Pipeline(
    name="calwebb_image3",
    program="calwebb-image3",
    meaning="An association of calibrated images to a mosaic and a catalog.",
    steps=STEPS,
    select=select,
    read=read,
    save=save,
    write=write,
    read_metadata=first_metadata,
    associations=True,
)


def run(
    source: str | Path,
    references: Any = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    output_dir: str | Path = ".",
    **options: Any,
) -> Any:
    """Run calwebb_image3 and write its products.

    Parameters
    ----------
    source : path
        Association, `_cal` or `_i2d`.
    references : path, References or None
        REFS.json; None asks CRDS.
    parameters : mapping
        Step -> option -> value.
    output_dir : path
    **options
        As `calwebb_core.framework.call.call_pipeline`.

    Returns
    -------
    calwebb_core.framework.runner.RunResult
    """
    from calwebb_core.framework.call import call_pipeline

    return call_pipeline(
        PIPELINE,
        source,
        references=references,
        parameters=parameters,
        output_dir=output_dir,
        **options,
    )
