"""One run of a pipeline: its steps apart or together, hooks, records, products."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import CalwebbError, ProcessingError
from calwebb_core.framework.hooks import Place, run_hook
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.plan import DONE, RUN, Planned
from calwebb_core.framework.provenance import RunRecord, metadata_of, software_version
from calwebb_core.framework.reference_types import REFERENCE_KEYWORDS
from calwebb_core.framework.references import References
from calwebb_core.framework.settings import Hook, StepSettings
from calwebb_core.framework.step import Status, Step, skipped

logger = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]


@dataclass
class Run:
    """State of one run: what it works on, with which wishes, and what came of it so far."""

    pipeline: Pipeline
    model: Any
    references: References
    settings: Mapping[str, StepSettings]
    output_dir: Path
    record: RunRecord
    outputs: list[Path] = field(default_factory=list)
    statuses: dict[str, Status] = field(default_factory=dict)


def walk(run: Run, parts: list[list[Planned]], progress: Progress | None) -> None:
    """Run the parts of a plan in order; the steps of one part share a pass."""
    number = sum(item.action == RUN for part in parts for item in part)
    done = 0
    for part in parts:
        steps = [item.step for item in part if item.action == RUN]
        if steps and progress:
            names = steps[0].name if len(steps) == 1 else f"{steps[0].name} to {steps[-1].name}"
            progress(names, done, number)
        done += len(steps)
        if len(steps) > 1:
            _run_together(run, part, steps)
        else:
            _run_apart(run, part)


def _run_apart(run: Run, part: list[Planned]) -> None:
    for item in part:
        if item.action == RUN:
            _run_step(run, item.step)
        else:
            _pass_over(run, item)


def _pass_over(run: Run, item: Planned) -> None:
    if item.action == DONE:
        logger.info("%-20s not repeated: %s", item.step.name, item.reason)
    else:
        _finish(run, item.step, skipped(item.reason), None)


def _run_together(run: Run, part: list[Planned], steps: list[Step]) -> None:
    started = time.perf_counter()
    pairs = [(step, run.settings[step.name].parameters) for step in steps]
    together = run.pipeline.together
    assert together is not None  # noqa: S101 - parts of several steps are only made with it
    expected = _expected(run, steps)
    with _failures(run, steps):
        run.model, statuses = together(run.model, pairs, run.references, run.output_dir, expected)
    outcome = dict(zip([step.name for step in steps], statuses, strict=True))
    for item in part:
        if item.action == RUN:
            _record_references(run, item.step)
            _finish(run, item.step, outcome[item.step.name], 0.0)
        else:
            _pass_over(run, item)
    seconds = time.perf_counter() - started
    logger.info("%s to %s in one pass: %.2f s", steps[0].name, steps[-1].name, seconds)


def _expected(run: Run, steps: list[Step]) -> Metadata:
    """Return the keywords with those that steps and versions will add."""
    metadata: Metadata = run.model.metadata.copy()
    for step in run.pipeline.steps_of(metadata):
        metadata.setdefault(step.keyword, "COMPLETE")
    for step in steps:
        for kind in step.types(run.settings[step.name].parameters):
            if keyword := REFERENCE_KEYWORDS.get(kind):
                metadata[keyword] = run.references.keyword_value(kind)
    _note_versions(metadata, run)
    return metadata


@contextmanager
def _failures(run: Run, steps: list[Step]) -> Iterator[None]:
    """Say which step failed, and why in the user's terms where that is known."""
    names = steps[0].name if len(steps) == 1 else f"{steps[0].name} to {steps[-1].name}"
    try:
        yield
    except MemoryError as error:
        msg = f"step {names} ran out of memory; give the job more or use fewer threads"
        raise ProcessingError(msg) from error
    except CalwebbError:
        raise
    except OSError as error:
        msg = f"{run.output_dir}: products cannot be written ({error.strerror or error})"
        raise ProcessingError(msg) from error
    except Exception as error:
        error.add_note(f"in step {names}")
        raise


def _run_step(run: Run, step: Step) -> None:
    started = time.perf_counter()
    wish = run.settings[step.name]
    run.model = loaded(run.model)
    _run_hooks(run, step, "pre", wish.pre_hooks)
    with _failures(run, [step]):
        run.model, status = step.run(run.model, run.references, wish.parameters)
    _record_references(run, step)
    _finish(run, step, status, time.perf_counter() - started)
    _run_hooks(run, step, "post", wish.post_hooks)
    if wish.save:
        save_products(run, step.name)


def loaded(model: Any) -> Any:
    """Return a model with its samples in memory."""
    return model.load() if hasattr(model, "load") else model


def _run_hooks(run: Run, step: Step, when: str, hooks: Iterable[Hook]) -> None:
    for hook in hooks:
        place = Place(run.pipeline, step.name, when, run.output_dir)
        run.model = run_hook(hook, run.model, place)


def _finish(run: Run, step: Step, status: Status, seconds: float | None) -> None:
    for metadata in metadata_of(run.model):
        metadata[step.keyword] = status.word
    run.statuses[step.name] = status
    run.record.add(step, status, None if seconds is None else run.settings[step.name])
    if seconds is None:
        logger.info("%-20s %s", step.name, status)
    else:
        logger.info("%-20s %s (%.2f s)", step.name, status, seconds)


def _record_references(run: Run, step: Step) -> None:
    for kind in step.types(run.settings[step.name].parameters):
        keyword = REFERENCE_KEYWORDS.get(kind)
        if keyword:
            for metadata in metadata_of(run.model):
                metadata[keyword] = run.references.keyword_value(kind)


def _note_products(run: Run) -> None:
    """Bring versions and provenance in the metadata up to date before a product is written."""
    references = run.references
    run.record.add_references(references.context, references.crds_version, references.used())
    metadatas = metadata_of(run.model)
    for metadata in metadatas:
        _note_versions(metadata, run)
    run.record.attach(metadatas)


def _note_versions(metadata: Metadata, run: Run) -> None:
    metadata["CAL_VER"] = software_version(run.pipeline)
    if run.references.context:
        metadata["CRDS_CTX"] = run.references.context
    if run.references.crds_version:
        metadata["CRDS_VER"] = run.references.crds_version


def save_products(run: Run, step_name: str | None) -> None:
    """Write the products, or with a step's name its intermediate."""
    run.model = loaded(run.model)
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
