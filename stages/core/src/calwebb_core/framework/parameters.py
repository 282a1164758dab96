"""Options of a step: a frozen dataclass whose fields carry meaning, bounds and choices.

The class is the one source for `--set`, the schema of the workflow's configuration, the
tables of the documentation and the record in a product's provenance.
"""

from dataclasses import field
from typing import Any


def option(
    default: Any,
    meaning: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] | None = None,
    unit: str = "",
) -> Any:
    """Declare one option of a step as a field of its frozen parameter dataclass.

    Parameters
    ----------
    default : bool, int, float, str or None
        Value when nobody says otherwise.
    meaning : str
        One line for people.
    minimum, maximum : float, optional
        Inclusive bounds.
    choices : tuple of str, optional
        The only values allowed.
    unit : str
        Unit of the value, if it has one.
    """
    metadata = {
        "meaning": meaning,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "unit": unit,
    }
    return field(default=default, metadata=metadata)


class NoParameters:
    """Parameters of a step that has none."""
