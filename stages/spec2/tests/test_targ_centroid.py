"""targ_centroid: which image, which star, and what is refused; pathloss and extract_1d after it."""

import json

import numpy as np
import pytest

from calwebb_core.framework.crds_keywords import requests
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.product_writing import write_image
from calwebb_core.framework.references import Reference, References
from calwebb_core.framework.target_images import TargetImage
from calwebb_core.science.frames import Box, Frame
from calwebb_core.science.spectral.source_position import pixels_of
from calwebb_core.science.transforms.elementary import Constant, Identity, Remap, Scale, Shift
from calwebb_core.science.world import World
from calwebb_spec2.inputs import read
from calwebb_spec2.steps import pathloss
from calwebb_spec2.steps.targ_centroid import TargCentroidParameters, run

PLATE = Shift(-30.0) & Shift(-20.0) | Scale(0.1) & Scale(0.1)  # of the imager: pixels to arcsec
SLIT = ("alpha", "beta")
FILTERS = [{"filter": "F560W", "pupil": "N/A", "column_offset": 0.3, "row_offset": -0.2}]
POINTING = {
    "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "SUBARRAY": "FULL", "V2_REF": 0.0, "V3_REF": 0.0,
    "V3I_YANG": 0.0, "VPARITY": 1, "XOFFSET": 0.0, "YOFFSET": 0.0,
}  # fmt: skip
SHAPE = (40, 60)


def keywords(kind, name, start=(1, 1), **more):
    own = {"EXP_TYPE": kind, "SUBSTRT1": start[0], "SUBSTRT2": start[1], "SUBSIZE1": SHAPE[1],
           "SUBSIZE2": SHAPE[0], "BUNIT": "DN/s", "TELESCOP": "JWST"}  # fmt: skip
    return Metadata(POINTING | own | more, name)


def world(start=(1, 1)):
    """A slit whose light is not shifted, one row a hundredth of a micrometre."""
    origin = (30.0 - start[0] + 1, 20.0 - start[1] + 1)
    to_slit = Remap([0, 1, 1]) | (
        (Shift(-origin[0]) | Scale(0.1)) & Constant(0.0) & (Scale(0.01) | Shift(8.0))
    )
    back = Remap([0, 2], 3) | ((Scale(10.0) | Shift(origin[0])) & (Shift(-8.0) | Scale(100.0)))
    degrees = (Scale(1 / 3600) & Scale(1 / 3600)) & Identity(1)
    frames = (
        Frame.plane("detector", ("x", "y"), "pixel"),
        Frame.composite("alpha_beta", Frame.plane("a", SLIT, "arcsec"), Frame.spectral("b")),
        Frame.composite("v2v3", Frame.plane("c", ("v2", "v3"), "arcsec"), Frame.spectral("d")),
        Frame.composite("world", Frame.sky(), Frame.spectral("e")),
    )
    transforms = (to_slit.with_inverse(back), Identity(3), degrees)
    box = Box(((-0.5, SHAPE[1] - 0.5), (-0.5, SHAPE[0] - 0.5)))
    return World(frames, transforms, box, (SHAPE[1], SHAPE[0]))


def exposure(start=(1, 1), kind="MIR_LRS-FIXEDSLIT", **more):
    data = np.ones(SHAPE, "f4")
    name = "jw09999001001_03101_00001_mirimage_rate.fits"
    metadata = keywords(kind, name, start, FILTER="P750L", SRCTYPE="POINT", **more)
    return Image(metadata, data, data.copy(), np.zeros(SHAPE, "u4"), wcs=world(start))


