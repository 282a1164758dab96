"""Members that a file adds to rules that are there, the self-calibration among them."""

import pytest

from calwebb_associate.columns import COLUMNS
from calwebb_associate.generate import make_associations
from calwebb_associate.pool import Pool
from calwebb_associate.rule_files import read_rules
from calwebb_core.framework.errors import InputError

from .rows import row

MRS = {"exp_type": "mir_mrs", "detector": "mirifushort", "channel": "12", "band": "short"}
MRS |= {"mostilno": "1"}


def pool():
    return Pool(
        COLUMNS,
        tuple(
            row(number, **{**MRS, **more})
            for number, more in enumerate(
                [{}, {}, {"band": "long"}, {"detector": "mirifulong", "channel": "34"}], 1
            )
        ),
    )


def members(rules):
    made = make_associations(pool(), rules=rules, levels=(2,))
    return {
        a.product: {(m[: m.index("_mirifu")][-5:], part) for m, part in a.membership} for a in made
    }


def test_other_spectra_of_the_same_setting_show_warm_pixels():
    found = members(read_rules("selfcal"))
    first = "jw01345001001_02201_00001_mirifushort"
    assert found[first] == {("00001", "science"), ("00002", "selfcal")}
    assert found["jw01345001001_02201_00003_mirifushort"] == {("00003", "science")}
    assert found["jw01345001001_02201_00004_mirifulong"] == {("00004", "science")}


def test_they_are_members_on_request_only():
    assert all({part for _, part in found} == {"science"} for found in members(None).values())


def test_a_folder_of_that_name_is_not_the_projects_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "selfcal").write_text('[[also]]\nrule = "Nothing"\njoins = [{role = "psf"}]\n')
    with pytest.raises(InputError, match=r"selfcal: also: there is no rule Nothing"):
        read_rules("selfcal")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[also]]\nrule = "Asn_Lv2Spec"\n', r"also of Asn_Lv2Spec has no joins"),
        ('[[also]]\njoins = [{role = "psf"}]\n', r"also of no rule has no rule"),
        ('[[also]]\nrule = "A"\njoins = [{rol = "psf"}]\n', r"unknown key 'rol'; did you mean"),
        ('[[also]]\nrule = "A"\njoins = [{as = "selfca"}]\n', r"unknown as 'selfca'; did you"),
    ],
)
def test_what_an_addition_cannot_say(text, sentence, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_rules(file)
