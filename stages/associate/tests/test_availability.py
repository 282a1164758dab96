"""What can be made of associations, whose members may be made by others."""

import pytest

from calwebb_associate.availability import Source, plan_associations
from calwebb_associate.generate import MadeAssociation
from calwebb_associate.not_available import not_available
from calwebb_associate.pipelines import (
    AMI3,
    CORON3,
    DARKS,
    DETECTOR1,
    IMAGE2,
    IMAGE3,
    PROGRAMS,
    SPEC2,
    SPEC3,
    TSO3,
    WFS_IMAGE3,
)
from calwebb_associate.products import Subject, suffixes
from calwebb_associate.spectral_types import SPEC2_TYPES
from calwebb_core.framework.name_patterns import ASSOCIATION_TYPES, SUFFIXES

IMAGE = "jw01345001001_02201_00001_nis"
OTHER = "jw01345001001_02201_00002_nis"
GRISM = "jw01345001001_02201_00003_nis"
ABSENT = "jw01345001001_02201_00009_nis"
MOSAIC = "jw01345-o001_t001_niriss_clear-f200w"


def association(asn_type, product, *members):
    listed = [{"expname": name, "exptype": part} for name, part in members]
    return MadeAssociation(
        file_name=f"{asn_type}_{product}_{len(members)}_asn.json",
        program="01345",
        candidate="o001",
        rule="",
        asn_type=asn_type,
        level=2 if "2" in asn_type else 3,
        product=product,
        members=tuple(name for name, _ in members),
        content={"asn_type": asn_type, "products": [{"name": product, "members": listed}]},
    )


def rate(root):
    return association("image2", root, (f"{root}_rate.fits", "science"))


def mosaic(*roots):
    return association("image3", MOSAIC, *((f"{root}_cal.fits", "science") for root in roots))


def slitless():
    direct = [(f"{MOSAIC}_i2d.fits", "direct_image"), (f"{MOSAIC}_cat.ecsv", "sourcecat")]
    return association("spec2", GRISM, *direct, (f"{GRISM}_rate.fits", "science"))


def sources(**refused):
    kinds = {IMAGE: "nis_image", OTHER: "nis_image", GRISM: "nis_wfss"}
    return {
        root: Source(kind, "prime", DETECTOR1, refused.get(root, ""))
        for root, kind in kinds.items()
    }


def reasons(made, found=None):
    planned = plan_associations(made, found or sources())
    return {item.file_name: item.reason for item in planned}


def test_members_are_made_by_other_associations():
    made = [mosaic(IMAGE, OTHER), rate(IMAGE), rate(OTHER)]
    planned = plan_associations(made, sources())
    assert all(item.available for item in planned)
    assert planned[0].makers == (IMAGE2, IMAGE2)
    assert planned[1].makers == (DETECTOR1,)


def test_a_mosaic_is_a_member_of_a_slitless_spectrum():
    (spectrum, *_) = plan_associations([slitless(), mosaic(IMAGE), rate(IMAGE)], sources())
    assert spectrum.members[0] == f"{GRISM}_rate.fits"
    assert spectrum.makers == (DETECTOR1, IMAGE3, IMAGE3)
    assert spectrum.reason == "NIS_WFSS: calwebb-spec2 does not take them yet"
    assert spectrum.suffixes == ("cal", "x1d")


def test_it_is_available_as_soon_as_its_program_is(monkeypatch):
    monkeypatch.setitem(SPEC2_TYPES, "nis_wfss", ())
    made = [slitless(), mosaic(IMAGE), rate(IMAGE)]
    assert set(reasons(made).values()) == {""}
    why = "calwebb-detector1 is not available for it yet"
    assert set(reasons(made, sources(**{IMAGE: why})).values()) == {why}


