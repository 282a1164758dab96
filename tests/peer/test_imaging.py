"""image2 and image3 against the official package: a short case of docs/parity.md."""

import json
import math
import sys

import pytest

from programs import ROOT, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

SCRIPT = ROOT / "benchmarks" / "parity" / "imaging.py"
FLOATS = 5e-6  # relative, what float32 leaves of a few operations


@pytest.fixture(scope="module", params=["miri"])
def found(request, peer_python, tmp_path_factory):
    """Figures of a case, and the page."""
    folder = tmp_path_factory.mktemp("imaging")
    page = folder / "page.md"
    page.write_text("<!-- imaging: start -->\n<!-- imaging: end -->\n")
    run([sys.executable, SCRIPT, "--case", request.param, "--peer", peer_python,
         "--data", folder, "--markdown", page])  # fmt: skip
    figures = json.loads((folder / request.param / "figures.json").read_text())
    return figures, page.read_text()


def test_calibrated_images_agree_to_float_precision(found):
    image2 = found[0]["image2"]
    assert image2["exposures"] == 4
    assert image2["wcs"] < 1e-4
    assert image2["region"] < 0.01
    assert image2["keywords"] < FLOATS
    for suffix in ("cal", "calints"):
        for name, row in image2[suffix].items():
            if name == "extensions":
                assert row
            elif "differ" in row:
                assert row["differ"] == 0, (suffix, name)
            elif name != "SCI relative":
                # SCI in units of ERR, which a bright sky is many times
                bound = 1e-4 if name == "SCI" else FLOATS
                assert row["max"] < bound, (suffix, name)
                assert row["nan_here"] == row["nan_there"] == 0, (suffix, name)


def test_official_models_open_every_product(found):
    opened = found[0]["opened"]
    kinds = {label.split()[0] for label in opened["kinds"]}
    assert kinds >= {"cal", "crf", "i2d", "segm"}
    assert opened["warnings"] == []
    assert opened["wcs"] < 1e-6
    sip = found[0]["image2"]["sip"]["ours"]
    assert sip["measured"] <= sip["stated"] + 1e-7 or math.isnan(sip["stated"])


def test_the_same_mosaic_of_the_same_exposures(found):
    image2, alike = found[0]["image2"], found[0]["alike"]
    assert image2["exact"]["SCI"]["max"] < 2e-3
    assert image2["exact"]["SCI"]["p999"] < 5e-4
    assert alike["grid"]["pixels"] < 1e-4
    pixels = alike["pixels"]
    # the pixel map of the mosaic is good to a ten-thousandth of a pixel
    assert pixels["SCI"]["p999"] < 5e-3
    assert max(pixels[name]["p999"] for name in ("ERR", "WHT", "VAR_RNOISE")) < 1e-3
    assert pixels["CON"]["differ"] == 0
    assert abs(alike["fluxes"]["median"]) < 1e-5


def test_the_same_fluxes_with_all_defaults(found):
    for key in ("image3", "own"):
        # the official step flags the peaks of undersampled stars, whose fluxes it loses
        row = found[0][key]["untouched"]
        assert row["number"] >= 3, key
        assert abs(row["median"]) < 1e-3, key
        assert found[0][key]["shifts"]["relative"] < 3.0, key


def test_the_page_has_all_tables(found):
    figures, page = found
    assert page.count(figures["title"]) >= 6
