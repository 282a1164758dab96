"""Association files travel both ways: ours are opened by the official programs, theirs by ours."""

import json
import shutil

import pytest
from astropy.io import fits

from calwebb_core.framework.association import read_association
from official_process import REALDATA, run_official
from programs import SERVERLESS, run

pytestmark = pytest.mark.peer

POOLS = (
    "pool_001_candidates",
    "pool_006_spec_nirspec",
    "pool_013_coron_nircam",
    "pool_019_niriss_wfss",
    "pool_021_tso",
)
OPEN = """
import json, sys
from pathlib import Path
import warnings
from jwst.associations import asn_edit
from jwst.associations.load_as_asn import LoadAsAssociation, LoadAsLevel2Asn
from jwst.associations.load_asn import load_asn

warnings.simplefilter("error")
result = {}
for path in sorted(Path(sys.argv[1]).rglob("*.json")):
    with path.open() as file:
        loaded = load_asn(file)
    members = lambda asn: [
        [p["name"], [[m["expname"], m["exptype"]] for m in p["members"]]] for p in asn["products"]
    ]
    level2 = path.name.split("_")[-3].endswith("2")
    again = (LoadAsLevel2Asn if level2 else LoadAsAssociation).load(str(path))
    edited = asn_edit.reader(str(path))
    edited = asn_edit.add(edited, ["added_cal.fits"], "background")
    first = members(edited)[0][1][0][0]
    if len(members(edited)[0][1]) > 2:
        edited = asn_edit.remove(edited, [first], False)
    asn_edit.writer(edited, str(path.with_suffix("")) + "_edited.json")
    result[str(path)] = [loaded["asn_type"], members(loaded), members(again)]
json.dump(result, open("opened.json", "w"))
"""
GATHER = """
import sys
from pathlib import Path
from jwst.associations.asn_from_list import Main as FromList
from jwst.associations.asn_from_list import asn_from_list
from jwst.associations.asn_gather import asn_gather
from jwst.associations.main import Main
from jwst.associations import asn_edit

names = ["a", "b", "sky"]
for name in names:
    Path(f"{name}_cal.fits").touch()
    Path(f"{name}_rate.fits").touch()
FromList.cli(["-o", "level3_asn.json", "--product-name", "mine", "a_cal.fits", "b_cal.fits"])
FromList.cli(["-o", "level2_asn.json", "-r", "DMSLevel2bBase", "a_rate.fits", "b_rate.fits"])
items = [("a_rate.fits", "science"), ("sky_rate.fits", "background")]
made = asn_from_list(items, with_exptype=True, product_name="pairs")
Path("pairs_asn.json").write_text(made.dump()[1])
Path("gathered").mkdir()
asn_gather("level3_asn.json", "gathered", shellcmd="cp")
edited = asn_edit.add(asn_edit.reader("level3_asn.json"), ["sky_cal.fits"], "background")
asn_edit.writer(edited, "edited_asn.json")
Path("merged").mkdir()
Main.cli([sys.argv[1], "-p", "merged", "--merge", "--version-id", "20260101t000000"])
"""
LISTS = """
import sys
from jwst.associations.asn_from_list import Main
Main.cli(["-o", "level2_asn.json", "-r", "DMSLevel2bBase", *sys.argv[1:]])
cal = [name.replace("_rate", "_cal") for name in sys.argv[1:]]
Main.cli(["-o", "level3_asn.json", "--product-name", "mine", *cal])
"""
LIBRARY = """
from stdatamodels.jwst.datamodels import ImageModel
from jwst.datamodels import ModelLibrary
for name in ("a.fits", "b.fits"):
    ImageModel((2, 2)).save(name)
library = ModelLibrary("ours_asn.json")
with library:
    for index, model in enumerate(library):
        assert model.meta.asn.exptype == ["science", "background"][index], model.meta.asn
        library.shelve(model, modify=False)
assert library.asn["products"][0]["name"] == "mosaic"
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Our associations of a few pools and of lists, and what the official package read in them."""
    folder = tmp_path_factory.mktemp("opened")
    for pool in POOLS:
        path = REALDATA / "pools" / f"{pool}.csv"
        if not path.exists():
            pytest.skip(f"no {path}; CALWEBB_REALDATA names the folder of real data")
        run(["calwebb-associate", path, "--output-dir", folder / "made" / pool, "-q"])
    listed = ("calwebb-associate", "--from-list", "-q", "--output-dir", folder / "made" / "listed")
    files = [folder / "made" / "listed" / name for name in ("a_cal.fits", "b_cal.fits,background")]
    run([*listed, "--product-name", "mine", "-o", "x_image3_1_asn.json", *files])
    run([*listed, "--level", "2", "-o", "x_image2_1_asn.json", *files])
    run_official(OPEN, folder / "made", folder=folder)
    return folder, json.loads((folder / "opened.json").read_text())


