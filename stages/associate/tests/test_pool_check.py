"""What a check of an edited pool finds."""

import pytest

from calwebb_associate.pool_check import check_pool
from calwebb_core.framework.errors import InputError

COLUMNS = "filename|program|obs_num|exp_type|instrume|detector|targetid|is_psf|asn_candidate"
GOOD = (
    "jw01345001001_02201_00001_nrcalong_uncal.fits|1345|1|nrc_image|nircam|nrcalong|1|f|"
    "[('o001', 'observation')]"
)


def check(tmp_path, *rows, columns=COLUMNS):
    path = tmp_path / "pool.csv"
    path.write_text("\n".join((columns, *rows)) + "\n")
    wrong, odd = check_pool(path)
    return wrong, [sentence for sentence in odd if not sentence.startswith("there is no column")]


def test_a_good_pool(tmp_path):
    assert check(tmp_path, GOOD) == ([], [])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((GOOD, GOOD), "exposure jw01345001001_02201_00001_nrcalong is there twice; expected once"),
        ((GOOD, GOOD.replace("|f|", "|t|")), "is there twice, with different is_psf; expected"),
        ((GOOD, GOOD.replace("uncal", "rate")), "nrcalong is there twice; expected once"),
        ((GOOD.replace("nrc_image", "nrc_imge"),), "has an unknown EXP_TYPE 'nrc_imge'; did you"),
        ((GOOD.replace("|1345|", "|one|"),), "has program 'one'; expected a number of up to 5"),
        ((GOOD.replace("|nircam|", "|nir/cam|"),), "has instrume 'nir/cam', which cannot be part"),
        ((GOOD.replace("|1|f|", "|../1|f|"),), "has targetid '../1', which cannot be part of a"),
        ((GOOD.replace("o001", "o1"),), "expected such as [('o001', 'observation')]"),
        ((GOOD.replace("[('o001'", "('o001'"),), ""),
        ((), "it has no exposure; expected one a line"),
    ],
)
def test_what_is_wrong_is_found(tmp_path, rows, message):
    wrong, _ = check(tmp_path, *rows)
    assert len(wrong) == bool(message)
    assert message in "".join(wrong)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (GOOD.replace("[('o001', 'observation')]", "[]"), "has no candidate; only --discover"),
        (GOOD.replace("o001", "c1000"), "has no candidate of an observation"),
        (GOOD.replace("o001", "o002"), "has obs_num 1 and the candidate o002"),
        (GOOD.replace("|f|", "|2|"), "has is_psf '2', which counts as yes; expected t or f"),
        (GOOD.replace("nircam", "nrc"), "has instrume 'nrc'; expected miri, nircam, niriss, "),
        (GOOD.replace("nircam", "miri"), "has instrume miri and exp_type nrc_image"),
        (GOOD.replace("jw01345001001", "jw"), "is not named as the observatory names exposures"),
        (GOOD.replace("|1345|", "|1346|"), "has program 01346, which its name has not"),
        (GOOD.replace("|nrcalong|", "|nrca1|"), "has detector nrca1, which its name has not"),
        (
            GOOD.replace("|1|nrc", "|2|nrc").replace("o001", "o002"),
            "has obs_num 2, which its name has not",
        ),
        ("set acid|program|obs_num|exp_type|instrume|detector|targetid|is_psf|1000", "1 of its"),
        ("@!name()|1345|1|nrc_image|nircam|nrcalong|1|f|@!x", "1 of its lines are of no exp"),
    ],
)
def test_what_is_odd_is_found(tmp_path, row, message):
    wrong, odd = check(tmp_path, row, GOOD.replace("_00001_", "_00002_"))
    assert (wrong, len(odd)) == ([], 1)
    assert message in odd[0]


def test_one_sentence_for_a_kind_of_oddity(tmp_path):
    rows = [GOOD.replace("00001", f"0000{n}").replace("nircam", "miri") for n in range(1, 4)]
    _, odd = check(tmp_path, *rows)
    assert len(odd) == 1
    assert odd[0].endswith("(and 2 more of this kind)")


def test_exposures_in_several_observations_are_odd(tmp_path):
    other = GOOD.replace("|1|nrc", "|2|nrc").replace("o001", "o002")
    wrong, odd = check(tmp_path, GOOD, other)
    assert wrong == []
    assert "exposure jw01345001001_02201_00001_nrcalong is in several observations" in odd


def test_columns(tmp_path):
    columns = COLUMNS.replace("is_psf", "is_pfs")
    _, odd = check(tmp_path, GOOD, columns=columns)
    assert odd == ["column is_pfs is unknown; did you mean is_psf?"]
    path = tmp_path / "pool.csv"
    assert check_pool(path)[1][1].startswith("there is no column visitype, act_id, channel, ")
    with pytest.raises(InputError, match="has no column instrume; expected filename"):
        check(tmp_path, columns=COLUMNS.replace("instrume|", ""))
