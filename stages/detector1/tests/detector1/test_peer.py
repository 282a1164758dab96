"""The same arrays through our steps and through the official package's."""

import numpy as np
import pytest

from calwebb_core.framework.reference_data import Reference
from calwebb_detector1.blocks import Window
from calwebb_detector1.steps import dark_current, jump, linearity, ramp_fit, refpix, saturation

from .ramps import TGROUP, keywords, make

pytestmark = pytest.mark.peer

MODES = [(1, 1), (1, 2), (2, 2), (1, 3), (1, 4), (2, 5), (1, 8), (3, 10), (1, 12), (2, 20)]


def inputs(made, **more):
    arrays = {
        "data": made.data, "groupdq": made.groupdq, "pixeldq": made.pixeldq, "gain": made.gain,
        "readnoise": made.readnoise, "nframes": 1, "groupgap": 0, "tgroup": TGROUP,
        "tframe": TGROUP,
    }  # fmt: skip
    return arrays | more


def fraction(same):
    return np.count_nonzero(same) / same.size


def assert_close(ours, theirs, err, name):
    """Equal NaN, and differences below a thousandth of the error for 99.9 % at least."""
    assert fraction(np.isnan(ours) == np.isnan(theirs)) >= 0.999, name
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    with np.errstate(invalid="ignore"):
        close = np.abs(ours - theirs) <= 1e-3 * np.maximum(err, 1e-6)
    assert fraction(close[both]) >= 0.999, (name, np.abs(ours - theirs)[both].max())


def search(made, nframes=1, **options):
    groupdq = made.groupdq.copy()
    found = jump.detect_jumps(
        made.data, groupdq, gain=made.gain, readnoise=made.readnoise, nframes=nframes,
        group_time=TGROUP, parameters=jump.JumpParameters(**options),
    )  # fmt: skip
    return groupdq, found


@pytest.mark.parametrize(("nints", "ngroups"), [mode for mode in MODES if mode[1] > 2])
def test_jump(peer, nints, ngroups):
    made = make(seed=ngroups, nints=nints, ngroups=ngroups, ny=40, nx=50)
    theirs = peer("jump", **inputs(made))
    groupdq, found = search(made)
    assert fraction(groupdq == theirs["groupdq"]) >= 0.999
    assert abs(found - theirs["count"]) <= 2
    assert np.count_nonzero(groupdq & 4) > 50


@pytest.mark.parametrize(
    "options",
    [
        {"rejection_threshold": 6.0, "flag_4_neighbors": False},
        {"after_jump_flag_dn1": 100.0, "after_jump_flag_time1": 2.5 * TGROUP},
        {
            "after_jump_flag_dn1": 50.0, "after_jump_flag_time1": 1.5 * TGROUP,
            "after_jump_flag_dn2": 500.0, "after_jump_flag_time2": 4.5 * TGROUP,
        },
        {"min_diffs_single_pass": 4},
        {"only_use_ints": False, "minimum_sigclip_groups": 16},
    ],
)  # fmt: skip
def test_jump_options(peer, options):
    made = make(seed=4, nints=2, ngroups=9, ny=40, nx=50)
    theirs = peer("jump", **inputs(made), **{f"option_{k}": v for k, v in options.items()})
    groupdq, _ = search(made, **options)
    assert fraction(groupdq == theirs["groupdq"]) >= 0.999


def test_jump_across_integrations(peer):
    made = make(seed=5, nints=30, ngroups=4, ny=12, nx=14, saturated=0.0)
    theirs = peer("jump", **inputs(made, option_minimum_sigclip_groups=25))
    groupdq, _ = search(made, minimum_sigclip_groups=25)
    assert fraction(groupdq == theirs["groupdq"]) >= 0.999


def test_jump_averaged_frames(peer):
    made = make(seed=6, ngroups=7, ny=40, nx=50)
    theirs = peer("jump", **inputs(made, nframes=4))
    groupdq, _ = search(made, nframes=4)
    assert fraction(groupdq == theirs["groupdq"]) >= 0.999


def fit(made, nframes=1, **more):
    timing = ramp_fit.Timing(TGROUP, TGROUP / nframes, nframes)
    return ramp_fit.fit_slopes(
        made.data, made.groupdq, made.pixeldq, gain=made.gain, readnoise=made.readnoise,
        timing=timing, **more,
    )  # fmt: skip


