"""Run a pipeline on a file: what the command line and the packages' `run` functions share."""

import logging
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.plan import make_plan
from calwebb_core.framework.provenance import input_record
from calwebb_core.framework.references import References
from calwebb_core.framework.runner import (
    Progress,
    RunResult,
    check_output_dir,
    reference_types,
    run_pipeline,
)
from calwebb_core.framework.settings import Hooks, settle

logger = logging.getLogger(__name__)


def load_pipeline(path: str) -> Pipeline:
    """Import the pipeline at ``module:ATTRIBUTE``."""
    module, _, attribute = path.partition(":")
    pipeline: Pipeline = getattr(import_module(module), attribute)
    return pipeline


def call_pipeline(
    pipeline: str | Pipeline,
    source: str | Path,
    *,
    references: str | Path | References | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    output_dir: str | Path = ".",
    skip: Iterable[str] = (),
    run_also: Iterable[str] = (),
    save: Iterable[str] = (),
    stop_after: str | None = None,
    pre_hooks: Hooks = (),
    post_hooks: Hooks = (),
    overrides: Mapping[str, str | Path] | None = None,
    context: str | None = None,
    input_dir: str | Path | None = None,
    only: str | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Run a pipeline on a file and write the products.

    Parameters
    ----------
    pipeline : str or Pipeline
        ``"module:ATTRIBUTE"`` or the pipeline itself.
    source : str or Path
        Raw file, saved intermediate or association.
    references : str, Path, References or None
        REFS.json, references in memory, or None: CRDS is asked for those that are not in
        `overrides`.
    parameters : mapping, optional
        Step -> option -> value.
    output_dir : str or Path
        Folder of the products.
    skip, run_also, save, stop_after, pre_hooks, post_hooks, only, progress
        As in `calwebb_core.framework.runner.run_pipeline`.
    overrides : mapping, optional
        Reference type -> file or "N/A".
    context : str, optional
        CRDS context where CRDS is asked.
    input_dir : str or Path, optional
        Folder of an association's members.

    Returns
    -------
    RunResult
        Its `outputs` are the products' paths, its `model` the last container.

    Raises
    ------
    InputError, ReferenceFileError, ProcessingError
        As `run_pipeline`.
    """
    pipeline = load_pipeline(pipeline) if isinstance(pipeline, str) else pipeline
    path, folder = check_input(Path(source)), None if input_dir is None else Path(input_dir)
    wishes: dict[str, Any] = {
        "skip": tuple(skip),
        "run_also": tuple(run_also),
        "save": tuple(save),
        "pre_hooks": tuple(pre_hooks),
        "post_hooks": tuple(post_hooks),
    }
    settings = settle(pipeline, parameters, **wishes)
    check_output_dir(Path(output_dir))
    metadata = read_metadata(pipeline, path, folder)
    plan = make_plan(pipeline, metadata, settings, stop_after=stop_after, only=only)
    found = find_references(
        references, metadata, reference_types(plan), overrides or {}, context=context
    )
    return run_pipeline(
        pipeline,
        read_model(pipeline, path, folder),
        references=found,
        parameters=parameters,
        stop_after=stop_after,
        output_dir=output_dir,
        only=only,
        source=input_record(path, folder),
        progress=progress,
        **wishes,
    )


def check_input(path: Path) -> Path:
    """Return the path of an input file.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if not path.is_file():
        msg = f"{path}: the input file does not exist"
        raise InputError(msg)
    return path


def read_model(pipeline: Pipeline, path: Path, input_dir: Path | None = None) -> Any:
    """Read an input; `input_dir` is handed on only to pipelines that take associations."""
    if input_dir is None:
        return pipeline.read(path)
    return pipeline.read(path, input_dir=input_dir)  # type: ignore[call-arg]


def read_metadata(pipeline: Pipeline, path: Path, input_dir: Path | None = None) -> Metadata:
    """Return the keywords of an input without reading its pixels where that is possible."""
    if pipeline.read_metadata is not None:
        extra = {} if input_dir is None else {"input_dir": input_dir}
        return pipeline.read_metadata(path, **extra)
    if path.suffix == ".json":
        metadata: Metadata = read_model(pipeline, path, input_dir).metadata
        return metadata
    from calwebb_core.framework.products import read_metadata as read_headers

    return read_headers(path)


def find_references(
    given: str | Path | References | None,
    metadata: Metadata,
    types: Iterable[str],
    overrides: Mapping[str, str | Path],
    *,
    context: str | None = None,
) -> References:
    """Return the references of a run: those given, else those that CRDS chooses.

    CRDS is asked only for types that are not overridden, so that overriding all of them
    needs no CRDS.
    """
    if isinstance(given, References):
        return given.with_overrides(overrides)
    if given is not None:
        references = References.from_file(given)
        _check_exposure(references, metadata)
        return references.with_overrides(overrides)
    wanted = [kind for kind in types if kind not in {name.lower() for name in overrides}]
    chosen = References({})
    if wanted:
        chosen = References.from_crds(metadata, wanted, context)
    return chosen.with_overrides(overrides)


def _check_exposure(references: References, metadata: Metadata) -> None:
    name = Path(metadata.source).name
    if references.exposure and name and not name.startswith(references.exposure):
        logger.warning(
            "%s was made for %s, the input is %s", references.origin, references.exposure, name
        )
