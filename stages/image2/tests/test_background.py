"""Background members of an association, from the file to the product."""

import json
from functools import partial

import numpy as np
import pytest

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.products import read_image, write_image
from calwebb_core.framework.target_images import ImageFile
from calwebb_image2 import PIPELINE
from calwebb_image2.inputs import read_metadata
from calwebb_image2.steps import bkg_subtract
from calwebb_image2.target import number_of_backgrounds

# one value of seven can be at most 2.27 standard deviations from the others
CLIP = {"sigma": 2.0}
TARGET = "jw09999001001_02101_00001_nrcalong"


@pytest.fixture
def background_file(tmp_path, make_rate):
    """A function that writes a background exposure of a constant level with a star in it."""
    return partial(write_background, tmp_path, make_rate)


@pytest.fixture
def science_file(tmp_path, make_rate):
    """A function that writes a target of level 5."""
    return partial(write_science, tmp_path, make_rate)


def write_background(folder, make_rate, number, level, nints=None, **keywords):
    image = make_rate(nints)
    rng = np.random.default_rng(number)
    image.data[...] = rng.normal(level, 0.01, image.data.shape)
    image.data[..., 10 * number % 70, 20] += 50
    image.dq[...] = 0
    image.metadata.update(keywords)
    suffix = "rate" if nints is None else "rateints"
    path = folder / f"jw09999002001_02101_{number:05d}_nrcalong_{suffix}.fits"
    write_image(image, path)
    return path


def association(folder, science, backgrounds):
    members = [{"expname": science.name, "exptype": "science"}]
    members += [{"expname": path.name, "exptype": "background"} for path in backgrounds]
    content = {"asn_type": "image2", "products": [{"name": TARGET, "members": members}]}
    path = folder / "image2_asn.json"
    path.write_text(json.dumps(content))
    return path


def write_science(folder, make_rate, nints=None):
    image = make_rate(nints)
    image.dq[...] = 0
    image.data[...] = 5.0
    path = folder / f"{TARGET}_{'rate' if nints is None else 'rateints'}.fits"
    write_image(image, path)
    return path


@pytest.fixture
def with_backgrounds(tmp_path, background_file, science_file):
    """An association whose target has a level of 5 and its backgrounds one of 2."""
    files = [background_file(number, 2.0) for number in range(1, 8)]
    return association(tmp_path, science_file(), files)


def calibrate(path, reference_files, folder, **options):
    return call_pipeline(
        PIPELINE, path, overrides=reference_files, output_dir=folder, **options
    ).outputs


def test_background_is_subtracted(with_backgrounds, reference_files, tmp_path):
    outputs = calibrate(
        with_backgrounds,
        reference_files,
        tmp_path / "out",
        save=("bkg_subtract",),
        parameters={"bkg_subtract": CLIP},
    )
    assert [path.name.rsplit("_", 1)[1] for path in outputs] == [
        "bsub.fits",
        "cal.fits",
        "i2d.fits",
    ]
    image = read_image(outputs[0])
    assert image.metadata["S_BKDSUB"] == "COMPLETE"
    np.testing.assert_allclose(image.data, 3.0, atol=0.05)
    assert read_image(outputs[1]).metadata["S_BKDSUB"] == "COMPLETE"


def test_going_on_from_bsub(with_backgrounds, reference_files, tmp_path):
    whole = calibrate(with_backgrounds, reference_files, tmp_path / "whole")
    half = calibrate(
        with_backgrounds, reference_files, tmp_path / "half", stop_after="bkg_subtract"
    )
    assert half[0].name.endswith("_bsub.fits")
    rest = calibrate(half[0], reference_files, tmp_path / "rest")
    np.testing.assert_array_equal(read_image(whole[0]).data, read_image(rest[0]).data)


def test_average_is_saved_when_asked_for(with_backgrounds, reference_files, tmp_path):
    outputs = calibrate(
        with_backgrounds,
        reference_files,
        tmp_path / "out",
        parameters={"bkg_subtract": CLIP | {"save_combined_background": True}},
    )
    assert outputs[-1].name == f"{TARGET}_combinedbackground.fits"
    average = read_image(outputs[-1])
    np.testing.assert_allclose(average.data, 2.0, atol=0.05)
    assert average.metadata["BUNIT"] == "DN/s"


def test_integrations(reference_files, tmp_path, background_file, science_file):
    files = [background_file(number, 2.0, 3) for number in (1, 2)]
    path = association(tmp_path, science_file(2), files)
    outputs = calibrate(path, reference_files, tmp_path / "out", save=("bkg_subtract",))
    assert [file.name.rsplit("_", 1)[1] for file in outputs] == ["bsubints.fits", "calints.fits"]
    image = read_image(outputs[0])
    assert image.data.shape[0] == 2
    assert np.median(image.data) == pytest.approx(3.0, abs=0.01)


def test_number_is_known_before_the_pixels_are_read(with_backgrounds):
    metadata = read_metadata(with_backgrounds)
    assert number_of_backgrounds(metadata) == 7
    assert bkg_subtract.not_needed(metadata) is None


def test_background_of_another_filter(reference_files, tmp_path, background_file, science_file):
    files = [background_file(1, 2.0, FILTER="F356W")]
    path = association(tmp_path, science_file(), files)
    with pytest.raises(InputError, match=r"00001_nrcalong_rate.fits: FILTER .*'F356W'; that of"):
        calibrate(path, reference_files, tmp_path / "out")


def test_background_that_is_no_image(reference_files, tmp_path, science_file):
    broken = tmp_path / "jw09999002001_02101_00001_nrcalong_rate.fits"
    broken.write_bytes(b"nothing")
    path = association(tmp_path, science_file(), [broken])
    with pytest.raises(InputError, match="is not a FITS file"):
        calibrate(path, reference_files, tmp_path / "out")


def test_rows_of_a_file(background_file):
    path = background_file(1, 2.0, 3)
    image, opened = read_image(path), ImageFile.open(path)
    assert opened.shape == image.data.shape
    for name in ("data", "dq", "var_poisson"):
        found = opened.rows(name, 2, slice(5, 9))
        np.testing.assert_array_equal(found, getattr(image, name)[2, 5:9])
    assert opened.rows("var_flat", 0, slice(0, 3)) is None


def test_switching_it_off(with_backgrounds, reference_files, tmp_path):
    outputs = calibrate(with_backgrounds, reference_files, tmp_path, skip=("bkg_subtract",))
    assert read_image(outputs[0]).metadata["S_BKDSUB"] == "SKIPPED"


@pytest.mark.parametrize("nints", [None, 3])
def test_one_pass_gives_the_same_bytes(
    nints, background_file, science_file, reference_files, tmp_path, monkeypatch
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setattr("calwebb_image2.bands.HIGHEST_BAND", 7)
    files = [background_file(number, 2.0, nints) for number in range(1, 4)]
    path = association(tmp_path, science_file(nints), files)
    together = calibrate(path, reference_files, tmp_path / "together")
    apart = calibrate(path, reference_files, tmp_path / "apart", one_by_one=True)
    assert [file.name for file in together] == [file.name for file in apart]
    for one, other in zip(together, apart, strict=True):
        assert one.read_bytes() == other.read_bytes()
