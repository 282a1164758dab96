"""The whole of calwebb-image2 on a small exposure."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from click.testing import CliRunner

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.products import read_image, write_image
from calwebb_image2 import PIPELINE
from calwebb_image2.cli import main


def calibrate(path, reference_files, folder, **options):
    return call_pipeline(
        PIPELINE, path, overrides=reference_files, output_dir=folder, **options
    ).outputs


def test_rate_becomes_cal_and_i2d(rate_file, reference_files, tmp_path):
    outputs = calibrate(rate_file, reference_files, tmp_path / "out")
    assert [path.name.rsplit("_", 1)[1] for path in outputs] == ["cal.fits", "i2d.fits"]
    cal, i2d = (read_image(path) for path in outputs)
    assert cal.metadata["BUNIT"] == i2d.metadata["BUNIT"] == "MJy/sr"
    assert cal.metadata["S_PHOTOM"] == "COMPLETE"
    assert "S_RESAMP" not in cal.metadata
    assert i2d.metadata["S_RESAMP"] == "COMPLETE"
    assert i2d.metadata["R_DISTOR"] == "test_distortion.asdf"
    assert cal.area.shape == cal.data.shape
    assert i2d.weight.shape == i2d.data.shape == i2d.context.shape[1:]
    assert i2d.dq is None


def test_both_headers_place_the_star_alike(rate_file, reference_files, tmp_path):
    cal_path, i2d_path = calibrate(rate_file, reference_files, tmp_path)
    cal, i2d = read_image(cal_path), read_image(i2d_path)
    ra, dec = cal.wcs(50.0, 40.0)
    with fits.open(cal_path) as hdus:
        header = WCS(hdus["SCI"].header)
    assert header.all_world2pix(ra, dec, 0) == pytest.approx([50.0, 40.0], abs=0.01)
    x, y = i2d.wcs.invert(ra, dec)
    peak = np.unravel_index(np.nanargmax(i2d.data), i2d.data.shape)
    assert abs(peak[1] - x) < 1
    assert abs(peak[0] - y) < 1


def test_rateints_becomes_calints(tmp_path, rateints, reference_files):
    path = tmp_path / "jw09999001001_02101_00001_nrcalong_rateints.fits"
    write_image(rateints, path)
    outputs = calibrate(path, reference_files, tmp_path / "out")
    assert [path.name for path in outputs] == ["jw09999001001_02101_00001_nrcalong_calints.fits"]
    assert read_image(outputs[0]).data.shape == rateints.data.shape


def test_same_bytes_twice(rate_file, reference_files, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = calibrate(rate_file, reference_files, tmp_path / "a")
    second = calibrate(rate_file, reference_files, tmp_path / "b")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_stopping_early_is_not_called_cal(rate_file, reference_files, tmp_path):
    outputs = calibrate(rate_file, reference_files, tmp_path, stop_after="flat_field")
    assert [path.name.split("nrcalong_")[1] for path in outputs] == ["flat_field.fits"]
    assert read_image(outputs[0]).metadata["BUNIT"] == "DN/s"


def test_resuming_gives_the_same_pixels(rate_file, reference_files, tmp_path):
    whole = calibrate(rate_file, reference_files, tmp_path / "whole")
    half = calibrate(rate_file, reference_files, tmp_path / "half", stop_after="flat_field")
    rest = calibrate(half[0], reference_files, tmp_path / "rest")
    for one, other in zip(whole, rest, strict=True):
        np.testing.assert_array_equal(read_image(one).data, read_image(other).data)


ROOT = "jw09999001001_02101_00001_nrcalong"


def association(folder, members, name=ROOT, **changes):
    content = {
        "asn_type": "image2", "asn_rule": "Asn_Lv2Image", "asn_id": "a3001", "program": "09999",
        "asn_pool": "pool.csv", "products": [{"name": name, "members": members}], **changes,
    }  # fmt: skip
    path = folder / "image2_asn.json"
    path.write_text(json.dumps(content))
    return path


def science(rate_file):
    return {"expname": rate_file.name, "exptype": "science"}


def test_association_as_input(rate_file, reference_files, tmp_path):
    path = association(tmp_path, [science(rate_file)])
    outputs = calibrate(path, reference_files, tmp_path / "out")
    assert len(outputs) == 2
    assert read_image(outputs[0]).metadata["ASNTABLE"] == "image2_asn.json"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "other"}, "product other is made of"),
        ({"asn_type": "image3"}, "asn_type is image3; calwebb-image2 takes associations of level "),
    ],
)
def test_association_refused(rate_file, reference_files, tmp_path, options, message):
    path = association(tmp_path, [science(rate_file)], **options)
    with pytest.raises(InputError, match=message):
        calibrate(path, reference_files, tmp_path / "out")


def test_merged_associations_are_made_product_by_product(rate_file, reference_files, tmp_path):
    second = rate_file.with_name(rate_file.name.replace("_00001_", "_00002_"))
    shutil.copy(rate_file, second)
    products = [
        {"name": file.name.removesuffix("_rate.fits"), "members": [science(file)]}
        for file in (rate_file, second)
    ]
    path = association(tmp_path, [], products=products)
    outputs = calibrate(path, reference_files, tmp_path / "both")
    assert [file.name.rsplit("_", 1)[1] for file in outputs] == ["cal.fits", "i2d.fits"] * 2
    assert len({file.name for file in outputs}) == 4
    outputs = calibrate(path, reference_files, tmp_path / "one", product=products[1]["name"])
    assert [file.name[:-9] for file in outputs] == [products[1]["name"]] * 2


def test_members_outside_are_read_when_allowed(rate_file, reference_files, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    member = {"expname": f"../{rate_file.name}", "exptype": "SCIENCE", "exposerr": None}
    path = association(tmp_path / "elsewhere", [member])
    with pytest.raises(InputError, match=r"lies outside .* \(--allow-outside accepts"):
        calibrate(path, reference_files, tmp_path / "out")
    assert len(calibrate(path, reference_files, tmp_path / "out", allow_outside=True)) == 2


def test_unused_members_are_named(rate_file, reference_files, tmp_path, caplog):
    (tmp_path / "psf.fits").touch()
    members = [science(rate_file), {"expname": "psf.fits", "exptype": "psf"}]
    calibrate(association(tmp_path, members), reference_files, tmp_path / "out")
    assert "1 members of type psf are not used by image2" in caplog.text


def test_a_typo_is_one_sentence(rate_file, tmp_path):
    path = association(tmp_path, [{"expnmae": rate_file.name, "exptype": "science"}])
    result = CliRunner().invoke(main, ["run", str(path), "--output-dir", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.stderr == (
        f"calwebb-image2: error: {path}: products[0].members[0] has the unknown key 'expnmae'; "
        "did you mean expname? Rename it or take it out\n"
    )


@pytest.mark.parametrize(
    ("exp_type", "message"),
    [
        ("MIR_MRS", "EXP_TYPE MIR_MRS is no image .*: spectra are not for calwebb-image2"),
        ("NRC_DARK", "a dark has no position on the sky; calwebb-dark takes it"),
        ("MIR_DARKIMG", "a dark has no position"),
        ("NIS_LAMP", "a lamp exposure shows no sky"),
        ("FGS_ID-IMAGE", "guide-star data have a pipeline of their own"),
        ("NRC_WFSS", "spectra are not for"),
        ("NEW_TYPE", "it handles NRC_IMAGE"),
    ],
)
def test_other_modes_are_refused(tmp_path, rate, reference_files, exp_type, message):
    rate.metadata["EXP_TYPE"] = exp_type
    path = tmp_path / "jw09999001001_02101_00001_nrcalong_rate.fits"
    write_image(rate, path)
    with pytest.raises(InputError, match=message):
        calibrate(path, reference_files, tmp_path)


def test_size_in_header_must_agree(tmp_path, rate, reference_files):
    rate.metadata["SUBSIZE1"] = 2048
    path = tmp_path / "jw09999001001_02101_00001_nrcalong_rate.fits"
    write_image(rate, path)
    with pytest.raises(InputError, match="SUBSIZE"):
        calibrate(path, reference_files, tmp_path)


def test_steps_command_lists_them_in_order():
    result = CliRunner().invoke(main, ["steps"])
    assert result.exit_code == 0
    positions = [
        result.output.index(name) for name in ("bkg_subtract", "assign_wcs", "flat_field", "photom")
    ]
    assert positions == sorted(positions)


def test_official_data_models_read_the_products(rate_file, reference_files, tmp_path):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    for path in calibrate(rate_file, reference_files, tmp_path / "out"):
        with datamodels.open(path, strict_validation=True) as model:
            model.validate()
            assert model.meta.wcs(10.0, 10.0) == pytest.approx(
                read_image(path).wcs(10.0, 10.0), abs=1e-11
            )
            assert model.meta.photometry.pixelarea_steradians > 0


def test_one_pass_without_flat_and_area(rate_file, reference_files, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    files = reference_files | {"flat": "N/A", "area": "N/A"}
    together = calibrate(rate_file, files, tmp_path / "together")
    apart = calibrate(rate_file, files, tmp_path / "apart", one_by_one=True)
    for one, other in zip(together, apart, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_one_pass_from_an_intermediate(rate_file, reference_files, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    half = calibrate(rate_file, reference_files, tmp_path / "half", stop_after="flat_field")
    together = calibrate(half[0], reference_files, tmp_path / "together")
    apart = calibrate(half[0], reference_files, tmp_path / "apart", one_by_one=True)
    for one, other in zip(together, apart, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_useless_flat_leaves_no_product(rate_file, reference_files, tmp_path):
    flat = tmp_path / "zero_flat.fits"
    with fits.open(reference_files["flat"]) as hdus:
        hdus["SCI"].data[...] = 0
        hdus.writeto(flat)
    with pytest.raises(ReferenceFileError, match="no pixel of the flat"):
        calibrate(rate_file, reference_files | {"flat": flat}, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.fits"))


def test_hooks_see_images_in_memory(rate_file, reference_files, tmp_path):
    seen = []

    def look(image):
        seen.append(image.data.copy())

    outputs = calibrate(
        rate_file, reference_files, tmp_path / "out", parameters={"photom": {"post_hooks": (look,)}}
    )
    np.testing.assert_array_equal(seen[0], read_image(outputs[0]).data)