def assert_same_fit(ours, theirs, kind):
    slope, err, dq, var_poisson, var_rnoise = ours
    scale = np.where(theirs[f"{kind}_err"] > 0, theirs[f"{kind}_err"], 1)
    assert_close(slope, theirs[f"{kind}_slope"], scale, "slope")
    assert_close(err, theirs[f"{kind}_err"], scale, "err")
    assert_close(var_poisson, theirs[f"{kind}_var_poisson"], scale**2, "var_poisson")
    assert_close(var_rnoise, theirs[f"{kind}_var_rnoise"], scale**2, "var_rnoise")
    assert fraction(dq == theirs[f"{kind}_dq"]) >= 0.999


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize(("nints", "ngroups"), MODES)
def test_ramp_fit(peer, nints, ngroups, suppress):
    made = make(seed=ngroups, nints=nints, ngroups=ngroups, ny=40, nx=50)
    # Ramps of nothing but jumps are a case of its own: see DIFFERENCES.md.
    if ngroups > 4:
        search(made)
        made.groupdq = search(made)[0]
    rng = np.random.default_rng(3)
    zeroframe = (made.data[:, 0] * rng.integers(0, 2, made.data[:, 0].shape)).astype(np.float32)
    dark = rng.uniform(0, 0.1, made.gain.shape).astype(np.float32)
    theirs = peer(
        "ramp_fit",
        **inputs(made, zeroframe=zeroframe, dark_current=dark, option_suppress_one_group=suppress),
    )
    rateints, rate = fit(made, zeroframe=zeroframe, dark_current=dark, suppress_one_group=suppress)
    assert_same_fit(rateints, theirs, "rateints")
    assert_same_fit(rate, theirs, "rate")


def test_ramp_fit_averaged_frames(peer):
    made = make(seed=9, nints=2, ngroups=6, ny=40, nx=50)
    theirs = peer("ramp_fit", **inputs(made, nframes=8, tframe=TGROUP / 8))
    rateints, rate = fit(made, nframes=8)
    assert_same_fit(rateints, theirs, "rateints")
    assert_same_fit(rate, theirs, "rate")


@pytest.mark.parametrize("nframes", [1, 4])
@pytest.mark.parametrize("grow", [0, 1, 2])
def test_saturation(peer, nframes, grow):
    rng = np.random.default_rng(8)
    made = make(seed=8, nints=2, ngroups=6, ny=60, nx=70, saturated=0, unusable=0)
    threshold = rng.uniform(2000, 12000, made.gain.shape).astype(np.float32)
    threshold[rng.random(threshold.shape) < 0.05] = np.nan
    dq = np.where(rng.random(threshold.shape) < 0.05, 2097152, 0).astype(np.uint32)
    bias = rng.uniform(0, 500, threshold.shape).astype(np.float32)
    made.data[rng.random(made.data.shape) < 0.01] = -3
    zeroframe = made.data[:, 0] / 2
    theirs = peer(
        "saturation",
        **inputs(
            made, nframes=nframes, threshold=threshold, threshold_dq=dq, bias=bias,
            zeroframe=zeroframe, option_n_pix_grow_sat=grow,
        ),
    )  # fmt: skip
    groupdq, frames = made.groupdq.copy(), zeroframe.copy()
    limit, unchecked = saturation.checked_threshold(threshold, dq)
    saturation.flag_saturation(
        made.data, groupdq, frames, threshold=limit, unchecked=unchecked, nframes=nframes,
        bias=bias, parameters=saturation.SaturationParameters(n_pix_grow_sat=grow),
    )  # fmt: skip
    assert np.count_nonzero(groupdq & 2) > 1000
    assert nframes == 1 or np.count_nonzero(groupdq == 1) > 10
    np.testing.assert_array_equal(groupdq, theirs["groupdq"])
    np.testing.assert_array_equal(frames, theirs["zeroframe"])
    np.testing.assert_array_equal(unchecked, theirs["pixeldq"] & 2097152 != 0)


AXES = [(1, 2), (-1, 2), (2, -1), (-2, -1)]


def reference_ramps(seed, shape, start, axes, noutputs):
    rng = np.random.default_rng(seed)
    made = make(seed=seed, nints=1, ngroups=shape[0], ny=shape[1], nx=shape[2], hits=0)
    made.data += rng.normal(1000, 30, made.data.shape).astype(np.float32)
    rows = np.arange(start[1] - 1, start[1] - 1 + shape[1])[:, None]
    columns = np.arange(start[0] - 1, start[0] - 1 + shape[2])[None, :]
    rim = (rows < 4) | (rows > 2043) | (columns < 4) | (columns > 2043)
    made.pixeldq[:] = 0
    made.pixeldq[np.broadcast_to(rim, made.pixeldq.shape)] |= 2**31
    made.pixeldq[rng.random(made.pixeldq.shape) < 0.02] |= 1
    more = {"start": start, "axes": axes, "noutputs": noutputs}
    changes = {
        "SUBSTRT1": start[0], "SUBSTRT2": start[1], "FASTAXIS": axes[0], "SLOWAXIS": axes[1],
        "NOUTPUTS": noutputs, "SUBARRAY": "SUB",
    }  # fmt: skip
    return made, more, keywords(made.data.shape, **changes)


