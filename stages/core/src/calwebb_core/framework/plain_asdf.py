"""Read and write ASDF files as plain trees, without the objects that their tags stand for.

The asdf library turns every tag into an object of some package; loading these packages takes
longer than many a step. Here a tagged mapping stays a mapping that knows its tag (`Tagged`), and
arrays are numpy arrays. What is not known here is refused (`UnknownContentError`), so that the
caller can turn to the library; what is broken is told apart (`DamagedError`).
"""

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray

from calwebb_core.framework.plain_asdf_blocks import BOOL, Block, find_blocks
from calwebb_core.framework.plain_asdf_checks import TEXTS, checked_parts, text_length
from calwebb_core.framework.plain_asdf_writing import write_tree
from calwebb_core.framework.plain_values import (
    STANDARD_TAG,
    DamagedError,
    PlainTable,
    Tagged,
    TaggedList,
    TaggedText,
    UnknownContentError,
    kind_of,
)
from calwebb_core.framework.yaml_reading import LimitedLoader

__all__ = [
    "STANDARD_TAG",
    "DamagedError",
    "PlainTable",
    "Tagged",
    "TaggedList",
    "TaggedText",
    "UnknownContentError",
    "check_for_library",
    "kind_of",
    "read_tree",
    "write_tree",
]

END_OF_TREE = re.compile(rb"\r?\n\.\.\.\r?(\n|$)")
ORDER: dict[str, Literal["<", ">"]] = {"little": "<", "big": ">"}
TABLES = ("core/table", "table/table")
LARGEST_TREE = 50_000_000
NUMBERS = {
    BOOL: "bool",
    **{f"{kind}{bits}": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"complex{bits}": f"complex{bits}" for bits in (64, 128)},
}


