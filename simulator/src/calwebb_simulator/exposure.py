"""One exposure of one detector: raw counts and the truth they were made from."""

from collections.abc import Callable
from pathlib import Path

from astropy.table import Table as SkyTable

from calwebb_core.framework.products import write_raw
from calwebb_simulator.aftermath import Legacy
from calwebb_simulator.detector import Properties
from calwebb_simulator.events import EventRates
from calwebb_simulator.header import moments, raw_metadata
from calwebb_simulator.header_tables import raw_tables
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.light import dispersed_light, light_on
from calwebb_simulator.moving import moving_table
from calwebb_simulator.plan import Planned
from calwebb_simulator.ramp import Chamber, expose
from calwebb_simulator.readouts import special_readout
from calwebb_simulator.repeat import expose_repeated
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.spectra.choice import mode_of
from calwebb_simulator.spectra.light import spectral_light, spectrum_on
from calwebb_simulator.spectra.truth import write_spectral_truth
from calwebb_simulator.traps import TrapMemory, trap_maps
from calwebb_simulator.truth import write_truth


def simulate(
    scenario: Scenario,
    catalog: SkyTable,
    entry: Planned,
    properties: Properties,
    output_dir: Path,
    progress: Callable[[], None] = lambda: None,
    memory: TrapMemory | None = None,
) -> Path:
    """Simulate an exposure; write its raw counts and its truth.

    Parameters
    ----------
    scenario : Scenario
    catalog : Table
        Of the sky, see `scene`.
    entry : Planned
    properties : Properties
        Of the exposure's frame.
    output_dir : Path
        `uncal/` and `truth/` in it must exist.
    progress : callable
        Called once a group.
    memory : TrapMemory, optional
        What earlier exposures left in the detectors' traps; none by default.

    Returns
    -------
    Path
        The file of raw counts.
    """
    instrument = instrument_named(scenario.instrument)
    mode, spectrum = mode_of(entry), None
    if mode is not None:
        spectrum = spectral_light(scenario, mode, entry, properties)
        light = spectrum_on(spectrum, scenario, mode, entry, properties)
    elif instrument.spectral:
        light = dispersed_light(scenario, entry, properties)
    else:
        light = light_on(scenario, catalog, entry, properties)
    chamber = chamber_of(scenario, entry, properties, memory)
    if 0 < entry.group.distinct < entry.timing.integrations:
        exposed = expose_repeated(
            chamber, light.electrons, entry.group.distinct, progress, variable=light.variable
        )
    else:
        exposed = expose(chamber, light.electrons, progress, variable=light.variable)
    path = output_dir / "uncal" / f"{entry.root}_uncal.fits"
    write_raw(
        path,
        raw_metadata(scenario, instrument, entry),
        exposed.data,
        zeroframe=exposed.zeroframe if entry.group.zeroframe else None,
        refout=exposed.refout,
        tables=raw_tables(entry) | moving_table(entry),
    )
    if memory is not None and exposed.traps is not None:
        _, _, end = moments(entry)
        memory.keep(entry.frame, end.mjd, exposed.traps.after, instrument.shape)
    truth = output_dir / "truth" / f"{entry.root}_truth.fits"
    if mode is not None and spectrum is not None:
        write_spectral_truth(truth, scenario, mode, entry, spectrum, exposed.hits)
    else:
        write_truth(truth, scenario, entry, light, exposed.hits, properties.gain, exposed)
    return path


def chamber_of(
    scenario: Scenario, entry: Planned, properties: Properties, memory: TrapMemory | None
) -> Chamber:
    """Return what an exposure is read out with: effects, seeds, what others left behind."""
    instrument = instrument_named(scenario.instrument)
    seed = (scenario.seed, entry.exposure_root)
    special = special_readout(
        instrument,
        entry.frame,
        properties,
        entry.timing,
        scenario.effects,
        scenario.realisation,
        seed,
    )
    return Chamber(
        entry.frame,
        properties,
        entry.timing,
        scenario.effects,
        instrument.pixel_pitch,
        scenario.cosmic_ray_flux,
        seed,
        entry.segment,
        special,
        legacy_of(scenario, entry, properties, memory),
    )


def legacy_of(
    scenario: Scenario, entry: Planned, properties: Properties, memory: TrapMemory | None
) -> Legacy:
    """Return what large events and traps do in an exposure."""
    rates = EventRates(scenario.snowball_rate, scenario.shower_rate)
    if "persistence" not in scenario.effects:
        return Legacy(rates)
    instrument = instrument_named(scenario.instrument)
    maps = trap_maps(instrument, entry.frame, properties, scenario.realisation)
    filled = None if memory is None else memory.recall(entry.frame, entry.start.mjd)
    return Legacy(rates, maps, filled)
