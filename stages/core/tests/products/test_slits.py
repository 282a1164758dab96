"""Products of several slits: written, read again, and read by the official data models."""

import numpy as np
import pytest
from astropy import coordinates, units
from astropy.io import fits
from astropy.modeling import models
from gwcs import WCS
from gwcs.coordinate_frames import CelestialFrame, CompositeFrame, Frame2D, SpectralFrame

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_layout import scan
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits, Table
from calwebb_core.framework.product_reading import read_image
from calwebb_core.framework.product_writing import write_image
from calwebb_core.framework.slit_products import is_of_slits, read_slits, write_slits

NAMES = ("S200A1", "S400A1")


def wcs_of(offset):
    """Two pixel coordinates to two of the sky and a wavelength, as gwcs has it."""
    sky = models.Shift(offset) & models.Scale(2.0) & models.Scale(0.5)
    return WCS(
        [
            (Frame2D(name="detector"), models.Mapping((0, 1, 0)) | sky),
            (
                CompositeFrame(
                    [
                        CelestialFrame(name="sky", reference_frame=coordinates.ICRS()),
                        SpectralFrame(name="wave", unit=(units.micron,), axes_order=(2,)),
                    ],
                    name="world",
                ),
                None,
            ),
        ]
    )


def slit(number, shape=(3, 4), **changes):
    data = np.arange(np.prod(shape), dtype="f4").reshape(shape) + number
    metadata = Metadata(
        {"SLTNAME": NAMES[number], "SOURCEID": number, "STLARITY": 0.5, "BUNIT": "DN/s"}
    )
    parts = {
        "var_poisson": data + 2,
        "area": np.full(shape[-2:], 1.5, "f4"),
        "wcs": wcs_of(float(number)),
        "planes": {"WAVELENGTH": data / 10, "PATHLOSS_PS": data / 20},
        "extended": number == 0,
    }
    return Slit(metadata, data, data + 1, np.full(shape, number, "u4"), **(parts | changes))


@pytest.fixture
def slits():
    metadata = Metadata(
        {"EXP_TYPE": "NRS_FIXEDSLIT", "INSTRUME": "NIRSPEC", "FXD_SLIT": NAMES[0], "MINE": 3},
        "jw09999001001_02101_00001_nrs1_extract_2d.fits",
    )
    metadata.homes["MINE"] = "PRIMARY"
    metadata.provenance = {"format": 1, "runs": [{"program": "calwebb-spec2"}]}
    times = np.array([(1, 59000.5)], dtype=[("integration", "i4"), ("mjd", "f8")])
    return Slits(metadata, [slit(0), slit(1, (2, 5))], {"INT_TIMES": Table(times)})


@pytest.fixture
def path(slits, tmp_path):
    target = tmp_path / slits.metadata.source
    write_slits(slits, target)
    return target


def changed(path, change):
    with fits.open(path) as hdus:
        change(hdus)
        hdus.writeto(path, overwrite=True)


