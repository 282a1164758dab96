"""Products of spectra: what is written is read again, by the official models, too."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.products import read_image, write_image
from calwebb_core.framework.spectra import COLUMNS, DTYPES, PER_INTEGRATION, Spectra, Spectrum
from calwebb_core.framework.spectra_products import read_spectra, write_spectra

from .samples import int_times, keywords, sample_image

UNITS = {"WAVELENGTH": "um", "FLUX": "Jy", "FLUX_VAR_POISSON": "Jy^2"}


def spectrum(kind, name, nwave=5, nints=3):
    rng = np.random.default_rng(len(name))
    columns = {}
    for column in COLUMNS[kind]:
        shape = (nints, nwave) if kind == "x1dints" else (nwave,)
        if kind == "x1dints" and column in PER_INTEGRATION:
            shape = (nints,)
        values = rng.uniform(0, 100, shape)
        columns[column] = values.astype(DTYPES.get(column, np.float64))
    columns["DQ"][..., 0] = 0x80000001
    return Spectrum(Metadata({"SLTNAME": name, "SRCTYPE": "POINT", "SPORDER": 1}), columns, UNITS)


def product(kind, nwave=5):
    tables = {"INT_TIMES": int_times()} if kind == "x1dints" else {}
    metadata = keywords()
    metadata["S_REGION"] = "POLYGON ICRS  1 2 3 4 5 6 7 8"
    metadata.provenance = {"runs": [{"program": "calwebb-spec2"}]}
    parts = [spectrum(kind, "S200A1", nwave), spectrum(kind, "S1600A1", nwave)]
    return Spectra(metadata, parts, tables, kind)


@pytest.mark.parametrize("kind", sorted(COLUMNS))
@pytest.mark.parametrize("nwave", [1, 5])
def test_what_is_written_is_read_again(tmp_path, kind, nwave):
    path = tmp_path / f"jw01345001001_04101_00001_nrs1_{kind}.fits"
    written = product(kind, nwave)
    write_spectra(written, path)
    again = read_spectra(path)
    assert again.kind == kind
    assert list(again.tables) == list(written.tables)
    assert again.metadata.provenance == written.metadata.provenance
    assert "S_REGION" not in again.metadata  # a keyword of SCI, which is not there
    for old, new in zip(written.spectra, again.spectra, strict=True):
        assert dict(new.metadata) == dict(old.metadata)
        assert new.units == {name: unit for name, unit in UNITS.items() if name in new.columns}
        assert list(new.columns) == list(COLUMNS[kind])
        for column, values in old.columns.items():
            np.testing.assert_array_equal(new.columns[column], values)
            assert new.columns[column].dtype == values.dtype


def test_astropy_reads_the_same_flags(tmp_path):
    from astropy.io import fits

    write_spectra(product("x1dints"), tmp_path / "x_x1dints.fits")
    with fits.open(tmp_path / "x_x1dints.fits", checksum=True) as file:
        assert [hdu.name for hdu in file] == ["PRIMARY", *["EXTRACT1D"] * 2, "INT_TIMES", "ASDF"]
        assert file["EXTRACT1D", 2].data["DQ"][0, 0] == 0x80000001
        assert file["EXTRACT1D", 2].header["SLTNAME"] == "S1600A1"
        assert file[1].columns["FLUX"].unit == "Jy"


def test_a_table_of_flags_is_carried_along_with_other_products(tmp_path):
    flags = np.zeros(2, [("MASK", np.uint32), ("SHORT", np.uint16, (3,))])
    flags["MASK"] = 0xFFFFFFFF, 1
    flags["SHORT"][1] = 0xFFFF, 0, 1
    write_image(sample_image(tables={"FLAGS": Table(flags)}), tmp_path / "x_cal.fits")
    again = read_image(tmp_path / "x_cal.fits").tables["FLAGS"].data
    assert again.dtype == flags.dtype
    np.testing.assert_array_equal(again["MASK"], flags["MASK"])
    np.testing.assert_array_equal(again["SHORT"], flags["SHORT"])


OPEN = """
    import sys, warnings
    warnings.simplefilter("error")
    from stdatamodels.jwst import datamodels
    for path, name in zip(sys.argv[1::2], sys.argv[2::2]):
        with datamodels.open(path, strict_validation=True, validate_on_assignment=True) as model:
            assert type(model).__name__ == name, (path, type(model).__name__)
            model.validate()
            assert len(model.spec) == 2
            spec = model.spec[1]
            assert spec.source_type == "POINT", spec.source_type
            if "Combined" not in name:
                assert spec.name == "S1600A1", spec.name
            table = spec.spec_table
            assert int(table["DQ"].ravel()[0]) == 0x80000001
            assert table["FLUX"].dtype.kind == "f"
"""


def test_official_models_open_them_with_strict_validation(tmp_path):
    arguments = []
    for kind, name in (
        ("x1d", "MultiSpecModel"),
        ("x1dints", "TSOMultiSpecModel"),
        ("c1d", "MultiCombinedSpecModel"),
    ):
        write_spectra(product(kind), tmp_path / f"x_{kind}.fits")
        arguments += [str(tmp_path / f"x_{kind}.fits"), name]
    env = os.environ | {"STRICT_VALIDATION": "1"}
    command = [sys.executable, "-c", textwrap.dedent(OPEN), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_missing_column_is_named(tmp_path):
    spectra = product("x1d")
    del spectra.spectra[1].columns["NPIXELS"]
    with pytest.raises(InputError, match="EXTRACT1D 2: has no column NPIXELS"):
        write_spectra(spectra, tmp_path / "x_x1d.fits")


def test_a_column_of_another_length_is_named(tmp_path):
    spectra = product("x1dints")
    spectra.spectra[0].columns["FLUX"] = np.zeros((3, 4))
    with pytest.raises(InputError, match=r"column FLUX has shape \(3, 4\), WAVELENGTH \(3, 5\)"):
        write_spectra(spectra, tmp_path / "x_x1dints.fits")


def test_a_file_without_spectra_is_refused(tmp_path):
    write_image(sample_image(), tmp_path / "x_cal.fits")
    with pytest.raises(InputError, match="has no table EXTRACT1D or COMBINE1D"):
        read_spectra(tmp_path / "x_cal.fits")


def test_what_a_wcs_refers_to_is_not_looked_at(tmp_path):
    """Official spectra hold a transform whose inverse has it as its own; nobody needs it here."""
    path = tmp_path / "jw01345-o001_t001_nirspec_c1d.fits"
    written = product("c1d")
    written.metadata.provenance = {}
    write_spectra(written, path)
    tree = b"meta:\n  wcs: &a\n    inverse: *a\n"
    head = b"#ASDF 1.0.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
    for extra, known in ((b"", True), (b"calwebb_flow: {}\n", False)):
        rows = np.zeros(1, [("ASDF_METADATA", "u1", len(head + tree + extra) + 4)])
        rows["ASDF_METADATA"][0] = np.frombuffer(head + tree + extra + b"...\n", "u1")
        with fits.open(path) as file:
            file["ASDF"] = fits.BinTableHDU(rows, name="ASDF")
            file.writeto(tmp_path / f"other{known}_c1d.fits", checksum=True)
    again = read_spectra(tmp_path / "otherTrue_c1d.fits")
    assert again.metadata.provenance == {}
    np.testing.assert_array_equal(
        again.spectra[0].columns["FLUX"], written.spectra[0].columns["FLUX"]
    )
    with pytest.raises(InputError, match=r"its ASDF extension is damaged: .* stands for nothing"):
        read_spectra(tmp_path / "otherFalse_c1d.fits")
