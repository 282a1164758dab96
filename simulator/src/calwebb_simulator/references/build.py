"""Write all reference files that a scenario needs, and two contexts that choose them."""

from collections.abc import Callable
from pathlib import Path

from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Detector, Filter, Instrument, instrument_named
from calwebb_simulator.plan import Planned
from calwebb_simulator.references.base import Scope
from calwebb_simulator.references.build_spectra import SpectralBuilder
from calwebb_simulator.references.crds import Cache, Rules
from calwebb_simulator.references.detector import WRITERS, write_dark, write_flat, write_mask
from calwebb_simulator.references.miri import (
    write_emicorr,
    write_lastframe,
    write_miri_dark,
    write_reset,
    write_rscd,
)
from calwebb_simulator.references.nirspec import (
    IRS2_PATTERNS,
    OTHER_PATTERNS,
    write_irs2_mask,
    write_irs2_superbias,
    write_pictureframe,
    write_refpix,
)
from calwebb_simulator.references.offsets import write_abvegaoffset, write_filteroffset
from calwebb_simulator.references.optics import (
    write_apcorr,
    write_area,
    write_distortion,
    write_photom,
)
from calwebb_simulator.references.rules import NOT_APPLICABLE, rule_values
from calwebb_simulator.references.sirs import has_sides, write_sirskernel
from calwebb_simulator.references.traps import write_traps
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.spectra.choice import is_spectrum

FIRST, SECOND = 1, 2


