"""A series of which a segment is missing is named, in whatever order its files come."""

import itertools

from calwebb_associate.headers import read_primary
from calwebb_associate.segments import incomplete, missing_segments

ROOT = "jw01345001001_04101_00001-seg{:03d}_nrcalong"


def headers(total, *numbers):
    return {ROOT.format(number): {"EXSEGTOT": total, "EXSEGNUM": number} for number in numbers}


def test_nothing_is_said_of_whole_series_and_of_exposures_without_segments():
    assert missing_segments(headers(3, 1, 2, 3)) == []
    assert missing_segments({"jw01345001001_04101_00001_nrcalong": {"EXSEGTOT": 1}}) == []
    assert missing_segments({ROOT.format(1): {}}) == []
    assert missing_segments({}) == []


def test_the_missing_file_is_named_in_any_order():
    for order in itertools.permutations((1, 4, 3)):
        assert missing_segments(headers(5, *order)) == [
            "jw01345001001_04101_00001_nrcalong: 2 of its 5 segments missing among the raw "
            "exposures: jw01345001001_04101_00001-seg002_nrcalong_uncal.fits, "
            "jw01345001001_04101_00001-seg005_nrcalong_uncal.fits"
        ]


def test_a_header_may_claim_any_number_of_segments():
    (sentence,) = missing_segments(headers(2_000_000_000, 1, 3))
    assert "1999999998 of its 2000000000 segments missing" in sentence
    assert sentence.endswith("-seg012_nrcalong_uncal.fits and 1999999988 more")


def test_exposures_of_a_series_that_is_not_whole_are_known():
    name = ROOT.replace("-seg{:03d}", "")
    why = f"{name}, of which segments are missing"
    assert incomplete(headers(3, 1, 3)) == {ROOT.format(1): why, ROOT.format(3): why}
    assert incomplete(headers(2, 1, 2)) == incomplete({}) == {}


def test_detectors_are_apart():
    other = {root.replace("nrcalong", "nrca1"): item for root, item in headers(2, 1).items()}
    found = missing_segments(headers(2, 1, 2) | other)
    assert [sentence.split(":")[0] for sentence in found] == ["jw01345001001_04101_00001_nrca1"]


def test_the_number_of_segments_is_read(put):
    assert read_primary(put(EXSEGTOT=4))["EXSEGTOT"] == 4
