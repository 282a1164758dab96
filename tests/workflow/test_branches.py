"""Darks, guide-star data and files of options in the workflow."""

import json
import shutil

import asdf
import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.products import write_raw
from calwebb_simulator.references.crds import Cache, Rules, mapping_checksum
from working_copy import make_workflow

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

CONTEXT = 1
GUIDE = "jw09999001001_gs-acq1_2026117003102"
SIZE = 8


def write_options(path, threshold):
    """Write a file of options of the jump search."""
    tree = {
        "class": "jwst.jump.JumpStep", "name": "jump",
        "parameters": {"rejection_threshold": threshold, "maximum_cores": "half"},
    }  # fmt: skip
    asdf.AsdfFile(tree).write_to(path)


def change_mapping(path, old, new):
    """Replace words of a mapping and bring its checksum up to date."""
    text = path.read_text()
    assert old in text
    text = text.replace(old, new)
    before = text.split("'sha1sum' : '")[1].split("'")[0]
    path.write_text(text.replace(before, mapping_checksum(text)))


def extend_cache(folder):
    """Add guide-star references and options of the jump search to a cache; return the latter."""
    nircam = Cache(folder, "NIRCAM")
    options = nircam.references / "jwst_nircam_pars-jumpstep_0001.asdf"
    write_options(options, 4.5)
    rules = nircam._rmap("pars-jumpstep", {("NRC_IMAGE",): options.name}, CONTEXT)
    imap = f"jwst_nircam_{CONTEXT:04d}.imap"
    change_mapping(
        nircam.mappings / imap, "'PARS-JUMPSTEP' : 'N/A'", f"'PARS-JUMPSTEP' : '{rules}'"
    )
    fgs, chosen = Cache(folder, "FGS"), Rules("FGS")
    for kind, value in (("gain", 2.0), ("readnoise", 5.0)):
        path = fgs.new_reference(kind)
        primary = fits.PrimaryHDU()
        primary.header.update(
            REFTYPE=kind.upper(), INSTRUME="FGS", DETECTOR="GUIDER1", SUBSTRT1=1, SUBSTRT2=1,
            SUBSIZE1=SIZE, SUBSIZE2=SIZE,
        )  # fmt: skip
        image = fits.ImageHDU(np.full((SIZE, SIZE), value, np.float32), name="SCI")
        fits.HDUList([primary, image]).writeto(path)
        chosen.add(kind, {"META.INSTRUMENT.DETECTOR": "GUIDER1"}, path.name)
    pmap = fgs.mappings / f"jwst_{CONTEXT:04d}.pmap"
    text = pmap.read_text()
    fgs._write_context(CONTEXT, chosen)
    pmap.write_text(text)
    change_mapping(pmap, f"'{imap}'", f"'{imap}',\n    'FGS' : '{imap.replace('nircam', 'fgs')}'")
    return options


def write_guide_star(folder):
    """Write raw data of an acquisition."""
    data = np.full((3, 2, SIZE, SIZE), 9000, np.uint16)
    data[:, 1] += 40
    keywords = {
        "INSTRUME": "FGS", "DETECTOR": "GUIDER1", "EXP_TYPE": "FGS_ACQ1", "TGROUP": 0.25,
        "DATE-OBS": "2023-05-01", "TIME-OBS": "12:00:00.000", "NINTS": 3, "NGROUPS": 2,
        "NFRAMES": 1, "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": SIZE, "SUBSIZE2": SIZE,
        "PROGRAM": "09999", "OBSERVTN": "001", "SUBARRAY": "8X8",
    }  # fmt: skip
    write_raw(folder / f"{GUIDE}_uncal.fits", Metadata(keywords, GUIDE), data)


@pytest.fixture(scope="module")
def branches(tiny, tmp_path_factory):
    """One science exposure, a dark and guide-star data; nothing is made yet."""
    workflow = make_workflow(tmp_path_factory.mktemp("branches"), tiny)
    folder = workflow.folder / "uncal"
    first, *others = sorted(folder.iterdir())
    for path in others:
        path.unlink()
    dark = folder / first.name.replace("_00001_", "_00009_")
    assert dark != first
    with fits.open(first, memmap=False) as hdus:
        hdus[0].header["EXP_TYPE"] = "NRC_DARK"
        hdus.writeto(dark)
    write_guide_star(folder)
    cache = workflow.folder / "crds_cache"
    shutil.copytree(tiny / "crds_cache", cache)
    options = extend_cache(cache)
    workflow.set(crds_path=str(cache))
    return workflow, first.name[: -len("_uncal.fits")], dark.name[: -len("_uncal.fits")], options


def stage1(jobs):
    rules = ("detector1", "dark", "guider", "references")
    return {(job.rule, job.about) for job in jobs if job.rule in rules}


def metadata_of(path):
    """Return the text of a product's ASDF extension."""
    with fits.open(path) as hdus:
        return hdus["ASDF"].data.tobytes().decode("utf-8", "replace")


def test_every_branch_is_planned(branches):
    workflow, science, dark, _ = branches
    assert {job for job in stage1(workflow.pending()) if "image" not in job[1]} == {
        ("detector1", science), ("references", f"{science} detector1"),
        ("dark", dark), ("references", f"{dark} dark"),
        ("guider", GUIDE), ("references", f"{GUIDE} guider"),
    }  # fmt: skip


def test_every_branch_runs_once_and_again_when_its_options_change(branches):
    workflow, science, dark, options = branches
    targets = ("detector1_all", "dark_all", "guider_all")
    workflow.snakemake(*targets)
    (folder,) = workflow.folder.glob("results/*/detector1/*_rate.fits")
    folder = folder.parent
    rates = fits.getdata(next(workflow.folder.glob(f"results/*/detector1/{GUIDE}_cal.fits")))
    np.testing.assert_array_equal(rates, np.full((3, SIZE, SIZE), 160.0))
    assert fits.getheader(folder / f"{dark}_dark.fits")["S_LINEAR"] == "COMPLETE"
    assert metadata_of(folder / f"{science}_rate.fits").count("rejection_threshold: 4.5") == 2
    assert stage1(workflow.pending(*targets)) == set()
    listed = json.loads((folder.parent / "references" / f"{science}_detector1.json").read_text())
    assert listed["references"]["pars-jumpstep"]["name"] == options.name
    assert "pars-ipcstep" not in listed["references"]

    write_options(options, 5.5)
    mine = {("references", f"{science} detector1"), ("detector1", science)}
    assert stage1(workflow.pending(*targets)) == mine
    workflow.snakemake(*targets)
    assert metadata_of(folder / f"{science}_rate.fits").count("rejection_threshold: 5.5") == 2

    workflow.set(crds_parameters=False)
    assert mine <= stage1(workflow.pending(*targets))
    workflow.set(crds_parameters=True, dark__refpix__skip=True)
    assert stage1(workflow.pending(*targets)) == {("dark", dark)}
