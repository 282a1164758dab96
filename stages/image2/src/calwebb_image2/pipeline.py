"""calwebb_image2: the steps in order, and the files around them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.products import product_path, root_of, write_image
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step
from calwebb_core.framework.target_images import TargetImage
from calwebb_image2.calibrated import Calibrated, StreamedImage
from calwebb_image2.inputs import open_target, read, read_metadata
from calwebb_image2.modes import exposure_type, senses_wavefront
from calwebb_image2.steps import assign_wcs, bkg_subtract, flat_field, photom, resample
from calwebb_image2.target import TargetFile
from calwebb_image2.together import run_together

Product = Image | StreamedImage | Calibrated


def prepare_wcs(target: TargetFile, references: References, parameters: Any) -> Status:
    """Give an exposure its WCS before its pixels are read."""
    return assign_wcs.STEP.run(target.image, references, parameters)[1]


STEPS: tuple[Step, ...] = (
    bkg_subtract.STEP,
    replace(assign_wcs.STEP, prepare=prepare_wcs),
    flat_field.STEP,
    photom.STEP,
    resample.STEP,
)
# Images of the telescope's own wavefront are compared as they fell on the detector.
WAVEFRONT_STEPS = (*STEPS[:-1], replace(resample.STEP, skip=True))
COMBINED_SUFFIX = "combinedbackground"


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps for an exposure; all modes share their order."""
    kind = exposure_type(metadata)
    steps = WAVEFRONT_STEPS if senses_wavefront(metadata) else STEPS
    if not kind.startswith("NRS_"):
        return steps
    return tuple(
        replace(step, references=assign_wcs.OPTICS) if step.name == assign_wcs.STEP.name else step
        for step in steps
    )


def save(model: Product, step_name: str, directory: Path) -> list[Path]:
    """Write the image as it is after a step, under the step's name or its official suffix."""
    if isinstance(model, Calibrated):
        return write(model, directory)
    if isinstance(model, StreamedImage):
        return [model.close()]
    suffix = step_name
    if step_name == bkg_subtract.STEP.name:
        suffix = "bsub" if model.data.ndim == 2 else "bsubints"
    return [put(model, directory, suffix)]


def write(model: Product, directory: Path) -> list[Path]:
    """Write `_cal` or `_calints`, and `_i2d` and the average background where there is one.

    A run that was stopped before photom writes the image under its last step's name: a `_cal`
    has been through all of them.
    """
    if isinstance(model, Calibrated):
        return [
            put(without_resample(model.image), directory, "cal"),
            put(model.resampled, directory, "i2d"),
            *put_background(model.image, directory),
        ]
    if isinstance(model, StreamedImage):
        return [model.close()]
    return [put(model, directory, suffix_of(model)), *put_background(model, directory)]


def put_background(image: Image | StreamedImage, directory: Path) -> list[Path]:
    """Write the average background if it is there, under the name of the target's exposure."""
    if not isinstance(image, TargetImage) or image.combined is None:
        return []
    path = product_path(directory, root_of(image.metadata), COMBINED_SUFFIX)
    write_image(image.combined, path)
    return [path]


def suffix_of(image: Image) -> str:
    """Return the suffix that says how far an image has come."""
    flat = image.data.ndim == 2
    if photom.STEP.keyword in image.metadata:
        return "cal" if flat else "calints"
    done = [step.name for step in STEPS[1:] if step.keyword in image.metadata]
    return done[-1] if done else ("bsub" if flat else "bsubints")


def without_resample(image: Image | StreamedImage) -> Image | StreamedImage:
    """Return the calibrated image without the status of a step that did not change it."""
    metadata = image.metadata.copy()
    metadata.pop(resample.STEP.keyword, None)
    return replace(image, metadata=metadata)


def put(image: Image | StreamedImage, directory: Path, suffix: str) -> Path:
    """Write one product and return its path."""
    if isinstance(image, StreamedImage):
        return image.close()
    path = product_path(directory, root_of(image.metadata), suffix)
    write_image(image, path)
    return path


PIPELINE = Pipeline(
    name="calwebb_image2",
    program="calwebb-image2",
    meaning="Calibrate count-rate images in position and flux.",
    steps=STEPS,
    select=select,
    read=read,
    save=save,
    write=write,
    read_metadata=read_metadata,
    open=open_target,
    together=run_together,
    associations=True,
)
