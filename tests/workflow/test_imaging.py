"""Imaging of every instrument: backgrounds, NIRISS, FGS, moving targets, colours, other modes."""

import numpy as np
import pytest
from astropy.io import fits

from programs import run
from working_copy import make_workflow

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

MADE_OF_A_MOSAIC = ("i2d.fits", "cat.ecsv", "segm.fits")


@pytest.fixture(scope="module")
def simulate(programs, tmp_path_factory):
    """Return a function that simulates a scenario and lays out a workflow of some exposures."""

    def make(scenario, *options, keep=lambda _: True):
        folder = tmp_path_factory.mktemp(scenario)
        command = ["calwebb-simulate", "run", "--scenario", scenario, *options, "--output-dir"]
        run([*command, folder / "made"])
        (folder / "run").mkdir()
        workflow = make_workflow(folder / "run", folder / "made")
        for path in (workflow.folder / "uncal").iterdir():
            if not keep(path.name):
                path.unlink()
        return workflow

    return make


def planned(workflow, *targets):
    """Return {rule: what its jobs are about} of a dry run."""
    found = {}
    for job in workflow.pending(*targets):
        found.setdefault(job.rule, set()).add(job.about)
    return found


def headers(workflow, pattern):
    (path,) = workflow.folder.glob(f"results/*/{pattern}")
    with fits.open(path) as hdus:
        return hdus[0].header, hdus["SCI"].data.copy()


def sources(workflow):
    (path,) = workflow.folder.glob("results/*/image3/*_cat.ecsv")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return len(lines) - 1


def test_miri_with_background_exposures(simulate):
    """Two exposures of a target and one of an empty field, from raw data to the catalog."""
    workflow = simulate(
        "background", "--exposures", "2",
        keep=lambda name: "_00001_" in name or "_02101_00002_" in name,
    )  # fmt: skip
    product = "results/01517/image3/jw01517-o001_t001_miri_f1280w-sub128"
    wanted = [f"{product}_{suffix}" for suffix in MADE_OF_A_MOSAIC]
    footprint = (
        wanted[0].replace("image3", "quicklook/image3", 1).replace("i2d.fits", "footprint.png")
    )
    targets = {f"jw01517001001_02101_0000{n}_mirimage" for n in (1, 2)}
    skies = {"jw01517001002_02102_00001_mirimage"}
    jobs = planned(workflow, *wanted, footprint)
    assert jobs["detector1"] == targets | skies
    assert jobs["image2"] == targets

    workflow.snakemake(*wanted, footprint)
    assert planned(workflow, *wanted, footprint) == {}
    header, data = headers(workflow, "image2/jw01517001001_02101_00001_mirimage_cal.fits")
    assert header["S_BKDSUB"] == "COMPLETE"
    assert abs(np.nanmedian(data)) < 5  # the sky has 35 MJy/sr
    header, _ = headers(workflow, "image3/*_i2d.fits")
    assert header["S_RESAMP"] == header["S_SRCCAT"] == "COMPLETE"
    assert sources(workflow) >= 5
    assert (workflow.folder / footprint).stat().st_size < 200_000

    workflow.set(image2__resample__skip=True)
    jobs = planned(workflow, "image2_all", "image3_all")
    assert jobs["image2_without_i2d"] >= targets
    assert "image2" not in jobs


def test_niriss(simulate):
    workflow = simulate("niriss-image", "--exposures", "3", keep=lambda name: "_02101_" in name)
    product = "results/01512/image3/jw01512-o001_t001_niriss_clear-f200w-sub128"
    wanted = [f"{product}_{suffix}" for suffix in MADE_OF_A_MOSAIC]
    assert len(planned(workflow, *wanted)["image2"]) == 3
    workflow.snakemake(*wanted)
    header, data = headers(workflow, "image3/*_i2d.fits")
    assert (header["INSTRUME"], header["PUPIL"]) == ("NIRISS", "F200W")
    assert np.isfinite(data).mean() > 0.5
    assert sources(workflow) >= 10


@pytest.mark.parametrize(
    ("scenario", "product", "members"),
    [
        ("fgs-image", "jw01513-o001_t001_fgs_clear-sub128cntr", 4),
        ("moving-target", "jw01516-o001_t001_nircam_clear-f200w-sub160", 4),
    ],
)
def test_what_guiders_and_moving_targets_will_make(simulate, scenario, product, members):
    workflow = simulate(scenario, "--groups", "2")  # only planned: what is in the ramps is not read
    jobs = planned(workflow)
    assert jobs["image3"] == jobs["footprint"] == jobs["quicklook_segments"] == {product}
    assert len(jobs["detector1"]) == len(jobs["image2"]) == members
    roots = {about.split()[1].rpartition("_")[0] for about in jobs["quicklook"]}
    assert roots == jobs["image2"] | {product}


def test_several_filters_make_a_colour_image(tiny, tmp_path):
    workflow = make_workflow(tmp_path, tiny)
    raw = sorted((workflow.folder / "uncal").iterdir())
    for path, name in zip(raw, ("F277W", "F356W", "F444W"), strict=False):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["FILTER"] = name
    jobs = planned(workflow)
    assert len(jobs["colour"]) == 1
    assert len(jobs["image3"]) == 4  # the last one stays as it was


@pytest.mark.parametrize(
    ("kind", "rule", "suffix"),
    [
        ("NRC_CORON", "image2_integrations", "calints"),
        ("NRC_TSIMAGE", "image2_integrations", "calints"),
        ("NRC_TACQ", "image2_without_i2d", "cal"),
        ("NRC_FOCUS", "image2_without_i2d", "cal"),
    ],
)
def test_images_that_no_mosaic_is_made_of(tiny, tmp_path, kind, rule, suffix):
    workflow = make_workflow(tmp_path, tiny)
    first, *others = sorted((workflow.folder / "uncal").iterdir())
    for path in others:
        path.unlink()
    with fits.open(first, mode="update") as hdus:
        hdus[0].header["EXP_TYPE"] = kind
    jobs = planned(workflow)
    root = first.name.removesuffix("_uncal.fits")
    assert jobs[rule] == {root}
    assert f"image2 {root}_{suffix}" in jobs["quicklook"]
    assert not {"image2", "image3", "footprint"} & set(jobs)
