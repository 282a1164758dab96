"""Pools from headers and from files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_associate.columns import COLUMNS
from calwebb_associate.headers import read_primary
from calwebb_associate.pool import (
    Pool,
    candidates,
    flag,
    make_pool,
    program_of,
    read_pool,
    root_of,
    value,
    write_pool,
)
from calwebb_associate.pool_file import parse_pool
from calwebb_core.framework.errors import InputError

HEADER = {
    "PROGRAM": "01345",
    "OBSERVTN": "001",
    "EXP_TYPE": "NRC_IMAGE",
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCALONG",
}


def name(observation, exposure, detector="nrcalong"):
    return Path(f"jw01345{observation:03d}001_02201_{exposure:05d}_{detector}_uncal.fits")


def test_a_row_holds_the_header_as_lower_case_text(put):
    path = put()
    (row,) = make_pool({path: read_primary(path)}).rows
    assert set(row) == set(COLUMNS)
    assert row["filename"] == path.name
    assert row["program"] == "01345"
    assert (row["obs_num"], row["visit"], row["visitgrp"]) == ("1", "1", "2")
    assert row["act_id"] == "01"
    assert row["exp_type"] == "nrc_image"
    assert (row["filter"], row["pupil"], row["subarray"]) == ("f277w", "clear", "full")
    assert (row["tsovisit"], row["bkgdtarg"], row["is_psf"]) == ("f", "f", "null")
    assert row["asn_candidate"] == "[('o001', 'observation')]"
    assert (row["targetid"], row["pntgtype"], row["mostilno"]) == ("1", "science", "1")
    assert (row["exposerr"], row["gwa_xtil"]) == ("null", "-0.25")


def test_a_separator_in_a_value_is_replaced(put, tmp_path):
    path = put(TARGPROP="A|B")
    pool = make_pool({path: read_primary(path)})
    write_pool(pool, tmp_path / "pool.csv")
    assert read_pool(tmp_path / "pool.csv").rows[0]["targprop"] == "a/b"


def test_targets_are_numbered_by_first_observation_then_name():
    headers = {
        name(2, 1): HEADER | {"OBSERVTN": "002", "TARGPROP": "alpha"},
        name(1, 1): HEADER | {"TARGPROP": "Zeta"},
        name(3, 1): HEADER | {"OBSERVTN": "003", "TARGPROP": "ZETA"},
        name(2, 2): HEADER | {"OBSERVTN": "002", "TARGPROP": "beta"},
    }
    numbers = {row["filename"]: row["targetid"] for row in make_pool(headers).rows}
    assert numbers == {
        str(name(1, 1)): "1",
        str(name(3, 1)): "1",
        str(name(2, 1)): "2",
        str(name(2, 2)): "3",
    }


@given(st.permutations([name(o, e) for o in (1, 2) for e in (1, 2)]))
def test_the_order_of_files_does_not_matter(files):
    headers = {path: HEADER | {"OBSERVTN": path.name[7:10]} for path in files}
    assert make_pool(headers) == make_pool(dict(sorted(headers.items())))


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({Path("img_3.fits"): HEADER}, r"img_3\.fits: not the name of an exposure"),
        ({Path("jw01345001001_02201_00001_nrcalong_i2d.fits"): HEADER}, "is a _i2d; expected a "),
        ({Path("jw01345001001_02201_00001_nrcalong.fits"): HEADER}, "has no suffix; expected a"),
        (
            {Path("a") / name(1, 1): HEADER, Path("b") / name(1, 1): HEADER},
            "b/jw.*: exposure jw01345001001_02201_00001_nrcalong is there twice, also as a/jw",
        ),
        ({name(1, 1): HEADER | {"EXP_TYPE": "NRC_IMGE"}}, "unknown EXP_TYPE 'NRC_IMGE'; did you "),
        ({name(1, 1): HEADER | {"EXP_TYPE": "X"}}, "expected one such as NRC_IMAGE"),
        ({name(1, 1): {"PROGRAM": "01345"}}, "keyword OBSERVTN is missing in the primary header"),
        ({name(1, 1): HEADER | {"DETECTOR": ""}}, "keyword DETECTOR is missing"),
    ],
)
def test_what_is_wrong_with_an_exposure_is_said(headers, message):
    with pytest.raises(InputError, match=message):
        make_pool(headers)


COLUMN_NAMES = "filename|program|obs_num|exp_type|instrume|detector|asn_candidate"


def table(*rows, columns=COLUMN_NAMES):
    return "\n".join(["# a comment", columns, *rows]) + "\n"


QUOTED = "\"[('o001', 'observation')]\""
COMMAS = "jw_1_uncal.fits,1345,1,nrc_image,nircam,nrca1"
GOOD = "jw_1_uncal.fits|1345|1|nrc_image|nircam|nrca1|[('o001', 'observation')]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected a line with the columns' names"),
        ("# only a comment\n", "is empty"),
        (table(columns="filename|program"), "has no column exp_type, instrume, asn_c"),
        (table(columns=f"filename|{COLUMN_NAMES}"), "column filename is there twice"),
        (table("a|b"), "line 3 has 2 values; expected 7"),
        (
            table(GOOD, GOOD.replace("nircam", "miri")),
            "exposure jw_1 is there twice, with different instrume; expected once",
        ),
        (table(GOOD.replace("nrc_image", "nrc_imag")), "unknown EXP_TYPE 'nrc_imag'; did you "),
        (table(GOOD.replace("_uncal.fits", "_i2d.fits")), "is not the name of a raw exposure"),
        (table(GOOD.replace("1345", "x")), "has program 'x'; expected a number of up to 5 digits"),
        (table(GOOD.replace("_uncal.fits", ".txt")), "is not the name of a raw exposure"),
        (table(GOOD.replace("[('o001', 'observation')]", "o001")), "asn_candidate 'o001'; exp"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_pool_is_said(tmp_path, text, message):
    path = tmp_path / "pool.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_pool(path)
    assert str(error.value).startswith(f"{path}: ")


def test_a_pool_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: cannot be read as a pool: No such file"):
        read_pool(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"binary\.csv: cannot be read as a pool: it is not text"):
        read_pool(tmp_path / "binary.csv")


def test_a_pool_made_from_headers_survives_a_round_trip(put, tmp_path):
    path = put()
    pool = make_pool({path: read_primary(path)})
    write_pool(pool, tmp_path / "pool.csv")
    assert read_pool(tmp_path / "pool.csv") == pool


FORMS = {
    "upper case": table(GOOD).upper().replace("# A", "# a"),
    "padded": table(
        "  jw_1_uncal.fits | 1345 |1  | NRC_IMAGE|  nircam|nrca1 | [('o001', 'observation')] ",
        columns=COLUMN_NAMES.replace("|", "  | "),
    ),
    "bars at the ends": table(f"|{GOOD}|", columns=f"| {COLUMN_NAMES} |"),
    "bars behind the rows": table(f"{GOOD}|"),
    "quotes": table('"jw_1_uncal.fits"|"1345"|1|nrc_image| "nircam" |nrca1|' + QUOTED),
    "commas": table(f"{COMMAS},{QUOTED}", columns=COLUMN_NAMES.replace("|", ",")),
    "tabs": table(GOOD.replace("|", "\t"), columns=COLUMN_NAMES.replace("|", "\t")),
    "blank lines": table("", GOOD, "  ", " # another comment", ""),
    "other line ends": table(GOOD).replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + table(GOOD),
    "a folder": table(f"some/folder/{GOOD}"),
    "a copy": table(GOOD, GOOD),
    "no observation": table(
        GOOD.replace("|1|nrc", "|nrc"), columns=COLUMN_NAMES.replace("obs_num|", "")
    ),
    "observation null": table(GOOD.replace("|1|nrc", "|NULL|nrc")),
}


@pytest.mark.parametrize("form", FORMS)
def test_pools_that_people_write_are_read(tmp_path, form):
    path = tmp_path / "pool.csv"
    path.write_bytes(FORMS[form].encode())
    (row,) = read_pool(path).exposures()
    assert root_of(row) == "jw_1"
    assert row["filename"] == "jw_1_uncal.fits"
    assert program_of(row) == "01345"
    assert value(row, "obs_num") == "1"
    assert (value(row, "exp_type"), value(row, "instrume")) == ("nrc_image", "nircam")
    assert candidates(row) == [("o001", "observation")]


def test_a_line_beyond_reason_is_refused():
    with pytest.raises(InputError, match=r"a pool's line cannot be read \(field larger than"):
        parse_pool(Path("pool.csv"), table('"' + "x" * 200_000 + '"'))


def test_a_delimiter_may_be_named(tmp_path):
    path = tmp_path / "pool.csv"
    path.write_text(table(GOOD.replace("|", "!"), columns=COLUMN_NAMES.replace("|", "!")))
    assert len(read_pool(path, "!").rows) == 1
    with pytest.raises(InputError, match="has no column filename"):
        read_pool(path)


def test_a_copy_is_counted_once_with_a_warning(tmp_path, caplog):
    path = tmp_path / "pool.csv"
    path.write_text(table(GOOD, GOOD.replace("uncal", "rate")))
    assert len(read_pool(path).rows) == 1
    assert "exposure jw_1 is there twice; it is counted once" in caplog.text


def test_one_name_in_two_observations_is_two_exposures(tmp_path, caplog):
    path = tmp_path / "pool.csv"
    path.write_text(table(GOOD, GOOD.replace("|1|nrc", "|2|nrc").replace("o001", "o002")))
    assert len(read_pool(path).rows) == 2
    assert "exposure jw_1 is in several observations" in caplog.text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[]", []),
        ("NULL", []),
        ("[('o001','OBSERVATION'),('c1000','Direct-Image'),]", ["observation", "direct-image"]),
        ("[('r5000', 'cat_2'), ('a3001', 'x')]", ["cat_2", "x"]),
        ("('o001', 'observation')", ["observation"]),
        ('[["o001", "observation"]]', None),
        ("[('o001', 'observation') and more]", None),
        ("[('x001', 'observation')]", None),
    ],
)
def test_candidates_in_every_form(tmp_path, text, found):
    path = tmp_path / "pool.csv"
    path.write_text(table(GOOD.replace("[('o001', 'observation')]", text)))
    if found is None:
        with pytest.raises(InputError, match="has asn_candidate"):
            read_pool(path)
    else:
        (row,) = read_pool(path).exposures()
        assert [kind for _, kind in candidates(row)] == found


def test_rows_of_no_exposure_are_kept_in_the_file_only(tmp_path):
    path = tmp_path / "pool.csv"
    template = GOOD.replace("[('o001', 'observation')]", "@!number(next(x))")
    path.write_text(table("set acid" + COLUMN_NAMES[8:-13] + "1000", template, GOOD))
    pool = read_pool(path)
    assert (len(pool.rows), len(list(pool.exposures()))) == (3, 1)
    assert pool.text() == path.read_text()


@pytest.mark.parametrize("word", ["", "NULL", "Null", "--", "N", "f", "FALSE", "n/a", "None"])
def test_words_for_no_value(tmp_path, word):
    path = tmp_path / "pool.csv"
    path.write_text(table(GOOD.replace("nrca1", word)))
    (row,) = read_pool(path).exposures()
    for one in (row, dict(row)):
        assert value(one, "detector") == value(one, "is_psf") == ""
        assert not flag(one, "detector")


@pytest.mark.parametrize(("word", "expected"), [("T", True), ("Yes", True), ("0", False)])
def test_flags(word, expected):
    assert flag({"is_psf": word}, "is_psf") is expected


def test_what_was_written_is_written_again(tmp_path):
    path = tmp_path / "pool.csv"
    first = GOOD.replace("nrca1", "NRCA1").replace("nircam", '"a|b"').replace("a|b", "NIRCam")
    path.write_text(table('"#1_uncal.fits"' + GOOD[15:], first).replace('"NIRCam"', "NIRCam"))
    with pytest.raises(InputError, match="is not the name of a raw exposure"):
        read_pool(path)
    path.write_text(table(first.replace('"', "")))
    assert read_pool(path).text() == path.read_text()


def test_values_that_need_quotes_get_them():
    row = {"filename": "#1", "targprop": 'a|"b"'}
    pool = Pool(("filename", "targprop"), (row,))
    assert pool.text() == 'filename|targprop\n"#1"|"a|""b"""\n'
    with pytest.raises(InputError, match="goes over several lines; a pool has one line an"):
        Pool(("targprop",), ({"targprop": "a\nb"},)).text()