class Builder:
    """Writes the reference files of a scenario's exposures into the folder of a CRDS cache.

    Calls `progress` with the name of every file written.
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
        self.progress = progress
        self.known: dict[tuple[str, str], Properties] = {}

    def build(self) -> None:
        """Write everything."""
        for detector in self._detectors():
            self._detector(detector)
        if self.instrument.interleaved:
            self._add("emicorr", {}, write_emicorr(self._new("emicorr", "asdf"), self.instrument))
        self._spectra()
        later = self.rules.copy()
        if self.images and not self.instrument.spectral:
            self._common()
            later = self._second_context()
        self.cache.write_contexts({FIRST: self.rules, SECOND: later})

    def build_for_spectra(self) -> None:
        """Write only what count rates of spectra need on their way to light curves."""
        self._spectra()
        self.cache.write_contexts({FIRST: self.rules})

    def _spectra(self) -> None:
        real = self.scenario.real_cache
        builder = SpectralBuilder(self.cache, self.rules, self._properties_of, real, self.progress)
        builder.build(self.entries)

    def _properties_of(self, entry: Planned) -> Properties:
        return self.properties(self._scope(entry.frame.detector, entry.frame.subarray))

    @property
    def images(self) -> bool:
        """Whether there are exposures of the sky, which need flats and photometry of images."""
        return not all(is_spectrum(entry) for entry in self.entries)

    def build_for_images(self) -> None:
        """Write only what calibrated images need on their way to a mosaic and a catalog."""
        for detector in self._detectors():
            scope = self._scope(detector)
            values = self._values(detector)
            path = write_distortion(self._new("distortion", "asdf"), scope)
            self._add("distortion", values, path)
        self._common()
        self.cache.write_contexts({FIRST: self.rules})

    def _detectors(self) -> tuple[Detector, ...]:
        return tuple(dict.fromkeys(entry.frame.detector for entry in self.entries))

    def _of(self, detector: Detector) -> list[Planned]:
        return [entry for entry in self.entries if entry.frame.detector == detector]

    def _filters(self, detector: Detector) -> list[Filter]:
        return list(dict.fromkeys(entry.optics for entry in self._of(detector)))

    def _scope(self, detector: Detector, subarray: str = "FULL") -> Scope:
        frame = Frame.of(self.instrument, detector, subarray)
        scenario = self.scenario
        inverse = scenario.inverse_linearity
        return Scope(self.instrument, frame, inverse, scenario.realisation, scenario.effects)

    def properties(self, scope: Scope) -> Properties:
        """Return the properties of a frame."""
        key = (scope.frame.detector.name, scope.frame.subarray)
        if key not in self.known:
            if scope.frame.subarray == "FULL":
                self.known.clear()  # those of a whole detector are large
            self.known[key] = detector_properties(
                self.instrument, scope.frame, self.scenario.realisation, self.scenario.effects
            )
        return self.known[key]

    def _new(self, kind: str, extension: str = "fits") -> Path:
        return self.cache.new_reference(kind, extension)

    def _add(self, kind: str, values: dict[str, str], path: Path) -> None:
        self.rules.add(kind, values, path.name)
        self.progress(path.name)

    def _values(self, detector: Detector, **more: str) -> dict[str, str]:
        """Return the values of keywords that choose a detector's files."""
        spectra = () if self.images else self.instrument.spectral_types
        types = "|".join(dict.fromkeys((*self.instrument.exposure_types, *spectra)))
        own = {"channel": detector.channel, "module": detector.module}
        return rule_values(detector=detector.name, exp_type=types, **own, **more)

    def _subarrays(self, detector: Detector) -> list[tuple[str, str]]:
        """Return the frames to write: name in the SIAF and value in the rules."""
        # where the gain of subarrays differs, the files of full frames don't fit them
        names = dict.fromkeys(entry.frame.subarray for entry in self._of(detector))
        if self.scenario.references == "full" and self.instrument.subarray_gain == 1:
            return [("FULL", NOT_APPLICABLE)]
        return [(name, name) for name in names]

    def _detector(self, detector: Detector) -> None:
        for subarray, value in self._subarrays(detector):
            scope = self._scope(detector, subarray)
            properties = self.properties(scope)
            self._maps(scope, properties, value)
            self._darks(scope, properties, value)
            if "persistence" in self.scenario.effects:
                self._traps(scope, properties, value)
            if self.instrument.spectral:
                self._patterns(scope, properties, value)
            elif self.images:
                self._flats(scope, properties, value)
        if has_sides(self._of(detector)):
            path = write_sirskernel(self._new("sirskernel", "asdf"), self._scope(detector))
            self._add("sirskernel", self._values(detector), path)
        if self.instrument.interleaved:
            path = write_rscd(self._new("rscd"), self._scope(detector))
            self._add("rscd", self._values(detector), path)
        if self.images and not self.instrument.spectral:
            self._optics(detector)

    def _optics(self, detector: Detector) -> None:
        full = self._scope(detector)
        for optics in self._filters(detector):
            values = self._values(detector, filter=optics.keyword, pupil=optics.pupil)
            self._add("photom", values, write_photom(self._new("photom"), full, optics))
        values = self._values(detector)
        path = write_distortion(self._new("distortion", "asdf"), full)
        self._add("distortion", values, path)
        self._add("area", values, write_area(self._new("area"), full))

    def _maps(self, scope: Scope, properties: Properties, value: str) -> None:
        values = self._values(scope.frame.detector, subarray=value)
        for kind, writer in WRITERS.items():
            if kind in PATTERNED and (self.instrument.spectral or not self.instrument.superbias):
                continue
            self._add(kind, values, writer(self._new(kind), scope, properties))
        if not self.instrument.superbias:
            self._add("mask", values, write_mask(self._new("mask"), scope, properties))

    def _patterns(self, scope: Scope, properties: Properties, value: str) -> None:
        """Write NIRSpec's files that depend on whether reference pixels lie between the others."""
        detector = scope.frame.detector
        mine = [item for item in self._of(detector) if item.frame.subarray == scope.frame.subarray]
        for irs2 in sorted({item.timing.pattern.irs2 for item in mine}):
            names = IRS2_PATTERNS if irs2 else OTHER_PATTERNS
            values = self._values(detector, subarray=value, readpatt=names)
            writers = IRS2_WRITERS if irs2 else {kind: WRITERS[kind] for kind in PATTERNED}
            for kind, writer in writers.items():
                self._add(kind, values, writer(self._new(kind), scope, properties))
            if irs2:
                self._add("refpix", values, write_refpix(self._new("refpix"), scope))
            if value == "FULL":
                path = write_pictureframe(self._new("pictureframe"), scope)
                self._add("pictureframe", values, path)

    def _traps(self, scope: Scope, properties: Properties, value: str) -> None:
        paths = {kind: self._new(kind) for kind in ("persat", "trapdensity", "trappars")}
        write_traps(paths, scope, properties)
        for kind, path in paths.items():
            self._add(kind, self._values(scope.frame.detector, subarray=value), path)

    def _flats(self, scope: Scope, properties: Properties, value: str) -> None:
        for optics in self._filters(scope.frame.detector):
            path = write_flat(self._new("flat"), scope, properties, optics)
            self._add("flat", self._flat_values(scope.frame.detector, optics, value), path)

    def _flat_values(self, detector: Detector, optics: Filter, subarray: str) -> dict[str, str]:
        names = {"filter": optics.keyword, "pupil": optics.pupil}
        return self._values(detector, subarray=subarray, **names)

    def _darks(self, scope: Scope, properties: Properties, value: str) -> None:
        """Write what depends on the groups, for every readout pattern and subarray in use.

        A dark belongs to a subarray because its groups come at the subarray's times; it has the
        most groups in use.
        """
        detector = scope.frame.detector
        longest: dict[tuple[str, str], Planned] = {}
        for entry in self._of(detector):
            key = (entry.group.readpatt, entry.frame.subarray)
            if value not in (NOT_APPLICABLE, entry.frame.subarray):
                continue
            if key not in longest or entry.timing.groups > longest[key].timing.groups:
                longest[key] = entry
        write = write_miri_dark if self.instrument.interleaved else write_dark
        for (readpatt, subarray), entry in longest.items():
            values = self._values(detector, readpatt=readpatt, subarray=subarray)
            path = write(self._new("dark"), scope, properties, entry.timing, readpatt)
            self._add("dark", values, path)
            if self.instrument.interleaved:
                path = write_reset(self._new("reset"), scope, entry.timing, readpatt)
                self._add("reset", values, path)
                path = write_lastframe(self._new("lastframe"), scope, readpatt)
                self._add("lastframe", values, path)

    def _common(self) -> None:
        """Write the files that several detectors share."""
        done = set()
        for detector in self._detectors():
            place = (detector.channel, detector.module)
            if place not in done and self.instrument.name in OFFSETS:
                done.add(place)
                names = self.instrument.channels[detector.channel]
                filters = [self.instrument.filter(name) for name in names]
                path = self._new("filteroffset", "asdf")
                write_filteroffset(path, self.instrument, detector, filters)
                self._add("filteroffset", self._values(detector), path)
        for detector in self._detectors():
            scope = self._scope(detector)
            path = write_apcorr(self._new("apcorr"), scope, self._pairs())
            self._add("apcorr", self._values(detector), path)
            if self.instrument.name != "FGS":
                break
        path = write_abvegaoffset(self._new("abvegaoffset", "asdf"), self.instrument)
        self._add("abvegaoffset", {}, path)

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
        path = write_flat(self._new("flat"), scope, self.properties(scope), optics, SECOND)
        later.add("flat", self._flat_values(detector, optics, value), path.name)
        self.progress(path.name)
        path = write_photom(self._new("photom"), self._scope(detector), optics, SECOND)
        values = self._values(detector, filter=optics.keyword, pupil=optics.pupil)
        later.add("photom", values, path.name)
        self.progress(path.name)
        return later


PATTERNED = ("mask", "superbias")  # files of NIRSpec that depend on the readout pattern
IRS2_WRITERS = {"mask": write_irs2_mask, "superbias": write_irs2_superbias}
OFFSETS = ("NIRCAM", "MIRI")  # instruments whose filters shift the image
