"""Programs in forks of a process that has their libraries: as programs from nothing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from program_client import SERVERS, ask
from programs import BIN, ROOT, get_ready, with_stand_ins


def here() -> dict[str, str]:
    """Return the variables of programs that are started here."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


ASLEEP = """
import json, os, sys, time
with open(sys.argv[1] + "~", "w") as file:
    json.dump([os.getpid(), os.getcwd(), os.environ["CRDS_CONTEXT"]], file)
os.rename(sys.argv[1] + "~", sys.argv[1])
time.sleep(300)
"""


@pytest.fixture(scope="module")
def place(programs) -> str:
    """Socket of a process that is ready for programs of associations."""
    get_ready(["associate"])
    with_stand_ins()
    return f"{os.environ[SERVERS]}/associate"


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["--nonsense"], ["absent.csv"]])
def test_a_stand_in_says_what_the_program_says(place, words):
    done = [
        subprocess.run(
            [folder / "calwebb-associate", *words], env=here(), capture_output=True, check=False
        )
        for folder in (BIN, with_stand_ins() / ".env" / "bin")
    ]
    assert done[0].returncode in (0, 2)
    assert [(item.returncode, item.stdout, item.stderr) for item in done[1:]] == [
        (done[0].returncode, done[0].stdout, done[0].stderr)
    ]


@pytest.mark.parametrize(
    ("name", "code"), [("CRDS_CONTEXT", 0), ("NUMBA_CPU_NAME", None), ("PYTHONHASHSEED", None)]
)
def test_variables_that_imports_read_ask_for_a_start_from_nothing(place, tmp_path, name, code):
    variables = {**here(), name: "7"}
    with (tmp_path / "said").open("w") as said:
        streams = [said.fileno()] * 3
        script = str(BIN / "calwebb-pool")
        done = ask(place, script, ["--version"], variables, streams, folder="/", wary=True)
    assert done == code


def test_a_program_is_a_process_that_ends_with_who_asked(place, tmp_path):
    script, found = tmp_path / "asleep.py", tmp_path / "found.json"
    script.write_text(ASLEEP)
    code = f"""import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from program_client import stand_in
stand_in("associate", {str(script)!r})"""
    environment = {**here(), "CRDS_CONTEXT": "jwst_0007.pmap"}
    with subprocess.Popen(
        [sys.executable, "-c", code, found], cwd=tmp_path, env=environment
    ) as client:
        wait_until(found.exists)
        number, *about = json.loads(found.read_text())
        assert Path("/proc", str(number)).exists()
        client.kill()
    assert about == [str(tmp_path), "jwst_0007.pmap"]
    wait_until(lambda: not Path("/proc", str(number)).exists())


def wait_until(reached):
    """Wait for a minute at most."""
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_without_a_process_the_program_starts_itself(tmp_path):
    nowhere = str(tmp_path / "socket")
    assert ask(nowhere, "x", [], os.environ, (0, 1, 2), folder="/") is None
