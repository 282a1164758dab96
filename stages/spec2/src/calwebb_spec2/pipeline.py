"""calwebb_spec2: the steps in order, and the files around them.

The order of each mode is in `calwebb_spec2.modes`. Steps that do not exist yet are listed where
they belong (`calwebb_spec2.missing`); an exposure that needs one of them is refused.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step
from calwebb_core.science.spectral.rectify_options import ResampleSpecParameters
from calwebb_spec2.inputs import read, read_metadata
from calwebb_spec2.missing import MISSING
from calwebb_spec2.modes import MODES, every_step, mode_of, name_of
from calwebb_spec2.products import Derived, Product, has_integrations, products_of, put
from calwebb_spec2.steps import (
    assign_wcs,
    bkg_subtract,
    clean_flicker_noise,
    extract_1d,
    extract_2d,
    flat_field,
    pathloss,
    photom,
    pixel_replace,
    resample_spec,
    srctype,
    targ_centroid,
    wavecorr,
)


def rectify_on_grid(
    model: Product, references: References, parameters: ResampleSpecParameters
) -> tuple[Product, Status]:
    """Run resample_spec with the grid of `output_wcs` read first: steps open no files."""
    from calwebb_core.framework.grid_file import read_grid

    tree = read_grid(Path(parameters.output_wcs)) if parameters.output_wcs else None
    return resample_spec.run(model, references, parameters, tree)


THERE: tuple[Step, ...] = (
    assign_wcs.STEP,
    bkg_subtract.STEP,
    clean_flicker_noise.STEP,
    extract_2d.STEP,
    flat_field.STEP,
    srctype.STEP,
    targ_centroid.STEP,
    wavecorr.STEP,
    pathloss.STEP,
    photom.STEP,
    pixel_replace.STEP,
    replace(resample_spec.STEP, run=rectify_on_grid),
    extract_1d.STEP,
)
BY_NAME = {step.name: step for step in (*MISSING, *THERE)}
STEPS: tuple[Step, ...] = tuple(BY_NAME[name] for name in every_step(MODES))
LAST = "photom"
# Steps whose reference types depend on the mode.
TYPES_OF: Final[dict[str, Callable[[Metadata], tuple[str, ...]]]] = {
    assign_wcs.STEP.name: assign_wcs.types_of,
    extract_2d.STEP.name: extract_2d.types_of,
    flat_field.STEP.name: flat_field.types_of,
    pathloss.STEP.name: pathloss.types_of,
}


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps of an exposure's mode in order, also those that do not exist yet."""
    mode = mode_of(metadata)
    steps = (with_references(BY_NAME[name], metadata) for name in mode.steps)
    return tuple(
        replace(step, there=False) if step.name in mode.not_yet else step for step in steps
    )


def with_references(step: Step, metadata: Metadata) -> Step:
    """Return a step with the reference types that it needs for an exposure's mode."""
    types_of = TYPES_OF.get(step.name)
    return step if types_of is None else replace(step, references=types_of(metadata))


def save(model: Product, step_name: str, directory: Path) -> list[Path]:
    """Write the spectra as they are after a step, under the step's name."""
    if not isinstance(model, Derived):
        return [put(model, directory, step_name)]
    last = model.spectra if model.spectra is not None else model.best
    return [put(last, directory, step_name)]


def write(model: Product, directory: Path) -> list[Path]:
    """Write what was made of an exposure.

    Only what has been through photom is called `_cal` or `_calints`; before, it is written under
    the name of the last step.
    """
    steps = select(model.metadata)
    if isinstance(model, Derived):
        return [put(item, directory, suffix) for suffix, item in products_of(model, steps)]
    done = [step.name for step in steps if step.keyword in model.metadata]
    if LAST not in done:
        return [put(model, directory, done[-1])]
    return [put(model, directory, "calints" if has_integrations(model) else "cal")]


PIPELINE = Pipeline(
    name="calwebb_spec2",
    program="calwebb-spec2",
    meaning="Calibrate spectra in wavelength, position and flux.",
    steps=STEPS,
    select=select,
    read=read,
    save=save,
    write=write,
    read_metadata=read_metadata,
    associations=True,
    mode=name_of,
)
