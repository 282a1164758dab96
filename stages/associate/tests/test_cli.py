"""The console scripts: what they write, what they say, and their exit codes."""

import json

import pytest
from click.testing import CliRunner

from calwebb_associate.cli import associate, pool, references
from calwebb_associate.generate import make_associations
from calwebb_associate.pool import read_pool
from calwebb_core.framework.association import read_association

PROGRAMS = [pool, associate, references]


@pytest.fixture
def run():
    def invoke(command, *arguments):
        return CliRunner().invoke(command, [str(argument) for argument in arguments])

    return invoke


@pytest.mark.parametrize("command", PROGRAMS)
def test_help_has_an_example_and_version_a_number(run, command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Example:" in result.stdout
    assert f"  {command.name} " in result.stdout
    for option in command.params:
        assert option.opts[0] in result.stdout or option.name.upper() in result.stdout
    result = run(command, "--version")
    assert result.stdout.startswith(f"{command.name} 0.")


@pytest.fixture
def table(run, raw, tmp_path):
    path = tmp_path / "pool.csv"
    assert run(pool, raw, "-o", path).exit_code == 0
    return path


def test_associations_are_written(run, table, tmp_path):
    output = tmp_path / "made" / "here"
    result = run(associate, table, "--output-dir", output)
    assert result.exit_code == 0, result.stderr
    assert "3 associations" in result.stderr
    expected = {made.file_name: made.content for made in make_associations(read_pool(table))}
    assert {file.name: json.loads(file.read_text()) for file in output.iterdir()} == expected
    for file in output.iterdir():
        assert read_association(file, check_files=False).asn_id == "o001"


def test_one_association_is_written(run, table, tmp_path):
    names = [made.file_name for made in make_associations(read_pool(table))]
    result = run(associate, table, "--only", names[0], "--output-dir", tmp_path / "made", "-q")
    assert (result.exit_code, result.output) == (0, "")
    assert [file.name for file in (tmp_path / "made").iterdir()] == [names[0]]
    result = run(associate, table, "--only", names[0][:-1], "--output-dir", tmp_path / "made")
    assert result.exit_code == 2
    assert f"its exposures make no association {names[0][:-1]}; did you mean" in result.stderr
    result = run(associate, table, "--only", "x", "--output-dir", tmp_path / "made")
    assert "make no association x; it makes 3 others" in result.stderr


def test_the_whole_program_may_be_combined(run, raw, put, tmp_path):
    put("jw01345002001_02201_00001_nrcalong_uncal.fits", raw, OBSERVTN="002")
    run(pool, raw, "-o", tmp_path / "pool.csv")
    result = run(
        associate, tmp_path / "pool.csv", "--discover", "--version-id", "20260101T000000",
        "--output-dir", tmp_path / "made",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert list((tmp_path / "made").glob("jw01345-a3001_20260101t000000_image3_*_asn.json"))


def test_what_has_no_rule_is_said(run, raw, put, tmp_path):
    put("jw01345001001_02201_00003_nrcalong_uncal.fits", raw, EXP_TYPE="NRC_LED")
    run(pool, raw, "-o", tmp_path / "pool.csv")
    result = run(associate, tmp_path / "pool.csv", "--output-dir", tmp_path / "made", "-q")
    assert result.exit_code == 0
    assert "1 exposure of calibration lamp or flat in no association: no rule takes" in (
        result.stderr
    )


def test_associate_says_what_is_wrong(run, table, tmp_path):
    result = run(associate, tmp_path / "none.csv", "--output-dir", tmp_path)
    assert (result.exit_code, "cannot be read as a pool" in result.stderr) == (2, True)
    result = run(associate, table, "--version-id", "now", "--output-dir", tmp_path)
    assert result.exit_code == 2
    assert "--version-id: 'now' is no stamp; expected YYYYMMDDthhmmss" in result.stderr
    result = run(associate, table, "--output-dir", table)
    assert result.exit_code == 2
    assert "cannot be made: File exists; choose another output folder" in result.stderr


@pytest.mark.realdata
def test_references_of_a_real_exposure_under_two_contexts(run, crds, tmp_path):
    """Equal to what `crds.getrecommendations` says; 0676 differs from 0619."""
    import crds as library
    from astropy.io import fits

    path = crds.parent / "headers" / "jw01075001001_03105_00009_nrca2_uncal.fits"
    header = fits.getheader(path)
    parameters = {
        "META.INSTRUMENT.NAME": header["INSTRUME"],
        "META.INSTRUMENT.DETECTOR": header["DETECTOR"],
        "META.INSTRUMENT.FILTER": header["FILTER"],
        "META.INSTRUMENT.PUPIL": header["PUPIL"],
        "META.INSTRUMENT.CHANNEL": header["CHANNEL"],
        "META.INSTRUMENT.MODULE": header["MODULE"],
        "META.EXPOSURE.TYPE": header["EXP_TYPE"],
        "META.EXPOSURE.READPATT": header["READPATT"],
        "META.SUBARRAY.NAME": header["SUBARRAY"],
        "META.OBSERVATION.DATE": header["DATE-OBS"],
        "META.OBSERVATION.TIME": header["TIME-OBS"],
        "META.VISIT.TSOVISIT": header["TSOVISIT"],
    }
    chosen = {}
    for context in ("jwst_0619.pmap", "jwst_0676.pmap"):
        output = tmp_path / f"{context}.json"
        options = ("--context", context, "-o", output, "--allow-missing")
        result = run(references, path, *options)
        assert result.exit_code == 0, result.stderr
        content = json.loads(output.read_text())
        assert (content["context"], content["exposure"]) == (context, path.name[:-11])
        chosen[context] = {
            kind: entry if isinstance(entry, str) else entry["name"]
            for kind, entry in content["references"].items()
        }
        expected = library.getrecommendations(
            parameters, reftypes=list(chosen[context]), context=context, observatory="jwst"
        )
        for kind, file in chosen[context].items():
            assert file == expected[kind] or (file == "N/A" and "NOT FOUND" in expected[kind])
    assert chosen["jwst_0619.pmap"] != chosen["jwst_0676.pmap"]


@pytest.mark.realdata
def test_types_and_pipelines_choose_what_is_listed(run, crds, put, tmp_path):
    path, output = put(), tmp_path / "refs.json"
    context = ("--context", "jwst_0676.pmap", "--allow-missing", "-o", output)
    assert run(references, path, "--types", "Gain, flat", *context).exit_code == 0
    assert set(json.loads(output.read_text())["references"]) == {"gain", "flat"}
    assert run(references, path, "--pipeline", "calwebb-image3", *context).exit_code == 0
    listed = {"apcorr", "abvegaoffset", "pars-tweakregstep"}
    assert set(json.loads(output.read_text())["references"]) == listed
    words = ("--pipeline", "calwebb-image3", "--no-crds-parameters")
    assert run(references, path, *words, *context).exit_code == 0
    assert set(json.loads(output.read_text())["references"]) == {"apcorr", "abvegaoffset"}


@pytest.mark.realdata
def test_files_that_are_not_in_the_cache_are_an_error(run, crds, put, tmp_path):
    output = tmp_path / "refs.json"
    result = run(references, put(), "--context", "jwst_0676.pmap", "--types", "gain", "-o", output)
    assert result.exit_code == 3
    assert "is not in the CRDS cache; set CRDS_SERVER_URL" in result.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ("gian", "--types: unknown reference type 'gian'; did you mean gain?"),
        ("q", "--types: unknown reference type 'q'; known: abvegaoffset, "),
        (",", "--types: is empty; expected names such as flat,gain"),
    ],
)
def test_references_says_which_type_is_wrong(run, put, tmp_path, types, message):
    result = run(references, put(), "--types", types, "-o", tmp_path / "refs.json")
    assert result.exit_code == 2
    assert message in result.stderr


def test_references_says_what_else_is_wrong(run, put, tmp_path, monkeypatch):
    output = tmp_path / "refs.json"
    result = run(references, tmp_path / "x_uncal.fits", "-o", output)
    assert (result.exit_code, "cannot be read" in result.stderr) == (2, True)
    result = run(references, put("img_3.fits"), "-o", output)
    assert (result.exit_code, "has no product suffix" in result.stderr) == (2, True)
    monkeypatch.delenv("CRDS_PATH", raising=False)
    result = run(references, put(), "-o", output)
    assert (result.exit_code, "CRDS_PATH is not set" in result.stderr) == (3, True)
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    result = run(references, put(), "--context", "hst_0001.pmap", "-o", output)
    assert result.exit_code == 2
    assert "CRDS context 'hst_0001.pmap': expected a name such as" in result.stderr
