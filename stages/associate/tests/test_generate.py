"""Associations follow from the pool by the rules, as the documents and the peer have them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_associate.columns import COLUMNS
from calwebb_associate.generate import left_out, make_associations
from calwebb_associate.pool import Pool, read_pool
from calwebb_associate.rule_files import own_rules
from calwebb_core.framework.association import validate
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import AssociationName

NIRCAM = {"instrume": "nircam", "detector": "nrcalong", "channel": "long", "filter": "f277w",
          "pupil": "clear", "exp_type": "nrc_image"}  # fmt: skip
MIRI = {"instrume": "miri", "detector": "mirimage", "filter": "f560w", "exp_type": "mir_image"}
NIRISS = {"instrume": "niriss", "detector": "nis", "filter": "clear", "pupil": "f200w",
          "exp_type": "nis_image"}  # fmt: skip


def row(observation, exposure, setup=NIRCAM, candidates=(), **more):
    values = dict.fromkeys(COLUMNS, "null") | {"program": "1345", "targetid": "1"}
    values |= {"subarray": "full", "visitype": "prime_targeted_fixed", "pntgtype": "science"}
    values |= {"obs_num": str(observation)} | setup | more
    detector = values["detector"]
    values["filename"] = f"jw01345{observation:03d}001_02201_{exposure:05d}_{detector}_uncal.fits"
    values["asn_candidate"] = str([(f"o{observation:03d}", "observation"), *candidates])
    return values


def pool_of(*rows):
    return Pool(COLUMNS, rows)


def summary(made, *, level=None):
    """Rule, product and members with their parts."""
    return {
        (a.rule, a.candidate, a.product, tuple(sorted(
            (m["expname"], m["exptype"]) for m in a.content["products"][0]["members"])))
        for a in made
        if level in (None, a.level)
    }  # fmt: skip


def rules(made):
    return sorted(association.rule for association in made)


def test_an_exposure_makes_its_own_product_and_one_with_the_others():
    made = make_associations(pool_of(row(1, 1), row(1, 2)))
    assert summary(made) == {
        ("Asn_Lv2Image", "o001", f"jw01345001001_02201_0000{n}_nrcalong",
         ((f"jw01345001001_02201_0000{n}_nrcalong_rate.fits", "science"),))
        for n in (1, 2)
    } | {
        ("Asn_Lv3Image", "o001", "jw01345-o001_t001_nircam_clear-f277w",
         tuple((f"jw01345001001_02201_0000{n}_nrcalong_cal.fits", "science") for n in (1, 2))),
    }  # fmt: skip
    for association in made:
        validate(association.content, association.file_name)
        name = AssociationName.parse(association.file_name)
        assert (name.program, name.candidate) == ("01345", "o001")
        assert name.type == association.asn_type


def test_what_the_file_says():
    made = make_associations(pool_of(row(1, 1), row(1, 2, exposerr="unsuccessful")))
    content = made[-1].content
    assert list(content) == [
        "asn_type", "asn_rule", "version_id", "code_version", "degraded_status", "program",
        "constraints", "asn_id", "asn_pool", "target", "products",
    ]  # fmt: skip
    assert content["asn_type"] == "image3"
    assert content["asn_rule"] == "candidate_Asn_Lv3Image"
    assert content["degraded_status"] == "1 of 2 members have an exposure error."
    assert content["target"] == "t001"
    assert content["asn_pool"] == "pool.csv"
    assert (
        "Candidate o001: exp_type=nrc_image, instrume=nircam, filter=f277w"
        in content["constraints"]
    )
    assert content["products"][0]["members"][1] == {
        "expname": "jw01345001001_02201_00002_nrcalong_cal.fits",
        "exptype": "science",
        "exposerr": "unsuccessful",
        "asn_candidate": "[('o001', 'observation')]",
    }


def test_a_stamp_is_put_in_names_and_content():
    made = make_associations(pool_of(row(1, 1)), version_id="20260101t000000")
    assert all("_20260101t000000_image" in association.file_name for association in made)
    assert {a.content["version_id"] for a in made} == {"20260101t000000"}


def test_filters_subarrays_targets_and_instruments_are_kept_apart():
    made = make_associations(
        pool_of(
            row(1, 1),
            row(1, 2, filter="f356w"),
            row(1, 3, subarray="sub160"),
            row(1, 4, targetid="12"),
            row(1, 5, NIRISS),
            row(1, 6, MIRI),
            row(1, 7, {"instrume": "fgs", "detector": "guider1", "exp_type": "fgs_image"}),
            row(1, 8, detector="nrcblong"),
        )
    )
    products = {association.product for association in made if association.level == 3}
    assert products == {
        "jw01345-o001_t001_nircam_clear-f277w",
        "jw01345-o001_t001_nircam_clear-f356w",
        "jw01345-o001_t001_nircam_clear-f277w-sub160",
        "jw01345-o001_t012_nircam_clear-f277w",
        "jw01345-o001_t001_niriss_clear-f200w",
        "jw01345-o001_t001_miri_f560w",
        "jw01345-o001_t001_fgs_clear",
    }


def test_background_targets_are_attached_and_make_their_own_product():
    background = [("c1000", "background")]
    made = make_associations(
        pool_of(
            row(1, 1, MIRI, background),
            row(2, 1, MIRI, background, bkgdtarg="t", targetid="2"),
            row(2, 2, MIRI, background, bkgdtarg="t", targetid="2", filter="f770w"),
        )
    )
    assert summary(made, level=2) == {
        ("Asn_Lv2Image", "c1000", "jw01345001001_02201_00001_mirimage", (
            ("jw01345001001_02201_00001_mirimage_rate.fits", "science"),
            ("jw01345002001_02201_00001_mirimage_rate.fits", "background"))),
        ("Asn_Lv2ImageSpecial", "o002", "jw01345002001_02201_00001_mirimage", (
            ("jw01345002001_02201_00001_mirimage_rate.fits", "science"),)),
        ("Asn_Lv2ImageSpecial", "o002", "jw01345002001_02201_00002_mirimage", (
            ("jw01345002001_02201_00002_mirimage_rate.fits", "science"),)),
    }  # fmt: skip
    level3 = {(rule, product) for rule, _, product, _ in summary(made, level=3)}
    assert level3 == {
        ("Asn_Lv3Image", "jw01345-o001_t001_miri_f560w"),
        ("Asn_Lv3ImageBackground", "jw01345-o002_t002_miri_f560w"),
        ("Asn_Lv3ImageBackground", "jw01345-o002_t002_miri_f770w"),
    }


def test_a_mosaic_combines_targets_and_is_not_made_twice():
    mosaic = [("c1000", "mosaic")]
    alone = make_associations(pool_of(row(1, 1, candidates=mosaic)))
    assert rules(alone) == ["Asn_Lv2Image", "Asn_Lv3Image"]
    both = make_associations(
        pool_of(row(1, 1, candidates=mosaic), row(2, 1, candidates=mosaic, targetid="2"))
    )
    assert ("Asn_Lv3ImageMosaic", "jw01345-c1000_t000_nircam_clear-f277w") in {
        (association.rule, association.product) for association in both
    }


@pytest.mark.parametrize(
    ("change", "made_by"),
    [
        ({"tsovisit": "t"}, ["Asn_Lv2ImageTSO", "Asn_Lv3TSO"]),
        ({"exp_type": "nrc_tsimage"}, ["Asn_Lv2ImageTSO", "Asn_Lv3TSO"]),
        ({"visitype": "prime_wfsc_routine"}, ["Asn_Lv2WFSC"]),
        ({"is_psf": "t"}, ["Asn_Lv2ImageSpecial"]),
        ({"is_imprt": "t"}, []),
        ({"is_imprt": "t", "bkgdtarg": "t"}, ["Asn_Lv2ImageSpecial"]),
        ({"exp_type": "nrc_tacq"}, ["Asn_Lv2ImageNonScience"]),
        ({"exp_type": "nrc_focus"}, ["Asn_Lv2ImageNonScience"]),
        ({"pntgtype": "target_acquisition"}, ["Asn_Lv2ImageNonScience"]),
        ({"exp_type": "nrc_dark"}, []),
        ({"exp_type": "nrc_coron", "pupil": "maskrnd"}, ["Asn_Lv2CoronAsRate", "Asn_Lv2Image"]),
        ({"exp_type": "nrc_wfss", "pupil": "grismr"}, ["Asn_Lv3WFSSNRC"]),
    ],
)
def test_other_kinds_of_exposures(change, made_by):
    assert rules(make_associations(pool_of(row(1, 1, **change)))) == made_by


def test_time_series_and_coronagraphy_go_on_as_integrations():
    for change in ({"tsovisit": "t"}, {"exp_type": "nrc_coron", "subarray": "sub320"}):
        (association,) = make_associations(pool_of(row(1, 1, **change)), levels=(2,))
        assert association.members == ("jw01345001001_02201_00001_nrcalong_rateints.fits",)


def test_target_acquisitions_are_members_that_no_product_is_made_of():
    made = make_associations(
        pool_of(row(1, 1), row(1, 2, exp_type="nrc_tacq"), row(2, 1, exp_type="nrc_tacq"))
    )
    level3 = made[-1]
    assert [m["exptype"] for m in level3.content["products"][0]["members"]] == [
        "science",
        "target_acquisition",
    ]
    assert level3.members == ("jw01345001001_02201_00001_nrcalong_cal.fits",)


def test_what_no_rule_takes_is_counted_and_named():
    pool = pool_of(
        row(1, 1),
        row(1, 2, exp_type="nrc_dark"),
        row(1, 3, exp_type="nrc_wfss"),
        row(1, 4, exp_type="nrc_grism"),
        row(1, 6, exp_type="nrc_tacq"),
        row(1, 7, exp_type="nrc_led"),
    )
    assert left_out(pool, make_associations(pool)) == [
        "1 exposure of calibration lamp or flat in no association: no rule takes it",
        "1 exposure of spectroscopy in no association: no rule takes it",
    ]


def test_a_value_that_no_name_can_hold_is_refused():
    with pytest.raises(InputError, match=r"product name 'jw01345-o001_t001_nircam_.*', which is"):
        make_associations(pool_of(row(1, 1, filter="../x")))


def test_programs_do_not_mix():
    rows = [
        row(1, 1),
        row(1, 1) | {"program": "99", "filename": "jw00099001001_02201_00001_nrcalong_uncal.fits"},
    ]
    made = make_associations(pool_of(*rows))
    assert {association.program for association in made} == {"01345", "00099"}
    alone = make_associations(pool_of(*rows).of_program("01345"))
    assert [a for a in made if a.program == "01345"] == alone


observations = st.lists(
    st.builds(
        row,
        st.integers(1, 3),
        st.integers(1, 99999),
        st.sampled_from([NIRCAM, MIRI, NIRISS]),
        st.sampled_from(
            [(), (("c1000", "mosaic"),), (("c1001", "background"),), (("c1002", "group"),)]
        ),
        filter=st.sampled_from(["f150w", "f200w"]),
        targetid=st.sampled_from(["1", "2"]),
        bkgdtarg=st.sampled_from(["f", "f", "t"]),
        is_psf=st.sampled_from(["f", "f", "f", "t"]),
        tsovisit=st.sampled_from(["f", "f", "f", "t"]),
        pntgtype=st.sampled_from(["science", "science", "target_acquisition"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda values: values["filename"],
)


@given(observations, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert make_associations(pool_of(*shuffled)) == make_associations(pool_of(*rows))


@given(observations, st.data())
@settings(max_examples=200)
def test_a_missing_exposure_changes_only_its_own_associations(rows, data):
    gone = data.draw(st.sampled_from(rows))
    root = gone["filename"].removesuffix("_uncal.fits")
    before = make_associations(pool_of(*rows), discover=True)
    after = make_associations(pool_of(*[r for r in rows if r is not gone]), discover=True)

    def holds(association):
        members = association.content["products"][0]["members"]
        return any(member["expname"].startswith(f"{root}_") for member in members)

    groups = {(a.level, key(a.content)[-1]) for a in after}
    for association in before:
        if not holds(association):
            # a group that has become the same as another candidate's is not made twice
            twice = (association.level, key(association.content)[-1]) in groups
            assert association in after or twice
    own = {association.product for association in before if holds(association)}
    kept = {association.product for association in before}
    # an exposure without its only background goes on alone, under its observation
    assert {a.product for a in after} <= own | kept


@given(observations)
def test_every_exposure_is_in_an_association_or_counted(rows):
    pool = pool_of(*rows)
    made = make_associations(pool)
    named = {
        m["expname"].rpartition("_")[0] for a in made for m in a.content["products"][0]["members"]
    }
    roots = {r["filename"].removesuffix("_uncal.fits") for r in rows}
    missing = sum(int(sentence.split()[0]) for sentence in left_out(pool, made))
    assert len(roots - named) == missing
    assert len({association.file_name for association in made}) == len(made)


@given(observations)
def test_an_exposure_makes_one_product_of_level_2(rows):
    made = make_associations(pool_of(*rows))
    products = [(a.product, a.members[0]) for a in made if a.level == 2]
    assert len(set(products)) == len(products)


def test_levels_and_candidates_are_chosen():
    mosaic = [("c1000", "mosaic")]
    pool = pool_of(row(1, 1, candidates=mosaic), row(2, 1, candidates=mosaic, targetid="2"))
    assert {a.level for a in make_associations(pool, levels=(3,))} == {3}
    assert {a.candidate for a in make_associations(pool, candidates=("c1000",))} == {"c1000"}
    assert {a.candidate for a in make_associations(pool, candidates=("o002",))} == {"o002"}


def test_what_goes_beyond_candidates_is_found_on_request():
    pool = pool_of(row(1, 1), row(2, 1))
    assert {a.candidate for a in make_associations(pool)} == {"o001", "o002"}
    (found,) = make_associations(pool, discover=True, from_candidates=False)
    assert (found.candidate, found.level, len(found.members)) == ("a3001", 3, 2)
    assert found.content["asn_rule"] == "discover_Asn_Lv3Image"
    both = make_associations(pool, discover=True)
    assert {a.candidate for a in both} == {"a3001", "o001", "o002"}


def test_epochs_that_the_pool_names_are_not_combined():
    made = make_associations(
        pool_of(row(1, 1, epoch="1"), row(1, 2, epoch="2"), row(1, 3, epoch="2")), levels=(3,)
    )
    assert {(a.product, len(a.members)) for a in made} == {
        ("jw01345-o001_t001-epoch1_nircam_clear-f277w", 1),
        ("jw01345-o001_t001-epoch2_nircam_clear-f277w", 2),
    }


def key(content):
    (product,) = content["products"]
    members = frozenset((member["expname"], member["exptype"]) for member in product["members"])
    return content["asn_type"], content["asn_id"], product["name"], members


@pytest.mark.realdata
def test_real_pools_give_what_the_peer_makes_of_them(realdata):
    """All 389 associations of the 15 pools agree, and there are no others."""
    total = 0
    for path in sorted((realdata / "pools").glob("*.csv")):
        folder = realdata / "pools" / "peer_3.0.0" / path.stem
        contents = [json.loads(file.read_text()) for file in folder.glob("*.json")]
        peer = {key(content) for content in contents}
        made = make_associations(read_pool(path), discover=True)
        assert {key(association.content) for association in made} == peer, path.stem
        total += len(peer)
    assert total == 389


def test_every_rule_says_what_it_does():
    names = [rule.name for rule in own_rules()]
    assert len(set(names)) == len(names) == 43
    assert all(rule.sentence.endswith(".") for rule in own_rules())
