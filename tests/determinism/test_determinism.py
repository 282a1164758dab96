"""The same input gives the same bytes: circumstances that must not change a product.

Two small exposures go from raw ramps to the mosaic and the catalog, in some of the cases that
`benchmarks/determinism` runs with pictures and summary; docs/determinism.md has its table.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from programs import ROOT, run

sys.path.insert(0, str(ROOT / "benchmarks"))

from determinism.cases import DAY, EPOCH, FIRST, case
from determinism.chain import TOP, run_chain
from determinism.products import difference, different, digests

CASES = [
    replace(case("threads"), name="two threads, every step by itself", one_by_one=True),
    replace(
        case("place"),
        name="another place and order of sets, a day later, little memory",
        clock=DAY,
        memory=1 << 16,
        environment={**case("place").environment, "PYTHONHASHSEED": "31"},
    ),
]
KERNEL = """
import numba, numpy as np

@numba.njit(error_model="python")
def fused(a, b, c, out):
    for i in range(a.size):
        out[i] = a[i] * b[i] + c[i]

fused(*(np.ones(64, np.float32) for _ in range(4)))
text = "".join(fused.inspect_asm().values())
assert "mul" in text
print("vfmadd" in text or "vfmsub" in text)
"""


@pytest.fixture(scope="module")
def data(programs, tmp_path_factory) -> Path:
    """Two of the tiny exposures."""
    folder = tmp_path_factory.mktemp("data")
    run(["calwebb-simulate", "run", "--scenario", "tiny", "--exposures", "2",
         "--output-dir", folder])  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def first(data, tmp_path_factory) -> Path:
    """Products of the first case."""
    return run_chain(FIRST, data, tmp_path_factory.mktemp("first") / "run", drawn=False)


def differences(first: Path, other: Path) -> dict[str, str]:
    """How products differ that should not."""
    names = different(digests(first), digests(other))
    return {name: difference(first / name, other / name) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("item", CASES, ids=lambda item: item.name)
def test_products_are_the_same(first, data, tmp_path, item):
    other = run_chain(item, data, tmp_path / "run", drawn=False)
    assert differences(first, other) == {}
    assert len(digests(other)) > 20


@pytest.mark.slow
@pytest.mark.container
def test_products_of_containers_are_the_same(first, data, tmp_path):
    from calwebb_associate.images import image_path

    if shutil.which("apptainer") is None:
        pytest.skip("CONTAINERS ARE NOT TESTED: apptainer is absent")
    missing = [
        stage
        for stage in ("associate", "detector1", "image2", "level3")
        if not image_path(ROOT, stage).exists()
    ]
    if missing:
        pytest.skip(f"CONTAINERS ARE NOT TESTED: no image of {', '.join(missing)} (`make images`)")
    other = run_chain(case("container-threads"), data, tmp_path / "run", drawn=False)
    assert differences(first, other) == {}


@pytest.mark.slow
def test_date_is_all_that_a_clock_changes(first, data, tmp_path):
    """Without SOURCE_DATE_EPOCH the header says when, and the next product's record follows."""
    raw = sorted((data / "uncal").iterdir())[0]
    chosen = next((first / "references").glob(raw.name.replace("_uncal.fits", "_detector1.json")))
    folders = []
    for name, variables in (
        ("now", {"SOURCE_DATE_EPOCH": ""}),
        ("epoch", {"SOURCE_DATE_EPOCH": EPOCH}),
    ):
        folders.append(tmp_path / name)
        run(["calwebb-detector1", "run", raw, "--references", chosen, "--threads", "1",
             "--output-dir", tmp_path / name], **variables)  # fmt: skip
    texts = differences(*folders)
    assert sorted(texts) == sorted(path.name for path in folders[0].glob("*.fits"))
    for text in texts.values():
        card, *copy = text.split("; ")
        assert card.startswith("PRIMARY header: DATE=")
        assert ", " not in card
        assert copy in ([], ["ASDF: other values"])


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="about x86-64 instructions")
def test_kernels_are_not_contracted():
    """a*b+c keeps its two roundings also where the processor could do it with one."""
    environment = os.environ | {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": "+fma,+avx2"}
    done = subprocess.run(
        [sys.executable, "-c", KERNEL],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"


def test_no_kernel_may_reorder_arithmetic():
    kernels = [path for path in TOP.glob("s*/**/kernels/*.py") if ".env" not in path.parts]
    assert len(kernels) > 20
    assert not [path.name for path in kernels if "fastmath" in path.read_text()]


def test_same_digest_only_for_the_same_files(tmp_path):
    """The comparison itself finds a changed byte, and a missing file."""
    for name, text in (("one", "a"), ("two", "b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.json").write_text(text)
    (tmp_path / "two" / "y.json").write_text("c")
    found = differences(tmp_path / "one", tmp_path / "two")
    assert found["x.json"].startswith("from byte 0")
    assert found["y.json"] == "in one of them only"
