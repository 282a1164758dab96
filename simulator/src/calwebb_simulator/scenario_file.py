"""Read scenarios from YAML: those of the package and the user's own."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import yaml

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import did_you_mean
from calwebb_core.framework.plain_files import read_text
from calwebb_core.framework.yaml_reading import load_yaml
from calwebb_simulator.effects import chosen_effects
from calwebb_simulator.options import Exposures, PointingErrors, Scene
from calwebb_simulator.scenario import Scenario, checked
from calwebb_simulator.scene import GalaxyField, StarField
from calwebb_simulator.transit import TargetStar

NOT_OPTIONS = ("folder", "real_cache")  # of a scenario's file


def built_in() -> dict[str, str]:
    """Return the package's scenarios: name -> description."""
    folder = files("calwebb_simulator").joinpath("scenarios")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".yaml"))
    texts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}
    return {
        name.removesuffix(".yaml"): str(load_yaml(text)["description"])
        for name, text in texts.items()
    }


def load_scenario(name: str) -> Scenario:
    """Read a scenario of the package by name, or the user's YAML file.

    Raises
    ------
    InputError
        If there is none, or it has unknown keys or values that don't fit.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            msg = f"{path}: the scenario file does not exist"
            raise InputError(msg)
        return parse_scenario(own_text(path), str(path), path.resolve().parent)
    known = built_in()
    if name not in known:
        msg = f"unknown scenario {name!r}{did_you_mean(name, known)}, or name a .yaml file"
        raise InputError(msg)
    item = files("calwebb_simulator").joinpath("scenarios", f"{name}.yaml")
    return parse_scenario(item.read_text(encoding="utf-8"), name)


def own_text(path: Path) -> str:
    """Return the text of the user's file.

    Raises
    ------
    InputError
        If it cannot be read, or is no text.
    """
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: the scenario file cannot be read ({error})"
        raise InputError(msg) from error


def parse_scenario(text: str, source: str, folder: Path = Path()) -> Scenario:
    """Make a scenario from YAML; `source` is how messages call it."""
    try:
        tree = load_yaml(text)
    except yaml.YAMLError as error:
        msg = f"{source}: is not YAML: {' '.join(str(error).split())}"
        raise InputError(msg) from error
    tree = _mapping(tree, source)
    scene = _mapping(tree.pop("scene", {}), f"{source}: scene")
    stars = _build(StarField, scene.pop("stars", {}), f"{source}: scene: stars")
    galaxies = _build(GalaxyField, scene.pop("galaxies", {}), f"{source}: scene: galaxies")
    effects = _mapping(tree.pop("effects", {}), f"{source}: effects")
    groups = tree.pop("exposures", None)
    if not isinstance(groups, list) or not groups:
        msg = f"{source}: exposures is {groups!r}; expected a list with at least one entry"
        raise InputError(msg)
    fields_of_scene = {"stars": stars, "galaxies": galaxies}
    if "target" in scene:
        target = _build(TargetStar, scene.pop("target"), f"{source}: scene: target")
        fields_of_scene["target"] = target
    pointing = tree.pop("pointing", {})
    extra = {
        "pointing": _build(PointingErrors, pointing, f"{source}: pointing"),
        "scene": _build(Scene, scene, f"{source}: scene", **fields_of_scene),
        "exposures": tuple(_build(Exposures, item, f"{source}: exposures") for item in groups),
        "effects": _effects(effects, source),
        "folder": folder,
    }
    return checked(_build(Scenario, tree, source, **extra), source)


def _effects(tree: Mapping[str, Any], source: str) -> frozenset[str]:
    # YAML reads a bare on or off as a truth value
    words = {True: "on", False: "off"}
    tree = {words.get(key, key) if isinstance(key, bool) else key: tree[key] for key in tree}
    unknown = {str(key) for key in tree} - {"off", "on", "only"}
    if unknown:
        msg = f"{source}: effects has {', '.join(sorted(unknown))}; expected off, on or only"
        raise InputError(msg)
    return chosen_effects(**tree)


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        msg = f"{where}: found {type(value).__name__}; expected a mapping of options"
        raise InputError(msg)
    return dict(value)


def _build(kind: type, value: Any, where: str, **extra: Any) -> Any:
    """Make a dataclass of a mapping, with checks of keys and types."""
    options = _mapping(value, where)
    known = {item.name: item for item in fields(kind) if item.name not in NOT_OPTIONS}
    for key in options:
        if key not in known or key in extra:
            msg = f"{where}: unknown option {key!r}{did_you_mean(key, set(known) - set(extra))}"
            raise InputError(msg)
    values = {
        key: _typed(item, known[key].type, f"{where}: {key}") for key, item in options.items()
    }
    try:
        return kind(**values, **extra)
    except TypeError as error:
        msg = f"{where}: {str(error).split('()')[-1].strip()}"
        raise InputError(msg) from error


def _typed(value: Any, kind: Any, where: str) -> Any:
    """Return a value as an option's type."""
    if get_args(kind):
        if not isinstance(value, Sequence) or isinstance(value, str):
            msg = f"{where} is {value!r}; expected a list"
            raise InputError(msg)
        inner = get_args(kind)
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        if len(kinds) != len(value):
            msg = f"{where} is {value!r}; expected {len(kinds)} values"
            raise InputError(msg)
        return tuple(_typed(item, part, where) for item, part in zip(value, kinds, strict=True))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        msg = f"{where} is {value!r}; expected {kind.__name__}"
        raise InputError(msg)
    return value
