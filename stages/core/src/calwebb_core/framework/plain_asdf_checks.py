"""What must not be in an ASDF file that the asdf library is to read.

The library follows references to other files, and turns tags into objects of packages that count,
or multiply out, whatever a number in the file says.
"""

import re

import yaml

from calwebb_core.framework.plain_values import DamagedError, kind_of

TEXTS = {"ucs4": "U", "ascii": "S"}
# keys of a reference in JSON's way and of the array in another file in ASDF's
REFERENCES = ("$ref", "fileuri")
# Of which the library makes a name for each; a WCS of ours has five at most.
COUNTS = ("n_dims", "n_inputs", "n_outputs", "dimensions", "mapping")
MOST_AXES = 1000
# A unit is parsed with its powers multiplied out.
LONGEST_UNIT, MOST_DIGITS = 200, 4
LONGEST_TEXT = 100_000  # characters of each value in an array of texts
MOST_STRIDED = 10_000_000  # values of an array whose strides can repeat a few bytes


def checked_parts(node: yaml.Node | None) -> list[yaml.Node]:
    """Check a node by itself; return those in it, which are to be checked, too.

    Raises
    ------
    DamagedError
        If it refers to another file, or makes the library count or multiply without end.
    """
    if isinstance(node, yaml.SequenceNode):
        check_text_type([str(item.value) for item in node.value[:2]])
        return list(node.value)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            check_entry(kind_of(node.tag), str(key.value), value)
        check_strides({str(key.value): value for key, value in node.value})
        return [value for _, value in node.value]
    if isinstance(node, yaml.ScalarNode) and kind_of(node.tag).startswith("unit/"):
        check_unit(str(node.value))
    return []


def check_entry(kind: str, key: str, value: yaml.Node) -> None:
    """Refuse an entry of a mapping that refers to another file, or counts without end."""
    if isinstance(value, yaml.ScalarNode):
        check_reference(kind, key, str(value.value))
        if key == "unit":
            check_unit(str(value.value))
    if key not in COUNTS or not kind.startswith("transform/"):
        return
    for item in value.value if isinstance(value, yaml.SequenceNode) else [value]:
        text = str(item.value)
        if len(text) > MOST_DIGITS or (text.isdecimal() and int(text) > MOST_AXES):
            msg = f"{key} of a transform is {text:.40}; expected at most {MOST_AXES}"
            raise DamagedError(msg)


def check_strides(entry: dict[str, yaml.Node]) -> None:
    """Refuse an array whose strides make far more of its bytes than there are."""
    shape = entry.get("shape")
    if "strides" not in entry or not isinstance(shape, yaml.SequenceNode):
        return
    size = 1
    for length in shape.value:
        text = str(length.value)
        size *= int(text[:20]) if text.isdecimal() else 1
    if size > MOST_STRIDED:
        msg = f"an array with strides has {size} values; expected at most {MOST_STRIDED}"
        raise DamagedError(msg)


def check_text_type(words: list[str]) -> None:
    """Refuse an array of texts each of which would take more memory than a file has."""
    if len(words) > 1 and words[0] in TEXTS and words[1].isdecimal():
        text_length(int(words[1][:20]))


def text_length(length: int) -> int:
    """Return the length of the texts of an array.

    Raises
    ------
    DamagedError
        If it is none that a file here has.
    """
    if length > LONGEST_TEXT:
        msg = f"texts of an array have {length} characters; expected at most {LONGEST_TEXT}"
        raise DamagedError(msg)
    return length


def check_unit(text: str) -> None:
    """Refuse a unit that takes without end to work out, such as ``10**99999999 m``."""
    digits = max(map(len, re.findall(r"\d+", text)), default=0)
    if len(text) > LONGEST_UNIT or digits > MOST_DIGITS:
        msg = f"{text!r:.60} is no unit that is used here"
        raise DamagedError(msg)


def check_reference(kind: str, key: str, place: str) -> None:
    """Refuse an array in another file, and any part of one; other HDUs of a product are well."""
    array = kind == "core/ndarray" and key == "source"
    array = array and not place.lstrip("-").isdecimal() and not place.startswith("fits:")
    if array or (key in REFERENCES and not place.startswith("#")):
        msg = f"it refers to another file ({key} {place!r:.60})"
        raise DamagedError(msg)
