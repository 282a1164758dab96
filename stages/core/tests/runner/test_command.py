import json
import logging
import os
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

from calwebb_core import __version__
from calwebb_core.framework import log
from calwebb_core.framework.command import leave, make_program, program
from calwebb_core.framework.errors import InputError, ProcessingError, ReferenceFileError
from calwebb_core.framework.threads import THREAD_VARIABLES, set_threads

from . import toy as toy_module
from .toy import ROOT

LOADER = "toy_pipeline:PIPELINE"
HOUSE_OPTIONS = {
    "run": [
        "--references",
        "--output-dir",
        "--config",
        "--set",
        "--skip",
        "--save",
        "--stop-after",
        "--pre-hook",
        "--post-hook",
        "--override",
        "--threads",
        "--log",
        "--quiet",
        "--verbose",
        "--debug",
    ],
    "step": [
        "--references",
        "--output-dir",
        "--config",
        "--set",
        "--pre-hook",
        "--post-hook",
        "--override",
        "--threads",
        "--log",
        "--quiet",
        "--verbose",
        "--debug",
    ],
    "steps": ["--json", "--config", "--set", "--skip", "--log", "--quiet", "--verbose", "--debug"],
}


@pytest.fixture(autouse=True)
def toy_is_importable(monkeypatch):
    monkeypatch.setitem(sys.modules, "toy_pipeline", toy_module)
    for variable in THREAD_VARIABLES:
        monkeypatch.setenv(variable, os.environ.get(variable, "1"))


@pytest.fixture
def main():
    return make_program(LOADER, name="calwebb-toy", package="calwebb_core", meaning="Toys.")


@pytest.fixture
def call(main, toy_file, gain_file, tmp_path):
    """Run the program on the toy file with an override of its only reference."""

    def run(command="run", *options, source=toy_file, override=True):
        names = ["extra"] if command == "step" else []
        where = ["--output-dir", str(tmp_path / "out")] if command != "steps" else []
        given = ["--override", f"gain={gain_file}"] if override and where else []
        return CliRunner().invoke(main, [command, *names, str(source), *where, *given, *options])

    return run


def test_run_prints_the_products(call, tmp_path):
    result = call("run", "--save", "first")
    assert result.exit_code == 0
    out = tmp_path / "out"
    assert result.stdout.split() == [
        str(out / f"{ROOT}_first.fits"),
        str(out / f"{ROOT}_toy.fits"),
    ]
    assert "first                COMPLETE" in result.stderr
    assert "extra                SKIPPED: off unless asked for" in result.stderr


def test_quiet(call):
    result = call("run", "-q")
    assert (result.exit_code, result.output) == (0, "")


def test_step_alone(call, tmp_path):
    result = call("step")
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "out" / f"{ROOT}_extra.fits")


def test_references_from_a_list(call, refs_file):
    assert call("run", "--references", str(refs_file), override=False).exit_code == 0


def test_parameters_from_file_and_command_line(call, tmp_path):
    config = tmp_path / "p.yaml"
    config.write_text("first: {amount: 3, rounds: 2}\nsecond: {skip: true}\n")
    seen = tmp_path / "seen.txt"
    hook = f"last=echo $CALWEBB_STEP > {seen}"
    options = ["--config", str(config), "--set", "first.amount=5", "--post-hook", hook]
    result = call("run", *options, "--set", "extra.skip=false", "--log", str(tmp_path / "log"))
    assert result.exit_code == 0
    assert "second               SKIPPED: left out as asked" in result.stderr
    assert "extra                COMPLETE" in result.stderr
    assert seen.read_text() == "last\n"
    assert "toy" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--set", "first.amuont=1"], 2, "step first has no option 'amuont'; did you mean amount?"),
        (["--set", "first.amount=101"], 2, "first.amount is 101.0 DN; expected 0 to 100 DN"),
        (["--set", "nonsense"], 2, "--set 'nonsense': expected STEP.PARAM=VALUE"),
        (["--skip", "frist"], 2, "calwebb_toy has no step 'frist'; did you mean first?"),
        (["--override", "gian=N/A"], 2, "unknown reference type 'gian'; did you mean gain?"),
        (["--override", "gain"], 2, "--override 'gain': expected TYPE=FILE or TYPE=N/A"),
        (["--override", "gain=none.fits"], 3, "file of --override gain does not exist"),
        (["--pre-hook", "first"], 2, "--pre-hook 'first': expected STEP=COMMAND"),
        (["--pre-hook", "first=exit 4"], 1, "pre-hook of first ended with exit code 4: exit 4"),
        (["--config", "none.yaml"], 2, "none.yaml: the parameter file cannot be read"),
        (["--references", "none.json"], 2, "none.json: the list of references cannot be read"),
        (["--log", "no/such/folder/log"], 2, "no/such/folder/log: the log file cannot be written"),
        (["--set", "first.fail=ours"], 1, "toy.fits: SCI is empty; expected pixels"),
        (
            ["--set", "first.fail=theirs"],
            1,
            "in step first: unexpected ValueError: boom (this is a",
        ),
        (["--set", "first.fail=memory"], 1, "step first ran out of memory"),
        (["--threads", "0"], 2, "Invalid value for '--threads'"),
        (["--stop-aftr", "first"], 2, "No such option '--stop-aftr'"),
    ],
)
def test_one_line_and_exit_code(call, options, code, message):
    result = call("run", *options, "-q")
    assert result.exit_code == code
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("calwebb-toy: error: ")
    assert message in lines[0]
    assert result.stdout == ""


