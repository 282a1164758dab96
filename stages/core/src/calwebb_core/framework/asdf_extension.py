"""The ASDF extension of a product: metadata tree, WCS and provenance.

The tree has the product definition's `meta`, so that other readers find each value and the
WCS at `meta.wcs`; what this pipeline records about itself is at `calwebb_flow`.
"""

import io
import logging
import warnings
from typing import Any

from calwebb_core.framework.keywords import find_keyword
from calwebb_core.framework.metadata import Metadata

logger = logging.getLogger(__name__)

PROVENANCE = "calwebb_flow"
PLAIN_HEAD = (
    b"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n"
    b"--- !core/asdf-1.1.0\n"
)


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
    wcs : gwcs.WCS, optional

    Returns
    -------
    bytes
        The same for the same input: the libraries that wrote it are listed by name.
    """
    tree: dict[str, Any] = {"meta": meta_tree(metadata, values)}
    if metadata.provenance:
        tree[PROVENANCE] = metadata.provenance
    if wcs is None:
        return plain_file(tree)
    import asdf

    tree["meta"]["wcs"] = wcs
    # asdf lists the extensions it used in the order of a set, but keeps the order of a list
    # that is there already
    first = asdf.util.load_yaml(io.BytesIO(write(asdf.AsdfFile(tree))))
    used = sorted(first["history"]["extensions"], key=lambda entry: entry["extension_uri"])
    tree["history"] = {"extensions": [asdf.tags.core.ExtensionMetadata(entry) for entry in used]}
    return write(asdf.AsdfFile(tree))


def plain_file(tree: dict[str, Any]) -> bytes:
    """Return the ASDF file of a tree of plain values.

    The asdf library would load the extensions of every installed package first, which takes
    longer than many a step; a tree without objects needs none of them.
    """
    import yaml

    text = yaml.dump(native(tree), Dumper=yaml.CSafeDumper, encoding="utf-8", allow_unicode=True)
    return PLAIN_HEAD + text + b"...\n"


def native(value: Any) -> Any:
    """Return a tree with numpy's numbers and tuples as plain ones."""
    if isinstance(value, dict):
        return {str(key): native(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [native(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def write(file: Any) -> bytes:
    """Return what an ASDF file would be on disk."""
    buffer = io.BytesIO()
    file.write_to(buffer)
    return buffer.getvalue()


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
    wcs : gwcs.WCS or None
        None, with a warning in the log, if it needs libraries that are not here.
    provenance : dict
        Empty for a product that this pipeline has not written.
    """
    if b"wcs:" not in content and PROVENANCE.encode() not in content:
        return None, {}
    import asdf

    with warnings.catch_warnings():
        # pixels that others link to from their tree, and types of theirs, are not needed here
        warnings.simplefilter("ignore", asdf.exceptions.AsdfWarning)
        with asdf.open(io.BytesIO(content), lazy_load=False, memmap=False) as file:
            wcs = file.tree.get("meta", {}).get("wcs")
            provenance = file.tree.get(PROVENANCE, {})
    if wcs is not None and not hasattr(wcs, "forward_transform"):
        logger.warning("%s: its WCS cannot be read here and is left out", source)
        wcs = None
    return wcs, dict(provenance)
