"""The program on files: products, names, resuming, the same bytes twice, clear refusals."""

import json
import logging
import re
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table
from click.testing import CliRunner

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.products import read_image, write_image
from calwebb_core.framework.references import References
from calwebb_level3 import run_image3
from calwebb_level3.cli import image3
from calwebb_level3.image3 import PIPELINE
from calwebb_level3.imaging.reference_catalogs import read_positions
from calwebb_level3.inputs import first_metadata, read

from .scene import dithered, star_field

PRODUCT = "jw01345-o001_t001_nircam_clear-f200w"
ASSOCIATION = "jw01345-o001_image3_00001_asn.json"
STARS = star_field(60)
NONE = References.of(apcorr=None, abvegaoffset=None)


def write_association(folder, members, **changes):
    content = {
        "asn_type": "image3",
        "asn_rule": "candidate_Asn_Lv3Image",
        "asn_id": "o001",
        "asn_pool": "jw01345_pool.csv",
        "program": "01345",
        "products": [{"name": PRODUCT, "members": members}],
    }
    path = folder / ASSOCIATION
    path.write_text(json.dumps({**content, **changes}))
    return path


@pytest.fixture(scope="module")
def association(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cal")
    errors = [(0, 0), (0.05, 0.02), (-0.1, 0.07)]
    members = []
    exposures = dithered(STARS, 3, errors=errors, skies=[1.0, 1.3, 0.9], nx=160, ny=150, bad=30)
    for image in exposures:
        path = folder / str(image.metadata["FILENAME"])
        write_image(image, path)
        members.append({"expname": path.name, "exptype": "science"})
    return write_association(folder, members)


@pytest.fixture(scope="module")
def products(association, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    result = run_image3(association, references=NONE, output_dir=folder)
    return folder, result


def test_products(products):
    folder, result = products
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(
        [f"jw01345001001_02101_0000{i}_nrca1_o001_crf.fits" for i in (1, 2, 3)]
        + [f"{PRODUCT}_{end}" for end in ("i2d.fits", "cat.ecsv", "segm.fits")]
    )
    assert {name: str(status.word) for name, status in result.statuses.items()} == dict.fromkeys(
        ("tweakreg", "skymatch", "outlier_detection", "resample", "source_catalog"), "COMPLETE"
    )


def test_mosaic(products):
    header = fits.getheader(products[0] / f"{PRODUCT}_i2d.fits")
    assert header["ASNTABLE"] == ASSOCIATION
    assert header["ASNPOOL"] == "jw01345_pool.csv"
    assert header["FILENAME"] == f"{PRODUCT}_i2d.fits"
    for keyword in ("S_TWKREG", "S_SKYMAT", "S_OUTLIR", "S_RESAMP", "S_SRCCAT"):
        assert header[keyword] == "COMPLETE"
    with fits.open(products[0] / f"{PRODUCT}_i2d.fits") as hdus:
        names = [hdu.name for hdu in hdus]
        for name in ("SCI", "ERR", "CON", "WHT", "VAR_POISSON", "VAR_RNOISE", "HDRTAB", "ASDF"):
            assert name in names
        assert len(hdus["HDRTAB"].data) == 3
        assert hdus["SCI"].header["BUNIT"] == "MJy/sr"
        assert np.isfinite(hdus["SCI"].data).mean() > 0.7


def test_exposures(products):
    path = products[0] / "jw01345001001_02101_00002_nrca1_o001_crf.fits"
    image = read_image(path)
    assert image.metadata["S_OUTLIR"] == "COMPLETE"
    assert "S_RESAMP" not in image.metadata
    assert image.metadata["BKGMETH"] == "match"
    assert "v2v3corr" in image.wcs.available_frames
    assert image.wcs.pixel_shape == (160, 150)


def test_catalog_and_segmentation(products):
    table = QTable.read(products[0] / f"{PRODUCT}_cat.ecsv", format="ascii.ecsv")
    segments = fits.getdata(products[0] / f"{PRODUCT}_segm.fits")
    assert segments.max() == len(table) > 20
    ra, dec = table["sky_centroid"].ra.deg, table["sky_centroid"].dec.deg
    east = (ra[:, None] - STARS[0]) * np.cos(np.deg2rad(-69.5)) * 3600
    distance = np.hypot(east, (dec[:, None] - STARS[1]) * 3600).min(axis=1)
    assert np.median(distance) < 0.02


def test_products_are_valid_for_the_official_models(products):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    frames = []
    for path in sorted(products[0].glob("*.fits")):
        with datamodels.open(path, strict_validation=True) as model:
            model.validate()
            frames += model.meta.wcs.available_frames
    assert frames.count("v2v3corr") == 2  # the third exposure is the reference


def test_the_same_bytes_twice(association, products, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        run_image3(association, references=NONE, output_dir=folder)
    for path in sorted(folders[0].iterdir()):
        assert path.read_bytes() == (folders[1] / path.name).read_bytes(), path.name
        assert str(tmp_path).encode() not in path.read_bytes()


def test_cleaned_exposures_are_not_aligned_again(products, tmp_path):
    members = [
        {"expname": path.name, "exptype": "science"} for path in sorted(products[0].glob("*crf*"))
    ]
    path = write_association(products[0], members)
    try:
        result = run_image3(path, references=NONE, output_dir=tmp_path)
    finally:
        path.unlink()
    assert list(result.statuses) == ["resample", "source_catalog"]
    first = fits.getdata(products[0] / f"{PRODUCT}_i2d.fits")
    np.testing.assert_array_equal(first, fits.getdata(tmp_path / f"{PRODUCT}_i2d.fits"))
    names = sorted(p.name for p in tmp_path.glob("*crf*"))
    assert names[0] == "jw01345001001_02101_00001_nrca1_o001_crf.fits"


def test_a_mosaic_is_catalogued_anew(products, tmp_path):
    result = run_image3(
        products[0] / f"{PRODUCT}_i2d.fits", references=NONE, output_dir=tmp_path,
        only="source_catalog", parameters={"source_catalog": {"snr_threshold": 100}},
    )  # fmt: skip
    assert [path.name for path in result.outputs] == [f"{PRODUCT}_cat.ecsv", f"{PRODUCT}_segm.fits"]
    full = QTable.read(products[0] / f"{PRODUCT}_cat.ecsv", format="ascii.ecsv")
    assert 0 < len(result.model.catalog) < len(full)


def test_a_single_exposure(association, tmp_path):
    member = association.parent / "jw01345001001_02101_00001_nrca1_cal.fits"
    path = tmp_path / ASSOCIATION
    members = [{"expname": member.name, "exptype": "science"}]
    write_association(tmp_path, members)
    result = run_image3(path, references=NONE, output_dir=tmp_path, input_dir=association.parent)
    words = {name: status.word for name, status in result.statuses.items()}
    assert words["tweakreg"] == words["skymatch"] == words["outlier_detection"] == "SKIPPED"
    assert words["resample"] == words["source_catalog"] == "COMPLETE"
    assert (tmp_path / "jw01345001001_02101_00001_nrca1_o001_crf.fits").exists()
    alone = run_image3(member, references=NONE, output_dir=tmp_path / "alone")
    assert alone.statuses["resample"].word == "COMPLETE"


def test_intermediates_and_stopping(association, tmp_path):
    result = run_image3(
        association, references=NONE, output_dir=tmp_path, save=["tweakreg"],
        stop_after="skymatch",
    )  # fmt: skip
    names = [path.name for path in result.outputs]
    assert names[0] == "jw01345001001_02101_00001_nrca1_o001_tweakreg.fits"
    assert names[-1] == "jw01345001001_02101_00003_nrca1_o001_skymatch.fits"
    assert "S_OUTLIR" not in fits.getheader(result.outputs[0])


def test_saving_mosaic_and_catalog(association, tmp_path):
    result = run_image3(
        association, references=NONE, output_dir=tmp_path,
        save=["resample", "source_catalog"], skip=["tweakreg", "outlier_detection"],
    )  # fmt: skip
    assert f"{PRODUCT}_resample.fits" in [path.name for path in result.outputs]


def test_alignment_to_a_catalog_file(association, tmp_path):
    catalog = tmp_path / "stars.ecsv"
    Table({"ra": STARS[0], "dec": STARS[1]}).write(catalog)
    result = run_image3(
        association, references=NONE, output_dir=tmp_path, stop_after="tweakreg",
        parameters={"tweakreg": {"abs_refcat": str(catalog)}},
    )  # fmt: skip
    assert result.statuses["tweakreg"].word == "COMPLETE"


def test_catalog_files_are_checked(tmp_path, products):
    with pytest.raises(InputError, match=r"no\.ecsv: abs_refcat can't be read"):
        read_positions(tmp_path / "no.ecsv")
    Table({"x": [1.0]}).write(tmp_path / "x.ecsv")
    with pytest.raises(InputError, match="abs_refcat has no columns RA and DEC; found x"):
        read_positions(tmp_path / "x.ecsv")
    own = read_positions(products[0] / f"{PRODUCT}_cat.ecsv")
    assert own.colnames == ["RA", "DEC"]


def test_members_are_checked(association, tmp_path):
    with pytest.raises(InputError, match=r"nothing_cal\.fits not found"):
        read(write_association(tmp_path, [{"expname": "nothing_cal.fits", "exptype": "science"}]))
    name = "jw01345001001_02101_00001_nrca1_cal.fits"
    path = write_association(tmp_path, [{"expname": name, "exptype": "background"}])
    with pytest.raises(InputError, match="the association has no science member"):
        read(path, input_dir=association.parent)
    with pytest.raises(InputError, match="the association has no science member"):
        first_metadata(path, input_dir=association.parent)
    products = [
        {"name": word, "members": [{"expname": name, "exptype": "science"}]} for word in "ab"
    ]
    path = write_association(tmp_path, [], products=products)
    with pytest.raises(InputError, match="has 2 products; expected 1 a run of calwebb-image3"):
        read(path, input_dir=association.parent)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"asn_type": "image2"}, "asn_type is image2; calwebb-image3 takes .* use the program for"),
        ({"products": {}}, r"products is {}; expected: array, in square brackets"),
        ({"prodcuts": 1, "products": 2}, "products is 2; expected: array"),
        ({"asn_id": "../x"}, "asn_id is '../x'; expected letters and digits such as o001"),
    ],
)
def test_a_wrong_association_is_one_sentence(association, tmp_path, changes, message):
    members = [{"expname": "jw01345001001_02101_00001_nrca1_cal.fits", "exptype": "science"}]
    path = write_association(tmp_path, members, **changes)
    command = ["run", str(path), "--output-dir", str(tmp_path), "--input-dir"]
    result = CliRunner().invoke(image3, [*command, str(association.parent)])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"calwebb-image3: error: {path}: ")
    assert re.search(message, result.stderr)


