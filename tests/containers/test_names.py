"""Names of images say what they are made of, and a missing one is said with the command."""

import ast
import importlib
import importlib.util
import inspect
import shutil

import pytest

from calwebb_associate.images import PROJECTS, image_path, inputs, lines, needed, require_images
from calwebb_core.framework.errors import InputError
from programs import ROOT, run

BUILD = ROOT / "containers" / "build.sh"


@pytest.fixture
def copy(tmp_path):
    """What the image of image2 is made of, in a folder of its own."""
    for path in inputs(ROOT, "image2"):
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    return tmp_path


def test_the_same_content_has_the_same_name_elsewhere(copy):
    assert image_path(copy, "image2").name == image_path(ROOT, "image2").name


@pytest.mark.parametrize(
    "changed",
    [
        "envs/image2.lock",
        "containers/image2.def",
        "containers/inside/install.sh",
        "stages/core/src/calwebb_core/science/flat.py",
        "stages/image2/src/calwebb_image2/pipeline.py",
    ],
)
def test_other_content_has_another_name(copy, changed):
    before = image_path(copy, "image2")
    with (copy / changed).open("a") as file:
        file.write("\n")
    assert image_path(copy, "image2") != before


def test_other_stages_and_left_overs_do_not_count(copy):
    before = image_path(copy, "image2")
    left = copy / "stages" / "image2" / "src" / "calwebb_image2" / "__pycache__"
    left.mkdir()
    (left / "pipeline.cpython-311.pyc").write_bytes(b"x")
    (copy / "containers" / "detector1.def").write_text("x")
    assert image_path(copy, "image2") == before


def test_missing_images_are_named_with_the_command(copy):
    with pytest.raises(
        InputError, match=r"missing: containers/image2-\w{12}\.sif; .*build\.sh image2"
    ):
        require_images(copy, ["image2"])
    path = image_path(copy, "image2")
    path.write_bytes(b"")
    assert require_images(copy, ["image2"]) == {"image2": str(path)}


@pytest.mark.parametrize(
    ("programs", "stages"),
    [
        ((), ("associate", "detector1", "level3")),
        (("calwebb-image2", "calwebb-image3"), ("associate", "detector1", "image2", "level3")),
        (("calwebb-tso3", "calwebb-spec2"), ("associate", "detector1", "spec2", "level3")),
    ],
)
def test_a_run_needs_images_of_the_stages_that_it_uses(programs, stages):
    assert needed(programs) == stages


def test_unknown_stages_are_refused():
    with pytest.raises(InputError, match="imaeg2: no such stage; images are made for"):
        image_path(ROOT, "imaeg2")


@pytest.mark.parametrize("stage", PROJECTS)
def test_every_stage_has_a_definition(stage):
    text = (ROOT / "containers" / f"{stage}.def").read_text()
    assert f".build/{stage} /opt/build" in text
    assert f"image.title calwebb-{stage}" in text


def test_the_build_script_is_told_stages_and_paths():
    assert lines(ROOT, []) == [f"{stage} {project}" for stage, project in PROJECTS.items()]
    assert lines(ROOT, ["level3"]) == [str(image_path(ROOT, "level3"))]


@pytest.mark.parametrize(
    "words", [[], ["imaeg2"], ["-j"], ["-j", "no", "image2"], ["-j0", "image2"]]
)
def test_the_build_script_names_its_stages(words, programs):
    done = run([BUILD, *words], check=False)
    assert done.returncode == 2
    assert f"stages: {' '.join(PROJECTS)}" in done.stderr


def module_inside(name):
    """A module that only images hold."""
    path = ROOT / "containers" / "inside" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("stage", PROJECTS)
def test_kernels_of_a_list_exist_and_take_as_many_arguments(stage):
    signature = module_inside("compile_kernels").signature
    path = ROOT / "containers" / "kernels" / f"{stage}.txt"
    for line in path.read_text().splitlines() if path.exists() else ():
        where, _, types = line.partition(" | ")
        module, _, name = where.partition(":")
        kernel = getattr(importlib.import_module(module), name, None)
        assert kernel is not None, line
        assert len(signature(types)) == len(inspect.signature(kernel.py_func).parameters), line


def kernels_of(path):
    """Names of the compiled functions of a module."""
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and any("njit" in ast.unparse(item) for item in node.decorator_list)
    }


def called_from_python(sources, kernels):
    """Kernels, as module:name, that modules which are no kernels import, or take from a module."""
    for path in sources:
        tree, modules = ast.parse(path.read_text()), {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                for item in node.names:
                    modules[item.asname or item.name] = f"{node.module}.{item.name}"
                    if item.name in kernels.get(node.module, ()):
                        yield f"{node.module}:{item.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = modules.get(node.value.id)
                if node.attr in kernels.get(module, ()):
                    yield f"{module}:{node.attr}"


def test_every_kernel_that_a_stage_calls_is_in_a_list():
    sources = [*ROOT.glob("stages/*/src/**/*.py"), *ROOT.glob("simulator/src/**/*.py")]
    compiled = {path for path in sources if path.parent.name == "kernels"}
    kernels = {
        ".".join(str(path).partition("/src/")[2][:-3].split("/")): kernels_of(path)
        for path in compiled
    }
    called = set(called_from_python(set(sources) - compiled, kernels))
    assert len(called) > 140
    listed = {
        line.partition(" | ")[0]
        for path in (ROOT / "containers" / "kernels").glob("*.txt")
        for line in path.read_text().splitlines()
    }
    assert called - listed == set(), "to be added by containers/kernels/renew.sh"


@pytest.fixture
def inside():
    """The module that prepares Python in an image."""
    return module_inside("calwebb_image")


def test_compiled_kernels_are_used_where_the_processor_can(inside):
    able, unable, asked = {}, {}, {"NUMBA_CPU_NAME": "generic"}
    inside.prepare(able, inside.NEEDED)
    inside.prepare(unable, inside.NEEDED - {"avx2"})
    inside.prepare(asked, inside.NEEDED)
    assert able["NUMBA_CPU_NAME"] == "x86-64-v3"
    assert able["NUMBA_CPU_FEATURES"] == ""
    assert "NUMBA_CPU_NAME" not in unable
    assert asked["NUMBA_CPU_NAME"] == "generic"
    assert "NUMBA_CPU_FEATURES" not in asked


def test_a_processor_that_says_nothing_is_taken_for_an_old_one(inside, tmp_path):
    assert inside.flags_of_processor(str(tmp_path / "absent")) == frozenset()
    (tmp_path / "cpuinfo").write_text("model name : x\nflags : avx avx2 fma\nflags : other\n")
    assert inside.flags_of_processor(str(tmp_path / "cpuinfo")) == {"avx", "avx2", "fma"}
