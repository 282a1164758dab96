"""Sky positions and the grid of pictures."""

import numpy as np
import pytest
from astropy.wcs import WCS

from calwebb_core.framework.quicklook_grid import label, make_grid, ticks
from calwebb_core.framework.quicklook_sky import Sky


def header(ra=80.5, dec=-69.5, turn=33.0, sip=False):
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    found = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 1024.5, "CRPIX2": 900.0,
        "CRVAL1": ra, "CRVAL2": dec, "CD1_1": -2e-5 * cos, "CD1_2": 2e-5 * sin,
        "CD2_1": 2e-5 * sin, "CD2_2": 2e-5 * cos, "CUNIT1": "deg", "CUNIT2": "deg",
    }  # fmt: skip
    if sip:
        found |= {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 3, "B_ORDER": 3}
        found |= {"A_2_0": 3e-6, "A_1_1": -8e-6, "A_0_3": 2e-10, "B_0_2": -9e-6, "B_2_1": 3e-10}
    return found


@pytest.mark.parametrize("sip", [False, True])
@pytest.mark.parametrize(("ra", "dec"), [(80.5, -69.5), (0.001, 0.0), (200.0, 89.9)])
def test_positions_are_those_of_astropy(sip, ra, dec):
    found = header(ra, dec, sip=sip)
    sky = Sky.of(found)
    x, y = (
        axis.ravel() for axis in np.meshgrid(np.linspace(-50, 2100, 9), np.linspace(0, 2047, 7))
    )
    expected = WCS(found).all_pix2world(x, y, 0)
    positions = sky.sky(x, y)
    apart = (positions[0] - expected[0] + 180) % 360 - 180
    np.testing.assert_allclose(apart * np.cos(np.radians(expected[1])), 0, atol=1e-9)
    np.testing.assert_allclose(positions[1], expected[1], atol=1e-9)
    np.testing.assert_allclose(sky.pixels(*positions), (x, y), atol=1e-3)
    assert sky.scale == pytest.approx(0.072)


def test_north_and_east():
    north, east = Sky.of(header(turn=0.0, dec=40.0)).directions(1000, 1000)
    np.testing.assert_allclose(north, (0, 1), atol=1e-3)
    np.testing.assert_allclose(east, (-1, 0), atol=1e-3)


@pytest.mark.parametrize(
    "change",
    [{"CTYPE1": "WAVE"}, {"CRVAL1": None}, {"CD1_1": 0, "CD1_2": 0, "CD2_1": 0, "CD2_2": 0}],
)
def test_without_a_tangent_plane_there_is_no_sky(change):
    assert Sky.of(header() | change) is None
    assert Sky.of({}) is None


def test_pc_and_cdelt():
    found = {key: value for key, value in header().items() if not key.startswith("CD")}
    found |= {"CDELT1": -2e-5, "CDELT2": 2e-5}
    assert Sky.of(found).scale == pytest.approx(0.072)


@pytest.mark.parametrize(
    ("form", "seconds", "digits", "step", "text"),
    [
        ("hms", 5 * 3600 + 21 * 60 + 56.5, 1, 0.5, "05h21m56.5s"),
        ("hms", -60.0, 0, 60, "23h59m"),
        ("dms", -(69 * 3600 + 30 * 60), 0, 30, "\u221269\u00b030\u203200\u2033"),
        ("dms", 59.96, 1, 0.1, "00\u00b001\u203200.0\u2033"),
    ],
)
def test_labels(form, seconds, digits, step, text):
    assert label(seconds, digits, form, step) == text


def test_ticks_are_round_and_few():
    found = ticks((10.001, 10.02), 3600, 5, "dms")
    assert [text[-3:] for _, text in found] == ["20\u2033", "40\u2033", "00\u2033"]
    assert 2 <= len(found) <= 5


@pytest.mark.parametrize(("turn", "turned"), [(0, False), (33, False), (95, True), (180, False)])
def test_the_grid_follows_the_roll(turn, turned):
    frame = (-0.5, 2047.5, -0.5, 2047.5)
    grid = make_grid(Sky.of(header(turn=turn)), frame, 6, 8)
    assert grid.turned == turned
    below, beside = (grid.meridians, grid.parallels)[:: -1 if turned else 1]
    assert sum(line.crossing(frame, bottom=True) is not None for line in below) >= 2
    assert sum(line.crossing(frame, bottom=False) is not None for line in beside) >= 2


def test_a_line_meets_a_border_where_it_should():
    sky = Sky.of(header(turn=20))
    frame = (-0.5, 2047.5, -0.5, 2047.5)
    for line in make_grid(sky, frame, 6, 8).parallels:
        y = line.crossing(frame, bottom=False)
        if y is not None:
            _, dec = sky.sky(-0.5, y)
            expected = sky.sky(line.x, line.y)[1].mean()
            assert dec == pytest.approx(expected, abs=1e-6)
