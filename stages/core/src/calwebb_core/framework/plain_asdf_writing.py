"""Write ASDF files from plain trees, without the objects that their tags stand for."""

import hashlib
import io
import struct
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from calwebb_core.framework.plain_asdf_blocks import BLOCK_HEADER, BLOCK_MAGIC, BOOL
from calwebb_core.framework.plain_values import STANDARD_TAG, Tagged, TaggedList, TaggedText

HEAD = b"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n"
ROOT_TAG = STANDARD_TAG + "core/asdf-1.1.0"
ARRAY_TAG = STANDARD_TAG + "core/ndarray-1.1.0"


class TreeDumper(yaml.CSafeDumper):
    """A YAML dumper that writes tags, numpy's numbers, and arrays as blocks."""

    arrays: list[NDArray[Any]]


def represent_tagged(dumper: TreeDumper, value: Tagged) -> yaml.Node:
    """Write a tagged mapping."""
    return dumper.represent_mapping(value.tag, dict(value))


def represent_array(dumper: TreeDumper, value: NDArray[Any]) -> yaml.Node:
    """Write an array as a reference to the block it will stand in."""
    entry = {
        "source": len(dumper.arrays),
        "datatype": BOOL if value.dtype == bool else value.dtype.name,
        "byteorder": "little",
        "shape": list(value.shape),
    }
    dumper.arrays.append(value)
    return dumper.represent_mapping(ARRAY_TAG, entry)


TreeDumper.add_representer(Tagged, represent_tagged)
TreeDumper.add_representer(
    TaggedList, lambda dumper, value: dumper.represent_sequence(value.tag, list(value))
)
TreeDumper.add_representer(
    TaggedText, lambda dumper, value: dumper.represent_scalar(value.tag, str(value))
)
TreeDumper.add_representer(np.ndarray, represent_array)
TreeDumper.add_representer(
    tuple, lambda dumper, value: dumper.represent_sequence("tag:yaml.org,2002:seq", list(value))
)
TreeDumper.add_multi_representer(
    np.generic,  # type: ignore[type-abstract]
    lambda dumper, value: dumper.represent_data(value.item()),
)


def write_tree(tree: dict[str, Any]) -> bytes:
    """Return the ASDF file of a tree of plain and tagged values and arrays.

    The same tree gives the same bytes. Mappings are written in alphabetical order.
    """
    buffer = io.BytesIO()
    dumper = TreeDumper(
        buffer,
        encoding="utf-8",
        allow_unicode=True,
        default_flow_style=None,  # type: ignore[arg-type]  # None: only the innermost in one line
        explicit_start=True,
        explicit_end=True,
        version=(1, 1),
        tags={"!": STANDARD_TAG},
    )
    dumper.arrays = []
    dumper.open()
    dumper.represent(Tagged(ROOT_TAG, tree))
    dumper.close()
    dumper.dispose()
    return HEAD + buffer.getvalue() + b"".join(block(array) for array in dumper.arrays)


def block(array: NDArray[Any]) -> bytes:
    """Return an array as a block, little-endian, with its checksum."""
    content = array.astype(array.dtype.newbyteorder("<")).tobytes()
    checksum = hashlib.md5(content, usedforsecurity=False).digest()
    size = len(content)
    header = BLOCK_HEADER.pack(0, bytes(4), size, size, size, checksum)
    return BLOCK_MAGIC + struct.pack(">H", len(header)) + header + content
