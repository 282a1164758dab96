"""IRS2 frames: where samples lie, bad reference samples, drifts against truth, refusals."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.models import Ramp, Table
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.threads import set_threads
from calwebb_detector1.arrays import reference_array
from calwebb_detector1.irs2 import badpixels, layout, weights
from calwebb_detector1.irs2.correction import run_irs2
from calwebb_detector1.irs2.mode import irs2_steps
from calwebb_detector1.modes import NEAR_INFRARED, NIRSPEC_IRS2, select
from calwebb_detector1.steps import ipc, saturation
from calwebb_detector1.steps.refpix import RefpixParameters

from . import irs2

OPTIONS = RefpixParameters()
TRUSTING = RefpixParameters(ovr_corr_mitigation_ftr=50.0)


def varying(data):
    """Return what varies between the groups of frames."""
    return data - data.mean(axis=1, keepdims=True)


@pytest.fixture(scope="module", params=["NRS1", "NRS2"])
def made(request):
    return irs2.make(seed=4, ngroups=2, detector=request.param)


@pytest.fixture(scope="module")
def plain():
    return irs2.references(irs2.plain_weights())


def test_samples_of_a_section_in_time():
    pattern = ["pixel"] * 8
    for _ in range(32):
        pattern += ["lost"] + ["reference"] * 4 + ["lost"] + ["pixel"] * 16
    pattern = pattern[:-8] + ["lost"] * 8
    assert len(pattern) == layout.TIMES
    kinds = ["lost"] * layout.TIMES
    for time, reference in zip(layout.TIME, layout.IS_REFERENCE, strict=True):
        kinds[time] = "reference" if reference else "pixel"
    assert kinds == pattern


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_rows_of_pixels(detector):
    where = layout.layout_of(irs2.keywords(detector), (3200, 2048))
    expected = irs2.science(detector == "NRS2")
    np.testing.assert_array_equal(where.science_rows, np.flatnonzero(expected))
    output = slice(2560, 3200) if detector == "NRS2" else slice(0, 640)
    assert not expected[output].any()


def test_shared_drift_and_alternating_columns_are_removed(made, plain):
    ramp, status = run_irs2(made.ramp(), plain, OPTIONS)
    assert status.word == "COMPLETE"
    assert ramp.data.shape == made.truth.shape
    assert ramp.data.flags.c_contiguous
    assert ramp.pixeldq.shape == (2048, 2048)
    assert ramp.groupdq.shape == ramp.data.shape
    rows = np.flatnonzero(irs2.science(made.detector == "NRS2"))
    before = varying(made.data[:, :, rows] - made.truth).std()
    after = varying(ramp.data - made.truth).std()
    # What stays: each output's own drift of 1 DN, and the reference output's noise of 1 DN.
    assert before > 6
    assert after < 1.3
    np.testing.assert_allclose(ramp.data.mean(axis=1), made.data[:, :, rows].mean(axis=1), atol=0.1)


def test_own_drift_of_an_output_is_followed_by_its_reference_pixels():
    made = irs2.make(seed=5, drift=10.0, alternating=0.0, noise=0.5)
    zero = np.zeros(2 * irs2.SAMPLES, np.float32)
    slow = zero.copy()
    # Eight samples of every twenty-two stand for all, hence the factor.
    slow[: 2 * 2000 : 2] = slow[-2 * 2000 :: 2] = 22 / 8
    chosen = {f"alpha_{k}": zero for k in range(4)} | {f"beta_{k}": slow for k in range(4)}
    ramp, _ = run_irs2(made.ramp(), irs2.references(chosen), OPTIONS)
    rows = np.flatnonzero(irs2.science(False))
    before = varying(made.data[:, :, rows] - made.truth)
    after = varying(ramp.data - made.truth)
    # What all pixels of an output share over 32 lines is slow enough to be followed.
    means = [x.reshape(2, 4, 512, 64, 32).mean(axis=(2, 4)).std() for x in (before, after)]
    assert means[1] < 0.1 * means[0]


@pytest.mark.slow
def test_drift_by_plain_transforms(made):
    """One long transform a section, as the formula says it, for what is subtracted."""
    chosen = irs2.random_weights(seed=8)
    ramp, _ = run_irs2(made.ramp(), irs2.references(chosen), TRUSTING)
    other, _ = run_irs2(made.ramp(), irs2.references(irs2.zero_weights()), TRUSTING)
    subtracted = other.data - ramp.data
    expected = irs2.plain_drift(made, chosen)
    assert expected.std() > 1
    # Samples near 10000 DN in float32 are good to 0.001 DN.
    np.testing.assert_allclose(subtracted, expected, atol=6e-3)


def test_threads_make_no_difference(made):
    given = irs2.references(irs2.random_weights())
    results = []
    for number in (1, 2):
        set_threads(number)
        results.append(run_irs2(made.ramp(), given, OPTIONS)[0].data)
    set_threads(None)
    np.testing.assert_array_equal(*results)


def test_noisy_reference_samples_are_found_and_replaced(made, plain, caplog):
    ramp = made.ramp()
    rows = layout.interleaved_rows().nonzero()[0]
    pair = rows[200:202]
    rng = np.random.default_rng(1)
    ramp.data[:, :, pair] += rng.normal(0, 200, ramp.data[:, :, pair].shape).astype(np.float32)
    with caplog.at_level(logging.INFO):
        found, _ = run_irs2(ramp, plain, OPTIONS)
    assert "of 640 rows of reference samples are bad and replaced" in caplog.text
    bad = badpixels.noisy_rows(made.data[0], np.zeros(3200, bool), 6.0)
    assert not bad.any()
    assert varying(found.data - made.truth).std() < 1.3


def test_samples_without_a_good_neighbour_are_left_out(made, plain, caplog):
    ramp = made.ramp()
    ramp.pixeldq[layout.interleaved_rows(), 5] = 131072
    found, status = run_irs2(ramp, plain, OPTIONS)
    assert status.word == "COMPLETE"
    assert "640 of 640 rows of reference samples are bad and have no good neighbour" in caplog.text
    assert np.isfinite(found.data).all()


@given(st.sets(st.sampled_from(np.flatnonzero(layout.interleaved_rows()).tolist())))
def test_substitutes_are_good_and_of_the_same_output(rows):
    bad = np.zeros(layout.ROWS, bool)
    bad[list(rows)] = True
    chosen = badpixels.substitutes(bad)
    assert set(chosen) == rows
    for row, others in chosen.items():
        for other in others:
            assert not bad[other]
            assert layout.interleaved_rows()[other]
            assert other // 640 == row // 640


def test_flags_of_light_sensitive_rows_replace_nothing(made):
    dq = np.zeros((3200, 2048), np.uint32)
    dq[700, 2] = 131072
    assert not badpixels.flagged_rows(dq).any()


@pytest.mark.parametrize(("output", "parity", "first"), [(1, 1, 648), (2, 1, 1290), (4, 2, 2568)])
def test_bad_reference_pixels_of_the_reference_file(output, parity, first):
    types = [("OUTPUT", "u2"), ("ODD_EVEN", "u2"), ("MASK", "u4")]
    table = Table(np.array([(output, parity, 0b1)], types))
    rows = badpixels.listed_rows(table, layout.Layout(reverse=False))
    assert np.flatnonzero(rows).tolist() == [first, first + 1]
    turned = badpixels.listed_rows(table, layout.Layout(reverse=True))
    assert np.flatnonzero(turned[::-1]).tolist() == [first, first + 1]


def test_levels_of_odd_and_even_columns(plain):
    made = irs2.make(seed=9, drift=0.0, alternating=0.0)
    data = made.data.copy()
    data[:, 1, 1::2] += 7
    reference = layout.interleaved_rows()
    data[:, 1, reference] = made.data[:, 1, reference]
    data[:, 1, np.flatnonzero(reference)[2::4]] += 7
    data[:, 1, np.flatnonzero(reference)[3::4]] += 7
    changed = irs2.Made(data, made.truth, "NRS1")
    options = RefpixParameters(irs2_mean_subtraction=True)
    zero = irs2.references(irs2.zero_weights())
    ramp, _ = run_irs2(changed.ramp(), zero, options)
    step = varying(ramp.data - made.truth)[0, 1]
    assert abs(step[::2].mean() - step[1::2].mean()) < 0.1


def test_without_the_reference_frames_are_trimmed(made, caplog):
    ramp = made.ramp()
    ramp.zeroframe = ramp.data[:, 0].copy()
    ramp, status = run_irs2(ramp, References.of(refpix=None), OPTIONS)
    assert str(status).startswith("SKIPPED: the refpix reference is N/A")
    assert "their drifts stay" in caplog.text
    rows = np.flatnonzero(irs2.science(made.detector == "NRS2"))
    np.testing.assert_array_equal(ramp.data, made.data[:, :, rows])
    np.testing.assert_array_equal(ramp.zeroframe, made.data[:, 0, rows])


def test_frames_of_another_readout_are_refused():
    for changes, words in (
        ({"NRS_NORM": 8}, "NRS_NORM is 8; expected 16"),
        ({"DETECTOR": "NRS3"}, "DETECTOR is 'NRS3'; expected NRS1 or NRS2"),
    ):
        with pytest.raises(InputError, match=words):
            layout.layout_of(irs2.keywords(**changes), (3200, 2048))
    with pytest.raises(InputError, match="frames have 64 rows and 32 columns; expected 3200"):
        layout.layout_of(irs2.keywords(), (64, 32))
    shape = (1, 1, 2048, 2048)
    dq = np.zeros(shape[2:], np.uint32)
    ramp = Ramp(irs2.keywords(), np.zeros(shape, np.float32), dq, np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match="refpix has trimmed these IRS2 frames already"):
        run_irs2(ramp, References.of(refpix=None), OPTIONS)


def test_weights_that_cannot_be_used_are_refused():
    names = [f"{kind}_{k}" for kind in ("alpha", "beta") for k in range(4)]
    short = Table(np.zeros(10, [(name, "f4") for name in names]))
    with pytest.raises(ReferenceFileError, match="has no table IRS2"):
        weights.weights_of(Reference("refpix", "r.fits"))
    with pytest.raises(ReferenceFileError, match=r"10 rows .* expected 2916352 rows"):
        weights.weights_of(Reference("refpix", "r.fits", tables={"IRS2": short}))
    table = Table(np.full(2 * irs2.SAMPLES, np.nan, [("alpha_0", "f4")]))
    with pytest.raises(ReferenceFileError, match="2916352 values of alpha_0 are not finite"):
        weights.weights_of(Reference("refpix", "r.fits", tables={"IRS2": table}))
    bad = Table(np.zeros(1, [("OUTPUT", "u2")]))
    with pytest.raises(ReferenceFileError, match="DQ lacks the columns MASK, ODD_EVEN"):
        weights.bad_reference_table(Reference("refpix", "r.fits", tables={"DQ": bad}))


def test_steps_of_the_mode_are_those_of_the_near_infrared():
    steps = select(irs2.keywords(EXP_TYPE="NRS_IFU"))
    assert steps is NIRSPEC_IRS2
    assert [step.name for step in steps] == [step.name for step in NEAR_INFRARED]
    refpix = next(step for step in steps if step.name == "refpix")
    assert refpix.types(OPTIONS) == ("refpix",)
    assert refpix.prepare is None


def on_pixels_and_on_frames(step, made, given, options, **keywords):
    """Return what a step makes of trimmed frames, and of IRS2 frames: all, and their pixels."""
    rows = np.flatnonzero(irs2.science(made.detector == "NRS2"))
    frames, pixels = made.ramp(**keywords), made.ramp(**keywords)
    trimmed = {"data": 2, "groupdq": 2, "pixeldq": 0}
    for name, axis in trimmed.items():
        setattr(pixels, name, getattr(pixels, name).take(rows, axis))
    pixels, _ = step.run(pixels, References.of(**given), options)
    frames, status = irs2_steps((step,))[0].run(frames, References.of(**given), options)
    assert status.word == "COMPLETE"
    inner = {name: getattr(frames, name).take(rows, axis) for name, axis in trimmed.items()}
    return pixels, frames, inner


def test_saturation_within_averaged_groups_sees_the_pixels_only(made):
    rng = np.random.default_rng(3)
    data = np.concatenate([made.data, made.data[:, :1]], axis=1)
    late = rng.random(data.shape[2:]) < 0.01
    data[:, 1, late], data[:, 2, late] = 29000, 40000
    threshold = np.full((2048, 2048), 30000, np.float32)
    given = {
        "saturation": {"SCI": threshold, "DQ": np.zeros(threshold.shape, np.uint32)},
        "superbias": None,
    }
    pixels, frames, inner = on_pixels_and_on_frames(
        saturation.STEP, irs2.Made(data, made.truth, made.detector), given,
        saturation.SaturationParameters(n_pix_grow_sat=1), NFRAMES=5,
    )  # fmt: skip
    assert np.count_nonzero(pixels.groupdq[:, 1] & 1) > 10000
    np.testing.assert_array_equal(inner["groupdq"], pixels.groupdq)
    np.testing.assert_array_equal(inner["pixeldq"], pixels.pixeldq)
    assert np.count_nonzero(frames.groupdq) == np.count_nonzero(pixels.groupdq)


def test_ipc_sees_the_pixels_only(made):
    kernel = np.array([[0, -0.01, 0], [-0.02, 1.05, -0.01], [0, -0.01, 0]], np.float32)
    pixels, frames, inner = on_pixels_and_on_frames(
        ipc.STEP, made, {"ipc": {"SCI": kernel}}, NoParameters()
    )
    np.testing.assert_array_equal(inner["data"], pixels.data)
    others = ~irs2.science(made.detector == "NRS2")
    np.testing.assert_array_equal(frames.data[:, :, others], made.data[:, :, others])
    assert np.mean(frames.data != made.data) > 0.6


def test_frames_that_were_not_trimmed_are_refused_by_later_steps():
    gain = Reference("gain", "gain.fits", arrays={"SCI": np.ones((2048, 2048), np.float32)})
    with pytest.raises(ReferenceFileError, match="or run refpix before, which trims frames"):
        reference_array(gain, "SCI", (3200, 2048))