def correct_reference(made, metadata, **options):
    from calwebb_core.framework.models import Ramp

    ramp = Ramp(metadata, made.data.copy(), made.pixeldq.copy(), made.groupdq.copy())
    ramp, status = refpix.run(ramp, None, refpix.RefpixParameters(**options))
    assert status.word == "COMPLETE"
    return ramp.data


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("noutputs", [1, 4])
def test_refpix_subarray(peer, axes, noutputs):
    made, more, metadata = reference_ramps(3, (3, 64, 80), (1969, 1), axes, noutputs)
    theirs = peer("refpix", **inputs(made, **more))
    np.testing.assert_allclose(correct_reference(made, metadata), theirs["data"], atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("axes", [(-1, 2), (-2, -1)])
def test_refpix_full_frame(peer, axes):
    made, more, metadata = reference_ramps(4, (2, 2048, 2048), (1, 1), axes, 4)
    theirs = peer("refpix", **inputs(made, **more))
    np.testing.assert_allclose(correct_reference(made, metadata), theirs["data"], atol=2e-3)


def polynomials(made, rng):
    shape = made.gain.shape
    forward = np.stack([
        rng.normal(0, 3, shape), rng.normal(1, 0.02, shape), rng.normal(2e-6, 3e-7, shape),
        rng.normal(1e-11, 1e-12, shape),
    ]).astype(np.float32)  # fmt: skip
    inverse = np.stack([-forward[0], 1 / forward[1], -forward[2], 0 * forward[3]])
    forward[2][rng.random(shape) < 0.02] = np.nan
    forward[1][rng.random(shape) < 0.02] = 0
    return forward, inverse.astype(np.float32)


@pytest.mark.parametrize("nframes", [1, 4])
def test_linearity(peer, nframes):
    rng = np.random.default_rng(12)
    made = make(seed=12, nints=2, ngroups=6, ny=40, nx=50, saturated=0.2)
    forward, inverse = polynomials(made, rng)
    if nframes > 1:
        forward = np.nan_to_num(forward, nan=2e-6)
        forward[1][forward[1] == 0] = 1
    dq = np.where(rng.random(made.gain.shape) < 0.03, 1048576, 0).astype(np.uint32)
    zeroframe = made.data[:, 0] * rng.integers(0, 2, made.data[:, 0].shape)
    zeroframe = zeroframe.astype(np.float32)
    more = {"inverse": inverse} if nframes > 1 else {}
    theirs = peer(
        "linearity",
        **inputs(
            made, nframes=nframes, coefficients=forward, coefficients_dq=dq,
            zeroframe=zeroframe, **more,
        ),
    )  # fmt: skip
    data, frames = made.data.copy(), zeroframe.copy()
    usable = linearity.correctable(forward, dq)
    linearity.correct_linearity(
        data, made.groupdq, frames, coefficients=forward, usable=usable, nframes=nframes,
        inverse=inverse if nframes > 1 else None,
    )  # fmt: skip
    np.testing.assert_allclose(data, theirs["data"], rtol=2e-6, atol=2e-3)
    np.testing.assert_allclose(frames, theirs["zeroframe"], rtol=2e-6)
    np.testing.assert_array_equal(~usable, theirs["pixeldq"] & 1048576 != 0)
    assert 0 < np.count_nonzero(~usable) < usable.size / 2


@pytest.mark.parametrize(
    ("nframes", "groupgap", "frames", "four"),
    [(1, 0, 8, False), (4, 1, 40, False), (2, 0, 5, False), (1, 0, 4, True), (8, 2, 70, False)],
)
def test_dark_current(peer, nframes, groupgap, frames, four):
    rng = np.random.default_rng(13)
    made = make(seed=13, nints=3, ngroups=6, ny=16, nx=20)
    shape = (2, frames, 16, 20) if four else (frames, 16, 20)
    dark = np.cumsum(rng.normal(1, 0.3, shape), axis=-3).astype(np.float32)
    dark[rng.random(shape) < 0.01] = np.nan
    theirs = peer(
        "dark_current",
        **inputs(
            made, nframes=nframes, groupgap=groupgap, dark=dark, dark_nframes=1, dark_groupgap=0
        ),
    )
    data = made.data.copy()
    frames = dark_current.dark_frames(
        Reference("dark", arrays={"SCI": dark}), (16, 20), 6, (nframes, groupgap)
    )
    dark_current.subtract_dark(data, dark=frames, part=Window(0, 16, 0, 20))
    np.testing.assert_allclose(data, theirs["data"], rtol=1e-6, atol=1e-3)
