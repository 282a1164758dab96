"""calwebb_detector1: the steps in order, and the files around them."""

from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Planes, Ramp, Rates
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.products import (
    product_path,
    read_image,
    read_metadata,
    read_ramp,
    root_of,
    write_image,
    write_planes,
    write_ramp,
)
from calwebb_detector1.afterglow_files import write_afterglow
from calwebb_detector1.modes import ALL, select, select_alone
from calwebb_detector1.sources import RawExposure, open_exposure
from calwebb_detector1.steps import jump
from calwebb_detector1.together import StreamedImage, run_together

FITTED = "S_RAMP"


def read(path: Path) -> Ramp | Rates:
    """Read a raw file or a saved intermediate; a `_rate` brings the `_rateints` beside it.

    Raises
    ------
    InputError
        If the file is neither, or the `_rateints` is missing.
    """
    metadata = read_metadata(path)
    if metadata.get(FITTED) != "COMPLETE":
        return read_ramp(path)
    integrations = product_path(path.parent, root_of(path), "rateints")
    if not integrations.is_file() or integrations.name == path.name:
        msg = (
            f"{path}: the ramps of this product are fitted already; give an earlier product, "
            f"or a _rate with its _rateints beside it"
        )
        raise InputError(msg)
    return Rates(read_image(path), read_image(integrations))


def open_input(path: Path) -> RawExposure | Ramp | Rates:
    """Open a raw file without reading its samples; read anything else.

    Raises
    ------
    InputError
        As `read`.
    """
    if read_metadata(path).get(FITTED) == "COMPLETE":
        return read(path)
    return open_exposure(path)


def write(model: Ramp | Rates, directory: Path) -> list[Path]:
    """Write `_rate` and `_rateints`, or the ramps of a run that ended before the fit.

    Beside them go optional products and what the exposure leaves in the detector. Ramps are
    named `_ramp` when all that precedes the fit is done, else after the last step.
    """
    if isinstance(model, Rates):
        return [
            put_image(model.rate, directory, "rate"),
            put_image(model.rateints, directory, "rateints", model.rateints_root),
            *(put_planes(planes, directory) for planes in model.extras),
            *write_afterglow(model.afterglow, directory),
        ]
    ramps = put_ramp(model, directory, ramp_suffix(model))
    extras = [put_planes(planes, directory) for planes in model.extras]
    return [ramps, *extras, *write_afterglow(model.afterglow, directory)]


def ramp_suffix(ramp: Ramp) -> str:
    """Return the suffix that says how far ramps have come."""
    if jump.STEP.keyword in ramp.metadata:
        return "ramp"
    done = [step.name for step in ALL if step.keyword in ramp.metadata]
    return done[-1] if done else "ramp"


def save(model: Ramp | Rates, step_name: str, directory: Path) -> list[Path]:
    """Write what a step returned: ramps under the step's name, rates as the products."""
    if isinstance(model, Rates):
        return write(model, directory)
    return [put_ramp(model, directory, step_name)]


def put_ramp(ramp: Ramp, directory: Path, suffix: str) -> Path:
    """Write ramps and return their path."""
    path = product_path(directory, root_of(ramp.metadata), suffix)
    write_ramp(ramp, path)
    return path


def put_image(image: Any, directory: Path, suffix: str, root: str | None = None) -> Path:
    """Write one product and return its path."""
    if isinstance(image, StreamedImage):
        return image.close()
    path = product_path(directory, root or root_of(image.metadata), suffix)
    write_image(image, path)
    return path


def put_planes(planes: Planes, directory: Path) -> Path:
    """Write an optional product and return its path."""
    path = product_path(directory, planes.root or root_of(planes.metadata), planes.suffix)
    write_planes(planes, path)
    return path


PIPELINE = Pipeline(
    name="calwebb_detector1",
    program="calwebb-detector1",
    meaning="Turn raw detector ramps into count rates.",
    steps=ALL,
    select=select,
    read=read,
    save=save,
    write=write,
    select_alone=select_alone,
    open=open_input,
    together=run_together,
)
