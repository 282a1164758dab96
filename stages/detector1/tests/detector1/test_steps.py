"""Each of the simpler steps against plain numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Rates
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.steps import (
    dark_current,
    dq_init,
    gain_scale,
    group_scale,
    ipc,
    linearity,
    refpix,
    saturation,
    superbias,
)

from . import reference
from .ramps import make, ramp_of

NONE = NoParameters()
SHAPE = (24, 30)


def constant(value):
    return np.full(SHAPE, value, np.float32)


def flags(**at):
    """Flags by position, such as `flags(at_3_4=1)`."""
    dq = np.zeros(SHAPE, np.uint32)
    for name, value in at.items():
        y, x = map(int, name.split("_")[1:])
        dq[y, x] = value
    return dq


# group_scale


@pytest.mark.parametrize(("divisor", "nframes", "factor"), [(4, 3, 4 / 3), (8, 5, 1.6)])
def test_group_scale(divisor, nframes, factor):
    made = make()
    ramp = ramp_of(made, FRMDIVSR=divisor, NFRAMES=nframes)
    ramp, status = group_scale.run(ramp, References.of(), NONE)
    assert status.word == "COMPLETE"
    np.testing.assert_allclose(ramp.data, made.data * factor, rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"FRMDIVSR": 4, "NFRAMES": 4}, "FRMDIVSR equals the number of averaged frames, 4"),
        ({"FRMDIVSR": None}, "keyword FRMDIVSR or NFRAMES is missing"),
    ],
)
def test_group_scale_not_needed(changes, reason):
    ramp = ramp_of(make(), **changes)
    assert group_scale.STEP.not_needed(ramp.metadata) == reason
    assert group_scale.run(ramp, References.of(), NONE)[1].reason == reason


def test_group_scale_of_averaged_miri_groups():
    ramp = ramp_of(make(), READPATT="FASTGRPAVG8", MIRNFRMS=8, NFRAMES=1, FRMDIVSR=8)
    assert "averaged frames, 8" in group_scale.STEP.not_needed(ramp.metadata)


# dq_init


def test_dq_init():
    ramp = ramp_of(make(bad_pixels=0))
    ramp.pixeldq[0, 0] = 4
    before = ramp.groupdq.copy()
    mask = flags(at_0_0=1, at_5_6=1025)
    ramp, status = dq_init.run(ramp, References.of(mask={"DQ": mask}), NONE)
    assert status.word == "COMPLETE"
    assert (ramp.pixeldq[0, 0], ramp.pixeldq[5, 6]) == (5, 1025)
    # what is unusable is so in all groups
    before[..., [0, 5], [0, 6]] |= 1
    np.testing.assert_array_equal(ramp.groupdq, before)


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (dq_init, "mask"), (superbias, "superbias"), (linearity, "linearity"),
        (dark_current, "dark"), (saturation, "saturation"), (ipc, "ipc"),
    ],
)  # fmt: skip
def test_no_reference(module, kind):
    made = make()
    parameters = module.STEP.parameters()
    ramp, status = module.run(ramp_of(made), References.of(**{kind: None}), parameters)
    assert str(status) == f"SKIPPED: the {kind} reference is N/A"
    np.testing.assert_array_equal(ramp.data, made.data)


@pytest.mark.parametrize(
    ("module", "kind", "arrays"),
    [
        (dq_init, "mask", {"DQ": np.zeros((5, 6), np.uint32)}),
        (superbias, "superbias", {"SCI": np.zeros((5, 6), np.float32)}),
        (saturation, "saturation", {"SCI": np.zeros((5, 6), np.float32)}),
        (linearity, "linearity", {"COEFFS": np.zeros((3, 5, 6), np.float32)}),
        (dark_current, "dark", {"SCI": np.zeros((9, 5, 6), np.float32)}),
        (ipc, "ipc", {"SCI": np.zeros((3, 3, 5, 6), np.float32)}),
    ],
)
def test_reference_of_another_size(module, kind, arrays):
    text = r"has shape \(.*5, 6\), but the exposure has 24 rows and 30 columns"
    with pytest.raises(ReferenceFileError, match=text):
        module.run(ramp_of(make()), References.of(**{kind: arrays}), module.STEP.parameters())


def test_reference_without_its_array():
    given = References.of(superbias={"DATA": constant(1)})
    with pytest.raises(ReferenceFileError, match="has no array SCI; it has DATA"):
        superbias.run(ramp_of(make()), given, NONE)


# superbias


def test_superbias():
    made = make(nints=2)
    ramp = ramp_of(made)
    ramp.zeroframe = made.data[:, 0].copy()
    ramp.zeroframe[0, 3, 3] = 0
    bias = np.random.default_rng(1).normal(1000, 30, SHAPE).astype(np.float32)
    given = References.of(superbias={"SCI": bias, "DQ": flags(at_2_2=4194304)})
    ramp, _ = superbias.run(ramp, given, NONE)
    np.testing.assert_array_equal(ramp.data, made.data - bias)
    assert ramp.zeroframe[0, 3, 3] == 0
    assert ramp.zeroframe[0, 4, 4] == made.data[0, 0, 4, 4] - bias[4, 4]
    assert ramp.pixeldq[2, 2] & 4194304


def test_superbias_with_nan(caplog):
    made = make(bad_pixels=0)
    bias = constant(100)
    bias[3, 4] = np.nan
    ramp, _ = superbias.run(ramp_of(made), References.of(superbias={"SCI": bias}), NONE)
    assert ramp.pixeldq[3, 4] == 4194305
    assert ramp.pixeldq.sum() == 4194305
    np.testing.assert_array_equal(ramp.data[..., 3, 4], made.data[..., 3, 4])
    assert "the bias of 1 of 720 pixels is NaN" in caplog.text


# linearity


def coefficients(seed=1):
    rng = np.random.default_rng(seed)
    terms = [rng.normal(0, 2, SHAPE), rng.normal(1, 0.01, SHAPE), rng.normal(1e-6, 1e-7, SHAPE)]
    return np.stack(terms).astype(np.float32)


def test_linearity():
    made = make(nints=2, saturated=0.3)
    terms = coefficients()
    terms[2, 1, 1] = np.nan
    terms[1, 1, 2] = 0
    given = References.of(linearity={"COEFFS": terms, "DQ": flags(at_1_3=1048576)})
    ramp = ramp_of(made)
    ramp.zeroframe = made.data[:, 0].copy()
    ramp.zeroframe[:, 5, 5] = 0
    ramp, _ = linearity.run(ramp, given, NONE)
    expected = terms[0] + made.data * (terms[1] + made.data * terms[2])
    expected = np.where(made.groupdq & 2, made.data, expected)
    expected[..., 1, 1:4] = made.data[..., 1, 1:4]
    np.testing.assert_allclose(ramp.data, expected, rtol=1e-5, atol=1e-3)
    assert (ramp.pixeldq[1, 1:4] & 1048576 != 0).all()
    assert np.count_nonzero(ramp.pixeldq & 1048576) == 3
    assert (ramp.zeroframe[:, 5, 5] == 0).all()
    assert ramp.zeroframe[0, 6, 6] != made.data[0, 0, 6, 6]


def test_linearity_of_averaged_reads():
    """Reads on a straight line, bent, averaged and rounded to float32, come back straight."""
    nframes, ngroups, step = 8, 5, 150.0
    reads = 200 + step * np.arange(nframes * ngroups, dtype=float)
    bent = (np.sqrt(1 + 4 * 4e-6 * reads) - 1) / (2 * 4e-6)  # inverse of x + 4e-6 x^2
    groups = bent.reshape(ngroups, nframes).mean(axis=1).astype(np.float32)
    straight = reads.reshape(ngroups, nframes).mean(axis=1)
    fitted = np.polynomial.Polynomial.fit(reads, bent, 5).convert().coef
    data = groups[None, :, None, None].copy()
    forward = np.array([0, 1, 4e-6], np.float32)[:, None, None].copy()
    inverse = fitted.astype(np.float32)[:, None, None].copy()
    usable, groupdq = np.ones((1, 1), bool), np.zeros(data.shape, np.uint8)
    plain = data.copy()
    linearity.correct_linearity(plain, groupdq, None, coefficients=forward, usable=usable)
    linearity.correct_linearity(
        data, groupdq, None, coefficients=forward, usable=usable, inverse=inverse,
        nframes=nframes,
    )  # fmt: skip
    ours, simple = data.ravel() - straight, plain.ravel() - straight
    assert np.abs(ours).max() < 0.3 * np.abs(simple).max()


def test_linearity_needs_two_coefficients():
    given = References.of(linearity={"COEFFS": np.ones((1, *SHAPE), np.float32)})
    with pytest.raises(ReferenceFileError, match="expected two coefficients a pixel or more"):
        linearity.run(ramp_of(make()), given, NONE)


# dark_current


def dark_reference(dark, **cards):
    made = Reference("dark", "dark in memory", arrays={"SCI": dark})
    made.metadata.update(cards)
    return References.of(dark=made)


@pytest.mark.parametrize(("nframes", "groupgap"), [(1, 0), (4, 0), (2, 3)])
def test_dark_current(nframes, groupgap):
    made = make(nints=2, ngroups=4)
    rng = np.random.default_rng(4)
    dark = np.cumsum(rng.normal(2, 0.2, (30, *SHAPE)), axis=0).astype(np.float32)
    ramp = ramp_of(made, NFRAMES=nframes, GROUPGAP=groupgap)
    given = dark_reference(dark, AVDRKCUR=0.03)
    ramp, status = dark_current.run(ramp, given, dark_current.DarkCurrentParameters())
    assert status.word == "COMPLETE"
    starts = np.arange(4) * (nframes + groupgap)
    groups = np.stack([dark[s : s + nframes].mean(axis=0) for s in starts])
    np.testing.assert_allclose(ramp.data, made.data - groups, rtol=1e-6, atol=1e-3)
    np.testing.assert_array_equal(ramp.average_dark_current, np.float32(0.03))


def test_dark_is_extrapolated(caplog):
    made = make(ngroups=8)
    dark = np.float32(3) * np.arange(1, 4, dtype=np.float32)[:, None, None] * constant(1)
    ramp, _ = dark_current.run(
        ramp_of(made), dark_reference(dark), dark_current.DarkCurrentParameters()
    )
    expected = 3 * np.arange(1, 9)[:, None, None]
    np.testing.assert_allclose(made.data - ramp.data, expected[None] * constant(1), atol=2e-3)
    assert "has 3 frames of 8 needed" in caplog.text


def test_average_dark_current():
    dark = np.ones((10, *SHAPE), np.float32)
    made = Reference("dark", "d", arrays={"SCI": dark, "AVDRKCUR": constant(0.5)})
    ramp, _ = dark_current.run(
        ramp_of(make()), References.of(dark=made), dark_current.DarkCurrentParameters()
    )
    np.testing.assert_array_equal(ramp.average_dark_current, np.float32(0.5))
    wish = dark_current.DarkCurrentParameters(average_dark_current=0.7)
    ramp, _ = dark_current.run(ramp_of(make()), References.of(dark=made), wish)
    np.testing.assert_array_equal(ramp.average_dark_current, np.float32(0.7))


def test_dark_of_another_pattern():
    made = make()
    dark = np.ones((10, *SHAPE), np.float32)
    given = dark_reference(dark, NFRAMES=4, GROUPGAP=1)
    ramp, status = dark_current.run(ramp_of(made), given, dark_current.DarkCurrentParameters())
    assert status.word == "SKIPPED"
    assert "NFRAMES, GROUPGAP 4, 1 cannot be brought to the exposure's 1, 0" in status.reason
    np.testing.assert_array_equal(ramp.data, made.data)


def test_dark_of_the_same_averaged_pattern():
    made = make(ngroups=4)
    dark = np.arange(1, 5, dtype=np.float32)[:, None, None] * constant(1)
    ramp = ramp_of(made, NFRAMES=4, GROUPGAP=1)
    given = dark_reference(dark, NFRAMES=4, GROUPGAP=1)
    ramp, _ = dark_current.run(ramp, given, dark_current.DarkCurrentParameters())
    np.testing.assert_array_equal(ramp.data, made.data - dark)


def test_dark_with_one_frame():
    given = dark_reference(np.ones((1, *SHAPE), np.float32))
    with pytest.raises(ReferenceFileError, match="expected two frames or more"):
        dark_current.run(ramp_of(make()), given, dark_current.DarkCurrentParameters())


# saturation


def saturate(data, threshold, nframes=1, **options):
    groupdq = np.zeros(data.shape, np.uint8)
    limit, unchecked = saturation.checked_threshold(threshold, np.zeros(threshold.shape, np.uint32))
    saturation.flag_saturation(
        data, groupdq, None, threshold=limit, unchecked=unchecked, nframes=nframes,
        parameters=saturation.SaturationParameters(**options),
    )  # fmt: skip
    return groupdq


def test_saturation_lasts_and_grows():
    data = np.full((1, 5, 9, 9), 100, np.float32)
    data[0, 2, 4, 4] = 500
    threshold = np.full((9, 9), 400, np.float32)
    groupdq = saturate(data, threshold)
    assert not groupdq[0, :2].any()
    box = np.zeros((9, 9), np.uint8)
    box[3:6, 3:6] = 2
    for group in groupdq[0, 2:]:
        np.testing.assert_array_equal(group, box)
    assert np.count_nonzero(saturate(data, threshold, n_pix_grow_sat=0)) == 3


def test_floor_and_unchecked_pixels():
    data = np.full((1, 3, 9, 9), 100, np.float32)
    data[0, 1, 2, 2] = 0
    data[0, :, 7, 7] = 7e4
    threshold = np.full((9, 9), 400, np.float32)
    threshold[7, 7] = np.nan
    groupdq = saturate(data, threshold)
    assert groupdq[0, :, 2, 2].tolist() == [0, 65, 0]
    assert groupdq[0, 0, 7, 7] == 2
    data[0, :, 7, 7] = 65535
    assert not saturate(data, threshold)[0, 0, 7, 7]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 3))
def test_saturation_against_numpy(seed, ngroups, grow):
    rng = np.random.default_rng(seed)
    data = rng.uniform(1, 1000, (2, ngroups, 8, 9)).astype(np.float32)
    threshold = rng.uniform(900, 1500, (8, 9)).astype(np.float32)
    groupdq = saturate(data, threshold, n_pix_grow_sat=grow)
    ever = np.maximum.accumulate(data >= threshold, axis=1)
    padded = np.pad(ever, ((0, 0), (0, 0), (grow, grow), (grow, grow)))
    near = np.zeros_like(ever)
    for dy in range(2 * grow + 1):
        for dx in range(2 * grow + 1):
            near |= padded[:, :, dy : dy + 8, dx : dx + 9]
    np.testing.assert_array_equal(groupdq, np.where(near, 2, 0))


def test_saturation_step_flags_the_pixels():
    ramp = ramp_of(make(bad_pixels=0))
    threshold = constant(60000)
    threshold[1, 1] = np.nan
    given = References.of(saturation={"SCI": threshold, "DQ": flags(at_2_2=2097152)})
    ramp, _ = saturation.run(ramp, given, saturation.SaturationParameters())
    assert ramp.pixeldq[1, 1] == ramp.pixeldq[2, 2] == 2097152


# ipc


@pytest.mark.parametrize("four", [False, True])
def test_ipc(four):
    made = make(ngroups=2)
    rng = np.random.default_rng(3)
    kernel = rng.normal(0, 0.01, (3, 3)).astype(np.float32)
    kernel[1, 1] = 1.05
    stored = np.broadcast_to(kernel[:, :, None, None], (3, 3, *SHAPE)) if four else kernel
    ramp = ramp_of(made, SUBSTRT1=1, SUBSTRT2=100)
    ramp, _ = ipc.run(ramp, References.of(ipc={"SCI": stored}), NONE)
    np.testing.assert_array_equal(ramp.data[..., :4], made.data[..., :4])
    inside = made.data[0, 1, :, 4:].astype(float)
    padded = np.pad(inside, 1)
    expected = sum(
        kernel[j, i] * padded[2 - j : 2 - j + SHAPE[0], 2 - i : 2 - i + SHAPE[1] - 4]
        for j in range(3)
        for i in range(3)
    )
    np.testing.assert_allclose(ramp.data[0, 1, :, 4:], expected, rtol=1e-5, atol=1e-2)


def test_ipc_kernel_with_three_axes():
    given = References.of(ipc={"SCI": np.zeros((3, 3, 3), np.float32)})
    with pytest.raises(ReferenceFileError, match="expected 2 or 4 axes"):
        ipc.run(ramp_of(make()), given, NONE)


def test_ipc_is_off():
    assert ipc.STEP.skip


# refpix


def test_refpix_of_one_output():
    made = make(nints=2, ngroups=3, hits=0, bad_pixels=0)
    rng = np.random.default_rng(3)
    ramp = ramp_of(made, SUBSTRT1=101, SUBSTRT2=1)
    drift = np.tile(rng.normal(0, 50, (2, 3, 1, 2)), 15)
    ramp.data[:] = rng.normal(0, 1, ramp.data.shape) + drift
    ramp, status = refpix.run(ramp, References.of(), refpix.RefpixParameters())
    assert status.word == "COMPLETE"
    assert np.abs(ramp.data.mean(axis=2)).max() < 2


def test_refpix_means_are_clipped():
    rng = np.random.default_rng(3)
    ramp = ramp_of(make(ngroups=1, bad_pixels=0), SUBSTRT1=101, SUBSTRT2=1)
    ramp.data[:] = rng.normal(100, 1, ramp.data.shape)
    ramp.data[0, 0, 0, 6] = 5000
    before = ramp.data.copy()
    wish = refpix.RefpixParameters(odd_even_columns=False)
    ramp, _ = refpix.run(ramp, References.of(), wish)
    level = reference.clipped_mean(before[0, 0, :4].ravel())
    np.testing.assert_allclose(before - ramp.data, level, rtol=1e-4)


def test_refpix_without_reference_pixels():
    made = make()
    ramp, status = refpix.run(
        ramp_of(made, SUBSTRT1=500, SUBSTRT2=500), References.of(), refpix.RefpixParameters()
    )
    assert status.reason == "the subarray has no reference pixels"
    np.testing.assert_array_equal(ramp.data, made.data)


@pytest.mark.parametrize("flag", [1, 131072])
def test_refpix_with_all_flagged(flag, caplog):
    made = make()
    ramp = ramp_of(made)
    ramp.pixeldq[:4] = ramp.pixeldq[:, :4] = 2**31 | flag
    ramp, status = refpix.run(ramp, References.of(), refpix.RefpixParameters())
    assert status.word == "SKIPPED"
    assert "reference pixels are flagged DO_NOT_USE or BAD_REF_PIXEL" in caplog.text
    np.testing.assert_array_equal(ramp.data, made.data)


def test_refpix_does_not_use_flagged_pixels(caplog):
    ramp = ramp_of(make(ngroups=1, bad_pixels=0), SUBSTRT1=101)
    ramp.data[:] = 7
    ramp.data[0, 0, :4, :20] = 1e4
    ramp.pixeldq[:4] = 2**31
    ramp.pixeldq[:4, :20] |= 131072
    caplog.set_level("INFO")
    ramp, _ = refpix.run(ramp, References.of(), refpix.RefpixParameters())
    assert (ramp.data[0, 0, 4:] == 0).all()
    assert "40 of 120 reference pixels are used" in caplog.text


def test_refpix_keeps_bad_values_of_the_zero_frame():
    made = make(ngroups=2, bad_pixels=0)
    ramp = ramp_of(made)
    ramp.zeroframe = made.data[:, 0].copy()
    ramp.zeroframe[0, 9, 9] = 0
    ramp, _ = refpix.run(ramp, References.of(), refpix.RefpixParameters())
    assert ramp.zeroframe[0, 9, 9] == 0
    assert ramp.zeroframe[0, 9, 8] != made.data[0, 0, 9, 8]


def test_refpix_of_edgeless_subarrays():
    made = make(bad_pixels=0)
    ramp = ramp_of(
        made,
        INSTRUME="NIRSPEC",
        SUBARRAY="SUB512",
        SUBSTRT1=500,
        SUBSTRT2=900,
        FASTAXIS=2,
        SLOWAXIS=1,
    )
    _, status = refpix.run(ramp, References.of(), refpix.RefpixParameters())
    assert status.word == "COMPLETE"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"FASTAXIS": 3}, "FASTAXIS is 3 and SLOWAXIS 2"),
        ({"SUBSTRT1": 2040}, "leave the detector of 2048 x 2048 pixels"),
        ({"SLOWAXIS": None}, "keyword SLOWAXIS is missing"),
    ],
)
def test_refpix_keywords(changes, text):
    with pytest.raises(InputError, match=text):
        refpix.run(ramp_of(make(), **changes), References.of(), refpix.RefpixParameters())


# gain_scale


def rates():
    def image(shape):
        arrays = [np.ones(shape, np.float32) for _ in range(4)]
        return Image(Metadata(), arrays[0], arrays[1], None, arrays[2], arrays[3])

    return Rates(image(SHAPE), image((2, *SHAPE)))


def test_gain_scale():
    gain = Reference("gain", "g", arrays={"SCI": constant(1)})
    gain.metadata["GAINFACT"] = 2.0
    result, status = gain_scale.run(rates(), References.of(gain=gain), NONE)
    assert status.word == "COMPLETE"
    for image in (result.rate, result.rateints):
        assert (image.data == 2).all()
        assert (image.err == 2).all()
        assert (image.var_poisson == 4).all()
        assert (image.var_rnoise == 4).all()
        assert image.metadata["GAINFACT"] == 2.0


@pytest.mark.parametrize(
    ("given", "reason"),
    [({"SCI": constant(1)}, "has no GAINFACT"), (None, "the gain reference is N/A")],
)
def test_gain_scale_not_needed(given, reason):
    _, status = gain_scale.run(rates(), References.of(gain=given), NONE)
    assert status.word == "SKIPPED"
    assert reason in status.reason
