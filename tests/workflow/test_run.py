"""A run from raw files to the mosaic, its products, and the errors a user may meet."""

import json
import os
import signal
import subprocess
import time

import pytest
from astropy.io import fits

from programs import BIN, ROOT
from working_copy import make_workflow

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def products(workflow):
    return sorted(
        path.relative_to(workflow.folder) for path in workflow.folder.glob("results/**/*.fits")
    )


def test_every_product_and_picture_is_there(finished):
    raw = len(list((finished.folder / "uncal").iterdir()))
    count = lambda pattern: len(list(finished.folder.glob(f"results/*/{pattern}")))  # noqa: E731
    assert count("detector1/*_rate.fits") == count("detector1/*_rateints.fits") == raw
    assert count("image2/*_cal.fits") == count("image2/*_i2d.fits") == raw
    assert count("image3/*_i2d.fits") == count("image3/*_cat.ecsv") == 1
    assert count("image3/*_segm.fits") == 1
    assert count("image3/*_crf/*_o001_crf.fits") == raw
    assert count("quicklook/*/*.png") == 3 * raw + 3
    assert count("pool.csv") == 1


def test_products_are_valid_fits_with_checksums(finished):
    for path in products(finished):
        with fits.open(finished.folder / path, checksum=True) as hdus:
            hdus.verify("exception")
            assert all("CHECKSUM" in hdu.header for hdu in hdus), path


def test_the_same_run_elsewhere_gives_the_same_bytes(finished, tiny, tmp_path):
    other = make_workflow(tmp_path, tiny, from_nothing=True)
    last = sorted((other.folder / "uncal").iterdir())[-1]
    last.unlink()
    other.snakemake("detector1_all", "image2_all", "image3_all")
    assert products(other) == products(finished)
    for path in products(finished):
        assert (other.folder / path).read_bytes() == (finished.folder / path).read_bytes(), path


def test_references_of_a_run_carry_checksums(finished):
    (record, *_) = sorted(finished.folder.glob("results/*/references/*_detector1.json"))
    content = json.loads(record.read_text())
    assert content["context"] == "jwst_0001.pmap"
    chosen = [entry for entry in content["references"].values() if entry != "N/A"]
    assert chosen
    assert all(len(entry["sha256"]) == 64 for entry in chosen)


def test_a_killed_run_resumes(tiny, tmp_path):
    workflow = make_workflow(tmp_path, tiny, from_nothing=True)
    for raw in sorted((tmp_path / "uncal").iterdir())[2:]:
        raw.unlink()
    command = [
        BIN / "snakemake", "--snakefile", ROOT / "Snakefile", "--workflow-profile",
        ROOT / "profiles" / "default", "--cores", "1", "detector1_all", "--configfile",
        workflow.config,
    ]  # fmt: skip
    process = subprocess.Popen(
        [str(word) for word in command], cwd=tmp_path, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("results/*/detector1/*_rate.fits")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "no product in two minutes"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    workflow.snakemake("--unlock")
    workflow.snakemake("detector1_all")
    for path in tmp_path.glob("results/*/detector1/*.fits"):
        with fits.open(path, checksum=True) as hdus:
            hdus.verify("exception")
    assert workflow.pending("detector1_all") == set()
