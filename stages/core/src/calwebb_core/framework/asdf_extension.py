"""The ASDF extension of a product: metadata tree, WCS and provenance.

The tree has the product definition's `meta`, so that other readers find each value and the
WCS at `meta.wcs`; what this pipeline records about itself is at `calwebb_flow`.
"""

import io
import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.keywords import find_keyword
from calwebb_core.framework.metadata import PROVENANCE, Metadata
from calwebb_core.framework.plain_asdf import (
    STANDARD_TAG,
    DamagedError,
    Tagged,
    UnknownContentError,
    check_for_library,
    read_tree,
    write_tree,
)
from calwebb_core.framework.plain_values import mapping_of
from calwebb_core.science.transforms import UnknownTransformError
from calwebb_core.science.world import World

logger = logging.getLogger(__name__)

EXTENSION = STANDARD_TAG + "core/extension_metadata-1.0.0"
# what a reader needs for the tags of a WCS; asdf names these in its warning where one is missing
EXTENSIONS = [
    {
        "extension_class": "asdf.extension._manifest.ManifestExtension",
        "extension_uri": f"asdf://{uri}",
    }
    for uri in (
        "asdf-format.org/astronomy/coordinates/extensions/coordinates-1.0.0",
        "asdf-format.org/astronomy/gwcs/extensions/gwcs-1.4.0",
        "asdf-format.org/core/extensions/core-1.6.0",
        "asdf-format.org/transform/extensions/transform-1.7.0",
    )
]

# parts of the exposure's tree that other readers look for in each of its slits
OF_SLITS = ("instrument", "exposure", "cal_step")


def meta_tree(metadata: Metadata, values: dict[str, Any]) -> dict[str, Any]:
    """Return the nested `meta` of the known keywords.

    A value whose type is not that of its keyword stays in the header only.
    """
    tree: dict[str, Any] = {}
    for name in sorted(values):
        entry = find_keyword(name, metadata.homes.get(name, ""))
        if entry is None or not entry.fits(values[name]):
            continue
        *parents, leaf = entry.path.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = values[name]
    return tree


def to_asdf(metadata: Metadata, values: dict[str, Any], wcs: Any = None) -> bytes:
    """Return the ASDF file of a product.

    Parameters
    ----------
    metadata : Metadata
        Homes of the keywords and provenance.
    values : dict
        Keyword values as they stand in the headers.
    wcs : World or gwcs.WCS, optional

    Returns
    -------
    bytes
        The same for the same input. The asdf library and the packages whose objects it would
        store are not needed: loading them takes longer than many a step.
    """
    tree: dict[str, Any] = {"meta": meta_tree(metadata, values)}
    if metadata.provenance:
        tree[PROVENANCE] = metadata.provenance
    if wcs is not None:
        tree["meta"]["wcs"] = wcs_node(wcs)
        tree["history"] = {"extensions": [Tagged(EXTENSION, entry) for entry in EXTENSIONS]}
    return write_tree(tree)


def slits_to_asdf(
    metadata: Metadata, values: dict[str, Any], slits: Sequence[tuple[Any, bool | None]]
) -> bytes:
    """Return the ASDF file of a product of several slits.

    Parameters
    ----------
    metadata, values
        Of the exposure, as for `to_asdf`.
    slits : sequence of (WCS or None, extended or None)
        What the headers of the slits cannot hold.
    """
    tree: dict[str, Any] = {"meta": meta_tree(metadata, values)}
    if metadata.provenance:
        tree[PROVENANCE] = metadata.provenance
    nodes: list[dict[str, Any]] = []
    for wcs, extended in slits:
        node: dict[str, Any] = {} if extended is None else {"is_extended": extended}
        node["meta"] = {part: tree["meta"][part] for part in OF_SLITS if part in tree["meta"]}
        # what the official stage 3 makes of a slit that it takes out of its exposure
        node["meta"]["model_type"] = "SlitModel"
        if wcs is not None:
            node["meta"]["wcs"] = wcs_node(wcs)
            tree["history"] = {"extensions": [Tagged(EXTENSION, entry) for entry in EXTENSIONS]}
        nodes.append(node)
    tree["slits"] = nodes
    return write_tree(tree)


def slits_from_asdf(content: bytes, source: str, count: int) -> list[tuple[Any, bool | None]]:
    """Read what `slits_to_asdf` wrote of the slits: WCS, and whether the source is extended.

    Raises
    ------
    InputError
        If the extension is damaged, or has another number of slits.
    """
    try:
        nodes = read_tree(content).get("slits") or [{}] * count
        found = [slit_from_node(mapping_of(node)) for node in nodes]
    except (UnknownContentError, UnknownTransformError):
        found = slits_with_library(content)
    except MemoryError:
        raise
    except Exception as error:  # whatever a tree of another form leads to
        raise damaged(source, error) from error
    if len(found) != count:
        msg = f"{source}: its ASDF extension has {len(found)} slits, but there are {count} SCI"
        raise InputError(msg)
    return found


