from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad

from calwebb_simulator.aftermath import Legacy
from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Pattern, instrument_named
from calwebb_simulator.kernels.traps import capture, release
from calwebb_simulator.plan import plan
from calwebb_simulator.ramp import Chamber, expose
from calwebb_simulator.readout import Timing
from calwebb_simulator.run import run
from calwebb_simulator.scenario import with_options
from calwebb_simulator.scenario_file import load_scenario
from calwebb_simulator.traps import FAMILIES, TrapMemory, trap_maps, uniform_traps

FRAME_TIME = 10.0


@lru_cache(maxsize=4)
def drawn(subarray, effects) -> Properties:
    """Properties, kept: they are drawn for the whole detector."""
    nircam = instrument_named("NIRCAM")
    frame = Frame.of(nircam, nircam.detector("NRCB1"), subarray)
    return detector_properties(nircam, frame, 0, effects)


def chamber(nircam, filled=None, groups=10, **timing) -> Chamber:
    frame = Frame.of(nircam, nircam.detector("NRCB1"), "SUB160")
    effects = frozenset({"persistence"})
    properties = drawn("SUB160", effects)
    values = {"pattern": Pattern(1, 0), "integrations": 1} | timing
    return Chamber(
        frame,
        properties,
        Timing(FRAME_TIME, groups=groups, **values),
        effects,
        18.0,
        5.0,
        (1, "traps"),
        legacy=Legacy(filled=filled),
    )


def light(room, rate):
    return np.full(room.frame.shape, rate, dtype=np.float32) * room.properties.science


def rising(c0, tau, c2, slope, time):
    """The documents' integral: 2 D s^2 t (c0 (1 - exp(-t / tau)) + c2) from 0 to T."""
    return quad(lambda t: 2 * slope**2 * t * (c0 * (1 - np.exp(-t / tau)) + c2), 0, time)[0]


def test_half_a_well_fills_traps_as_the_documents_have_it(nircam):
    room = chamber(nircam, groups=20)
    traps = uniform_traps(room.properties)
    science = room.properties.science
    slope = 0.5 / 200.0  # of the full signal in 1/s
    rate = (slope * traps.full * room.properties.gain).astype(np.float32) * science
    truth = expose(room, rate).traps
    for f in range(3):
        expected = rising(FAMILIES.c0[f], FAMILIES.tau[f], FAMILIES.c2[f], slope, 200.0)
        assert_allclose(truth.after[f][science], expected, rtol=0.01)
        assert np.all(truth.after[f][~science] == 0)


def test_full_pixels_fill_what_is_free(nircam):
    room = chamber(nircam, groups=30)
    truth = expose(room, light(room, 1e7)).traps
    science = room.properties.science
    for f in range(3):
        c0, c2, tau = FAMILIES.c0[f], FAMILIES.c2[f], FAMILIES.tau[f]
        first = c0 * (1 - np.exp(-0.5 * FRAME_TIME / tau)) + c2
        expected = (c0 + c2) - (c0 + c2 - first) * np.exp(-29 * FRAME_TIME / tau)
        assert_allclose(truth.after[f][science], expected, rtol=1e-4)


def test_traps_let_go_what_they_hold(nircam):
    frame = chamber(nircam).frame
    filled = np.zeros((3, *frame.shape), np.float32)
    filled[0], filled[1] = 100.0, 200.0
    filled[:, :4] = filled[:, -4:] = 0
    room = chamber(nircam, filled, integrations=2)
    exposed = expose(room, light(room, 0.0))
    data = exposed.data.astype(float) - room.frame.detector.bias
    time = FRAME_TIME * np.arange(1, 11)
    for integration in range(2):
        # a reset before each integration, and the first integration before the second
        waited = FRAME_TIME * (1 + integration * 11)
        expected = sum(
            held * np.exp(-waited * k) * (1 - np.exp(-time * k))
            for held, k in ((100.0, FAMILIES.rate[0]), (200.0, FAMILIES.rate[1]))
        )
        assert_allclose(
            np.median(data[integration, :, 20:-20, 20:-20], axis=(1, 2)), expected, atol=0.6
        )
        released = exposed.traps.released[integration][20:-20, 20:-20]
        assert_allclose(released, expected[-1], rtol=1e-4)
    assert_array_equal(exposed.traps.before, filled)


def test_holding_has_an_upper_limit(nircam):
    room = chamber(nircam, groups=60, integrations=3)
    truth = expose(room, light(room, 1e7)).traps
    for f in range(3):
        most = FAMILIES.c0[f] + FAMILIES.c2[f]
        assert truth.after[f].max() <= most * (1 + 1e-6)
    assert truth.after[0].max() > 0.99 * (FAMILIES.c0[0] + FAMILIES.c2[0])


def test_dropped_frames_fill_traps_as_read_ones(nircam):
    every, averaged = (
        chamber(nircam, groups=groups, pattern=pattern)
        for groups, pattern in ((12, Pattern(1, 0)), (3, Pattern(1, 3)))
    )
    # the last group is read at frame 9; the others go on for three frames
    every = replace(every, timing=replace(every.timing, groups=9))
    one, other = (expose(room, light(room, 900.0)).traps for room in (every, averaged))
    assert_allclose(one.after, other.after, rtol=1e-5)


