"""Every kind of product: what it says about how it was made is complete, and it can be made again.

Each test makes products of one kind by the programs, walks over all of them, and verifies them.
"""

import hashlib
import json
import re
import shutil

import pytest
from astropy.io import fits

from calwebb_core.framework.roots import root_of
from calwebb_core.framework.verify.record import read_record
from programs import run

pytestmark = pytest.mark.slow

SHA256 = re.compile(r"[0-9a-f]{64}")
EPOCH = "1767225600"


def lacks(path):
    """Return what a product does not say of what made it."""
    recorded = read_record(path)
    missing = [
        f"run {number}: {text}"
        for number, entry in enumerate(recorded.runs)
        for text in (*lacking_files(entry), *lacking_steps(entry), *lacking_software(entry))
    ]
    if path.suffix == ".fits":
        missing += lacking_cards(fits.getheader(path), recorded)
    return missing


def lacking_software(entry):
    if not {"calwebb_core", "numpy", "numba", "astropy", "scipy"} <= set(entry["software"]):
        yield "versions"
    if not SHA256.fullmatch(entry["environment"]["lock"] or ""):
        yield "checksum of the lock file"


def lacking_files(entry):
    files = [entry["input"], *entry["input"].get("members", ())]
    files += [item for item in entry["references"].values() if item["name"] != "N/A"]
    for item in files:
        if not SHA256.fullmatch(item["sha256"]):
            yield f"checksum of {item['name']}"
    if entry["references"] and not (entry["context"] and entry["crds_version"]):
        yield "context"


def lacking_steps(entry):
    for step in entry["steps"]:
        if step["status"] == "COMPLETE" and "parameters" not in step:
            yield f"options of {step['name']}"
        if step["status"] == "SKIPPED" and not step.get("reason"):
            yield f"why {step['name']} was left out"


def lacking_cards(header, recorded):
    """Return which cards of the official products are not there."""
    names = ["CAL_VER", "DATE", "FILENAME"]
    names += ["CRDS_CTX", "CRDS_VER"] if recorded.last.get("context") else []
    missing = [name for name in names if name not in header]
    if not any(name.startswith("S_") for name in header):
        missing.append("S_ keywords")
    return missing


