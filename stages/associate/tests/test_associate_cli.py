"""The options of calwebb-associate: which associations are made, and of which files."""

import json
import re

import pytest
from click.testing import CliRunner

from calwebb_associate.cli import associate
from calwebb_associate.pool import make_pool, read_pool, root_of, write_pool
from calwebb_core.framework.association import read_association

DETECTORS = ("nrcalong", "nrcblong")


@pytest.fixture
def run():
    def invoke(*arguments):
        return CliRunner().invoke(associate, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def table(put, tmp_path):
    """A pool of two observations of one field, two dithers each, and of a dark."""
    from calwebb_associate.headers import read_primary

    folder = tmp_path / "raw"
    folder.mkdir()
    for observation in ("001", "002"):
        for number in (1, 2):
            put(
                f"jw01345{observation}001_02201_0000{number}_nrcalong_uncal.fits",
                folder,
                OBSERVTN=observation,
            )
    put("jw01345003001_02201_00001_nrcalong_uncal.fits", folder, OBSERVTN="003", EXP_TYPE="NRC_LED")
    path = tmp_path / "pool.csv"
    write_pool(make_pool({file: read_primary(file) for file in folder.iterdir()}), path)
    return path


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_one_candidate(run, table, tmp_path):
    result = run(table, "-i", "O002", "--output-dir", tmp_path / "made")
    assert result.exit_code == 0, result.stderr
    assert names(tmp_path / "made")
    assert all(name.startswith("jw01345-o002_") for name in names(tmp_path / "made"))


def test_several_candidates(run, table, tmp_path):
    made = tmp_path / "made"
    run(table, "-i", "o002", "--candidate", "o001", "--output-dir", made)
    run(table, "--output-dir", tmp_path / "all")
    assert names(made) == names(tmp_path / "all")


def test_a_candidate_that_is_not_there_is_named(run, table, tmp_path):
    result = run(table, "-i", "o004", "--output-dir", tmp_path / "made")
    assert result.exit_code == 2
    assert result.stderr == (
        f"calwebb-associate: error: {table}: no exposure belongs to candidate o004; "
        "it has o001, o002, o003\n"
    )
    assert not (tmp_path / "made").exists()
    result = run(table, "-i", "a3001", "--output-dir", tmp_path / "made")
    assert "it has o001, o002, o003; --discover makes those of a3001" in result.stderr


def test_a_candidate_without_associations_is_said(run, table, tmp_path):
    result = run(table, "-i", "o003", "--dry-run", "-q")
    assert result.exit_code == 0
    assert "candidate o003 makes no association by the rules" in result.stderr


def test_discovery_alone_and_with_the_candidates(run, table, tmp_path):
    run(table, "--output-dir", tmp_path / "candidates")
    run(table, "--discover", "--output-dir", tmp_path / "discovered")
    run(table, "--discover", "--all-candidates", "--output-dir", tmp_path / "both")
    discovered = names(tmp_path / "discovered")
    assert len(discovered) == 1
    assert re.fullmatch(r"jw01345-a3001_image3_\d{5}_asn\.json", discovered[0])
    assert names(tmp_path / "both") == sorted(discovered + names(tmp_path / "candidates"))
    run(table, "--discover", "-i", "o001", "--output-dir", tmp_path / "one")
    assert {name[8:12] for name in names(tmp_path / "one")} == {"a300", "o001"}


@pytest.mark.parametrize(("level", "kind"), [("2", "image2"), ("3", "image3")])
def test_one_level(run, table, tmp_path, level, kind):
    result = run(table, "--level", level, "--output-dir", tmp_path / "made")
    assert result.exit_code == 0, result.stderr
    found = names(tmp_path / "made")
    assert found
    assert {name.split("_")[1] for name in found} == {kind}


def test_a_dry_run_prints_a_table(run, table, tmp_path):
    result = run(table, "--dry-run", "--save-orphans", tmp_path / "orphans.csv")
    assert result.exit_code == 0, result.stderr
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["candidate", "type", "rule", "product", "members"]
    assert len(rows) == 6
    (mosaic,) = [row for row in rows if row.startswith("o001") and " image3 " in row]
    assert re.split(r" {2,}", mosaic) == [
        "o001", "image3", "Asn_Lv3Image", "jw01345-o001_t001_nircam_clear-f277w", "2 science",
    ]  # fmt: skip
    assert "6 associations would be made" in result.stderr
    assert sorted(tmp_path.glob("*.json")) == []
    orphans = read_pool(tmp_path / "orphans.csv")
    assert [root_of(row) for row in orphans.rows] == ["jw01345003001_02201_00001_nrcalong"]
    assert orphans.columns == read_pool(table).columns


def test_rules_of_ones_own(run, table, tmp_path):
    rules = tmp_path / "mine.toml"
    rules.write_text(
        '[[rule]]\nname = "Mine"\nmakes = "image3"\nsentence = "All images of a filter."\n'
        'exp_type = ["nrc_image"]\nagree = ["program", "filter"]\n'
    )
    result = run(table, "--rules", rules, "--ignore-default", "--dry-run", "-q")
    assert result.exit_code == 0, result.stderr
    assert {line.split()[2] for line in result.stdout.splitlines()[1:]} == {"Mine"}
    result = run(table, "--rules", rules, "--dry-run", "-q")
    assert {line.split()[2] for line in result.stdout.splitlines()[1:]} == {"Mine", "Asn_Lv2Image"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--output-dir is missing; name a folder for the associations, or try --dry-run"),
        (("--ignore-default", "--dry-run"), "--ignore-default leaves no rules; name a file"),
        (("--rules", "none.toml", "--dry-run"), "none.toml: cannot be read as rules"),
        (("--level", "4", "--dry-run"), "'4' is not one of '2', '3'"),
        (("--product-name", "x", "--dry-run"), "--product-name is for listed files; add --from-"),
        (("--asn-type", "image3", "--dry-run"), "--asn-type is for listed files"),
        (("-o", "x.json", "--dry-run"), "--output is for listed files"),
        (("--allow-outside", "--dry-run"), "--allow-outside is for listed files"),
        (("--from-list", "--discover"), "--discover has no meaning with --from-list; leave it"),
        (("--from-list", "--only", "x"), "--only has no meaning with --from-list"),
        (("--from-list", "--all-candidates"), "--all-candidates has no meaning with"),
        (("--from-list", "-i", "o001", "-i", "o002"), "of listed files has one id; give it once"),
        (("--from-list",), "--product-name is missing: all files make one product of level 3"),
    ],
)
def test_options_that_do_not_fit(run, table, options, message):
    result = run(table, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cal").mkdir()
    for number in (1, 2):
        (tmp_path / "cal" / f"jw01345001001_02201_0000{number}_nrcalong_cal.fits").touch()
    return sorted(str(file.relative_to(tmp_path)) for file in (tmp_path / "cal").iterdir())


def test_a_list_becomes_one_product(run, files, tmp_path):
    result = run("--from-list", *files, "--product-name", "mosaic", "-o", "mosaic_asn.json")
    assert result.exit_code == 0, result.stderr
    association = read_association(tmp_path / "mosaic_asn.json")
    assert (association.asn_type, association.asn_rule) == ("image3", "DMS_Level3_Base")
    assert (association.asn_id, association.program, association.pool) == ("o999", "01345", "")
    (product,) = association.products
    assert product.name == "mosaic"
    assert [member.raw for member in product.members] == [
        {"expname": file, "exptype": "science"} for file in files
    ]


def test_a_list_has_a_name_by_default_and_may_be_shown(run, files, tmp_path):
    options = ("--product-name", "mosaic", "--asn-type", "coron3", "-i", "C1001")
    science, psf = files
    shown = run("--from-list", science, f"{psf},PSF", *options, "--dry-run", "-q")
    assert shown.exit_code == 0, shown.stderr
    assert list(tmp_path.glob("*.json")) == []
    run("--from-list", science, f"{psf},PSF", *options, "--output-dir", ".")
    path = tmp_path / "mosaic_coron3_asn.json"
    assert path.read_text() == shown.stdout
    content = json.loads(shown.stdout)
    assert content["asn_id"] == "c1001"
    assert [member["exptype"] for member in content["products"][0]["members"]] == ["science", "psf"]


def test_members_are_relative_to_the_associations_folder(run, files, tmp_path):
    options = ("--from-list", *files, "--product-name", "m", "--output-dir")
    result = run(*options, tmp_path / "cal")
    assert result.exit_code == 0, result.stderr
    content = json.loads((tmp_path / "cal" / "m_image3_asn.json").read_text())
    assert content["products"][0]["members"][0]["expname"] == files[0].removeprefix("cal/")
    result = run(*options, tmp_path / "asn")
    assert result.exit_code == 2
    assert f"member ../{files[0]} lies outside" in result.stderr
    assert "(--allow-outside accepts others)" in result.stderr
    result = run(*options, tmp_path / "asn", "--allow-outside")
    assert result.exit_code == 0, result.stderr
    association = read_association(tmp_path / "asn" / "m_image3_asn.json", allow_outside=True)
    assert association.products[0].members[0].path.samefile(files[0])


def test_a_list_of_level_2_has_a_product_of_each_science_file(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listed = ("a_rate.fits", "b_rate.fits", "sky_rate.fits,background")
    result = run("--from-list", *listed, "--level", "2", "-o", "both_asn.json")
    assert result.exit_code == 0, result.stderr
    assert "both_asn.json: 3 of 3 members are not there yet" in result.stderr
    association = read_association("both_asn.json", check_files=False)
    assert (association.asn_type, association.asn_rule) == ("image2", "DMSLevel2bBase")
    assert association.program == "noprogram"
    assert {
        product.name: [(member.path.name, member.exptype) for member in product.members]
        for product in association.products
    } == {
        name: [(f"{name}_rate.fits", "science"), ("sky_rate.fits", "background")] for name in "ab"
    }
    assert run("--from-list", *listed, "--asn-type", "spec2").exit_code == 0
    assert (tmp_path / "a_spec2_asn.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x.fits,sience",), "x.fits,sience: member x.fits has the unknown exptype 'sience'; did"),
        (("x.fits,psf",), "none of the 1 files is science; leave out ,exptype of one"),
        ((",psf",), "',psf': names no file; expected FILE or FILE,exptype"),
        (("x.fits", "x.fits,psf"), "member x.fits of product m is listed twice, as science and"),
        (("x.fits", "--asn-type", "imag3"), "--asn-type: unknown type 'imag3'; did you mean image"),
        (("x.fits", "--asn-type", "zzz"), "unknown type 'zzz'; known: image2, tso-image2"),
        (("x.fits", "--asn-type", "image2"), "--product-name has no use at level 2: products are"),
        (("x.fits", "--asn-type", "image2", "--level", "3"), "--asn-type: image2 is of level 2;"),
        (("x.fits", "-i", "obs1"), "--candidate: 'obs1' is no id; expected such as o001"),
        (("x.fits", "-o", "x.yaml"), "x.yaml: is no name of an association; expected one that"),
        (("x.fits", "--product-name", "a/b"), "--product-name: the product name 'a/b' is not one"),
        (("x.fits", "--product-name", "a{source}"), "unknown placeholder {source}; did you mean"),
    ],
)
def test_lists_that_do_not_fit(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    more = () if "--product-name" in arguments else ("--product-name", "m")
    result = run("--from-list", *arguments, *more, "-q")
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_comma_in_a_files_name(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b.fits").touch()
    assert run("--from-list", "a,b.fits", "--product-name", "m", "-o", "m.json").exit_code == 0
    assert read_association("m.json").products[0].members[0].path.name == "a,b.fits"


def test_help_names_the_defaults_of_lists(run):
    text = " ".join(run("--help").stdout.split())
    assert "image3 (default of level 3), image2 (default of level 2)" in text
    assert "The id is o999, or that of --candidate" in text


def test_start_up_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys, calwebb_associate.cli, calwebb_associate.generate, calwebb_associate.listed\n"
        "import calwebb_core.framework.association\n"
        "print(sorted({'numpy', 'astropy', 'pandas', 'jsonschema', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
