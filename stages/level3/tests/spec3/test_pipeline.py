"""From exposures through slits to spectra: products, truth, refusals."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.product_reading import read_image
from calwebb_core.framework.slit_products import read_slits
from calwebb_core.framework.spectra_products import read_spectra
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_level3.slits.inputs import first_metadata, read
from calwebb_level3.spec3 import run as spec3
from calwebb_level3.spec3 import select

from .slit import (
    PIXAR_SR,
    WAVES,
    exposure,
    slits,
    spectrum,
    write,
    write_members,
    write_reference,
    write_sky,
)

MODES = ("NRS_MSASPEC", "MIR_MRS", "NIS_WFSS")


def processed(folder, association, **options):
    return spec3(
        association,
        output_dir=folder / "out",
        overrides={"extract1d": write_reference(folder), "apcorr": "N/A"},
        **options,
    )


def check_flux(found, error, wave):
    """Compare a spectrum with the truth."""
    truth = spectrum(wave) * PIXAR_SR * 1e6
    inside = (wave > 5.2) & (wave < 11.8)
    pull = ((found - truth) / error)[inside]
    assert abs(np.median((found / truth)[inside]) - 1) < 0.01
    assert np.median(pull**2) < 1.5


def test_nods_of_one_star(tmp_path):
    images = [exposure(1), exposure(2, 4.3), exposure(3, -3.8)]
    for image in images:
        image.data[14:16, 30] += 3e3
        image.dq[15, 50] = DO_NOT_USE
        image.data[15, 50] = np.nan
    paths = write(tmp_path, images)
    result = processed(tmp_path, write_members(tmp_path, paths, [write_sky(tmp_path)]))
    assert [path.name for path in result.outputs] == [
        *(path.name.replace("_cal", "_o001_crf") for path in paths),
        "jw01702-o001_t001_miri_p750l_s2d.fits",
        "jw01702-o001_t001_miri_p750l_x1d.fits",
    ]
    assert {name: status.word for name, status in result.statuses.items()} == {
        "master_background": "COMPLETE", "outlier_detection": "COMPLETE",
        "pixel_replace": "SKIPPED", "resample_spec": "COMPLETE", "extract_1d": "COMPLETE",
        "combine_1d": "SKIPPED",
    }  # fmt: skip
    flagged = read_image(result.outputs[0])
    assert flagged.metadata["ASNTABLE"] == "jw01702-o001_spec3_00001_asn.json"
    rectified = read_image(result.outputs[3])
    assert rectified.metadata["S_RESAMP"] == "COMPLETE"
    assert "S_EXTR1D" not in rectified.metadata
    assert "S_RESAMP" not in flagged.metadata
    assert rectified.metadata["EXP_TYPE"] == "MIR_LRS-FIXEDSLIT"
    assert int(rectified.context.max()) == 0b111
    (found,) = read_spectra(result.outputs[4]).spectra
    columns = found.columns
    check_flux(columns["FLUX"], columns["FLUX_ERROR"], columns["WAVELENGTH"])


def test_bad_pixels_are_estimated_in_copies(tmp_path):
    images = [exposure(1, background=False), exposure(2, 4.3, background=False)]
    for image in images:
        image.data[12:18, 40] = np.nan
        image.dq[12:18, 40] = DO_NOT_USE
    association = write_members(tmp_path, write(tmp_path, images))
    result = processed(
        tmp_path, association, parameters={"pixel_replace": {"skip": False}}, skip=["extract_1d"]
    )
    assert np.all(np.isnan(read_image(result.outputs[0]).data[12:18, 40]))
    assert np.all(np.isfinite(read_image(result.outputs[2]).data[10:20, 38:43]))
    wish = {"skip": False, "algorithm": "trace_model"}
    with pytest.raises(InputError, match="there is no model of the trace"):
        processed(tmp_path, association, parameters={"pixel_replace": wish})


def test_spectra_of_exposures_are_combined_without_a_grid(tmp_path):
    paths = write(tmp_path, [exposure(1, background=False), exposure(2, 4.3, background=False)])
    result = processed(
        tmp_path, write_members(tmp_path, paths), skip=["outlier_detection", "resample_spec"]
    )
    names = [path.name.rpartition("_")[2] for path in result.outputs]
    assert names == ["x1d.fits", "c1d.fits"]
    assert len(read_spectra(result.outputs[0]).spectra) == 2
    combined = read_spectra(result.outputs[1])
    (found,) = combined.spectra
    assert combined.metadata["S_COMB1D"] == "COMPLETE"
    assert set(found.columns["N_INPUT"]) == {2.0}
    check_flux(found.columns["FLUX"], found.columns["ERROR"], found.columns["WAVELENGTH"])


def test_profiles_of_slits_can_be_looked_at(tmp_path):
    """Those of a common grid are named as the source, those of exposures as the exposure."""
    paths = write(tmp_path, [slits(1), slits(2, 3.0)])
    product = "jw01703-o001_{source_id}_nirspec_f290lp-g395h-{slit_name}"
    association = write_members(tmp_path, paths, product=product)
    wish = {"extract_1d": {"save_profile": True}}
    found = []
    for left_out in ([], ["resample_spec"]):
        skip = ["outlier_detection", *left_out]
        result = processed(tmp_path, association, parameters=wish, skip=skip)
        found += [path.name for path in result.outputs if path.name.endswith("_profile.fits")]
    pairs = ((1, "s200a1"), (2, "s400a1"))
    grid = [
        f"jw01703-o001_s00000000{n}_nirspec_f290lp-g395h-{name}_profile.fits" for n, name in pairs
    ]
    each = [
        f"jw01703001001_02101_0000{number}_nrs1_{name}_profile.fits"
        for _, name in pairs for number in (1, 2)
    ]  # fmt: skip
    assert found == [*grid, *each]


def test_each_slit_has_products_of_its_own(tmp_path):
    paths = write(tmp_path, [slits(1), slits(2, 3.0)])
    product = "jw01703-o001_{source_id}_nirspec_f290lp-g395h-{slit_name}"
    result = processed(tmp_path, write_members(tmp_path, paths, product=product))
    root = "jw01703-o001_s00000000{}_nirspec_f290lp-g395h-{}_{}.fits"
    assert [path.name for path in result.outputs[2:]] == [
        root.format(number, name, suffix)
        for number, name in ((1, "s200a1"), (2, "s400a1"))
        for suffix in ("s2d", "x1d")
    ]
    assert [slit.metadata["SLTNAME"] for slit in read_slits(result.outputs[0]).slits] == [
        "S200A1", "S400A1",
    ]  # fmt: skip
    assert read_image(result.outputs[2]).metadata["SLTNAME"] == "S200A1"
    for place in (3, 5):
        (found,) = read_spectra(result.outputs[place]).spectra
        columns = found.columns
        check_flux(columns["FLUX"], columns["FLUX_ERROR"], columns["WAVELENGTH"])


def test_slits_of_one_source_are_told_apart(tmp_path):
    exposures = [slits(1), slits(2, 3.0)]
    for part in (part for one in exposures for part in one.slits):
        part.metadata["SOURCEID"] = 7
    sources = read(write_members(tmp_path, write(tmp_path, exposures), product="jw01703-o001_x"))
    assert [s.product for s in sources.sources] == [
        "jw01703-o001_x-s200a1",
        "jw01703-o001_x-s400a1",
    ]


def test_one_exposure_alone(tmp_path):
    (path,) = write(tmp_path, [exposure(1, background=False)])
    result = processed(tmp_path, path)
    assert [p.name for p in result.outputs] == [
        path.name.replace("_cal", suffix) for suffix in ("_s2d", "_x1d")
    ]
    assert first_metadata(path)["EXP_TYPE"] == "MIR_LRS-FIXEDSLIT"
    wave = read_spectra(result.outputs[1]).spectra[0].columns["WAVELENGTH"]
    np.testing.assert_allclose(wave, WAVES[: len(wave)], rtol=1e-6)


def refused(folder, exposures, text, **options):
    with pytest.raises(InputError, match=text):
        read(write_members(folder, write(folder, exposures), **options))


def test_exposures_that_do_not_belong_together(tmp_path):
    refused(tmp_path, [exposure(1), exposure(2, FILTER="F560W")], "FILTER is 'F560W' but 'P750L'")


@pytest.mark.parametrize("name", ["../../evil", "a b", "S200A1/x"])
def test_names_of_slits_that_no_file_can_have(tmp_path, name):
    refused(tmp_path, [exposure(1, SLTNAME=name)], "SLTNAME is '.*'; expected letters, digits")


def test_exposures_that_are_not_calibrated(tmp_path):
    refused(tmp_path, [exposure(1, BUNIT="DN/s")], "BUNIT is DN/s; expected MJy or MJy/sr")
    refused(tmp_path, [exposure(1, BUNIT=None)], "keyword BUNIT is missing")
    image = exposure(1)
    image.wcs = None
    refused(tmp_path, [image], "has no WCS; expected a _cal file")
    image = exposure(1)
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise"):
        setattr(image, name, getattr(image, name)[None])
    refused(tmp_path, [image], "expected one image for all integrations")


def test_an_association_without_exposures(tmp_path):
    (path,) = write(tmp_path, [exposure(1)])
    association = write_members(tmp_path, [path])
    text = association.read_text().replace('"science"', '"target_acquisition"')
    association.write_text(text)
    for reader in (read, first_metadata):
        with pytest.raises(InputError, match="has no science member; expected at least one"):
            reader(association)


@pytest.mark.parametrize("kind", MODES)
def test_modes_that_are_not_there_yet(kind):
    with pytest.raises(InputError, match="is not available yet in calwebb-spec3"):
        select(Metadata({"EXP_TYPE": kind}, "x.fits"))


def test_what_is_no_spectrum_of_a_slit():
    with pytest.raises(InputError, match="EXP_TYPE is NRC_IMAGE; calwebb-spec3 handles MIR_LRS"):
        select(Metadata({"EXP_TYPE": "NRC_IMAGE"}, "x.fits"))
    with pytest.raises(InputError, match="time series go to calwebb-tso3"):
        select(Metadata({"EXP_TYPE": "MIR_LRS-FIXEDSLIT", "TSOVISIT": True}, "x.fits"))
