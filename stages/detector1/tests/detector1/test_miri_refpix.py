"""Reference pixels of MIRI: made drifts taken away; plain numpy; the official package."""

import numpy as np
import pytest

from calwebb_core.framework.models import Ramp
from calwebb_core.framework.references import References
from calwebb_detector1 import miri_refpix
from calwebb_detector1.miri_refpix import FULL_FRAME, levels_of, miri_step, subtract_levels
from calwebb_detector1.steps import refpix

from .peer_process import started
from .ramps import TGROUP, keywords

STEP = miri_step(refpix.STEP)
REFERENCE_PIXEL = 2147483648


SMALL = (212, 64)


@pytest.fixture
def small(monkeypatch):
    """Take a small array for the whole detector."""
    monkeypatch.setattr(miri_refpix, "FULL_FRAME", SMALL)


def exposure(nints=1, ngroups=3, size=SMALL, **changes):
    """Make a full frame whose outputs drift, odd and even rows apart; return it and the drift."""
    rng = np.random.default_rng(8)
    shape = (nints, ngroups, *size)
    drift = rng.normal(0, 30, (nints, ngroups, 2, 4))
    drift -= drift[:, :1]
    data = np.full(shape, 9000, np.float32)
    data += 10 * np.arange(ngroups, dtype=np.float32)[:, None, None]
    data[..., :4] = data[..., -4:] = 8000
    data += rng.normal(0, 3, shape).astype(np.float32)
    clean = data.copy()
    for parity, output in np.ndindex(2, 4):
        data[:, :, parity::2, output::4] += drift[:, :, parity, output, None, None]
    pixeldq = np.zeros(size, np.uint32)
    pixeldq[:, :4] = pixeldq[:, -4:] = REFERENCE_PIXEL
    pixeldq[100:200, :4] |= 1
    data[:, 1:, 100:200, :4] += 5000
    place = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "SUBARRAY": "FULL", "READPATT": "FASTR1"}
    ramp = Ramp(keywords(shape, **place | changes), data, pixeldq, np.zeros(shape, np.uint8))
    return ramp, clean


def correct(ramp, **options):
    return STEP.run(ramp, References.of(), refpix.RefpixParameters(**options))


@pytest.mark.usefixtures("small")
def test_drifts_are_taken_away():
    ramp, clean = exposure(2, 3)
    before = ramp.data.copy()
    ramp, status = correct(ramp)
    assert status.word == "COMPLETE"
    np.testing.assert_array_equal(ramp.data[:, 0], before[:, 0])
    left = (ramp.data - clean)[..., 200:, 4:-4]
    assert np.abs(left).max() < 2
    assert np.abs(before - clean).max() > 30


def test_levels_against_numpy():
    rng = np.random.default_rng(2)
    sides = rng.normal(5, 1, (64, 2, 4)).astype(np.float32)
    sides[7, 0, 1] = 1000
    good = rng.random(sides.shape) < 0.8
    good[:, 1, 3] = False
    good[:, :, 2] = False
    for apart in (True, False):
        found = levels_of(sides, good, refpix.RefpixParameters(odd_even_rows=apart))
        for parity, output in np.ndindex(2, 4):
            rows = slice(parity, None, 2) if apart else slice(None)
            means = []
            for side in range(2):
                values = sides[rows, side, output][good[rows, side, output]].astype(float)
                size = -1
                while values.size not in (0, size):
                    size = values.size
                    far = np.abs(values - values.mean()) > 3 * values.std()
                    values = values[~far]
                means += [values.mean()] if values.size else []
            wanted = np.mean(means) if means else np.nan
            assert found[parity, output] == pytest.approx(wanted, rel=1e-6, nan_ok=True)


def test_rows_of_a_block():
    """A block that begins at an odd row gets the same as these rows of the whole."""
    levels = np.random.default_rng(3).normal(0, 9, (2, 2, 2, 4))
    whole = np.zeros((2, 2, 9, 12), np.float32)
    part = np.ascontiguousarray(whole[:, :, 3:8])
    subtract_levels(whole, levels)
    subtract_levels(part, levels, 3)
    np.testing.assert_array_equal(part, whole[:, :, 3:8])


@pytest.mark.usefixtures("small")
def test_without_good_reference_pixels(caplog):
    ramp, _ = exposure(1, 2)
    ramp.pixeldq[:, :4] |= 1
    ramp.pixeldq[:, -4:] |= 131072
    _, status = correct(ramp)
    assert "all 1696 reference pixels are flagged" in str(status)
    assert "drifts are not removed" in caplog.text


@pytest.mark.usefixtures("small")
def test_an_output_without_reference_pixels(caplog):
    ramp, clean = exposure(1, 2)
    ramp.pixeldq[:, [2, -2]] |= 1
    ramp, _ = correct(ramp)
    assert "in 1 groups an output has no good reference pixels" in caplog.text
    assert np.abs((ramp.data - clean)[0, 1, 200:, 5:-4:4]).max() < 2
    assert np.abs((ramp.data - clean)[0, 1, 200:, 6:-4:4]).max() > 1


def test_subarray():
    ramp, _ = exposure(1, 2)
    _, status = correct(ramp)
    assert str(status) == "SKIPPED: MIRI's reference pixels are used in full frames only"


def test_off_unless_asked_for():
    assert STEP.skip
    assert STEP.prepare is None


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("apart", [True, False])
def test_official(tmp_path, apart):
    ramp, _ = exposure(1, 3, FULL_FRAME)
    with started("peer_miri.py", tmp_path) as peer:
        theirs = peer(
            "refpix", data=ramp.data, groupdq=ramp.groupdq, pixeldq=ramp.pixeldq, nframes=1,
            groupgap=0, tgroup=TGROUP, tframe=TGROUP, option_odd_even_rows=apart,
            subarray="FULL", noutputs=4,
        )["data"]  # fmt: skip
    ramp, _ = correct(ramp, odd_even_rows=apart)
    assert np.abs(ramp.data - theirs).max() < 4e-3
