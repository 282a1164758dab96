"""The steps resample_spec and extract_1d, and the products of a run."""

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Slit, Slits, Table
from calwebb_core.framework.products import read_image
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.spectra_products import read_spectra
from calwebb_core.science.spectral.extract_1d_options import Extract1dParameters
from calwebb_core.science.spectral.rectified_grid import RectifiedGrid
from calwebb_spec2.pipeline import PIPELINE, write
from calwebb_spec2.products import Derived
from calwebb_spec2.steps import extract_1d, resample_spec

NWAVE, NACROSS = 12, 20
WAVES = np.linspace(5.0, 10.0, NWAVE)


def exposure(nints=None, exp_type="MIR_LRS-FIXEDSLIT", suffix="rate", **keywords):
    """A spectrum along y, 20 pixels wide, with 100 MJy/sr in each pixel of columns 8 to 12."""
    grid = RectifiedGrid((10.0, 20.0), (0.0, 1.0), 3e-5, 10.0, NACROSS, WAVES, 2)
    shape = (NWAVE, NACROSS) if nints is None else (nints, NWAVE, NACROSS)
    data = np.zeros(shape, "f4")
    data[..., 8:13] = 100.0
    values = {
        "TELESCOP": "JWST", "INSTRUME": "MIRI", "EXP_TYPE": exp_type, "BUNIT": "MJy/sr",
        "DISPAXIS": 2, "PIXAR_SR": 2e-12, "SRCTYPE": "POINT", "TARG_RA": 10.0, "TARG_DEC": 20.0,
        "S_PHOTOM": "COMPLETE", "S_WCS": "COMPLETE", "DETECTOR": "MIRIMAGE",
        "DATAMODL": "SlitModel", "EFFEXPTM": 10.0,
    }  # fmt: skip
    metadata = Metadata(values | keywords, f"jw09999001001_02101_00001_mirimage_{suffix}.fits")
    one = np.ones(shape, "f4")
    return Slit(
        metadata, data, one, np.zeros(shape, "u4"), one / 2, one / 2, one / 4, wcs=grid.world()
    )


def references(**values):
    entry = {"id": "ANY", "dispaxis": 2, "extract_width": 7} | values
    return References.of(
        extract1d=Reference("extract1d", "x.json", tree={"apertures": [entry]}), apcorr=None
    )


def test_the_steps_make_products_beside_the_exposure(tmp_path):
    model = exposure()
    model, status = resample_spec.run(model, references(), resample_spec.ResampleSpecParameters())
    assert str(status) == "COMPLETE"
    model, status = extract_1d.run(model, references(), Extract1dParameters())
    assert isinstance(model, Derived)
    model.metadata["S_EXTR1D"] = model.metadata["S_RESAMP"] = "COMPLETE"
    names = [path.name for path in write(model, tmp_path)]
    root = "jw09999001001_02101_00001_mirimage"
    assert names == [f"{root}_{suffix}.fits" for suffix in ("cal", "s2d", "x1d")]
    spectrum = read_spectra(tmp_path / names[2]).spectra[0]
    np.testing.assert_allclose(spectrum.columns["FLUX"], 500 * 2e-12 * 1e6, rtol=1e-6)
    np.testing.assert_allclose(spectrum.columns["WAVELENGTH"], WAVES)
    assert spectrum.metadata["EXTRXSTR"] == pytest.approx(7.5)
    assert "S_EXTR1D" not in read_image(tmp_path / names[0]).metadata


def test_a_calibrated_product_is_not_written_again(tmp_path):
    model, _ = extract_1d.run(exposure(suffix="cal"), references(), Extract1dParameters())
    assert [path.name.split("_")[-1] for path in write(model, tmp_path)] == ["x1d.fits"]


def test_integrations_are_not_rectified(tmp_path):
    model = exposure(nints=3, exp_type="MIR_LRS-SLITLESS", INTSTART=1)
    same, status = resample_spec.run(model, references(), resample_spec.ResampleSpecParameters())
    assert same is model
    assert str(status) == "SKIPPED: the exposure has one spectrum per integration"
    model, _ = extract_1d.run(model, references(), Extract1dParameters())
    names = [path.name for path in write(model, tmp_path)]
    assert [name.split("_")[-1] for name in names] == ["calints.fits", "x1dints.fits"]
    assert read_spectra(tmp_path / names[1]).spectra[0].nints == 3


