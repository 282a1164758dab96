"""Each stage in its image: the bytes of a bare run, and no kernel compiled."""

import hashlib

import pytest

from programs import SERVERLESS, run

pytestmark = [pytest.mark.container, pytest.mark.slow]

EPOCH = "1735689600"  # of DATE, which would tell the runs apart
STAGES = ("associate", "detector1", "image2", "level3")


def commands(stage, data, made, out):
    """Commands of a stage on raw data and on what the stages before it made."""
    if stage == "associate":
        named = ["--version-id", "20250101t000000"]
        return [
            ["calwebb-pool", data / "uncal", "-o", out / "pool.csv", "-q"],
            ["calwebb-associate", made / "pool.csv", *named, "--output-dir", out, "-q"],
            ["calwebb-references", next(raws(data)), "-o", out / "references.json", "-q"],
        ]  # fmt: skip
    inputs = {
        "detector1": raws(data),
        "image2": sorted(made.glob("*_image2_*_asn.json")),
        "level3": sorted(made.glob("*_image3_*_asn.json")),
    }
    program = "calwebb-image3" if stage == "level3" else f"calwebb-{stage}"
    options = ["--references", made / "references.json", "--threads", "1", "-q"]
    return [[program, "run", item, *options, "--output-dir", out] for item in inputs[stage]]


def raws(data):
    return iter(sorted((data / "uncal").iterdir())[:2])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two raw exposures and their CRDS cache."""
    folder = tmp_path_factory.mktemp("data")
    scenario = ["--scenario", "tiny", "--exposures", "2"]
    run(["calwebb-simulate", "run", *scenario, "--output-dir", folder, "-q"])
    return folder


def settings(data):
    return {
        "CRDS_PATH": str(data / "crds_cache"), "CRDS_SERVER_URL": SERVERLESS,
        "CRDS_CONTEXT": "jwst_0001.pmap", "SOURCE_DATE_EPOCH": EPOCH,
    }  # fmt: skip


@pytest.fixture(scope="module")
def bare(data, tmp_path_factory):
    """Function that returns the folder of what the stages up to one made, without containers."""
    folder = tmp_path_factory.mktemp("bare")
    done = set()

    def up_to(stage):
        for name in STAGES[: STAGES.index(stage) + 1]:
            if name not in done:
                for command in commands(name, data, folder, folder):
                    run(command, cwd=folder, **settings(data))
                done.add(name)
        return folder

    return up_to


def sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.*")}


@pytest.mark.parametrize("stage", STAGES)
def test_same_bytes_as_a_bare_run_and_nothing_compiled(stage, data, bare, inside, tmp_path_factory):
    made, out = bare(stage), tmp_path_factory.mktemp(stage)
    variables = settings(data) | {"NUMBA_CACHE_DIR": f"{out}/kernels"}
    options = [
        "--bind", f"{data}:{data}:ro", "--bind", f"{made}:{made}:ro", "--bind", out,
        "--pwd", out, "--env", ",".join("=".join(item) for item in variables.items()),
    ]  # fmt: skip
    for command in commands(stage, data, made, out):
        done = inside(stage, *command, options=options)
        assert done.returncode == 0, done.stderr
    # a kernel that the image lacks would have been compiled, and kept there
    assert not (out / "kernels").exists()
    expected = sums(made)
    assert sums(out)
    assert sums(out) == {name: expected[name] for name in sums(out)}
