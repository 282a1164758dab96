"""Options of a step: a frozen dataclass whose fields carry meaning, bounds and choices.

The class is the one source for `--set`, the schema of the workflow's configuration, the
tables of the documentation and the record in a product's provenance.
"""

import types
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plain_files import read_text

NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def option(
    default: Any,
    meaning: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] | None = None,
    unit: str = "",
    file: bool = False,
    names_file: bool = False,
) -> Any:
    """Declare one option of a step as a field of its frozen parameter dataclass.

    Parameters
    ----------
    default : bool, int, float, str, tuple or None
        Value when nobody says otherwise.
    meaning : str
        One line for people.
    minimum, maximum : float, optional
        Inclusive bounds.
    choices : tuple of str, optional
        The only values allowed.
    unit : str
        Unit of the value, if it has one.
    file : bool
        Whether the value is the path of a file to read: it has to exist, and products name it
        without its folder, with its checksum.
    names_file : bool
        Whether the value may be the path of a file: products name one that is there likewise.
    """
    metadata = {
        "meaning": meaning,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "unit": unit,
        "file": file,
        "names_file": names_file,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class NoParameters:
    """Parameters of a step that has none."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" for the nearest known word, else the list of known words."""
    names = list(known)
    near = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(names)}" if names else "; there are none"


def options_of(parameters: type) -> dict[str, Field[Any]]:
    """Return the fields of a parameter class by name; a class that is no dataclass has none."""
    if not hasattr(parameters, "__dataclass_fields__"):
        return {}
    return {item.name: item for item in fields(parameters)}


@cache
def kinds_of(parameters: type) -> dict[str, Any]:
    """Return the type of every option of a parameter class."""
    hints = get_type_hints(parameters)
    return {name: hints[name] for name in options_of(parameters)}


def alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type itself as the only one."""
    if get_origin(kind) in (Union, types.UnionType):
        return get_args(kind)
    return (kind,)


def describe_kind(kind: Any) -> str:
    """Return a type in plain words: "a number or none"."""
    words = []
    for member in alternatives(kind):
        if member is type(None):
            words.append("none")
        elif get_origin(member) in (tuple, list):
            words.append("a list of " + describe_kind(get_args(member)[0]).split(" ", 1)[-1] + "s")
        else:
            words.append(NAMES.get(member, str(member)))
    return " or ".join(words)


def convert(value: Any, kind: Any) -> Any:
    """Return `value` as the type `kind` of an option.

    Raises
    ------
    TypeError
        If the value is of no type that the option takes.
    """
    for member in alternatives(kind):
        try:
            return _convert_one(value, member)
        except (TypeError, ValueError):
            continue
    raise TypeError(describe_kind(kind))


def _convert_one(value: Any, kind: Any) -> Any:
    if kind is type(None):
        return _none(value)
    if get_origin(kind) in (tuple, list):
        return _sequence(value, kind)
    if kind is float:
        return _number(value)
    if kind is str and type(value) in (int, float):
        return str(value)  # --set outlier_detection.snr=5, of which other steps take two
    if type(value) is not kind:
        raise TypeError
    return value


def _none(value: Any) -> None:
    if value is None or (isinstance(value, str) and value.lower() in ("none", "null", "")):
        return
    raise TypeError


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)  # YAML 1.1 reads 1e-3 as a text


def _sequence(value: Any, kind: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError
    members = get_args(kind)
    if members[-1] is Ellipsis or get_origin(kind) is list:
        return tuple(convert(item, members[0]) for item in value)
    if len(members) != len(value):
        raise TypeError
    return tuple(convert(item, member) for item, member in zip(value, members, strict=True))


def check_option(where: str, item: Field[Any], kind: Any, value: Any) -> Any:
    """Return a value as the option's type, within its bounds and choices.

    Parameters
    ----------
    where : str
        How the option is called in a message: "jump.rejection_threshold".
    item : dataclasses.Field
        The option.
    kind : type
        Its type.
    value : object
        What the user gave.

    Raises
    ------
    InputError
        If the value is of another type, out of bounds or not among the choices.
    """
    try:
        number = convert(value, kind)
    except TypeError as error:
        msg = f"{where} is {value!r}; expected {error}"
        raise InputError(msg) from None
    choices = item.metadata.get("choices")
    if choices and number is not None and number not in choices:
        msg = f"{where} is {value!r}; expected one of {', '.join(map(str, choices))}"
        raise InputError(msg)
    _check_bounds(where, item, number)
    if item.metadata.get("file") and number is not None and not Path(number).is_file():
        msg = f"{where} is {value!r}, but there is no such file"
        raise InputError(msg)
    return number


def _check_bounds(where: str, item: Field[Any], value: Any) -> None:
    low, high = item.metadata.get("minimum"), item.metadata.get("maximum")
    numbers = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        # written so that NaN fails too
        if (low is not None and not number >= low) or (high is not None and not number <= high):
            unit = f" {item.metadata['unit']}" if item.metadata.get("unit") else ""
            msg = f"{where} is {number!r}{unit}; expected {_range(low, high)}{unit}"
            raise InputError(msg)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high!r}"
    if high is None:
        return f"at least {low!r}"
    return f"{low!r} to {high!r}"


def make_parameters(step_name: str, parameters: type, values: Mapping[str, Any]) -> Any:
    """Return an instance of a step's parameter class with the given values checked.

    Raises
    ------
    InputError
        If an option is unknown or its value does not fit.
    """
    known = options_of(parameters)
    checked = {}
    for name, value in values.items():
        if name not in known:
            hint = did_you_mean(name, known)
            msg = f"step {step_name} has no option {name!r}{hint}"
            raise InputError(msg)
        where = f"{step_name}.{name}"
        checked[name] = check_option(where, known[name], kinds_of(parameters)[name], value)
    return parameters(**checked)


def parse_setting(text: str) -> tuple[str, str, Any]:
    """Split ``STEP.PARAM=VALUE`` and read the value as a YAML scalar or list.

    Returns
    -------
    tuple
        Step, option, value.

    Raises
    ------
    InputError
        If the text has another form.
    """
    import yaml

    from calwebb_core.framework.yaml_reading import load_yaml

    name, equals, raw = text.partition("=")
    step, dot, parameter = name.strip().partition(".")
    if not (equals and dot and step and parameter):
        msg = f"--set {text!r}: expected STEP.PARAM=VALUE, such as jump.rejection_threshold=5"
        raise InputError(msg)
    try:
        value = load_yaml(raw)
    except yaml.YAMLError:
        value = raw
    return step, parameter, value


def merge(*layers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return mappings step -> option -> value laid over one another; later ones win."""
    merged: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for step, values in layer.items():
            merged.setdefault(step, {}).update(values)
    return merged


def read_parameter_file(path: Path) -> dict[str, dict[str, Any]]:
    """Read a YAML file of step -> option -> value.

    Raises
    ------
    InputError
        If the file is missing, not YAML or of another shape.
    """
    import yaml

    from calwebb_core.framework.yaml_reading import load_yaml

    try:
        content = load_yaml(read_text(path))
    except OSError as error:
        msg = f"{path}: the parameter file cannot be read ({error.strerror})"
        raise InputError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        msg = f"{path}: not a YAML file ({reason})"
        raise InputError(msg) from None
    return _check_file_shape(path, {} if content is None else content)


def _check_file_shape(path: Path, content: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(content, dict):
        msg = f"{path}: found {content!r:.60}; expected a mapping of steps to options"
        raise InputError(msg)
    for step, values in content.items():
        if not isinstance(values, dict | None):
            msg = f"{path}: step {step} is {values!r:.60}; expected a mapping of options to values"
            raise InputError(msg)
    return {str(step): dict(values or {}) for step, values in content.items()}
