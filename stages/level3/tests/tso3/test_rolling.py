"""Moving medians agree with numpy, whatever is missing; motion is found and taken off."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calwebb_core.framework import threads
from calwebb_level3.kernels.pointing import take_motion
from calwebb_level3.kernels.rolling import LEAST, QUARTILES, rolling
from calwebb_level3.timeseries.outliers import (
    Rule,
    blocks,
    find_in_block,
    roll,
    take_level,
    window_starts,
)
from programs import run

from .star import star


def plain(cube, starts, width):
    """Return medians and scatters as the kernel defines them."""
    median = np.full((len(starts), *cube.shape[1:]), np.nan, np.float32)
    spread = median.copy()
    for t, start in enumerate(starts):
        for y, x in np.ndindex(*cube.shape[1:]):
            values = cube[start : start + width, y, x]
            values = np.sort(values[~np.isnan(values)])
            n = len(values)
            if n:
                median[t, y, x] = np.float32(0.5) * (values[(n - 1) // 2] + values[n // 2])
            if n >= LEAST:
                spread[t, y, x] = QUARTILES * (values[n - 1 - n // 4] - values[n // 4])
    return median, spread


values = st.one_of(
    st.just(np.float32(np.nan)), st.floats(-1e6, 1e6, width=32), st.sampled_from([0.0, 1.0])
)


@settings(max_examples=60)
@given(
    arrays(
        np.float32, st.tuples(st.integers(1, 40), st.just(1), st.integers(1, 3)), elements=values
    ),
    st.integers(1, 30),
)
def test_medians_of_any_values(cube, width):
    width = min(width, len(cube))
    starts = window_starts(0, len(cube), width, len(cube))
    found = np.empty((2, *cube.shape), np.float32)
    rolling(cube, starts, width, 0, cube.shape[1], found[0], found[1])
    np.testing.assert_array_equal(found, plain(cube, starts, width))


def test_windows_stay_inside():
    assert window_starts(0, 8, 5, 8).tolist() == [0, 0, 0, 1, 2, 3, 3, 3]
    assert window_starts(3, 4, 5, 8).tolist() == [1]


@given(st.integers(1, 500), st.integers(1, 40), st.booleans(), st.integers(1, 300))
def test_blocks_cover_an_exposure_with_what_their_windows_need(total, width, twice, limit):
    width = min(width, total)
    made = blocks(total, width, 1, twice=twice, limit=limit)
    assert [b.first for b in made] == [0, *(b.last for b in made[:-1])]
    assert made[-1].last == total
    for block in made:
        low, high = block.levels if twice else (block.first, block.last)
        starts = window_starts(low, high, width, total)
        assert block.values[0] <= starts[0]
        assert block.values[1] >= starts[-1] + width
        assert 0 <= block.values[0] <= low < high <= block.values[1] <= total


def test_motion_and_brightness_are_taken_off():
    images = star(nints=41, drift=0.02, depth=0.0, seed=3)
    cube = images.data.copy()
    model = np.repeat(np.median(cube, axis=0)[None], len(cube), axis=0)
    cube[5] *= np.float32(1.01)
    before = np.abs(cube - model) / images.err
    found = np.empty((len(cube), 3))
    take_motion(cube, model, images.err, found)
    after = np.abs(cube) / images.err
    bright = model > 1e4
    assert np.percentile(before[bright], 99) > 10
    assert np.percentile(after[bright], 99) < 5
    assert found[5, 0] == pytest.approx(0.01, abs=1e-3)
    moved = images.x - np.median(images.x)
    assert np.corrcoef(-found[:, 1], moved)[0, 1] > 0.99
    assert np.std(-found[:, 1] - moved) < 0.1 * np.std(moved)


def test_an_image_without_bright_pixels_is_left_alone():
    cube = np.ones((2, 5, 5), np.float32)
    found = np.ones((2, 3))
    take_motion(cube, np.zeros_like(cube), np.ones_like(cube), found)
    assert np.all(found == 0)
    assert np.all(cube == 1)


def test_any_number_of_threads_flags_the_same(monkeypatch):
    images = star(nints=40)
    block = blocks(40, 25, images.data[0].size, twice=True)[0]
    found = []
    for number in (1, 3, 100):
        monkeypatch.setattr(threads, "_wanted", [number])
        median, spread = roll(images.data, 0, 0, 40, 25, 40)
        rest = take_level(images.data, images.err, median, spread, Rule(width=25))
        hits = find_in_block(images.data, images.err, block, 40, Rule(width=25))
        found.append((median.tobytes(), spread.tobytes(), rest.tobytes(), hits.tobytes()))
    assert len(set(found)) == 1


def test_kernels_are_loaded_without_linear_algebra():
    code = (
        "import sys; import calwebb_level3.kernels.rolling; assert 'numba' in sys.modules;"
        "assert 'scipy.linalg' not in sys.modules"
    )
    run([sys.executable, "-c", code])
