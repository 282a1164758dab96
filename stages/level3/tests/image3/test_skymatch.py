"""skymatch recovers sky levels, by every method."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError
from calwebb_level3.image3 import match_with_list
from calwebb_level3.imageset import make_set
from calwebb_level3.imaging.sky import (
    Differences,
    Statistic,
    anchor,
    clip,
    solve,
)
from calwebb_level3.imaging.sky_list import read_sky_list
from calwebb_level3.kernels import cells as kernels
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


def test_pixels_fall_into_the_right_cells():
    rng = np.random.default_rng(1)
    data = rng.normal(size=(40, 50)).astype(np.float32)
    data[3, 4], data[5, 6] = np.nan, 1e6
    dq = np.zeros(data.shape, np.uint32)
    dq[7, 8] = 1
    y, x = np.mgrid[0:65:32, 0:97:32].astype(float)
    u, v = 0.25 * x + 0.05 * y + 0.5, 0.24 * y + 0.5
    sums, counts = np.zeros((20, 30), np.float32), np.zeros((20, 30), np.int16)
    limits = np.array([-100, 100], np.float32)
    box = np.array([1, 40, 2, 50])
    kernels.collect(data, dq, np.uint32(1), limits, np.stack([u, v]), 32, box, sums, counts)
    expected, number = np.zeros((20, 30)), np.zeros((20, 30), int)
    for row in range(1, 40):
        for column in range(2, 50):
            if (row, column) not in ((3, 4), (5, 6), (7, 8)):
                place = int(0.24 * row + 0.5), int(0.25 * column + 0.05 * row + 0.5)
                expected[place] += data[row, column]
                number[place] += 1
    np.testing.assert_array_equal(counts, number)
    np.testing.assert_allclose(sums, expected, atol=1e-5)
    kernels.average(sums, counts, 10.0)
    assert set(counts[number < 10]) == {0}
    np.testing.assert_allclose(
        sums[number >= 10], (expected / np.maximum(number, 1))[number >= 10], atol=1e-5
    )


def test_statistics_of_differences():
    rng = np.random.default_rng(4)
    values = rng.normal(5, 1, 50_000).astype(np.float32)
    values[:1000] += 50
    weights = np.ones_like(values)
    sample, histogram = np.empty(kernels.SAMPLE, np.float32), np.empty(kernels.BINS, np.int64)
    clip = np.array([4.0, 4.0])
    for kind in range(4):
        level, total = kernels.level(values, weights, kind, 5, clip, 0.1, sample, histogram)
        assert level == pytest.approx(5.0, abs=0.1 if kind == kernels.MODE else 0.02)
        assert total == pytest.approx(49_000, abs=10)
    level, total = kernels.level(values, weights, kernels.MEAN, 0, clip, 0.1, sample, histogram)
    assert level == pytest.approx(values.mean(), abs=1e-4)
    assert total == 50_000
    same = np.full(300, 2.5, np.float32)
    for kind in range(4):
        result = kernels.level(same, weights[:300], kind, 5, clip, 0.1, sample, histogram)
        assert result == (2.5, 300)


def test_levels_in_a_crowded_field_of_exposures_of_different_depth():
    stars = star_field(2500, faint=3, bright=2000)
    exposures = [
        *dithered(stars, 2, skies=SKIES[:2]),
        *dithered(stars, 2, skies=SKIES[2:], noise=2.0, seed=30),
    ]
    for i, image in enumerate(exposures):
        image.metadata["EXPOSURE"] = str(i + 1)
    images = make_set(exposures, product="p")
    run(images, None, SkymatchParameters())
    # A median of pixels is 0.15 off: half of them are on stars, and noise skews it.
    assert levels(images) == pytest.approx(np.array(SKIES) - 0.8, abs=0.03)


def test_detectors_of_an_exposure_share_a_level():
    stars = star_field(40)
    east = offset(80.0, -69.5, 3.0, 0.0)
    exposures = []
    for number, sky in ((1, 1.0), (2, 1.7)):
        for detector, (ra, dec) in (("NRCA1", (80.0, -69.5)), ("NRCA3", east)):
            image = exposure(
                stars, ra=ra, dec=dec, exposure=number, detector=detector, sky=sky, seed=number
            )
            exposures.append(image)
    images = make_set(exposures, product="p")
    run(images, None, SkymatchParameters())
    found = levels(images)
    assert found[0] == found[1] == 0
    assert found[2] == found[3] == pytest.approx(0.7, abs=0.02)


def test_sets_that_do_not_touch_are_matched_apart(caplog):
    stars = star_field(40)
    far = offset(80.0, -69.5, 60.0, 0.0)
    places = [(80.0, -69.5), (80.0, -69.5), far, far]
    exposures = [
        exposure(stars, ra=ra, dec=dec, exposure=i + 1, sky=sky, seed=i)
        for i, ((ra, dec), sky) in enumerate(zip(places, (1.0, 1.4, 3.0, 2.0), strict=True))
    ]
    images = make_set(exposures, product="p")
    run(images, None, SkymatchParameters())
    assert levels(images) == pytest.approx([0.0, 0.4, 1.0, 0.0], abs=0.03)
    assert "2 sets of exposures" in caplog.text


def test_levels_of_the_user(tmp_path):
    images = sky_set()
    with pytest.raises(InputError, match="give them with skylist"):
        run(images, None, SkymatchParameters(skymethod="user"))
    path = tmp_path / "sky.txt"
    names = [image.metadata["FILENAME"] for image in images.exposures]
    path.write_text("# levels\n" + "".join(f"{n} {s}\n" for n, s in zip(names, SKIES, strict=True)))
    parameters = SkymatchParameters(skymethod="user", skylist=str(path), subtract=True)
    _, status = match_with_list(images, None, parameters)
    assert status.word == "COMPLETE"
    assert list(levels(images)) == SKIES
    assert images.exposures[3].metadata["BKGMETH"] == "user"
    assert np.nanmedian(images.exposures[3].plane("data")) == pytest.approx(0.0, abs=0.05)
    path.write_text(f"{names[0]} 1.0\n")
    with pytest.raises(InputError, match="has no level for it; expected a line with"):
        match_with_list(sky_set(), None, parameters)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a_cal.fits", "line 1 is 'a_cal.fits'"), ("a x", "line 1"), ("a 1\na 2", "has a again")],
)
def test_lists_of_levels_that_make_no_sense(tmp_path, text, message):
    path = tmp_path / "sky.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_sky_list(path)
    with pytest.raises(InputError, match="can't be read"):
        read_sky_list(tmp_path / "absent.txt")
