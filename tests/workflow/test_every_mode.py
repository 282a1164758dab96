"""Associations of every mode in the workflow, and pools, rules and associations of the user's."""

import json
import re
import shutil

import pytest
from astropy.io import fits

from programs import run
from working_copy import jobs_of, make_workflow

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

IMAGE = {"EXP_TYPE": "NRC_IMAGE"}
GRISM = {"EXP_TYPE": "NRC_WFSS", "PUPIL": "GRISMR"}
SERIES = {"EXP_TYPE": "NRC_TSGRISM", "PUPIL": "GRISMR", "TSOVISIT": True}
CORONAGRAPHY = {
    "EXP_TYPE": "NRC_CORON", "FILTER": "F210M", "PUPIL": "MASKRND", "CHANNEL": "SHORT",
    "SUBARRAY": "FULL",
}  # fmt: skip


@pytest.fixture
def lay_out(tiny, tmp_path):
    """Return a function that lays out exposures with other keywords, one after another."""

    def make(*exposures, **settings):
        workflow = make_workflow(tmp_path, tiny)
        folder = workflow.folder / "uncal"
        first, *others = sorted(folder.iterdir())
        for path in others:
            path.unlink()
        template = tmp_path / "template.fits"
        first.rename(template)
        for number, keywords in enumerate(exposures, 1):
            add(workflow, template, number, keywords)
        workflow.set(**settings)
        return workflow

    template_name = sorted((tiny / "uncal").iterdir())[0].name

    def add(workflow, template, number, keywords):
        observation = keywords.get("OBSERVTN", "001")
        name = f"{template_name[:7]}{observation}{template_name[10:]}"
        name = re.sub(r"_\d{5}_", f"_{number:05d}_", name)
        path = workflow.folder / "uncal" / name
        shutil.copy(template, path)
        with fits.open(path, mode="update") as hdus:
            hdus[0].header.update({**keywords, "EXPOSURE": str(number)})

    make.add = add
    return make


def planned(workflow):
    """Return {rule: what its jobs are about} of a dry run, and all that it says."""
    done = workflow.snakemake("--dry-run")
    found = {}
    for job in jobs_of(done.stdout):
        found.setdefault(job.rule, set()).add(job.about)
    return found, done.stderr


def roots(workflow):
    return [path.name.split("_uncal")[0] for path in sorted((workflow.folder / "uncal").iterdir())]


def associations(workflow):
    """Return path and content of the associations that were written, by product and members."""
    found = {}
    for path in sorted(workflow.folder.glob("results/*/associations/*.json")):
        content = json.loads(path.read_text())
        (product,) = content["products"]
        found[content["asn_type"], product["name"], len(product["members"])] = path
    return found


def test_what_no_program_takes_yet_is_listed_and_its_associations_are_written(lay_out):
    workflow = lay_out(IMAGE, GRISM, SERIES)
    jobs, said = planned(workflow)
    image, grism, series = roots(workflow)
    assert "1 association of NRC_WFSS: calwebb-spec2 does not take them yet" in said
    assert "1 association of NRC_WFSS: calwebb-spec3 does not take them yet" in said
    assert jobs["detector1"] == {image, grism, series}
    assert jobs["image2"] == {image}
    assert jobs["spec2_integrations"] == {series}
    assert len(jobs["tso3"]) == 1
    assert "spec2" not in jobs
    assert "spec3" not in jobs

    workflow.snakemake("associations_all")
    found = associations(workflow)
    kinds = sorted(kind for kind, _, _ in found)
    assert kinds == ["image2", "image3", "spec2", "spec3", "tso-spec2", "tso3"]
    content = json.loads(found["spec2", grism, 4].read_text())
    parts = {member["exptype"]: member["expname"] for member in content["products"][0]["members"]}
    (mosaic,) = jobs["image3"]
    assert parts == {
        "science": f"{grism}_rate.fits",
        "direct_image": f"{mosaic}_i2d.fits",
        "sourcecat": f"{mosaic}_cat.ecsv",
        "segmap": f"{mosaic}_segm.fits",
    }