def test_memory_decays_between_exposures(nircam):
    frame = chamber(nircam).frame
    memory = TrapMemory()
    assert memory.recall(frame, 60000.0) is None
    filled = np.full((3, *frame.shape), 50.0, np.float32)
    memory.keep(frame, 60000.0, filled, nircam.shape)
    later = memory.recall(frame, 60000.0 + 100 / 86400)
    assert_allclose(later[:, 5, 5], 50 * np.exp(-100 * FAMILIES.rate), rtol=1e-5)
    # the next segment of an exposure: no pause, although both have the exposure's times
    assert_allclose(memory.recall(frame, 59999.9), filled)
    other = Frame.of(nircam, nircam.detector("NRCB1"), "SUB64P")
    memory.keep(other, 60000.0 + 100 / 86400, np.zeros((3, 64, 64), np.float32), nircam.shape)
    again = memory.recall(frame, 60000.0 + 100 / 86400)
    assert_allclose(again[:, 5, 5], 50 * np.exp(-100 * FAMILIES.rate), rtol=1e-5)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    scenario = with_options(load_scenario("persistence"), count=1, groups=3, integrations=2)
    return scenario, run(scenario, tmp_path_factory.mktemp("persistence"))


def test_second_exposure_begins_with_what_the_first_left(outcome):
    scenario, written = outcome
    first, second = sorted(written.truth.glob("*_truth.fits"))
    bright, faint = plan(scenario)
    gap = (faint.start - bright.start).sec - bright.timing.duration
    with fits.open(first) as one, fits.open(second) as other:
        left = one["TRAPS_AFTER"].data * np.exp(-gap * FAMILIES.rate)[:, None, None]
        assert_allclose(other["TRAPS_BEFORE"].data, left, rtol=1e-4, atol=1e-5)
        assert np.all(one["TRAPS_BEFORE"].data == 0)
        assert other["PERSISTENCE"].data.shape == (2, 160, 160)
        assert other["PERSISTENCE"].data[0].max() > 3


def test_reference_files_describe_the_traps(outcome, nircam):
    scenario, written = outcome
    folder = written.cache / "references" / "jwst" / "nircam"
    frame = plan(scenario)[0].frame
    properties = detector_properties(nircam, frame, scenario.realisation, scenario.effects)
    maps = trap_maps(nircam, frame, properties, scenario.realisation)
    science = properties.science
    assert_array_equal(fits.getdata(folder / "jwst_nircam_persat_0001.fits", "SCI"), maps.full)
    with fits.open(folder / "jwst_nircam_trapdensity_0001.fits") as hdus:
        assert_array_equal(hdus["SCI"].data, maps.density)
        assert np.all((hdus["DQ"].data & 1 == 0) == science)
    rows = fits.getdata(folder / "jwst_nircam_trappars_0001.fits", "TRAPPARS")
    assert_allclose(1 / np.abs(rows["capture1"]), FAMILIES.tau)
    assert_allclose(np.abs(rows["decay_param"]), FAMILIES.rate)
    assert np.all(maps.density[~science] == 0)


def test_reference_files_open_without_warnings(outcome):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    folder = outcome[1].cache / "references" / "jwst" / "nircam"
    kinds = {
        "persat": datamodels.PersistenceSatModel,
        "trapdensity": datamodels.TrapDensityModel,
        "trappars": datamodels.TrapParsModel,
    }
    for kind, model in kinds.items():
        with model(folder / f"jwst_nircam_{kind}_0001.fits", strict_validation=True) as opened:
            assert opened.meta.reftype.lower() == kind


def test_kernels_agree_with_numpy():
    rng = np.random.default_rng(2)
    filled = rng.uniform(0, 300, (3, 5, 6)).astype("f4")
    part = np.array([0.2, 0.03, 0.004])
    released, left = np.zeros((5, 6), "f4"), filled.copy()
    release(released, left, part)
    assert_allclose(released, (filled * part[:, None, None]).sum(axis=0), rtol=1e-5)
    assert_allclose(left, filled * (1 - part)[:, None, None], rtol=1e-5)
    before, after = (rng.uniform(low, 1.3, (5, 6)).astype("f4") for low in (0.0, 1.0))
    density = rng.uniform(0, 2, (5, 6)).astype("f4")
    up, most, keep = np.array([5.0, 6.0, 7.0]), np.array([900.0, 800.0, 700.0]), np.full(3, 0.9)
    caught = filled.copy()
    capture(caught, before, after, density, up, most, keep)
    first, last = np.minimum(before, 1), np.minimum(after, 1)
    rises = filled + density * (last**2 - first**2) * up[:, None, None]
    fills = filled + (density * most[:, None, None] - filled) * 0.1
    assert_allclose(caught, np.where(first >= 1, fills, rises), rtol=2e-5)
