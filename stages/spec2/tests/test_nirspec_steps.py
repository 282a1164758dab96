"""assign_wcs, extract_2d and wavecorr for NIRSpec's fixed slits and series of bright objects."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.models import Image, Slit, Slits, Table
from calwebb_core.framework.product_writing import write_image
from calwebb_core.framework.references import References
from calwebb_core.framework.slit_products import read_slits, write_slits
from calwebb_spec2.inputs import read_file
from calwebb_spec2.steps import assign_wcs, extract_2d, srctype, wavecorr
from spectrograph_optics import NAME, keywords, references

SERIES = {"EXP_TYPE": "NRS_BRIGHTOBJ", "TSOVISIT": True, "NINTS": 2}
STEPS = (assign_wcs.STEP, extract_2d.STEP, srctype.STEP, wavecorr.STEP)
ONE = {"SUBARRAY": "SUB2048", "SUBSTRT2": 881, "SUBSIZE2": 48}
SEVERAL = {"SUBARRAY": "ALLSLITS", "SUBSTRT2": 881, "SUBSIZE2": 160}


def exposure(**values):
    metadata = keywords(**values)
    shape = (metadata["SUBSIZE2"], metadata["SUBSIZE1"])
    if metadata["NINTS"] > 1:
        shape = (metadata["NINTS"], *shape)
    data = np.broadcast_to(np.arange(shape[-1], dtype="f4"), shape).copy()
    times = {"INT_TIMES": Table(np.zeros(2, dtype=[("integration_number", "i4")]))}
    return Image(
        metadata, data, data + 1, np.zeros(shape, "u4"), data + 2, data + 3, tables=times
    )  # fmt: skip


def through(model, steps=STEPS, options=None, **changed):
    """The exposure after steps, and the last status."""
    with_references = References.of(**references() | changed)
    for step in steps:
        parameters = step.parameters(**(options or {}).get(step.name, {}))
        model, status = step.run(model, with_references, parameters)
        model.metadata[step.keyword] = status.word
    return model, status


def test_several_slits():
    slits, status = through(exposure(**SEVERAL))
    assert isinstance(slits, Slits)
    assert str(status) == "COMPLETE"
    names = [slit.metadata["SLTNAME"] for slit in slits.slits]
    assert names == ["S200A1", "S200A2", "S400A1", "S1600A1"]
    assert [slit.metadata["SRCTYPE"] for slit in slits.slits] == ["EXTENDED"] * 3 + ["POINT"]
    assert [slit.metadata["WAVECOR"] for slit in slits.slits] == [False] * 3 + [True]
    assert "INT_TIMES" in slits.tables
    assert slits.metadata["WAVSTART"] == 2.87e-6
    assert {slit.metadata["DISPAXIS"] for slit in slits.slits} == {1}


def test_time_series_is_one_slit():
    slit, status = through(exposure(**ONE | SERIES))
    assert isinstance(slit, Slit)
    assert str(status) == "COMPLETE"
    assert slit.data.ndim == 3
    assert slit.planes["WAVELENGTH"].shape == slit.data.shape[1:]
    assert slit.metadata["SLTNAME"] == "S1600A1"
    assert slit.metadata["WAVECOR"] is True
    assert "INT_TIMES" in slit.tables
    assert slit.metadata["SPECSYS"] == "BARYCENT"


def test_no_velocity_no_frame_of_reference():
    image, _ = through(exposure(**ONE, VELOSYS=None), STEPS[:1])
    assert "SPECSYS" not in image.metadata


def test_chosen_slits():
    slits, _ = through(
        exposure(**SEVERAL), STEPS[:2], {"extract_2d": {"slit_names": ("S400A1",)}}
    )  # fmt: skip
    assert [slit.metadata["SLTNAME"] for slit in slits.slits] == ["S400A1"]


def test_ends_of_the_slit():
    sizes = []
    for high in (0.55, 0.3):
        options = {"assign_wcs": {"slit_y_high": high}}
        slits, _ = through(exposure(**ONE), STEPS[:2], options)
        sizes.append(np.isfinite(slits.slits[0].planes["WAVELENGTH"]).sum())
    assert sizes[1] / sizes[0] == pytest.approx(0.85 / 1.1, abs=0.03)
    with pytest.raises(InputError, match=r"slit_y_low is 0\.6 and slit_y_high 0\.55"):
        through(exposure(**ONE), STEPS[:1], {"assign_wcs": {"slit_y_low": 0.6}})


def test_reference_that_is_not_there():
    with pytest.raises(ReferenceFileError, match="the msa reference is N/A; the WCS needs one"):
        through(exposure(**ONE), STEPS[:1], msa=None)


def test_resumes_after_each_step(tmp_path):
    """What is written after a step goes on as if it had never been written."""
    direct, _ = through(exposure(**SEVERAL))
    path = tmp_path / NAME.replace("rate", "assign_wcs")
    write_image(through(exposure(**SEVERAL), STEPS[:1])[0], path)
    slits, _ = through(read_file(path), STEPS[1:2])
    path = tmp_path / NAME.replace("rate", "extract_2d")
    write_slits(slits, path)
    again, _ = through(read_slits(path), STEPS[2:])
    for one, other in zip(direct.slits, again.slits, strict=True):
        planes = one.planes["WAVELENGTH"], other.planes["WAVELENGTH"]
        assert np.array_equal(*planes, equal_nan=True)
        assert one.metadata["SRCXPOS"] == other.metadata["SRCXPOS"]
        assert one.wcs.available_frames == other.wcs.available_frames


def test_wavecorr_is_skipped():
    for values, changed, reason in (
        ({"SRCTYAPT": "EXTENDED"}, {}, "no slit has a point source"),
        ({"FXD_SLIT": "S200A1"}, {}, "no slit has a point source"),
        ({}, {"wavecorr": None}, "the wavecorr reference is N/A"),
    ):
        slits, status = through(exposure(**ONE, **values), **changed)
        assert str(status).startswith("SKIPPED: " + reason)
        assert "wavecorr_frame" not in slits.slits[0].wcs.available_frames


def test_wavecorr_without_the_slit(caplog):
    reference = references()["wavecorr"]
    reference.tree["apertures"][0]["aperture_name"] = "S200A1"
    _, status = through(exposure(**ONE), wavecorr=reference)
    assert str(status) == "SKIPPED: jwst_nirspec_wavecorr.asdf has none of the slits"
    assert "has no slit S1600A1; its wavelengths stay those of the slit's middle" in caplog.text


def test_wavecorr_before_extract_2d():
    image, _ = through(exposure(**ONE), STEPS[:1])
    with pytest.raises(InputError, match="not cut out; wavecorr comes after extract_2d"):
        through(image, STEPS[3:])


def test_source_outside_of_the_slit():
    with pytest.raises(InputError, match=r"the source is at -?\d+\.\d+ widths of slit S1600A1"):
        through(exposure(**ONE, XOFFSET=5.0))
