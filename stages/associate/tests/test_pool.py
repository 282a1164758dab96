"""Pools from headers and from files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_associate.columns import COLUMNS
from calwebb_associate.headers import read_primary
from calwebb_associate.pool import make_pool, read_pool, write_pool
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