def slit_from_node(node: Mapping[str, Any]) -> tuple[Any, bool | None]:
    """Return WCS and extent of a slit from its place in the tree."""
    wcs = mapping_of(node.get("meta")).get("wcs")
    extended = node.get("is_extended")
    return (
        None if wcs is None else World.from_node(wcs),
        extended if isinstance(extended, bool) else None,
    )


def slits_with_library(content: bytes) -> list[tuple[Any, bool | None]]:
    """Read them by the asdf library, which knows the objects of other packages."""
    import asdf

    check_for_library(content)
    with warnings.catch_warnings():
        # pixels that others link to from their tree, and types of theirs, are not needed here
        warnings.simplefilter("ignore", asdf.exceptions.AsdfWarning)
        with asdf.open(io.BytesIO(content), lazy_load=False, memmap=False) as file:
            nodes = [mapping_of(node) for node in file.tree.get("slits", [])]
    found = []
    for node in nodes:
        wcs, extended = mapping_of(node.get("meta")).get("wcs"), node.get("is_extended")
        usable = wcs if hasattr(wcs, "forward_transform") else None
        found.append((usable, extended if isinstance(extended, bool) else None))
    return found


def wcs_node(wcs: Any) -> Any:
    """Return the ASDF node of a WCS; one of gwcs passes through the asdf library."""
    if hasattr(wcs, "node"):
        return wcs.node()
    import asdf

    buffer = io.BytesIO()
    asdf.AsdfFile({"wcs": wcs}).write_to(buffer)
    node = read_tree(buffer.getvalue())["wcs"]
    try:
        return World.from_node(node).node()
    except UnknownTransformError:
        return node


def from_asdf(content: bytes, source: str) -> tuple[Any, dict[str, Any]]:
    """Read WCS and provenance from an ASDF extension.

    Parameters
    ----------
    content : bytes
        The embedded ASDF file.
    source : str
        Name of the product, for messages.

    Returns
    -------
    wcs : World, gwcs.WCS or None
        A World for an image; gwcs's own object for what World doesn't evaluate; None, with a
        warning in the log, if it needs libraries that are not here.
    provenance : dict
        Empty for a product that this pipeline has not written.

    Raises
    ------
    InputError
        If the extension is damaged.
    """
    if b"wcs:" not in content and PROVENANCE.encode() not in content:
        return None, {}
    try:
        wcs, record = parts_of(content, source)
        provenance = checked_record(record)
    except MemoryError:
        raise
    except Exception as error:  # whatever a tree of another form leads to
        raise damaged(source, error) from error
    return wcs, provenance


def record_from_asdf(content: bytes, source: str) -> dict[str, Any]:
    """Return the provenance in an ASDF extension, whatever WCS is beside it.

    Raises
    ------
    InputError
        If the extension is damaged.
    """
    if PROVENANCE.encode() not in content:
        return {}
    try:
        return checked_record(read_tree(content).get(PROVENANCE))
    except MemoryError:
        raise
    except Exception as error:  # whatever a tree of another form leads to
        raise damaged(source, error) from error


def parts_of(content: bytes, source: str) -> tuple[Any, Any]:
    """Return the WCS and the record of how the product was made, as they stand in the tree."""
    try:
        tree = read_tree(content)
        node = mapping_of(tree.get("meta")).get("wcs")
        wcs = None if node is None else wcs_from_node(node)
    except (UnknownContentError, UnknownTransformError):
        return with_library(content, source)
    return wcs, tree.get(PROVENANCE)


def wcs_from_node(node: Any) -> Any:
    """Return the WCS of a node; of several slits in one, theirs."""
    from calwebb_core.science.nirspec.stored import is_of_slits

    if not is_of_slits(node):
        return World.from_node(node)
    from calwebb_core.science.nirspec.slit_worlds import SlitWorlds

    return SlitWorlds.from_node(node)


def with_library(content: bytes, source: str) -> tuple[Any, Any]:
    """Read both by the asdf library, which knows the objects of other packages."""
    import asdf

    check_for_library(content)
    with warnings.catch_warnings():
        # pixels that others link to from their tree, and types of theirs, are not needed here
        warnings.simplefilter("ignore", asdf.exceptions.AsdfWarning)
        with asdf.open(io.BytesIO(content), lazy_load=False, memmap=False) as file:
            wcs = mapping_of(file.tree.get("meta")).get("wcs")
            record = file.tree.get(PROVENANCE)
    if wcs is not None and not hasattr(wcs, "forward_transform"):
        logger.warning("%s: its WCS cannot be read here and is left out", source)
        wcs = None
    return wcs, record


def checked_record(record: Any) -> dict[str, Any]:
    """Return the record of how a product was made; {} without one.

    Raises
    ------
    DamagedError
        If it is of another form than this pipeline writes.
    """
    if not record:
        return {}
    runs = record.get("runs", []) if isinstance(record, Mapping) else None
    if not isinstance(runs, list) or not all(isinstance(run, Mapping) for run in runs):
        msg = f"{PROVENANCE} is no record of runs"
        raise DamagedError(msg)
    return dict(record)


def damaged(source: str, error: Exception) -> InputError:
    """Return what the user is told about a tree that cannot be read."""
    return InputError(f"{source}: its ASDF extension is damaged: {error}; make the product again")
