"""A dry run lists exactly the jobs that must run again, and says why."""

import shutil

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def names_of(jobs):
    """Return {(rule, what it is about)} without the targets, and what is about everything."""
    return {
        (job.rule, job.about)
        for job in jobs
        if job.rule not in ("all", "provenance", "summary") and not job.rule.endswith("_all")
    }


def exposures_of(workflow):
    return sorted(
        path.name.replace("_uncal.fits", "") for path in (workflow.folder / "uncal").iterdir()
    )


def product_of(workflow):
    (mosaic,) = workflow.folder.glob("results/*/image3/*_i2d.fits")
    return mosaic.name.replace("_i2d.fits", "")


def downstream_of_image2(product):
    pictures = {("quicklook", f"image3 {product}_i2d")}
    return pictures | {(rule, product) for rule in ("image3", "quicklook_segments", "footprint")}


def image2_jobs(roots):
    jobs = {("image2", root) for root in roots}
    return jobs | {
        ("quicklook", f"image2 {root}_{suffix}") for root in roots for suffix in ("cal", "i2d")
    }


def detector1_jobs(roots):
    return {("detector1", root) for root in roots} | {
        ("quicklook", f"detector1 {root}_rate") for root in roots
    }


@pytest.fixture
def workflow(finished):
    """The finished run; its configuration and raw files are put back afterwards."""
    config = finished.config.read_text()
    yield finished
    finished.config.write_text(config)


def test_nothing_to_do_after_a_run(workflow):
    assert workflow.pending() == set()


def test_an_option_of_detector1_reruns_everything_after_it_and_nothing_before(workflow):
    workflow.set(detector1__jump__rejection_threshold=6.5)
    roots, product = exposures_of(workflow), product_of(workflow)
    pending = workflow.pending()
    expected = detector1_jobs(roots) | image2_jobs(roots) | downstream_of_image2(product)
    assert names_of(pending) == expected
    reasons = {job.reason for job in pending if job.rule == "detector1"}
    assert all("Params have changed" in reason for reason in reasons), reasons


def test_an_option_of_image3_reruns_image3_alone(workflow):
    workflow.set(image3__source_catalog__snr_threshold=7.0)
    assert names_of(workflow.pending()) == downstream_of_image2(product_of(workflow))


def test_another_context_reruns_what_its_changed_files_touch(workflow):
    roots, product = exposures_of(workflow), product_of(workflow)
    pending = workflow.pending("--config", "crds_context=jwst_0002.pmap")
    expected = {("references", f"{root} image2") for root in roots}
    expected |= image2_jobs(roots) | downstream_of_image2(product)
    assert names_of(pending) == expected
    reasons = [job.reason for job in pending if job.rule == "references"]
    assert all("Params have changed" in reason for reason in reasons), reasons


def test_one_more_exposure_reruns_its_own_jobs_and_the_mosaic(workflow):
    (later,) = (workflow.folder / "later").iterdir()
    new = later.name.replace("_uncal.fits", "")
    product = product_of(workflow)
    added = workflow.folder / "uncal" / later.name
    shutil.copy(later, added)
    try:
        pending = names_of(workflow.pending())
    finally:
        added.unlink()
    expected = detector1_jobs([new]) | image2_jobs([new]) | downstream_of_image2(product)
    expected |= {("references", f"{new} {stage}") for stage in ("detector1", "image2")}
    tables = {job for job in pending if job[0] in ("pool", "association")}
    assert pending - tables == expected
    # the pool, the new exposure's association and the mosaic's association, no other
    assert sorted(rule for rule, _ in tables) == ["association", "association", "pool"]
