"""Which leakage calibrations go with a spectrum."""

import pytest

from calwebb_associate.imprints import choose_imprints

from .rows import Exposure, row

SCIENCE = {"targetid": "1", "bkgdtarg": "f", "dithptin": "1"}


def exposures(*specifications):
    return [
        Exposure(row(number, exp_type="nrs_ifu", **SCIENCE | columns))
        for number, columns in enumerate(specifications)
    ]


OF_BACKGROUND = {"bkgdtarg": "t", "targetid": "2"}
SECOND = {"dithptin": "2"}


@pytest.mark.parametrize(
    ("science", "imprints", "kept"),
    [
        ([{}], [], []),
        ([{}], [{}], [0]),
        # one serves all positions, whichever it was taken at
        ([{}, SECOND], [SECOND], [0]),
        ([SECOND], [{}], [0]),
        # as many as exposures: all serve all
        ([{}, SECOND], [{}, SECOND], [0, 1]),
        # more than exposures: those of the same position
        ([{}], [{}, SECOND], [0]),
        ([SECOND], [{}, SECOND], [1]),
        ([{}], [{}, {}, SECOND], [0, 1]),
        ([{}], [SECOND, {"dithptin": "3"}], [0, 1]),
        ([{}, SECOND], [{}, SECOND, {"dithptin": "3"}], [0, 1]),
        ([{"dithptin": "null"}], [{"dithptin": "null"}, SECOND], [0, 1]),
        # those of the same target first
        ([{}], [{"targetid": "2"}, {"targetid": "1"}], [1]),
        ([{}], [{"targetid": "2"}], [0]),
        ([{}], [{"targetid": "2"}, SECOND | {"targetid": "3"}], [0]),
        # those of the background go along for its exposures, and never crowd out the others
        ([{}], [OF_BACKGROUND, {}], [0, 1]),
        ([{}], [OF_BACKGROUND], [0]),
        ([{}], [OF_BACKGROUND, OF_BACKGROUND | SECOND, {}, SECOND], [0, 1, 2]),
        ([OF_BACKGROUND], [OF_BACKGROUND, OF_BACKGROUND | SECOND, {}], [0, 2]),
        ([OF_BACKGROUND], [{}, SECOND], [0, 1]),
    ],
)
def test_choice(science, imprints, kept):
    given = exposures(*imprints)
    chosen = choose_imprints(exposures(*science), given)
    assert [given.index(one) for one in chosen] == kept


def test_order_does_not_matter():
    science, given = exposures({}), exposures({}, SECOND, {"targetid": "2"}, OF_BACKGROUND)
    there = {one.root for one in choose_imprints(science, given)}
    assert {one.root for one in choose_imprints(science, given[::-1])} == there
