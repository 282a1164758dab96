"""What is not one exposure in all its segments, with times, is refused in a sentence."""

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_level3.timeseries.inputs import first_metadata, read
from calwebb_level3.tso3 import select

from .star import star, write_members, write_segments


@pytest.fixture
def segments(tmp_path):
    return write_segments(tmp_path, star(nints=6, side=8), (2, 4))


def change(path, **keywords):
    """Write other keywords in a file."""
    with fits.open(path, mode="update") as hdus:
        for name, value in keywords.items():
            hdus[0].header[name.replace("_", "-") if name == "DATE_OBS" else name] = value


def test_segments_are_put_in_order(tmp_path, segments):
    series = read(write_members(tmp_path, [segments[1], segments[2], segments[0]]))
    assert [segment.metadata["EXSEGNUM"] for segment in series.segments] == [1, 2, 3]
    assert [segment.start for segment in series.segments] == [0, 2, 4]
    (part,) = series.parts()
    assert part.shape == (6, 8, 8)
    np.testing.assert_array_equal(part.frames("data", 1, 5), star(nints=6, side=8).data[1:5])
    assert series.product == "jw01345-o001_t001_nircam_f200w-sub64p"


def test_one_file_is_an_exposure_of_one_segment(tmp_path):
    (path,) = write_segments(tmp_path, star(nints=4, side=8))
    assert read(path).product == path.name.removesuffix("_calints.fits")
    assert first_metadata(path)["EXP_TYPE"] == "NRC_TSIMAGE"


def test_a_missing_segment(tmp_path, segments):
    with pytest.raises(InputError, match=r"segment 2 is missing: EXSEGTOT is 3, found \[1, 3\]"):
        read(write_members(tmp_path, [segments[0], segments[2]]))


def test_a_header_may_claim_any_number_of_segments(tmp_path, segments):
    for path in segments:
        change(path, EXSEGTOT=2_000_000_000)
    with pytest.raises(InputError, match=r"segment 4, 5, 6, 7, 8 is missing: EXSEGTOT is 2000000"):
        read(write_members(tmp_path, segments))


@pytest.mark.parametrize("keyword", ["INTSTART", "INTEND", "EXSEGNUM", "EXSEGTOT"])
def test_numbers_that_are_words(tmp_path, keyword):
    paths = write_segments(tmp_path, star(nints=6, side=8), (3,))
    for path in paths:
        change(path, **{keyword: "one"})
    with pytest.raises(InputError, match=f"keyword {keyword} is 'one'; expected a int"):
        read(write_members(tmp_path, paths))


def test_times_without_a_column(tmp_path, segments):
    with fits.open(segments[1], mode="update") as hdus:
        hdus["INT_TIMES"].columns.change_name("int_mid_BJD_TDB", "OTHER")
    with pytest.raises(InputError, match="INT_TIMES has no column int_mid_BJD_TDB; it has integ"):
        read(write_members(tmp_path, segments))


def test_a_segment_twice(tmp_path, segments):
    change(segments[1], EXSEGNUM=1)
    with pytest.raises(InputError, match=r"EXSEGNUM is 1, as in .*expected each segment once"):
        read(write_members(tmp_path, segments))


def test_integrations_between_segments(tmp_path, segments):
    change(segments[1], INTEND=5)
    with pytest.raises(InputError, match=r"INTSTART is 5, but INTEND is 5.*expected 6"):
        read(write_members(tmp_path, segments))


def test_segments_of_two_exposures(tmp_path, segments):
    change(segments[2], EXPOSURE="2")
    with pytest.raises(InputError, match=r"EXPOSURE is 2, but 1 in .*segments of two exposures"):
        read(write_members(tmp_path, segments))


def test_segments_of_two_settings(tmp_path, segments):
    change(segments[2], FILTER="F210M")
    with pytest.raises(InputError, match=r"FILTER is 'F210M', but 'F200W' in"):
        read(write_members(tmp_path, segments))


def test_no_times(tmp_path, segments):
    with fits.open(segments[1], mode="update") as hdus:
        del hdus["INT_TIMES"]
    with pytest.raises(InputError, match=r"has no table INT_TIMES.*expected one row for each"):
        read(write_members(tmp_path, segments))


def test_times_of_other_integrations(tmp_path, segments):
    with fits.open(segments[1], mode="update") as hdus:
        hdus["INT_TIMES"].data["integration_number"] = [3, 9]
    with pytest.raises(InputError, match=r"INT_TIMES has no row for integration 4; it has 3 to 9"):
        read(write_members(tmp_path, segments))


def test_not_a_time_series(tmp_path, segments):
    change(segments[0], EXP_TYPE="NRC_IMAGE", TSOVISIT=False)
    with pytest.raises(InputError, match="it is not of a time series; use calwebb-image3 or"):
        read(write_members(tmp_path, segments))
    with pytest.raises(InputError, match="it is not of a time series"):
        select(first_metadata(segments[0]))


def test_one_image_for_all_integrations(tmp_path):
    from calwebb_core.framework.products import read_image, write_image

    (path,) = write_segments(tmp_path, star(nints=4, side=8))
    image = read_image(path)
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise"):
        setattr(image, name, getattr(image, name)[0])
    write_image(image, path)
    with pytest.raises(InputError, match=r"SCI has shape \(8, 8\); expected one image an int"):
        read(path)


def test_counts_instead_of_fluxes(tmp_path):
    (path,) = write_segments(tmp_path, star(nints=4, side=8), BUNIT="DN/s")
    with pytest.raises(InputError, match="BUNIT is DN/s; expected MJy/sr or MJy"):
        read(path)


@pytest.mark.parametrize(
    ("kind", "text"), [("NIS_SOSS", "not extracted yet"), ("NRS_MSASPEC", "tso3 handles NRC_TS")]
)
def test_modes_that_it_does_not_handle(kind, text):
    with pytest.raises(InputError, match=text):
        select(Metadata({"EXP_TYPE": kind, "TSOVISIT": True}, "x.fits"))


def test_the_steps_of_images_and_spectra():
    names = [
        [step.name for step in select(Metadata({"EXP_TYPE": kind, "TSOVISIT": True}))]
        for kind in ("MIR_IMAGE", "NRS_BRIGHTOBJ")
    ]
    assert names[0] == ["outlier_detection", "tso_photometry"]
    assert "tso_photometry" not in names[1]
    assert names[1][-1] == "white_light"
