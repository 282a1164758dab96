"""Snakemake's own linter finds nothing; rule files stay short."""

import pytest

from programs import ROOT
from working_copy import make_workflow

pytestmark = pytest.mark.workflow


def test_lint(tiny, tmp_path):
    done = make_workflow(tmp_path, tiny).snakemake("--lint")
    assert "Congratulations" in done.stdout + done.stderr


def test_rule_files_are_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 60
    for path in (ROOT / "rules").iterdir():
        assert len(path.read_text().splitlines()) < 150, path.name
