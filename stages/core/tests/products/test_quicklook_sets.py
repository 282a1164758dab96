"""Colour images and footprints."""

import numpy as np
import pytest
from click.testing import CliRunner

from calwebb_core.framework.command_quicklook import main
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Table
from calwebb_core.framework.products import write_image
from calwebb_core.framework.quicklook_colour import (
    Grid,
    Layer,
    balanced,
    combined,
    interpolated,
    on_grid,
    write_colour,
)
from calwebb_core.framework.quicklook_footprint import (
    corners,
    read_outlines,
    short,
    write_footprint,
)

from .samples import sample_mosaic
from .test_quicklook import size_of

STAR = (214.9, 52.9)


def mosaic(path, filter_, shape=(60, 80), scale=1.7e-5, turn=0.0, pupil="CLEAR", regions=2, **more):
    """Write a mosaic with one star at `STAR`."""
    image = sample_mosaic()
    y, x = np.indices(shape, float)
    middle = (shape[1] / 2 + 3, shape[0] / 2 - 2)
    light = 40 * np.exp(
        -((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * (3.4e-5 / scale) ** 2)
    )
    noise = np.random.default_rng(1).normal(5, 0.2, shape)
    image.data = (light + noise).astype(np.float32)
    image.err = image.var_poisson = image.var_rnoise = image.var_flat = image.dq = None
    image.weight, image.context = np.ones(shape, np.float32), None
    cos, sin = scale * np.cos(np.radians(turn)), scale * np.sin(np.radians(turn))
    image.metadata.update(
        {
            "WCSAXES": 2, "CRPIX1": middle[0] + 1, "CRPIX2": middle[1] + 1, "CRVAL1": STAR[0],
            "CRVAL2": STAR[1], "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg",
            "CUNIT2": "deg", "CD1_1": -cos, "CD1_2": sin, "CD2_1": sin, "CD2_2": cos,
            "RADESYS": "ICRS", "FILTER": filter_, "PUPIL": pupil, "TARGPROP": "STAR",
            "INSTRUME": "NIRCAM", **more,
        }
    )  # fmt: skip
    text = "POLYGON ICRS  {:.6f} 52.8995 {:.6f} 52.8995 214.901 52.9005 214.899 52.9005"
    rows = [
        (f"jw01345001001_02101_0000{n}_nrca1_cal.fits", "NRCA1",
         text.format(214.899 + n * 1e-4, 214.901 + n * 1e-4))
        for n in range(1, regions + 1)
    ]  # fmt: skip
    dtype = [("FILENAME", "S50"), ("DETECTOR", "S8"), ("S_REGION", "S120")]
    image.tables = {"HDRTAB": Table(np.array(rows, dtype), {}, {})}
    write_image(image, path)
    return path


def test_three_mosaics_of_other_grids_make_a_colour_image(tmp_path):
    paths = [
        mosaic(tmp_path / "r_i2d.fits", "F444W", (40, 40), 3.4e-5, turn=20, pupil="F470N"),
        mosaic(tmp_path / "b_i2d.fits", "F115W"),
        mosaic(tmp_path / "g_i2d.fits", "F200W", (70, 70)),
    ]
    write_colour(paths, tmp_path / "a.png")
    write_colour(paths[::-1], tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert min(size_of(tmp_path / "a.png")) > 600
    words = [*map(str, paths), "--colour", "-o", str(tmp_path / "c.png")]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "c.png").read_bytes()


def test_mosaics_on_other_grids_keep_their_star_in_place(tmp_path):
    wide = Layer.open(mosaic(tmp_path / "r_i2d.fits", "F444W", (60, 60), 3.4e-5))
    fine = Layer.open(mosaic(tmp_path / "b_i2d.fits", "F115W", turn=30))
    grid = Grid.of([wide, fine])
    assert grid.step == pytest.approx(0.5)
    assert fine.filter == (1.15, "F115W")
    for layer in (wide, fine):
        image = on_grid(layer, grid)
        assert image.shape == grid.shape
        y, x = np.unravel_index(np.nanargmax(image), image.shape)
        assert grid.frame[0] + grid.step * (x + 0.5) == pytest.approx(33, abs=0.6)
        assert grid.frame[2] + grid.step * (y + 0.5) == pytest.approx(28, abs=0.6)


def test_mosaics_that_do_not_overlap_are_drawn_and_said(tmp_path):
    paths = [mosaic(tmp_path / f"{name}_i2d.fits", name) for name in ("F115W", "F200W")]
    paths.append(mosaic(tmp_path / "z_i2d.fits", "F444W", CRVAL2=53.0))
    assert Grid.of([Layer.open(path) for path in paths]).note == "the mosaics do not overlap"
    write_colour(paths, tmp_path / "a.png")
    assert min(size_of(tmp_path / "a.png")) > 400


def test_interpolation():
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    x, y = np.array([0.5, 3.0, -0.1, 1.25]), np.array([0.0, 2.0, 1.0, 1.5])
    np.testing.assert_allclose(interpolated(image, x, y), [0.5, 11.0, np.nan, 7.25])


def test_sources_are_white_in_the_median_and_keep_their_colour_when_bright():
    rng = np.random.default_rng(2)
    base = rng.normal(0, 0.1, (80, 80))
    base[10:30, 10:30] += 20
    planes = [(base * level).astype(np.float32) for level in (1.0, 3.0, 0.2)]
    picture = combined(balanced(planes))
    np.testing.assert_allclose(picture[20, 20], picture[20, 20, 0], atol=8)
    assert picture[60:, 60:].max() < 80
    planes[0][12, 12] *= 100
    red = combined(balanced(planes))[12, 12]
    assert red[0] >= 248
    assert red[1] < 100


def test_where_a_filter_is_missing_there_is_no_colour():
    planes = [np.ones((5, 5), np.float32) for _ in range(3)]
    planes[1][2, 2] = np.nan
    assert tuple(combined(planes)[2, 2]) == (0x7A, 0x8A, 0x99)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"FILTER": "F115W"}, "2 filters; a colour image needs 3"),
        ({"TARGPROP": "OTHER"}, "TARGPROP is 'OTHER' but 'STAR'"),
        ({"INSTRUME": "NIRISS"}, "INSTRUME is 'NIRISS' but 'NIRCAM'"),
        ({"FILTER": "CLEAR"}, r"neither FILTER nor PUPIL \(CLEAR, CLEAR\) names a wavelength"),
        ({"CTYPE1": "WAVE"}, "has no image with sky coordinates"),
    ],
)
def test_what_makes_no_colour_image_is_refused(tmp_path, changes, message):
    paths = [mosaic(tmp_path / f"{name}_i2d.fits", name) for name in ("F115W", "F200W")]
    more = dict(changes)
    paths.append(mosaic(tmp_path / "z_i2d.fits", more.pop("FILTER", "F444W"), **more))
    with pytest.raises(InputError, match=message):
        write_colour(paths, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_a_footprint(tmp_path):
    path = mosaic(tmp_path / "x_i2d.fits", "F115W")
    outlines = read_outlines(path)
    assert [outline.name[-11:] for outline in outlines] == ["00001_nrca1", "00002_nrca1"]
    np.testing.assert_allclose(outlines[1].corners[0], (214.8992, 52.8995))
    write_footprint(path, tmp_path / "a.png")
    words = [str(path), "--footprint", "-o", str(tmp_path / "b.png")]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert min(size_of(tmp_path / "a.png")) > 400


def test_many_exposures_have_a_short_legend(tmp_path):
    write_footprint(mosaic(tmp_path / "x_i2d.fits", "F115W", regions=30), tmp_path / "a.png")
    assert min(size_of(tmp_path / "a.png")) > 300


def test_names_are_shortened_to_what_differs():
    names = ["jw1_02101_00001_nrca1", "jw1_02101_00002_nrca1"]
    assert [short(name, names) for name in names] == ["00001", "00002"]
    assert short(names[0], names[:1]) == names[0]
    assert corners("POLYGON ICRS 1 2 -3.5 +4").tolist() == [[1, 2], [-3.5, 4]]


def test_what_has_no_footprint_is_refused(tmp_path):
    image = sample_mosaic()
    image.tables = {}
    write_image(image, tmp_path / "x_i2d.fits")
    with pytest.raises(InputError, match="no sky coordinates or no table HDRTAB"):
        write_footprint(tmp_path / "x_i2d.fits", tmp_path / "a.png")
    path = mosaic(tmp_path / "y_i2d.fits", "F115W", regions=0)
    with pytest.raises(InputError, match="HDRTAB has no S_REGION of any exposure"):
        write_footprint(path, tmp_path / "a.png")


def test_several_products_without_colour_are_refused(tmp_path):
    result = CliRunner().invoke(main, ["a.fits", "b.fits", "-o", str(tmp_path / "a.png")])
    assert result.exit_code == 2
    assert "2 products; expected one, or mosaics with --colour" in result.output
