"""What the rules hand to a shell is quoted: a folder's name is a word, whatever it holds."""

import re

import pytest

from programs import ROOT
from working_copy import make_workflow

RULES = sorted((ROOT / "rules").glob("*.smk"))
# Numbers, and options that are quoted where they are made (shlex.quote).
PLAIN = {"threads", "params.options", "params.steps"}
NAME = "a folder; $(touch hacked) `touch hacked` 'of' \"mine\" & more"


def words_of(path):
    """Yield the words that a rule file fills in in its shell commands."""
    inside = False
    for line in path.read_text().splitlines():
        if line.strip() == "shell:":
            inside = True
        elif inside and line.strip()[:1] in ('"', "'"):
            yield from re.findall(r"\{([^{}]+)\}", line)
        else:
            inside = False


def test_words_are_quoted():
    found = [(path.name, word) for path in RULES for word in words_of(path)]
    assert len(found) > 40
    assert not [item for item in found if item[1] not in PLAIN and not item[1].endswith(":q")]


@pytest.mark.slow
@pytest.mark.workflow
def test_a_folders_name_is_not_run(tiny, tmp_path):
    folder = tmp_path / NAME
    folder.mkdir()
    workflow = make_workflow(folder, tiny)
    done = workflow.snakemake("detector1_all")
    assert list(folder.rglob("*_rate.fits")), done.stderr
    assert not list(tmp_path.rglob("hacked*"))
    assert not (ROOT / "hacked").exists()
