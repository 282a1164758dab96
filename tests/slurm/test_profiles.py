"""Profiles are explained line by line, and agree with the rules."""

import re

import pytest
import yaml

from programs import ROOT

PROFILES = sorted((ROOT / "profiles").glob("*/config.yaml"))
GROUPS = {
    "detector1", "dark", "guider", "image2", "spec2", "image3", "spec3", "tso3", "associations",
    "references", "quicklook",
}  # fmt: skip
RULE = re.compile(r"^ *rule (\w+):\n((?: +.*\n|\n)*?)(?=^\S|\Z|^ *rule |^ *use )", re.MULTILINE)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_settings_are_explained(path):
    lines = path.read_text().splitlines()
    assert isinstance(yaml.safe_load(path.read_text()), dict)
    assert lines[0].startswith("# ")
    comments = sum(line.lstrip().startswith("#") for line in lines)
    settings = [line for line in lines if re.match(r"[a-z-]+:", line)]
    if path.parent.name != "cluster-generic":  # the others are explained in profiles/slurm
        assert comments >= len(settings)


@pytest.mark.parametrize("name", ["slurm", "cluster-generic"])
def test_groups_are_those_of_the_rules(name):
    profile = yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())
    assert set(profile["group-components"]) == GROUPS
    assert profile["retries"] >= 1


def test_every_rule_says_memory_and_time():
    rules = {
        name: body
        for path in (ROOT / "rules").glob("*.smk")
        for name, body in RULE.findall(path.read_text())
        if "shell:" in body
    }
    assert len(rules) > 10
    for name, body in rules.items():
        assert "mem_mb=" in body, name
        assert "runtime=" in body, name


def test_jobs_have_no_network_and_see_declared_folders_only():
    profile = yaml.safe_load((ROOT / "profiles" / "apptainer" / "config.yaml").read_text())
    words = profile["apptainer-args"].split()
    assert {"--containall", "--net", "none", "bind-paths"} <= set(words)
    assert "--writable" not in words
