"""bkg_subtract and flat_field: what happens before the spectra are cut out."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.models import Image
from calwebb_core.framework.product_writing import write_image
from calwebb_spec2 import PIPELINE
from calwebb_spec2.inputs import read_file

NY, NX = 12, 10
ROOT = "jw09999001001_02101_0000{}_mirimage"
MIRI = {
    "DETECTOR": "MIRIMAGE", "FILTER": "P750L", "SUBARRAY": "FULL", "SUBSTRT1": 1, "SUBSTRT2": 1,
    "SUBSIZE1": NX, "SUBSIZE2": NY, "PATTTYPE": "ALONG-SLIT-NOD", "DATE-OBS": "2024-05-01",
    "TIME-OBS": "12:00:00.000", "FASTAXIS": 1, "SLOWAXIS": 2, "NGROUPS": 5, "READPATT": "FASTR1",
}  # fmt: skip


def exposure(make_image, number, folder, **keywords):
    """A MIRI LRS exposure: sky, the spectrum at its nod's place, noise, flagged pixels."""
    rng = np.random.default_rng(number)
    data = rng.normal(1.0, 0.05, (NY, NX)).astype("f4")
    data[:, 3 if number == 1 else 7] += 5
    dq = np.zeros((NY, NX), "u4")
    dq[number, number] = 1
    poisson, rnoise = (rng.uniform(0.001, 0.003, (NY, NX)).astype("f4") for _ in range(2))
    metadata = make_image("MIR_LRS-FIXEDSLIT", **(MIRI | keywords)).metadata
    path = folder / f"{ROOT.format(number)}_rate.fits"
    metadata.source = str(path)
    image = Image(metadata, data, np.sqrt(poisson + rnoise), dq, poisson, rnoise)
    write_image(image, path)
    return path, image


def association(folder, *others):
    members = [{"expname": f"{ROOT.format(1)}_rate.fits", "exptype": "science"}]
    members += [{"expname": f"{ROOT.format(n)}_rate.fits", "exptype": "background"} for n in others]
    content = {
        "asn_type": "spec2", "asn_rule": "Asn_Lv2MIRLRSFixedSlitNod", "asn_id": "o001",
        "asn_pool": "pool.csv", "program": "09999", "code_version": "1", "version_id": None,
        "target": "none", "constraints": "none", "degraded_status": "none",
        "products": [{"name": ROOT.format(1), "members": members}],
    }  # fmt: skip
    path = folder / "spec2_asn.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def nods(make_image, tmp_path):
    """Association of an exposure with the other position, and both images."""
    images = [exposure(make_image, number, tmp_path)[1] for number in (1, 2)]
    return association(tmp_path, 2), images


@pytest.fixture
def flat(tmp_path):
    values = np.random.default_rng(9).uniform(0.8, 1.2, (NY, NX)).astype("f4")
    values[4, 5], values[5, 6] = np.nan, 0.0
    primary = fits.PrimaryHDU()
    primary.header.update(
        {"TELESCOP": "JWST", "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "REFTYPE": "FLAT",
         "SUBARRAY": "FULL", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": NX, "SUBSIZE2": NY,
         "FASTAXIS": 1, "SLOWAXIS": 2, "PEDIGREE": "DUMMY", "AUTHOR": "test", "DESCRIP": "test",
         "USEAFTER": "2020-01-01T00:00:00", "EXP_TYPE": "MIR_LRS-FIXEDSLIT"}
    )  # fmt: skip
    path = tmp_path / "test_flat.fits"
    fits.HDUList(
        [
            primary,
            fits.ImageHDU(values, name="SCI"),
            fits.ImageHDU(np.full((NY, NX), 0.01, "f4"), name="ERR"),
            fits.ImageHDU(np.zeros((NY, NX), "u4"), name="DQ"),
        ]
    ).writeto(path)
    return path


def step(name, path, folder, **options):
    (made,) = call_pipeline(PIPELINE, path, only=name, output_dir=folder, **options).outputs
    return made


def test_a_nod_is_the_background_of_the_other(nods, tmp_path):
    path, (target, other) = nods
    made = step("bkg_subtract", path, tmp_path / "out")
    assert made.name == f"{ROOT.format(1)}_bkg_subtract.fits"
    image = read_file(made)
    both = (target.dq | other.dq) & 1 == 0
    np.testing.assert_allclose(image.data[both], (target.data - other.data)[both], atol=1e-6)
    assert image.data[both][image.data[both] > 2].size == NY
    np.testing.assert_allclose(
        image.var_poisson[both], (target.var_poisson + other.var_poisson)[both], rtol=1e-6
    )
    assert (image.dq & 1).sum() == 2
    assert image.metadata["S_BKDSUB"] == "COMPLETE"
    assert image.metadata["ASNTABLE"] == "spec2_asn.json"


