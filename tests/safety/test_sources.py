"""Nothing that comes with the data is run: the sources have no such calls."""

import ast

import pytest

from programs import ROOT

SOURCES = sorted(
    path
    for folder in ("stages", "simulator", "schemas")
    for path in (ROOT / folder).rglob("*.py")
    if "tests" not in path.parts
    and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
# Names that make code or objects of a text or of bytes.
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "pickle", "cPickle", "marshal", "shelve", "dill",
    "joblib", "jsonpickle", "os.system", "os.popen", "subprocess.getoutput",
    "subprocess.getstatusoutput", "yaml.unsafe_load", "yaml.full_load", "yaml.UnsafeLoader",
    "yaml.FullLoader", "yaml.Loader", "numpy.load", "np.load", "numpy.memmap",
}  # fmt: skip
# Where a module is imported by a name: the program's own pipeline, and the user's hooks.
IMPORTERS = {"call.py", "command.py", "command_pipeline.py", "hooks.py"}


def name_of(node):
    """Return a dotted name, or nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return ""


def problems(tree):
    """Yield what a source must not have, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {(node.module or "").partition(".")[0]}
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            names = {name_of(node.func)}
            for keyword in node.keywords:
                if keyword.arg in ("shell", "allow_pickle") and not is_false(keyword.value):
                    yield node.lineno, f"{keyword.arg} is not False"
            if name_of(node.func) == "yaml.load":
                yield node.lineno, "yaml.load; use yaml_reading.load_yaml"
        else:
            continue
        for name in sorted(names & FORBIDDEN):
            yield node.lineno, name


def is_false(node):
    return isinstance(node, ast.Constant) and node.value is False


def test_there_are_sources():
    assert len(SOURCES) > 200


def test_no_code_is_made_of_data():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in SOURCES
        for line, what in problems(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)", "import pickle", "from pickle import loads", "from os import system",
        "np.load(path)", "yaml.load(text, yaml.Loader)", "import subprocess\nrun(x, shell=True)",
        "np.fromfile(path, allow_pickle=flag)", "yaml.unsafe_load(text)", "os.system(text)",
    ],
)  # fmt: skip
def test_the_search_finds(source):
    assert list(problems(ast.parse(source)))


def test_modules_are_imported_by_name_in_few_places_only():
    found = {
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and name_of(node.func).rpartition(".")[2] == "import_module"
    }
    assert found <= IMPORTERS


def test_a_shell_is_started_by_the_users_hooks_only():
    found = {
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in ("/bin/sh", "sh", "bash", "/bin/bash")
    }
    assert found <= {"hooks.py"}
