"""Outliers are found wherever segments end, and a drifting star keeps its light."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.products import read_image
from calwebb_core.science.dq import DO_NOT_USE, OUTLIER
from calwebb_level3.timeseries.checks import make_series
from calwebb_level3.timeseries.outliers import Rule, find_outliers, mark
from calwebb_level3.timeseries.series import Segment
from calwebb_level3.timeseries.steps.outlier_detection import OutlierDetectionParameters, run

from .star import star, write_members, write_segments


def with_hits(images, number=40, seed=7, above=30.0):
    """Add values that stand off by `above` errors; return where."""
    rng = np.random.default_rng(seed)
    hits = np.zeros(images.data.shape, bool)
    hits[tuple(rng.integers(0, n, number) for n in hits.shape)] = True
    images.data[hits] += above * images.err[hits]
    return hits


def found_in(paths, parameters=None):
    """Return the outliers of an exposure in segments, bool (nints, ny, nx)."""
    series = make_series([Segment.open(path) for path in paths], product="x")
    series, status = run(series, None, parameters or OutlierDetectionParameters())
    assert status.word == "COMPLETE"
    cubes = []
    for segment in series.segments:
        cube = np.zeros(segment.shape, bool)
        cube.reshape(-1)[segment.outliers] = True
        cubes.append(cube)
    return np.concatenate(cubes)


def test_hits_are_found_and_little_else(tmp_path):
    images = star(drift=0.02)
    hits = with_hits(images)
    found = found_in(write_segments(tmp_path, images, (20, 41)))
    bright = images.clean > 1e5
    assert np.mean(found[hits & ~bright]) > 0.95
    assert np.mean(found[~hits]) < 2e-4


def test_a_drifting_star_keeps_its_light(tmp_path):
    images = star(peak=1e8, drift=0.02, depth=0.02)
    paths = write_segments(tmp_path, images)
    bright = images.clean > 1e5
    official = OutlierDetectionParameters(noise="err", drift=False)
    assert np.mean(found_in(paths, official)[bright]) > 0.1
    assert np.mean(found_in(paths)[bright]) < 1e-3


def test_the_borders_of_segments_make_no_difference(tmp_path):
    images = star(nints=70, seed=9)
    with_hits(images)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    one = found_in(write_segments(whole, images))
    several = write_segments(parts, images, (3, 30, 31, 55))
    np.testing.assert_array_equal(found_in(several), one)
    np.testing.assert_array_equal(found_in(several[::-1]), one)


@pytest.mark.parametrize("drift", [True, False])
@pytest.mark.parametrize("scatter", [True, False])
def test_blocks_make_no_difference(tmp_path, drift, scatter):
    images = star(nints=50, side=9)
    with_hits(images, 20)
    rule = Rule(width=7, drift=drift, scatter=scatter)
    results = []
    for limit in (1, 1 << 24):
        (segment,) = [Segment.open(p) for p in write_segments(tmp_path, images)]
        (part,) = make_series([segment], product="x").parts()
        for block, hits, usable in find_outliers(part, rule, limit=limit):
            mark(part, block, hits)
            assert usable.shape == (block.last - block.first,)
        results.append(part.segments[0].outliers)
    np.testing.assert_array_equal(*results)


def test_flagged_values_are_not_tested_and_outliers_are_written(tmp_path):
    from calwebb_level3.tso3 import run as tso3

    images = star(side=20, drift=0.0)
    images.data[7, 3, 4] += 1e4
    images.data[30, 3, 4] += 1e4
    dq = images.dq
    dq[30, 3, 4] = DO_NOT_USE
    paths = write_segments(tmp_path, images, (25,), dq=dq)
    result = tso3(
        write_members(tmp_path, paths[::-1]),
        output_dir=tmp_path / "out",
        parameters={"tso_photometry": {"skip": True}},
    )
    names = [path.name for path in result.outputs]
    assert names == [p.name.replace("_calints", "_o001_crfints") for p in paths]
    first, second = (read_image(path) for path in result.outputs)
    assert first.dq[7, 3, 4] == OUTLIER | DO_NOT_USE
    for plane in (first.data, first.err, first.var_poisson, first.var_rnoise):
        assert np.isnan(plane[7, 3, 4])
    assert second.dq[5, 3, 4] == DO_NOT_USE
    assert second.data[5, 3, 4] == images.data[30, 3, 4]
    assert first.metadata["S_OUTLIR"] == "COMPLETE"
    assert first.metadata["EXSEGNUM"] == 1
    assert second.metadata["ASNTABLE"].endswith("_asn.json")
    assert len(second.tables["INT_TIMES"].data) == 35


def test_two_integrations_tell_no_level(tmp_path):
    series = make_series(
        [Segment.open(p) for p in write_segments(tmp_path, star(nints=2))], product="x"
    )
    _, status = run(series, None, OutlierDetectionParameters())
    assert str(status).startswith("SKIPPED: fewer than 3 integrations")


@pytest.mark.parametrize("options", [{"snr": "much"}, {"snr": ""}, {"good_bits": "~NOTHING"}])
def test_limits_that_are_none_are_refused(tmp_path, options):
    series = make_series(
        [Segment.open(p) for p in write_segments(tmp_path, star(nints=4))], product="x"
    )
    with pytest.raises(InputError, match="expected a number such as"):
        run(series, None, OutlierDetectionParameters(**options))
    with pytest.raises(InputError, match="expected a positive number"):
        run(series, None, OutlierDetectionParameters(snr="-1"))
