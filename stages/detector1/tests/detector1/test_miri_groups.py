"""firstframe, lastframe, reset and rscd against plain numpy, and made effects taken away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.models import Table
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.rscd_tables import DECAY_COLUMNS, Skip, coefficients
from calwebb_detector1.steps import firstframe, lastframe, reset, rscd

from .ramps import make, ramp_of

NONE = NoParameters()
FLUX_ESTIMATED = 268435456


def miri(made, **changes):
    """Return a made exposure as one of MIRI's imager."""
    place = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "SUBARRAY": "SUB64", "READPATT": "FASTR1"}
    return ramp_of(made, **place | changes)


def saturate(groupdq, rng, share=0.3):
    """Saturate some ramps from a random group on."""
    nints, ngroups, ny, nx = groupdq.shape
    start = rng.integers(0, ngroups, (nints, 1, ny, nx))
    start[rng.random(start.shape) > share] = ngroups
    groupdq |= np.where(np.arange(ngroups)[:, None, None] >= start, 2, 0).astype(np.uint8)


# lastframe, firstframe


def test_lastframe():
    made = make(nints=2, ngroups=5)
    ramp, status = lastframe.run(miri(made), References.of(), NONE)
    assert status.word == "COMPLETE"
    np.testing.assert_array_equal(ramp.groupdq[:, -1], made.groupdq[:, -1] | 1)
    np.testing.assert_array_equal(ramp.groupdq[:, :-1], made.groupdq[:, :-1])


@pytest.mark.parametrize(
    ("module", "changes", "ngroups", "reason"),
    [
        (lastframe, {"INSTRUME": "NIRCAM"}, 5, "only MIRI's last frame is disturbed"),
        (lastframe, {}, 2, "2 groups; at least 3 are needed"),
        (firstframe, {"INSTRUME": "NIRCAM"}, 5, "only MIRI's first frame is off"),
        (firstframe, {}, 3, "3 groups; at least 4 are needed"),
        (rscd, {"INSTRUME": "NIRCAM"}, 5, "only MIRI has this decay"),
        (rscd, {}, 2, "2 groups; at least 3 are needed"),
    ],
)
def test_not_needed(module, changes, ngroups, reason):
    ramp = miri(make(ngroups=ngroups), **changes)
    assert module.STEP.not_needed(ramp.metadata) == reason
    before = ramp.groupdq.copy()
    ramp, status = module.run(ramp, References.of(rscd=None), module.STEP.parameters())
    assert status.reason == reason
    np.testing.assert_array_equal(ramp.groupdq, before)


@pytest.mark.parametrize("keep_bright", [True, False])
def test_firstframe(keep_bright):
    made = make(nints=2, ngroups=5, saturated=0.4, unusable=0.0)
    options = firstframe.FirstframeParameters(bright_use_group1=keep_bright)
    ramp, _ = firstframe.run(miri(made), References.of(), options)
    bright = (made.groupdq[:, 2] & 2 > 0) & keep_bright
    np.testing.assert_array_equal(ramp.groupdq[:, 0] & 1 == 0, bright)
    np.testing.assert_array_equal(ramp.pixeldq & FLUX_ESTIMATED > 0, bright.any(axis=0))
    np.testing.assert_array_equal(ramp.groupdq[:, 1:], made.groupdq[:, 1:])
    assert firstframe.STEP.skip


# reset


def slow_reset(data, planes, first):
    out = data.copy()
    for i in range(len(data)):
        plane = np.nan_to_num(planes[min(i + first - 1, len(planes) - 1)], nan=0.0)
        n = min(data.shape[1], planes.shape[1])
        out[i, :n] -= plane[:n]
    return out


@settings(max_examples=25, deadline=None)
@given(
    nints=st.integers(1, 4), ngroups=st.integers(1, 6), nplanes=st.integers(1, 3),
    nframes=st.integers(1, 8), first=st.integers(1, 5),
)  # fmt: skip
def test_reset_against_numpy(nints, ngroups, nplanes, nframes, first):
    rng = np.random.default_rng(nints * ngroups)
    data = rng.normal(1000, 100, (nints, ngroups, 5, 6)).astype(np.float32)
    planes = rng.normal(0, 50, (nplanes, nframes, 5, 6)).astype(np.float32)
    planes[0, 0, 0, 0] = np.nan
    expected = slow_reset(data, planes, first)
    reset.subtract_reset(data, planes=planes, first=first)
    np.testing.assert_array_equal(data, expected)


