"""A finished run of the workflow, made once."""

import shutil
from pathlib import Path

import pytest

from working_copy import Workflow, make_workflow


@pytest.fixture(scope="session")
def finished(tiny, once, tmp_path_factory) -> Workflow:
    """A run of the whole workflow on three of the four tiny exposures; tests may change it."""

    def make(folder: Path) -> None:
        workflow = make_workflow(folder, tiny)
        last = sorted((folder / "uncal").iterdir())[-1]
        (folder / "later").mkdir()
        last.rename(folder / "later" / last.name)
        workflow.snakemake()

    made = once("finished", make)
    copy = tmp_path_factory.mktemp("finished") / "run"
    shutil.copytree(made, copy, symlinks=True)
    return Workflow(copy, copy / "mine.yaml")
