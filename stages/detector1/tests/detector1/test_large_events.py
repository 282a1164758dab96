"""Snowballs and showers: regions, ellipses, made events of known place, what is left alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from calwebb_core.framework.references import References
from calwebb_detector1.kernels import regions
from calwebb_detector1.large_events.flagging import flag_large_events
from calwebb_detector1.large_events.options import LargeEventOptions
from calwebb_detector1.large_events.showers import ring_offsets
from calwebb_detector1.steps import jump

from . import exposure
from . import large_events as made_events
from .ramps import GAIN, TGROUP, ramp_of
from .test_program import succeed

EIGHT = np.ones((3, 3))


def search(sky, **options):
    groupdq = sky.groupdq.copy()
    across = options.pop("across", False)
    count = flag_large_events(
        sky.data, groupdq, sky.pixeldq, gain=sky.gain, readnoise=sky.readnoise, nframes=1,
        group_time=TGROUP, across=across, options=LargeEventOptions(**options),
    )  # fmt: skip
    return groupdq, count


def with_jumps(sky):
    jump.detect_jumps(
        sky.data, sky.groupdq, gain=sky.gain, readnoise=sky.readnoise, nframes=1,
        group_time=TGROUP, parameters=jump.JumpParameters(),
    )  # fmt: skip
    return sky


def flat(nints=1, ngroups=6, ny=80, nx=100):
    shape = (nints, ngroups, ny, nx)
    return made_events.sky(np.zeros(shape, np.float32), np.zeros(shape, np.uint8), [], [])


def draw(sky, i, g, y, x, radius, core=0.0):
    """Flag a jump of a radius with a saturated core."""
    distance = np.hypot(*(np.mgrid[: sky.data.shape[2], : sky.data.shape[3]] - [[[y]], [[x]]]))
    sky.groupdq[i, g, distance <= radius] |= 4
    sky.groupdq[i, g:, distance < core] |= 2
    sky.groupdq[i, g, distance < core] &= ~np.uint8(4)
    return distance


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 5, 9, 30]))
def test_regions_and_moments_against_scipy(seed, area):
    rng = np.random.default_rng(seed)
    mask = (rng.random((13, 17)) < rng.uniform(0.05, 0.8)).astype(np.uint8)
    labels, count = ndimage.label(mask, EIGHT)
    expected = []
    for k in range(1, count + 1):
        region = labels == k
        if np.count_nonzero(ndimage.binary_fill_holes(region, EIGHT)) < area:
            continue
        y, x = np.nonzero(region)
        widths = np.sqrt(np.abs(np.linalg.eigvalsh(np.cov(x, y, bias=True))))
        expected.append([x.mean(), y.mean(), *(4 * widths - 1)])
    found = regions.find_ellipses(mask, float(area))
    assert len(found) == len(expected)
    assert not mask.any()
    if expected:
        np.testing.assert_allclose(found[:, :4], expected, atol=2e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(4, 15), st.floats(0.4, 1.0), st.floats(0, np.pi), st.floats(-1, 1), st.floats(-1, 1)
)
def test_an_ellipse_is_found_as_it_was_drawn(radius, ratio, angle, dy, dx):
    event = (0, 0, 30 + dy, 30 + dx, radius, ratio, angle)
    drawn = made_events.disk((61, 61), event)
    ellipse = regions.find_ellipses(drawn.astype(np.uint8), 5.0)[0]
    again = np.zeros((61, 61), np.uint8)
    regions.flag_ellipse(
        again, ellipse, ellipse[regions.WIDTH] + 1, ellipse[regions.LENGTH] + 1,
        np.uint8(4), np.uint8(0), np.uint8(0),
    )  # fmt: skip
    # whole pixels for centre and half axes: up to a pixel of the rim may differ
    rim = ndimage.binary_dilation(drawn, EIGHT, 2) & ~ndimage.binary_erosion(drawn, EIGHT, 2)
    assert not np.any((again > 0) != drawn, where=~rim)


def test_points_in_ellipses():
    ellipses = np.array([[20.0, 10.0, 4.0, 12.0, 0.0, 1.0], [5.0, 5.0, -1.0, 6.0, 1.0, 0.0]])
    points = np.zeros((4, 6))
    points[:, :2] = [[25.5, 10.0], [20.0, 13.0], [14.0, 10.0], [5.0, 5.0]]
    holds, inside = np.zeros(2, bool), np.zeros(4, bool)
    regions.match_centres(ellipses, points, holds, inside)
    assert holds.tolist() == [True, False]
    assert inside.tolist() == [True, False, True, False]


def test_a_snowball_is_enlarged_and_its_core_spreads():
    sky = flat(nints=3)
    distance = draw(sky, 0, 2, 40, 50, 8, core=4.5)
    groupdq, count = search(sky, expand_large_events=True)
    assert count == 1
    assert (groupdq[0, 2][distance <= 15] & 6 > 0).all()
    assert not groupdq[0, 2][distance > 20].any()
    assert (groupdq[0, 2:, distance < 5.5] & 2).all()
    assert not np.any(groupdq[0, 2:, distance < 5.5] & 4)
    assert not groupdq[0, :2].any()
    assert not np.any(groupdq[0, 3:, distance > 7.5])
    # afterglow of the core at the start of the next integration, not of the one after
    assert (groupdq[1, 1:, distance < 3] == 4).all()
    assert not groupdq[1, 0].any()
    assert not groupdq[1, :, distance > 5].any()
    assert not groupdq[2].any()


def test_time_of_afterglow():
    sky = flat(nints=2)
    distance = draw(sky, 0, 2, 40, 50, 8, core=4.5)
    seconds = int(3 * TGROUP) + 1
    groupdq, _ = search(sky, expand_large_events=True, snowball_time_masked_next_int=seconds)
    assert np.flatnonzero(groupdq[1, :, 40, 50]).tolist() == [1, 2]
    groupdq, _ = search(sky, expand_large_events=True, mask_snowball_core_next_int=False)
    assert not groupdq[1].any()
    assert (groupdq[0, 2, distance < 4] & 2).all()


def test_what_is_no_snowball():
    sky = flat()
    draw(sky, 0, 2, 40, 50, 8)
    groupdq, count = search(sky, expand_large_events=True)
    assert count == 0
    np.testing.assert_array_equal(groupdq, sky.groupdq)
    groupdq, count = search(sky, expand_large_events=True, sat_required_snowball=False)
    assert count == 1
    assert np.count_nonzero(groupdq) > 3 * np.count_nonzero(sky.groupdq)
    assert (
        search(sky, expand_large_events=True, sat_required_snowball=False, min_jump_area=300)[1]
        == 0
    )


@pytest.mark.parametrize(("y", "x"), [(10, 50), (72, 50), (40, 8), (40, 95)])
def test_near_each_edge_no_core_is_needed(y, x):
    sky = flat()
    draw(sky, 0, 2, y, x, 5)
    assert search(sky, expand_large_events=True)[1] == 1
    assert search(sky, expand_large_events=True, edge_size=3)[1] == 0


def test_the_core_may_saturate_a_group_later():
    sky = flat()
    draw(sky, 0, 2, 40, 50, 8)
    distance = draw(sky, 0, 3, 40, 50, 0, core=4.5)
    groupdq, count = search(sky, expand_large_events=True)
    assert count == 1
    assert (groupdq[0, 3:, distance < 5.5] & 2).all()


def test_a_saturating_star_is_left_alone():
    sky = flat(nints=2)
    distance = draw(sky, 0, 3, 40, 50, 0, core=5)
    sky.groupdq[1] = sky.groupdq[0]
    assert np.count_nonzero(distance < 5) > 60
    groupdq, count = search(sky, expand_large_events=True)
    assert count == 0
    np.testing.assert_array_equal(groupdq, sky.groupdq)


def test_other_flags_stay():
    sky = flat()
    draw(sky, 0, 2, 40, 50, 8, core=4.5)
    sky.groupdq[0, :, 40:44, 50:70] |= 33
    groupdq, _ = search(sky, expand_large_events=True)
    assert (groupdq[0, :, 40:44, 50:70] & 33 == 33).all()
    assert not np.any((groupdq & 3 > 0) & (groupdq & 4 > 0) & (sky.groupdq & 4 == 0))


def test_size_is_limited():
    sky = flat()
    distance = draw(sky, 0, 2, 40, 50, 12, core=4.5)
    groupdq, _ = search(sky, expand_large_events=True, expand_factor=3.0, max_extended_radius=14)
    assert not groupdq[0, 2][distance > 14].any()
    assert (groupdq[0, 2][distance < 13.5] & 6 > 0).all()


def test_made_snowballs():
    """Flags reach out to where the charge does, and stay near."""
    complete, before, far = [], [], 0
    for seed in range(3):
        sky = with_jumps(made_events.snowballs(seed, (2, 8, 220, 220), 4, radii=(5.0, 10.0)))
        groupdq, count = search(sky, expand_large_events=True, mask_snowball_core_next_int=False)
        assert count == 4
        for event, pixels in zip(sky.events, sky.inside, strict=True):
            i, g = event[:2]
            complete.append(np.mean(groupdq[i, g][pixels] & 6 > 0))
            before.append(np.mean(sky.groupdq[i, g][pixels] & 6 > 0))
            near = made_events.disk(sky.data.shape[2:], event, 2.5)
            new = groupdq[i, g] & ~sky.groupdq[i, g] & 4 > 0
            others = [e for e in sky.events if e[:2] == event[:2]]
            far += np.count_nonzero(new & ~near) if len(others) == 1 else 0
    assert np.mean(before) < 0.8
    assert min(complete) > 0.97
    assert far == 0


def test_ring():
    assert len(ring_offsets(1.0, 2.6)) == 36
    assert [0, 0] not in ring_offsets(1.0, 2.6).tolist()
    assert len(ring_offsets(0.0, 1.0)) == 5


@pytest.mark.parametrize(("amplitude", "least", "most"), [(0.3, 0.0, 0.0), (2.0, 0.93, 1.0)])
def test_made_showers(amplitude, least, most):
    sky = made_events.showers(2, (2, 12, 200, 200), 3, amplitude=amplitude)
    groupdq, count = search(sky, find_showers=True)
    found = [
        np.mean(groupdq[e[0], e[1]][p] > 0) for e, p in zip(sky.events, sky.inside, strict=True)
    ]
    assert least <= min(found)
    assert max(found) <= most
    assert count == (3 if least else 0)
    far = groupdq != 0
    for event in sky.events:
        near = made_events.disk(sky.data.shape[2:], event, 1.6)
        last = event[1] + int(15 // TGROUP) + 1
        far[event[0], event[1] : last, near] = False
    assert not far.any()


def test_groups_after_a_shower():
    sky = made_events.showers(2, (1, 14, 120, 120), 1, amplitude=2.5)
    event = sky.events[0]
    centre = (int(event[2]), int(event[3]))
    groupdq, _ = search(sky, find_showers=True, time_masked_after_shower=2.5 * TGROUP)
    wanted = [g for g in range(event[1], event[1] + 3) if g < 14]
    assert np.flatnonzero(groupdq[0, :, *centre]).tolist() == wanted


def test_showers_are_faint():
    """The limit is in DN/s: what changes the mean rate by more is no shower."""
    sky = made_events.showers(2, (1, 12, 120, 120), 1, amplitude=8.0)
    change = 8.0 * np.sqrt(3.0 * TGROUP / GAIN + made_events.READ_NOISE**2) / 11 / TGROUP
    inside = sky.inside[0]
    i, g = sky.events[0][:2]
    groupdq, _ = search(sky, find_showers=True, max_shower_amplitude=1.5 * change)
    assert (groupdq[i, g][inside] == 4).mean() > 0.95
    groupdq, count = search(sky, find_showers=True, max_shower_amplitude=0.3 * change)
    assert count >= 1
    assert (groupdq[i, g][inside] == 4).mean() < 0.05
    assert set(np.unique(groupdq)) <= {0, 4}


def test_flagged_and_reference_pixels_keep_their_flags():
    sky = made_events.showers(2, (1, 12, 120, 120), 1, amplitude=2.5)
    i, g, y, x = (int(v) for v in sky.events[0][:4])
    sky.pixeldq[y - 2, x] = 1 << 31
    sky.groupdq[i, g, y, x] = 2
    sky.groupdq[i, g, y + 1, x] = 4
    groupdq, _ = search(sky, find_showers=True)
    assert groupdq[i, g, y, x] == 2
    assert groupdq[i, g, y + 1, x] == 4
    assert groupdq[i, g, y - 2, x] == 0
    assert groupdq[i, g, y + 2, x] == 4


def test_showers_across_integrations():
    sky = made_events.showers(3, (12, 4, 80, 80), 1, amplitude=0.0)
    inside = made_events.disk((80, 80), (0, 0, 40, 40, 12, 1.0, 0.0))
    sky.data[7, 2:, inside] += 40.0
    groupdq, count = search(sky, find_showers=True, across=True, time_masked_after_shower=0.0)
    assert count == 1
    assert (groupdq[7, 2][inside] == 4).mean() > 0.93
    groupdq[7, 2] = 0
    assert not groupdq.any()


def test_too_few_differences_for_showers(caplog):
    sky = made_events.showers(2, (1, 8, 80, 80), 1, radii=(5.0, 8.0), amplitude=3.0)
    groupdq, count = search(sky, find_showers=True)
    assert count == 0
    assert not groupdq.any()
    assert "fewer than 10 usable differences" in caplog.text


def test_step_notes_the_rate_of_events():
    sky = made_events.snowballs(0, (2, 8, 160, 160), 3, radii=(5.0, 8.0))
    references = References.of(gain={"SCI": sky.gain}, readnoise={"SCI": sky.readnoise})
    parameters = jump.JumpParameters(expand_large_events=True)
    ramp, status = jump.run(ramp_of(sky), references, parameters)
    assert status.word == "COMPLETE"
    seconds = TGROUP * (2 * 8 - 2)
    assert ramp.metadata["EXTNCRS"] == pytest.approx(3e6 / (seconds * 160 * 160))
    expected, count = search(with_jumps(sky), expand_large_events=True)
    assert count == 3
    np.testing.assert_array_equal(ramp.groupdq, expected)
    assert not jump.STEP.joins(ramp.metadata, parameters)
    assert jump.STEP.joins(ramp.metadata, jump.JumpParameters())


@pytest.mark.parametrize("options", [{"expand_large_events": True}, {"find_showers": True}])
def test_threads_do_not_matter(monkeypatch, options):
    sky = with_jumps(made_events.snowballs(4, (2, 12, 160, 160), 3, radii=(5.0, 8.0)))
    results = []
    for number in ("1", "3"):
        monkeypatch.setattr(
            "calwebb_core.framework.threads.number_of_threads", lambda n=number: int(n)
        )
        results.append(search(sky, **options)[0])
    np.testing.assert_array_equal(*results)


def test_wrong_shapes_are_refused():
    sky = flat()
    sky.gain = sky.gain[1:]
    with pytest.raises(ValueError, match="gain is float32"):
        search(sky, expand_large_events=True)


def test_program_finds_large_events_in_one_pass_or_step_by_step(tmp_path, monkeypatch):
    """The same bytes either way; small frames are all edge, so that no core is needed."""
    from astropy.io import fits

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    uncal, files = exposure.write_uncal(tmp_path), exposure.write_references(tmp_path)
    wishes = (
        "--set=jump.expand_large_events=true",
        "--set=charge_migration.signal_threshold=22000",
    )
    products = []
    for name, more in (("fused", ()), ("apart", ("--one-by-one",)), ("without", None)):
        chosen = () if more is None else (*wishes, "--set=charge_migration.skip=false", *more)
        products.append(
            succeed(
                "run", uncal, "--output-dir", tmp_path / name, *exposure.overrides(files), *chosen
            )[0]
        )
    fused, apart, without = products
    assert fused.read_bytes() == apart.read_bytes()
    header = fits.getheader(fused)
    assert header["EXTNCRS"] > 0
    assert header["S_CHGMIG"] == "COMPLETE"
    assert fits.getheader(without)["EXTNCRS"] == 0
    flagged = [np.count_nonzero(fits.getdata(path, "DQ") & 4) for path in (fused, without)]
    assert flagged[0] > flagged[1]