def test_steps_run_alone_from_a_file(tmp_path):
    import json

    from calwebb_core.framework.products import write_image

    model = exposure(suffix="cal", SUBSIZE1=NACROSS, SUBSIZE2=NWAVE)
    write_image(model, tmp_path / model.metadata.source)
    entry = {"id": "ANY", "dispaxis": 2, "extract_width": 7}
    (tmp_path / "x.json").write_text(json.dumps({"REFTYPE": "EXTRACT1D", "apertures": [entry]}))
    found = call_pipeline(
        PIPELINE, tmp_path / model.metadata.source, only="extract_1d", output_dir=tmp_path / "out",
        overrides={"extract1d": tmp_path / "x.json", "apcorr": "N/A"},
    )  # fmt: skip
    assert [path.name.split("_")[-1] for path in found.outputs] == ["x1d.fits"]
    spectra = read_spectra(found.outputs[0])
    assert spectra.metadata["S_EXTR1D"] == "COMPLETE"
    assert spectra.metadata["R_EXTR1D"] == "x.json"
    assert "S_EXTR1D" not in spectra.spectra[0].metadata


def test_int_times_go_along():
    model = exposure(nints=1, exp_type="MIR_LRS-SLITLESS")
    rows = np.zeros(1, [("integration_number", "i4")])
    model.tables["INT_TIMES"] = Table(rows)
    with pytest.raises(Exception, match="INT_TIMES has no column int_start_MJD_UTC"):
        extract_1d.run(model, references(), Extract1dParameters())


IMAGES = {"save_profile": True, "save_scene_model": True, "save_residual_image": True}


@pytest.mark.parametrize("nints", [None, 2])
@pytest.mark.parametrize("fit", ["poly", "median"])
def test_what_was_extracted_can_be_looked_at(tmp_path, nints, fit):
    kind = "MIR_LRS-SLITLESS" if nints else "MIR_LRS-FIXEDSLIT"
    model = exposure(nints, kind, suffix="calints" if nints else "cal", INTSTART=1)
    model.data += 7.0
    if fit == "poly":
        model.data += 0.5 * np.arange(NACROSS)
    wanted = references(
        extract_width=None, xstart=8, xstop=12, bkg_coeff=[[0.0], [4.0], [15.0], [19.0]],
        bkg_order=1, bkg_fit=fit, smoothing_length=3,
    )  # fmt: skip
    parameters = Extract1dParameters(use_source_posn=False, apply_apcorr=False, **IMAGES)
    derived, _ = extract_1d.run(model, wanted, parameters)
    paths = {path.name.split("mirimage_")[1]: path for path in write(derived, tmp_path)}
    assert set(paths) == {
        f"{name}.fits" for name in ("x1dints" if nints else "x1d", "profile", "scene_model",
                                    "residual")
    }  # fmt: skip
    profile, scene, residual = (
        fits.getdata(paths[f"{name}.fits"], "SCI")
        for name in ("profile", "scene_model", "residual")
    )
    units = [fits.getheader(path, "SCI").get("BUNIT") for path in list(paths.values())[1:]]
    assert units == [None, "MJy/sr", "MJy/sr"]
    assert profile.shape == (NWAVE, NACROSS)
    assert set(np.flatnonzero(profile.all(axis=0))) == set(range(8, 13))
    assert scene.shape == model.data.shape
    np.testing.assert_allclose(scene, model.data, rtol=1e-5)
    np.testing.assert_allclose(residual, model.data - scene, atol=1e-4)


def test_each_slit_has_images_of_its_own():
    slits = [exposure(exp_type="NRS_FIXEDSLIT", DISPAXIS=2) for _ in range(2)]
    for slit, name in zip(slits, ("S200A1", "S400A1"), strict=True):
        slit.metadata["SLTNAME"] = name
    model = Slits(slits[0].metadata.copy(), slits, {})
    parameters = Extract1dParameters(use_source_posn=False, save_profile=True)
    derived, _ = extract_1d.run(model, references(), parameters)
    names = [image.suffix for image in derived.spectra.images]
    assert names == ["s200a1_profile", "s400a1_profile"]


def test_nothing_but_the_spectrum_is_written_by_default():
    derived, _ = extract_1d.run(exposure(), references(), Extract1dParameters())
    assert derived.spectra.images == []
