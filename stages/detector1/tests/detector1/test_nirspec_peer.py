"""NIRSpec exposures through our steps and through the official package's."""

import dataclasses

import numpy as np
import pytest

from calwebb_core.framework.models import Ramp
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.irs2.badpixels import listed_rows
from calwebb_detector1.irs2.correction import bad_rows, run_irs2
from calwebb_detector1.irs2.layout import interleaved_rows, layout_of
from calwebb_detector1.irs2.mode import irs2_steps
from calwebb_detector1.irs2.weights import bad_reference_table
from calwebb_detector1.steps import ipc, picture_frame, ramp_fit, refpix, saturation
from calwebb_detector1.steps.picture_frame import PictureFrameParameters

from . import irs2
from .peer_process import started
from .test_picture_frame import exposure, glow
from .test_picture_frame import references as given_to_frame

pytestmark = [pytest.mark.peer, pytest.mark.slow]
# Of float32 near 10000 DN, once for each sum: the algorithm is the same.
LAST_PLACES = {"atol": 2e-3, "rtol": 0}


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """Run a step of the official package on arrays in a process of its own."""
    with started("peer_nirspec.py", tmp_path_factory.mktemp("peer")) as run:
        yield run


def inputs(ramp, **more):
    axes = ramp.metadata["FASTAXIS"], ramp.metadata["SLOWAXIS"]
    return {
        "data": ramp.data, "pixeldq": ramp.pixeldq, "groupdq": ramp.groupdq, "axes": axes,
        "detector": ramp.metadata["DETECTOR"],
    } | more  # fmt: skip


# Output, odd or even, bits: not beside those that `spoil` makes bad, see DIFFERENCES.md.
LISTED = [(1, 1, 0b1000), (2, 1, 0b110), (3, 2, 1 << 20), (4, 2, 0b1)]


# DN between the groups of a sample: more than its noise and drifts, see `set_apart`.
STEP = 500.0


def set_apart(ramp):
    """Let no sample equal its mean over two groups, which the official package takes as missing."""
    ramp.data[:, 1] += np.where(np.arange(2048) % 2, -STEP, STEP).astype(np.float32)


def spoil(ramp):
    """Make some reference samples noisy, others flagged; return those without a good neighbour."""
    rng = np.random.default_rng(3)
    pairs = np.flatnonzero(interleaved_rows())
    for row in pairs[[5 * 4, 200, 300, 301, 420]]:
        ramp.data[:, :, row] += rng.normal(0, 100, ramp.data[:, :, row].shape).astype(np.float32)
    ramp.pixeldq[pairs[160:162], 7] |= 131072
    ramp.pixeldq[pairs[132:148], 100] |= 131072
    return pairs[136:144]


def refpix_of_both(peer, ramp, listed=(), **options):
    """Return what refpix makes of IRS2 frames, here and there; `options` as they are named here."""
    weights = irs2.random_weights()
    bad = np.array(listed, np.int64).reshape(-1, 3)
    wish = {f"option_{name}": value for name, value in options.items()}
    theirs = peer("irs2_refpix", **inputs(ramp, bad=bad, **weights, **wish))
    parameters = refpix.RefpixParameters(**options)
    found = bad_rows(ramp, parameters.ovr_corr_mitigation_ftr)
    np.testing.assert_array_equal(found, theirs["bad"])
    ramp, status = run_irs2(ramp, irs2.references(weights, listed), parameters)
    assert status.word == "COMPLETE"
    return ramp, theirs


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_refpix(peer, detector):
    made = irs2.make(seed=4, nints=2, ngroups=2, detector=detector)
    ramp = made.ramp()
    set_apart(ramp)
    spoil(ramp)
    ramp, theirs = refpix_of_both(peer, ramp, LISTED)
    assert np.count_nonzero(theirs["bad"]) > 20
    np.testing.assert_array_equal(ramp.pixeldq, theirs["pixeldq"])
    np.testing.assert_allclose(ramp.data, theirs["data"], **LAST_PLACES)


