"""The same input gives the same bytes: circumstances that must not change a product.

Two small exposures go from raw ramps to the mosaic and the catalog, in some of the cases that
`benchmarks/determinism` runs with pictures, summary and every kind of exposure;
docs/determinism.md has its tables.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from programs import ROOT, run

sys.path.insert(0, str(ROOT / "benchmarks"))

from determinism.cases import CASES as ALL_CASES
from determinism.cases import EPOCH, FIRST, case
from determinism.chain import run_chain
from determinism.circumstances import LIBRARY, TOP, Place, build_rounding
from determinism.kinds import GUIDER, IMAGING, KINDS, SIMULATION, SPECTRA, make_data
from determinism.outcomes import (
    BEGIN,
    END,
    SPECTRA_BEGIN,
    SPECTRA_END,
    Outcome,
    keep,
    outcome,
    page,
    put,
    put_parts,
)
from determinism.products import difference, different, digests, digests_by_name

TWO_THREADS = replace(case("threads"), name="two threads, every step by itself", one_by_one=True)
ELSEWHERE = replace(case("at-once"), threads=1, linked=True)
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
    run(["calwebb-simulate", "run", *IMAGING.simulated, "--output-dir", folder],
        SOURCE_DATE_EPOCH=EPOCH)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def first(data, tmp_path_factory) -> Path:
    """Products of the first case."""
    return run_chain(FIRST, data, tmp_path_factory.mktemp("first") / "run", drawn=False)


@pytest.fixture(scope="module")
def elsewhere():
    """A case of many circumstances at once."""
    if shutil.which("cc") is None:
        return replace(ELSEWHERE, rounding=False)
    return ELSEWHERE


def differences(first: Path, other: Path) -> dict[str, str]:
    """How products differ that should not."""
    names = different(digests(first), digests(other))
    return {name: difference(first / name, other / name) for name in names}


@pytest.mark.slow
def test_threads_and_single_steps_change_nothing(first, data, tmp_path):
    other = run_chain(TWO_THREADS, data, tmp_path / "run", drawn=False)
    assert differences(first, other) == {}
    assert len(digests(other)) > 20


@pytest.mark.slow
def test_circumstances_change_nothing(first, data, tmp_path, elsewhere):
    other = run_chain(elsewhere, data, tmp_path / "run", drawn=False)
    # lists of reference files say where these are, here through links
    found = outcome(elsewhere, IMAGING, first, other)
    assert found.differences == {}
    assert found.number > 15


@pytest.mark.slow
def test_the_simulator_writes_the_same(data, tmp_path, elsewhere):
    kind = replace(SIMULATION, simulated=IMAGING.simulated)
    # the tail of its noise is as the C library rounds it
    case = replace(elsewhere, linked=False, threads=2, rounding=False)
    other = run_chain(case, data, tmp_path / "run", kind=kind)
    assert differences(data, other) == {}
    assert {"uncal", "truth", "crds_cache"} <= {path.name for path in other.iterdir()}
    assert len(digests(other)) > 20


@pytest.mark.slow
def test_guide_stars_are_the_same(programs, tmp_path, elsewhere):
    make_data(GUIDER, tmp_path / "data", run)
    circumstances = replace(elsewhere, linked=False, threads=2)
    one, other = (
        run_chain(case, tmp_path / "data", tmp_path / case.name.split()[0], kind=GUIDER)
        for case in (FIRST, circumstances)
    )
    assert differences(one, other) == {}
    assert len(list(other.glob("detector1/*_cal.fits"))) == 1


@pytest.mark.slow
def test_spectra_are_the_same(programs, tmp_path, elsewhere):
    """From count rates of a series to light curve, pictures and summary."""
    kind = {kind.name: kind for kind in SPECTRA}["lrs-slitless"]
    make_data(kind, tmp_path / "data", lambda *words: run(["calwebb-simulate", *words]))
    # members of associations that are links to elsewhere are refused
    circumstances = replace(elsewhere, linked=False, threads=2)
    one, other = (
        run_chain(case, tmp_path / "data", tmp_path / case.name.split()[0], kind=kind)
        for case in (FIRST, circumstances)
    )
    assert differences(one, other) == {}
    names = " ".join(digests(other))
    assert all(part in names for part in ("_x1dints.fits", "_whtlt.ecsv", "_whtlt.png", ".html"))


@pytest.mark.slow
def test_pictures_do_not_depend_on_the_c_library(first, tmp_path):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    build_rounding(tmp_path / LIBRARY)
    product = next((first / "image3").glob("*_i2d.fits"))
    for name, library in (("as it is", ""), ("otherwise", str(tmp_path / LIBRARY))):
        run(["calwebb-quicklook", product, "-o", tmp_path / f"{name}.png"], LD_PRELOAD=library)
    here, there = (tmp_path / f"{name}.png" for name in ("as it is", "otherwise"))
    assert here.read_bytes() == there.read_bytes()


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
    run(["calwebb-detector1", "run", raw, "--references", chosen, "--threads", "1",
         "--output-dir", tmp_path], SOURCE_DATE_EPOCH="")  # fmt: skip
    products = sorted(tmp_path.glob("*.fits"))
    assert len(products) == 2
    for product in products:
        card, *copy = difference(first / "detector1" / product.name, product).split("; ")
        assert card.startswith("PRIMARY header: DATE='2026-01-01T00:00:00.000'|")
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


def test_products_of_another_layout_are_compared_by_name(tmp_path):
    for name, text in (("one/image2", "a"), ("two/jw01234/image2/x", "b")):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x_cat.ecsv").write_text(text)
        (tmp_path / name / "detector1.json").write_text(text)
    one, two = (digests_by_name(tmp_path / name) for name in ("one", "two"))
    assert different(one, two) == ["x_cat.ecsv"]
    found = outcome(case("workflow"), IMAGING, tmp_path / "one", tmp_path / "two")
    assert found.number == 1
    assert not found.good


def test_changed_circumstances_reach_the_programs(tmp_path):
    """Clock and memory both, where a case changes both."""
    place = Place(case("at-once"), tmp_path, tmp_path)
    text = "import time; from calwebb_core.framework.planes import Store; "
    text += "print(time.time(), Store.__init__.__defaults__[1])"
    variables = place.variables() | {"LD_PRELOAD": ""}
    done = subprocess.run(
        [sys.executable, "-c", text],
        env=variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    now, limit = done.stdout.split()
    assert float(now) > time.time() + place.case.clock / 2
    assert int(limit) == place.case.memory


def test_lists_of_reference_files_are_compared_where_these_lie_alike(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "references").mkdir(parents=True)
        (tmp_path / name / "references" / "x.json").write_text(name)
        (tmp_path / name / "y.json").write_text("the same")
    folders = tmp_path / "one", tmp_path / "two"
    assert outcome(case("links"), IMAGING, *folders).good
    assert list(outcome(case("threads"), IMAGING, *folders).differences) == ["references/x.json"]


def test_the_page_has_every_case_and_kind(tmp_path):
    target = tmp_path / "page.md"
    target.write_text(f"before\n{BEGIN}\nformer text\n{END}\nafter\n")
    for item in ALL_CASES:
        for kind in (IMAGING, *KINDS) if item.wide else (IMAGING,):
            folder = tmp_path / item.name / kind.name
            folder.mkdir(parents=True)
            other = item.name == "container" and kind is GUIDER
            differing = {"x.fits": "SCI: other values"} if other else {}
            keep(Outcome(item.name, kind.name, 3, "1" * (64 - other), differing), folder)
    put(page(tmp_path, ["slurm (no sbatch)"], "Took long."), target)
    text = target.read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "former text" not in text
    for item in ALL_CASES:
        assert f"\n| {item.name} | {item.meaning} | 3 | 0 |" in text
    assert all(f"\n| {kind.meaning} | 3 |" in text for kind in KINDS)
    assert text.count("| 1 differ |") == 1
    assert "- container, guider: `x.fits`: SCI: other values" in text
    assert "Not run: slurm (no sbatch)." in text


def test_the_page_has_spectra_in_a_part_of_their_own(tmp_path):
    target = tmp_path / "page.md"
    former = f"{BEGIN}\nof another commit\n{END}\nbetween\n"
    target.write_text(f"{former}{SPECTRA_BEGIN}\nformer text\n{SPECTRA_END}\nafter\n")
    for name in ("first", "threads", "at-once"):
        for kind in SPECTRA:
            folder = tmp_path / name / kind.name
            folder.mkdir(parents=True)
            keep(Outcome(name, kind.name, 3, "1" * 64, commit="abc"), folder)
    put_parts(tmp_path, ["slurm (no sbatch)", "container (no image)"], "Took long.", target)
    text = target.read_text()
    assert text.startswith(f"{former}{SPECTRA_BEGIN}\nCommit abc; ")
    assert text.endswith(f"\n{SPECTRA_END}\nafter\n")
    assert "former text" not in text
    rows = [line for kind in SPECTRA for line in text.splitlines() if f"| {kind.meaning} |" in line]
    assert len(rows) == len(SPECTRA) == 6
    assert all(row.count("| the same") == 2 for row in rows)
    assert "Not run: container (no image)." in text
