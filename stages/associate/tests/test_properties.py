"""What holds for the associations of any pool, of whatever modes.

The pools are drawn from templates of each mode; those of `CALWEBB_REALDATA` are tried, too.
"""

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_associate.columns import COLUMNS
from calwebb_associate.generate import left_out, make_associations
from calwebb_associate.pool import Pool, candidates, program_of, read_pool
from calwebb_core.framework.association import validate
from calwebb_core.framework.names import AssociationName

NIRCAM = {"instrume": "nircam", "channel": "long", "detector": "nrcalong", "module": "a"}
MIRI = {"instrume": "miri", "detector": "mirimage"}
NIRISS = {"instrume": "niriss", "detector": "nis"}
NIRSPEC = {"instrume": "nirspec", "subarray": "full"}


def any_of(*words):
    return st.sampled_from(words)


yes_rarely = any_of("f", "f", "f", "t")
NRS_DETECTOR = any_of("nrs1", "nrs2")
NODS = {"numdthpt": any_of("1", "2", "3"), "patt_num": any_of("1", "2", "3"),
        "subpxpts": any_of("1", "2"), "expspcin": any_of("1", "2")}  # fmt: skip

# Columns of each mode: a text, or a strategy for one.
MODES = {
    "nircam images": NIRCAM | {
        "exp_type": "nrc_image", "filter": any_of("f277w", "f356w"), "pupil": "clear",
        "bkgdtarg": yes_rarely},
    "short wavelengths": NIRCAM | {
        "exp_type": "nrc_image", "channel": "short", "detector": any_of("nrca1", "nrcb4"),
        "filter": any_of("f150w", "f200w"), "pupil": "clear"},
    "miri images": MIRI | {
        "exp_type": "mir_image", "filter": any_of("f560w", "f770w"), "bkgdtarg": yes_rarely},
    "niriss images": NIRISS | {
        "exp_type": "nis_image", "filter": "clear", "pupil": any_of("f150w", "f200w")},
    "guider images": {
        "instrume": "fgs", "detector": any_of("guider1", "guider2"), "exp_type": "fgs_image"},
    "coronagraphy": NIRCAM | {
        "exp_type": any_of("nrc_coron", "nrc_coron", "nrc_tacq"), "filter": "f335m",
        "pupil": "maskrnd", "subarray": any_of("sub320a335r", "full"), "is_psf": any_of("f", "t")},
    "miri coronagraphy": MIRI | {
        "exp_type": any_of("mir_4qpm", "mir_lyot"), "filter": "f1065c", "subarray": "mask1065",
        "is_psf": any_of("f", "t"), "bkgdtarg": yes_rarely},
    "interferometry": NIRISS | {
        "exp_type": "nis_ami", "filter": "f480m", "pupil": "nrm", "subarray": "sub80",
        "is_psf": any_of("f", "t")},
    "time series of images": NIRCAM | {
        "exp_type": "nrc_tsimage", "filter": "f444w", "pupil": "clear", "subarray": "sub160p",
        "tsovisit": "t"},
    "time series of spectra": NIRCAM | {
        "exp_type": "nrc_tsgrism", "filter": "f444w", "pupil": any_of("grismr", "clear"),
        "subarray": "subgrism256", "tsovisit": "t"},
    "bright objects": NIRSPEC | {
        "exp_type": "nrs_brightobj", "detector": NRS_DETECTOR, "filter": "clear",
        "grating": "prism", "fxd_slit": "s1600a1", "subarray": "sub512", "tsovisit": "t"},
    "single objects": NIRISS | {
        "exp_type": "nis_soss", "filter": any_of("clear", "f277w"), "pupil": "gr700xd",
        "subarray": "substrip256", "tsovisit": any_of("f", "t"), "nints": any_of("1", "20")},
    "low resolution": MIRI | {
        "exp_type": any_of("mir_lrs-fixedslit", "mir_lrs-fixedslit", "mir_taconfirm", "mir_tacq"),
        "filter": "p750l", "patttype": any_of("along-slit-nod", "none"),
        "patt_num": any_of("1", "2"), "numdthpt": "2", "bkgdtarg": yes_rarely},
    "slitless": MIRI | {
        "exp_type": "mir_lrs-slitless", "filter": "p750l", "subarray": "slitlessprism",
        "tsovisit": any_of("t", "t", "f")},
    "medium resolution": {
        "instrume": "miri", "exp_type": "mir_mrs", "detector": any_of("mirifushort", "mirifulong"),
        "channel": any_of("12", "34"), "band": any_of("short", "long"), "bkgdtarg": yes_rarely},
    "fixed slits": NIRSPEC | NODS | {
        "exp_type": "nrs_fixedslit", "detector": NRS_DETECTOR,
        "filter": any_of("f290lp", "clear"), "grating": any_of("g395h", "prism"),
        "fxd_slit": any_of("s200a1", "s1600a1"), "patttype": any_of("none", "2-point-nod"),
        "is_imprt": "f"},
    "integral fields": NIRSPEC | NODS | {
        "exp_type": "nrs_ifu", "detector": NRS_DETECTOR, "filter": "f170lp", "grating": "g235h",
        "patttype": any_of("none", "2-point-nod", "4-point-nod"), "is_imprt": yes_rarely,
        "bkgdtarg": yes_rarely},
    "multi-object spectra": NIRSPEC | NODS | {
        "exp_type": "nrs_msaspec", "detector": NRS_DETECTOR, "filter": "f290lp",
        "grating": "g395m", "msametfl": any_of("jw01345_01_msa.fits", "null")},
    "lamps": NIRSPEC | {
        "exp_type": any_of("nrs_autoflat", "nrs_autowave", "nrs_lamp"), "detector": NRS_DETECTOR,
        "filter": "opaque", "grating": any_of("g395m", "mirror"), "lamp": any_of("line1", "flat1"),
        "opmode": any_of("ifu", "fixedslit", "msaspec")},
    "niriss slitless": NIRISS | {
        "exp_type": any_of("nis_wfss", "nis_image"), "filter": any_of("gr150r", "gr150c", "clear"),
        "pupil": any_of("f150w", "f200w")},
    "nircam slitless": NIRCAM | {
        "exp_type": any_of("nrc_wfss", "nrc_image"), "filter": any_of("f356w", "f444w"),
        "pupil": any_of("grismr", "grismc", "clear")},
    "wavefronts": NIRCAM | {
        "exp_type": "nrc_image", "channel": "short", "detector": "nrca3", "filter": "f212n",
        "pupil": "clear", "patttype": "wfsc", "visitype": "prime_wfsc_sensing_control",
        "patt_num": any_of("1", "2"), "numdthpt": "2", "act_id": any_of("01", "02")},
    "what makes nothing": NIRCAM | {
        "exp_type": any_of("nrc_dark", "nrc_led", "nrc_flat"), "filter": "f277w",
        "pupil": "clear"},
}  # fmt: skip
FIXED = dict.fromkeys(COLUMNS, "null") | {
    "subarray": "full", "visitype": "prime_targeted_fixed", "pntgtype": "science",
    "expspcin": "1", "dithptin": "1", "mostilno": "1", "is_psf": "f", "is_imprt": "f",
    "bkgdtarg": "f", "tsovisit": "f",
}  # fmt: skip
OTHERS = any_of(
    (), (), ("c1000", "mosaic"), ("c1001", "background"), ("c1002", "group"),
    ("c1003", "direct_image"),
)  # fmt: skip


