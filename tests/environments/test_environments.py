"""What stages ask for (.in), what is pinned (.lock) and what conda users get (.yaml) agree."""

import importlib.util
import os
import re

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from programs import BIN, ROOT, run
from working_copy import make_workflow

ENVS = ROOT / "envs"
SPEC = importlib.util.spec_from_file_location("conda", ENVS / "conda.py")
conda = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(conda)
RULES = sorted((ROOT / "rules").glob("*.smk"))
LOCKED = sorted(path.stem for path in ENVS.glob("*.lock"))


def wanted(name):
    """Requirements of an .in file and of those that it includes."""
    for line in (ENVS / name).read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from wanted(text[3:])
        elif text:
            yield Requirement(text)


def pinned(name):
    """Version of every library of a lock file, and its hashes."""
    for line in conda.requirements((ENVS / f"{name}.lock").read_text()):
        text, *hashes = line.split(" --hash=")
        requirement = Requirement(text)
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", line
        yield canonicalize_name(requirement.name), specifier.version, hashes


def versions(name):
    found = {}
    for library, version, _ in pinned(name):
        found.setdefault(library, set()).add(version)
    return found


@pytest.mark.parametrize("name", LOCKED)
def test_every_requirement_is_met_by_the_lock(name):
    locked = versions(name)
    for requirement in wanted(f"{name}.in"):
        found = locked.get(canonicalize_name(requirement.name), set())
        assert found, f"{name}.lock lacks {requirement}: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in found), requirement


@pytest.mark.parametrize("name", LOCKED)
def test_every_file_has_its_hash(name):
    for library, version, hashes in pinned(name):
        assert hashes, f"{library} {version}"
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", item) for item in hashes)


@pytest.mark.parametrize("name", [*conda.STAGES, "workflow"])
def test_all_environments_have_the_same_versions(name):
    """Products must not depend on which environment a stage was in."""
    everything = versions("test")
    assert {library: everything.get(library) for library in versions(name)} == versions(name)


@pytest.mark.parametrize("stage", conda.STAGES)
def test_conda_installs_what_is_locked(stage):
    content = yaml.safe_load((ENVS / f"{stage}.yaml").read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    python, pip, section = content["dependencies"]
    assert (python, pip) == (f"python={conda.PYTHON}", "pip")
    assert section == {"pip": conda.requirements((ENVS / f"{stage}.lock").read_text())}


@pytest.mark.parametrize("stage", conda.STAGES)
def test_written_files_are_up_to_date(stage):
    for path, content in conda.files(stage).items():
        assert path.read_text() == content, f"{path.name} is out of date: run `make lock`"
        assert str(ROOT) not in content


def test_python_is_that_of_the_images():
    definition = (ROOT / "containers" / "detector1.def").read_text()
    assert f"FROM=python:{conda.PYTHON}-" in definition


@pytest.mark.parametrize(
    "rules", sorted((ROOT / "rules").glob("*.smk")), ids=lambda path: path.stem
)
def test_each_job_has_an_image_and_an_environment_of_one_stage(rules):
    text = rules.read_text()
    images = re.findall(r'^ +container:\n +image\("(\w+)"\)$', text, re.MULTILINE)
    environments = re.findall(r'^ +conda:\n +environment\("(\w+)"\)$', text, re.MULTILINE)
    assert images == environments
    assert set(images) <= conda.STAGES.keys()


@pytest.mark.workflow
@pytest.mark.slow
def test_plan_with_conda_lists_the_environments(tiny, tmp_path):
    """conda itself need not be there: a stand-in answers what Snakemake asks before a plan."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "conda").write_text(STAND_IN)
    (tools / "conda").chmod(0o755)
    workflow = make_workflow(tmp_path, tiny)
    command = ["snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", workflow.config,
               "--workflow-profile", ROOT / "profiles" / "default", "--cores", "1", "--dry-run",
               "--sdm=conda"]  # fmt: skip
    path = f"{tools}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
    said = run(command, cwd=tmp_path, PATH=path)
    for stage in ("associate", "detector1", "image2", "level3"):
        assert f"{stage}.yaml" in said.stdout + said.stderr


STAND_IN = """#!/bin/sh
case "$*" in
  *--version*) echo "conda 25.9.1" ;;
  *channel_priority*) echo '{"get": {"channel_priority": "strict"}}' ;;
  *) echo '{"conda_version": "25.9.1", "conda_prefix": "/nowhere", "platform": "linux-64",
            "envs": [], "root_prefix": "/nowhere", "channel_priority": "strict"}' ;;
esac
"""
