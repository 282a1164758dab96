from dataclasses import replace

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.science.custom_grid import custom_wcs
from calwebb_core.science.footprint import footprint
from calwebb_core.science.grid_checks import check_growth, check_places, distances
from calwebb_core.science.output_grid import output_wcs
from calwebb_core.science.transforms.elementary import Identity, Remap, Scale, Shift
from calwebb_core.science.world import Box

SHAPE = (80, 96)
NAMES = [f"{letter}.fits" for letter in "abcdefgh"]


def broken(wcs, transform):
    """Return a WCS whose positions are changed by a transform of the sky."""
    return replace(
        wcs, transforms=(*wcs.transforms[:-1], wcs.transforms[-1] | transform), _cache={}
    )


def squares(centres, side=0.04):
    """Return corners of exposures about positions (ra, dec) near the equator."""
    half = side / 2
    offsets = np.array([[-half, -half], [-half, half], [half, half], [half, -half]])
    return [np.mod(np.array(centre) + offsets, 360.0) for centre in centres]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_exposure_far_off_is_named(subarray, place):
    wcses = [subarray(x=601 + 20 * n)[0] for n in range(3)]
    wcses[place] = subarray(RA_REF=95.0)[0]
    with pytest.raises(InputError, match=rf"^{NAMES[place]}: .*this exposure lies 5\.\d+ deg"):
        output_wcs(wcses, [SHAPE] * 3, names=NAMES)


@pytest.mark.parametrize("place", [0, 4, 7])
def test_one_of_many(subarray, place):
    wcses = [subarray(x=401 + 40 * n)[0] for n in range(8)]
    wcses[place] = subarray(DEC_REF=-10.0)[0]
    with pytest.raises(InputError, match=rf"^{NAMES[place]}: .*at most 10 degrees: leave it out"):
        output_wcs(wcses, [SHAPE] * 8, names=NAMES)


def test_of_two_both_are_named(subarray):
    wcses = [subarray()[0], subarray(RA_REF=83.0)[0]]
    with pytest.raises(InputError, match=r"^a\.fits and b\.fits: .*these exposures lie 1\.\d+ deg"):
        output_wcs(wcses, [SHAPE] * 2, names=NAMES)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_position(subarray, place):
    wcses = [subarray()[0]] * 3
    wcses[place] = broken(wcses[0], Shift(np.nan) & Identity(1))
    with pytest.raises(InputError, match=rf"^{NAMES[place]}: its WCS gives no sky position"):
        output_wcs(wcses, [SHAPE] * 3, names=NAMES)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("number", [2, 5])
def test_pixels_without_size(subarray, place, number):
    wcses = [subarray()[0]] * number
    stuck = Scale(0.0) & Scale(0.0) | Shift(80.0) & Shift(-69.5)
    wcses[place] = broken(wcses[0], stuck)
    with pytest.raises(InputError, match=rf"^{NAMES[place]}: its WCS gives pixels of 0 arcsec"):
        output_wcs(wcses, [SHAPE] * number, names=NAMES)


def test_pixels_of_another_size():
    corners = [*squares([(10.0, 0.0), (10.01, 0.0)]), *squares([(10.0, 0.01)], 5.0)]
    with pytest.raises(InputError, match=r"^c\.fits: its WCS gives pixels of"):
        check_places(corners, [(2048, 2048)] * 3, NAMES)


def test_a_survey_of_hundreds_passes():
    # half a degree by half a degree, with gaps
    corners = squares([(0.1 * i, 0.1 * j) for i in range(-8, 8) for j in range(-8, 8)])
    shapes = [(2048, 2048)] * len(corners)
    check_places(corners, shapes, ())
    check_growth((90000, 90000), corners, shapes, (), 64.0)
    with pytest.raises(InputError, match="would be 100000 x 90000 pixels"):
        check_growth((90000, 100000), corners, shapes, (), 64.0)


def test_small_images_far_apart_pass(subarray):
    wcses = [subarray(x=1, y=1)[0], subarray(x=1900, y=1900)[0]]
    assert min(output_wcs(wcses, [SHAPE] * 2).pixel_shape) > 1900


def test_distances_across_ra_zero():
    found = distances(squares([(359.99, 0.0), (0.0, 0.0), (0.01, 0.0), (5.0, 0.0)]))
    assert np.argmax(found) == 3
    assert found[:3].max() < 0.03


def test_custom_grid(subarray):
    wcs, metadata = subarray()
    grid = output_wcs([wcs], [SHAPE], reference=metadata)
    found = custom_wcs({"wcs": grid}, "grid.asdf")
    assert found.pixel_shape == grid.pixel_shape
    assert custom_wcs({"wcs": grid}, "grid.asdf", (50, 60)).pixel_shape == (60, 50)
    bare = replace(grid, pixel_shape=None)
    assert custom_wcs({"wcs": bare}, "grid.asdf").pixel_shape == grid.pixel_shape
    bare = replace(bare, bounding_box=None)
    for shape in ({"array_shape": (40, 70)}, {"pixel_shape": [70, 40]}):
        world = custom_wcs({"wcs": bare, **shape}, "grid.asdf")
        assert world.pixel_shape == (70, 40)
        assert world.bounding_box == Box(((-0.5, 69.5), (-0.5, 39.5)))
    assert np.allclose(
        footprint(custom_wcs({"wcs": grid.gwcs()}, "g"), SHAPE), footprint(grid, SHAPE)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wcs": None}, "^grid.asdf: no 'wcs'"),
        ({"array_shape": None}, "^grid.asdf: neither the WCS nor the tree"),
        ({"array_shape": (1, 5)}, r"^grid.asdf: the output image would have shape \(1, 5\)"),
        ({"wcs": "text"}, "^grid.asdf: the WCS cannot be"),
    ],
)
def test_impossible_custom_grid(subarray, change, message):
    wcs, metadata = subarray()
    grid = output_wcs([wcs], [SHAPE], reference=metadata)
    bare = replace(grid, pixel_shape=None, bounding_box=None)
    with pytest.raises(InputError, match=message):
        custom_wcs({"wcs": bare, "array_shape": (9, 9)} | change, "grid.asdf")


def test_custom_grid_without_way_back(subarray):
    grid = output_wcs([subarray()[0]], [SHAPE])
    lost = replace(grid, transforms=(grid.transforms[0] | Remap((0, 0), 2),), _cache={})
    with pytest.raises(InputError, match="the WCS cannot be"):
        custom_wcs({"wcs": lost}, "grid.asdf")
