"""Every image: what it holds, what it can reach, how fast it starts."""

import hashlib
import os
import tomllib

import pytest

from calwebb_associate.images import PROJECTS, WORKFLOW
from programs import ROOT

pytestmark = [
    pytest.mark.container,
    pytest.mark.slow,
    pytest.mark.parametrize("stage", WORKFLOW),
]
STARTS = 0.75  # seconds, at most


def programs_of(project):
    """Names of the programs that a project installs, and their packages."""
    text = (ROOT / project / "pyproject.toml").read_text()
    return sorted(tomllib.loads(text)["project"]["scripts"])


def test_it_holds_the_programs_of_its_stage_and_of_the_core(stage, inside):
    programs = programs_of("stages/core") + programs_of(PROJECTS[stage])
    each = f'for program in {" ".join(programs)}; do "$program" --version || exit; done'
    done = inside(stage, "sh", "-c", each)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == programs


def test_its_definition_tries_the_programs_of_its_stage(stage):
    text = (ROOT / "containers" / f"{stage}.def").read_text()
    for program in programs_of(PROJECTS[stage]):
        assert f"\n    {program} --version\n" in text


def test_it_knows_its_name_and_its_libraries(stage, images, inside):
    lock = hashlib.sha256((ROOT / "envs" / f"{stage}.lock").read_bytes()).hexdigest()
    script = 'echo "$CALWEBB_IMAGE"; cat "$(dirname "$(which python)")/../calwebb-lock.sha256"'
    done = inside(stage, "sh", "-c", script)
    assert done.stdout.split() == [images[stage].stem, lock], done.stderr


def test_it_has_the_bytes_that_are_noted(stage, images):
    noted = dict(map(str.split, (ROOT / "containers" / "images.lock").read_text().splitlines()))
    if images[stage].stem not in noted:
        pytest.skip("images.lock is of another commit")
    assert noted[images[stage].stem] == hashlib.sha256(images[stage].read_bytes()).hexdigest()


def test_it_holds_its_stage_alone(stage, inside):
    packages = ["calwebb_core", *(f"calwebb_{name}" for name in PROJECTS), "calwebb_simulator"]
    code = "import importlib.util as u, sys; print(*filter(u.find_spec, sys.argv[1:]))"
    done = inside(stage, "python", "-c", code, *packages)
    assert set(done.stdout.split()) == {"calwebb_core", f"calwebb_{stage}"}, done.stderr


def test_it_is_read_only_without_network_and_without_tools(stage, inside):
    script = 'touch /opt/calwebb/x; ls /sys/class/net; which pip gcc git; echo "user $(id -u)"'
    done = inside(stage, "sh", "-c", script)
    assert "Read-only file system" in done.stderr
    assert done.stdout.split() == ["lo", "user", str(os.getuid())]


def test_nothing_in_it_names_the_folder_it_was_built_in(stage, inside):
    done = inside(stage, "grep", "-rlF", ROOT, "/opt", "/etc", "/.singularity.d")
    assert done.stdout == "", "files with the path of this repository"


def test_it_starts_fast(stage, inside):
    program = programs_of(PROJECTS[stage])[0]
    inside(stage, program, "--help")
    # processor time, for the clock tells of other work on the machine, too
    before = os.times()
    assert inside(stage, program, "--help").returncode == 0
    after = os.times()
    used = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    assert used < STARTS