def test_without_members_nothing_is_subtracted(nods, tmp_path):
    path = association(tmp_path)
    image = read_file(step("bkg_subtract", path, tmp_path / "out"))
    assert image.metadata["S_BKDSUB"] == "SKIPPED"
    np.testing.assert_array_equal(image.data, nods[1][0].data)


def test_another_filter_is_no_background(nods, make_image, tmp_path):
    exposure(make_image, 2, tmp_path, FILTER="F770W")
    with pytest.raises(InputError, match="FILTER of the background is 'F770W'"):
        step("bkg_subtract", nods[0], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.fits"))


def test_flat_field_divides(nods, flat, tmp_path, caplog):
    target, values = nods[1][0], fits.getdata(flat)
    path = Path(target.metadata.source)
    image = read_file(step("flat_field", path, tmp_path / "out", overrides={"flat": flat}))
    good = np.isfinite(image.data)
    np.testing.assert_allclose(image.data[good], target.data[good] / values[good], rtol=1e-6)
    assert set(zip(*np.nonzero(~good), strict=True)) == {(1, 1), (4, 5), (5, 6)}
    assert image.metadata["R_FLAT"] == "test_flat.fits"
    assert image.var_flat is not None
    assert "2 pixels have no flat value in test_flat.fits" in caplog.text
    undone = step("flat_field", path, tmp_path / "back", overrides={"flat": flat},
                  parameters={"flat_field": {"inverse": True}})  # fmt: skip
    again = read_file(undone)
    np.testing.assert_allclose(again.data[good], (target.data * values)[good], rtol=1e-6)


def test_a_flat_of_another_subarray_is_refused(nods, flat, tmp_path):
    with fits.open(flat) as hdus:
        for name in ("SCI", "ERR", "DQ"):
            hdus[name].data = hdus[name].data[:5]
        hdus.writeto(flat, overwrite=True)
    with pytest.raises(ReferenceFileError, match="SUBSIZE1, SUBSIZE2 are 10, 12"):
        step("flat_field", nods[1][0].metadata.source, tmp_path / "out", overrides={"flat": flat})
    assert not list((tmp_path / "out").glob("*.fits"))


@pytest.mark.parametrize("fault", ["missing", "size"])
def test_a_broken_background_is_refused(nods, tmp_path, fault):
    other = Path(nods[1][1].metadata.source)
    if fault == "missing":
        other.unlink()
    else:
        with fits.open(other) as hdus:
            for name in ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE"):
                hdus[name].data = hdus[name].data[:5]
            hdus.writeto(other, overwrite=True)
    with pytest.raises(InputError, match="00002_mirimage_rate"):
        step("bkg_subtract", nods[0], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.fits"))


@pytest.mark.peer
@pytest.mark.slow
def test_both_as_the_official_package(nods, flat, tmp_path):
    python = os.environ.get("CALWEBB_PEER_PYTHON")
    if not python:
        pytest.skip("CALWEBB_PEER_PYTHON is not set")
    config = Path(
        os.environ.get("CALWEBB_REALDATA", Path(__file__).parents[4] / "shared" / "realdata")
    ) / "crds_cache" / "config"  # fmt: skip
    if not config.is_dir():
        pytest.skip(f"no CRDS server configuration in {config}")
    shutil.copytree(config, tmp_path / "crds" / "config", symlinks=True)
    environment = os.environ | {
        "STPIPE_DISABLE_CRDS_STEPPARS": "true", "CRDS_PATH": str(tmp_path / "crds"),
        "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu", "CRDS_OBSERVATORY": "jwst",
        "CRDS_READONLY_CACHE": "1", "CRDS_CLIENT_RETRY_COUNT": "1",
        "CRDS_CLIENT_RETRY_DELAY_SECONDS": "0",
    }  # fmt: skip
    target = tmp_path / "peer.npz"
    script = Path(__file__).with_name("peer_detector.py")
    science = nods[1][0].metadata.source
    command = [python, str(script), str(nods[0]), science, str(flat), str(target)]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True)
    subtracted = read_file(step("bkg_subtract", nods[0], tmp_path / "a"))
    image = read_file(step("flat_field", science, tmp_path / "b", overrides={"flat": flat}))
    with np.load(target) as theirs:
        # the noise of the background is in ERR and the variances here, and not there
        np.testing.assert_allclose(subtracted.data, theirs["background_data"], atol=1e-6)
        np.testing.assert_array_equal(subtracted.dq, theirs["background_dq"])
        for part in ("data", "err", "var_poisson", "var_rnoise", "var_flat"):
            np.testing.assert_allclose(
                getattr(image, part), theirs[f"flat_{part}"], rtol=3e-6, err_msg=part
            )
        np.testing.assert_array_equal(image.dq, theirs["flat_dq"])
