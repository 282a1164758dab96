"""With which jobs a scheduler gets one: those of its exposure, and no chain of exposures."""

from types import SimpleNamespace

import pytest

from calwebb_associate.association_jobs import AssociationJobs
from calwebb_associate.workflow import Run


def jobs(**values):
    item = {"file_name": "a.json", "pipeline": "calwebb-image2", "products": ("x",)}
    item |= {"available": True} | values
    return AssociationJobs("results", SimpleNamespace(associations=[SimpleNamespace(**item)]))


def test_an_association_goes_with_its_reader():
    assert jobs().group("a") == "image2"


@pytest.mark.parametrize("values", [{"available": False}, {"products": ("x", "y")}])
def test_associations_without_one_reader_go_together(values):
    assert jobs(**values).group("a") == "associations"


@pytest.mark.parametrize("rule", ["references", "detector1", "quicklook"])
def test_all_jobs_of_an_exposure_go_together(rule):
    run = SimpleNamespace(handover=None)
    assert {Run.group(run, pipeline, rule) for pipeline in ("detector1", "image2")} == {
        "detector1", "image2",
    }  # fmt: skip


def test_exposures_in_turn_are_no_single_submission():
    run = SimpleNamespace(handover=object())
    found = {rule: Run.group(run, "detector1", rule) for rule in ("references", "detector1")}
    assert found == {"references": "references", "detector1": None}
    assert Run.group(run, "image2", "references") == "image2"


@pytest.mark.parametrize("said", [True, False])
def test_series_that_are_not_whole_are_named_at_the_end(said, caplog):
    gap = "jw1: 1 of its 3 segments missing among the raw exposures: jw1-seg002_uncal.fits"
    run = Run.__new__(Run)
    run.plan = SimpleNamespace(not_available=("4 exposures of darks", gap), incomplete=(gap,))
    run._said = False
    if said:
        run.say_what_is_missing()
        caplog.clear()
    run.say_at_the_end()
    assert gap in caplog.text
    assert ("4 exposures of darks" in caplog.text) is not said
    assert ("Left without light curve: jw1" in caplog.text) is said
