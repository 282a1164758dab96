"""emicorr takes made waves away; its parts against plain numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.models import Ramp
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.emi import joint, sequential
from calwebb_detector1.emi.reference import Clocks, Timing, Wave
from calwebb_detector1.kernels import emicorr as kernels
from calwebb_detector1.steps import emicorr

from . import emi
from .ramps import keywords

NOISE = 4.0


def exposure(shape=(1, 12, 24, 32), seed=1, added=None, **changes):
    """Make faint ramps with read noise and a wave; return them with the wave."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(2, 20, shape[2:])
    ramps = rate * np.arange(shape[1])[:, None, None] + rng.normal(0, NOISE, shape)
    added = emi.disturbance(shape, amplitude=2.0, phase=0.3) if added is None else added
    place = {
        "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "SUBARRAY": "SUB64", "READPATT": "FASTR1",
        "NSAMPLES": 1,
    }  # fmt: skip
    data = (9000 + ramps + added).astype(np.float32)
    metadata = keywords(shape, **place | changes)
    return (
        Ramp(metadata, data, np.zeros(shape[2:], np.uint32), np.zeros(shape, np.uint8)),
        added,
        9000 + ramps,
    )


def references(**options):
    return References.of(emicorr=Reference("emicorr", "emi.asdf", tree=emi.tree(**options)))


def bend(wanted, found):
    """Return the scatter of what is left of a wave, without the offset of each pixel."""
    rest = found - wanted
    return float((rest - rest.mean(axis=1, keepdims=True)).std())


def correct(ramp, **options):
    return emicorr.run(ramp, references(), emicorr.EmicorrParameters(**options))


@pytest.mark.parametrize("nints", [1, 3])
@pytest.mark.parametrize("separately", [False, True])
def test_joint_takes_a_wave_away(nints, separately):
    ramp, added, clean = exposure((nints, 8, 64, 72))
    ramp, status = correct(ramp, fit_ints_separately=separately)
    assert status.word == "COMPLETE"
    assert bend(clean, ramp.data) < 0.04 * bend(clean, clean + added)


@pytest.mark.parametrize("ngroups", [3, 4, 30])
def test_joint_with_few_groups(ngroups):
    ramp, added, clean = exposure((2, ngroups, 64, 72))
    ramp, _ = correct(ramp)
    assert bend(clean, ramp.data) < 0.06 * bend(clean, clean + added)


def test_joint_finds_amplitude_and_phase():
    ramp, _, _ = exposure((2, 12, 64, 72))
    timing = Timing.of(ramp.metadata, Clocks(emi.ROW, emi.FRAME), 64)
    found = joint.remove_wave(ramp.data, ramp.pixeldq, Wave("w", emi.FREQUENCY, emi.wave()), timing)
    assert found[0] == found[1]
    assert found[0].amplitude == pytest.approx(2.0, abs=0.05)
    assert found[0].phase == pytest.approx(0.3, abs=0.002)


def test_joint_leaves_clean_ramps_alone():
    ramp, _, clean = exposure((1, 12, 64, 72), added=np.zeros((1, 12, 64, 72)))
    ramp, _ = correct(ramp)
    assert np.abs(ramp.data - clean).max() < 0.5


def test_bright_and_bad_pixels_do_not_matter():
    ramp, _, clean = exposure((1, 10, 32, 32))
    faulty = np.zeros((32, 32), bool)
    faulty[5:15, 8:20] = True
    ramp.data[..., faulty] *= np.linspace(1, 6, 10, dtype=np.float32)[None, :, None]
    ramp.data[:, 4, 20, 20] = np.nan
    ramp.pixeldq[25:, :4] = 1
    ramp.data[..., 25:, :4] += 500 * np.sin(np.arange(10))[None, :, None, None]
    ramp, _ = correct(ramp)
    clear = ~faulty
    clear[20, 20] = clear[25:, :4] = False
    left = (ramp.data - clean)[..., clear]
    assert (left - left.mean(axis=1, keepdims=True)).std() < 0.1


