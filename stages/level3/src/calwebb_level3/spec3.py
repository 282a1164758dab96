"""calwebb_spec3: exposures through slits to one spectrum of each source.

Steps: master_background, outlier_detection, pixel_replace (off by default), resample_spec,
extract_1d, combine_1d. Products: `_crf` for each exposure; `_s2d`, `_x1d`, `_c1d` for each source.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.step import Status, Step
from calwebb_core.science.spectral.rectify_options import ResampleSpecParameters
from calwebb_level3.slits import order
from calwebb_level3.slits.inputs import first_metadata, read, read_sky
from calwebb_level3.slits.products import save, write
from calwebb_level3.slits.sources import SourceSet
from calwebb_level3.slits.steps import master_background, resample_spec

SLITS: Final = ("MIR_LRS-FIXEDSLIT", "NRS_FIXEDSLIT")
# Modes of calwebb_spec3 that do not exist yet.
LATER: Final = (
    "NRS_MSASPEC", "NRS_IFU", "MIR_MRS", "NIS_SOSS", "NIS_WFSS", "NRC_WFSS", "MIR_WFSS",
)  # fmt: skip


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps in order.

    Raises
    ------
    InputError
        If the exposures are no spectra of slits, or of a time series.
    """
    kind = metadata.require("EXP_TYPE", str)
    if metadata.get("TSOVISIT") is True:
        msg = f"{metadata.source}: TSOVISIT is true; time series go to calwebb-tso3, not spec3"
        raise InputError(msg)
    if kind in LATER:
        msg = f"{metadata.source}: EXP_TYPE is {kind}, which is not available yet in calwebb-spec3"
        raise InputError(msg)
    if kind not in SLITS:
        msg = f"{metadata.source}: EXP_TYPE is {kind}; calwebb-spec3 handles {', '.join(SLITS)}"
        raise InputError(msg)
    return STEPS


def subtract_background(
    sources: SourceSet,
    references: Any,
    parameters: master_background.MasterBackgroundParameters,
) -> tuple[SourceSet, Status]:
    """Run master_background with the spectrum that its options name read first."""
    if parameters.user_background:
        sources.user_background = read_sky(Path(parameters.user_background))
    return master_background.run(sources, references, parameters)


def rectify_on_grid(
    sources: SourceSet, references: Any, parameters: ResampleSpecParameters
) -> tuple[SourceSet, Status]:
    """Run resample_spec with the grid of `output_wcs` read first."""
    from calwebb_core.framework.grid_file import read_grid

    tree = read_grid(Path(parameters.output_wcs)) if parameters.output_wcs else None
    return resample_spec.run(sources, references, parameters, tree)


# Steps whose options name files: steps open none.
OPENING: Final[dict[str, Callable[[Any, Any, Any], tuple[Any, Status]]]] = {
    "master_background": subtract_background,
    "resample_spec": rectify_on_grid,
}
STEPS: tuple[Step, ...] = tuple(
    replace(step, run=OPENING.get(step.name, step.run)) for step in order.STEPS
)

PIPELINE = Pipeline(
    name="calwebb_spec3",
    program="calwebb-spec3",
    meaning="Exposures through slits to one spectrum of each source.",
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
    """Run calwebb_spec3 and write its products.

    Parameters
    ----------
    source : path
        Association, or the `_cal` of one exposure.
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
