"""picture_frame against a made glow, and its refusals."""

import logging

import numpy as np
import pytest

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Ramp
from calwebb_core.framework.references import References
from calwebb_detector1.steps import picture_frame
from calwebb_detector1.steps.picture_frame import (
    CENTRE,
    EDGE_ABOVE,
    EDGE_BELOW,
    SIZE,
    PictureFrameParameters,
    regions,
    subtract_picture_frame,
)

from . import irs2

SOURCE = (slice(500, 700), slice(900, 1100))
RATE = 0.3  # of the background, DN/s


def glow():
    """Return a pattern: bright at the edge, with structure."""
    y, x = np.mgrid[:SIZE, :SIZE]
    depth = np.minimum.reduce([y, x, SIZE - 1 - y, SIZE - 1 - x])
    return (0.02 + 0.1 * np.exp(-depth / 40) + 0.005 * np.sin(x / 200)).astype(np.float32)


def exposure(pattern, *, ngroups=3, noise=1.0, scales=(0.0, 50.0, 90.0), **changes):
    """Return ramps of a flat background with a glow that grows by `scales`, and without it."""
    rng = np.random.default_rng(3)
    shape = (1, ngroups, SIZE, SIZE)
    steps = np.arange(ngroups, dtype=np.float32)[:, None, None]
    data = 1000 + RATE * 14.589 * steps + rng.normal(0, noise, shape)
    data = data.astype(np.float32)
    data[0, :, *SOURCE] += 40 * steps
    truth = data.copy()
    data += np.array(scales[:ngroups], np.float32)[:, None, None] * pattern
    metadata = irs2.keywords("NRS1", 1, ngroups, READPATT="NRSRAPID", NOUTPUTS=4, **changes)
    dq = np.zeros(shape[2:], np.uint32)
    return Ramp(metadata, data, dq, np.zeros(shape, np.uint8)), truth


def references(pattern):
    gain, noise = (np.full((SIZE, SIZE), value, np.float32) for value in (1.5, 1.4))
    return References.of(
        pictureframe={"SCI": pattern}, gain={"SCI": gain}, readnoise={"SCI": noise}
    )


def test_regions_do_not_overlap_and_leave_the_rim():
    centre, edge = regions()
    assert not (centre & edge).any()
    assert centre.sum() == (CENTRE[1] - CENTRE[0]) ** 2
    assert not edge[: EDGE_BELOW[0]].any()
    assert not edge[:, EDGE_ABOVE[1] :].any()
    assert edge[EDGE_BELOW[0] : EDGE_BELOW[1], 1000].all()
    assert edge[1000, EDGE_ABOVE[0] : EDGE_ABOVE[1]].all()


def test_glow_is_removed_but_for_a_level():
    pattern = glow()
    ramp, truth = exposure(pattern, noise=0.0)
    data = ramp.data.copy()
    centre, edge = regions()
    centre[SOURCE] = False
    subtract_picture_frame(data, pattern=pattern, centre=centre, edge=edge)
    np.testing.assert_array_equal(data[:, 0], ramp.data[:, 0])
    for group in (1, 2):
        left = data[0, group] - truth[0, group]
        # What all pixels share, the background too, goes with the level of the edge.
        assert left.max() - left.min() < 2e-3
        level = -RATE * 14.589 * group
        assert left.mean() == pytest.approx(level, abs=0.01)


def test_sources_are_left_out_of_the_levels():
    pattern = glow()
    ramp, truth = exposure(pattern)
    raw = ramp.data.copy()
    parameters = PictureFrameParameters(save_mask=True, save_correction=True)
    ramp, status = picture_frame.run(ramp, references(pattern), parameters)
    assert status.word == "COMPLETE"
    left = ramp.data[0, 2] - truth[0, 2]
    centre, _ = regions()
    # The clipping takes off the highest pixels of the glow, hence not all of it goes.
    assert np.std(left) < 0.12 * np.std(raw[0, 2] - truth[0, 2])
    mask, correction = ramp.extras
    assert (mask.suffix, correction.suffix) == ("pctfrm_mask", "pctfrm_correction")
    assert mask.arrays["SCI"][SOURCE].mean() < 0.01
    assert mask.arrays["SCI"][centre].mean() > 0.8
    np.testing.assert_allclose(correction.arrays["SCI"], raw - ramp.data)


def test_rows_of_the_fixed_slits_are_left_out():
    pattern = glow()
    ramp, _ = exposure(pattern, EXP_TYPE="NRS_MSASPEC")
    ramp.pixeldq[300:400, 300:400] |= 536870912
    parameters = PictureFrameParameters(save_mask=True)
    ramp, _ = picture_frame.run(ramp, references(pattern), parameters)
    mask = ramp.extras[0].arrays["SCI"]
    assert not mask[922:1116].any()
    assert not mask[300:400, 300:400].any()
    assert mask[200:300, 200:300].mean() > 0.8


def test_pixels_without_a_pattern_are_flagged(caplog):
    pattern = glow()
    ramp, _ = exposure(pattern, ngroups=2)
    before = ramp.data.copy()
    pattern[700, 800:810] = np.nan
    with caplog.at_level(logging.WARNING):
        ramp, _ = picture_frame.run(ramp, references(pattern), PictureFrameParameters())
    assert "10 of 4194304 pixels are NaN" in caplog.text
    np.testing.assert_array_equal(ramp.data[..., 700, 800:810], before[..., 700, 800:810])
    assert (ramp.pixeldq[700, 800:810] == 8388609).all()
    assert np.isfinite(ramp.data).all()


def test_pattern_without_contrast_is_refused():
    ramp, _ = exposure(glow(), ngroups=2)
    with pytest.raises(ReferenceFileError, match="centre and edge have the same level"):
        picture_frame.run(
            ramp, references(np.ones((SIZE, SIZE), np.float32)), PictureFrameParameters()
        )


def test_when_it_does_not_run():
    pattern = glow()
    ramp, _ = exposure(pattern, ngroups=1)
    _, status = picture_frame.run(ramp, references(pattern), PictureFrameParameters())
    assert str(status).startswith("SKIPPED: one group")
    missing = References.of(pictureframe=None)
    _, status = picture_frame.run(ramp, missing, PictureFrameParameters())
    assert str(status) == "SKIPPED: the pictureframe reference is N/A"
    assert picture_frame.not_needed(ramp.metadata) is None
    ramp.metadata["SUBARRAY"] = "SUB512"
    assert "full frames of NIRSpec" in picture_frame.not_needed(ramp.metadata)


def test_no_background_is_said(caplog):
    pattern = glow()
    ramp, _ = exposure(pattern, ngroups=2)
    ramp.pixeldq[:] |= 536870912
    _, status = picture_frame.run(ramp, references(pattern), PictureFrameParameters())
    assert "nothing but background" in status.reason
    assert "nothing but background" in caplog.text