def anomaly(nplanes, shape, frames=5):
    """Return reset planes that fade with the group and differ by integration."""
    fading = np.exp(-np.arange(frames) / 1.5)
    size = -60.0 / np.arange(1, nplanes + 1)
    place = np.random.default_rng(2).uniform(0.5, 1.5, shape)
    return (size[:, None, None, None] * fading[:, None, None] * place).astype(np.float32)


@pytest.mark.parametrize("start", [1, 2, 7])
def test_reset_takes_the_anomaly_away(start):
    made = make(nints=3, ngroups=8)
    planes, flags = anomaly(2, made.gain.shape), np.zeros(made.gain.shape, np.uint32)
    flags[3, 4] = 2048
    ramp = miri(made, INTSTART=start, INTEND=start + 2)
    for i in range(3):
        ramp.data[i, :5] += planes[min(i + start - 1, 1)]
    references = References.of(reset={"SCI": planes, "DQ": flags})
    ramp, status = reset.run(ramp, references, NONE)
    assert status.word == "COMPLETE"
    np.testing.assert_allclose(ramp.data, made.data, atol=0.02)
    assert ramp.pixeldq[3, 4] & 2048


def test_reset_without_reference():
    _, status = reset.run(miri(make()), References.of(reset=None), NONE)
    assert str(status) == "SKIPPED: the reset reference is N/A"


def test_reset_of_other_axes():
    references = References.of(reset={"SCI": np.zeros((4, 24, 30), np.float32)})
    with pytest.raises(ReferenceFileError, match=r"shape \(4, 24, 30\); expected \(integrations"):
        reset.run(miri(make()), references, NONE)


def test_integrations_counted_from_zero():
    references = References.of(reset={"SCI": np.zeros((1, 4, 24, 30), np.float32)})
    with pytest.raises(InputError, match="INTSTART is 0; integrations are counted from 1"):
        reset.run(miri(make(), INTSTART=0), references, NONE)


# rscd: flags


def skip_table(rows, names=("subarray", "readpatt", "group_skip1", "group_skip")):
    kinds = ["U17", "U12", "i4", "i4"]
    return Table(np.array(rows, list(zip(names, kinds, strict=False))))


def rscd_reference(**tables):
    return References.of(rscd=Reference("rscd", "rscd.fits", tables=tables))


ROWS = [("FULL", "FASTR1", 4, 4), ("SUB64", "FASTR1", 2, 4), ("SLITLESSPRISM", "FASTR1", 3, 5)]


def slow_skip(saturated, wanted):
    """Return how many groups of one ramp to skip."""
    if saturated[0] or wanted + 1 >= len(saturated) or not saturated[wanted + 1]:
        return wanted
    first = int(np.argmax(saturated))
    return max(0, first - 2)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000), nints=st.integers(1, 3), ngroups=st.integers(3, 12),
    first=st.sampled_from([1, 2, 9]), skip=st.tuples(st.integers(0, 6), st.integers(0, 6)),
)  # fmt: skip
def test_rscd_flags_against_numpy(seed, nints, ngroups, first, skip):
    groupdq = np.zeros((nints, ngroups, 6, 7), np.uint8)
    saturate(groupdq, np.random.default_rng(seed), 0.6)
    wanted = rscd.limited(Skip(*skip), ngroups)
    assert all(number <= max(1, ngroups - 3) for number in wanted)
    expected, lowered = groupdq.copy(), np.zeros((2, 6, 7), bool)
    for i, y, x in np.ndindex(nints, 6, 7):
        part = 0 if i + first == 1 else 1
        number = slow_skip(groupdq[i, :, y, x] & 2 > 0, wanted[part])
        expected[i, :number, y, x] |= 1
        lowered[part, y, x] |= number < wanted[part]
    pixeldq = np.zeros((6, 7), np.uint32)
    kept = rscd.flag_groups(groupdq, pixeldq, skip=wanted, first=first)
    np.testing.assert_array_equal(groupdq, expected)
    np.testing.assert_array_equal(pixeldq > 0, lowered.any(axis=0))
    np.testing.assert_array_equal(kept.lowered, lowered)


def test_rscd_keeps_two_groups_of_a_bright_ramp():
    groupdq, pixeldq = np.zeros((1, 10, 1, 4), np.uint8), np.zeros((1, 4), np.uint32)
    for x, start in enumerate((0, 1, 3, 8)):
        groupdq[0, start:, 0, x] = 2
    kept = rscd.flag_groups(groupdq, pixeldq, skip=Skip(4, 4))
    np.testing.assert_array_equal((groupdq[0, :, 0] & 1).sum(axis=0), [4, 0, 1, 4])
    np.testing.assert_array_equal(pixeldq[0] > 0, [False, True, True, False])
    np.testing.assert_array_equal(kept.lowered[:, 0], [[False, True, True, False], [False] * 4])
    np.testing.assert_array_equal(kept.first[:, 0], [[False, True, False, False], [False] * 4])