WORDS = st.text("|,\"'#@! \n\t[]()oN019_-.\u00e9\u2028", max_size=60)


@given(WORDS, WORDS, st.sampled_from(list(FORMS.values())))
def test_a_text_is_a_pool_or_refused(one, other, good):
    for text in (one, good.replace("1345", one, 1), one.join(good.split("\n")), good + other):
        try:
            pool = parse_pool(Path("pool.csv"), text)
        except InputError:
            continue
        assert parse_pool(Path("pool.csv"), pool.text()) == pool


@pytest.mark.realdata
def test_real_pools_survive_a_round_trip(realdata, tmp_path):
    pools = sorted((realdata / "pools").glob("*.csv"))
    assert len(pools) == 15
    for path in pools:
        pool = read_pool(path)
        assert list(pool.exposures()), path
        write_pool(pool, tmp_path / path.name)
        assert read_pool(tmp_path / path.name) == pool
        assert (tmp_path / path.name).read_text().rstrip() == path.read_text().rstrip()


@pytest.mark.realdata
def test_a_pool_of_real_headers(realdata):
    files = sorted((realdata / "headers").glob("jw*_uncal.fits"))
    pool = make_pool({path: read_primary(path) for path in files})
    assert [row["detector"] for row in pool.rows] == ["nrca2", "nrca3", "nrca4"]
    assert {row["exp_type"] for row in pool.rows} == {"nrc_coron"}
    assert {row["is_psf"] for row in pool.rows} == {"t"}
    assert {row["obs_id"] for row in pool.rows} == {"v01075001001p0000000003105"}
