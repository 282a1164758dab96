"""The command line that makes a product again."""

import copy
import json

import pytest
import yaml

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.verify.find import Ingredients
from calwebb_core.framework.verify.rebuild import arguments, commands, options_text
from calwebb_core.framework.verify.record import Recorded

from .runs import RUN


@pytest.fixture
def case(tmp_path):
    """A record, what it needs, and a folder to work in."""
    asn = tmp_path / "x_asn.json"
    products = [
        {"name": name, "members": [{"expname": f"{name}_rate.fits", "exptype": "science"}]}
        for name in ("x", "y")
    ]
    asn.write_text(json.dumps({"asn_type": "image2", "products": products}))
    rate = tmp_path / "elsewhere" / "x_rate.fits"
    rate.parent.mkdir()
    rate.write_text("rate")
    flat = tmp_path / "renamed.fits"
    flat.write_text("flat")
    work = tmp_path / "work"
    work.mkdir()
    ingredients = Ingredients({"x_asn.json": asn, "x_rate.fits": rate}, {"flat": (flat, "3" * 64)})
    run = copy.deepcopy(RUN)
    return Recorded(tmp_path / "x_cal.fits", "x_cal.fits", (run,)), ingredients, work


def test_options_are_those_of_the_record(case):
    recorded, ingredients, _ = case
    assert yaml.safe_load(options_text(recorded, ingredients)) == {
        "flat_field": {"inverse": False},
        "photom": {"skip": True},
        "resample": {"kernel": "square", "pixfrac": 1.0, "skip": False},
    }


def test_words(case):
    recorded, ingredients, work = case
    words = arguments(recorded, ingredients, work, allow_outside=False)
    assert "--no-crds-parameters" in words
    assert words[words.index("--product") + 1] == "x"
    assert (work / "members" / "x_rate.fits").read_text() == "rate"
    listed = json.loads((work / "references.json").read_text())
    assert listed["context"] == "jwst_0001.pmap"
    assert listed["references"]["area"] == "N/A"
    assert listed["references"]["flat"]["name"] == "jwst_flat.fits"


def test_files_of_the_user_and_of_crds(case):
    recorded, ingredients, work = case
    recorded.last["references"]["flat"]["given"] = True
    recorded.last["crds_parameters"] = {"jump": {"skip": True}}
    recorded.last["steps"][0]["pre_hooks"] = ["echo {}"]
    recorded.keywords.update(dark="own_dark.fits", mask="crds://jwst_mask.fits")
    words = arguments(recorded, ingredients, work, allow_outside=False)
    given = dict(
        word.split("=", 1) for at, word in enumerate(words) if words[at - 1] == "--override"
    )
    assert {kind: path.rpartition("/")[2] for kind, path in given.items()} == {
        "flat": "jwst_flat.fits", "dark": "own_dark.fits",
    }  # fmt: skip
    assert "--no-crds-parameters" not in words
    assert words[words.index("--pre-hook") + 1] == "flat_field=echo {}"
    assert json.loads((work / "references.json").read_text())["references"]["mask"]["name"] == (
        "jwst_mask.fits"
    )


def test_members_outside_are_refused(case):
    recorded, ingredients, work = case
    asn = ingredients.inputs["x_asn.json"]
    asn.write_text(asn.read_text().replace("x_rate", "../x_rate"))
    with pytest.raises(InputError, match=r"member \.\./x_rate\.fits lies outside"):
        arguments(recorded, ingredients, work, allow_outside=False)


@pytest.mark.parametrize(
    ("name", "steps", "expected"),
    [
        ("x_cal.fits", 3, [["run", "--stop-after", "resample"]]),
        ("x_resample.fits", 3, [["run", "--stop-after", "resample", "--save", "resample"]]),
        ("x_cal.fits", 1, [["step", "flat_field"], ["run", "--stop-after", "flat_field"]]),
        ("x_cal.fits", 0, [["run"]]),
    ],
)
def test_subcommands(tmp_path, name, steps, expected):
    run = copy.deepcopy(RUN)
    run["steps"] = run["steps"][:steps]
    assert commands(Recorded(tmp_path / name, name, (run,))) == expected
