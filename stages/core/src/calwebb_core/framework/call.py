"""Run a pipeline on a file: what the command line and the packages' `run` functions share."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from calwebb_core.framework.association import MemberOptions
from calwebb_core.framework.crds_parameters import crds_layer, parameter_types
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.opening import Opened, check_input, member_options
from calwebb_core.framework.parameters import merge
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.plan import Planned, make_plan, refuse_missing
from calwebb_core.framework.provenance import input_record_later
from calwebb_core.framework.references import References
from calwebb_core.framework.runner import (
    RunResult,
    check_output_dir,
    execute,
    reference_types,
)
from calwebb_core.framework.running import Progress
from calwebb_core.framework.settings import StepSettings, Wishes, settle

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
    overrides: Mapping[str, str | Path] | None = None,
    output_dir: str | Path = ".",
    input_dir: str | Path | None = None,
    allow_outside: bool = False,
    product: str | None = None,
    stop_after: str | None = None,
    only: str | None = None,
    progress: Progress | None = None,
    one_by_one: bool = False,
    crds_parameters: bool = True,
    **wishes: Unpack[Wishes],
) -> RunResult:
    """Run a pipeline on a file and write the products.

    An association of several products is run once for each; the result has all their files, and
    the container and statuses of the last.

    Parameters
    ----------
    pipeline : str or Pipeline
        ``"module:ATTRIBUTE"`` or the pipeline itself.
    source : str or Path
        Raw file, saved intermediate or association.
    input_dir, allow_outside, product
        Where an association's members are and which of its products to make, see
        `calwebb_core.framework.association.MemberOptions`.
    references, overrides
        REFS.json or references in memory, else CRDS is asked; files or "N/A" by type.
    output_dir, stop_after, only, progress, one_by_one, **wishes
        As in `calwebb_core.framework.runner.run_pipeline`.
    crds_parameters : bool
        Take options that the user does not give from the `pars-*` files among the references.

    Raises
    ------
    InputError, ReferenceFileError, ProcessingError
        As `run_pipeline`.
    """
    pipeline = load_pipeline(pipeline) if isinstance(pipeline, str) else pipeline
    settle(pipeline, **wishes)
    path = check_input(Path(source))
    check_output_dir(Path(output_dir))
    call = Call(
        references,
        overrides or {},
        Path(output_dir),
        Part(stop_after, only),
        progress,
        one_by_one,
        crds_parameters,
        wishes,
    )
    runs = member_options(pipeline, path, input_dir, product, allow_outside=allow_outside)
    for options in runs[1:]:  # what is wrong with a later product is said before all the work
        Opened(pipeline, path, options).metadata()
    result = RunResult(None, [])
    for options in runs:
        result.model = None  # its arrays are not needed beside those of the next product
        latest = _call_once(pipeline, path, options, call)
        result = replace(latest, outputs=[*result.outputs, *latest.outputs])
    return result


def _call_once(pipeline: Pipeline, path: Path, options: MemberOptions, call: "Call") -> RunResult:
    """Do what `call_pipeline` does, for one product."""
    opened = Opened(pipeline, path, options)
    prepared = prepare(
        pipeline,
        opened.metadata(),
        call.part,
        call.references,
        call.overrides,
        call.wishes,
        crds=call.crds_parameters,
    )
    # no ** here: it would keep the container alive while the steps replace it
    return execute(
        pipeline,
        opened.take_model(),
        prepared.plan,
        settings=prepared.settings,
        references=prepared.references,
        output_dir=call.output_dir,
        source=input_record_later(path, **options),
        progress=call.progress,
        one_by_one=call.one_by_one,
        crds_parameters=prepared.layer,
    )


class Part(NamedTuple):
    """What of a pipeline is asked for: up to a step, or one alone."""

    stop_after: str | None
    only: str | None


class Call(NamedTuple):
    """What was asked of `call_pipeline`, the same for all products of an association."""

    references: str | Path | References | None
    overrides: Mapping[str, str | Path]
    output_dir: Path
    part: Part
    progress: Progress | None
    one_by_one: bool
    crds_parameters: bool
    wishes: Wishes


class Prepared(NamedTuple):
    """What a run needs to know before the pixels are read."""

    plan: list[Planned]
    settings: dict[str, StepSettings]
    references: References
    layer: dict[str, dict[str, Any]]


def prepare(
    pipeline: Pipeline,
    metadata: Metadata,
    part: Part,
    given: str | Path | References | None,
    overrides: Mapping[str, str | Path],
    wishes: Wishes,
    *,
    crds: bool,
) -> Prepared:
    """Plan a run and find its references, with the options that CRDS gives for the exposure.

    CRDS is asked for options only when it is asked for reference files, too.
    """
    settings = settle(pipeline, **wishes)
    plan = make_plan(pipeline, metadata, settings, **part._asdict())
    refuse_missing(pipeline, metadata, plan)
    types = reference_types(plan, settings)
    steps = [item.step for item in plan]
    more = parameter_types(pipeline, steps) if crds else []
    found = find_references(given, metadata, [*types, *more], overrides, only_with=types)
    layer = crds_layer(pipeline, steps, found) if crds else {}
    if layer:
        own = wishes.get("parameters") or {}
        wishes = {**wishes, "parameters": merge(layer, {k: v or {} for k, v in own.items()})}
        settings = settle(pipeline, **wishes)
        plan = make_plan(pipeline, metadata, settings, **part._asdict())
        refuse_missing(pipeline, metadata, plan)
        wanted = reference_types(plan, settings)
        if given is None and (new := set(wanted) - set(types)):
            found.entries |= find_references(given, metadata, sorted(new), overrides).entries
        types = wanted
    found.check(types)
    return Prepared(plan, settings, found, layer)


def find_references(
    given: str | Path | References | None,
    metadata: Metadata,
    types: Iterable[str],
    overrides: Mapping[str, str | Path],
    only_with: Iterable[str] | None = None,
) -> References:
    """Return the references of a run: those given, else those that CRDS chooses.

    CRDS is asked only for types that are not overridden, and not at all when none of `only_with`
    are left of them (by default `types`), so that overriding all of them needs no CRDS.
    """
    if isinstance(given, References):
        return given.with_overrides(overrides)
    if given is not None:
        references = References.from_file(given)
        _check_exposure(references, metadata)
        return references.with_overrides(overrides)
    named = {name.lower() for name in overrides}
    wanted = [kind for kind in types if kind not in named]
    chosen = References({})
    if set(wanted if only_with is None else only_with) - named:
        chosen = References.from_crds(metadata, wanted)
    return chosen.with_overrides(overrides)


def _check_exposure(references: References, metadata: Metadata) -> None:
    name = Path(metadata.source).name
    if not references.exposure or not name.endswith(".fits"):
        return
    if not name.startswith(references.exposure):
        logger.warning(
            "%s was made for %s, the input is %s", references.origin, references.exposure, name
        )
