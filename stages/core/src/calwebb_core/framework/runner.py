"""Run a pipeline's steps in order on one container: skip, resume, save, hooks, records."""

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

from calwebb_core.framework.batches import batches
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.plan import RUN, Planned, make_plan, refuse_missing
from calwebb_core.framework.planes import Store
from calwebb_core.framework.provenance import RunRecord
from calwebb_core.framework.references import References
from calwebb_core.framework.running import Progress, Run, save_products, walk
from calwebb_core.framework.settings import StepSettings, Wishes, settle
from calwebb_core.framework.step import Status, Step

logger = logging.getLogger(__name__)


@dataclass
class RunResult:
    """What a run returns.

    Attributes
    ----------
    model : object
        Container that the last step returned.
    outputs : list of Path
        Products written, intermediates first.
    statuses : dict
        How each step ended, by name; steps that the input was past are absent.
    """

    model: Any
    outputs: list[Path]
    statuses: dict[str, Status] = field(default_factory=dict)


def run_pipeline(
    pipeline: Pipeline,
    model: Any,
    *,
    references: References,
    output_dir: str | Path = ".",
    stop_after: str | None = None,
    only: str | None = None,
    source: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    one_by_one: bool = False,
    **wishes: Unpack[Wishes],
) -> RunResult:
    """Run the steps that an exposure needs and write the products.

    Parameters
    ----------
    pipeline : Pipeline
        Steps, and how products are written.
    model : object
        Container to start from; steps whose keyword says COMPLETE or SKIPPED are not repeated.
    references : References
        Reference files.
    output_dir : str or Path
        Folder of the products; made if it does not exist.
    stop_after, only : str, optional
        Last step to run; the one step to run, also if it is off by default.
    source : mapping, optional
        Name and SHA-256 of the input for the provenance.
    progress : callable, optional
        Called with (step, position, number of steps) before each step that runs.
    one_by_one : bool
        Keep steps apart that could share a pass over the samples: the same products, slower.
    **wishes
        Parameters, skip, run_also, save, hooks: `calwebb_core.framework.settings.Wishes`.

    Raises
    ------
    InputError, ReferenceFileError, ProcessingError
        Wrong options, unwritable folder, missing file (before the first step); a failing step.
    """
    settings = settle(pipeline, **wishes)
    plan = make_plan(pipeline, model.metadata, settings, stop_after=stop_after, only=only)
    refuse_missing(pipeline, model.metadata, plan)
    return execute(
        pipeline,
        model,
        plan,
        settings=settings,
        references=references,
        output_dir=output_dir,
        source=source,
        progress=progress,
        one_by_one=one_by_one,
    )


def execute(
    pipeline: Pipeline,
    model: Any,
    plan: list[Planned],
    *,
    settings: Mapping[str, StepSettings],
    references: References,
    output_dir: str | Path,
    source: Mapping[str, Any] | Future[dict[str, Any]] | None,
    progress: Progress | None,
    one_by_one: bool = False,
    crds_parameters: Mapping[str, Any] | None = None,
) -> RunResult:
    """Do what `run_pipeline` does, with settings and plan that were made before.

    `crds_parameters` are those of the options that CRDS gave, for the record.
    """
    folder = check_output_dir(Path(output_dir))
    references.check(reference_types(plan, settings))
    if not isinstance(source, Future):
        source = dict(source or {"name": Path(model.metadata.source).name})
    record = RunRecord(pipeline, source)
    if crds_parameters:
        record.content["crds_parameters"] = dict(crds_parameters)
    if isinstance(store := getattr(model, "store", None), Store):
        store.folder = folder
    run = Run(pipeline, model, references, settings, folder, record)
    del model  # only the run holds the big arrays, so that a step can free its input
    apart = one_by_one or pipeline.together is None
    warm_up([item.step for item in plan if item.action == RUN])
    parts = [[item] for item in plan]
    walk(run, parts if apart else batches(plan, settings, run.model.metadata), progress)
    save_products(run, next((item.step.name for item in plan if item.intermediate), None))
    return RunResult(run.model, run.outputs, run.statuses)


def warm_up(steps: list[Step]) -> None:
    """Load what later steps need, in a thread beside the first one."""
    todo = [step.warm for step in steps[1:] if step.warm is not None]
    if not todo:
        return
    import threading

    def load() -> None:
        for warm in todo:
            try:
                warm()
            except Exception:  # the step itself will say what is wrong
                logger.debug("could not warm up", exc_info=True)

    threading.Thread(target=load, name="warm-up").start()


def reference_types(plan: Iterable[Planned], settings: Mapping[str, StepSettings]) -> list[str]:
    """Return the reference types that the steps of a plan use, in order, each once."""
    running = [item.step for item in plan if item.action == RUN]
    types = (kind for step in running for kind in step.types(settings[step.name].parameters))
    return list(dict.fromkeys(types))


def check_output_dir(folder: Path) -> Path:
    """Make the output folder if need be and check that products can be written there.

    Raises
    ------
    InputError
        If it cannot be made or written.
    """
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        msg = f"{folder}: products cannot be written to this folder ({error.strerror})"
        raise InputError(msg) from None
    return folder
