"""Time series of spectra in the workflow: from raw segments to the light curve and its picture."""

import json
import shutil

import pytest
import yaml
from astropy.table import QTable

from programs import ROOT, run
from working_copy import Workflow, jobs_of, make_workflow

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

SCENARIO = ROOT / "simulator/src/calwebb_simulator/scenarios/lrs-slitless.yaml"
INTEGRATIONS = 12
SERIES = ("spec2_integrations", "quicklook_series", "tso3", "quicklook_light_curve")


@pytest.fixture(scope="module")
def transit(programs, once):
    """A simulated transit in three short segments, to be read."""

    def make(folder):
        scenario = yaml.safe_load(SCENARIO.read_text())
        scenario["exposures"][0] |= {"integrations": INTEGRATIONS, "groups": 5}
        path = folder / "transit.yaml"
        path.write_text(yaml.safe_dump(scenario))
        run(["calwebb-simulate", "run", "-q", "--scenario", path, "--output-dir", folder])

    return once("transit", make)


@pytest.fixture(scope="module")
def done(transit, once, tmp_path_factory):
    """A finished run; tests may change it."""

    def make(folder):
        make_workflow(folder, transit).snakemake()

    made = once("transit_run", make)
    copy = tmp_path_factory.mktemp("series") / "run"
    shutil.copytree(made, copy, symlinks=True)
    return Workflow(copy, copy / "mine.yaml")


def rules_of(jobs):
    """Return how many jobs there are of each rule."""
    rules = [job.rule for job in jobs]
    return {rule: rules.count(rule) for rule in rules}


def test_every_job_is_known_before_anything_runs(transit, tmp_path):
    workflow = make_workflow(tmp_path, transit)
    done = workflow.snakemake("--dry-run")
    counts = rules_of(workflow.pending())
    assert counts["detector1"] == counts["spec2_integrations"] == counts["quicklook_series"] == 3
    assert counts["quicklook_map"] == 4
    assert counts["tso3"] == counts["quicklook_light_curve"] == counts["summary"] == 1
    assert "spec2" not in counts
    assert "Not available yet" not in done.stderr


def test_segments_become_one_light_curve(done):
    (curve,) = done.folder.glob("results/*/tso3/*_whtlt.ecsv")
    table = QTable.read(curve, format="ascii.ecsv")
    assert len(table) == INTEGRATIONS
    times = list(table["MJD_UTC"])
    assert times == sorted(times)
    name = curve.name.removesuffix("_whtlt.ecsv")
    flagged = done.folder.glob(f"results/*/tso3/{name}_crfints/*.fits")
    assert [path.name.split("-")[1][:6] for path in sorted(flagged)] == [
        "seg001", "seg002", "seg003",
    ]  # fmt: skip
    (folder,) = done.folder.glob("results/*/quicklook/tso3")
    assert {path.name for path in folder.iterdir()} == {
        f"{name}_whtlt.png", f"{name}_x1dints.png",
    }  # fmt: skip


def test_the_summary_shows_the_light_curve(done):
    (page,) = done.folder.glob("results/*/report/*_summary.html")
    text = page.read_text()
    assert "_whtlt.png" in text
    assert "failed" not in text.partition("<body")[2].partition("How it was made")[0].lower()


def test_provenance_knows_every_product(done):
    (crate,) = done.folder.glob("results/*/ro-crate-metadata.json")
    names = {item["@id"] for item in json.loads(crate.read_text())["@graph"]}
    assert any(name.endswith("_whtlt.ecsv") for name in names)
    flagged = [name for name in names if name.endswith("_crfints.fits") and name[0] != "#"]
    assert len(flagged) == 3


def test_nothing_is_left_to_do_and_an_option_runs_what_it_concerns(done):
    assert not done.pending()
    done.set(tso3__white_light__min_wavelength=6.0)
    rules = {job.rule for job in done.pending()}
    assert "tso3" in rules
    assert not rules & {"detector1", "spec2_integrations"}


def test_a_missing_segment_is_named(transit, tmp_path):
    workflow = make_workflow(tmp_path, transit)
    (lost,) = (workflow.folder / "uncal").glob("*-seg002_*")
    lost.unlink()
    done = workflow.snakemake("--dry-run")
    assert "1 of its 3 segments missing among the raw exposures" in done.stderr
    assert lost.name in done.stderr
    assert "1 association of " in done.stderr
    assert "of which segments are missing" in done.stderr
    counts = rules_of(jobs_of(done.stdout))
    assert counts["spec2_integrations"] == 2
    assert "tso3" not in counts


def test_what_a_left_out_step_makes_is_not_expected(transit, tmp_path):
    workflow = make_workflow(tmp_path, transit)
    workflow.set(tso3__white_light__skip=True)
    counts = rules_of(workflow.pending())
    assert "quicklook_light_curve" not in counts
    assert counts["quicklook_map"] == 4
