"""What the user wants of each step: parameters, skip, save, hooks, from all sources merged."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import did_you_mean, make_parameters, options_of
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.step import Step

Hook = str | Callable[..., Any]
Hooks = Iterable[str | tuple[str, Hook]]
RESERVED = ("skip", "save", "pre_hooks", "post_hooks")


@dataclass(frozen=True)
class StepSettings:
    """The user's wishes for one step.

    Attributes
    ----------
    parameters : object
        Instance of the step's parameter class.
    skip : bool or None
        True: leave it out; False: run it even if it is off by default; None: as the step says.
    save : bool
        Write its result as an intermediate product.
    pre_hooks, post_hooks : tuple
        Commands, ``module:function`` texts or functions, in order.
    """

    parameters: Any
    skip: bool | None = None
    save: bool = False
    pre_hooks: tuple[Hook, ...] = ()
    post_hooks: tuple[Hook, ...] = ()


class Wishes(TypedDict, total=False):
    """What may be asked of a run; the keywords of `settle`, `run_pipeline` and `call_pipeline`.

    Attributes
    ----------
    parameters : mapping
        Step -> option -> value; the options `skip`, `save`, `pre_hooks`, `post_hooks` are
        understood for every step.
    skip, run_also, save : iterable of str
        Steps to leave out, to run although they are off by default, to write.
    pre_hooks, post_hooks : iterable
        ``"STEP=COMMAND"``, ``"STEP=module:function"`` or ``(step, function)``.
    """

    parameters: Mapping[str, Mapping[str, Any]] | None
    skip: Iterable[str]
    run_also: Iterable[str]
    save: Iterable[str]
    pre_hooks: Hooks
    post_hooks: Hooks


def settle(pipeline: Pipeline, **wishes: Unpack[Wishes]) -> dict[str, StepSettings]:
    """Merge parameters and lists of step names into settings for every step of a pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        Whose steps.
    **wishes
        See `Wishes`.

    Returns
    -------
    dict
        Settings by step name.

    Raises
    ------
    InputError
        If a step or option is unknown, or a value does not fit.
    """
    given = _given(wishes)
    skips = dict.fromkeys(wishes.get("skip", ()), True)
    skips |= dict.fromkeys(wishes.get("run_also", ()), False)
    saves = set(wishes.get("save", ()))
    before = _group(wishes.get("pre_hooks", ()), "--pre-hook")
    after = _group(wishes.get("post_hooks", ()), "--post-hook")
    for name in (*given, *skips, *saves, *before, *after):
        pipeline.step(name)
    settings = {}
    for step in pipeline.steps:
        values = given.get(step.name, {})
        settings[step.name] = StepSettings(
            parameters=_parameters(step, values),
            skip=skips.get(step.name, _flag(step, values, "skip")),
            save=step.name in saves or bool(_flag(step, values, "save")),
            pre_hooks=(*_hook_list(step, values, "pre_hooks"), *before.get(step.name, ())),
            post_hooks=(*_hook_list(step, values, "post_hooks"), *after.get(step.name, ())),
        )
    return settings


def _given(wishes: Wishes) -> dict[str, dict[str, Any]]:
    parameters = wishes.get("parameters") or {}
    return {name: dict(values or {}) for name, values in parameters.items()}


def _parameters(step: Step, values: Mapping[str, Any]) -> Any:
    options = {name: value for name, value in values.items() if name not in RESERVED}
    known = options_of(step.parameters)
    for name in options:
        if name not in known:
            hint = did_you_mean(name, (*known, *RESERVED))
            msg = f"step {step.name} has no option {name!r}{hint}"
            raise InputError(msg)
    return make_parameters(step.name, step.parameters, options)


def _flag(step: Step, values: Mapping[str, Any], name: str) -> bool | None:
    value = values.get(name)
    if value is not None and not isinstance(value, bool):
        msg = f"{step.name}.{name} is {value!r}; expected true or false"
        raise InputError(msg)
    return value


def _hook_list(step: Step, values: Mapping[str, Any], name: str) -> tuple[Hook, ...]:
    hooks = values.get(name) or ()
    if isinstance(hooks, str):
        hooks = (hooks,)
    if not isinstance(hooks, list | tuple) or not all(_is_hook(hook) for hook in hooks):
        msg = f"{step.name}.{name} is {hooks!r}; expected a list of commands or module:function"
        raise InputError(msg)
    return tuple(hooks)


def _is_hook(hook: Any) -> bool:
    return callable(hook) or (isinstance(hook, str) and bool(hook.strip()))


def _group(hooks: Hooks, option: str) -> dict[str, list[Hook]]:
    grouped: dict[str, list[Hook]] = {}
    for item in hooks:
        step, hook = split_hook(item, option) if isinstance(item, str) else item
        grouped.setdefault(step, []).append(hook)
    return grouped


def split_hook(text: str, option: str = "--pre-hook") -> tuple[str, str]:
    """Split ``STEP=COMMAND`` or ``STEP=module:function``.

    Raises
    ------
    InputError
        If there is no step or nothing to run.
    """
    step, _, hook = text.partition("=")
    if not (step.strip() and hook.strip()):
        msg = f"{option} {text!r}: expected STEP=COMMAND or STEP=module:function"
        raise InputError(msg)
    return step.strip(), hook.strip()