def star(folder, x=31.2, y=19.4, peak=50.0, nints=None, **more):
    """Write an image of a star; return its path."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    data = (peak * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4) + 1).astype("f4")
    data += np.random.default_rng(2).normal(0, 0.05, SHAPE).astype("f4")
    if nints:
        data = np.repeat(data[None], nints, axis=0)
    path = folder / f"jw09999001001_02101_00001_mirimage_rate{'ints' if nints else ''}.fits"
    values = {"FILTER": "F560W"} | more
    metadata = keywords(values.pop("EXP_TYPE", "MIR_TACONFIRM"), path.name,
                        values.pop("start", (1, 1)), **values)  # fmt: skip
    write_image(Image(metadata, data, data, np.zeros(data.shape, "u4")), path)
    return path


def given(filters=FILTERS):
    offsets = None if filters is None else Reference(
        "filteroffset", "offsets.asdf", None, Metadata({}), {}, {}, tree={"filters": filters}
    )  # fmt: skip
    distortion = Reference(
        "distortion", "distortion.asdf", None, Metadata({}), {}, {}, tree={"model": PLATE}
    )
    return References.of(distortion=distortion, filteroffset=offsets)


def placed(model, path, references=None):
    return run(model, references or given(), TargCentroidParameters(ta_file=path and str(path)))


def test_the_source_is_the_star_with_the_offset_of_its_filter(tmp_path):
    model, status = placed(exposure(), star(tmp_path))
    assert status.word == "COMPLETE"
    values = model.metadata
    assert [values["TA_XPOS"], values["TA_YPOS"]] == pytest.approx([31.2, 19.4], abs=2e-3)
    assert values["SRCXPOS"] - values["TA_XPOS"] == pytest.approx(0.3, abs=1e-6)
    assert values["SRCYPOS"] - values["TA_YPOS"] == pytest.approx(-0.2, abs=1e-6)
    assert {values.homes[key] for key in ("TA_XPOS", "SRCYPOS")} == {"SCI"}


def test_dithers_and_subarrays_move_it(tmp_path):
    path = star(tmp_path, x=21.2, y=9.4, start=(11, 11), XOFFSET=0.4)
    model, _ = placed(exposure((6, 3), XOFFSET=-0.5, YOFFSET=0.1), path)
    values = model.metadata
    assert values["TA_XPOS"] == pytest.approx(21.2, abs=2e-3)
    assert values["SRCXPOS"] == pytest.approx(31.2 + 0.3 - 9 - 5, abs=2e-3)
    assert values["SRCYPOS"] == pytest.approx(19.4 - 0.2 + 1 - 2, abs=2e-3)


def test_the_aperture_follows_the_star(tmp_path):
    model, _ = placed(exposure(), star(tmp_path))
    x, _ = pixels_of(model.wcs, model.metadata, np.array([8.1, 8.3]))
    assert x == pytest.approx(model.metadata["SRCXPOS"], abs=1e-4)


@pytest.mark.parametrize("ours", [True, False])
def test_the_member_of_the_association_is_taken_unless_the_user_names_a_file(tmp_path, ours):
    image = exposure()
    image.wcs = None
    write_image(image, tmp_path / image.metadata.source)
    members = [
        {"expname": image.metadata.source, "exptype": "science"},
        {"expname": star(tmp_path, x=28.0).name, "exptype": "target_acquisition"},
    ]
    content = {
        "asn_type": "spec2", "asn_rule": "Asn_MIRLRSTAConfirm", "asn_id": "o001",
        "program": "09999",
        "products": [{"name": "jw09999001001_03101_00001_mirimage", "members": members}],
    }  # fmt: skip
    path = tmp_path / "jw09999-o001_spec2_00001_asn.json"
    path.write_text(json.dumps(content))
    model = read(path)
    assert isinstance(model, TargetImage)
    model.wcs = world()
    (tmp_path / "mine").mkdir()
    own = star(tmp_path / "mine", x=33.0) if ours else None
    model, _ = placed(model, own)
    assert model.metadata["TA_XPOS"] == pytest.approx(33.0 if ours else 28.0, abs=3e-3)


def test_it_does_not_run_without_an_image_or_a_star(tmp_path, caplog):
    model, status = placed(exposure(), None)
    assert str(status).startswith("SKIPPED: there is no image of the target")
    model, status = placed(exposure(), path := star(tmp_path, peak=0.0))
    assert status.word == "SKIPPED"
    assert path.name in status.reason
    assert "there is no star around pixel (31.0, 21.0)" in status.reason
    assert "the source stays unplaced" in caplog.text
    assert "SRCXPOS" not in model.metadata


@pytest.mark.parametrize(
    "wrong",
    [{"DETECTOR": "MIRIFUSHORT"}, {"EXP_TYPE": "MIR_LRS-FIXEDSLIT"}, {"nints": 2}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_image_of_something_else_is_refused(tmp_path, wrong):
    with pytest.raises(InputError, match=r"expected an image of the target of jw09999001001_031"):
        placed(exposure(), star(tmp_path, **wrong))


@pytest.mark.parametrize("filters", [None, [], [FILTERS[0] | {"filter": "FND"}]])
def test_a_reference_without_the_filter_is_refused(tmp_path, filters, caplog):
    caplog.set_level("ERROR")
    with pytest.raises(ReferenceFileError, match="has no row for FILTER F560W of jw09999001001_02"):
        placed(exposure(), star(tmp_path), given(filters))


def test_an_exposure_without_a_wcs_of_the_slit_is_refused(tmp_path):
    model = exposure()
    model.wcs = None
    with pytest.raises(InputError, match="has no WCS of the slit; run assign_wcs first"):
        placed(model, star(tmp_path))


def test_crds_is_asked_for_the_offsets_of_the_image():
    metadata = Metadata({"INSTRUME": "MIRI", "DATE-OBS": "2023-01-01", "TIME-OBS": "00:00:00",
                         "EXP_TYPE": "MIR_LRS-FIXEDSLIT"})  # fmt: skip
    asked = {tuple(kinds): found["META.EXPOSURE.TYPE"]
             for found, kinds in requests(metadata, ["distortion", "filteroffset"])}  # fmt: skip
    assert asked == {("distortion",): "MIR_LRS-FIXEDSLIT", ("filteroffset",): "MIR_TACONFIRM"}
    metadata["EXP_TYPE"] = "MIR_IMAGE"
    assert [kinds for _, kinds in requests(metadata, ["distortion", "filteroffset"])] == [
        ["distortion", "filteroffset"]
    ]


def losses(column):
    """Losses that are the pixel along the slit (0) or across it (1)."""
    rows, columns = np.mgrid[-10:11, -30:31]
    table = np.zeros(2, [("wavelength", "f8"), ("pathloss", "f4", rows.shape)])
    table["wavelength"], table["pathloss"] = (3.0, 14.0), (columns, rows)[column] + 100.0
    header = {"CRPIX1": 1, "CRVAL1": -30, "CDELT1": 1, "CRPIX2": 1, "CRVAL2": -10, "CDELT2": 1}
    from calwebb_core.framework.models import Table

    return Reference(
        "pathloss", "pathloss.fits", None, Metadata({}), {}, {"PATHLOSS": Table(table)},
        headers={"PATHLOSS": header},
    )  # fmt: skip


@pytest.mark.parametrize(("column", "place"), [(0, 1.5), (1, -0.8)])
@pytest.mark.parametrize("start", [(1, 1), (4, 8)])
def test_losses_are_those_of_the_place_in_the_slit(tmp_path, column, place, start):
    model, _ = placed(exposure(start), star(tmp_path))
    model.metadata["S_TACNTR"] = "COMPLETE"
    middle = Metadata({"IMX": 31.0, "IMY": 21.0})
    specwcs = Reference("specwcs", "specwcs.fits", None, middle, {}, {})
    references = References.of(pathloss=losses(column), specwcs=specwcs)
    for shift in (0.0, 0.1):
        corrected = exposure(start)
        corrected.metadata = model.metadata.copy()
        wish = pathloss.PathlossParameters(user_slit_loc=shift)
        corrected, status = pathloss.run(corrected, references, wish)
        assert status.word == "COMPLETE"
        expected = 100 + place + (10 * shift if column else 0.0)
        assert np.nanmedian(corrected.data) == pytest.approx(expected, abs=3e-3)
    references = References.of(pathloss=losses(0), specwcs=None)
    with pytest.raises(ReferenceFileError, match="the specwcs reference is N/A; it has the middle"):
        pathloss.run(model, references, pathloss.PathlossParameters())
