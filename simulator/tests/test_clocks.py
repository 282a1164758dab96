import numpy as np
import pytest

from calwebb_simulator.clocks import frame_clocks, frame_time, pixel_clocks
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import instrument_named


# figures of the JWST user documentation
@pytest.mark.parametrize(
    ("instrument", "detector", "subarray", "readpatt", "seconds"),
    [
        ("MIRI", "MIRIMAGE", "FULL", "FASTR1", 2.77504),
        ("MIRI", "MIRIMAGE", "BRIGHTSKY", "FASTR1", 0.86528),
        ("MIRI", "MIRIMAGE", "SUB64", "FASTR1", 0.08512),
        ("NIRISS", "NIS", "FULL", "NISRAPID", 10.73677),
        ("NIRISS", "NIS", "SUB80", "NISRAPID", 0.07544),
        ("NIRSPEC", "NRS1", "FULL", "NRSRAPID", 10.73677),
        ("NIRSPEC", "NRS1", "FULL", "NRSIRS2RAPID", 14.5889),
        ("NIRSPEC", "NRS1", "SUB512", "NRSRAPID", 0.22572),
        ("NIRSPEC", "NRS2", "SUB2048", "NRSRAPID", 0.90156),
        ("FGS", "GUIDER1", "FULL", "FGSRAPID", 10.73677),
    ],
)
def test_frame_times_are_those_of_the_instruments(
    instrument, detector, subarray, readpatt, seconds
):
    known = instrument_named(instrument)
    frame = Frame.of(known, known.detector(detector), subarray)
    assert frame_time(known, frame, known.pattern(readpatt)) == pytest.approx(seconds, abs=1e-9)


def test_miri_reads_four_columns_at_once():
    miri = instrument_named("MIRI")
    frame = Frame.of(miri, miri.detector("MIRIMAGE"), "SUB64")
    clocks = pixel_clocks(frame)
    assert clocks.shape == (64, 72)
    assert np.array_equal(clocks[0, :5], [0, 0, 0, 0, 1])
    assert clocks[1, 0] == 28
    assert clocks.max() < frame_clocks(miri, frame)


# SUBSTRT1, SUBSTRT2, SUBSIZE1, SUBSIZE2, FASTAXIS, SLOWAXIS as in exposures of the observatory
@pytest.mark.parametrize(
    ("instrument", "detector", "subarray", "expected"),
    [
        ("MIRI", "MIRIMAGE", "FULL", (1, 1, 1032, 1024, 1, 2)),
        ("MIRI", "MIRIMAGE", "SUB64", (1, 779, 72, 64, 1, 2)),
        ("MIRI", "MIRIMAGE", "BRIGHTSKY", (457, 51, 512, 512, 1, 2)),
        ("NIRISS", "NIS", "SUB80", (1045, 1, 80, 80, -2, -1)),
        ("NIRSPEC", "NRS1", "SUB512", (1025, 957, 512, 32, 2, 1)),
        ("NIRSPEC", "NRS2", "SUB512", (1025, 957, 512, 32, -2, -1)),
        ("FGS", "GUIDER1", "FULL", (1, 1, 2048, 2048, -2, -1)),
        ("FGS", "GUIDER2", "FULL", (1, 1, 2048, 2048, 2, -1)),
    ],
)
def test_frames_lie_where_the_observatory_puts_them(instrument, detector, subarray, expected):
    known = instrument_named(instrument)
    frame = Frame.of(known, known.detector(detector), subarray)
    found = (frame.x_start, frame.y_start, frame.nx, frame.ny, frame.fast, frame.slow)
    assert found == expected
