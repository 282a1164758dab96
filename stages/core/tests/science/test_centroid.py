"""The middle of a star in an image: against Gaussians of any form, and what is no star."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.science.centroid import find_star

SHAPE = (40, 50)


def bell(x, y, widths=(1.5, 1.5), angle=0.0, peak=100.0, level=2.0):
    """An elliptical Gaussian on a level."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    u = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    v = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    square = (u / widths[0]) ** 2 + (v / widths[1]) ** 2
    return (peak * np.exp(-square / 2) + level).astype("f4")


@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(-4, 4), y=st.floats(-4, 4), angle=st.floats(0, 3.1),
    widths=st.tuples(st.floats(0.7, 2.5), st.floats(0.7, 2.5)), level=st.floats(-50, 50),
)  # fmt: skip
def test_the_middle_of_any_gaussian_is_found(x, y, angle, widths, level):
    star = find_star(bell(25 + x, 20 + y, widths, angle, level=level), (25.0, 20.0))
    assert np.hypot(star.x - 25 - x, star.y - 20 - y) < 1e-4
    assert star.peak == pytest.approx(100, rel=1e-3)
    assert star.level == pytest.approx(level, abs=0.05)


def test_noise_and_lost_pixels_leave_the_middle_within_its_error():
    rng = np.random.default_rng(1)
    offsets = []
    for _ in range(60):
        x, y = rng.uniform(22, 28), rng.uniform(17, 23)
        image = bell(x, y) + rng.normal(0, 3, SHAPE).astype("f4")
        image[round(y), round(x)] = np.nan
        star = find_star(image, (25.0, 20.0))
        offsets += [star.x - x, star.y - y]
    # noise / peak * sqrt(2 / pi) = 0.024; the brightest pixel says little of where the middle is
    assert 0.019 < np.std(offsets) < 0.029
    assert abs(np.mean(offsets)) < 0.008


def test_only_the_pixels_around_the_place_count():
    image = bell(25.0, 20.0)
    image[9, 25], image[20, 36], image[30, 25] = 1e6, 1e6, 1e6
    assert find_star(image, (25.4, 20.4)).x == pytest.approx(25, abs=1e-5)
    image[10, 25] = 1e6
    with pytest.raises(ProcessingError, match="no star") as error:
        find_star(image, (25.4, 20.4))
    assert "(26.4, 21.4)" in str(error.value)


def test_a_star_near_the_edge_has_its_place_on_the_image():
    star = find_star(bell(3.2, 36.6), (2.0, 37.0))
    assert (star.x, star.y) == pytest.approx((3.2, 36.6), abs=1e-4)


@pytest.mark.parametrize(
    ("image", "place", "text"),
    [
        (np.full(SHAPE, np.nan, "f4"), (25, 20), "0 pixels are known around pixel .26.0, 21.0."),
        (bell(25, 20), (-300, 20), "0 pixels are known"),
        (bell(25, 20), (900, 900), "0 pixels are known"),
        (np.full(SHAPE, 2, "f4"), (25, 20), "there is no star"),
        (-bell(25, 20), (25, 20), "there is no star"),
        (bell(25, 20, peak=0) + np.random.default_rng(3).normal(size=SHAPE).astype("f4"), (25, 20),
         "there is no star"),
        ((np.arange(2000).reshape(SHAPE) % 50).astype("f4"), (25, 20), "there is no star"),
    ],
)  # fmt: skip
def test_what_is_no_star_is_said(image, place, text):
    with pytest.raises(ProcessingError, match=text):
        find_star(image, place)


def test_a_cube_is_refused():
    with pytest.raises(ValueError, match=r"image has shape \(2, 3, 4\)"):
        find_star(np.zeros((2, 3, 4), "f4"), (1, 1))
