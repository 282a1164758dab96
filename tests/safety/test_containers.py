"""The user's own code, and whatever else runs in a container, sees what a run declares."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from calwebb_associate.bindings import (
    container_environment,
    read_folders,
    temporary_folder,
    written_folders,
)
from calwebb_associate.workflow import Run
from programs import ROOT

from .process import environment, run

pytestmark = [pytest.mark.container, pytest.mark.slow]

PROBE = Path(__file__).with_name("probe.py")
PROFILE = ROOT / "profiles" / "apptainer" / "config.yaml"
DISKS = ("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "nfs", "nfs4", "lustre", "9p", "fuse.sshfs")


@pytest.fixture(scope="module")
def places(tiny, tmp_path_factory):
    """A working folder, data elsewhere with a link out of it, and secrets beside both."""
    folder = tmp_path_factory.mktemp("places")
    for name in ("work/results", "work/logs", "data", "far", "home", "secret"):
        (folder / name).mkdir(parents=True)
    raws = sorted((tiny / "uncal").iterdir())
    shutil.copy(raws[0], folder / "data")
    shutil.copy(raws[1], folder / "far")
    (folder / "data" / raws[1].name).symlink_to(folder / "far" / raws[1].name)
    for name in ("home/.netrc", "secret/key", "far/neighbour"):
        (folder / name).write_text("secret")
    shutil.copy(PROBE, folder / "work")
    return folder, folder / "data" / raws[0].name, folder / "data" / raws[1].name


@pytest.fixture(scope="module")
def seen(image, places, tiny, tmp_path_factory):
    """What a hook sees in a container as the workflow starts it."""
    folder, raw, linked = places
    work, outside = folder / "work", tmp_path_factory.mktemp("outside")
    (outside / "x").write_text("secret")
    references = work / "references.json"
    crds = {"CRDS_PATH": str(tiny / "crds_cache")}
    words = ["calwebb-references", raw, "--pipeline", "calwebb-detector1", "-o", references]
    run(words, cwd=work, **crds)
    variables = shown(places, tiny)
    read = [folder / name for name in ("home", "secret", "far/neighbour", "far")]
    read += [outside, outside / "x", Path.home() / ".ssh", linked, raw, ROOT / "README.md"]
    write = ["/", "/opt/calwebb", "/usr", "/etc", folder, folder / "data", folder / "home",
             tiny / "crds_cache", work, work / "results", temporary_folder()]  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        hook = shlex.join(
            ["python", "probe.py", ",".join(map(str, read)), ",".join(map(str, write)), str(port)]
        )
        arguments = yaml.safe_load(PROFILE.read_text())["apptainer-args"].split()
        command = ["apptainer", "exec", *arguments, "--home", work, "--cleanenv", image,
                   "calwebb-detector1", "run", raw, "--references", references, "--stop-after",
                   "dq_init", "--output-dir", "results", "--log", "logs/x.log",
                   "--post-hook", f"dq_init={hook} > results/seen.json"]  # fmt: skip
        neighbour = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(98765)"])
        try:
            secret = {"CALWEBB_SECRET": "secret", "HOME": str(folder / "home"), **crds}
            done = subprocess.run(
                list(map(str, command)), cwd=work, env=environment(**secret) | variables,
                capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        finally:
            neighbour.kill()
            neighbour.wait()
    assert done.returncode == 0, done.stderr
    return json.loads((work / "results" / "seen.json").read_text())


def shown(places, tiny):
    """Return the variables by which the workflow declares folders to Apptainer."""
    folder, _, _ = places
    before = Path.cwd()
    os.chdir(folder / "work")
    try:
        config = yaml.safe_load((ROOT / "config.yaml").read_text())
        config |= {"uncal": str(folder / "data"), "crds_path": str(tiny / "crds_cache"),
                   "crds_context": "jwst_0001.pmap",
                   "crds_server": environment()["CRDS_SERVER_URL"]}  # fmt: skip
        planned = Run(config, base=ROOT)
        read = read_folders(config, planned.plan, ROOT, planned.environment)
        return container_environment(planned.environment, read, written_folders(config))
    finally:
        os.chdir(before)


def test_reads_what_is_declared(seen, places):
    folder, raw, linked = places
    # of the folder that a link leads to, its file alone
    assert seen["reads"] == [str(folder / "far"), str(linked), str(raw)]


def test_writes_where_jobs_write(seen, places):
    folder, _, _ = places
    work = folder / "work"
    wanted = {str(work), str(work / "results"), str(temporary_folder())}
    # the root of the image's own, in memory, ends with the container
    assert set(seen["writes"]) - {str(folder), str(folder / "home")} == wanted
    found = set(folder.rglob("written_by_a_hook"))
    assert found == {work / "written_by_a_hook", work / "results" / "written_by_a_hook"}
    (temporary_folder() / "written_by_a_hook").unlink()
    disks = {place for place, kind, mode in seen["mounts"] if mode == "rw" and kind in DISKS}
    assert {Path(place) for place in disks} <= {work, work / "results", work / "logs",
                                                temporary_folder()}  # fmt: skip


def test_no_network(seen):
    assert not seen["server"]
    assert seen["interfaces"] == ["lo"]


def test_no_variables_and_no_processes_of_the_machine(seen):
    assert not [key for key, value in seen["environment"].items() if "secret" in value]
    assert not [line for line in seen["processes"] if "98765" in line]


def test_as_the_user_without_a_way_to_more(seen):
    assert seen["user"] == os.getuid()
    assert not seen["new_privileges"]
    assert seen["capabilities"] == 0


def test_links_to_files_that_are_no_exposures_open_nothing(places, tiny):
    folder, raw, _ = places
    link = folder / "data" / raw.name.replace("00001", "00009")
    link.symlink_to("/etc/passwd")
    try:
        with pytest.raises(Exception, match=r"is not a FITS file: expected it to start with"):
            shown(places, tiny)
    finally:
        link.unlink()
