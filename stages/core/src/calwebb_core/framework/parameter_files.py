"""The `pars-*` reference files of CRDS: options of steps instead of pixels.

Such a file is ASDF with the tree ``class, name, parameters`` for a step, or that and ``steps``, a
list of the same, for a pipeline. It is read here without the libraries of arrays, so that a
workflow can look into it while it is planned.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.plain_files import read_content
from calwebb_core.framework.reference_types import step_type

Layer = dict[str, dict[str, Any]]
END_OF_TREE = b"\n..."


def read_tree(kind: str, path: Path) -> dict[str, Any]:
    """Read the tree of a file without the ASDF library: it holds plain values only.

    Raises
    ------
    ReferenceFileError
        If the file is missing, unreadable, or of another form.
    """
    import yaml

    from calwebb_core.framework.yaml_reading import LimitedLoader, load_yaml

    class Loader(LimitedLoader):
        """Takes tagged values for what they are without the tag."""

    def untagged(loader: Any, _: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("", untagged)
    try:
        content = read_content(path)
    except OSError as error:
        msg = f"{path}: the {kind} file cannot be read ({error.strerror})"
        raise ReferenceFileError(msg) from None
    try:
        tree = load_yaml(content.partition(END_OF_TREE)[0].decode(), Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        msg = f"{path}: the {kind} file is no readable ASDF file ({reason})"
        raise ReferenceFileError(msg) from None
    if not isinstance(tree, dict) or not _is_mapping(tree.get("parameters")):
        msg = f"{path}: the {kind} file has no mapping `parameters`; --override {kind}=N/A"
        raise ReferenceFileError(msg)
    return tree


def _is_mapping(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def given_options(kind: str, path: Path) -> Layer:
    """Return what a file gives: step -> option -> value, as it is written.

    Raises
    ------
    ReferenceFileError
        As `read_tree`, or if an entry of `steps` is no mapping with a name.
    """
    tree = read_tree(kind, path)
    if "steps" not in tree:
        return {kind: dict(tree.get("parameters") or {})}
    layer: Layer = {"": dict(tree.get("parameters") or {})}
    entries = tree["steps"] or []
    for entry in entries if isinstance(entries, list) else [entries]:
        if not isinstance(entry, dict) or not _is_mapping(entry.get("parameters")):
            found = f"{entry!r:.60}"
            msg = f"{path}: steps of the {kind} file hold {found}; expected name and parameters"
            raise ReferenceFileError(msg)
        layer[str(entry.get("name"))] = dict(entry.get("parameters") or {})
    return layer


def switched(kind: str, path: Path, steps: Iterable[str]) -> dict[str, bool]:
    """Return which of some steps a file turns on (True) or off (False).

    Raises
    ------
    ReferenceFileError
        As `given_options`.
    """
    names = {step_type(name): name for name in steps} | {name: name for name in steps}
    return {
        names[name]: not values["skip"]
        for name, values in given_options(kind, path).items()
        if name in names and isinstance(values.get("skip"), bool)
    }
