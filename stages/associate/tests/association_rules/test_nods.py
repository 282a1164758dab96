"""Which exposures of a nod pattern see the source elsewhere."""

import pytest

from calwebb_associate.nods import apart

from .rows import exposure

SLIT = {"exp_type": "nrs_fixedslit", "fxd_slit": "s400a1", "numdthpt": "3", "subpxpts": "1"}
FIVE = SLIT | {"fxd_slit": "s1600a1", "numdthpt": "5"}
SUBPIXEL = SLIT | {"numdthpt": "6", "subpxpts": "2"}
MSA = {"exp_type": "nrs_msaspec", "numdthpt": "3", "subpxpts": "1"}
IFU = {"exp_type": "nrs_ifu"}


@pytest.mark.parametrize(
    ("base", "here", "there", "expected"),
    [
        (SLIT, "1", "2", True),
        (SLIT, "2", "1", True),
        (SLIT, "1", "1", False),
        (SLIT, "1", "10", True),
        # two sub-pixel steps at each nod: 1 and 2, 3 and 4, 5 and 6
        (SUBPIXEL, "1", "2", False),
        (SUBPIXEL, "2", "3", True),
        (SUBPIXEL, "4", "3", False),
        (SUBPIXEL, "5", "6", False),
        # neighbours of five nods in the square aperture overlap
        (FIVE, "1", "2", False),
        (FIVE, "3", "2", False),
        (FIVE, "1", "3", True),
        (FIVE, "5", "1", True),
        (FIVE | {"numdthpt": "3"}, "1", "2", True),
        (FIVE | {"fxd_slit": "s200a1"}, "1", "2", True),
        (FIVE | {"numdthpt": "10", "subpxpts": "2"}, "1", "3", False),
        (FIVE | {"numdthpt": "10", "subpxpts": "2"}, "1", "5", True),
        # numbers that are missing or none
        (SLIT, "null", "2", False),
        (SLIT, "1", "null", False),
        (SLIT, "1.5", "2", False),
        (SLIT | {"numdthpt": "null"}, "1", "2", False),
        (SLIT | {"subpxpts": "null"}, "1", "2", False),
        (SLIT | {"subpxpts": "0"}, "1", "2", False),
        (MSA, "1", "2", True),
        (MSA, "2", "2", False),
        (MSA | {"numdthpt": "5", "fxd_slit": "s1600a1"}, "1", "2", True),
        (MSA, "null", "2", True),
        (MSA | {"subpxpts": "null"}, "1", "1", True),
        (IFU, "1", "2", True),
        (IFU, "1", "1", False),
        (IFU, "1", "null", True),
        (IFU, "null", "null", True),
    ],
)
def test_by_number(base, here, there, expected):
    one, other = (exposure(**base, patt_num=number) for number in (here, there))
    assert apart(one, other) is expected


@pytest.mark.parametrize("base", [SLIT, MSA, IFU])
def test_another_target_is_never_apart(base):
    one = exposure(**base, patt_num="1")
    assert not apart(one, exposure(**base | {"targetid": "2"}, patt_num="2"))


def test_the_earlier_name_of_the_column_counts():
    base = SLIT | {"subpxpts": "null", "subpxpns": "2", "numdthpt": "4"}
    assert not apart(exposure(**base, patt_num="1"), exposure(**base, patt_num="2"))
    assert apart(exposure(**base, patt_num="1"), exposure(**base, patt_num="3"))