@pytest.mark.parametrize(
    ("detector", "odd_even"), [("NRS1", True), ("NRS2", True), ("NRS1", False)]
)
def test_refpix_with_levels_of_columns(peer, detector, odd_even):
    ramp = irs2.make(seed=4, ngroups=2, detector=detector).ramp()
    set_apart(ramp)
    spoil(ramp)
    ramp, theirs = refpix_of_both(peer, ramp, irs2_mean_subtraction=True, odd_even_columns=odd_even)
    np.testing.assert_array_equal(ramp.pixeldq, theirs["pixeldq"])
    np.testing.assert_allclose(ramp.data, theirs["data"], **LAST_PLACES)


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_listed_samples_count_as_flagged_ones(peer, detector):
    """Beside flagged ones, and for the levels: see DIFFERENCES.md."""
    listed = [*LISTED, (1, 1, 1 << 9), (1, 2, 1 << 7), (3, 1, 1 << 8)]
    ramp = irs2.make(seed=4, ngroups=2, detector=detector).ramp()
    set_apart(ramp)
    spoil(ramp)
    table = bad_reference_table(irs2.reference(irs2.random_weights(), listed))
    rows = listed_rows(table, layout_of(ramp.metadata, (3200, 2048)))
    flagged = dataclasses.replace(ramp, data=ramp.data.copy(), pixeldq=ramp.pixeldq.copy())
    flagged.pixeldq[rows, 0] |= 131072
    _, theirs = refpix_of_both(peer, flagged, irs2_mean_subtraction=True)
    given = irs2.references(irs2.random_weights(), listed)
    ramp, _ = run_irs2(ramp, given, refpix.RefpixParameters(irs2_mean_subtraction=True))
    np.testing.assert_allclose(ramp.data, theirs["data"], **LAST_PLACES)


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_refpix_keeps_all_rows(peer, detector):
    ramp = irs2.make(seed=4, ngroups=2, detector=detector).ramp()
    set_apart(ramp)
    # These hold nothing but the drift taken from zero: here with its straight line.
    lost = spoil(ramp)
    ramp, theirs = refpix_of_both(peer, ramp, LISTED, preserve_irs2_refpix=True)
    assert ramp.data.shape == theirs["data"].shape == (1, 2, 3200, 2048)
    kept = np.delete(np.arange(3200), lost)
    np.testing.assert_allclose(ramp.data[:, :, kept], theirs["data"][:, :, kept], **LAST_PLACES)


def bright_frames(seed, detector, **changes):
    """Return ramps of which many saturate, references of saturation, and the superbias."""
    rng = np.random.default_rng(seed)
    made = irs2.make(seed=6, ngroups=3, detector=detector, drift=0.0, alternating=0.0)
    ramp = made.ramp(**changes)
    ramp.data += (rng.exponential(900, ramp.data.shape[2:]) * [[[1]], [[2]], [[3]]]).astype("f4")
    ramp.data[rng.random(ramp.data.shape) < 0.001] = -3
    threshold = rng.uniform(12000, 30000, (2048, 2048)).astype(np.float32)
    threshold[rng.random(threshold.shape) < 0.01] = np.nan
    dq = np.where(rng.random(threshold.shape) < 0.01, 2097152, 0).astype(np.uint32)
    return ramp, threshold, dq, np.full(ramp.data.shape[2:], 10000, np.float32)


def saturation_of_both(peer, ramp, threshold, dq, bias, grow):
    """Return the exposure with our flags, and what the official package flags."""
    arrays = {"threshold": threshold, "threshold_dq": dq, "bias": bias}
    nframes = ramp.metadata["NFRAMES"]
    theirs = peer(
        "irs2_saturation", **inputs(ramp, nframes=nframes, option_n_pix_grow_sat=grow), **arrays
    )
    step = irs2_steps((saturation.STEP,))[0]
    given = References.of(saturation={"SCI": threshold, "DQ": dq}, superbias={"SCI": bias})
    ramp, status = step.run(
        ramp, given, saturation.SaturationParameters(n_pix_grow_sat=grow, use_readpatt=True)
    )
    assert status.word == "COMPLETE"
    assert 0.01 < np.mean(theirs["groupdq"] & 2 != 0) < 0.5
    np.testing.assert_array_equal(ramp.pixeldq, theirs["pixeldq"])
    return ramp, theirs


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
@pytest.mark.parametrize("grow", [0, 2])
def test_saturation(peer, detector, grow):
    ramp, theirs = saturation_of_both(peer, *bright_frames(8, detector), grow)
    np.testing.assert_array_equal(ramp.groupdq, theirs["groupdq"])


def test_saturation_within_averaged_groups(peer):
    ramp, threshold, dq, bias = bright_frames(9, "NRS2", NFRAMES=5)
    rng = np.random.default_rng(10)
    # The last frames of the second group saturate.
    late = rng.random(ramp.data.shape[2:]) < 0.01
    ramp.data[:, 0, late], ramp.data[:, 1, late], ramp.data[:, 2, late] = 10001, 20000, 40000
    ramp, theirs = saturation_of_both(peer, ramp, threshold, dq, bias, 0)
    # What the others flag as saturated in the second group alone gets DO_NOT_USE here.
    flags = theirs["groupdq"].copy()
    more = (flags[:, 1] & 2 != 0) & (ramp.groupdq[:, 1] & 2 == 0)
    assert np.count_nonzero(more) > 10000
    assert (ramp.groupdq[:, 1][more] == 1).all()
    flags[:, 1][more] = 1
    # The rest of ours: groups near their thresholds before saturated ones.
    rest = ramp.groupdq != flags
    assert (ramp.groupdq[rest] == flags[rest] | 1).all()
    assert (ramp.groupdq[:, 1:][rest[:, :-1]] & 2 != 0).all()


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_ipc(peer, detector):
    ramp = irs2.make(seed=7, ngroups=2, detector=detector).ramp()
    kernel = np.array([[0, -0.01, 0.001], [-0.02, 1.05, -0.015], [0, -0.006, 0]], np.float32)
    theirs = peer("irs2_ipc", **inputs(ramp, kernel=kernel))
    assert np.mean(np.abs(theirs["data"] - ramp.data) > 1) > 0.6
    ramp, status = irs2_steps((ipc.STEP,))[0].run(
        ramp, References.of(ipc={"SCI": kernel}), NoParameters()
    )
    assert status.word == "COMPLETE"
    np.testing.assert_allclose(ramp.data, theirs["data"], **LAST_PLACES)