def test_missing_input(call):
    result = call(source="none.fits")
    assert result.exit_code == 2
    assert "none.fits: the input file does not exist" in result.stderr


def test_unsupported_mode(call, tmp_path, toy_file):
    from astropy.io import fits

    with fits.open(toy_file, mode="update") as hdus:
        hdus[0].header["EXP_TYPE"] = "NRS_IFU"
    result = call("run")
    assert result.exit_code == 2
    assert "EXP_TYPE NRS_IFU is not available yet" in result.stderr
    assert not list((tmp_path / "out").glob("*"))


def test_unknown_step_name(main, toy_file, tmp_path):
    args = ["step", "frist", str(toy_file), "--output-dir", str(tmp_path)]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 2
    assert "did you mean first?" in result.stderr


def test_traceback_goes_to_the_log(call, tmp_path):
    path = tmp_path / "log.txt"
    result = call("run", "--set", "first.fail=theirs", "--log", str(path))
    assert "Traceback" not in result.stderr
    text = path.read_text()
    assert "Traceback" in text
    assert "boom" in text
    assert "Python 3" in text.splitlines()[0]
    stamp = text.split()[0]
    assert stamp.endswith("Z")
    assert time.strptime(stamp.split(".")[0], "%Y-%m-%dT%H:%M:%S")


def test_debug_shows_the_traceback(call):
    assert "Traceback" in call("run", "--set", "first.fail=theirs", "--debug").stderr


def test_verbose_says_more(call):
    assert len(call("run", "-v").stderr) > len(call("run").stderr)


def test_handlers_are_removed(call):
    before = list(logging.getLogger().handlers)
    call("run")
    assert logging.getLogger().handlers == before


def test_foreign_records_on_stderr(capsys):
    log.configure()
    logging.getLogger("someone").info("chatter")
    logging.getLogger("someone").warning("trouble")
    logging.getLogger("CRDS").error("long-winded")
    logging.getLogger("calwebb_x").info("ours")
    log.close()
    assert capsys.readouterr().err.splitlines() == ["warning: trouble", "ours"]


def test_steps_table(call, main):
    result = CliRunner().invoke(main, ["steps"])
    assert result.exit_code == 0
    for word in ("first", "second", "extra", "last", "amount", "What to add", "0 to 100"):
        assert word in result.stdout
    assert "references: gain" in result.stdout
    with_input = call("steps", "--skip", "second", "--set", "first.amount=7").stdout
    assert "left out as asked" in with_input
    assert "off unless asked for" in with_input
    assert "(default 1.0)" in with_input
    assert "amount" not in call("steps", "-q").stdout


def test_steps_as_json(call, main):
    rows = json.loads(CliRunner().invoke(main, ["steps", "--json"]).stdout)["steps"]
    assert [row["step"] for row in rows] == ["first", "second", "extra", "last"]
    assert rows[0]["options"]["amount"]["default"] == 1.0
    assert rows[2]["default"] == "off"
    rows = json.loads(call("steps", "--json").stdout)["steps"]
    assert [row["action"] for row in rows] == ["run", "run", "skip", "run"]
    assert rows[2]["reason"] == "off unless asked for"