def test_full_frames_of_coronagraphs_become_cubes_and_images_side_by_side(lay_out):
    workflow = lay_out(CORONAGRAPHY, CORONAGRAPHY)
    jobs, _ = planned(workflow)
    assert jobs["image2_integrations"] == jobs["image2_without_i2d"] == set(roots(workflow))
    assert "image2" not in jobs
    (mosaic,) = jobs["image3"]
    assert mosaic.endswith("-image3")
    (asked,) = {job.about for job in workflow.pending("associations_all") if job.rule == "pool"}
    workflow.snakemake("associations_all")
    kinds = [kind for kind, _, _ in associations(workflow)]
    assert kinds.count("image3") == 1
    assert len(list(workflow.folder.glob(f"results/{asked}/associations/*_image2_*.json"))) == 4


def test_exposures_of_another_mode_leave_associations_as_they_are(lay_out):
    workflow = lay_out(IMAGE, IMAGE, GRISM)
    workflow.snakemake("associations_all")
    before = {path: path.read_bytes() for path in associations(workflow).values()}
    times = {path: path.stat().st_mtime_ns for path in before}
    template = workflow.folder / "template.fits"
    lay_out.add(workflow, template, 1, {**SERIES, "OBSERVTN": "002"})
    lay_out.add(workflow, template, 2, {**CORONAGRAPHY, "OBSERVTN": "003"})
    pending = {job.about for job in workflow.pending("associations_all")}
    assert not {path.stem for path in before} & pending
    workflow.snakemake("associations_all")
    assert len(associations(workflow)) > len(before)
    assert {path: path.read_bytes() for path in before} == before
    assert {path: path.stat().st_mtime_ns for path in before} == times


def test_a_pool_of_the_users_own_takes_the_place_of_the_headers(lay_out):
    workflow = lay_out(IMAGE, {**IMAGE, "OBSERVTN": "002"}, IMAGE)
    pool = workflow.folder / "mine.csv"
    run(["calwebb-pool", workflow.folder / "uncal", "-o", pool])
    lines = pool.read_text().splitlines()
    text = "\n".join((*lines[:-2], lines[-1])).replace(
        "'observation')]", "'observation'), ('c1000', 'mosaic')]"
    )
    pool.write_text(f"{text}\n")
    workflow.set(pool="mine.csv")
    jobs, said = planned(workflow)
    assert any("-c1000_t000_" in name for name in jobs["image3"])
    assert len(jobs["detector1"]) == 3
    assert "1 exposure not in mine.csv: in no association made by rules" in said

    workflow.snakemake("associations_all")
    (copy,) = workflow.folder.glob("results/*/pool.csv")
    assert copy.read_text() == pool.read_text()
    assert not list(workflow.pending("associations_all"))
    pool.write_text(pool.read_text().replace("'c1000', 'mosaic'", "'c1001', 'mosaic'"))
    pending = workflow.pending("associations_all")
    new = {job.about for job in pending if job.rule == "association"}
    assert new
    assert all("-c1001_" in name for name in new)


def test_associations_of_the_users_own_replace_those_of_the_rules(lay_out):
    workflow = lay_out(IMAGE, IMAGE, IMAGE)
    workflow.snakemake("associations_all")
    made = {kind: path for (kind, _, _), path in associations(workflow).items()}
    content = json.loads(made["image3"].read_text())
    product = content["products"][0]["name"]
    content["products"][0]["members"].pop()
    folder = workflow.folder / "mine"
    folder.mkdir()
    (folder / "two_asn.json").write_text(json.dumps(content))
    free = {**content, "products": [{**content["products"][0], "name": "my_mosaic"}]}
    (folder / "free_asn.json").write_text(json.dumps(free))
    workflow.set(associations=["mine"])
    jobs, _ = planned(workflow)
    assert jobs["image3"] == {product, "my_mosaic"}
    assert jobs["own_association"] == {"two_asn", "free_asn"}
    workflow.snakemake("associations_all")
    (copy,) = workflow.folder.glob("results/*/associations/two_asn.json")
    assert copy.read_text() == (folder / "two_asn.json").read_text()
    workflow.set(default_rules=False)
    jobs, said = planned(workflow)
    assert "image3" not in jobs
    assert "2 associations of members _cal that nothing makes" in said