@st.composite
def exposures(draw, mode, program="1345"):
    """Draw an exposure of a mode as a row of a pool."""
    values = {
        column: draw(entry) if isinstance(entry, st.SearchStrategy) else entry
        for column, entry in MODES[mode].items()
    }
    observation, group = draw(st.integers(1, 3)), draw(st.integers(1, 9))
    number, other = draw(st.integers(1, 99999)), draw(OTHERS)
    root = f"jw{int(program):05d}{observation:03d}001_0{group}101_{number:05d}"
    named = [(f"o{observation:03d}", "observation"), *([other] if other else [])]
    return FIXED | values | {
        "filename": f"{root}_{values['detector']}_uncal.fits",
        "program": program,
        "obs_num": str(observation),
        "obs_id": f"v{root[2:13]}p000000000{group}101",
        "targetid": draw(any_of("1", "2")),
        "asn_candidate": str(named),
    }  # fmt: skip


@st.composite
def tables(draw, program="1345", most=14):
    """Draw the rows of a pool that has one or two modes, as programs have."""
    modes = draw(st.lists(st.sampled_from(sorted(MODES)), min_size=1, max_size=2, unique=True))
    rows = st.one_of([exposures(mode, program) for mode in modes])
    return draw(st.lists(rows, min_size=1, max_size=most, unique_by=lambda row: row["filename"]))


def pool_of(rows):
    return Pool(COLUMNS, tuple(rows))


def make(rows):
    return make_associations(pool_of(rows), discover=True)


def members(association):
    (product,) = association.content["products"]
    return frozenset((member["expname"], member["exptype"]) for member in product["members"])


def key(association):
    """What an association is: its file's name (with type and candidate), product, members."""
    return association.file_name, association.rule, association.product, members(association)


def holds(association, row):
    """Whether an exposure is a member of an association, as whatever product."""
    root = row["filename"].removesuffix("_uncal.fits")
    return has(association, root)


def has(association, root):
    """Whether a product of a root is a member of an association."""
    return any(name.startswith(f"{root}_") for name, _ in members(association))


def needing(made, row):
    """Return the associations that an exposure is a member of, or a product of one of these.

    The latter are slitless spectra: the mosaic of the direct images and its catalog belong to
    them.
    """
    first = [association for association in made if holds(association, row)]
    mosaics = {association.product for association in first if association.level == 3}
    return [a for a in made if a in first or any(has(a, product) for product in mosaics)]


