"""What is refused before anything is computed, and which exposures form a group."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_level3.image3 import select
from calwebb_level3.imageset import group_name, make_set

from .scene import dithered, metadata, star_field


def pair(**changes):
    exposures = dithered(star_field(3), 2)
    exposures[1].metadata.update(changes)
    return exposures


@pytest.mark.parametrize(
    ("keyword", "value"), [("FILTER", "F090W"), ("INSTRUME", "MIRI"), ("PUPIL", "F162M")]
)
def test_mixed_exposures_are_refused(keyword, value):
    with pytest.raises(InputError, match=f"00002_nrca1_cal.fits: {keyword} is '{value}' but"):
        make_set(pair(**{keyword: value}), product="p")


def test_rates_are_refused():
    with pytest.raises(InputError, match="BUNIT is DN/s; expected MJy/sr: run calwebb-image2"):
        make_set(pair(BUNIT="DN/s"), product="p")


def test_images_without_wcs_are_refused():
    exposures = pair()
    exposures[1].wcs = None
    with pytest.raises(InputError, match="has no WCS; expected a _cal file"):
        make_set(exposures, product="p")


def test_a_wcs_without_position_is_refused():
    exposures = pair()
    told = metadata(RA_REF=float("nan"))
    from calwebb_core.science.wcs import imaging_wcs

    from .scene import distortion

    exposures[1].wcs = imaging_wcs(told, distortion(200, 200))
    with pytest.raises(InputError, match="gives no sky position at the centre"):
        make_set(exposures, product="p")


def test_an_empty_association_is_refused():
    with pytest.raises(InputError, match=r"a\.json: the association has no science member"):
        make_set([], product="p", table="a.json")


def test_an_empty_exposure_is_said_and_all_empty_refused(caplog):
    exposures = pair()
    exposures[1].data[:] = np.nan
    make_set(exposures, product="p")
    assert "00002_nrca1_cal.fits: no usable pixel" in caplog.text
    exposures[0].dq[:] = 1
    with pytest.raises(InputError, match=r"00001_nrca1_cal\.fits and 1 more: no usable pixel"):
        make_set(exposures, product="p")


def test_groups_are_exposures():
    first, second = metadata(detector="NRCA1"), metadata(detector="NRCA2")
    assert group_name(first, 0) == group_name(second, 1)
    assert group_name(metadata(exposure=2), 2) != group_name(first, 0)
    bare = Metadata({}, source="jw01345001001_02101_00001_nrca1_cal.fits")
    other = Metadata({}, source="jw01345001001_02101_00001_nrcb4_cal.fits")
    assert group_name(bare, 0) == group_name(other, 1) == "jw01345001001_02101_00001"
    assert group_name(Metadata({}, source="my.fits"), 4) == "image 5"


def test_step_keywords_of_the_input_count_if_all_agree():
    exposures = pair()
    exposures[0].metadata["S_TWKREG"] = exposures[1].metadata["S_TWKREG"] = "COMPLETE"
    exposures[0].metadata["S_OUTLIR"] = "COMPLETE"
    exposures[0].metadata["S_RESAMP"] = exposures[1].metadata["S_RESAMP"] = "COMPLETE"
    images = make_set(exposures, product="p", asn_id="o001", pool="pool.csv", table="asn.json")
    assert images.metadata["S_TWKREG"] == "COMPLETE"
    assert "S_OUTLIR" not in images.metadata
    assert "S_RESAMP" not in images.metadata
    assert images.metadata["ASNTABLE"] == "asn.json"
    assert images.metadata["ASNPOOL"] == "pool.csv"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"EXP_TYPE": "MIR_MRS"}, "EXP_TYPE is MIR_MRS; calwebb-image3 makes mosaics of images"),
        ({"TSOVISIT": True}, "time series go to calwebb_tso3"),
    ],
)
def test_modes_that_are_not_for_image3(changes, text):
    with pytest.raises(InputError, match=text):
        select(metadata(**changes))


def test_steps_in_order():
    names = [step.name for step in select(metadata())]
    assert names == ["tweakreg", "skymatch", "outlier_detection", "resample", "source_catalog"]
