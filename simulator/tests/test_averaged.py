from functools import lru_cache

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Pattern, instrument_named
from calwebb_simulator.ramp import Chamber, expose
from calwebb_simulator.readout import Timing
from calwebb_simulator.run import run
from calwebb_simulator.scenario import with_options
from calwebb_simulator.scenario_file import load_scenario


@lru_cache(maxsize=4)
def drawn(subarray, effects) -> Properties:
    """Properties, kept: they are drawn for the whole detector."""
    nircam = instrument_named("NIRCAM")
    frame = Frame.of(nircam, nircam.detector("NRCB1"), subarray)
    return detector_properties(nircam, frame, 0, effects)


def chamber(nircam, effects, pattern, groups=3) -> Chamber:
    frame = Frame.of(nircam, nircam.detector("NRCB1"), "SUB64P")
    properties = drawn("SUB64P", frozenset(effects))
    timing = Timing(10.0, pattern, groups, 1)
    return Chamber(frame, properties, timing, frozenset(effects), 18.0, 5.0, (1, "averaged"))


def light(room, rate):
    return np.full(room.frame.shape, rate, dtype=np.float32)


@pytest.mark.parametrize(("frames", "gap"), [(2, 0), (4, 1), (8, 2), (8, 12)])
def test_groups_are_averages_of_whole_numbers(nircam, frames, gap):
    effects = {"read_noise"}
    averaged = chamber(nircam, effects, Pattern(frames, gap), 2)
    length = frames + gap
    single = chamber(nircam, effects, Pattern(1, 0), 2 * length)
    one, every = (expose(room, light(room, 137.0)).data[0] for room in (averaged, single))
    for group in range(2):
        reads = every[group * length : group * length + frames].astype(np.int64)
        assert np.array_equal(one[group], np.rint(reads.sum(axis=0) / frames))


def test_averaging_lowers_the_read_noise(nircam):
    for frames in (1, 4, 8):
        room = chamber(nircam, {"read_noise"}, Pattern(frames, 0), 12)
        data = expose(room, light(room, 0.0)).data[0].astype(float)
        single = room.frame.detector.cds_noise / np.sqrt(2) / room.frame.detector.gain
        expected = single**2 / frames + 1 / 12
        assert data.var(axis=0, ddof=1).mean() == pytest.approx(expected, rel=0.06)


def test_saturation_within_a_group_dilutes_it(nircam):
    room = chamber(nircam, {"saturation"}, Pattern(8, 2), 3)
    # full after 13.5 frames: in the middle of the second group
    rate = np.median(room.properties.well) / 135.0
    exposed = expose(room, light(room, rate))
    detector, science = room.frame.detector, room.properties.science
    signal = (exposed.data[0].astype(float) - detector.bias)[:, science]
    full = (room.properties.well / detector.gain)[science]
    reads = np.arange(11, 19)[:, None] * 10 * rate / detector.gain
    assert_allclose(signal[1], np.minimum(reads, full).mean(axis=0), atol=1.1)
    assert np.mean(signal[1] < 0.97 * full) > 0.9  # below any threshold
    assert_allclose(signal[2], full, atol=0.6)
    unsaturated = exposed.zeroframe[0].astype(float)[science] - detector.bias
    assert_allclose(unsaturated, 10 * rate / detector.gain, atol=0.6)


def test_a_hit_within_a_group_is_shared_with_the_next(nircam):
    room = chamber(nircam, {"cosmic_rays"}, Pattern(8, 2), 4)
    room = Chamber(**(vars(room) | {"cosmic_ray_flux": 500.0}))
    exposed = expose(room, light(room, 0.0))
    signal = (exposed.data[0].astype(float) - room.frame.detector.bias) * 2.05
    place = exposed.hits["y"].astype(int) * 64 + exposed.hits["x"]
    _, inverse, count = np.unique(place, return_inverse=True, return_counts=True)
    alone = exposed.hits[(count[inverse] == 1) & (exposed.hits["charge"] > 300)]
    alone = alone[(alone["charge"] < 20000) & (alone["group"] < 3)]
    assert len(alone) > 10
    for hit in alone:
        ramp = signal[:, hit["y"], hit["x"]]
        reads = np.array(room.timing.reads(int(hit["group"])))
        share = np.mean(reads >= hit["frame"])
        assert ramp[hit["group"]] == pytest.approx(hit["charge"] * share, abs=2.1)
        assert ramp[hit["group"] + 1] == pytest.approx(hit["charge"], abs=2.1)


def test_scenario_of_patterns(tmp_path):
    scenario = with_options(load_scenario("averaged"), subarray="SUB64P", groups=2, integrations=1)
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    found = {}
    for path in run(scenario, tmp_path, references=False).raw:
        header = fits.getheader(path)
        names = ("NFRAMES", "FRMDIVSR", "GROUPGAP")
        found[header["READPATT"]] = tuple(header[name] for name in names)
        frames = header["NFRAMES"] + header["GROUPGAP"]
        assert header["TGROUP"] == pytest.approx(frames * header["TFRAME"])
        assert fits.getdata(path, "ZEROFRAME").shape == (1, 64, 64)
        with datamodels.open(path, strict_validation=True) as model:
            assert model.meta.exposure.zero_frame
    expected = {"MEDIUM8": (8, 8, 2), "SHALLOW4": (4, 4, 1), "BRIGHT2": (2, 2, 0)}
    assert found == expected | {"DEEP8": (8, 8, 12)}
