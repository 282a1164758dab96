"""A small pipeline for the tests: three steps over one image, saved as FITS."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.io import fits

from calwebb_core.framework.errors import InputError, ProcessingError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameters import NoParameters, option
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.step import COMPLETE, Step, skipped

ROOT = "jw00001001001_02101_00001_nrca1"


@dataclass
class Toy:
    metadata: Metadata
    data: np.ndarray
    parts: list = field(default_factory=list)


@dataclass(frozen=True)
class AddParameters:
    amount: float = option(1.0, "What to add", minimum=0, maximum=100, unit="DN")
    rounds: int = option(1, "How often", minimum=1)
    kind: str = option("plain", "How to add", choices=("plain", "odd"))
    limit: float | None = option(None, "Largest value")
    window: tuple[int, ...] = option((1, 2), "Rows")
    fail: str = option("", "Exception to raise", choices=("", "ours", "theirs", "memory"))


def add(model, references, parameters):
    if parameters.fail == "ours":
        raise ProcessingError("toy.fits: SCI is empty; expected pixels")
    if parameters.fail == "theirs":
        raise ValueError("boom")
    if parameters.fail == "memory":
        raise MemoryError
    gain = references.load("gain", model.metadata)
    factor = 1 if gain is None else float(gain.arrays["SCI"].mean())
    model.data = model.data + parameters.amount * parameters.rounds * factor
    return model, COMPLETE


def double(model, references, parameters):
    if not model.data.any():
        return model, skipped("all pixels are zero")
    model.data = model.data * 2
    return model, COMPLETE


def read(path, input_dir=None):
    with fits.open(path) as hdus:
        metadata = Metadata(dict(hdus[0].header), str(path))
        return Toy(metadata, hdus[1].data.astype(float))


def read_metadata(path, input_dir=None):
    return read(path).metadata


def _write(model, directory, suffix):
    path = Path(directory) / f"{ROOT}_{suffix}.fits"
    header = fits.Header({k: v for k, v in model.metadata.items() if not k.startswith("NAXIS")})
    fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(model.data, name="SCI")]).writeto(
        path, overwrite=True
    )
    return [path]


def save(model, step_name, directory):
    return _write(model, directory, step_name)


def write(model, directory):
    return _write(model, directory, "toy")


def not_for_miri(metadata):
    return "MIRI has none" if metadata.get("INSTRUME") == "MIRI" else None


FIRST = Step("first", "S_FIRST", "Add something", AddParameters, add, references=("gain",))
SECOND = Step("second", "S_SECOND", "Double it", NoParameters, double, not_needed=not_for_miri)
EXTRA = Step("extra", "S_EXTRA", "Double again", NoParameters, double, skip=True)
LAST = Step("last", "S_LAST", "Double at last", NoParameters, double)


def select(metadata):
    if metadata.get("EXP_TYPE") == "NRS_IFU":
        raise InputError(f"{metadata.source}: EXP_TYPE NRS_IFU is not available yet")
    return (FIRST, SECOND, EXTRA, LAST)


PIPELINE = Pipeline(
    name="calwebb_toy",
    program="calwebb-toy",
    meaning="toys",
    steps=(FIRST, SECOND, EXTRA, LAST),
    select=select,
    read=read,
    save=save,
    write=write,
    read_metadata=read_metadata,
)


def toy(value=1.0, **keywords):
    values = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "EXP_TYPE": "NRC_IMAGE", **keywords}
    return Toy(Metadata(values, f"{ROOT}_uncal.fits"), np.full((4, 4), value))