def coefficients(rng, count=2049):
    """Return Fourier coefficients of smooth kernels for four outputs."""
    frequency = np.arange(count) / count
    shape = 0.5 * np.exp(-((frequency / 0.05) ** 2))
    return shape * (1 + 0.2 * rng.normal(size=(4, count)) * np.exp(1j * rng.normal(size=(4, 1))))


def frames(rng, shape, noise=5.0):
    """Return made ramps of a NIRSpec readout without IRS2."""
    data = rng.normal(1000, noise, shape).astype(np.float32)
    data[rng.random(shape) < 1e-3] += 500
    return Ramp(
        irs2.keywords("NRS2", shape[0], shape[1], READPATT="NRSRAPID", NOUTPUTS=4), data,
        np.zeros(shape[2:], np.uint32), np.zeros(shape, np.uint8),
    )  # fmt: skip


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_sirs(peer, detector):
    rng = np.random.default_rng(5)
    ramp = frames(rng, (1, 2, 2048, 2048))
    fast, slow = irs2.AXES[detector]
    ramp.metadata.update({"DETECTOR": detector, "FASTAXIS": fast, "SLOWAXIS": slow})
    ramp.pixeldq[edge()] = 2**31
    given = {"gamma": coefficients(rng), "zeta": coefficients(rng)}
    theirs = peer("sirs", **inputs(ramp, option_halfwidth=20, option_gaussmooth=1.5, **given))
    kernels = References.of(sirskernel=Reference("sirskernel", tree={detector.lower(): given}))
    parameters = refpix.RefpixParameters(refpix_algorithm="sirs", halfwidth=20, gaussmooth=1.5)
    ramp, status = refpix.STEP.run(ramp, kernels, parameters)
    assert status.word == "COMPLETE"
    np.testing.assert_allclose(ramp.data, theirs["data"], atol=1e-3)


def edge():
    """Return which pixels are on the rim of a full frame."""
    mask = np.ones((2048, 2048), bool)
    mask[4:-4, 4:-4] = False
    return mask


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
@pytest.mark.parametrize(
    ("subarray", "start", "size"),
    [
        ("SUB512", (897, 985), (512, 32)), ("SUB512S", (897, 995), (512, 16)),
        ("SUB32", (993, 993), (32, 32)),
    ],
)  # fmt: skip
def test_subarrays_without_reference_pixels(peer, detector, subarray, start, size):
    rng = np.random.default_rng(6)
    ramp = frames(rng, (2, 3, size[1], size[0]))
    fast, slow = irs2.AXES[detector]
    ramp.metadata.update({
        "DETECTOR": detector, "FASTAXIS": fast, "SLOWAXIS": slow, "SUBARRAY": subarray,
        "SUBSTRT1": start[0], "SUBSTRT2": start[1], "SUBSIZE1": size[0], "SUBSIZE2": size[1],
        "NOUTPUTS": 1,
    })  # fmt: skip
    ramp.pixeldq[rng.random(ramp.pixeldq.shape) < 0.02] |= 1
    more = {"start": start, "size": size, "subarray": subarray, "noutputs": 1}
    theirs = peer("refpix", **inputs(ramp, **more))
    assert np.abs(theirs["data"] - ramp.data).min() > 500
    ramp, status = refpix.STEP.run(ramp, References.of(), refpix.RefpixParameters())
    assert status.word == "COMPLETE"
    np.testing.assert_allclose(ramp.data, theirs["data"], atol=2e-3)


def test_picture_frame(peer):
    pattern = glow()
    pattern += np.random.default_rng(7).normal(0, 0.01, pattern.shape).astype(np.float32)
    ramp, _ = exposure(pattern)
    own = PictureFrameParameters(mask_science_regions=False, save_mask=True)
    draft = dataclasses.replace(ramp, pixeldq=ramp.pixeldq.copy())
    rates, _ = ramp_fit.STEP.run(draft, given_to_frame(pattern), ramp_fit.RampFitParameters())
    theirs = peer(
        "picture_frame",
        **inputs(ramp, pattern=pattern, rate=rates.rate.data, exptype="NRS_DARK"),
    )
    ramp, _ = picture_frame.run(ramp, given_to_frame(pattern), own)
    mask = ramp.extras[0].arrays["SCI"]
    assert np.mean(mask == theirs["mask"]) > 0.999
    np.testing.assert_allclose(ramp.data, theirs["data"], atol=5e-3)
