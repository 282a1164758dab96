"""SIRS: levels of rows from filtered reference columns, against made drifts."""

import logging

import numpy as np
import pytest

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Ramp
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1 import sirs
from calwebb_detector1.steps import refpix
from calwebb_detector1.steps.refpix import RefpixParameters

from . import irs2

SIRS = RefpixParameters(refpix_algorithm="sirs", halfwidth=8, gaussmooth=0.1)


def reference(left, right, detector="nrs1"):
    """Return a SIRSKERNEL reference with kernels in full length, the same for all outputs."""
    tree = {
        detector: {
            name: np.tile(np.fft.rfft(np.fft.ifftshift(kernel)), (4, 1))
            for name, kernel in (("gamma", left), ("zeta", right))
        }
    }
    return Reference("sirskernel", "sirs.asdf", tree=tree)


def kernel(weights, size=4096):
    """Return a kernel of this size, centred."""
    series = np.zeros(size)
    half = len(weights) // 2
    series[size // 2 - half : size // 2 + half + 1] = weights
    return series


def test_kernels_are_those_that_were_transformed():
    left, right = np.array([0.1, 0.4, 0.2]), np.array([0.0, 0.3, 0.1])
    found = sirs.kernels_of(reference(kernel(left), kernel(right)), "NRS1", SIRS)
    for side, weights in ((found.left, left), (found.right, right)):
        assert side.shape == (4, 17)
        np.testing.assert_allclose(side[:, 7:10], np.tile(weights, (4, 1)), atol=1e-12)


def test_smoothing_widens_kernels():
    wide = RefpixParameters(halfwidth=20, gaussmooth=3.0)
    found = sirs.kernels_of(reference(kernel([1.0]), kernel([1.0])), "NRS1", wide).left[0]
    offsets = np.arange(-20, 21)
    assert np.sqrt((found * offsets**2).sum() / found.sum()) == pytest.approx(3.0, rel=0.01)


def test_rejected_samples_are_made_up_for():
    rng = np.random.default_rng(2)
    samples = (5 + rng.normal(0, 0.01, (64, 4))).astype(np.float32)
    samples[rng.random(samples.shape) < 0.05] += 1000
    good = np.ones(samples.shape, bool)
    good[10:13] = False
    samples[10:13] = np.nan
    levels = sirs.filtered(samples, good, np.full((4, 9), 1 / 9), reject=4.0)
    # Towards the ends the kernel is cut off, and its weight there is missing.
    np.testing.assert_allclose(levels[:, 4:-4], 5, atol=0.02)
    nothing = sirs.filtered(samples, np.zeros_like(good), np.full((4, 9), 1 / 9), reject=4.0)
    assert not nothing.any()


@pytest.mark.parametrize(("detector", "axes"), [("NRS1", (2, 1)), ("NRS2", (-2, -1))])
def test_drift_from_row_to_row_is_removed(detector, axes):
    rng = np.random.default_rng(4)
    drift = 8 * irs2.pink(rng, 2048)
    frame = (500 + drift[:, None] + rng.normal(0, 1, (2048, 2048))).astype(np.float32)
    frame = frame.T if axes == (2, 1) else frame[::-1, ::-1].T
    shape = (1, 1, 2048, 2048)
    metadata = irs2.keywords(detector, 1, 1, READPATT="NRSRAPID", NOUTPUTS=4)
    data = np.ascontiguousarray(frame).reshape(shape)
    ramp = Ramp(metadata, data, np.zeros(shape[2:], np.uint32), np.zeros(shape, np.uint8))
    half = kernel([0.1, 0.3, 0.1])
    given = References.of(sirskernel=reference(half, half, detector.lower()))
    before = data.std()
    ramp, status = refpix.run(ramp, given, SIRS)
    assert status.word == "COMPLETE"
    # Noise of the pixels and of the mean of eight columns; the fastest drifts stay.
    assert ramp.data.std() < 0.35 * before
    assert abs(ramp.data.mean()) < 0.2


@pytest.mark.parametrize(
    ("given", "words"),
    [(None, "the sirskernel reference is N/A"), ("nrca1", "has no kernels for NRS1")],
)
def test_without_kernels_running_medians_serve(given, words, caplog):
    chosen = None if given is None else reference(kernel([1.0]), kernel([1.0]), given)
    references = References.of(sirskernel=chosen)
    metadata = irs2.keywords()
    with caplog.at_level(logging.WARNING):
        assert sirs.load_kernels(metadata, references, SIRS, full=True) is None
    assert words in caplog.text
    assert sirs.load_kernels(metadata, references, SIRS, full=False) is None


def test_coefficients_of_another_shape_are_refused():
    wrong = Reference("sirskernel", "s.asdf", tree={"nrs1": {"gamma": np.ones(5)}})
    with pytest.raises(ReferenceFileError, match=r"gamma of NRS1 has shape \(5,\); expected \(4,"):
        sirs.kernels_of(wrong, "NRS1", SIRS)


def test_the_reference_is_asked_for_with_sirs_only():
    assert refpix.STEP.types(SIRS) == ("sirskernel",)
    assert refpix.STEP.types(RefpixParameters()) == ()