def test_rscd_records_what_it_skipped():
    made = make(nints=3, ngroups=10, saturated=0.3)
    references = rscd_reference(RSCD_GROUP_SKIP=skip_table(ROWS))
    ramp, status = rscd.run(miri(made), references, rscd.RscdParameters())
    assert status.word == "COMPLETE"
    found = ramp.metadata
    assert (found["INT1SKIP"], found["INT2SKIP"]) == (2, 4)
    assert found["INT2BORS"] >= found["INT1BORS"] > 0
    assert found["INT2UGP1"] > 0 <= found["INT1UGP1"]
    usual = np.count_nonzero(ramp.groupdq[0] & 1, axis=0) == 2
    assert np.count_nonzero(usual) > 0.5 * usual.size


@pytest.mark.parametrize(("start", "nints", "present"), [(1, 1, "1"), (1, 2, "12"), (8, 2, "2")])
def test_rscd_keywords_by_integration(start, nints, present):
    ramp = miri(make(nints=nints, ngroups=9), INTSTART=start, SUBARRAY="SUBPRISM")
    references = rscd_reference(RSCD_GROUP_SKIP=skip_table(ROWS))
    ramp, _ = rscd.run(ramp, references, rscd.RscdParameters())
    assert [part for part in "12" if f"INT{part}SKIP" in ramp.metadata] == list(present)


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([("SUB64", "FASTR1", -1, 4)], ("subarray", "readpatt", "group_skip1", "group_skip")),
        ([("SUB64", "FASTR1", 4)], ("subarray", "readpatt", "group_skip")),
    ],
)
def test_rscd_of_old_files_skips_one(rows, names):
    table = skip_table(rows, names)
    ramp, _ = rscd.run(
        miri(make(ngroups=9)), rscd_reference(RSCD_GROUP_SKIP=table), rscd.RscdParameters()
    )
    assert ramp.metadata["INT1SKIP"] == 1


@pytest.mark.parametrize(
    ("references", "reason"),
    [
        (References.of(rscd=None), "the rscd reference is N/A"),
        (
            rscd_reference(RSCD_GROUP_SKIP=skip_table([("FULL", "FASTR1", 4, 4)])),
            "the rscd reference does not list this SUBARRAY and READPATT",
        ),
    ],
)
def test_rscd_skipped(references, reason):
    _, status = rscd.run(miri(make()), references, rscd.RscdParameters())
    assert str(status) == f"SKIPPED: {reason}"


@pytest.mark.parametrize(
    ("tables", "text"),
    [
        ({}, "rscd.fits .rscd reference. has no table RSCD_GROUP_SKIP; its extensions are none"),
        (
            {"RSCD_GROUP_SKIP": skip_table([("FULL", "FASTR1")], ("subarray", "readpatt"))},
            "table RSCD_GROUP_SKIP has no column GROUP_SKIP",
        ),
    ],
)
def test_rscd_of_broken_tables(tables, text):
    with pytest.raises(ReferenceFileError, match=text):
        rscd.run(miri(make()), rscd_reference(**tables), rscd.RscdParameters())


# rscd: decay

EVEN = (1.4, 0.012, 0.9, 1.0, 0.01, 1e-4, 9000.0, 50.0, 2e-6, 1e-7, 1e-9, 0.5, 1e-7, 0.9)
ODD = (1.2, 0.015, 0.8, 1.1, 0.02, 2e-4, 8000.0, 40.0, 3e-6, 2e-7, 2e-9, 0.6, 0.0, 0.8)


def decay(even=EVEN, odd=ODD, names=DECAY_COLUMNS):
    rows = [("SUB64", "FASTR1", "EVEN", *even), ("SUB64", "FASTR1", "ODD", *odd)]
    kinds = [("SUBARRAY", "U17"), ("READPATT", "U12"), ("ROWS", "U5")]
    return Table(np.array(rows, [*kinds, *((name, "f8") for name in names)]))


