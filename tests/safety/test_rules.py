"""What the rules hand to a shell is quoted: a folder's name is a word, whatever it holds."""

import re
from pathlib import Path

import pytest

from calwebb_associate.given_paths import check_files, check_given
from calwebb_core.framework.errors import InputError
from programs import ROOT
from working_copy import make_workflow

RULES = sorted((ROOT / "rules").glob("*.smk"))
# Numbers, and options that are quoted where they are made (shlex.quote).
PLAIN = {"threads", "params.options", "params.steps"}
# What the shell fills in by itself, such as ${name%_s2d.fits}; Snakemake wants braces doubled.
OF_THE_SHELL = re.compile(r"\$\{\{[^{}]+\}\}")
NAME = "a folder; $(touch hacked) `touch hacked` 'of' \"mine\" & more"


def commands_of(path):
    """Yield the lines of a rule file's shell commands."""
    inside = False
    for line in path.read_text().splitlines():
        if line.strip() == "shell:":
            inside = True
        elif inside and line.strip()[:1] in ('"', "'"):
            yield line
        else:
            inside = False


def words_of(path):
    """Yield the words that a rule file fills in in its shell commands."""
    for line in commands_of(path):
        yield from re.findall(r"\{([^{}]+)\}", OF_THE_SHELL.sub("", line))


def test_words_are_quoted():
    found = [(path.name, word) for path in RULES for word in words_of(path)]
    assert len(found) > 40
    assert not [item for item in found if item[1] not in PLAIN and not item[1].endswith(":q")]


def test_what_the_shell_fills_in_is_quoted():
    lines = [line for path in RULES for line in commands_of(path)]
    found = [line[match.start() - 1] for line in lines for match in OF_THE_SHELL.finditer(line)]
    assert found
    assert set(found) == {'"'}


@pytest.mark.slow
@pytest.mark.workflow
def test_names_are_not_run(tiny, tmp_path):
    folder = tmp_path / NAME
    folder.mkdir()
    workflow = make_workflow(folder, tiny)
    uncal = "un; touch hacked; #%2e%2e -rf ~"
    (folder / "uncal").rename(folder / uncal)
    mask = "m'; touch hacked $(touch hacked) `x` \"&"
    (folder / mask).touch()
    workflow.set(
        uncal=uncal,
        results="re $(touch hacked) 'é' .. %s",
        logs='lo `touch hacked` "日本" * ? [a]',
        detector1__clean_flicker_noise={"user_mask": mask},
    )
    done = workflow.snakemake("detector1_all")
    assert list(folder.rglob("*_rate.fits")), done.stderr
    assert not list(tmp_path.rglob("hacked*"))
    assert not (ROOT / "hacked").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"results": "-rf"}, r"config: results -rf: begins with -, as options do"),
        ({"uncal": "--post-hook=jump=touch hacked"}, "config: uncal --post-hook.* begins with -"),
        ({"uncal": ["a", "-b"]}, "config: uncal -b: begins with -"),
        ({"logs": "a\nb"}, r"config: logs a\\x0ab: has line breaks or other control"),
        ({"pool": "a\x1b[2J"}, r"config: pool a\\x1b\[2J: has line breaks"),
        ({"associations": ["\u202e"]}, r"config: associations \\u202e: has line breaks"),
        ({"overrides": {"gain": "-x"}}, "config: overrides.gain -x: begins with -"),
        ({"results": "a{exposure}b"}, r"config: results is 'a\{exposure\}b': rules fill in"),
    ],
)
def test_paths_that_commands_take_for_something_else(changes, message):
    config = dict.fromkeys(("results", "logs", "uncal", "pool", "rules", "crds_path"), "x")
    config |= {"associations": [], "overrides": {}}
    check_given(config)
    with pytest.raises(InputError, match=message):
        check_given(config | changes)


def test_raw_exposures_that_commands_take_for_options():
    check_files(["a/-b/jw_uncal.fits", Path("é 日本 $(x)/jw_uncal.fits")])
    with pytest.raises(InputError, match=r"raw exposure --post-hook=.* begins with -"):
        check_files([Path("--post-hook=dq_init=touch hacked", "jw_uncal.fits")])
    with pytest.raises(InputError, match=r"raw exposure a\\x0ab/x: has line breaks"):
        check_files([Path("a\nb", "x")])
