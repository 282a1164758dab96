"""Rules that users write: added, in place of the project's, alone; and what is refused, how."""

import pytest

from calwebb_associate.generate import make_associations
from calwebb_associate.pool import Pool
from calwebb_associate.rule_files import own_rules, parse_rules, read_rules
from calwebb_associate.rule_forms import name_problem
from calwebb_core.framework.errors import InputError

from .rows import COLUMNS, row

RULE_TEXT = """
[[rule]]
name = "Mine"
makes = "image3"
sentence = "All images through one filter, whatever the rest."
exp_type = "mir_image"
agree = ["filter"]
optical_elements = ["filter"]
product = "jw{program}-{candidate}_{instrument}_{optical_elements}"
"""
IMAGES = Pool(
    COLUMNS,
    (
        row(1, exp_type="mir_image", filter="f560w"),
        row(2, exp_type="mir_image", filter="f560w", targetid="2", subarray="sub64"),
    ),
)


@pytest.fixture
def mine(tmp_path):
    def write(text=RULE_TEXT):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write


def test_a_rule_is_added_to_the_projects(mine):
    rules = read_rules(mine())
    assert rules[:-1] == own_rules()
    made = make_associations(IMAGES, rules=rules, levels=[3])
    assert [one.product for one in made if one.rule == "Mine"] == ["jw01345-o001_miri_f560w"]
    assert {one.rule for one in made} == {"Mine", "Asn_Lv3Image"}


def test_a_rule_works_alone(mine):
    (made,) = make_associations(IMAGES, rules=read_rules(mine(), own=False))
    assert made.rule == "Mine"
    assert made.content["asn_rule"] == "candidate_Mine"
    assert len(made.members) == 2
    assert made.content["constraints"].startswith("All images through one filter")


def test_a_rule_takes_the_place_of_the_projects(mine):
    rules = read_rules(mine(RULE_TEXT.replace('"Mine"', '"Asn_Lv3Image"')))
    assert len(rules) == len(own_rules())
    made = make_associations(IMAGES, rules=rules, levels=[3])
    assert [one.product for one in made] == ["jw01345-o001_miri_f560w"]


def test_lists_and_shared_parts_add_up():
    (rule,) = parse_rules(
        """
        [lists]
        pictures = ["MIR_IMAGE", "nis_image"]
        [shared.sky]
        makes = "image3"
        is_not = ["time series"]
        agree = ["instrume"]
        where = {filter = "F560W"}
        [shared.deep]
        like = "sky"
        is_not = ["opaque", "time series"]
        where = {subarray = ["full", ""]}
        [[rule]]
        name = "Mine"
        sentence = "  Over\\n two lines. "
        like = ["deep"]
        exp_type = ["@pictures", "nrc_image"]
        agree = ["pupil|grating?", "instrume"]
        """,
        "mine.toml",
    )
    (selection,) = rule.takes
    assert rule.sentence == "Over two lines."
    assert selection.exp_types == {"mir_image", "nis_image", "nrc_image"}
    assert selection.not_conditions == {"time series", "opaque"}
    assert dict(selection.where) == {"filter": {"f560w"}, "subarray": {"full", ""}}
    assert [column.name for column in rule.agree] == ["instrume", "pupil|grating"]
    assert [column.required for column in rule.agree] == [True, False]


def test_a_column_of_the_users_own_is_allowed():
    (rule,) = parse_rules(RULE_TEXT + '\nwhere = {my_group = "a"}', "mine.toml")
    pool = Pool(
        (*COLUMNS, "my_group"),
        tuple(one | {"my_group": group} for one, group in zip(IMAGES.rows, "ab", strict=True)),
    )
    (made,) = make_associations(pool, rules=[rule])
    assert len(made.members) == 1