def test_a_typo_is_one_sentence(association, tmp_path):
    path = write_association(tmp_path, [{"expname": "a_cal.fits", "exptyp": "science"}])
    result = CliRunner().invoke(image3, ["run", str(path), "--output-dir", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.stderr == (
        f"calwebb-image3: error: {path}: products[0].members[0] has the unknown key 'exptyp'; "
        "did you mean exptype? Rename it or take it out\n"
    )


def test_members_outside_are_read_when_allowed(association, tmp_path):
    member = association.parent / "jw01345001001_02101_00001_nrca1_cal.fits"
    path = write_association(tmp_path, [{"expname": str(member), "exptype": "Science"}])
    command = ["steps", str(path), "--json"]
    result = CliRunner().invoke(image3, command)
    assert result.exit_code == 2
    assert f"member {member} lies outside {tmp_path}: it climbs or is absolute" in result.stderr
    assert CliRunner().invoke(image3, [*command, "--allow-outside"]).exit_code == 0
    assert len(read(path, allow_outside=True).exposures) == 1


def test_a_product_of_each_source_is_refused(association, tmp_path):
    name = "jw01345-o001_{source_id}_nirspec_f100lp-g140h"
    member = {"expname": "jw01345001001_02101_00001_nrca1_cal.fits", "exptype": "science"}
    path = write_association(tmp_path, [], products=[{"name": name, "members": [member]}])
    with pytest.raises(InputError, match=r"leaves {source_id} open, but this program makes one"):
        first_metadata(path, input_dir=association.parent)


def test_members_of_other_types_are_named(association, tmp_path, caplog):
    names = [f"jw01345001001_02101_0000{i}_nrca1_cal.fits" for i in (1, 2)]
    members = [
        {"expname": names[0], "exptype": "science"},
        {"expname": names[1], "exptype": "background"},
    ]
    with caplog.at_level(logging.WARNING):
        images = read(write_association(tmp_path, members), input_dir=association.parent)
    assert len(images.exposures) == 1
    assert "1 members of type background are not used" in caplog.text


def test_command_line(association, tmp_path):
    result = CliRunner().invoke(image3, ["steps", str(association)])
    assert result.exit_code == 0
    assert "source_catalog" in result.output
    result = CliRunner().invoke(
        image3,
        ["run", str(association), "--output-dir", str(tmp_path), "--override", "apcorr=N/A",
         "--override", "abvegaoffset=N/A", "--skip", "tweakreg", "-q"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert (tmp_path / f"{PRODUCT}_i2d.fits").exists()
    assert fits.getheader(tmp_path / f"{PRODUCT}_i2d.fits")["S_TWKREG"] == "SKIPPED"


def test_help_imports_nothing_heavy():
    code = (
        "import sys, calwebb_level3.cli\n"
        "heavy = {'numba', 'gwcs', 'photutils', 'tweakwcs', 'drizzle', 'astropy', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


def test_listing_steps_imports_no_numba():
    code = (
        "import sys\nfrom calwebb_level3.image3 import PIPELINE\n"
        "heavy = {'numba', 'gwcs', 'photutils', 'tweakwcs', 'drizzle'}\n"
        "print(len(PIPELINE.steps), sorted(heavy & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "6 []"
    assert PIPELINE.program == "calwebb-image3"
