"""What to simulate: scenarios in YAML, those of the package and the user's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import yaml

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import did_you_mean
from calwebb_simulator.effects import DEFAULT_EFFECTS, chosen_effects
from calwebb_simulator.instruments import Filter, Instrument, instrument_named
from calwebb_simulator.scene import GalaxyField, StarField

REFERENCE_FRAMES = ("full", "subarray")
FOUR_DITHERS = ((0.0, 0.0), (0.41, 0.27), (-0.29, 0.52), (0.18, -0.37))


@dataclass(frozen=True)
class Exposures:
    """One set of dithered exposures through one filter (per channel).

    Attributes
    ----------
    detectors : tuple of str
    filters : tuple of str
        Each detector takes the one that is in front of it.
    subarray, readpatt : str
    groups, integrations : int
    dithers : tuple of (float, float)
        Where the target is in the aperture's ideal frame, in arcsec; one exposure each.
    zeroframe : bool
        Whether the first frames are kept beside the groups.
    """

    detectors: tuple[str, ...]
    filters: tuple[str, ...]
    subarray: str = "FULL"
    readpatt: str = "RAPID"
    groups: int = 10
    integrations: int = 1
    dithers: tuple[tuple[float, float], ...] = FOUR_DITHERS
    zeroframe: bool = False


@dataclass(frozen=True)
class Scene:
    """The sky.

    Attributes
    ----------
    catalog : str
        ECSV file to take instead of drawing one, relative to the scenario's file.
    radius : float
        Half the side of the square that sources are drawn in, in arcsec.
    stars, galaxies : StarField, GalaxyField
    sky : float
        Surface brightness of the background in MJy/sr.
    """

    catalog: str = ""
    radius: float = 5.0
    stars: StarField = field(default_factory=StarField)
    galaxies: GalaxyField = field(default_factory=GalaxyField)
    sky: float = 0.2


@dataclass(frozen=True)
class Scenario:
    """A whole simulation.

    Attributes
    ----------
    name, description : str
    exposures : tuple of Exposures
    scene : Scene
    instrument : str
    program : str
        Five digits.
    target : str
    ra, dec, roll : float
        Target and position angle of V3 there, degrees.
    start : str
        UTC date and time of the first exposure.
    references : str
        "full": reference files cover the whole detector; "subarray": the subarray in use.
    realisation : int
        Number of the detectors' realisation.
    cosmic_ray_flux : float
        Particles per cm2 and s; about 5 at L2.
    seed : int
    effects : frozenset of str
    """

    name: str
    exposures: tuple[Exposures, ...]
    description: str = ""
    scene: Scene = field(default_factory=Scene)
    instrument: str = "NIRCAM"
    program: str = "01234"
    target: str = "SIMULATED"
    ra: float = 80.4875
    dec: float = -69.4975
    roll: float = 33.0
    start: str = "2023-03-14T06:00:00"
    references: str = "full"
    realisation: int = 0
    cosmic_ray_flux: float = 5.0
    seed: int = 1
    effects: frozenset[str] = DEFAULT_EFFECTS
    folder: Path = Path()

    @property
    def optics(self) -> tuple[Filter, ...]:
        """All filters in use, in order."""
        instrument = instrument_named(self.instrument)
        names = [name for group in self.exposures for name in group.filters]
        return tuple(instrument.filter(name) for name in dict.fromkeys(names))

    @property
    def count(self) -> int:
        """How many files of raw counts there will be."""
        return sum(len(group.dithers) * len(group.detectors) for group in self.exposures)


def built_in() -> dict[str, str]:
    """Return the package's scenarios: name -> description."""
    folder = files("calwebb_simulator").joinpath("scenarios")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".yaml"))
    texts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}
    return {
        name.removesuffix(".yaml"): str(yaml.safe_load(text)["description"])
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
        text = path.read_text(encoding="utf-8")
        return parse_scenario(text, str(path), path.resolve().parent)
    known = built_in()
    if name not in known:
        msg = f"unknown scenario {name!r}{did_you_mean(name, known)}, or name a .yaml file"
        raise InputError(msg)
    item = files("calwebb_simulator").joinpath("scenarios", f"{name}.yaml")
    return parse_scenario(item.read_text(encoding="utf-8"), name)


def parse_scenario(text: str, source: str, folder: Path = Path()) -> Scenario:
    """Make a scenario from YAML; `source` is how messages call it."""
    try:
        tree = yaml.safe_load(text)
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
    extra = {
        "scene": _build(Scene, scene, f"{source}: scene", stars=stars, galaxies=galaxies),
        "exposures": tuple(_build(Exposures, item, f"{source}: exposures") for item in groups),
        "effects": _effects(effects, source),
        "folder": folder,
    }
    return checked(_build(Scenario, tree, source, **extra), source)


def _effects(tree: Mapping[str, Any], source: str) -> frozenset[str]:
    unknown = set(tree) - {"off", "on", "only"}
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
    known = {item.name: item for item in fields(kind) if item.name != "folder"}
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


def checked(scenario: Scenario, source: str) -> Scenario:
    """Return a scenario after checking its values against the instrument.

    Raises
    ------
    InputError
        If a name is unknown or a number is out of range.
    """
    instrument = instrument_named(scenario.instrument)
    if scenario.references not in REFERENCE_FRAMES:
        msg = f"{source}: references is {scenario.references!r}; expected full or subarray"
        raise InputError(msg)
    if len(scenario.program) != 5 or not scenario.program.isdigit():
        msg = f"{source}: program is {scenario.program!r}; expected five digits"
        raise InputError(msg)
    for group in scenario.exposures:
        _check_group(group, instrument, source)
    return scenario


def _check_group(group: Exposures, instrument: Instrument, source: str) -> None:
    instrument.pattern(group.readpatt)
    for name in group.filters:
        instrument.filter(name)
    for name in group.detectors:
        filter_for(group, instrument, name)
    for name, value in (("groups", group.groups), ("integrations", group.integrations)):
        if value < 1:
            msg = f"{source}: {name} is {value}; expected at least 1"
            raise InputError(msg)
    if not group.dithers:
        msg = f"{source}: dithers is empty; expected at least one"
        raise InputError(msg)


def filter_for(group: Exposures, instrument: Instrument, detector: str) -> Filter:
    """Return the filter of a group that is in front of a detector."""
    channel = instrument.channels[instrument.detector(detector).channel]
    usable = [name for name in group.filters if name in channel]
    if len(usable) != 1:
        return instrument.check_filter(instrument.detector(detector), group.filters[0])
    return instrument.filter(usable[0])


def with_options(scenario: Scenario, **options: Any) -> Scenario:
    """Return a scenario with options of the command line applied to all its exposures.

    Parameters
    ----------
    scenario : Scenario
    **options
        Fields of `Exposures` or `Scenario`, and `count`, the number of dithers; None is ignored.
    """
    given = {name: value for name, value in options.items() if value is not None}
    count = given.pop("count", None)
    own = {item.name for item in fields(Exposures)}
    per_group = {name: given.pop(name) for name in list(given) if name in own}
    groups = tuple(_with_count(replace(group, **per_group), count) for group in scenario.exposures)
    return checked(replace(scenario, exposures=groups, **given), "the options")


def _with_count(group: Exposures, count: int | None) -> Exposures:
    if count is None:
        return group
    if count < 1:
        msg = f"the number of exposures is {count}; expected at least 1"
        raise InputError(msg)
    steps = group.dithers
    # more than the pattern has: the pattern again, a fraction of a pixel further each time
    dithers = tuple(
        (
            steps[i % len(steps)][0] + 0.013 * (i // len(steps)),
            steps[i % len(steps)][1] + 0.017 * (i // len(steps)),
        )
        for i in range(count)
    )
    return replace(group, dithers=dithers)