def members_of(association):
    return [
        [product.name, [[member.raw["expname"], member.exptype] for member in product.members]]
        for product in association.products
    ]


def test_ours_are_opened_by_the_official_package(opened):
    _, found = opened
    assert len(found) > 150
    for path, (asn_type, loaded, again) in found.items():
        ours = read_association(path, check_files=False)
        assert asn_type == ours.asn_type
        assert loaded == again == members_of(ours)


def test_ours_survive_being_edited(opened):
    folder, found = opened
    for path in found:
        before = members_of(read_association(path, check_files=False))
        edited = read_association(path.replace(".json", "_edited.json"), check_files=False)
        for (name, old), (same, new) in zip(before, members_of(edited), strict=True):
            assert name == same
            assert new[-1] == ["added_cal.fits", "background"]
            assert new[:-1] == (old[1:] if len(before[0][1]) > 1 and name == before[0][0] else old)
    assert folder.exists()


def test_ours_make_a_library_of_models(tmp_path):
    files = (tmp_path / "a.fits", f"{tmp_path}/b.fits,background")
    options = ("--product-name", "mosaic", "-o", tmp_path / "ours_asn.json")
    run(["calwebb-associate", "--from-list", *files, *options])
    run_official(LIBRARY, folder=tmp_path)


def test_theirs_are_read(tmp_path):
    pool = REALDATA / "pools" / "pool_003_image_nircam.csv"
    if not pool.exists():
        pytest.skip(f"no {pool}; CALWEBB_REALDATA names the folder of real data")
    run_official(GATHER, pool, folder=tmp_path)
    level3 = read_association(tmp_path / "level3_asn.json")
    assert (level3.asn_type, level3.asn_rule) == ("", "DMS_Level3_Base")
    science = [[f"{name}_cal.fits", "science"] for name in "ab"]
    assert members_of(level3) == [["mine", science]]
    assert members_of(read_association(tmp_path / "gathered" / "level3_asn.json")) == [
        ["mine", science]
    ]
    edited = members_of(read_association(tmp_path / "edited_asn.json"))
    assert edited == [["mine", [*science, ["sky_cal.fits", "background"]]]]
    level2 = members_of(read_association(tmp_path / "level2_asn.json"))
    assert level2 == [[name, [[f"{name}_rate.fits", "science"]]] for name in "ab"]
    pairs = members_of(read_association(tmp_path / "pairs_asn.json"))
    both = [["a_rate.fits", "science"], ["sky_rate.fits", "background"]]
    assert pairs == [["pairs", both]]
    merged = [
        read_association(path, check_files=False) for path in (tmp_path / "merged").glob("*.json")
    ]
    assert max(len(association.products) for association in merged) > 10


@pytest.mark.slow
def test_theirs_are_run(tiny, tmp_path):
    """Associations of the official program go through our stages 2 and 3."""
    crds = {
        "CRDS_PATH": str(tiny / "crds_cache"),
        "CRDS_SERVER_URL": SERVERLESS,
        "CRDS_CONTEXT": "jwst_0001.pmap",
    }
    raw = sorted((tiny / "uncal").iterdir())[:2]
    for path in raw:
        run(["calwebb-detector1", "run", path, "--output-dir", tmp_path, "-q"], **crds)
    rates = [path.name.replace("_uncal", "_rate") for path in raw]
    run_official(LISTS, *rates, folder=tmp_path)
    shutil.rmtree(tmp_path / "crds", ignore_errors=True)
    level2 = tmp_path / "level2_asn.json"
    run(["calwebb-image2", "run", level2, "--output-dir", tmp_path, "-q"], **crds)
    level3 = tmp_path / "level3_asn.json"
    run(["calwebb-image3", "run", level3, "--output-dir", tmp_path / "out", "-q"], **crds)
    header = fits.getheader(tmp_path / "out" / "mine_i2d.fits")
    assert header["ASNTABLE"] == "level3_asn.json"
    assert header["S_RESAMP"] == "COMPLETE"
    roots = [name.removesuffix("_rate.fits") for name in rates]
    asn_id = json.loads(level3.read_text())["asn_id"]
    for root in roots:
        assert (tmp_path / "out" / f"{root}_{asn_id}_crf.fits").exists()