def test_two_waves_one_after_the_other():
    shape = (1, 12, 64, 72)
    added = emi.disturbance(shape, amplitude=3.0, phase=0.1)
    added = added + emi.disturbance(shape, frequency=218.52, amplitude=1.5, phase=0.7)
    ramp, _, clean = exposure(shape, added=added)
    waves = references(frequencies=(emi.FREQUENCY, 218.52))
    ramp, _ = emicorr.run(ramp, waves, emicorr.EmicorrParameters())
    assert bend(clean, ramp.data) < 0.05 * bend(clean, clean + added)


@pytest.mark.parametrize(
    "options", [{}, {"nints_to_phase": 2}, {"use_n_cycles": None}, {"nbins": 64}]
)
def test_sequential_takes_a_wave_away(options):
    ramp, added, clean = exposure((2, 20, 64, 72))
    ramp, _ = correct(ramp, algorithm="sequential", **options)
    assert bend(clean, ramp.data) < 0.12 * bend(clean, clean + added)


def test_sequential_without_a_known_shape():
    ramp, added, clean = exposure((2, 40, 64, 72))
    given = emicorr.EmicorrParameters(onthefly_corr_freq=(emi.FREQUENCY,), nbins=64)
    ramp, status = emicorr.run(ramp, References.of(emicorr=None), given)
    assert status.word == "COMPLETE"
    assert bend(clean, ramp.data) < 0.15 * bend(clean, clean + added)


def test_sequential_unscaled_subtracts_the_shape_as_it_is():
    ramp, _, clean = exposure((1, 20, 64, 72))
    expected = bend(clean, clean + emi.disturbance((1, 20, 64, 72), phase=0.3))
    ramp, _ = correct(ramp, algorithm="sequential", scale_reference=False)
    assert bend(clean, ramp.data) == pytest.approx(expected, rel=0.1)


def test_slow_readout_of_the_full_name():
    shape, clocks = (1, 6, 32, 64), {"row": 300, "frame_of_reset": 0, "nsamples": 9}
    added = emi.disturbance(shape, amplitude=2.0, phase=0.2, **clocks)
    ramp, _, clean = exposure(shape, added=added, READPATT="SLOW", SUBARRAY="FULL", NSAMPLES=9)
    given = references(row=300, frame=999, case="FULL_SLOW")
    ramp, status = emicorr.run(ramp, given, emicorr.EmicorrParameters())
    assert status.word == "COMPLETE"
    assert bend(clean, ramp.data) < 0.06 * bend(clean, clean + added)


# parts


@settings(max_examples=20, deadline=None)
@given(size=st.integers(4, 90), phase=st.floats(0, 0.999999))
def test_spline_against_scipy(size, phase):
    shape = np.random.default_rng(size).normal(0, 1, size)
    knots = joint.spline_knots(shape)
    expected = emi.at_phase(shape, np.array([phase]))[0]
    assert kernels.spline(knots, phase) == pytest.approx(expected, abs=1e-9)


