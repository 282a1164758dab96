"""The direct image that a slitless spectrum takes its sources from."""

import pytest

from calwebb_associate.direct_images import nearest

from .rows import Exposure, exposure, row


def directs(*numbers, detector="nis"):
    return [
        Exposure(row(place, exp_type="nis_image", expspcin=number, detector=detector))
        for place, number in enumerate(numbers, start=1)
    ]


@pytest.mark.parametrize(
    ("spectrum", "images", "chosen"),
    [
        ("2", ["3"], 0),
        ("2", ["1", "3"], 1),
        ("2", ["1", "3", "5"], 1),
        ("4", ["1", "3", "5"], 2),
        ("2", ["5", "3"], 1),
        # in numbers, not in letters
        ("2", ["10", "9"], 1),
        ("9", ["10", "11"], 0),
        # none follows: the last before it
        ("6", ["1", "3", "5"], 2),
        ("6", ["1", "5", "5"], 1),
        ("2", ["1"], 0),
        ("2", ["2"], 0),
        # without numbers the first by name
        ("null", ["null", "null"], 0),
        ("null", ["null", "1"], 1),
        ("x", ["y"], 0),
    ],
)
def test_next_after_the_spectrum(spectrum, images, chosen):
    given = directs(*images)
    science = exposure(exp_type="nis_wfss", expspcin=spectrum)
    assert nearest(science, given, parallel=False) is given[chosen]
    assert nearest(science, given[::-1], parallel=False) is given[chosen]


def test_dithers_of_one_specification_come_by_name():
    given = directs("3", "3", "3")
    science = exposure(exp_type="nis_wfss", expspcin="2")
    assert nearest(science, given[::-1], parallel=False) is given[0]


def test_in_parallel_the_long_wave_detector_sees_the_spectra():
    short, long = (
        Exposure(row(1, exp_type="nrc_image", expspcin=number, detector=detector))
        for number, detector in (("1", "nrca1"), ("2", "nrcblong"))
    )
    science = exposure(exp_type="nrc_wfss", expspcin="3")
    assert nearest(science, [short, long], parallel=True) is long
    assert nearest(science, [short], parallel=True) is short
    niriss = directs("4", "2")
    assert nearest(science, niriss, parallel=True) is niriss[1]
