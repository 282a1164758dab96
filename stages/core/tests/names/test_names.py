"""Names parse, compose, and refuse what does not fit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework import names
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import (
    AssociationName,
    ExposureName,
    GuideStarName,
    Level3Name,
    split_suffix,
)


def digits(count):
    return st.integers(0, 10**count - 1).map(lambda number: f"{number:0{count}d}")


suffixes = st.sampled_from(sorted([*names.SUFFIXES, *names.STEP_SUFFIXES]))
candidates = st.one_of(
    digits(3).map("o{}".format), *(digits(4).map(f"{letter}{{}}".format) for letter in "acr")
)
exposures = st.builds(
    ExposureName,
    program=digits(5),
    observation=digits(3),
    visit=digits(3),
    visit_group=digits(2),
    sequence=digits(1),
    activity=st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2),
    exposure=digits(5),
    detector=st.sampled_from(["nrca1", "nrcalong", "nis", "mirimage", "nrs2", "guider1"]),
    segment=st.none() | digits(3),
    candidate=st.none(),
    suffix=st.none() | suffixes,
)
guide_stars = st.builds(
    GuideStarName,
    program=digits(5),
    observation=digits(3),
    visit=digits(3),
    mode=st.sampled_from(["id", "acq1", "acq2", "track", "fg"]),
    stamp=digits(13) | st.sampled_from(["1_image", "2_stacked"]),
    segment=st.none() | digits(3),
    suffix=st.none() | suffixes,
)
associations = st.builds(
    AssociationName,
    program=digits(5),
    candidate=candidates,
    type=st.sampled_from(names.ASSOCIATION_TYPES),
    sequence=digits(5),
    stamp=st.none() | st.just("20260101t000000"),
)
products = st.builds(
    Level3Name,
    program=digits(5),
    candidate=candidates,
    target=st.one_of(digits(3).map("t{}".format), digits(9).map("s{}".format)),
    instrument=st.sampled_from(names.INSTRUMENTS),
    optical_elements=st.none()
    | st.sampled_from(["f277w", "clear-f277w-sub160", "f444w-f470n", "f170lp_g235m", "ch1-short"]),
    suffix=st.none() | suffixes,
)

REAL_EXPOSURES = [
    ("jw00793001001_01101_00001_nis_uncal.fits", "nis", None, "uncal"),
    ("jw01075001001_03105_00009_nrca2_uncal.fits", "nrca2", None, "uncal"),
    ("jw01093012001_03102_00001_nis_cal.fits", "nis", None, "cal"),
    ("jw01288015001_04101_00001_mirimage_i2d.fits", "mirimage", None, "i2d"),
    ("jw01366002001_01101_00001-seg004_nrca3_rateints.fits", "nrca3", "004", "rateints"),
    ("jw01345001001_02201_00001_nrcalong_dark_current.fits", "nrcalong", None, "dark_current"),
    ("jw01345001001_0220a_00001_nrcalong_rate.fits", "nrcalong", None, "rate"),
    ("jw87800017001_02102_00008_nis_uncal.fits.gz", "nis", None, "uncal"),
]


@pytest.mark.parametrize(("file", "detector", "segment", "suffix"), REAL_EXPOSURES)
def test_real_exposure_names(file, detector, segment, suffix):
    name = ExposureName.parse(file)
    assert (name.detector, name.segment, name.suffix) == (detector, segment, suffix)
    assert re.fullmatch(names.EXPOSURE_PATTERN, name.root)
    assert file.startswith(name.with_suffix(suffix))
    assert split_suffix(file) == (name.root, suffix)


def test_parts_of_an_exposure_name():
    name = ExposureName.parse("/data/jw01345001002_02207_00003_nrcalong_o001_crf.fits")
    assert name == ExposureName(
        "01345", "001", "002", "02", "2", "07", "00003", "nrcalong", None, "o001", "crf"
    )
    assert name.with_suffix("rate") == "jw01345001002_02207_00003_nrcalong_rate.fits"


def test_outlier_flagged_exposure_belongs_to_its_exposure():
    file = "jw01345001001_02201_00001_nrcalong_o001_crf.fits"
    assert split_suffix(file) == ("jw01345001001_02201_00001_nrcalong", "o001_crf")


@pytest.mark.parametrize(
    ("file", "root", "suffix"),
    [
        ("jw01019001001_gs-acq1_2022117003102_uncal.fits",
         "jw01019001001_gs-acq1_2022117003102", "uncal"),
        ("jw00729011001_gs-id_1_image_cal.fits", "jw00729011001_gs-id_1_image", "cal"),
        ("jw01118005001_gs-fg_2022059215012-seg001_cal.fits",
         "jw01118005001_gs-fg_2022059215012-seg001", "cal"),
        ("jw02733-o001_t001_nircam_f444w-f470n_i2d.fits",
         "jw02733-o001_t001_nircam_f444w-f470n", "i2d"),
        ("jw01492-o005_s00004_nirspec_f100lp-g140m-s1600a1-sub2048_x1d.fits",
         "jw01492-o005_s00004_nirspec_f100lp-g140m-s1600a1-sub2048", "x1d"),
        ("jw54321-o066_s000123456_nirspec_f170lp_g235m_s2d.fits",
         "jw54321-o066_s000123456_nirspec_f170lp_g235m", "s2d"),
        ("jw01024-c1000_t002_miri_s3d.fits", "jw01024-c1000_t002_miri", "s3d"),
        ("jw01024-o001_t002_nircam_clear-f150w_cat.ecsv",
         "jw01024-o001_t002_nircam_clear-f150w", "cat"),
        ("jw01024-o001_t002_nircam_clear-f150w_wfscmb-01.fits",
         "jw01024-o001_t002_nircam_clear-f150w", "wfscmb-01"),
        ("jw_00001_uncal.fits", "jw_00001", "uncal"),
        ("simulated_dark_current.fits", "simulated", "dark_current"),
        ("MIRI_5582_89_S_20180308-010230_SCE1_pipe_rateints.fits",
         "MIRI_5582_89_S_20180308-010230_SCE1_pipe", "rateints"),
    ],
)  # fmt: skip
def test_suffixes_of_real_names(file, root, suffix):
    assert split_suffix(file) == (root, suffix)


@pytest.mark.parametrize(
    "product",
    [
        "jw99009-c1000_t000_nircam_clear-f277w",
        "jw99009-o005_t001_miri",
        "jw99009-o001_t001_niriss_f140m-gr150r",
        "jw10005-a3001_t004_nircam_f430m-maskrnd-maska430r",
        "jw99009-o003_t001_miri_p750l-subprism",
        "jw80600-o001_t001_miri",
        "jw00632-o001_s00001_nirspec_f170lp-g235m",
        "jw00632-o001_b000000001_nirspec_f170lp-g235m",
        "jw00632-r5000_v000000001_nirspec_f170lp-g235m",
        "jw00017-c1001_t000-epoch1_nircam_clear-f070w",
        "jw10005-o001_t001_nircam_f210m-maskrnd-image3",
        "jw93125-o001_t001-s000000001_nirspec_f290lp-g395h-s200a1-sub200a1",
        "jw93125-o001_t001-{source_id}_nirspec_f290lp-g395h-{slit_name}-sub200a1",
        "jw99009-o002_{source_id}_nirspec_f100lp-g140h",
    ],
)
def test_real_product_names(product):
    assert Level3Name.parse(product).root == product
    assert re.fullmatch(names.LEVEL3_PATTERN, product)


def test_the_name_of_a_wavefront_pair():
    name = Level3Name.parse("jw82600-o001_t001_nircam_f212n-wlm8-nrca3_wfscmb-05")
    assert name.optical_elements == "f212n-wlm8-nrca3"
    assert name.suffix == "wfscmb-05"
    assert Level3Name.parse("jw82600-o001_t001_nircam_f212n-nrca3_wfscmb-a1").suffix == "wfscmb-a1"


@pytest.mark.parametrize(
    "product",
    [
        "jw99009-o002_{slit_name}_nirspec_f100lp-g140h",
        "jw99009-o002_t001_nirspec_{source_id}",
        "jw99009-x002_t001_nirspec_clear",
        "jw99009-o002_t01_nirspec_clear",
        "jw99009-o002_t001_hst_f200w",
    ],
)
def test_names_that_no_product_has(product):
    with pytest.raises(InputError, match="not the name of a level-3 product"):
        Level3Name.parse(product)


def test_real_association_name():
    name = AssociationName.parse("jw87800-o017_20260101t000000_image3_00001_asn.json")
    assert name == AssociationName("87800", "o017", "image3", "00001", "20260101t000000")
    assert AssociationName.parse("jw01345-c1001_tso-image2_00012_asn.json").type == "tso-image2"


@given(exposures)
def test_exposure_names_survive_a_round_trip(name):
    assert ExposureName.parse(f"{name}.fits") == name
    assert ExposureName.parse(name.root).root == name.root


@given(exposures, candidates)
def test_flagged_exposures_survive_a_round_trip(name, candidate):
    file = name.with_suffix(f"{candidate}_crf")
    assert ExposureName.parse(file).candidate == candidate
    assert ExposureName.parse(file).root == name.root


@given(guide_stars)
def test_guide_star_names_survive_a_round_trip(name):
    assert GuideStarName.parse(f"{name}.fits") == name
    assert re.fullmatch(names.GUIDE_STAR_PATTERN, name.root)
    assert split_suffix(name.with_suffix("cal")) == (name.root, "cal")


@given(associations)
def test_association_names_survive_a_round_trip(name):
    assert AssociationName.parse(name.file_name) == name
    assert re.fullmatch(names.ASSOCIATION_PATTERN, name.root)


@given(products)
def test_product_names_survive_a_round_trip(name):
    assert Level3Name.parse(f"{name}.fits") == name
    assert re.fullmatch(names.LEVEL3_PATTERN, name.root)


@given(exposures | guide_stars | products, suffixes)
def test_root_and_suffix_make_the_name(name, suffix):
    assert split_suffix(name.with_suffix(suffix)) == (name.root, suffix)


@given(exposures, guide_stars, associations, products)
def test_the_kinds_exclude_one_another(exposure, guide_star, association, product):
    for reader, others in (
        (ExposureName, (guide_star, association, product)),
        (GuideStarName, (exposure, association, product)),
        (AssociationName, (exposure, guide_star, product)),
        (Level3Name, (exposure, guide_star, association)),
    ):
        for other in others:
            with pytest.raises(InputError):
                reader.parse(str(other))


@given(st.text(max_size=60))
def test_any_text_is_either_read_or_refused(text):
    for reader in (ExposureName, GuideStarName, AssociationName, Level3Name):
        try:
            name = reader.parse(text)
        except InputError as error:
            assert "expected a name such as" in str(error)  # noqa: PT017
        else:
            assert str(name) == names.stem_of(text)


def test_patterns_hold_no_capturing_group():
    for key, pattern in vars(names).items():
        if key.endswith("_PATTERN"):
            assert re.compile(pattern).groups == 0


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        (ExposureName, "not the name of an exposure; expected a name such as jw01345001001_"),
        (GuideStarName, "not the name of guide-star data; expected .*gs-acq1"),
        (AssociationName, "not the name of an association; expected .*_asn.json"),
        (Level3Name, "not the name of a level-3 product; expected .*_i2d.fits"),
    ],
)
def test_a_name_that_does_not_fit_is_named(reader, expected):
    with pytest.raises(InputError, match=rf"folder/img_3\.fits: {expected}"):
        reader.parse("folder/img_3.fits")


def test_a_name_without_suffix_is_refused():
    with pytest.raises(InputError, match=r"img_3\.fits: the file name has no product suffix"):
        split_suffix("img_3.fits")
    with pytest.raises(InputError, match=r"did you mean _uncal\?"):
        split_suffix("img_uncall.fits")
