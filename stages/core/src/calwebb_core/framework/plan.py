"""Which steps will run for an exposure, and why the others won't; nothing is computed."""

from collections.abc import Mapping
from dataclasses import dataclass

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.settings import StepSettings
from calwebb_core.framework.step import Step

RUN = "run"
SKIP = "skip"
DONE = "done"
MISSING = "missing"
LEFT_OUT = "left out as asked"
FINISHED = ("COMPLETE", "SKIPPED")


@dataclass(frozen=True)
class Planned:
    """One step of a plan, with the reason: `run`, `skip`, `done` (in the input already), `missing`.

    `missing` is a step that the exposure needs and that does not exist yet; `refuse_missing` ends
    a run with one before it begins. `intermediate` says that the step runs alone and others would
    follow it.
    """

    step: Step
    action: str
    reason: str = ""
    intermediate: bool = False


def make_plan(
    pipeline: Pipeline,
    metadata: Metadata,
    settings: Mapping[str, StepSettings],
    *,
    stop_after: str | None = None,
    only: str | None = None,
) -> list[Planned]:
    """Return what happens to every step for an exposure, in order.

    Parameters
    ----------
    pipeline : Pipeline
        Whose steps.
    metadata : Metadata
        Keywords of the input.
    settings : mapping
        Settings by step name.
    stop_after : str, optional
        Last step to plan.
    only : str, optional
        The one step to plan, also when it is off by default.

    Raises
    ------
    InputError
        If a step is unknown, is no part of this mode, or nothing is left to run.
    """
    steps = pipeline.steps_of(metadata, alone=only is not None)
    if only is not None:
        return [_plan_alone(pipeline, steps, metadata, only)]
    planned = [
        _plan(step, metadata, settings[step.name]) for step in _until(pipeline, steps, stop_after)
    ]
    _check_order(planned, metadata, settings)
    actions = {item.action for item in planned}
    if DONE in actions and not actions & {RUN, MISSING}:
        last = f" up to {stop_after}" if stop_after else ""
        msg = (
            f"{metadata.source}: no step of {pipeline.name}{last} is left to run; "
            f"give an earlier product of this exposure"
        )
        raise InputError(msg)
    return planned


def _until(pipeline: Pipeline, steps: tuple[Step, ...], last: str | None) -> tuple[Step, ...]:
    if last is None:
        return steps
    return steps[: _position(pipeline, steps, last) + 1]


def _position(pipeline: Pipeline, steps: tuple[Step, ...], name: str) -> int:
    pipeline.step(name)
    names = [step.name for step in steps]
    if name not in names:
        msg = f"step {name} is no part of {pipeline.name} for this mode; it has {', '.join(names)}"
        raise InputError(msg)
    return names.index(name)


def _plan(step: Step, metadata: Metadata, wish: StepSettings) -> Planned:
    status = str(metadata.get(step.keyword, ""))
    if status == "COMPLETE" or (status == "SKIPPED" and wish.skip is not False):
        return Planned(step, DONE, f"{step.keyword} is {status} in the input")
    if wish.skip and (step.there or step.skip):
        return Planned(step, SKIP, LEFT_OUT)
    reason = step.not_needed(metadata)
    if reason:
        return Planned(step, SKIP, reason)
    if step.skip and wish.skip is None:
        return Planned(step, SKIP, "off unless asked for")
    return Planned(step, RUN) if step.there else Planned(step, MISSING, "does not exist yet")


def refuse_missing(pipeline: Pipeline, metadata: Metadata, plan: list[Planned]) -> None:
    """Refuse a run that needs a step which does not exist yet: its products would lack it.

    Such a step cannot be left out by asking for it either, unless it is off by default.

    Raises
    ------
    InputError
        Naming the mode and the first such step.
    """
    missing = next((item.step.name for item in plan if item.action == MISSING), "")
    if not missing:
        return
    kind = pipeline.mode_of(metadata)
    if len(plan) == 1:
        msg = f"{metadata.source}: step {missing} of {pipeline.name} for {kind} does not exist yet"
    else:
        msg = (
            f"{metadata.source}: {pipeline.name} for {kind} is not available yet: "
            f"its step {missing} does not exist"
        )
    raise InputError(msg)


def _plan_alone(
    pipeline: Pipeline, steps: tuple[Step, ...], metadata: Metadata, name: str
) -> Planned:
    step = steps[_position(pipeline, steps, name)]
    if metadata.get(step.keyword) == "COMPLETE":
        msg = (
            f"{metadata.source}: {name} has been done already ({step.keyword} is COMPLETE); "
            f"give the product from before this step"
        )
        raise InputError(msg)
    reason = step.not_needed(metadata) or ""
    if not (reason or step.there):
        return Planned(step, MISSING, "does not exist yet")
    return Planned(step, SKIP if reason else RUN, reason, intermediate=step != steps[-1])


def _check_order(
    planned: list[Planned], metadata: Metadata, settings: Mapping[str, StepSettings]
) -> None:
    """Refuse a step that is turned on although the input is past it."""
    complete = [
        i for i, item in enumerate(planned) if metadata.get(item.step.keyword) == "COMPLETE"
    ]
    last = max(complete, default=-1)
    for item in planned[: last + 1]:
        if item.action == RUN and settings[item.step.name].skip is False:
            msg = (
                f"{metadata.source}: {item.step.name} cannot run after "
                f"{planned[last].step.name}, which this product has been through; "
                f"give an earlier product"
            )
            raise InputError(msg)
