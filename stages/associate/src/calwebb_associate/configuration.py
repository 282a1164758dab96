"""Validation of the workflow's configuration and the options that differ from their defaults."""

import json
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from calwebb_core.framework.errors import InputError


def load_schema(path: Path) -> dict[str, Any]:
    """Return the schema of the configuration."""
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def validate(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Check the configuration.

    Raises
    ------
    InputError
        Naming the first wrong key, what was found and what is expected; a misspelt key is
        answered with the right spelling.
    """
    errors = sorted(Draft202012Validator(schema).iter_errors(dict(config)), key=_position)
    if errors:
        raise InputError(_explain(errors[0]))


def environment(config: Mapping[str, Any], base: Path) -> dict[str, str]:
    """Return the variables that the programs read; CRDS's are set at once.

    Parameters
    ----------
    config : mapping
    base : Path
        Folder of the Snakefile.
    """
    values = {
        "PATH": f"{base / '.env' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "SOURCE_DATE_EPOCH": str(config["source_date_epoch"]),
    }
    if config["crds_path"]:
        values["CRDS_PATH"] = str(Path(config["crds_path"]).expanduser().resolve())
    if config["crds_server"]:
        values["CRDS_SERVER_URL"] = str(config["crds_server"])
    os.environ.update({key: value for key, value in values.items() if "CRDS" in key})
    return values


def _position(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path)


def _explain(error: ValidationError) -> str:
    """Return one sentence for a schema violation."""
    where = _position(error)
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        unknown = next(key for key in instance if key not in known)
        place = f"{where}.{unknown}" if where else unknown
        close = get_close_matches(unknown, known, n=1)
        advice = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
        return f"config: unknown key {place}; {advice}"
    if error.validator == "required":
        return f"config: {error.message} {where}".rstrip() + "; see config.yaml for its default"
    meaning = schema.get("description", "")
    return f"config: {where} is {instance!r}: {error.message}" + (
        f" ({meaning})" if meaning else ""
    )


def changed_options(section: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return `step.option=value` for every option that differs from the schema's default."""
    return list(_changes(section, schema, ()))


def _changes(
    section: Mapping[str, Any], schema: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[str]:
    for key in sorted(section):
        value, rule = section[key], schema["properties"][key]
        if isinstance(value, Mapping):
            yield from _changes(value, rule, (*path, key))
        elif value != rule.get("default") or isinstance(value, bool) != isinstance(
            rule.get("default"), bool
        ):
            yield f"{'.'.join((*path, key))}={json.dumps(value)}"
