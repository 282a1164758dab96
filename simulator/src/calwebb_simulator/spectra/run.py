"""Make the count rates of a scenario's spectra, its reference files and its truth."""

from dataclasses import dataclass
from pathlib import Path

from calwebb_core.framework.atomic import check_writable
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.products import write_image
from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.plan import Planned, plan
from calwebb_simulator.references.build import Builder
from calwebb_simulator.run import make_catalog
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.spectra.acquisition import acquisition_rates, is_acquisition
from calwebb_simulator.spectra.choice import is_spectrum, mode_of
from calwebb_simulator.spectra.light import SpectralLight, spectral_light
from calwebb_simulator.spectra.modes import SpectralMode
from calwebb_simulator.spectra.slopes import count_rates
from calwebb_simulator.spectra.truth import write_spectral_summary, write_spectral_truth
from calwebb_simulator.watcher import Watcher


@dataclass
class Painter:
    """Draws the spectra of exposures; those of the segments of an exposure only once."""

    scenario: Scenario
    last: tuple[str, SpectralLight] | None = None

    def light(self, mode: SpectralMode, entry: Planned, properties: Properties) -> SpectralLight:
        """Return the light on an exposure's pixels."""
        if self.last is None or self.last[0] != entry.exposure_root:
            light = spectral_light(self.scenario, mode, entry, properties)
            self.last = (entry.exposure_root, light)
        return self.last[1]


def run_rates(
    scenario: Scenario,
    output_dir: Path,
    *,
    references: bool = True,
    watcher: Watcher | None = None,
) -> tuple[Path, ...]:
    """Write `rates/`, `truth/` and `crds_cache/` of a folder, without ramps.

    Parameters
    ----------
    scenario : Scenario
        Of spectra, and images of their target.
    output_dir : Path
    references : bool
        Whether the reference files are written: those of stages 2 and 3.
    watcher : Watcher, optional

    Raises
    ------
    InputError
        If there is an exposure of something else, or the folder cannot be written.
    """
    watcher = watcher or Watcher()
    entries = plan(scenario)
    spectra = [is_spectrum(entry) for entry in entries]
    others = [entry for entry, dispersed in zip(entries, spectra, strict=True) if not dispersed]
    if not any(spectra) or not all(is_acquisition(entry) for entry in others):
        msg = f"scenario {scenario.name}: rates are for spectra; expected an exp_type of one"
        raise InputError(msg)
    for name in ("rates", "truth"):
        check_writable(output_dir / name)
    if references:
        Builder(scenario, entries, output_dir / "crds_cache", watcher.begin).build_for_spectra()
    painter, known = Painter(scenario), dict[tuple[str, str], Properties]()
    paths = []
    for entry in entries:
        watcher.begin(entry.root)
        paths.append(_one(painter, entry, output_dir, known))
        watcher.advance()
    write_spectral_summary(output_dir / "truth" / "truth.json", scenario, entries)
    return tuple(paths)


def _one(
    painter: Painter, entry: Planned, folder: Path, known: dict[tuple[str, str], Properties]
) -> Path:
    scenario = painter.scenario
    key = (entry.frame.detector.name, entry.frame.subarray)
    if key not in known:
        known[key] = detector_properties(
            entry.instrument, entry.frame, scenario.realisation, scenario.effects
        )
    mode = mode_of(entry)
    if mode is None:
        image = acquisition_rates(scenario, make_catalog(scenario), entry, known[key])
        path = folder / "rates" / str(image.metadata["FILENAME"])
        write_image(image, path)
        return path
    light = painter.light(mode, entry, known[key])
    image = count_rates(scenario, mode, entry, known[key], light)
    path = folder / "rates" / str(image.metadata["FILENAME"])
    write_image(image, path)
    truth = folder / "truth" / f"{entry.root}_truth.fits"
    write_spectral_truth(truth, scenario, mode, entry, light)
    return path