def test_what_needs_a_program_that_does_not_exist_says_so():
    needs = association("image3", MOSAIC, (f"{IMAGE}_aminorm-oi.fits", "science"))
    made = [needs, association("ami3", IMAGE, (f"{IMAGE}_rateints.fits", "science"))]
    why = "members of calwebb-ami3, which makes no products yet"
    assert reasons(made)[needs.file_name] == why


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (mosaic(IMAGE), "members _cal that nothing makes"),
        (rate(ABSENT), f"{ABSENT}, which is not there"),
        (association("image2", IMAGE, ("x.fits", "science")), "x.fits, which is not there"),
        (
            association("image2", IMAGE, (f"{IMAGE}_rate.fits", "science"), ("x.fits", "psf")),
            "x.fits, unknown",
        ),
        (rate(GRISM), "NIS_WFSS: calwebb-image2 calibrates no such exposures"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_says_why(made, why):
    assert reasons([made]) == {made.file_name: why}


def test_a_series_of_several_exposures_says_so():
    """Light curves are those of one exposure; detectors and segments are no exposures."""
    series = "jw01345001001_04101_{}_{}"
    members = [series.format("00001-seg001", "nrs1"), series.format("00001-seg002", "nrs1")]
    members += [series.format("00001-seg001", "nrs2"), series.format("00001-seg002", "nrs2")]
    known = {
        root: Source("nrs_brightobj", "prime_targeted_fixed", DETECTOR1)
        for root in (*members, series.format("00002", "nrs1"))
    }

    def plan(roots):
        rates = [association("tso-spec2", r, (f"{r}_rateints.fits", "science")) for r in roots]
        whole = association("tso3", "jw_tso", *((f"{r}_calints.fits", "science") for r in roots))
        return plan_associations([*rates, whole], known)

    assert all(item.available for item in plan(members))
    *calibrated, whole = plan([*members, series.format("00002", "nrs1")])
    assert all(item.available for item in calibrated)
    assert not whole.available
    (sentence,) = not_available([whole])
    assert "2 exposures (jw01345001001_04101_00001, jw01345001001_04101_00002)" in sentence
    assert "give each an association of its own" in sentence


def test_a_series_that_lacks_segments_is_calibrated_but_not_joined():
    roots = [f"jw01345001001_04101_00001-seg{number:03d}_nrs1" for number in (1, 3)]
    known = {
        root: Source("nrs_brightobj", "", DETECTOR1, incomplete="jw1, of which some lack")
        for root in roots
    }
    rates = [association("tso-spec2", r, (f"{r}_rateints.fits", "science")) for r in roots]
    whole = association("tso3", "jw_tso", *((f"{r}_calints.fits", "science") for r in roots))
    *calibrated, joined = plan_associations([*rates, whole], known)
    assert all(item.available for item in calibrated)
    assert not joined.available
    assert not_available([joined]) == ["1 association of jw1, of which some lack"]


def test_darks_have_no_count_rates():
    found = {IMAGE: Source("nis_dark", "", DARKS), OTHER: Source("nis_image", "", DETECTOR1)}
    background = (f"{IMAGE}_rate.fits", "background")
    made = association("image2", OTHER, (f"{OTHER}_rate.fits", "science"), background)
    why = "NIS_DARK: calwebb-dark makes no count rates"
    assert reasons([made], found) == {made.file_name: why}


def test_a_circle_of_members_is_no_endless_loop():
    made = association("image3", MOSAIC, (f"{IMAGE}_cal.fits", "science"),
                       (f"{MOSAIC}_i2d.fits", "psf"))  # fmt: skip
    assert (
        reasons([made, rate(IMAGE)])[made.file_name] == "members that are made of its own product"
    )


def test_the_first_of_two_that_make_the_same_is_used():
    background = (f"{OTHER}_rate.fits", "background")
    with_sky = association("image2", IMAGE, (f"{IMAGE}_rate.fits", "science"), background)
    alone = rate(IMAGE)
    found = reasons([with_sky, alone])
    assert found[with_sky.file_name] == ""
    assert found[alone.file_name] == (
        f"{IMAGE}: association {with_sky.file_name} makes the same product"
    )
    # where the first cannot be made, the second is
    found = reasons([with_sky, alone], sources(**{OTHER: "refused"}))
    assert found == {with_sky.file_name: "refused", alone.file_name: ""}


def test_what_is_missing_is_counted_by_program_and_product():
    made = [slitless(), mosaic(IMAGE), rate(IMAGE), rate(GRISM)]
    for name in ("{source_id}", "t002"):
        product = f"jw01345-o001_{name}_niriss_f200w-gr150r"
        made.append(association("coron3", product, (f"{GRISM}_cal.fits", "science")))
    assert not_available(plan_associations(made, sources())) == [
        "calwebb-coron3 makes no products yet: 2 associations (2 coron3), not available yet: "
        "2 psfstack, 2 psfalign, 2 psfsub, 2 i2d; 1 of them for each source",
        "1 association of NIS_WFSS: calwebb-image2 calibrates no such exposures",
        "1 association of NIS_WFSS: calwebb-spec2 does not take them yet",
    ]


@pytest.mark.parametrize(
    ("subject", "made"),
    [
        (Subject(SPEC2, "spec2", "mir_mrs"), ("cal", "s3d", "x1d")),
        (Subject(SPEC2, "spec2", "nrs_msaspec"), ("cal", "s2d", "x1d")),
        (Subject(SPEC2, "tso-spec2", "nis_soss", integrations=True), ("calints", "x1dints")),
        (Subject(SPEC2, "nrslamp-spec2", "nrs_lamp"), ("cal",)),
        (Subject(SPEC3, "spec3", "nrs_ifu"), ("s3d", "x1d")),
        (Subject(SPEC3, "spec3", "nis_wfss"), ("x1d", "c1d")),
        (Subject(TSO3, "tso3", "nrc_tsimage"), ("phot",)),
        (Subject(TSO3, "tso3", "nrs_brightobj"), ("x1dints", "whtlt")),
        (Subject(CORON3, "coron3", "mir_lyot"), ("psfstack", "psfalign", "psfsub", "i2d")),
        (Subject(AMI3, "ami3", "nis_ami"), ("ami-oi", "aminorm-oi")),
        (Subject(WFS_IMAGE3, "wfs-image3", "nrc_image"), ("wfscmb",)),
    ],
)
def test_what_programs_make(subject, made):
    assert suffixes(subject) == made
    assert set(made) <= set(SUFFIXES)


def test_every_type_of_association_has_a_program():
    assert set(PROGRAMS) == set(ASSOCIATION_TYPES) - {"user_built"}
