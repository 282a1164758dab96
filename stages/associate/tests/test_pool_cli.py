"""calwebb-pool: what it takes, what it writes, what it says, and its exit codes."""

import gzip

import pytest
from click.testing import CliRunner

from calwebb_associate.pool import candidates, read_pool, value
from calwebb_associate.pool_cache import CACHE_NAME
from calwebb_associate.pool_cli import pool

COLUMNS = "filename|program|exp_type|instrume|asn_candidate"
GOOD = "jw_1_uncal.fits|1345|nrc_image|nircam|[('o001', 'observation')]"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments):
        return CliRunner().invoke(pool, [str(argument) for argument in arguments])

    return invoke


def rows(path):
    return list(read_pool(path).exposures())


def test_a_pool_of_a_folder(run, raw, tmp_path):
    result = run(raw, "-o", tmp_path / "pool.csv")
    assert result.exit_code == 0, result.stderr
    assert "2 exposures" in result.stderr
    assert len(rows(tmp_path / "pool.csv")) == 2


def test_a_folder_stands_for_the_folders_below_it(run, raw, put, tmp_path):
    deeper = raw / "obs2" / "visit1"
    deeper.mkdir(parents=True)
    put("jw01345002001_02201_00001_nrcalong_uncal.fits", deeper, OBSERVTN="002")
    hidden = raw / ".trash"
    hidden.mkdir()
    put("jw01345003001_02201_00001_nrcalong_uncal.fits", hidden)
    assert run(raw, "-o", "pool.csv").exit_code == 0
    assert [value(row, "obs_num") for row in rows("pool.csv")] == ["1", "1", "2"]


def test_a_pool_of_a_list_is_the_same(run, raw, tmp_path):
    listed = tmp_path / "files.txt"
    names = sorted(f"raw/{file.name}" for file in raw.iterdir())
    listed.write_text("# raw files\n\n" + "\n".join(reversed(names)) + "\n")
    assert run(listed, "-o", tmp_path / "a.csv").exit_code == 0
    assert run(*sorted(raw.iterdir()), "-o", tmp_path / "b.csv").exit_code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("suffix", ["rate", "rateints", "cal", "calints"])
def test_products_stand_for_their_raw_exposure(run, raw, put, suffix):
    assert run(raw, "-o", "raw.csv").exit_code == 0
    folder = raw.parent / suffix
    folder.mkdir()
    for number in (1, 2):
        put(f"jw01345001001_02201_0000{number}_nrcalong_{suffix}.fits", folder)
    assert run(folder, "-o", "of.csv").exit_code == 0
    assert run(raw, folder, "-o", "both.csv").exit_code == 0
    assert rows("of.csv") == rows("both.csv") == rows("raw.csv")


def test_the_raw_exposure_speaks_for_its_products(run, raw, put):
    put("jw01345001001_02201_00001_nrcalong_rate.fits", raw, TARGPROP="CHANGED")
    assert run(raw, "-o", "pool.csv").exit_code == 0
    assert [value(row, "targprop") for row in rows("pool.csv")] == ["egs", "egs"]


def test_quiet_says_nothing(run, raw, tmp_path):
    result = run(raw, "-o", tmp_path / "pool.csv", "-q")
    assert (result.exit_code, result.output) == (0, "")


def test_other_files_of_a_folder_are_named(run, raw, put):
    put("jw01345001001_02201_00001_nrcalong_i2d.fits", raw)
    put("img_3_uncal.fits", raw)
    packed = raw / "jw01345001001_02201_00003_nrcalong_uncal.fits.gz"
    packed.write_bytes(gzip.compress(b"SIMPLE"))
    put("jw01345001001_gs-acq1_2022117003102_uncal.fits", raw)
    put("jw01345001001_02201_00009_guider1_uncal.fits", raw, EXP_TYPE="FGS_ACQ1")
    (raw / "notes.dat").write_text("x")
    result = run(raw, "-o", "pool.csv")
    assert result.exit_code == 0
    assert "_uncal, _rate or _cal are left out: 3, such as" in result.stderr
    assert result.stderr.count("guide-star files are left out: 1, such as") == 2
    assert len(rows("pool.csv")) == 2