def test_what_is_written_is_read(slits, path):
    found = read_slits(path)
    assert found.metadata["FXD_SLIT"] == NAMES[0]
    assert found.metadata["MINE"] == 3
    assert found.metadata["DATAMODL"] == "MultiSlitModel"
    assert "SLTNAME" not in found.metadata
    assert found.metadata.provenance == slits.metadata.provenance
    assert found.tables["INT_TIMES"].data["mjd"] == 59000.5
    assert len(found.slits) == 2
    for ours, theirs in zip(slits.slits, found.slits, strict=True):
        for name in ("data", "err", "dq", "var_poisson", "area"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
            assert getattr(theirs, name).dtype == getattr(ours, name).dtype
        assert theirs.var_rnoise is None
        assert {name: theirs.metadata[name] for name in ours.metadata} == dict(ours.metadata)
        assert list(theirs.planes) == ["WAVELENGTH", "PATHLOSS_PS"]
        np.testing.assert_array_equal(theirs.planes["WAVELENGTH"], ours.planes["WAVELENGTH"])
        assert theirs.extended is ours.extended
        assert theirs.wcs(1.0, 2.0) == pytest.approx(ours.wcs(1.0, 2.0))


def test_same_bytes_again(slits, path, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = tmp_path / "a" / path.name, tmp_path / "b" / path.name
    write_slits(slits, first)
    write_slits(read_slits(first), second)
    assert first.read_bytes() == second.read_bytes()
    with fits.open(first, checksum=True) as hdus:
        assert [hdu.ver for hdu in hdus if hdu.name == "WAVELENGTH"] == [1, 2]
        hdus.verify("exception")


def test_slits_without_wcs_and_of_several_integrations(tmp_path):
    one = slit(0, (2, 3, 4), wcs=None, extended=None)
    target = tmp_path / "x_extract_2d.fits"
    write_slits(Slits(Metadata({}, str(target)), [one]), target)
    (found,) = read_slits(target).slits
    assert found.data.shape == (2, 3, 4)
    assert found.area.shape == (3, 4)
    assert found.wcs is None
    assert found.extended is None
    assert is_of_slits(scan(target))


def test_an_image_is_no_product_of_slits_and_the_other_way_round(path, tmp_path):
    assert is_of_slits(scan(path))
    with pytest.raises(InputError, match="has 2 SCI extensions; expected one"):
        read_image(path)
    target = tmp_path / "x_rate.fits"
    data = np.ones((3, 4), "f4")
    write_image(Image(Metadata({}, str(target)), data, data, np.zeros((3, 4), "u4")), target)
    assert not is_of_slits(scan(target))


def test_official_data_models_read_it(path):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    with datamodels.open(path, strict_validation=True) as model:
        model.validate()
        assert [item.name for item in model.slits] == list(NAMES)
        assert [item.source_id for item in model.slits] == [0, 1]
        assert [item.is_extended for item in model.slits] == [True, False]
        assert model.slits[1].meta.wcs(1.0, 2.0) == pytest.approx(wcs_of(1.0)(1.0, 2.0))
        assert model.slits[1].data.shape == (2, 5)
        assert model.slits[0].wavelength[0, 1] == np.float32(0.1)


def test_products_of_the_official_data_models_are_read(slits, path, tmp_path):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    target = tmp_path / "theirs_extract_2d.fits"
    with datamodels.open(path) as model:
        model.save(str(target))
    found = read_slits(target)
    for ours, theirs in zip(slits.slits, found.slits, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
        assert theirs.metadata["SLTNAME"] == ours.metadata["SLTNAME"]
        assert theirs.extended is ours.extended
        assert theirs.wcs(1.0, 2.0) == pytest.approx(ours.wcs(1.0, 2.0))


def renumber(hdus):
    hdus["WAVELENGTH", 2].ver = 7


def repeat(hdus):
    hdus["SCI", 2].ver = 1


def drop_error(hdus):
    del hdus["ERR", 2]


def crop(hdus):
    hdus["WAVELENGTH", 2].data = hdus["WAVELENGTH", 2].data[:1]


def second_table(hdus):
    hdus.append(hdus["INT_TIMES"].copy())


def drop_slit(hdus):
    for name in ("SCI", "ERR", "DQ", "AREA", "VAR_POISSON", "WAVELENGTH", "PATHLOSS_PS"):
        del hdus[name, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (renumber, "WAVELENGTH has EXTVER 7, which no SCI has"),
        (repeat, "has two SCI arrays with EXTVER 1; expected one a slit"),
        (drop_error, "has no ERR extension"),
        (crop, r"WAVELENGTH has shape \(1, 5\); expected \(2, 5\) as SCI requires"),
        (second_table, "has 2 tables INT_TIMES; expected one, tables of slits are not read"),
        (drop_slit, "its ASDF extension has 2 slits, but there are 1 SCI"),
    ],
)
def test_damaged_products_are_refused(path, change, message):
    changed(path, change)
    with pytest.raises(InputError, match=message):
        read_slits(path)


def test_other_files_are_refused(tmp_path):
    target = tmp_path / "x.fits"
    fits.HDUList([fits.PrimaryHDU()]).writeto(target)
    with pytest.raises(InputError, match="has no SCI extension"):
        read_slits(target)
    target.write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a FITS file"):
        read_slits(target)
