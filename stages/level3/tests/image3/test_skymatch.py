"""skymatch recovers sky levels, by every method."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_level3.imageset import make_set
from calwebb_level3.imaging.sky import (
    Differences,
    Statistic,
    anchor,
    clip,
    solve,
)
from calwebb_level3.steps.skymatch import SkymatchParameters, level_to_subtract, run

from .scene import dithered, exposure, offset, star_field

SKIES = [1.0, 1.5, 0.8, 2.2]


def sky_set(**keywords):
    return make_set(dithered(star_field(40), skies=SKIES, **keywords), product="p")


def levels(images):
    return np.array([image.metadata["BKGLEVEL"] for image in images.exposures])


@pytest.mark.parametrize("statistic", ["median", "mean", "mode", "midpt"])
def test_match_recovers_the_differences(statistic):
    images = sky_set()
    before = [image.plane("data") for image in images.exposures]
    _, status = run(images, None, SkymatchParameters(skystat=statistic))
    assert status.word == "COMPLETE"
    tolerance = 0.05 if statistic == "mode" else 0.02
    assert levels(images) == pytest.approx(np.array(SKIES) - 0.8, abs=tolerance)
    for image, data in zip(images.exposures, before, strict=True):
        assert image.metadata["BKGMETH"] == "match"
        assert image.metadata["BKGSUB"] is False
        np.testing.assert_array_equal(image.plane("data"), data)
        assert level_to_subtract(image) == image.metadata["BKGLEVEL"]


def test_match_up():
    images = sky_set()
    run(images, None, SkymatchParameters(match_down=False))
    assert levels(images) == pytest.approx(np.array(SKIES) - 2.2, abs=0.02)


def test_global_takes_the_lowest_sky_from_all():
    images = sky_set()
    run(images, None, SkymatchParameters(skymethod="global"))
    assert levels(images) == pytest.approx([0.8] * 4, abs=0.03)


def test_global_and_match():
    images = sky_set()
    run(images, None, SkymatchParameters(skymethod="global+match"))
    assert levels(images) == pytest.approx(SKIES, abs=0.04)


def test_local_and_subtracted():
    images = sky_set()
    before = [np.nanmedian(image.plane("data")) for image in images.exposures]
    run(images, None, SkymatchParameters(skymethod="local", subtract=True))
    assert levels(images) == pytest.approx(SKIES, abs=0.04)
    after = [np.nanmedian(image.plane("data")) for image in images.exposures]
    assert np.array(before) - after == pytest.approx(levels(images), abs=1e-3)
    assert all(level_to_subtract(image) == 0 for image in images.exposures)


def test_single_exposure_is_skipped_for_match_and_measured_for_local():
    images = make_set(dithered(star_field(40), 1), product="p")
    _, status = run(images, None, SkymatchParameters())
    assert "one exposure" in status.reason
    assert levels(images) == [0.0]
    _, status = run(images, None, SkymatchParameters(skymethod="local"))
    assert status.word == "COMPLETE"
    assert levels(images) == pytest.approx([1.0], abs=0.03)


def test_no_overlap_is_skipped(caplog):
    stars = star_field(40)
    far = offset(80.0, -69.5, 100.0, 0.0)
    exposures = [exposure(stars, exposure=1), exposure(stars, ra=far[0], dec=far[1], exposure=2)]
    images = make_set(exposures, product="p")
    _, status = run(images, None, SkymatchParameters())
    assert status.word == "SKIPPED"
    assert "no exposures overlap" in caplog.text
    assert list(levels(images)) == [0.0, 0.0]


def test_an_exposure_without_pixels_counts_as_zero(caplog):
    images = sky_set()
    images.exposures[1].mark(np.ones(images.exposures[1].shape, bool))
    run(images, None, SkymatchParameters(skymethod="local"))
    assert levels(images)[1] == 0
    assert "too few good pixels" in caplog.text


@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=6),
    st.floats(0.1, 10),
)
@settings(max_examples=30, deadline=None)
def test_solution_reproduces_consistent_differences(truth, weight):
    n = len(truth)
    differences = Differences({})
    for i in range(n - 1):
        differences.add(i, i + 1, truth[i + 1] - truth[i], weight)
    solution, linked = solve(differences, n)
    assert linked == [list(range(n))]
    matched = anchor(solution, linked, down=True)
    assert matched == pytest.approx(np.array(truth) - min(truth), abs=1e-6)


def test_groups_that_are_not_linked_have_levels_of_their_own():
    differences = Differences({})
    differences.add(0, 1, 5.0, 1.0)
    differences.add(2, 3, -2.0, 1.0)
    solution, linked = solve(differences, 5)
    assert linked == [[0, 1], [2, 3], [4]]
    assert anchor(solution, linked, down=True) == pytest.approx([0, 5, 2, 0, 0])
    assert anchor(solution, linked, down=False) == pytest.approx([-5, 0, 0, -2, 0])


def test_statistics():
    rng = np.random.default_rng(3)
    values = rng.normal(5, 1, 100_000).astype(np.float32)
    values[:3000] += 50
    for kind in ("median", "mean", "mode", "midpt"):
        level, count = Statistic(kind).level(values)
        assert level == pytest.approx(5.0, abs=0.1)
        assert count == 100_000
    assert np.isnan(Statistic().level(values[:10])[0])
    assert Statistic("mode").level(np.full(200, 3.0, np.float32))[0] == 3.0
    assert Statistic(lower=4.0, upper=6.0).level(values)[1] < 70_000
    assert clip(np.ones(5, np.float32), 5, 4, 4).size == 5