def listing(folder, content):
    path = folder / "files.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def broken(folder, content):
    path = folder / "jw01345001001_02201_00001_nrcalong_uncal.fits"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder, put: folder / "none", "none: no such file or folder"),
        (lambda folder, put: folder, "no exposure; expected files named *_uncal.fits, or _rate"),
        (lambda folder, put: put("img_3_uncal.fits", folder), "not the name of an exposure"),
        (
            lambda folder, put: put("jw01345001001_02201_00001_nrcalong_i2d.fits", folder),
            "is a _i2d; expected a raw exposure (_uncal.fits) or its _rate or _cal",
        ),
        (lambda folder, put: put(folder=folder, EXP_TYPE="NRC_IMGE"), "did you mean NRC_IMAGE?"),
        (lambda folder, put: put(folder=folder, PROGRAM=None), "keyword PROGRAM is missing"),
        (lambda folder, put: put(folder=folder, EXP_TYPE="FGS_TRACK"), "nothing to associate"),
        (lambda folder, put: listing(folder, "gone_uncal.fits"), "lists"),
        (lambda folder, put: listing(folder, b"\xff"), "cannot be read as a list of files"),
        (lambda folder, put: broken(folder, b"hello"), "is not a FITS file"),
        (
            lambda folder, put: broken(folder, b"SIMPLE  =".ljust(2880)),
            "ends within its primary header (2880 bytes); it is truncated, fetch it again",
        ),
        (lambda folder, put: broken(folder, gzip.compress(b"x")), "is compressed; unpack it"),
        (lambda folder, put: listing(folder, "pool.csv"), "lists"),
    ],
)
def test_what_is_wrong_is_said(run, put, tmp_path, make, message):
    folder = tmp_path / "given"
    folder.mkdir()
    output = tmp_path / "pool.csv"
    result = run(make(folder, put), "-o", output)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.splitlines()[-1].startswith("calwebb-pool: error: ")
    assert not output.exists()


def test_an_exposure_in_two_folders_is_refused_and_in_two_links_taken(run, raw, put, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    name = "jw01345001001_02201_00001_nrcalong_uncal.fits"
    (other / name).symlink_to(raw / name)
    assert run(raw, other, "-o", "pool.csv").exit_code == 0
    assert len(rows("pool.csv")) == 2
    (other / name).unlink()
    put(name, other)
    result = run(raw, other, "-o", "pool.csv")
    assert result.exit_code == 2
    assert "is there twice, also as" in result.stderr


def test_the_output_must_be_named_and_writable(run, raw, tmp_path):
    result = run(raw, "-o", tmp_path / "none" / "pool.csv")
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)
    result = run(raw)
    assert (result.exit_code, "-o: the pool to write is missing" in result.stderr) == (2, True)


def test_headers_are_kept_beside_the_pool_or_where_asked(run, raw, tmp_path):
    assert run(raw, "-o", "pool.csv").exit_code == 0
    assert (tmp_path / CACHE_NAME).exists()
    (tmp_path / CACHE_NAME).unlink()
    assert run(raw, "-o", "pool.csv", "--cache", "kept/here").exit_code == 0
    assert (tmp_path / "kept" / "here" / CACHE_NAME).exists()
    assert run(raw, "-o", "pool.csv", "--no-cache").exit_code == 0
    assert "2 exposures, nothing wrong" in run(raw, "--check").stderr
    assert not (tmp_path / CACHE_NAME).exists()
    result = run(raw, "-o", "pool.csv", "--cache", "pool.csv")
    assert (result.exit_code, "choose another folder for --cache" in result.stderr) == (2, True)


def test_a_rescan_gives_the_same_pool_and_sees_what_changed(run, raw, put, monkeypatch):
    assert run(raw, "-o", "a.csv").exit_code == 0
    assert run(raw, "-o", "b.csv").exit_code == 0
    assert rows("a.csv") == rows("b.csv")
    put("jw01345001001_02201_00001_nrcalong_uncal.fits", raw, FILTER="F356W", LAMP="NONE" * 9)
    assert run(raw, "-o", "c.csv").exit_code == 0
    assert [value(row, "filter") for row in rows("c.csv")] == ["f356w", "f277w"]


def test_candidates_and_values_are_added(run, raw, put):
    put("jw01345002001_02201_00001_nrcalong_uncal.fits", raw, OBSERVTN="002")
    result = run(
        raw, "-o", "pool.csv", "--candidate", "C1000=Mosaic: o001, o002",
        "--candidate", "c1001=direct-image:*_00002_nrcalong",
        "--set", "jw01345002*", "IS_IMPRT", "t", "--set", "*", "dms_note", "moved | slew",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    found = rows("pool.csv")
    mosaic = ("c1000", "mosaic")
    assert [candidates(row) for row in found] == [
        [("o001", "observation"), mosaic],
        [("o001", "observation"), mosaic, ("c1001", "direct-image")],
        [("o002", "observation"), mosaic],
    ]
    assert [value(row, "is_imprt") for row in found] == ["", "", "t"]
    assert {value(row, "dms_note") for row in found} == {"moved | slew"}


def test_a_pool_is_changed(run, tmp_path):
    (tmp_path / "old.csv").write_text(f"# mine\n{COLUMNS}\n{GOOD}\n")
    result = run("old.csv", "-o", "new.csv", "--set", "jw_1", "pntgtype", "target_acquisition")
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / "new.csv").read_text().splitlines()
    assert text == ["# mine", f"{COLUMNS}|obs_num|pntgtype", f"{GOOD}|1|target_acquisition"]


