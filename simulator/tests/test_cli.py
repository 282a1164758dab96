import subprocess
import sys

import pytest

from calwebb_simulator.cli import main


def call(*arguments) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(item) for item in arguments])
    return int(ended.value.code or 0)


def test_run(tmp_path):
    code = call(
        "run", "--scenario", "tiny", "--subarray", "SUB64P", "--exposures", 1, "--groups", 2,
        "--no-references", "--only-effects", "none", "-q", "--output-dir", tmp_path,
    )  # fmt: skip
    assert code == 0
    assert len(list((tmp_path / "uncal").iterdir())) == 1
    assert not (tmp_path / "crds_cache").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scenario", "tinny"), "did you mean tiny"),
        (("--scenario", "tiny", "--off", "darkness"), "unknown effect darkness"),
        (("--scenario", "tiny", "--subarray", "SUB1"), "no aperture NRCB1_SUB1"),
        (("--scenario", "tiny", "--filter", "F444W"), "F444W is not in front of"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(tmp_path, capsys, options, message):
    assert call("run", *options, "--output-dir", tmp_path) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_lists(capsys):
    assert call("scenarios") == 0
    text = capsys.readouterr().out
    assert "two-filters" in text
    assert "cosmic_rays" in text


def test_help_is_light():
    code = (
        "import sys; from calwebb_simulator.cli import main\n"
        "try: main(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'numba', 'astropy', 'gwcs', 'matplotlib', 'pysiaf'} & set(sys.modules)\n"
        "sys.exit(f'loads {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--only-effects" in done.stdout