REFUSED = [
    # words that mean nothing
    ("colour = 1", "rule Mine: unknown key 'colour'; known: agree, "),
    ('exp_typ = "mir_image"', "rule Mine: unknown key 'exp_typ'; did you mean 'exp_type'?"),
    ('where = {filtr = "f560w"}', "rule Mine: unknown column 'filtr'; did you mean 'filter'?"),
    ('where = {"" = "f560w"}', "rule Mine: unknown column ''; expected a column's name"),
    ('role = "sciense"', "rule Mine: unknown role 'sciense'; did you mean 'science'?"),
    ('role = "@parts"', "lists: unknown name 'parts'; known: none here"),
    ('is = ["time serie"]', "rule Mine: unknown is 'time serie'; did you mean 'time series'?"),
    ('is_not = ["dark"]', "rule Mine: unknown is_not 'dark'; "),
    ('like = "sky"', "rule Mine: unknown like 'sky'; known: none here"),
    ('needs = ["star"]', "rule Mine: unknown needs 'star'; known: autoflat, "),
    ('as = "sciense"', "rule Mine: unknown as 'sciense'; did you mean 'science'?"),
    ('finish = "catalog"', "rule Mine: unknown finish 'catalog'; did you mean 'catalogs'?"),
    ('finish = "catalogs"', "rule Mine: finish 'catalogs' is for level 2; it makes level 3"),
    ('joins = [{rol = "psf"}]', "joins of rule Mine: unknown key 'rol'; did you mean 'role'?"),
    ('joins = [{as = "star"}]', "joins of rule Mine: unknown as 'star'; known: autoflat"),
    ('joins = [{choose = "best"}]', "joins of rule Mine: unknown choose 'best'; known: apart"),
    ('joins = [{differ = "pat_num"}]', "joins of rule Mine: unknown column 'pat_num'; did you"),
    ('joins = [{agree = ["filtr"]}]', "joins of rule Mine: unknown column 'filtr'; did you"),
    ('joins = [{regardless_of = ["pupil"]}]',
     "joins of rule Mine: unknown regardless_of 'pupil'; known: filter"),
    ('never = [{exp_typ = "nrc_image"}]', "never of rule Mine: unknown key 'exp_typ'; did you"),
    ('never = [{exp_type = "nrc_imag"}]', "rule Mine: unknown exp_type 'nrc_imag'; did you mean"),
    ('or = [{agree = ["filter"]}]', "or of rule Mine: unknown key 'agree'; known: exp_type, "),
    # values of another kind
    ("where = []", "rule Mine: where is []; expected columns with words, as {filter = "),
    ("where = {filter = 5}", "rule Mine: where is {'filter': 5}; expected columns with words"),
    ("where = {filter = []}", "rule Mine: where is {'filter': []}; expected columns with words"),
    ('where_not = "x"', "rule Mine: where_not is 'x'; expected columns with words"),
    ("exp_type = {}", "rule Mine: exp_type is {}; expected a word or a list of words"),
    ('role = ["psf", 1]', "rule Mine: role is ['psf', 1]; expected a word or a list of words"),
    ('is = "opaque"', "rule Mine: is is 'opaque'; expected a list of words, as "),
    ('needs = "psf"', "rule Mine: needs is 'psf'; expected a list of words"),
    ('least = "2"', "rule Mine: least is '2'; expected a whole number from 1"),
    ("least = 0", "rule Mine: least is 0; expected a whole number from 1"),
    ("least = true", "rule Mine: least is True; expected a whole number from 1"),
    ('integrations = "no"', "rule Mine: integrations is 'no'; expected true or false"),
    ("joins = {}", "rule Mine: joins is {}; expected a list of tables that are not empty"),
    ("joins = [{}]", "rule Mine: joins is [{}]; expected a list of tables that are not empty"),
    ("never = [1]", "rule Mine: never is [1]; expected a list of tables"),
    ("or = 1979-05-27", "rule Mine: or is datetime.date(1979, 5, 27); expected a list of tables"),
    ('joins = [{alike = "no"}]', "joins of rule Mine: alike is 'no'; expected true or false"),
    ("joins = [{differ = 1}]", "joins of rule Mine: differ is 1; expected a text"),
    ('candidates = "mosaic"', "rule Mine: candidates is 'mosaic'; expected a list of words"),
    ("like = 1", "rule Mine: like is 1; expected a word or a list of words"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), REFUSED)
def test_what_a_rule_cannot_say(line, sentence):
    key = line.split(" =")[0]
    kept = [one for one in RULE_TEXT.splitlines() if not one.startswith(f"{key} =")]
    text = "\n".join([*kept, line])
    with pytest.raises(InputError) as caught:
        parse_rules(text, "mine.toml")
    assert str(caught.value).startswith(f"mine.toml: {sentence}")


