"""What a step is: a name, its keyword, its parameters and a function over containers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameters import NoParameters


@dataclass(frozen=True)
class Status:
    """How a step ended: COMPLETE, or SKIPPED with the reason."""

    word: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}" if self.reason else self.word


COMPLETE = Status("COMPLETE")


def skipped(reason: str) -> Status:
    """Return the status of a step that passes its input on, with the reason in words."""
    return Status("SKIPPED", reason)


def always_applies(_: Metadata) -> str | None:
    """Say that a step runs for every exposure that reaches it."""
    return None


def always_joins(_: Metadata, __: Any) -> bool:
    """Say that a step with `prepare` can always join others."""
    return True


@dataclass(frozen=True)
class Step:
    """One step of a pipeline.

    Attributes
    ----------
    name : str
        The official name: module, `--skip NAME`, suffix of a saved intermediate.
    keyword : str
        Header keyword of its status, such as S_JUMP.
    meaning : str
        One line for people.
    parameters : type
        Frozen dataclass of its options.
    run : callable
        ``run(model, references, parameters) -> (model, Status)``. It opens no files itself:
        `references` hands out arrays (see `calwebb_core.framework.references.References`).
    references : tuple of str
        CRDS types it uses, lower case: ("gain", "readnoise").
    references_for : callable, optional
        ``references_for(parameters) -> tuple of str``: those of `references` that it uses with
        these options; all by default.
    not_needed : callable
        ``not_needed(metadata) -> reason or None``: why it won't run for such an exposure.
    skip : bool
        Whether it is off unless asked for.
    prepare : callable, optional
        How it joins others in one pass over the samples; see the pipeline's `together`.
    joins : callable
        ``joins(metadata, parameters) -> bool``: whether it can, for such an exposure and with
        these options.
    warm : callable, optional
        Loads what `run` will need; called in a thread beside the steps before it.
    there : bool
        Whether it can run at all. A pipeline lists steps that are not there yet, too, where they
        belong, and is refused for an exposure that needs one of them (`missing_step`).
    """

    name: str
    keyword: str
    meaning: str
    parameters: type
    run: Callable[[Any, Any, Any], tuple[Any, Status]]
    references: tuple[str, ...] = ()
    not_needed: Callable[[Metadata], str | None] = always_applies
    skip: bool = False
    prepare: Callable[..., Any] | None = None
    joins: Callable[[Metadata, Any], bool] = always_joins
    references_for: Callable[[Any], tuple[str, ...]] | None = None
    warm: Callable[[], None] | None = None
    there: bool = True

    def types(self, parameters: Any) -> tuple[str, ...]:
        """Return the CRDS types that the step uses with these options."""
        return self.references_for(parameters) if self.references_for else self.references


def missing_step(
    name: str,
    keyword: str,
    meaning: str,
    *,
    not_needed: Callable[[Metadata], str | None] = always_applies,
    skip: bool = False,
) -> Step:
    """Return the place of a step that is not there yet; the arguments are `Step`'s.

    Plans show it, and no run begins that would need it.
    """

    def run(_: Any, __: Any, ___: Any) -> tuple[Any, Status]:
        msg = f"step {name} does not exist yet"
        raise InputError(msg)

    return Step(
        name, keyword, meaning, NoParameters, run, not_needed=not_needed, skip=skip, there=False
    )