def test_version(main):
    result = CliRunner().invoke(main, ["--version"])
    assert result.output == f"calwebb-toy {__version__}\n"


@pytest.mark.parametrize("option", ["--input-dir", "--allow-outside", "--product"])
def test_options_of_associations(main, option):
    takes = make_program(LOADER, name="calwebb-toy4", package="calwebb_core", association=True)
    for command in ("run", "step", "steps"):
        assert option in CliRunner().invoke(takes, [command, "--help"]).output
        assert option not in CliRunner().invoke(main, [command, "--help"]).output


def test_input_dir_only_for_associations(toy_file, gain_file, tmp_path):
    main = make_program(
        LOADER, name="calwebb-toy3", package="calwebb_core", meaning="Toys.", association=True
    )
    args = ["run", str(toy_file), "--output-dir", str(tmp_path / "o"), "--input-dir", str(tmp_path)]
    result = CliRunner().invoke(main, [*args, "--override", f"gain={gain_file}"])
    assert result.exit_code == 0
    assert "asn.json" in CliRunner().invoke(main, ["--help"]).output


@pytest.mark.parametrize("name", HOUSE_OPTIONS)
def test_every_option_is_documented(main, name):
    command = main.commands[name]
    known = {option for item in command.params for option in item.opts}
    assert set(HOUSE_OPTIONS[name]) <= known
    for item in command.params:
        if isinstance(item, click.Option):
            assert item.help, item.name
    text = CliRunner().invoke(main, [name, "--help"]).output
    assert "Example:" in text
    assert "calwebb-toy" in text.split("Example:")[1]


def test_group_help(main):
    text = CliRunner().invoke(main, ["--help"]).output
    assert "Toys." in text
    assert text.index("\n  run ") < text.index("\n  steps ") < text.index("\n  step ")


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from calwebb_core.framework.command import make_program\n"
        "main = make_program('no_such_module:PIPELINE', name='x', package='calwebb_core')\n"
        "try: main(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'numba', 'astropy', 'asdf', 'gwcs', 'crds', 'matplotlib', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_threads(monkeypatch):
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    set_threads(2)
    assert {os.environ[variable] for variable in THREAD_VARIABLES} == {"2"}
    set_threads(None)
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_threads_once_numba_is_loaded(monkeypatch):
    numba = pytest.importorskip("numba")
    before = numba.get_num_threads()
    set_threads(1)
    assert numba.get_num_threads() == 1
    numba.set_num_threads(before)
    assert os.environ["NUMBA_NUM_THREADS"] == "1"


@pytest.fixture
def one_action():
    @program("calwebb-one", package="calwebb_core", example="calwebb-one a b", wants_quiet=True)
    @click.argument("how")
    @click.option("-o", "--output", help="Where.")
    def main(how, output, quiet):
        """Do one thing."""
        kinds = {"input": InputError, "reference": ReferenceFileError, "ours": ProcessingError}
        if how in kinds:
            raise kinds[how]("x.fits: found\n this; expected that")
        if how == "leave":
            leave(3)
        if how == "abort":
            raise click.Abort
        if how == "fault":
            raise KeyError("k")
        click.echo(f"{how} {output} {quiet}")

    return main


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("fine", 0), ("ours", 1), ("input", 2), ("reference", 3), ("fault", 1), ("leave", 3),
        ("abort", 1),
    ],
)  # fmt: skip
def test_program_with_one_action(one_action, how, code):
    result = CliRunner().invoke(one_action, [how, "-o", "there", "-q"])
    assert result.exit_code == code
    if how in ("input", "ours", "reference"):
        expected = "calwebb-one: error: x.fits: found this; expected that\n"
        assert result.stderr == expected
    if how == "fine":
        assert result.output == "fine there True\n"


def test_program_help(one_action):
    text = CliRunner().invoke(one_action, ["--help"]).output
    for word in ("Do one thing.", "--version", "--quiet", "Example:\n    calwebb-one a b"):
        assert word in text
    assert text.index("--output") < text.index("--version")
    result = CliRunner().invoke(one_action, [])
    assert result.exit_code == 2
    assert "Missing argument 'HOW'" in result.stderr