def association(path, kind, name, *members):
    """Write an association of one product."""
    content = {
        "asn_type": kind, "asn_id": "o001", "asn_rule": "own", "asn_pool": "none",
        "products": [
            {"name": name, "members": [{"expname": m, "exptype": "science"} for m in members]}
        ],
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return path


class Place:
    """A folder to make products in, with the references of a simulation."""

    def __init__(self, folder, simulation):
        self.folder, self.simulation = folder, simulation
        self.cache = simulation / "crds_cache"
        self.raw = sorted((simulation / "uncal").glob("*_uncal.fits"))
        self.out = folder / "out"

    def run(self, *words, check=True):
        return run(
            words, cwd=self.folder, check=check, CRDS_PATH=str(self.cache),
            CRDS_SERVER_URL="https://jwst-serverless-mode.stsci.edu",
            CRDS_CONTEXT="jwst_0001.pmap", SOURCE_DATE_EPOCH=EPOCH,
        )  # fmt: skip

    def references(self, raw, program):
        listed = self.folder / f"{root_of(raw.name)}_{program}.json"
        self.run("calwebb-references", raw, "--pipeline", f"calwebb-{program}", "-o", listed, "-q")
        return listed

    def make(self, program, source, listed, *words):
        """Run a program; return its products, the new ones first."""
        before = set(self.out.glob("*"))
        self.run(
            f"calwebb-{program}", "run", source, "--references", listed, "--output-dir", self.out,
            "-q", *words,
        )  # fmt: skip
        return sorted(set(self.out.glob("*")) - before)

    def detector1(self, raw, *words):
        return self.make("detector1", raw, self.references(raw, "detector1"), *words)

    def image2(self, raw, *words, kind="image2", suffix="rate"):
        root = root_of(raw.name)
        asn = association(self.folder / f"{root}_asn.json", kind, root, f"{root}_{suffix}.fits")
        return self.make(
            "image2", asn, self.references(raw, "image2"), "--input-dir", self.out, *words
        )

    def check(self, *products, words=()):
        """Every product says everything, and is the same when it is made again."""
        assert {path.name: lacks(path) for path in products if lacks(path)} == {}
        # those of one run together: it is repeated once for them
        products = sorted(
            products, key=lambda path: (path.suffix, len(read_record(path).steps), path.name)
        )
        done = self.run(
            "calwebb-verify", "--input-dir", self.simulation / "uncal", "--input-dir",
            self.folder, "--input-dir", self.out, *words, *products, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count(": identical (") >= len(products)
        return done.stdout


@pytest.fixture
def place(tiny, tmp_path):
    return Place(tmp_path, tiny)


def suffixes(products):
    return {path.stem.rpartition("_")[2] for path in products}


def test_saved_intermediates_and_a_run_that_was_resumed(place):
    """Intermediates, and rates made in two runs: the record of both, both made again."""
    first = place.detector1(place.raw[0], "--stop-after", "linearity", "--save", "saturation")
    assert suffixes(first) == {"linearity", "saturation"}
    (ramp,) = (path for path in first if path.stem.endswith("linearity"))
    listed = place.references(place.raw[0], "detector1")
    rates = place.make("detector1", ramp, listed, "--set", "jump.rejection_threshold=6")
    assert suffixes(rates) == {"rate", "rateints"}
    assert [entry["input"]["name"] for entry in read_record(rates[0]).runs] == [
        place.raw[0].name, ramp.name,
    ]  # fmt: skip
    place.check(*first, *rates)
    said = place.check(rates[0], words=["--from-raw"])
    assert said.index("linearity.fits: identical") < said.index("rate.fits: identical")


def test_dark(place, tmp_path):
    raw = tmp_path / place.raw[0].name.replace("_00001_", "_00009_")
    with fits.open(place.raw[0], memmap=False) as hdus:
        hdus[0].header["EXP_TYPE"] = "NRC_DARK"
        hdus.writeto(raw)
    products = place.make("dark", raw, place.references(raw, "dark"))
    assert suffixes(products) == {"dark"}
    place.check(*products)


def test_what_persistence_leaves_behind(place):
    products = place.detector1(
        place.raw[0], "--set", "persistence.skip=false", "--set", "persistence.method=window",
        "--set", "persistence.save_persistence=true",
        "--set", "persistence.persistence_time=600",
        "--set", "persistence.dn_threshold=20000",
    )  # fmt: skip
    assert suffixes(products) == {"rate", "rateints", "perswindow"}
    place.check(*products)


def test_hooks_of_a_function(place):
    """They run only with leave, and in the user's folder; a changed file is named."""
    code = place.folder / "mine.py"
    code.write_text("def brighter(model):\n    model.data[...] += 1\n    return model\n")
    rate, _ = place.detector1(place.raw[0], "--pre-hook", "jump=mine:brighter")
    (step,) = (item for item in read_record(rate).steps if item.get("hook_files"))
    assert step["hook_files"]["mine:brighter"]["name"] == "mine.py"
    words = ["calwebb-verify", "--input-dir", place.simulation / "uncal", rate]
    refused = place.run(*words, check=False)
    assert refused.returncode == 2
    assert "it cannot be made again without; --allow-hooks runs it" in refused.stdout
    place.check(rate, words=["--allow-hooks"])
    code.write_text(code.read_text().replace("+= 1", "+= 1.0  # the same"))
    changed = place.run(*words, "--allow-hooks", check=False)
    assert changed.returncode == 1
    assert "the file of hook mine:brighter of jump has changed" in changed.stdout
    assert "pixels are the same" in changed.stdout


def test_mosaic_catalogs_and_intermediates(place):
    """Image3 of two exposures: all that it can write, back to the raw exposures."""
    for raw in place.raw[:2]:
        place.detector1(raw)
        place.image2(raw)
    calibrated = sorted(place.out.glob("*_cal.fits"))
    name = "jw01234-o001_t001_nircam_clear-f200w"
    asn = association(
        place.folder / "mosaic_asn.json", "image3", name, *(path.name for path in calibrated)
    )
    products = place.make(
        "image3", asn, place.references(place.raw[0], "image3"), "--input-dir", place.out,
        "--save", "skymatch", "--set", "tweakreg.save_catalogs=true",
        "--set", "outlier_detection.save_intermediate_results=true",
    )  # fmt: skip
    assert suffixes(products) == {"i2d", "cat", "segm", "crf", "skymatch", "median", "blot"}
    assert sum(path.suffix == ".ecsv" for path in products) == 3
    for path in products:
        assert len(read_record(path).last["input"]["members"]) == 2
    place.check(*products)
    mosaic = place.out / f"{name}_i2d.fits"
    said = place.check(mosaic, words=["--from-raw"])
    assert said.count(": identical (") == 5  # two rates, two images, the mosaic


def other(tmp_path_factory, scenario, *words):
    folder = tmp_path_factory.mktemp(scenario)
    run(["calwebb-simulate", "run", "--scenario", scenario, *words, "--output-dir", folder, "-q"])
    return folder


def test_segment_of_a_time_series(tmp_path_factory, tmp_path):
    simulation = other(tmp_path_factory, "time-series", "--groups", "3", "--integrations", "6")
    place = Place(tmp_path, simulation)
    products = place.detector1(place.raw[1])
    assert "-seg002" in products[0].name
    products += place.image2(place.raw[1], kind="tso-image2", suffix="rateints")
    assert suffixes(products) == {"rate", "rateints", "calints"}
    place.check(*products)


def test_moving_target(tmp_path_factory, tmp_path):
    simulation = other(tmp_path_factory, "moving-target", "--groups", "3", "--exposures", "2")
    place = Place(tmp_path, simulation)
    for raw in place.raw:
        place.detector1(raw)
        place.image2(raw, "--skip", "resample")
    name = "jw01516-o001_t001_nircam_clear-f200w"
    members = sorted(path.name for path in place.out.glob("*_cal.fits"))
    asn = association(place.folder / "mosaic_asn.json", "image3", name, *members)
    products = place.make(
        "image3", asn, place.references(place.raw[0], "image3"), "--input-dir", place.out,
        "--save", "assign_mtwcs",
    )  # fmt: skip
    assert {"i2d", "mtwcs", "crf"} <= suffixes(products)
    place.check(*products)


def test_guide_star_and_options_of_crds(place, tmp_path):
    """Rates of a guider; count rates with an option from a pars-* file, which then changes."""
    from workflow.test_branches import extend_cache, write_guide_star

    place.cache = tmp_path / "crds_cache"
    shutil.copytree(place.simulation / "crds_cache", place.cache)
    options = extend_cache(place.cache)
    write_guide_star(tmp_path)
    (raw,) = tmp_path.glob("*_uncal.fits")
    guide = place.make("guider", raw, place.references(raw, "guider"))
    place.check(*guide)
    rate, _ = place.detector1(place.raw[0])
    assert read_record(rate).last["crds_parameters"] == {"jump": {"rejection_threshold": 4.5}}
    assert read_record(rate).last["references"]["pars-jumpstep"]["name"] == options.name
    place.check(rate)
    options.write_bytes(options.read_bytes().replace(b"4.5", b"4.6"))
    words = ["calwebb-verify", "--input-dir", place.simulation / "uncal", rate]
    done = place.run(*words, check=False)
    assert done.returncode == 1
    assert f"reference pars-jumpstep {options.name} has changed" in done.stdout


def test_pictures_and_lists_name_what_they_are_of(place):
    """What cannot be verified says what it was made of in its own way."""
    from PIL import Image

    rate, _ = place.detector1(place.raw[0])
    picture = place.folder / "rate.png"
    place.run("calwebb-quicklook", rate, "-o", picture)
    with Image.open(picture) as image:
        said = json.loads(image.text["calwebb_flow"])
    assert said["inputs"] == [
        {"name": rate.name, "sha256": hashlib.sha256(rate.read_bytes()).hexdigest()}
    ]
    assert SHA256.fullmatch(said["environment"]["lock"])
    done = place.run("calwebb-verify", picture, check=False)
    assert done.returncode == 2
    assert "is no product that can be made again" in done.stdout
    listed = json.loads(place.references(place.raw[0], "detector1").read_text())
    assert listed["context"] == "jwst_0001.pmap"
    assert listed["crds_version"]
    assert all(
        SHA256.fullmatch(entry["sha256"])
        for entry in listed["references"].values()
        if entry != "N/A"
    )
