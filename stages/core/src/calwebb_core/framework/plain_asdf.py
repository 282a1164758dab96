"""Read and write ASDF files as plain trees, without the objects that their tags stand for.

The asdf library turns every tag into an object of some package; loading these packages takes
longer than many a step. Here a tagged mapping stays a mapping that knows its tag (`Tagged`), and
arrays are numpy arrays. What this module doesn't know it refuses (`UnknownContentError`), so that
the caller can turn to the library.

Layout of the format: ASDF standard 1.6.0. Each binary block carries the MD5 sum of its bytes,
which is checked here (the library doesn't by default).
"""

import bz2
import hashlib
import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray

STANDARD_TAG = "tag:stsci.edu:asdf/"
HEAD = b"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n"
ROOT_TAG = STANDARD_TAG + "core/asdf-1.1.0"
ARRAY_TAG = STANDARD_TAG + "core/ndarray-1.1.0"
BLOCK_MAGIC = b"\xd3BLK"
# after magic and header size: flags, compression, allocated, used and data size, MD5
BLOCK_HEADER = struct.Struct(">I4sQQQ16s")
STREAMED = 1
BOOL = "bool8"
TEXTS = {"ucs4": "U", "ascii": "S"}
ORDER: dict[str, Literal["<", ">"]] = {"little": "<", "big": ">"}
TABLES = ("core/table", "table/table")
END_OF_TREE = re.compile(rb"\r?\n\.\.\.\r?(\n|$)")
KIND = re.compile(r"^tag:[^:]+:(?:asdf/|astropy/)?(.*?)(?:-\d+\.\d+\.\d+)?$")

Block = Callable[[], bytes]


class UnknownContentError(Exception):
    """The file holds something that only the asdf library can read."""


class DamagedError(Exception):
    """The file isn't what its format says."""


class Tagged(dict[str, Any]):
    """A mapping with its YAML tag."""

    def __init__(self, tag: str, values: Any = ()) -> None:
        super().__init__(values)
        self.tag = tag

    @property
    def kind(self) -> str:
        """The tag without authority and version, as ``transform/shift``."""
        return kind_of(self.tag)


class TaggedList(list[Any]):
    """A sequence with its YAML tag."""

    def __init__(self, tag: str, values: Any = ()) -> None:
        super().__init__(values)
        self.tag = tag


class TaggedText(str):
    """A text with its YAML tag, as a unit."""

    tag: str

    def __new__(cls, tag: str, value: str) -> "TaggedText":
        """Make a text that knows its tag."""
        self = super().__new__(cls, value)
        self.tag = tag
        return self


