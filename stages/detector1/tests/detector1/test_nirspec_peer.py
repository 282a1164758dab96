"""NIRSpec exposures through our steps and through the official package's."""

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from calwebb_core.framework.models import Ramp
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.irs2.correction import run_irs2
from calwebb_detector1.irs2.layout import interleaved_rows
from calwebb_detector1.irs2.mode import irs2_steps
from calwebb_detector1.steps import picture_frame, ramp_fit, refpix, saturation
from calwebb_detector1.steps.picture_frame import PictureFrameParameters

from . import irs2
from .test_picture_frame import exposure, glow
from .test_picture_frame import references as given_to_frame

pytestmark = [pytest.mark.peer, pytest.mark.slow]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """Run a step of the official package on arrays in a process of its own."""
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python or shutil.which(python) is None:
        pytest.skip("the official package is absent (set CALWEBB_PEER_PYTHON)")
    folder = tmp_path_factory.mktemp("peer")
    with (folder / "messages.txt").open("w+") as messages:
        process = subprocess.Popen(
            [python, HERE / "peer_nirspec.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=messages, text=True, cwd=folder,
        )  # fmt: skip

        def run(step, **arrays):
            given, found = folder / "in.npz", folder / "out.npz"
            np.savez(given, **arrays)
            process.stdin.write(f"{step} {given} {found}\n")
            process.stdin.flush()
            if process.stdout.readline() != "done\n":
                messages.seek(0)
                pytest.fail(messages.read()[-2000:])
            with np.load(found) as file:
                return dict(file)

        yield run
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()


def inputs(ramp, **more):
    axes = ramp.metadata["FASTAXIS"], ramp.metadata["SLOWAXIS"]
    return {
        "data": ramp.data, "pixeldq": ramp.pixeldq, "groupdq": ramp.groupdq, "axes": axes,
        "detector": ramp.metadata["DETECTOR"],
    } | more  # fmt: skip


# Output, odd or even, bits: not beside those that `spoil` makes bad, see DIFFERENCES.md.
LISTED = [(1, 1, 0b1000), (2, 1, 0b110), (3, 2, 1 << 20), (4, 2, 0b1)]


def without_zeros(ramp):
    """Change samples that equal their mean over groups, which the official package leaves out."""
    equal = ramp.data == ramp.data.mean(axis=1, dtype=np.float64, keepdims=True)
    ramp.data[:, 0][equal[:, 0]] += 1


def spoil(ramp):
    """Make some reference samples noisy, others flagged, some without a good neighbour."""
    rng = np.random.default_rng(3)
    pairs = np.flatnonzero(interleaved_rows())
    for row in pairs[[5 * 4, 200, 300, 301, 420]]:
        ramp.data[:, :, row] += rng.normal(0, 100, ramp.data[:, :, row].shape).astype(np.float32)
    ramp.pixeldq[pairs[160:162], 7] |= 131072
    ramp.pixeldq[pairs[132:148], 100] |= 131072


@pytest.mark.parametrize(
    ("detector", "options"),
    [("NRS1", {}), ("NRS2", {})],
)  # fmt: skip
def test_refpix(peer, detector, options):
    made = irs2.make(seed=4, nints=2 if not options else 1, ngroups=2, detector=detector)
    weights = irs2.random_weights()
    ramp = made.ramp()
    without_zeros(ramp)
    spoil(ramp)
    wish = {f"option_{name}": value for name, value in options.items()}
    theirs = peer("irs2_refpix", **inputs(ramp, bad=np.array(LISTED), **weights, **wish))
    parameters = refpix.RefpixParameters(
        irs2_mean_subtraction=options.get("mean_subtraction", False),
        preserve_irs2_refpix=options.get("preserve", False),
    )
    ramp, status = run_irs2(ramp, irs2.references(weights, LISTED), parameters)
    assert status.word == "COMPLETE"
    assert np.count_nonzero(theirs["bad"]) > 20
    assert ramp.data.shape == theirs["data"].shape
    np.testing.assert_array_equal(ramp.pixeldq, theirs["pixeldq"])
    # Replaced samples may be equal in both groups, zero less their mean: missing to the other.
    apart = np.abs(ramp.data - theirs["data"])
    assert np.median(apart) < 2e-3
    assert np.mean(apart > 0.02) < 1e-4


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
@pytest.mark.parametrize("grow", [0, 2])
def test_saturation(peer, detector, grow):
    rng = np.random.default_rng(8)
    made = irs2.make(seed=6, ngroups=3, detector=detector, drift=0.0, alternating=0.0)
    ramp = made.ramp()
    ramp.data += (rng.exponential(900, ramp.data.shape[2:]) * [[[1]], [[2]], [[3]]]).astype("f4")
    ramp.data[rng.random(ramp.data.shape) < 0.001] = -3
    threshold = rng.uniform(12000, 30000, (2048, 2048)).astype(np.float32)
    threshold[rng.random(threshold.shape) < 0.01] = np.nan
    dq = np.where(rng.random(threshold.shape) < 0.01, 2097152, 0).astype(np.uint32)
    bias = np.full(ramp.data.shape[2:], 10000, np.float32)
    theirs = peer(
        "irs2_saturation",
        **inputs(ramp, threshold=threshold, threshold_dq=dq, bias=bias, option_n_pix_grow_sat=grow),
    )
    step = irs2_steps((saturation.STEP,))[0]
    given = References.of(saturation={"SCI": threshold, "DQ": dq}, superbias={"SCI": bias})
    ramp, status = step.run(
        ramp, given, saturation.SaturationParameters(n_pix_grow_sat=grow, use_readpatt=True)
    )
    assert status.word == "COMPLETE"
    assert 0.01 < np.mean(theirs["groupdq"] & 2 != 0) < 0.5
    np.testing.assert_array_equal(ramp.groupdq, theirs["groupdq"])
    np.testing.assert_array_equal(ramp.pixeldq, theirs["pixeldq"])


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