def test_chi_square_against_a_fit_of_every_ramp():
    """The sums give the amplitude that a linear fit of all ramps at once gives."""
    shape = (2, 6, 8, 16)
    ramp, _, _ = exposure(shape, seed=4)
    timing = Timing.of(ramp.metadata, Clocks(emi.ROW, emi.FRAME), 8)
    wave = Wave("w", emi.FREQUENCY, emi.wave())
    knots, begin = joint.spline_knots(wave.shape), joint.starts(timing, wave, 2, 6)
    steady = np.ones((2, 8, 16), bool)
    sums = joint.sums_by_phase(ramp.data, steady, wave, timing, begin, [0, 1])
    own, shared = kernels.products(*sums, knots, 0.3, timing.frame / wave.period)
    first = emi.read_times(shape)[:, :1] / wave.period % 1
    bins = np.floor(first * 64).astype(int)
    used = np.broadcast_to(np.isin(np.arange(16) // 4, (0, 3)), shape[-2:])
    inside, where = (np.broadcast_to(a, (2, 1, 8, 16))[..., used] for a in (first, bins))
    mean = np.bincount(where.ravel(), inside.ravel(), 64) / np.bincount(
        where.ravel(), minlength=64
    ).clip(1)
    middles = mean[bins]
    later = (np.arange(6) * timing.frame / wave.period)[:, None, None]
    model = np.broadcast_to(emi.at_phase(emi.wave(), middles + later + 0.3), shape)
    z, y = (np.moveaxis(a, 1, 0)[..., used].reshape(6, -1) for a in (model, ramp.data))
    lines = np.stack([np.ones(6), np.arange(6)], 1)
    straight = lines @ np.linalg.pinv(lines)
    z, y = z - straight @ z, y - straight @ y.astype(float)
    assert own == pytest.approx((z * z).sum(), rel=1e-9)
    assert shared == pytest.approx((z * y).sum(), rel=1e-6)


def test_deviations_against_numpy():
    ramp, _, _ = exposure((2, 7, 6, 8))
    out = np.empty((2, 6, 8), np.float32)
    kernels.deviations(ramp.data, out)
    np.testing.assert_allclose(out, ramp.data.astype(float).std(axis=1), rtol=1e-5)


def test_bins_against_numpy():
    out = np.empty((6, 5), np.int64)
    kernels.bins_of_samples(0.2, 0.37, 0.11, 0.05, 13, out)
    phase = 0.2 + np.arange(6)[:, None] * 0.37 + np.arange(5) * 0.11 + (np.arange(5) == 4) * 0.05
    np.testing.assert_array_equal(out, np.ceil(phase % 1 * 13) - 1)


def test_missing_bins_are_interpolated():
    means = np.array([1.0, np.nan, 3.0, np.nan])
    np.testing.assert_allclose(sequential.filled(means), [-1, 0, 1, 0])
    np.testing.assert_array_equal(sequential.filled(np.full(4, np.nan)), np.zeros(4))


def test_clipped_mean():
    values = np.append(np.random.default_rng(1).normal(5, 1, 300), [90.0, -70.0])
    assert sequential.clipped_mean(values) == pytest.approx(5, abs=0.2)
    assert np.isnan(sequential.clipped_mean(np.zeros(0)))


@pytest.mark.parametrize(
    ("wanted", "cycles", "expected"), [(None, 3, 1), (None, None, 9), (4, 3, 4), (20, 3, 9)]
)
def test_integrations_to_fold(wanted, cycles, expected):
    assert sequential.integrations_to_fold(9, wanted, cycles, 256.0, 8512 * 10) == expected


def test_the_last_column_of_the_full_frame_is_late():
    changes = {"SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 1032, "SUBSIZE2": 1024}
    ramp, _, _ = exposure((1, 3, 4, 8))
    ramp.metadata.update(changes)
    timing = Timing.of(ramp.metadata, Clocks(271, 277504), 1024)
    assert timing == Timing(271, 1, 277504, 277504, 3)


def test_threads_do_not_matter(monkeypatch):
    from calwebb_core.framework import threads

    found = []
    for number in (1, 2, 5):
        monkeypatch.setattr(threads, "_wanted", [number])
        found.append(correct(exposure((2, 5, 24, 32))[0])[0].data)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


# when it does not run, and bad input


@pytest.mark.parametrize(
    ("shape", "changes", "options", "reason"),
    [
        ((1, 5, 8, 16), {"INSTRUME": "NIRCAM"}, {}, "only MIRI has this interference"),
        ((1, 5, 8, 16), {"READPATT": "FASTGRPAVG"}, {}, "READPATT is FASTGRPAVG; it is done for"),
        ((1, 2, 8, 16), {}, {}, "2 groups; at least 3 are needed"),
        ((1, 3, 8, 16), {}, {"algorithm": "sequential"}, "3 groups; at least 4 are needed"),
        ((1, 5, 8, 18), {}, {}, "18 columns are no multiple of the detector's 4 outputs"),
        ((1, 5, 8, 16), {"SUBARRAY": "SUB128"}, {}, "no wave for SUB128 for this READPATT"),
        ((1, 5, 8, 16), {"READPATT": "SLOW", "DETECTOR": "MIRIFULONG"}, {}, "no wave for SUB64"),
        (
            (1, 5, 8, 16), {"SUBARRAY": "SUB7"}, {"onthefly_corr_freq": (390.0,)},
            "the clocks of SUB7 are not known",
        ),
    ],
)  # fmt: skip
def test_skipped(shape, changes, options, reason):
    ramp, _, _ = exposure(shape, **changes)
    before = ramp.data.copy()
    ramp, status = correct(ramp, **options)
    assert reason in str(status)
    np.testing.assert_array_equal(ramp.data, before)


def test_without_reference():
    ramp, _, _ = exposure((1, 5, 8, 16))
    _, status = emicorr.run(ramp, References.of(emicorr=None), emicorr.EmicorrParameters())
    assert str(status) == "SKIPPED: the emicorr reference is N/A"
    assert emicorr.STEP.skip


def test_few_groups_for_the_sequential_algorithm(caplog):
    correct(exposure((1, 6, 16, 16))[0], algorithm="sequential")
    assert "6 groups are few for the sequential algorithm" in caplog.text


def test_no_steady_ramps(caplog):
    ramp, _, _ = exposure((1, 6, 16, 16))
    ramp.pixeldq[:] = 1
    before = ramp.data.copy()
    correct(ramp)
    assert "no steady ramps to fit the wave to" in caplog.text
    np.testing.assert_array_equal(ramp.data, before)


def test_a_wave_that_repeats_from_group_to_group(caplog):
    """It only adds an offset to each pixel."""
    shape, clocks = (1, 6, 256, 16), {"row": 96, "frame_of_reset": 29952}
    ramp, _, _ = exposure(shape, added=emi.disturbance(shape, **clocks), SUBARRAY="SUB256")
    before = ramp.data.copy()
    caplog.set_level("INFO")
    given = references(row=96, frame=29952, case="SUB256")
    emicorr.run(ramp, given, emicorr.EmicorrParameters())
    assert "Hz391 repeats from group to group: no ramp is bent by it" in caplog.text
    np.testing.assert_array_equal(ramp.data, before)


def broken(change):
    content = emi.tree()
    change(content)
    return References.of(emicorr=Reference("emicorr", "emi.asdf", tree=content))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda tree: tree.pop("frequencies"), "emi.asdf .* has no frequencies; it has subarray"),
        (lambda tree: tree["frequencies"].clear(), "wave Hz391 needs a frequency above 0 Hz"),
        (
            lambda tree: tree["frequencies"]["Hz391"].update(frequency=-3),
            "wave Hz391 needs a frequency above 0 Hz",
        ),
        (
            lambda tree: tree["frequencies"]["Hz391"].update(phase_amplitudes=[1, 2, 3, np.nan]),
            "four finite phase_amplitudes",
        ),
        (
            lambda tree: tree["subarray_cases"]["SUB64"].pop("rowclocks"),
            "case SUB64 lacks rowclocks or frameclocks",
        ),
    ],
)
def test_broken_reference(change, text):
    ramp, _, _ = exposure((1, 5, 8, 16))
    with pytest.raises(ReferenceFileError, match=text):
        emicorr.run(ramp, broken(change), emicorr.EmicorrParameters())


def test_negative_frequency():
    given = emicorr.EmicorrParameters(onthefly_corr_freq=(390.0, -1.0))
    with pytest.raises(InputError, match=r"onthefly_corr_freq is -1 Hz; expected frequencies abov"):
        emicorr.run(exposure((1, 5, 8, 16))[0], References.of(emicorr=None), given)


def test_without_the_samples_of_a_pixel():
    ramp, _, _ = exposure((1, 5, 8, 16), NSAMPLES=None)
    with pytest.raises(InputError, match="keyword NSAMPLES is missing"):
        correct(ramp)