class PlainTable:
    """A table of columns by name; iterating yields its rows as dicts of plain values."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self.columns = dict(columns)

    @property
    def colnames(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for values in zip(*(column.tolist() for column in self.columns.values()), strict=True):
            yield dict(zip(self.columns, values, strict=True))


def kind_of(tag: str) -> str:
    """Return a tag without authority and version."""
    match = KIND.match(tag)
    return match.group(1) if match else tag


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
    if not content.startswith(b"#ASDF"):
        msg = "it doesn't begin with #ASDF"
        raise DamagedError(msg)
    end = END_OF_TREE.search(content)
    if end is None:
        msg = "its tree has no end"
        raise DamagedError(msg)
    loader = TreeLoader(content[: end.start() + 1])
    loader.blocks = list(find_blocks(content, end.end()))
    loader.known = ("",) if known is None else (*known, "core/")
    try:
        tree = loader.get_single_data()
    except yaml.YAMLError as error:
        msg = f"its tree is no YAML ({' '.join(str(error).split())})"
        raise DamagedError(msg) from error
    finally:
        loader.dispose()
    if not isinstance(tree, dict):
        msg = "its tree is no mapping"
        raise DamagedError(msg)
    return tree


def find_blocks(content: bytes, start: int) -> Iterator[Block]:
    """Yield a function for each binary block that reads and checks its bytes."""
    place = content.find(BLOCK_MAGIC, start)
    while place >= 0 and content[place : place + 4] == BLOCK_MAGIC:
        (size,) = struct.unpack_from(">H", content, place + 4)
        first = place + 6 + size
        if size < BLOCK_HEADER.size or first > len(content):
            msg = "the header of a block is cut short"
            raise DamagedError(msg)
        flags, compression, allocated, used, _, checksum = BLOCK_HEADER.unpack_from(
            content, place + 6
        )
        if flags & STREAMED:
            msg = "a streamed block"
            raise UnknownContentError(msg)
        if used > allocated or first + used > len(content):
            msg = "a block is cut short"
            raise DamagedError(msg)
        yield block_reader(content, first, used, compression, checksum)
        place = first + allocated


def block_reader(
    content: bytes, first: int, used: int, compression: bytes, checksum: bytes
) -> Block:
    """Return a function that returns the bytes of a block."""

    def read() -> bytes:
        stored = content[first : first + used]
        if any(checksum) and hashlib.md5(stored, usedforsecurity=False).digest() != checksum:
            msg = "the bytes of a block are not those of its checksum"
            raise DamagedError(msg)
        if compression == bytes(4):
            return stored
        if compression == b"zlib":
            return zlib.decompress(stored)
        if compression == b"bzp2":
            return bz2.decompress(stored)
        msg = f"a block compressed with {compression!r}"
        raise UnknownContentError(msg)

    return read


class TreeLoader(yaml.CSafeLoader):
    """A YAML loader that keeps tags and puts arrays in their places."""

    blocks: list[Block]
    known: tuple[str, ...]


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
    for column in tagged["columns"]:
        plain = isinstance(column, Tagged) and set(column) <= {
            "name",
            "data",
            "description",
            "meta",
        }
        if not plain or not isinstance(column["data"], np.ndarray):
            msg = "a column with a unit, a mask or another form"
            raise UnknownContentError(msg)
        columns[column["name"]] = column["data"]
    return PlainTable({name: columns[name] for name in tagged["colnames"]})


def construct_array(loader: TreeLoader, tag: str, node: yaml.Node) -> Any:
    """Return the array of an ndarray node: inline values, or a part of a block.

    An array that is none of these, as one that stands in another HDU, stays a tagged mapping
    where any tag is welcome.
    """
    if isinstance(node, yaml.SequenceNode):
        return np.asarray(loader.construct_sequence(node, deep=True))
    if not isinstance(node, yaml.MappingNode):
        msg = "an array that is neither a sequence nor a mapping"
        raise DamagedError(msg)
    pairs = loader.construct_mapping(node, deep=True)
    entry: dict[str, Any] = {str(key): value for key, value in pairs.items()}
    source, datatype = entry.get("source"), entry.get("datatype")
    if "data" in entry and "mask" not in entry:
        return np.asarray(entry["data"], None if datatype is None else array_type(datatype, entry))
    simple = datatype is not None and "mask" not in entry and "*" not in entry.get("shape", "*")
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
    """Return the numpy type of an array node; texts have a list of kind and length."""
    try:
        if isinstance(datatype, list):
            kind, length = datatype
            return np.dtype(f"{ORDER[entry.get('byteorder', 'big')]}{TEXTS[kind]}{length:d}")
        dtype = np.dtype("bool" if datatype == BOOL else datatype)
    except (TypeError, ValueError, KeyError):
        msg = f"an array of {datatype}"
        raise UnknownContentError(msg) from None
    return dtype.newbyteorder(ORDER[entry.get("byteorder", "big")])


def view(content: bytes, dtype: np.dtype[Any], entry: dict[str, Any]) -> NDArray[Any]:
    """Return the part of a block that an array node describes, of native byte order."""
    shape, strides = tuple(entry["shape"]), entry.get("strides")
    try:
        array: NDArray[Any] = np.ndarray(
            shape,
            dtype,
            buffer=content,
            offset=entry.get("offset", 0),
            strides=None if strides is None else tuple(strides),
        )
    except (TypeError, ValueError) as error:
        msg = f"an array of shape {shape} is not within its block of {len(content)} bytes"
        raise DamagedError(msg) from error
    return array.astype(dtype.newbyteorder("="), order="C")


TreeLoader.add_multi_constructor("", construct_tagged)


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
