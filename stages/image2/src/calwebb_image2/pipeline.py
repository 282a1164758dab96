"""calwebb_image2: the steps in order, and the files around them."""

from dataclasses import replace
from pathlib import Path

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.products import product_path, root_of, write_image
from calwebb_core.framework.step import Step
from calwebb_image2.calibrated import Calibrated
from calwebb_image2.inputs import read, read_metadata
from calwebb_image2.modes import exposure_type
from calwebb_image2.steps import assign_wcs, flat_field, photom, resample

STEPS: tuple[Step, ...] = (
    assign_wcs.STEP,
    flat_field.STEP,
    photom.STEP,
    resample.STEP,
)


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps for an exposure; all modes share their order."""
    exposure_type(metadata)
    return STEPS


def save(model: Image | Calibrated, step_name: str, directory: Path) -> list[Path]:
    """Write the image as it is after a step, under the step's name."""
    if isinstance(model, Calibrated):
        return write(model, directory)
    return [put(model, directory, step_name)]


def write(model: Image | Calibrated, directory: Path) -> list[Path]:
    """Write `_cal` or `_calints`, and `_i2d` where there is one.

    A run that was stopped before photom writes the image under its last step's name: a `_cal`
    has been through all of them.
    """
    if isinstance(model, Calibrated):
        return [
            put(without_resample(model.image), directory, "cal"),
            put(model.resampled, directory, "i2d"),
        ]
    return [put(model, directory, suffix_of(model))]


def suffix_of(image: Image) -> str:
    """Return the suffix that says how far an image has come."""
    if photom.STEP.keyword in image.metadata:
        return "cal" if image.data.ndim == 2 else "calints"
    done = [step.name for step in STEPS if step.keyword in image.metadata]
    return done[-1] if done else STEPS[0].name


def without_resample(image: Image) -> Image:
    """Return the calibrated image without the status of a step that did not change it."""
    metadata = image.metadata.copy()
    metadata.pop(resample.STEP.keyword, None)
    return replace(image, metadata=metadata)


def put(image: Image, directory: Path, suffix: str) -> Path:
    """Write one product and return its path."""
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
)