def read_tree(content: bytes, known: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the tree of an ASDF file.

    Parameters
    ----------
    content : bytes
        The whole file.
    known : sequence of str, optional
        Beginnings of the kinds of tags that the caller can do with; any by default.

    Raises
    ------
    DamagedError
        If it is cut short, or a block's bytes are not those of its checksum.
    UnknownContentError
        If it holds arrays in a form that is not read here, or tags that are not known.
    """
    loader, blocks = loader_of(content)
    loader.blocks = blocks
    loader.known = ("",) if known is None else (*known, "core/")
    try:
        tree = loader.get_single_data()
    except yaml.YAMLError as error:
        raise no_yaml(error) from error
    finally:
        loader.dispose()
    if not isinstance(tree, dict):
        msg = "its tree is no mapping"
        raise DamagedError(msg)
    return tree


def check_for_library(content: bytes) -> None:
    """Refuse a file that would make the asdf library read others, or more than it holds.

    Raises
    ------
    DamagedError
        If it is nested without end, has a block that is compressed more than a hundredfold,
        refers to another file, or makes the library count or multiply without end.
    """
    loader, _ = loader_of(content)
    try:
        waiting = [loader.get_single_node()]
    except yaml.YAMLError as error:
        raise no_yaml(error) from error
    finally:
        loader.dispose()
    while waiting:
        waiting += checked_parts(waiting.pop())


def no_yaml(error: yaml.YAMLError) -> DamagedError:
    """Return what to say of a tree that cannot be read."""
    return DamagedError(f"its tree is no YAML ({' '.join(str(error).split()):.200})")


class TreeLoader(LimitedLoader):
    """A YAML loader that keeps tags and puts arrays in their places."""

    blocks: list[Block]
    known: tuple[str, ...]


def loader_of(content: bytes) -> tuple[TreeLoader, list[Block]]:
    """Return a loader of the tree of a file, and the file's blocks.

    Raises
    ------
    DamagedError
        If it is no ASDF file, or cut short.
    """
    if not content.startswith(b"#ASDF"):
        msg = "it doesn't begin with #ASDF"
        raise DamagedError(msg)
    end = END_OF_TREE.search(content)
    if end is None:
        msg = "its tree has no end"
        raise DamagedError(msg)
    if end.start() > LARGEST_TREE:
        msg = f"its tree has {end.start()} bytes; expected at most {LARGEST_TREE}"
        raise DamagedError(msg)
    blocks = list(find_blocks(content, end.end()))
    try:
        return TreeLoader(content[: end.start() + 1]), blocks
    except yaml.YAMLError as error:
        raise no_yaml(error) from error


def construct_tagged(loader: TreeLoader, tag: str, node: yaml.Node) -> Any:
    """Return a tagged value, or the array that it describes."""
    kind = kind_of(tag)
    if kind == "core/ndarray":
        return construct_array(loader, tag, node)
    if not kind.startswith(loader.known):
        raise UnknownContentError(tag)
    if isinstance(node, yaml.MappingNode):
        tagged = Tagged(tag, loader.construct_mapping(node, deep=True))
        return construct_table(tagged) if kind in TABLES else tagged
    if isinstance(node, yaml.SequenceNode):
        return TaggedList(tag, loader.construct_sequence(node, deep=True))
    return TaggedText(tag, str(node.value))


def construct_table(tagged: Tagged) -> PlainTable:
    """Return a table of plain columns.

    Raises
    ------
    UnknownContentError
        If a column has units, a mask or another form that is not read here.
    """
    columns = {}
    for column in tagged.get("columns") or ():
        plain = isinstance(column, Tagged) and set(column) <= {
            "name",
            "data",
            "description",
            "meta",
        }
        if not plain or not isinstance(column.get("data"), np.ndarray):
            msg = "a column with a unit, a mask or another form"
            raise UnknownContentError(msg)
        columns[str(column.get("name"))] = column["data"]
    try:
        return PlainTable({str(name): columns[str(name)] for name in tagged["colnames"]})
    except (KeyError, TypeError) as error:
        msg = f"a table without column {error}"
        raise DamagedError(msg) from error


def construct_array(loader: TreeLoader, tag: str, node: yaml.Node) -> Any:
    """Return the array of an ndarray node: inline values, or a part of a block.

    An array that is none of these, as one that stands in another HDU, stays a tagged mapping
    where any tag is welcome.
    """
    if isinstance(node, yaml.SequenceNode):
        return inline(loader.construct_sequence(node, deep=True))
    if not isinstance(node, yaml.MappingNode):
        msg = "an array that is neither a sequence nor a mapping"
        raise DamagedError(msg)
    pairs = loader.construct_mapping(node, deep=True)
    entry: dict[str, Any] = {str(key): value for key, value in pairs.items()}
    source, datatype = entry.get("source"), entry.get("datatype")
    if "data" in entry and "mask" not in entry:
        return inline(entry["data"], None if datatype is None else array_type(datatype, entry))
    shape = entry.get("shape")
    simple = datatype is not None and "mask" not in entry
    simple = simple and isinstance(shape, list) and "*" not in shape
    if not isinstance(source, int) or source < 0 or not simple:
        if loader.known == ("",):
            return Tagged(tag, entry)
        msg = "an array elsewhere, with a mask, of mixed types or of open length"
        raise UnknownContentError(msg)
    if source >= len(loader.blocks):
        msg = f"array {source} of {len(loader.blocks)} is missing"
        raise DamagedError(msg)
    return view(loader.blocks[source](), array_type(datatype, entry), entry)


def array_type(datatype: Any, entry: dict[str, Any]) -> np.dtype[Any]:
    """Return the numpy type of an array node; texts have a list of kind and length.

    A list of mappings is the type of a record, one mapping a field.
    """
    try:
        if isinstance(datatype, list) and datatype and isinstance(datatype[0], dict):
            return np.dtype([record_field(field, entry) for field in datatype])
        if isinstance(datatype, list):
            kind, length = datatype
            order = ORDER[entry.get("byteorder", "big")]
            return np.dtype(f"{order}{TEXTS[kind]}{text_length(length):d}")
        dtype = np.dtype(NUMBERS[datatype])
        return dtype.newbyteorder(ORDER[entry.get("byteorder", "big")])
    except (TypeError, ValueError, KeyError, OverflowError):
        msg = f"an array of {datatype!r:.40}"
        raise UnknownContentError(msg) from None


def record_field(field: dict[str, Any], entry: dict[str, Any]) -> tuple[str, np.dtype[Any]]:
    """Return name and type of a record's field; fields of several values are not read."""
    if field.get("shape") or isinstance(field["datatype"], list):
        msg = "a field of several values"
        raise ValueError(msg)
    return str(field["name"]), array_type(field["datatype"], entry | field)


def inline(values: Any, dtype: np.dtype[Any] | None = None) -> NDArray[Any]:
    """Return the array of values that stand in the tree."""
    try:
        array: NDArray[Any] = np.asarray(values, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"values of an array do not go together ({error})"
        raise DamagedError(msg) from error
    if array.dtype.hasobject:
        msg = "values of an array are no numbers or texts"
        raise DamagedError(msg)
    return array


def view(content: bytes, dtype: np.dtype[Any], entry: dict[str, Any]) -> NDArray[Any]:
    """Return the part of a block that an array node describes, of native byte order."""
    shape, strides = tuple(entry["shape"]), entry.get("strides")
    damaged = DamagedError(
        f"an array of shape {shape!r:.60} is not within its block of {len(content)} bytes"
    )
    try:
        array: NDArray[Any] = np.ndarray(
            shape,
            dtype,
            buffer=content,
            offset=entry.get("offset", 0),
            strides=None if strides is None else tuple(strides),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise damaged from error
    # strides can let a few bytes stand for any number of values, and numpy takes -1 for the rest
    if array.shape != shape or array.size * dtype.itemsize > len(content):
        raise damaged
    return array.astype(dtype.newbyteorder("="), order="C")


TreeLoader.add_multi_constructor("", construct_tagged)
