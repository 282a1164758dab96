"""What the workflow says to wrong configuration and input, before any job runs."""

import shutil

import pytest

from programs import ROOT
from working_copy import make_workflow

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture
def workflow(tiny, tmp_path):
    return make_workflow(tmp_path, tiny)


def refusal(workflow, *words):
    done = workflow.snakemake("--dry-run", *words, check=False)
    assert done.returncode != 0
    return done.stderr + done.stdout


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("uncall", "x", "unknown key uncall; did you mean uncal?"),
        ("detector1__jmp", {}, "unknown key detector1.jmp; did you mean jump?"),
        ("detector1__jump__treshold", 3, "unknown key detector1.jump.treshold"),
        ("detector1__jump__rejection_threshold", "high", "detector1.jump.rejection_threshold"),
        ("crds_context", "latest", "crds_context"),
        ("uncal", "nowhere", "nowhere: no such file or folder"),
    ],
)
def test_wrong_configuration(workflow, key, value, sentence):
    workflow.set(**{key: value})
    text = refusal(workflow)
    assert sentence in text
    assert "Traceback" not in text


def test_a_file_name_that_does_not_fit_is_named(workflow):
    first = sorted((workflow.folder / "uncal").iterdir())[0]
    first.rename(first.with_name("myfield_uncal.fits"))
    assert "myfield_uncal.fits" in refusal(workflow)


def test_a_missing_reference_file_is_named(workflow):
    workflow.set(overrides={"gain": "absent_gain.fits"})
    assert "absent_gain.fits is missing" in refusal(workflow)


def test_missing_images_are_named_with_the_command(workflow, tmp_path):
    copy = tmp_path / "copy"
    for name in ("rules", "schemas"):
        shutil.copytree(ROOT / name, copy / name)
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, copy)
    text = refusal(workflow, "--sdm", "apptainer", "--snakefile", copy / "Snakefile")
    assert "container images are missing: containers/associate-" in text
    assert "containers/build.sh associate detector1 image2 level3" in text
    assert "Traceback" not in text


def test_an_unknown_target_is_named(workflow):
    assert "mosaic_all" in refusal(workflow, "mosaic_all")
