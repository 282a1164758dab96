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