CHANGED = [
    ('agree = ["filter"]', 'agree = "filter"',
     "rule Mine: agree is 'filter'; expected a list of words, as "),
    ('agree = ["filter"]', 'agree = ["filter|pupl?"]',
     "rule Mine: unknown column 'pupl'; did you mean 'pupil'?"),
    ('"mir_image"', '"mir_imag"',
     "rule Mine: unknown exp_type 'mir_imag'; did you mean 'mir_image'?"),
    ('"mir_image"', '"@images"', "lists: unknown name 'images'; known: none here"),
    ('"image3"', '"image4"', "rule Mine: unknown makes 'image4'; did you mean 'image3'?"),
    ('"image3"', "3", "rule Mine: makes is 3; expected a text"),
    ('"image3"', '"image2"', "rule Mine has product, but a product of level 2 is that of one"),
    ('name = "Mine"', 'name = ""', "a rule: name is ''; expected a word of letters, digits"),
    ('name = "Mine"', 'name = "my rule"', "a rule: name is 'my rule'; expected a word of letters"),
    ('name = "Mine"', "", "a rule has no name; every rule has one"),
    ('makes = "image3"', "", "rule Mine has no makes; every rule has one"),
    ('sentence = "All images through one filter, whatever the rest."', "",
     "rule Mine has no sentence; every rule has one"),
    ('"All images through one filter, whatever the rest."', '" "',
     "rule Mine: sentence is ' '; expected a text"),
    ('optical_elements = ["filter"]', 'optical_elements = ["filtre"]',
     "rule Mine: unknown column 'filtre'; did you mean 'filter'?"),
    ('optical_elements = ["filter"]', 'optical_elements = "filter"',
     "rule Mine: optical_elements is 'filter'; expected a list of words"),
    ("{instrument}", "{instrume}", "rule Mine: product has {instrume}; expected some of {program}"),
    ("{instrument}", "{instrument:>9}", "rule Mine: product has {instrument:>9}; expected some"),
    ("{instrument}", "{instrument!r}", "rule Mine: product has {instrument!r}; expected some of"),
    ("{instrument}", "{0}", "rule Mine: product has {0}; expected some of"),
    ("{instrument}", "{}", "rule Mine: product has {}; expected some of"),
    ("{instrument}", "{instrument.x}", "rule Mine: product has {instrument.x}; expected some of"),
    ("{instrument}", "{instrument", "rule Mine: product 'jw{program}-{candidate}_{instrument_{opt"),
    ("{instrument}", "{{source}}", "rule Mine: product has {{source}}; expected some of "),
    ("{instrument}", "../x", "rule Mine: product is 'jw{program}-{candidate}_../x_{optical_elem"),
    ("{instrument}", "Mine", "rule Mine: product is 'jw{program}-{candidate}_Mine_{optical_elem"),
    ("[[rule]]", "[rule]", "the file: rule is {'name': 'Mine', "),
    ("[[rule]]", "[[rules]]", "the file: unknown key 'rules'; did you mean 'rule'?"),
    ("[[rule]]", "lists = 1\n[[rule]]", "the file: lists is 1; expected tables"),
    ("[[rule]]", "[lists]\na = 1\n[[rule]]", "lists: a is 1; expected a list of words"),
    ("[[rule]]", '[lists]\na = ["@a"]\n[[rule]]', "lists: a refers to @a; expected words"),
    ("[[rule]]", "[shared]\na = 1\n[[rule]]\nlike = 'a'", "shared 'a' is 1; expected a table, as"),
    ("[[rule]]", "[shared.a]\nname = 'x'\n[[rule]]\nlike = 'a'", "shared 'a': unknown key 'name'"),
    ("[[rule]]", "[shared.a]\nlike = 'a'\n[[rule]]\nlike = 'a'", "shared 'a' is like itself"),
    ("[[rule]]", "[shared.a]\nleast = 'x'\n[[rule]]\nlike = 'a'",
     "shared 'a': least is 'x'"),
    (RULE_TEXT, RULE_TEXT * 2, "rule Mine is there twice; expected rules of different names"),
    (RULE_TEXT, "", "has no [[rule]]; expected rules of different names"),
    (RULE_TEXT, "rule = [", "is not TOML: "),
    (RULE_TEXT, "rule = " + "[" * 9999, "is not TOML: it is nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), CHANGED, ids=range(len(CHANGED)))
def test_what_a_file_cannot_say(mine, old, new, sentence):
    assert old in RULE_TEXT
    path = mine(RULE_TEXT.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_rules(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {sentence}")
    assert "\n" not in message


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"mine.toml: cannot be read as rules: No such file"):
        read_rules(tmp_path / "mine.toml")
    with pytest.raises(InputError, match=r"cannot be read as rules: Is a directory"):
        read_rules(tmp_path)
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"x.toml: cannot be read as rules: it is not text"):
        read_rules(tmp_path / "x.toml")


def test_names_of_the_project_are_good():
    for rule in own_rules():
        assert name_problem(rule.product) == "", rule.name