def check_missing(before, after, gone):
    """Check that only associations of an exposure and of its candidates are others without it.

    What is lost needed the exposure, or has become the same as another candidate's, which is
    not made twice. What is new takes the place of a lost one: it has its product's name (fewer
    members, other nods or backgrounds), or it belongs to one of the exposure's candidates, which
    only now differs from the others that it was pruned for.
    """
    old, new = {key(a): a for a in before}, {key(a): a for a in after}
    same = {(a.asn_type, members(a)) for a in after}
    needed = {key(a) for a in needing(before, gone)}
    for each in sorted(old.keys() - new.keys(), key=str):
        association = old[each]
        assert each in needed or (association.asn_type, members(association)) in same, each
    lost = {old[each].product for each in old.keys() - new.keys()}
    own = {name for name, _ in candidates(gone)}
    for each in sorted(new.keys() - old.keys(), key=str):
        assert new[each].product in lost or new[each].candidate in own, each


def check_whole(made):
    """Check what holds for all associations of a pool."""
    for association in made:
        validate(association.content, association.file_name)
        name = AssociationName.parse(association.file_name)
        assert (name.program, name.type) == (association.program, association.asn_type)
        assert "science" in association.exptypes
    assert len({association.file_name for association in made}) == len(made)
    mosaics = {association.product for association in made if association.asn_type == "image3"}
    catalogs = {name for one in made for name, part in members(one) if part == "sourcecat"}
    named = {name.rpartition("_")[0] for name in catalogs}
    assert named <= mosaics
    by_members = defaultdict(list)
    for association in made:
        if association.product not in named:
            by_members[association.asn_type, members(association)].append(association.file_name)
    assert [files for files in by_members.values() if len(files) > 1] == []


@given(tables(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_rows_never_matters(rows, shuffling):
    shuffled = list(rows)
    shuffling.shuffle(shuffled)
    assert make(shuffled) == make(rows)


@given(tables(), st.data())
@settings(max_examples=60)
def test_a_missing_exposure_changes_only_its_own_associations(rows, data):
    gone = data.draw(st.sampled_from(rows))
    check_missing(make(rows), make([row for row in rows if row is not gone]), gone)


@given(tables(), tables(program="2733"), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_programs_in_one_pool_are_made_as_if_alone(rows, others, shuffling):
    both = [*rows, *others]
    shuffling.shuffle(both)
    mixed = {key(association) for association in make(both)}
    assert mixed == {key(association) for association in (*make(rows), *make(others))}


@given(tables())
@settings(max_examples=60)
def test_case_never_matters(tmp_path_factory, rows):
    text = pool_of(rows).text()
    made = []
    for number, written in enumerate((text, text.upper())):
        path = tmp_path_factory.getbasetemp() / f"case_{number}.csv"
        path.write_text(written)
        made.append([key(a) for a in make_associations(read_pool(path), discover=True)])
    assert made[0] == made[1]


@given(tables())
@settings(max_examples=60)
def test_associations_are_whole_and_none_is_made_twice(rows):
    check_whole(make(rows))


@given(tables())
@settings(max_examples=60)
def test_no_exposure_is_forgotten(rows):
    """Each is a member of some association, or a sentence tells about its kind."""
    made = make(rows)
    alone = [row for row in rows if not any(holds(association, row) for association in made)]
    told = left_out(pool_of(rows), made)
    assert bool(told) or not [row for row in alone if row["exp_type"] in ("nrc_image", "mir_image")]


@pytest.fixture(params=range(3))
def seed(request):
    return request.param


@pytest.mark.realdata
def test_real_pools_have_all_these_properties(realdata, seed):
    for path in sorted((realdata / "pools").glob("*.csv")):
        pool = read_pool(path)
        made = make_associations(pool, discover=True)
        check_whole(made)
        rows = list(pool.rows)
        chosen = random.Random(seed)
        chosen.shuffle(rows)
        shuffled = Pool(pool.columns, tuple(rows), pool.name)
        assert make_associations(shuffled, discover=True) == made, path.stem
        gone = chosen.choice(list(pool.exposures()))
        rest = Pool(pool.columns, tuple(row for row in pool.rows if row != gone), pool.name)
        check_missing(made, make_associations(rest, discover=True), gone)


@pytest.mark.realdata
def test_real_programs_in_one_pool_are_made_as_if_alone(realdata):
    pools = [read_pool(path) for path in sorted((realdata / "pools").glob("*.csv"))]
    for one in pools:
        programs = {program_of(row) for row in one.exposures()}
        made = {key(a) for a in make_associations(one, discover=True)}
        alone = [make_associations(one.of_program(program), discover=True) for program in programs]
        assert {key(association) for part in alone for association in part} == made
