"""Spectra in the images of stages 2 and 3: the bytes of a bare run, and no kernel compiled.

One mode is shown; with CALWEBB_EVERY_MODE=1 all are.
"""

import hashlib
import os

import pytest

from programs import SERVERLESS, run

pytestmark = [pytest.mark.container, pytest.mark.slow]

EVERY = os.environ.get("CALWEBB_EVERY_MODE") == "1"
SERIES = ("--integrations", "6", "--segments", "2")
MODES = {  # scenario: options of the simulator, and the program of stage 3
    "lrs-slitless": (SERIES, "tso3"),
    "nircam-grism": (SERIES, "tso3"),
    "nirspec-bright": (SERIES, "tso3"),
    "lrs-slit": ((), "spec3"),
    "nirspec-slit": ((), "spec3"),
}
SHOWN = [mode for mode in MODES if EVERY or mode == "lrs-slitless"]
SETTINGS = {
    "CRDS_SERVER_URL": SERVERLESS, "CRDS_CONTEXT": "jwst_0001.pmap",
    "SOURCE_DATE_EPOCH": "1735689600",
}  # fmt: skip


@pytest.fixture(scope="module", params=SHOWN)
def observed(request, tmp_path_factory):
    """A folder with count rates and their associations, and the program of stage 3."""
    options, program = MODES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    run(
        [
            "calwebb-simulate",
            "rates",
            "--scenario",
            request.param,
            *options,
            "--output-dir",
            folder,
            "-q",
        ]
    )
    run(["calwebb-associate", folder / "rates", "--output-dir", folder / "rates", "-q"])
    return folder, program


def commands(folder, program, made, out):
    """Yield the image and the command for each association of stages 2 and 3."""
    rates = folder / "rates"
    for stage, name, inputs in (("spec2", "spec2", rates), ("level3", program, made)):
        associations = sorted(rates.glob(f"*[_-]{name}_*_asn.json"))
        assert associations
        for association in associations:
            yield stage, [
                f"calwebb-{name}", "run", association, "--input-dir", inputs,
                "--output-dir", out, "--threads", "1", "-q",
            ]  # fmt: skip


def sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.*")}


def test_same_bytes_as_a_bare_run_and_nothing_compiled(observed, inside, tmp_path_factory):
    folder, program = observed
    bare, out = (tmp_path_factory.mktemp(name) for name in ("bare", "contained"))
    settings = SETTINGS | {"CRDS_PATH": str(folder / "crds_cache")}
    # the images first: the cache is read-only there, and was never used
    variables = settings | {"NUMBA_CACHE_DIR": f"{out}/kernels"}
    options = [
        "--bind", f"{folder}:{folder}:ro", "--bind", out, "--pwd", out,
        "--env", ",".join("=".join(item) for item in variables.items()),
    ]  # fmt: skip
    for stage, command in commands(folder, program, out, out):
        done = inside(stage, *command, options=options)
        assert done.returncode == 0, done.stderr
    compiled = [path.name for path in (out / "kernels").rglob("*.nbi")]
    assert compiled == [], "kernels that the lists lack"
    for _, command in commands(folder, program, bare, bare):
        run(command, cwd=bare, **settings)
    assert len(sums(bare)) > 2
    assert sums(out) == sums(bare)