def test_other_delimiters(run, raw, tmp_path):
    assert run(raw, "-o", "pool.csv", "--delimiter", ",").exit_code == 0
    assert (tmp_path / "pool.csv").read_text().startswith("filename,obs_id,")
    assert run("pool.csv", "-o", "back.csv").exit_code == 0
    assert run(raw, "-o", "bar.csv").exit_code == 0
    assert (tmp_path / "back.csv").read_bytes() == (tmp_path / "bar.csv").read_bytes()
    result = run(raw, "-o", "pool.csv", "--delimiter", "||")
    assert (result.exit_code, "cannot stand between values" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--candidate", "c1000"), "expected ID=TYPE:MEMBERS such as c1000=mosaic:o001,o002"),
        (("--candidate", "o001=mosaic:o001"), "expected ID=TYPE:MEMBERS"),
        (("--candidate", "c1000=mosaic:o001,,o002"), "expected ID=TYPE:MEMBERS"),
        (("--candidate", "c1000=mosaic:o009"), "no exposure of the pool belongs to o009"),
        (("--candidate", "c1000=mosaic:jw*x"), "no exposure of the pool belongs to jw*x"),
        (
            ("--candidate", "c1000=a:o001", "--candidate", "c1000=b:o001"),
            "c1000 is a candidate of type a already; choose another number",
        ),
        (("--set", "*", "is_impr", "t"), "is_impr is not a column that can be set; did you mean"),
        (("--set", "*", "asn_candidate", "t"), "can be set; use --candidate"),
        (("--set", "x", "is_psf", "t"), "no exposure of the pool belongs to x"),
        (("--set", "*", "exp_type", "nrc_imge"), "did you mean NRC_IMAGE?"),
        (("--set", "*", "dms_note", "a\nb"), "goes over several lines"),
    ],
)
def test_options_that_cannot_be_followed_are_refused(run, raw, options, message):
    result = run(raw, "-o", "pool.csv", *options)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("name", ["pool.txt", "pool", "pool.lst"])
def test_a_pool_may_be_named_otherwise(run, tmp_path, name):
    (tmp_path / name).write_text(f"# mine\n{COLUMNS}\n{GOOD}\n".upper().replace("# M", "# m"))
    assert run(name, "--check").exit_code == 0
    assert run(name, "-o", "new.csv").exit_code == 0
    assert len(rows("new.csv")) == 1


def test_a_pool_comes_alone(run, raw, tmp_path):
    (tmp_path / "old.csv").write_text(f"{COLUMNS}\n{GOOD}\n")
    result = run("old.csv", raw, "-o", "new.csv")
    assert (result.exit_code, "a pool comes alone" in result.stderr) == (2, True)


def test_a_check_prints_and_writes_nothing(run, raw, tmp_path):
    assert run(raw, "-o", "pool.csv").exit_code == 0
    before = sorted(path.name for path in tmp_path.iterdir())
    result = run("pool.csv", "--check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing wrong, 0 odd" in result.stderr
    bad = GOOD.replace("nrc_image", "nrc_imag")
    (tmp_path / "bad.csv").write_text(f"{COLUMNS}\n{bad}\n{bad}\n")
    result = run("bad.csv", "--check")
    assert result.exit_code == 2
    assert result.stdout.count("wrong: exposure jw_1_uncal.fits has an unknown EXP_TYPE") == 2
    assert result.stderr.count("\n") == 1
    assert "did you mean NRC_IMAGE? (and 1 more)" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "bad.csv"])


@pytest.mark.realdata
def test_real_headers(run, realdata, tmp_path):
    result = run(realdata / "headers", "-o", "pool.csv")
    assert result.exit_code == 0
    assert "are left out: 12, such as" in result.stderr
    assert len(rows("pool.csv")) == 3
    assert run("pool.csv", "--check").stdout == ""
    result = run(realdata / "guider", "-o", "guide.csv")
    assert result.exit_code == 2
    assert "guide-star files are left out: " in result.stderr
    assert "no exposure; expected files named" in result.stderr


@pytest.mark.realdata
def test_real_calibrated_exposures(run, realdata):
    result = run(realdata / "niriss_ami", "-o", "pool.csv", "-q")
    assert result.exit_code == 0, result.stderr
    found = rows("pool.csv")
    assert {value(row, "exp_type") for row in found} == {"nis_ami"}
    assert all(row["filename"].endswith("_uncal.fits") for row in found)
    assert {value(row, "is_psf") for row in found} == {"", "t"}
