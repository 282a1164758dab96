"""Write all reference files that a scenario needs, and two contexts that choose them."""

from collections.abc import Callable
from pathlib import Path

from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Detector, Filter, Instrument, instrument_named
from calwebb_simulator.plan import Planned
from calwebb_simulator.references.base import IMAGING, Scope
from calwebb_simulator.references.crds import Cache, Rules
from calwebb_simulator.references.detector import WRITERS, write_dark, write_flat
from calwebb_simulator.references.optics import (
    write_abvegaoffset,
    write_apcorr,
    write_area,
    write_distortion,
    write_filteroffset,
    write_photom,
)
from calwebb_simulator.scenario import Scenario

ANY = "ANY"
GENERIC = "N/A"
TYPES = "|".join(IMAGING)
FIRST, SECOND = 1, 2


class Builder:
    """Writes the reference files of a scenario one after the other.

    Parameters
    ----------
    scenario : Scenario
    entries : tuple of Planned
        The scenario's exposures.
    folder : Path
        Of the CRDS cache.
    progress : callable
        Called with the name of every file written.
    """

    def __init__(
        self,
        scenario: Scenario,
        entries: tuple[Planned, ...],
        folder: Path,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.scenario = scenario
        self.entries = entries
        self.instrument: Instrument = instrument_named(scenario.instrument)
        self.cache = Cache(folder, self.instrument.name)
        self.rules = Rules(self.instrument.name)
        self.later: Rules | None = None
        self.progress = progress
        self.known: dict[tuple[str, str], Properties] = {}

    def build(self) -> None:
        """Write everything."""
        for detector in self._detectors():
            self._detector(detector)
        self._common()
        later = self._second_context()
        self.cache.write_contexts({FIRST: self.rules, SECOND: later})

    def _detectors(self) -> tuple[Detector, ...]:
        return tuple(dict.fromkeys(entry.frame.detector for entry in self.entries))

    def _of(self, detector: Detector) -> list[Planned]:
        return [entry for entry in self.entries if entry.frame.detector == detector]

    def _filters(self, detector: Detector) -> list[Filter]:
        return list(dict.fromkeys(entry.optics for entry in self._of(detector)))

    def _scope(self, detector: Detector, subarray: str = "FULL") -> Scope:
        return Scope(self.instrument, Frame.of(self.instrument, detector, subarray))

    def properties(self, scope: Scope) -> Properties:
        """Return the properties of a frame."""
        key = (scope.frame.detector.name, scope.frame.subarray)
        if key not in self.known:
            self.known.clear()  # those of a whole detector are large
            self.known[key] = detector_properties(
                self.instrument, scope.frame, self.scenario.realisation, self.scenario.effects
            )
        return self.known[key]

    def _add(self, kind: str, values: tuple[str, ...], path: Path) -> None:
        self.rules.add(kind, values, path.name)
        self.progress(path.name)

    def _subarrays(self, detector: Detector) -> list[tuple[str, str]]:
        """Return the frames to write: name in the SIAF and value in the rules."""
        if self.scenario.references == "full":
            return [("FULL", GENERIC)]
        names = dict.fromkeys(entry.frame.subarray for entry in self._of(detector))
        return [(name, name) for name in names]

    def _detector(self, detector: Detector) -> None:
        for subarray, value in self._subarrays(detector):
            scope = self._scope(detector, subarray)
            properties = self.properties(scope)
            self._maps(scope, properties, value)
            self._flats(scope, properties, value)
            self._darks(scope, properties, value)
        full = self._scope(detector)
        self._add(
            "distortion",
            (TYPES, detector.name, detector.channel),
            write_distortion(self.cache.new_reference("distortion", "asdf"), full),
        )
        self._add(
            "area", (detector.name, TYPES), write_area(self.cache.new_reference("area"), full)
        )
        for optics in self._filters(detector):
            path = write_photom(self.cache.new_reference("photom"), full, optics)
            self._add("photom", (detector.name, TYPES, optics.name), path)

    def _maps(self, scope: Scope, properties: Properties, value: str) -> None:
        detector = scope.frame.detector.name
        for kind, writer in WRITERS.items():
            path = writer(self.cache.new_reference(kind), scope, properties)
            reads = (ANY,) if kind in ("superbias", "readnoise") else ()
            self._add(kind, (detector, *reads, value), path)

    def _flats(self, scope: Scope, properties: Properties, value: str) -> None:
        for optics in self._filters(scope.frame.detector):
            names = (optics.name, optics.pupil)
            path = write_flat(self.cache.new_reference("flat"), scope, properties, names)
            self._add("flat", (scope.frame.detector.name, *names, value), path)

    def _darks(self, scope: Scope, properties: Properties, value: str) -> None:
        """Write a dark for every readout pattern and subarray, with the most groups in use.

        A dark belongs to a subarray because its groups come at the subarray's times.
        """
        detector = scope.frame.detector
        longest: dict[tuple[str, str], Planned] = {}
        for entry in self._of(detector):
            key = (entry.group.readpatt, entry.frame.subarray)
            if value not in (GENERIC, entry.frame.subarray):
                continue
            if key not in longest or entry.timing.groups > longest[key].timing.groups:
                longest[key] = entry
        for (readpatt, subarray), entry in longest.items():
            path = write_dark(
                self.cache.new_reference("dark"), scope, properties, entry.timing, readpatt
            )
            self._add("dark", (TYPES, detector.name, readpatt, subarray), path)

    def _common(self) -> None:
        """Write the files that several detectors share."""
        done = set()
        for detector in self._detectors():
            place = (detector.channel, detector.module)
            if place not in done:
                done.add(place)
                names = self.instrument.channels[detector.channel]
                filters = [self.instrument.filter(name) for name in names]
                path = self.cache.new_reference("filteroffset", "asdf")
                self._add("filteroffset", place, write_filteroffset(path, detector, filters))
        scope = self._scope(self._detectors()[0])
        path = write_apcorr(self.cache.new_reference("apcorr"), scope, self._pairs())
        self._add("apcorr", (TYPES,), path)
        path = self.cache.new_reference("abvegaoffset", "asdf")
        every = list(self.instrument.filters.values())
        self._add("abvegaoffset", (), write_abvegaoffset(path, every))

    def _pairs(self) -> list[tuple[Filter, float]]:
        pairs: dict[Filter, float] = {}
        for entry in self.entries:
            area = entry.frame.distortion.pixel_area
            pairs.setdefault(entry.optics, round(area**0.5, 6))
        return list(pairs.items())

    def _second_context(self) -> Rules:
        """Return rules that differ from the first ones in a flat and a photom file only."""
        later = self.rules.copy()
        detector = self._detectors()[0]
        optics = self._filters(detector)[0]
        subarray, value = self._subarrays(detector)[0]
        scope = self._scope(detector, subarray)
        names = (optics.name, optics.pupil)
        path = self.cache.new_reference("flat")
        write_flat(path, scope, self.properties(scope), names, SECOND)
        later.add("flat", (detector.name, *names, value), path.name)
        self.progress(path.name)
        path = self.cache.new_reference("photom")
        write_photom(path, self._scope(detector), optics, SECOND)
        later.add("photom", (detector.name, TYPES, optics.name), path.name)
        self.progress(path.name)
        return later