def test_rules_and_candidates_of_the_users_own(lay_out):
    workflow = lay_out(IMAGE, {**IMAGE, "OBSERVTN": "002"})
    workflow.set(candidates=["o001"])
    jobs, _ = planned(workflow)
    assert len(jobs["image3"]) == 1
    workflow.set(candidates=[], discover=True)
    jobs, _ = planned(workflow)
    assert any("-a3001_" in name for name in jobs["image3"])
    rules = workflow.folder / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "Mine"\nmakes = "image2"\nsentence = "An image."\n'
        'exp_type = "nrc_image"\n'
    )
    workflow.set(discover=False, rules="rules.toml", default_rules=False)
    jobs, _ = planned(workflow)
    assert len(jobs["image2"]) == 2
    assert "image3" not in jobs


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"pool": "absent.csv"}, "absent.csv"),
        ({"associations": ["absent"]}, "absent: no such file or folder of associations"),
        ({"associations": ["uncal"]}, "uncal: no association; expected files named *_asn.json"),
        ({"candidates": ["o777"]}, "candidates: no exposure belongs to o777; expected one of o001"),
        ({"candidates": ["first"]}, "candidates"),
        ({"rules": "absent.toml"}, "absent.toml"),
        ({"default_rule": False}, "unknown key default_rule; did you mean default_rules?"),
    ],
)
def test_what_is_wrong_with_them_is_said(lay_out, settings, sentence):
    workflow = lay_out(IMAGE)
    workflow.set(**settings)
    done = workflow.snakemake("--dry-run", check=False)
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.realdata
def test_programs_of_every_mode_are_planned(realdata, programs, tmp_path):
    """Raw files of all observing modes under the real rules of reference files."""
    made = tmp_path / "made"
    run(["calwebb-simulate", "programs", "--exposures", "400", "--output-dir", made])
    cache = tmp_path / "crds_cache"
    shutil.copytree(realdata / "crds_cache" / "config", cache / "config")
    (cache / "mappings").symlink_to(realdata / "crds_cache" / "mappings")
    workflow = make_workflow(tmp_path, made)
    kinds = {"area", "dark", "flat"}
    workflow.set(
        crds_path=str(cache), crds_context="jwst_9676.pmap", crds_parameters=False,
        overrides=dict.fromkeys(sorted(kinds | every_type()), "N/A"),
    )  # fmt: skip
    jobs, said = planned(workflow)
    for name in ("coron3", "ami3"):
        assert f"calwebb-{name} makes no products yet" in said
    for name in ("MIR_MRS", "NRS_IFU", "NIS_SOSS"):
        assert f"of {name}: calwebb-spec2 does not take them yet" in said
    for rule in ("spec2", "spec2_integrations", "spec3", "spec3_sources", "tso3", "tso3_images"):
        assert jobs[rule], rule
    # names of sources are not known yet: their folder stands for them
    assert all("-sources_" in name and "-slits" in name for name in jobs["spec3_sources"])
    assert jobs["quicklook_folder"] == jobs["spec3_sources"]
    assert len(jobs["detector1"]) > 300
    assert len(jobs["association"]) > 300
    assert jobs["image2_integrations"]


def every_type():
    """Return all types of reference files that the programs load."""
    from calwebb_associate.pipelines import NIRSPEC_OPTICS, REFERENCE_TYPES

    return {kind for kinds in REFERENCE_TYPES.values() for kind in kinds} | set(NIRSPEC_OPTICS)
