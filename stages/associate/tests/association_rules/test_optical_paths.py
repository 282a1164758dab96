"""Settings that put light on a detector, and those that leave it dark."""

import pytest

from calwebb_associate.optical_paths import (
    fixed_slit_lit,
    lamp_lit,
    mask_in_field,
    spectrograph_lit,
)

MEDIUM = [("g140m", "f070lp"), ("g140m", "f100lp"), ("g235m", "f170lp"), ("g395m", "f290lp")]
HIGH = [("g140h", "f100lp"), ("g235h", "f170lp"), ("g395h", "f290lp")]
BLUE = ("g140h", "f070lp")
PRISM = ("prism", "clear")


@pytest.mark.parametrize("path", [*MEDIUM, PRISM, BLUE])
def test_short_spectra_fall_on_the_first_detector(path):
    for lit in (lambda *p: fixed_slit_lit("s200a1", *p), spectrograph_lit):
        assert lit(*path, "nrs1")
        assert not lit(*path, "nrs2")


@pytest.mark.parametrize("path", HIGH)
def test_long_spectra_fall_on_both(path):
    for detector in ("nrs1", "nrs2"):
        assert fixed_slit_lit("s1600a1", *path, detector)
        assert spectrograph_lit(*path, detector)


@pytest.mark.parametrize("path", [*MEDIUM, *HIGH, PRISM, BLUE])
def test_the_b_slit_is_beside_the_second_detector(path):
    assert fixed_slit_lit("s200b1", *path, "nrs2")
    assert fixed_slit_lit("s200b1", *path, "nrs1") is (path[1] == "f070lp")


@pytest.mark.parametrize(
    "path",
    [("g140m", "f290lp"), ("mirror", "clear"), ("prism", "f100lp"), ("", "clear"), ("g235h", "")],
)
def test_other_pairs_are_dark(path):
    assert not fixed_slit_lit("s200a1", *path, "nrs1")
    assert not spectrograph_lit(*path, "nrs1")


def test_nothing_is_lit_without_slit_or_detector():
    assert not fixed_slit_lit("", *PRISM, "nrs1")
    assert not fixed_slit_lit("s200a1", *PRISM, "")
    assert not spectrograph_lit(*PRISM, "")


@pytest.mark.parametrize(
    ("opmode", "grating", "lamp", "detector", "lit"),
    [
        ("msaspec", "g140m", "", "nrs2", True),
        ("msaspec", "", "line1", "nrs1", False),
        ("msaspec", "g140m", "line1", "", False),
        ("fixedslit", "g140h", "ref", "nrs2", True),
        ("fixedslit", "g140h", "line2", "nrs1", False),
        ("fixedslit", "prism", "line4", "nrs1", True),
        ("fixedslit", "mirror", "line4", "nrs1", False),
        ("fixedslit", "prism", "", "nrs1", False),
        ("ifu", "prism", "flat5", "nrs1", True),
        ("ifu", "prism", "flat5", "nrs2", False),
        ("ifu", "g395m", "line3", "nrs2", False),
        ("ifu", "g140h", "flat1", "nrs2", True),
        ("ifu", "g140h", "flat4", "nrs2", False),
        ("ifu", "g140h", "flat4", "nrs1", True),
        ("ifu", "g395h", "anything", "nrs2", True),
        ("ifu", "mirror", "line3", "nrs1", False),
        ("ifu", "g395h", "", "nrs1", False),
        ("image", "prism", "flat5", "nrs1", False),
        ("", "prism", "flat5", "nrs1", False),
    ],
)
def test_lamps(opmode, grating, lamp, detector, lit):
    assert lamp_lit(opmode, grating, lamp, detector) is lit


@pytest.mark.parametrize(
    ("subarray", "mask", "detector", "seen"),
    [
        ("full", "maskrnd", "nrca2", True),
        ("full", "maskrnd", "nrca1", False),
        ("full", "maskrnd", "nrca3", False),
        ("full", "maskrnd", "nrca4", False),
        ("full", "maskbar", "nrca4", True),
        ("full", "maskbar", "nrca2", False),
        ("full", "maskbar", "nrcalong", True),
        ("sub320a335r", "maskrnd", "nrca1", True),
        ("full", "clear", "nrca1", True),
        ("", "maskrnd", "nrca2", False),
        ("full", "", "nrca2", False),
        ("full", "maskrnd", "", False),
    ],
)
def test_masks(subarray, mask, detector, seen):
    assert mask_in_field(subarray, mask, detector) is seen
