"""Windows of flags and charge traps against slow versions and against a simulated afterglow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Ramp, Table
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.afterglow import TrapsFilled, WindowEnds
from calwebb_detector1.afterglow_files import write_afterglow
from calwebb_detector1.kernels import persistence as kernels
from calwebb_detector1.steps import persistence
from calwebb_detector1.traps import Course, capture_tables, correct_traps, families_of

from .persistence_model import (
    FAMILIES,
    afterglow,
    caught,
    one,
    traps_of_pixel,
    windows,
)
from .ramps import GAIN, READ_NOISE, TGROUP, keywords, make

START = 60000.0
FULL = 50000.0


def course(nints=1, ngroups=5, resets=1):
    return Course(ngroups, TGROUP, TGROUP, np.full(nints, resets * TGROUP))


def trappars(families=FAMILIES):
    names = ("capture0", "capture1", "capture2", "decay_param")
    rows = zip(
        families.slow, -families.capture_rate, families.at_once, -families.decay_rate, strict=True
    )
    return Table(np.array(list(rows), [(name, "f8") for name in names]))


def references(shape, density=1.0, full=FULL, **changes):
    image = lambda value: {"SCI": np.full(shape, value, np.float32)}  # noqa: E731
    given = {
        "trapdensity": image(density),
        "persat": image(full),
        "trappars": Reference("trappars", tables={"TRAPPARS": trappars()}),
    }
    return References.of(**(given | changes))


def ramp(data, *, start=START, groupdq=None, days=None, **changes):
    """Return ramps that start at an MJD and take the time of their groups and resets."""
    nints, ngroups, ny, nx = data.shape
    seconds = nints * (ngroups + 1) * TGROUP
    days = seconds / 86400 if days is None else days
    metadata = keywords(data.shape, EXPSTART=start, EXPEND=start + days, **changes)
    flags = np.zeros(data.shape, np.uint8) if groupdq is None else groupdq
    return Ramp(metadata, data.astype(np.float32), np.zeros((ny, nx), np.uint32), flags)


def run(model, references=None, **options):
    wish = persistence.PersistenceParameters(**options)
    return persistence.run(model, references or References.of(), wish)


# windows


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    nints=st.integers(1, 3),
    ngroups=st.integers(1, 6),
    length=st.floats(1.0, 200.0),
    threshold=st.sampled_from([np.inf, 500.0]),
)
def test_windows_are_those_of_the_slow_version(seed, nints, ngroups, length, threshold):
    made = make(seed=seed, nints=nints, ngroups=ngroups, ny=4, nx=6, saturated=0.3)
    made.data[0, 0, 0, 0] = np.nan
    rng = np.random.default_rng(seed)
    times = 1.7e9 + np.cumsum(np.full((nints * ngroups), TGROUP)).reshape(nints, ngroups)
    ends = np.where(rng.random((4, 6)) < 0.3, 1.7e9 + rng.uniform(-50, 400, (4, 6)), 0.0)
    expected = windows(made.data, made.groupdq, ends, times, length, threshold)
    groupdq = made.groupdq.copy()
    options = persistence.PersistenceParameters(
        persistence_time=length, dn_threshold=None if np.isinf(threshold) else threshold
    )
    persistence.flag_windows(made.data, groupdq, ends, times=times, parameters=options)
    np.testing.assert_array_equal(groupdq, expected[0])
    np.testing.assert_array_equal(ends, expected[1])


def saturating(nints=3, ngroups=5):
    """Return ramps of which pixel (1, 2) saturates in group 3 of the first integration."""
    data = np.full((nints, ngroups, 4, 6), 100.0)
    flags = np.zeros(data.shape, np.uint8)
    flags[0, 3:, 1, 2] = 2
    return ramp(data, groupdq=flags)


@pytest.mark.parametrize(("dnu", "flag"), [(False, 32), (True, 33)])
def test_a_window_covers_the_groups_within_its_time_also_of_the_next_integration(dnu, flag):
    # groups 3, 4, then a reset, then groups 0 and 1 are within 4.1 group times
    model, status = run(saturating(), persistence_time=4.1 * TGROUP, persistence_dnu=dnu)
    assert status.word == "COMPLETE"
    struck = model.groupdq[:, :, 1, 2] & flag == flag
    expected = np.zeros((3, 5), bool)
    expected[0, 3:], expected[1, :2] = True, True
    np.testing.assert_array_equal(struck, expected)
    model.groupdq[:, :, 1, 2] = 0
    assert not model.groupdq.any()
    assert model.afterglow is None


def test_values_above_a_threshold_open_a_window():
    data = np.full((1, 6, 2, 2), 10.0)
    data[0, 2, 0, 1] = 600
    model, _ = run(ramp(data), persistence_time=1.5 * TGROUP, dn_threshold=500.0)
    assert [bool(f & 32) for f in model.groupdq[0, :, 0, 1]] == [0, 0, 1, 1, 0, 0]


def test_windows_go_on_in_the_next_exposure(tmp_path):
    first, _ = run(saturating(), persistence_time=1000.0, save_persistence=True)
    assert isinstance(first.afterglow, WindowEnds)
    (path,) = write_afterglow(first.afterglow, tmp_path)
    assert path.name == "jw09999001001_02101_00001_nrcalong_perswindow.asdf"
    later = ramp(np.full((1, 4, 4, 6), 50.0), start=first.metadata["EXPEND"] + 830 / 86400)
    second, _ = run(later, persistence_time=1000.0, persistence_array_file=str(path))
    flags = second.groupdq[0, :, 1, 2] & 32 != 0
    end = (START - 40587) * 86400 + (4 + 1) * TGROUP + 1000
    begin = (later.metadata["EXPSTART"] - 40587) * 86400 + TGROUP
    expected = begin + TGROUP * np.arange(1, 5) <= end
    np.testing.assert_array_equal(flags, expected)
    assert flags.any()
    assert not flags.all()
    assert not (second.groupdq[0, :, 0] & 32).any()


def test_windows_reach_a_subarray_and_the_rest_of_the_detector_is_kept(tmp_path):
    first, _ = run(saturating(), persistence_time=1000.0, save_persistence=True)
    (path,) = write_afterglow(first.afterglow, tmp_path)
    start = first.metadata["EXPEND"]
    part = ramp(np.full((1, 2, 2, 2), 50.0), start=start, SUBSTRT1=3, SUBSTRT2=2)
    options = {"persistence_time": 1000.0, "save_persistence": True}
    second, _ = run(part, persistence_array_file=str(path), **options)
    assert (second.groupdq[0, :, 0, 0] & 32).all()
    assert np.count_nonzero(second.groupdq & 32) == 2
    (path,) = write_afterglow(second.afterglow, tmp_path)
    whole = ramp(np.full((1, 2, 4, 6), 50.0), start=second.metadata["EXPEND"])
    third, _ = run(whole, persistence_array_file=str(path), **options)
    assert (third.groupdq[0, :, 1, 2] & 32).all()


def test_what_a_window_needs(tmp_path):
    with pytest.raises(InputError, match="needs persistence_time"):
        run(saturating())
    first, _ = run(saturating(), persistence_time=1000.0, save_persistence=True)
    (path,) = write_afterglow(first.afterglow, tmp_path)
    with pytest.raises(InputError, match=r"windows of 1000.0 s, but persistence_time is 900.0"):
        run(saturating(), persistence_time=900.0, persistence_array_file=str(path))
    other = saturating()
    other.metadata["DETECTOR"] = "NRCBLONG"
    with pytest.raises(InputError, match="has no entry NRCBLONG"):
        run(other, persistence_time=1000.0, persistence_array_file=str(path))
    path.write_text("nothing")
    with pytest.raises(InputError, match="persistence window file is no readable ASDF"):
        run(saturating(), persistence_time=1000.0, persistence_array_file=str(path))


# traps


@pytest.mark.parametrize("time", [0.0, 1e-9, 1e-4, 9.9e-3, 1.01e-2, 0.1, 1.0, 30.0])
def test_the_part_of_slow_traps_that_a_steady_rise_fills(time):
    steps = (np.arange(200000) + 0.5) * time / 200000
    expected = np.sum(2 * steps * -np.expm1(-steps)) * time / 200000 / max(time, 1e-30) ** 2
    assert kernels.slow_part(time) == pytest.approx(expected, rel=1e-6, abs=1e-30)


def test_the_documents_formula_is_tabulated():
    times = course(ngroups=8)
    (first, length), steady, rate, hit, slow, at_once = capture_tables(FAMILIES, times)
    assert (first, length) == (1, 8)
    tau = 1 / FAMILIES.capture_rate
    c0, c2 = FAMILIES.slow, FAMILIES.at_once
    lit = TGROUP * 8
    formula = 2 * (
        lit**2 * (c0 + c2) / 2 + c0 * (lit * tau + tau**2) * np.exp(-lit / tau) - c0 * tau**2
    )
    np.testing.assert_allclose((steady * slow + at_once) * lit**2, formula, rtol=1e-6)
    assert caught(0.001, lit, one(FAMILIES, 1)) == pytest.approx(1e-6 * formula[1], rel=1e-6)
    np.testing.assert_allclose(rate, TGROUP / tau)
    np.testing.assert_allclose(hit[:, 2], c0 * (1 - np.exp(-5.5 * TGROUP / tau)) + c2)


@pytest.mark.parametrize(("frames", "gap"), [(1, 0), (4, 1), (8, 2)])
def test_traps_are_those_of_the_slow_version(frames, gap):
    made = make(seed=3, nints=2, ngroups=6, ny=6, nx=8, rates=(5.0, 3000.0), saturated=0.3)
    rng = np.random.default_rng(4)
    made.groupdq[made.hits] |= 4
    frame = TGROUP / (frames + gap)
    times = Course(6, TGROUP, frame, np.array([2 * frame, frame]), frames)
    density = rng.uniform(0.3, 1.7, (6, 8)).astype(np.float32)
    density[0, 0] = 0
    full = rng.uniform(20000, 60000, (6, 8)).astype(np.float32)
    state = rng.uniform(0, 200, (3, 6, 8)).astype(np.float32)
    found, data, pixeldq = state.copy(), made.data.copy(), made.pixeldq.copy()
    flagged = correct_traps(
        data, made.groupdq, pixeldq, None, found,
        density=density, full=full, families=FAMILIES, course=times, cutoff=60.0,
    )  # fmt: skip
    counted = 0
    for y, x in np.ndindex(6, 8):
        values, after, most = traps_of_pixel(
            made.data[:, :, y, x], made.groupdq[:, :, y, x], state[:, y, x], density[y, x],
            float(full[y, x]), FAMILIES, times,
        )  # fmt: skip
        np.testing.assert_allclose(data[:, :, y, x], values, rtol=1e-5, atol=2e-2)
        np.testing.assert_allclose(found[:, y, x], after, rtol=1e-4)
        assert bool(pixeldq[y, x] & 32) == (most >= 60)
        counted += most >= 60
    assert flagged == counted
    assert 0 < counted < 48


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6), nints=st.integers(1, 3), ngroups=st.integers(1, 5),
    full=st.sampled_from([100.0, 20000.0, np.nan, 0.0]),
)  # fmt: skip
def test_traps_never_hold_more_than_there_are(seed, nints, ngroups, full):
    made = make(seed=seed, nints=nints, ngroups=ngroups, ny=4, nx=5, rates=(1.0, 10000.0))
    made.groupdq[made.hits] |= 4
    model = ramp(made.data, groupdq=made.groupdq)
    model.zeroframe = model.data[:, 0].copy()
    model.zeroframe[:, 2, 2] = 0
    after, status = run(model, references((4, 5), full=full), method="traps")
    assert status.word == "COMPLETE"
    filled = after.afterglow.data
    assert (filled >= 0).all()
    assert (filled <= FAMILIES.holds[:, None, None] * (1 + 1e-6)).all()
    assert (after.zeroframe[:, 2, 2] == 0).all()
    if not full > 0:
        assert not filled.any()


def test_nothing_is_caught_where_the_references_are_bad_nor_in_reference_pixels():
    given = references((4, 6))
    density = given.entries["trapdensity"]
    density.arrays["SCI"][0, 0] = np.nan
    density.arrays["SCI"][0, 1] = -1
    density.dq = np.zeros((4, 6), np.uint32)
    density.dq[0, 2] = 1
    model = ramp(np.arange(1, 6)[None, :, None, None] * np.full((1, 1, 4, 6), 5000.0))
    model.pixeldq[0, 3] = 2**31
    filled = run(model, given, method="traps")[0].afterglow.data
    assert not filled[:, 0, :4].any()
    assert (filled[:, 0, 4:] > 0).all()


@pytest.mark.parametrize("kind", persistence.TYPES)
def test_skipped_without_a_reference(kind):
    model, status = run(saturating(), references((4, 6), **{kind: None}), method="traps")
    assert str(status) == f"SKIPPED: the {kind} reference is N/A"
    assert model.afterglow is None


def test_a_table_without_families():
    for table in (None, Table(np.zeros(2, [("capture0", "f8")])), trappars()):
        tables = {} if table is None else {"TRAPPARS": table}
        if table is not None and "capture2" in table.data.dtype.names:
            table.data["capture2"][0] = np.nan
        with pytest.raises(ReferenceFileError, match="TRAPPARS"):
            families_of(Reference("trappars", "x.fits", tables=tables))


def test_parts_of_a_detector_share_one_state(tmp_path):
    bright = np.arange(1, 6)[None, :, None, None] * np.full((1, 1, 8, 8), 5000.0)
    first, _ = run(ramp(bright), references((8, 8)), method="traps")
    (path,) = write_afterglow(first.afterglow, tmp_path)
    start = first.metadata["EXPEND"] + 0.01
    dark = ramp(np.zeros((1, 5, 2, 3)), start=start, SUBSTRT1=3, SUBSTRT2=4)
    second, _ = run(dark, references((2, 3)), method="traps", input_trapsfilled=str(path))
    after = second.afterglow
    assert after.data.shape == (3, 8, 8)
    assert [after.metadata[f"SUBS{word}"] for word in ("TRT1", "TRT2", "IZE1", "IZE2")] == [
        1, 1, 8, 8,
    ]  # fmt: skip
    gap = 0.01 * 86400 + 6 * TGROUP
    expected = first.afterglow.data[:, 0, 0] * np.exp(-FAMILIES.decay_rate * gap)
    np.testing.assert_allclose(after.data[:, 0, 0], expected, rtol=1e-4)
    np.testing.assert_allclose(after.data[:, 4, 3], expected, rtol=1e-3)
    assert (second.data < 0).all()


def test_what_does_not_fit_is_refused(tmp_path):
    first, _ = run(saturating(), references((4, 6)), method="traps")
    (path,) = write_afterglow(first.afterglow, tmp_path)
    given = {"method": "traps", "input_trapsfilled": str(path)}
    with pytest.raises(InputError, match=r"after the exposure .* starts"):
        run(saturating(), references((4, 6)), **given)
    later = saturating()
    later.metadata["EXPSTART"] += 1
    later.metadata["DETECTOR"] = "NRCBLONG"
    with pytest.raises(InputError, match="DETECTOR is NRCALONG, but the exposure"):
        run(later, references((4, 6)), **given)
    later.metadata["DETECTOR"] = "NRCA5"
    run(later, references((4, 6)), **given)
    single = Table(trappars().data[:1])
    fewer = Reference("trappars", tables={"TRAPPARS": single})
    with pytest.raises(InputError, match="for each of the 1 families"):
        run(later, references((4, 6), trappars=fewer), **given)


def test_segments_of_an_exposure_follow_one_another(tmp_path):
    bright = np.arange(1, 6)[None, :, None, None] * np.full((4, 1, 4, 6), 5000.0)
    whole, _ = run(ramp(bright), references((4, 6)), method="traps")
    days = whole.metadata["EXPEND"] - START
    given, made = {}, []
    for segment in (1, 2):
        part = ramp(bright[:2], EXSEGNUM=segment, EXSEGTOT=2, INTSTART=2 * segment - 1, days=days)
        model, _ = run(part, references((4, 6)), method="traps", **given)
        (path,) = write_afterglow(model.afterglow, tmp_path)
        given = {"input_trapsfilled": str(path)}
        made.append(model.data)
    np.testing.assert_allclose(np.concatenate(made), whole.data, rtol=1e-6)
    np.testing.assert_allclose(model.afterglow.data, whole.afterglow.data, rtol=1e-5)


# truth


def caught_in_light(rate, end, steps=1800):
    """Return DN in traps (nfamilies, ny, nx) of pixels lit at `rate` DN/s for `end` s.

    A pixel fills the traps at the depth that its charge has reached, in small steps of time, and
    when it is full all that are left.
    """
    time, step = (np.arange(steps) + 0.5) * end / steps, end / steps
    crossing = FULL / rate
    filled = np.zeros((3, *rate.shape))
    for now in time:
        since = np.broadcast_to(now, rate.shape)
        rising = now < crossing
        for f in range(3):
            slow, at_once = FAMILIES.slow[f], FAMILIES.at_once[f]
            open_for = 1 - np.exp(-FAMILIES.capture_rate[f] * since)
            grows = 2 * (rate / FULL) ** 2 * since * (slow * open_for + at_once)
            fills = (slow + at_once - filled[f]) * FAMILIES.capture_rate[f]
            filled[f] += np.where(rising, grows, fills) * step
    return filled


def test_the_afterglow_of_a_bright_exposure_is_removed(tmp_path):
    """A bright exposure, a pause, a dark one with the afterglow in it: noise is left."""
    rng = np.random.default_rng(9)
    ny, nx, ngroups = 40, 50, 8
    rate = np.exp(rng.uniform(np.log(20), np.log(3000), (ny, nx)))
    density = rng.uniform(0.5, 1.5, (ny, nx)).astype(np.float32)
    times = TGROUP * np.arange(1, ngroups + 1)
    noise = lambda: rng.normal(0, READ_NOISE / np.sqrt(2), (1, ngroups, ny, nx))  # noqa: E731

    light = np.minimum(rate * times[:, None, None], 0.999 * 65000)[None]
    shot = rng.poisson(np.diff(light, axis=1, prepend=0) * GAIN) / GAIN
    bright = np.cumsum(shot, axis=1) + noise()
    flags = np.where(bright > 60000, 2, 0).astype(np.uint8)
    flags |= 2 * np.logical_or.accumulate(flags > 0, axis=1).astype(np.uint8)
    truth = density * caught_in_light(rate, TGROUP * ngroups)

    pause = 240.0
    _, state = afterglow(truth, FAMILIES, [pause + TGROUP])
    glow, _ = afterglow(state, FAMILIES, times)
    dark = glow[None] + noise()

    given = references((ny, nx), trapdensity={"SCI": density})
    first, _ = run(ramp(bright, groupdq=flags), given, method="traps")
    (path,) = write_afterglow(first.afterglow, tmp_path)
    uncorrected = dark.copy()
    second = ramp(dark, start=first.metadata["EXPEND"] + pause / 86400)
    second, _ = run(second, given, method="traps", input_trapsfilled=str(path))

    lit = glow[-1] > 20
    assert np.count_nonzero(lit) > 300
    difference = lambda data: (data[0, -1] - data[0, 0])[lit]  # noqa: E731
    before, after = difference(uncorrected), difference(second.data)
    expected = READ_NOISE  # of the difference of two reads
    error = expected / np.sqrt(after.size)
    assert before.mean() > 50 * error
    assert abs(after.mean()) < 3 * error
    assert after.std() == pytest.approx(expected, rel=0.1)
    left = (second.data[0] - uncorrected[0] + glow)[-1]
    assert abs(left[lit].mean()) < 0.05
    assert np.abs(left).max() < 0.03 * glow.max()
    assert (second.pixeldq[glow[-1] > 45] & 32).all()
    assert not (second.pixeldq[glow[-1] < 35] & 32).any()


def test_products(tmp_path):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    model = saturating()
    model.metadata["SUBARRAY"] = "SUB160"
    model, _ = run(model, references((4, 6)), method="traps")
    assert isinstance(model.afterglow, TrapsFilled)
    (path,) = write_afterglow(model.afterglow, tmp_path)
    assert path.name == "jw09999001001_02101_00001_nrcalong_trapsfilled.fits"
    with datamodels.open(path, strict_validation=True) as opened:
        assert type(opened).__name__ == "TrapsFilledModel"
        np.testing.assert_array_equal(opened.data, model.afterglow.data)
        assert opened.data.dtype.kind == "f"
    assert write_afterglow(None, tmp_path) == []


def test_state_of_an_exposure_without_keywords():
    model = saturating()
    model.metadata = Metadata({k: v for k, v in model.metadata.items() if k != "EXPSTART"}, "x")
    with pytest.raises(InputError, match="EXPSTART is missing"):
        run(model, persistence_time=10.0)
