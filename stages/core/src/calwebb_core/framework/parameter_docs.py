"""Schema and tables made from the parameter classes of a pipeline's steps."""

from dataclasses import Field
from typing import Any, get_args, get_origin

from calwebb_core.framework.parameters import alternatives, kinds_of, options_of
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.step import Step

JSON_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def schema_of(pipeline: Pipeline) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a pipeline's parameter file.

    Every step takes its options and `skip`, `save`, `pre_hooks`, `post_hooks`; nothing else.
    """
    return {
        "type": "object",
        "description": f"Parameters of {pipeline.name}: {pipeline.meaning}",
        "additionalProperties": False,
        "properties": {step.name: step_schema(step) for step in pipeline.steps},
    }


def step_schema(step: Step) -> dict[str, Any]:
    """Return the JSON schema of one step's options."""
    hooks = {"type": "array", "items": {"type": "string"}, "default": []}
    properties = option_schemas(step.parameters)
    properties |= {
        "skip": {"type": "boolean", "description": "Leave the step out", "default": step.skip},
        "save": {"type": "boolean", "description": "Write its result", "default": False},
        "pre_hooks": {**hooks, "description": "Commands or module:function before the step"},
        "post_hooks": {**hooks, "description": "Commands or module:function after the step"},
    }
    return {
        "type": "object",
        "description": step.meaning,
        "additionalProperties": False,
        "properties": properties,
    }


def option_schemas(parameters: type) -> dict[str, Any]:
    """Return the JSON schema of every option of a parameter class."""
    kinds = kinds_of(parameters)
    return {
        name: _option_schema(item, kinds[name]) for name, item in options_of(parameters).items()
    }


def _option_schema(item: Field[Any], kind: Any) -> dict[str, Any]:
    schema = _kind_schema(kind)
    unit = item.metadata.get("unit")
    schema["description"] = item.metadata.get("meaning", "") + (f" ({unit})" if unit else "")
    schema["default"] = list(item.default) if isinstance(item.default, tuple) else item.default
    choices = item.metadata.get("choices")
    if choices:
        nullable = type(None) in alternatives(kind)
        schema["enum"] = [*choices, None] if nullable else list(choices)
    bounds = {key: item.metadata.get(key) for key in ("minimum", "maximum")}
    bounds = {key: value for key, value in bounds.items() if value is not None}
    schema.get("items", schema).update(bounds)
    return schema


def _kind_schema(kind: Any) -> dict[str, Any]:
    names: list[str] = []
    schema: dict[str, Any] = {}
    for member in alternatives(kind):
        if member is type(None):
            names.append("null")
        elif get_origin(member) in (tuple, list):
            names.append("array")
            schema["items"] = _kind_schema(get_args(member)[0])
        else:
            names.append(JSON_NAMES[member])
    schema["type"] = names[0] if len(names) == 1 else names
    return schema


def plain(value: Any) -> str:
    """Return a default value as a user writes it in YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(plain(item) for item in value) + "]"
    return str(value)


def limits(item: Field[Any]) -> str:
    """Return the values an option takes in short: "0 to 1", "a, b", or nothing."""
    choices = item.metadata.get("choices")
    if choices:
        return ", ".join(map(str, choices))
    low, high = item.metadata.get("minimum"), item.metadata.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f"at least {low}"
    return f"at most {high}" if high is not None else ""


def markdown_table(pipeline: Pipeline) -> str:
    """Return a Markdown table of every step's options for the documentation."""
    lines = [
        "| step | option | default | values | meaning |",
        "|---|---|---|---|---|",
    ]
    for step in pipeline.steps:
        state = "off unless asked for" if step.skip else "on"
        lines.append(f"| **{step.name}** | | {state} | | {_cell(step.meaning)} |")
        for name, item in options_of(step.parameters).items():
            unit = item.metadata.get("unit")
            meaning = item.metadata.get("meaning", "") + (f" ({unit})" if unit else "")
            row = ["", f"`{name}`", f"`{plain(item.default)}`", limits(item), meaning]
            lines.append("| " + " | ".join(_cell(cell) for cell in row) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
