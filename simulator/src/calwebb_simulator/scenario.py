"""What to simulate: the options of a scenario and their checks."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_simulator.effects import DEFAULT_EFFECTS
from calwebb_simulator.instruments import Filter, Instrument, instrument_named
from calwebb_simulator.options import Exposures, PointingErrors, Scene
from calwebb_simulator.segments import cut_exposure

REFERENCE_FRAMES = ("full", "subarray")


@dataclass(frozen=True)
class Scenario:
    """A whole simulation.

    Attributes
    ----------
    name, description : str
    exposures : tuple of Exposures
    scene : Scene
    pointing : PointingErrors
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
    inverse_linearity : bool
        Whether linearity files hold the inverse polynomials, too.
    realisation : int
        Number of the detectors' realisation.
    cosmic_ray_flux : float
        Particles per cm2 and s; about 5 at L2.
    snowball_rate, shower_rate : float
        Large events per cm2 and s, where their effects are on.
    seed : int
    effects : frozenset of str
    folder : Path
        Of the scenario's file.
    real_cache : Path, optional
        CRDS cache whose files of optics are taken for spectra, where it has them.
    """

    name: str
    exposures: tuple[Exposures, ...]
    description: str = ""
    scene: Scene = field(default_factory=Scene)
    pointing: PointingErrors = field(default_factory=PointingErrors)
    instrument: str = "NIRCAM"
    program: str = "01234"
    target: str = "SIMULATED"
    ra: float = 80.4875
    dec: float = -69.4975
    roll: float = 33.0
    start: str = "2023-03-14T06:00:00"
    references: str = "full"
    inverse_linearity: bool = False
    realisation: int = 0
    cosmic_ray_flux: float = 5.0
    snowball_rate: float = 0.004
    shower_rate: float = 0.004
    seed: int = 1
    effects: frozenset[str] = DEFAULT_EFFECTS
    folder: Path = Path()
    real_cache: Path | None = None

    @property
    def optics(self) -> tuple[Filter, ...]:
        """All filters in use, in order."""
        instrument = instrument_named(self.instrument)
        names = [name for group in self.exposures for name in group.filters]
        return tuple(instrument.filter(name) for name in dict.fromkeys(names))

    @property
    def count(self) -> int:
        """How many files of raw counts there will be."""
        return sum(
            len(group.dithers) * len(group.detectors) * group.segments for group in self.exposures
        )


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
    scenario.pointing.check(source)
    for group in scenario.exposures:
        _check_group(group, instrument, source)
        if group.distinct:
            _check_distinct(scenario, group, instrument, source)
    return scenario


def _check_distinct(
    scenario: Scenario, group: Exposures, instrument: Instrument, source: str
) -> None:
    """Refuse what integrations that borrow their noise cannot have."""
    reasons = {
        "persistence depends on what came before": "persistence" in scenario.effects,
        f"integrations of {instrument.name} differ": instrument.interleaved,
        "reference pixels lie between the others": instrument.pattern(group.readpatt).irs2,
        "the star of a spectrum drifts": scenario.pointing.drift > 0,
    }
    for reason, holds in reasons.items():
        if holds:
            msg = f"{source}: distinct is {group.distinct}, but {reason}; expected 0"
            raise InputError(msg)


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
    cut_exposure(group.integrations, group.segments)
    if group.distinct < 0:
        msg = f"{source}: distinct is {group.distinct}; expected 0 or more"
        raise InputError(msg)
    series = instrument.time_series_type or group.exp_type in instrument.spectral_types
    if group.time_series and not series:
        msg = f"{source}: the simulator knows no time series of {instrument.name}"
        raise InputError(msg)
    for name, value, last in (("observation", group.observation, 999), ("visit", group.visit, 999)):
        if not 1 <= value <= last:
            msg = f"{source}: {name} is {value}; expected 1 to {last}"
            raise InputError(msg)
    _check_type(group, instrument, source)
    if not group.dithers:
        msg = f"{source}: dithers is empty; expected at least one"
        raise InputError(msg)


def _check_type(group: Exposures, instrument: Instrument, source: str) -> None:
    types = (*instrument.exposure_types, *instrument.spectral_types)
    if group.exp_type and group.exp_type not in types:
        known = ", ".join(dict.fromkeys(types))
        msg = f"{source}: exp_type is {group.exp_type!r}; {instrument.name} has {known}"
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
