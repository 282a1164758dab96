"""Run a pipeline's steps in order on one container: skip, resume, save, hooks, records."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

from calwebb_core.framework.errors import CalwebbError, InputError, ProcessingError
from calwebb_core.framework.hooks import Place, run_hook
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.plan import DONE, RUN, Planned, make_plan
from calwebb_core.framework.provenance import RunRecord, metadata_of, software_version
from calwebb_core.framework.reference_types import REFERENCE_KEYWORDS
from calwebb_core.framework.references import References
from calwebb_core.framework.settings import Hook, StepSettings, Wishes, settle
from calwebb_core.framework.step import Status, Step, skipped

logger = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]


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


@dataclass
class _Run:
    """State of one run."""

    pipeline: Pipeline
    model: Any
    references: References
    settings: Mapping[str, StepSettings]
    output_dir: Path
    record: RunRecord
    outputs: list[Path] = field(default_factory=list)
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
    **wishes
        Parameters, skip, run_also, save, hooks: `calwebb_core.framework.settings.Wishes`.

    Raises
    ------
    InputError, ReferenceFileError, ProcessingError
        Wrong options, unwritable folder, missing file (before the first step); a failing step.
    """
    settings = settle(pipeline, **wishes)
    plan = make_plan(pipeline, model.metadata, settings, stop_after=stop_after, only=only)
    return execute(
        pipeline,
        model,
        plan,
        settings=settings,
        references=references,
        output_dir=output_dir,
        source=source,
        progress=progress,
    )


def execute(
    pipeline: Pipeline,
    model: Any,
    plan: list[Planned],
    *,
    settings: Mapping[str, StepSettings],
    references: References,
    output_dir: str | Path,
    source: Mapping[str, Any] | None,
    progress: Progress | None,
) -> RunResult:
    """Do what `run_pipeline` does, with settings and plan that were made before."""
    folder = check_output_dir(Path(output_dir))
    references.check(reference_types(plan, settings))
    record = RunRecord(pipeline, dict(source or {"name": Path(model.metadata.source).name}))
    run = _Run(pipeline, model, references, settings, folder, record)
    del model  # only the run holds the big arrays, so that a step can free its input
    _walk(run, plan, progress)
    _save(run, next((item.step.name for item in plan if item.intermediate), None))
    return RunResult(run.model, run.outputs, run.statuses)


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


def _walk(run: _Run, plan: list[Planned], progress: Progress | None) -> None:
    running = [item.step.name for item in plan if item.action == RUN]
    for item in plan:
        if item.action == DONE:
            logger.info("%-20s not repeated: %s", item.step.name, item.reason)
        elif item.action == RUN:
            if progress:
                progress(item.step.name, running.index(item.step.name), len(running))
            _run_step(run, item.step)
        else:
            _finish(run, item.step, skipped(item.reason), None)


def _run_step(run: _Run, step: Step) -> None:
    started = time.perf_counter()
    wish = run.settings[step.name]
    _run_hooks(run, step, "pre", wish.pre_hooks)
    try:
        run.model, status = step.run(run.model, run.references, wish.parameters)
    except MemoryError as error:
        msg = f"step {step.name} ran out of memory; give the job more or use fewer threads"
        raise ProcessingError(msg) from error
    except CalwebbError:
        raise
    except Exception as error:
        error.add_note(f"in step {step.name}")
        raise
    _record_references(run, step)
    _finish(run, step, status, time.perf_counter() - started)
    _run_hooks(run, step, "post", wish.post_hooks)
    if wish.save:
        _save(run, step.name)


def _run_hooks(run: _Run, step: Step, when: str, hooks: Iterable[Hook]) -> None:
    for hook in hooks:
        place = Place(run.pipeline, step.name, when, run.output_dir)
        run.model = run_hook(hook, run.model, place)


def _finish(run: _Run, step: Step, status: Status, seconds: float | None) -> None:
    for metadata in metadata_of(run.model):
        metadata[step.keyword] = status.word
    run.statuses[step.name] = status
    run.record.add(step, status, None if seconds is None else run.settings[step.name])
    if seconds is None:
        logger.info("%-20s %s", step.name, status)
    else:
        logger.info("%-20s %s (%.2f s)", step.name, status, seconds)


def _record_references(run: _Run, step: Step) -> None:
    for kind in step.types(run.settings[step.name].parameters):
        keyword = REFERENCE_KEYWORDS.get(kind)
        if keyword:
            for metadata in metadata_of(run.model):
                metadata[keyword] = run.references.keyword_value(kind)


def _note_products(run: _Run) -> None:
    """Bring versions and provenance in the metadata up to date before a product is written."""
    references = run.references
    run.record.add_references(references.context, references.crds_version, references.used())
    metadatas = metadata_of(run.model)
    for metadata in metadatas:
        _note_versions(metadata, run)
    run.record.attach(metadatas)


def _note_versions(metadata: Metadata, run: _Run) -> None:
    metadata["CAL_VER"] = software_version(run.pipeline)
    if run.references.context:
        metadata["CRDS_CTX"] = run.references.context
    if run.references.crds_version:
        metadata["CRDS_VER"] = run.references.crds_version


def _save(run: _Run, step_name: str | None) -> None:
    """Write the products, or with a step's name its intermediate."""
    _note_products(run)
    try:
        if step_name is None:
            paths = run.pipeline.write(run.model, run.output_dir)
        else:
            paths = run.pipeline.save(run.model, step_name, run.output_dir)
    except OSError as error:
        msg = f"{run.output_dir}: products cannot be written ({error.strerror or error})"
        raise ProcessingError(msg) from error
    run.outputs += paths
    for path in paths:
        logger.debug("wrote %s", path)
