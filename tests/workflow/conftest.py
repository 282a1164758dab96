"""A finished run of the workflow, made once."""

import pytest

from working_copy import Workflow, make_workflow


@pytest.fixture(scope="session")
def finished(tiny, tmp_path_factory) -> Workflow:
    """A run of the whole workflow on three of the four tiny exposures."""
    workflow = make_workflow(tmp_path_factory.mktemp("run"), tiny)
    last = sorted((workflow.folder / "uncal").iterdir())[-1]
    (workflow.folder / "later").mkdir()
    last.rename(workflow.folder / "later" / last.name)
    workflow.snakemake()
    return workflow
