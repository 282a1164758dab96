"""A stage program in its image: nothing but the declared folders, and the bytes of a bare run."""

import hashlib
import json
import subprocess

import pytest

from programs import SERVERLESS, run

pytestmark = [pytest.mark.container, pytest.mark.slow]

# Nothing of the machine but what is bound: no environment, home, /tmp, network, or rights.
CLOSED = ["--cleanenv", "--containall", "--no-home", "--net", "--network", "none"]
EPOCH = "1735689600"  # of DATE, which would tell the runs apart


def inside(image, *words, options=()):
    """Run a command in an image."""
    command = ["apptainer", "exec", *CLOSED, *options, image, *words]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def exposure(tiny, tmp_path_factory):
    """A raw exposure and its reference files, listed."""
    folder = tmp_path_factory.mktemp("bare")
    raw = sorted((tiny / "uncal").iterdir())[0]
    crds = {"CRDS_PATH": str(tiny / "crds_cache"), "CRDS_SERVER_URL": SERVERLESS}
    references = folder / "references.json"
    run(["calwebb-references", raw, "-o", references, "--context", "jwst_0001.pmap"], **crds)
    return tiny, raw, references


def sums(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.fits")
    }


def test_same_bytes_as_a_bare_run_and_nothing_compiled(image, exposure, tmp_path):
    tiny, raw, references = exposure
    bare, contained = tmp_path / "bare", tmp_path / "contained"
    contained.mkdir()
    words = ["calwebb-detector1", "run", raw, "--references", references, "--threads", "1", "-q"]
    run([*words, "--output-dir", bare], SOURCE_DATE_EPOCH=EPOCH)
    options = [
        "--bind", f"{tiny}:{tiny}:ro", "--bind", f"{references.parent}:{references.parent}:ro",
        "--bind", contained,
        "--env", f"NUMBA_CACHE_DIR={contained}/kernels,SOURCE_DATE_EPOCH={EPOCH}",
    ]  # fmt: skip
    done = inside(image, *words, "--output-dir", contained, options=options)
    assert done.returncode == 0, done.stderr
    assert len(sums(bare)) == 2
    assert sums(contained) == sums(bare)
    # a kernel that the image lacks would have been compiled, and kept there
    assert not (contained / "kernels").exists()


def test_an_image_is_read_only_and_has_no_network_and_no_tools(image):
    done = inside(image, "touch", "/opt/calwebb/x")
    assert "Read-only file system" in done.stderr
    assert inside(image, "cat", "/sys/class/net/eth0/address").returncode != 0
    for tool in ("pip", "gcc", "git"):
        assert inside(image, "which", tool).returncode != 0


def test_an_image_holds_its_stage_alone(image):
    code = "import calwebb_detector1, importlib.util as u, json; print(json.dumps([n for n in "
    code += "('calwebb_image2', 'calwebb_level3', 'calwebb_associate') if u.find_spec(n)]))"
    assert json.loads(inside(image, "python", "-c", code).stdout) == []