def slow_decay(data, groupdq, first_row):
    """Return what the documents' equations add to integrations 2 and later."""
    nints, ngroups, ny, nx = data.shape
    added, n = np.zeros(data.shape), ngroups
    for i, y, x in np.ndindex(nints, ny, nx):
        if i == 0:
            continue
        values = ODD if (first_row + y) % 2 else EVEN
        p = dict(zip(DECAY_COLUMNS, values, strict=True))
        ramp = data[i - 1, :, y, x].astype(float)
        full = groupdq[i - 1, :, y, x] & 2 > 0
        last = ramp[-2] + (ramp[-2] - ramp[-3])
        if full[1:-1].any():
            good = [g for g in range(1, n - 1) if not full[g]]
            reached = last
            if len(good) > 2:
                line = np.polyfit(good, ramp[good], 1)
                reached = np.polyval(line, n - 1)
            slope = p["SAT_ZP"] + p["SAT_SLOPE"] * n + p["SAT_2"] * n * n + p["SAT_ROWTERM"]
            scale = slope * p["SAT_SCALE"] * reached + p["SAT_MZP"]
        else:
            counts = last - p["CROSSOPT"]
            b1 = p["ASCALE"] * (p["ILLUM_ZP"] + p["ILLUM_SLOPE"] * n + p["ILLUM2"] * n * n)
            scale = 0.0
            if counts > 0:
                scale = b1 * counts ** p["POW"] / (np.exp(counts / p["PARAM3"]) - 1)
        times = np.arange(1, ngroups + 1)
        added[i, :, y, x] = last * scale / 100 * np.exp(-times / p["TAU"])
    return added


@pytest.mark.parametrize("first_row", [1, 2, 779])
def test_decay_against_numpy(first_row):
    made = make(seed=3, nints=3, ngroups=9, ny=6, nx=7, saturated=0.4)
    ramp = miri(made, SUBSTRT2=first_row)
    ramp.pixeldq[0, 0] = 2147483648
    options = rscd.RscdParameters(flag_groups=False, correct_decay=True)
    ramp, _ = rscd.run(ramp, rscd_reference(RSCD=decay()), options)
    added = slow_decay(made.data, made.groupdq, first_row)
    assert added.max() > 5
    added[..., 0, 0] = 0
    np.testing.assert_allclose(ramp.data, made.data + added, rtol=1e-6, atol=0.01)
    np.testing.assert_array_equal(ramp.groupdq, made.groupdq)


def test_decay_is_taken_away():
    """Noise-free ramps that a decay has bent become straight."""
    rate = np.linspace(50, 900, 40, dtype=np.float32).reshape(4, 10)
    straight = rate * np.arange(1, 13, dtype=np.float32)[:, None, None] * np.ones((2, 1, 1, 1))
    data, groupdq = straight.astype(np.float32), np.zeros((2, 12, 4, 10), np.uint8)
    data[1] -= slow_decay(data, groupdq, 1)[1].astype(np.float32)
    assert np.abs(data - straight).max() > 5
    table = np.stack(
        [coefficients(dict(zip(DECAY_COLUMNS, row, strict=True)), 12) for row in (EVEN, ODD)], 1
    )
    rscd.correct_decay(data, groupdq, np.zeros((4, 10), np.uint32), table=table)
    np.testing.assert_allclose(data, straight, atol=0.01)


def test_decay_column_of_the_documents():
    names = tuple("SAT2" if name == "SAT_2" else name for name in DECAY_COLUMNS)
    options = rscd.RscdParameters(flag_groups=False, correct_decay=True)
    found = [
        rscd.run(miri(make(nints=2)), rscd_reference(RSCD=table), options)[0].data
        for table in (decay(), decay(names=names))
    ]
    np.testing.assert_array_equal(*found)


def test_decay_of_a_later_segment(caplog):
    options = rscd.RscdParameters(flag_groups=False, correct_decay=True)
    made = make(nints=2)
    ramp, _ = rscd.run(miri(made, INTSTART=5), rscd_reference(RSCD=decay()), options)
    assert "decay in integration 5 is not corrected" in caplog.text
    np.testing.assert_array_equal(ramp.data[0], made.data[0])
    assert np.abs(ramp.data[1] - made.data[1]).max() > 1


def test_decay_without_table():
    options = rscd.RscdParameters(correct_decay=True)
    tables = {"RSCD_GROUP_SKIP": skip_table(ROWS)}
    with pytest.raises(ReferenceFileError, match="has no table RSCD; its extensions are RSCD_GRO"):
        rscd.run(miri(make(nints=2)), rscd_reference(**tables), options)


def test_decay_of_an_unlisted_subarray():
    options = rscd.RscdParameters(flag_groups=False, correct_decay=True)
    ramp = miri(make(nints=2), SUBARRAY="BRIGHTSKY")
    _, status = rscd.run(ramp, rscd_reference(RSCD=decay()), options)
    assert status.word == "SKIPPED"
