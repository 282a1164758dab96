"""Which steps of a plan can share one pass over the samples."""

from collections.abc import Mapping

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plan import RUN, Planned
from calwebb_core.framework.settings import StepSettings


def batches(
    plan: list[Planned], settings: Mapping[str, StepSettings], metadata: Metadata
) -> list[list[Planned]]:
    """Cut a plan into batches: steps that share a pass, or one alone.

    A step joins its neighbours if it can (`Step.prepare`, `Step.joins`) and nothing wants its
    result by itself: no hooks, no intermediate product. Steps that do not run are no obstacle.

    Returns
    -------
    list of list of Planned
        All of the plan, in order.
    """
    result: list[list[Planned]] = []
    open_for_more = False
    for item in plan:
        joins = item.action != RUN or joinable(item, settings[item.step.name], metadata)
        if joins and open_for_more:
            result[-1].append(item)
        else:
            result.append([item])
        open_for_more = joins
    return result


def joinable(item: Planned, wish: StepSettings, metadata: Metadata) -> bool:
    """Say whether a step can share its pass with others."""
    step = item.step
    alone = item.intermediate or wish.save or wish.pre_hooks or wish.post_hooks
    return step.prepare is not None and not alone and step.joins(metadata, wish.parameters)
