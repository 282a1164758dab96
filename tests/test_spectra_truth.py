"""A star's spectrum from count rates to the extracted one, against what was put in."""

import json

import pytest

from programs import BIN, SERVERLESS, run

pytestmark = pytest.mark.slow


def scored(folder, scenario, *options):
    """Simulate a scenario, run stage 2 of its files and return its spectra's figures."""
    simulator = BIN / "calwebb-simulate"
    run([simulator, "rates", "--scenario", scenario, *options, "--output-dir", folder, "-q"])
    chosen = {
        "CRDS_PATH": str(folder / "crds_cache"),
        "CRDS_SERVER_URL": SERVERLESS,
        "CRDS_CONTEXT": "jwst_0001.pmap",
    }
    results, figures = folder / "results", folder / "score.json"
    for path in sorted((folder / "rates").iterdir()):
        run([BIN / "calwebb-spec2", "run", path, "--output-dir", results, "-q"], **chosen)
    compare = ["--truth", folder / "truth", "--results", results, "--json", figures]
    run([simulator, "score", *compare, "-q"])
    return json.loads(figures.read_text())["spectra"]


@pytest.mark.parametrize("scenario", ["lrs-slitless", "nirspec-bright"])
def test_flux_and_lines(tmp_path, scenario):
    """Flux is right within a thousandth and as its errors say, lines are where they are."""
    (found,) = scored(tmp_path, scenario, "--integrations", "8", "--segments", "1").values()
    assert found["points"] > 250
    assert abs(found["flux_bias"]) < 2e-3
    assert found["flux_scatter"] < 1.3 * found["expected_scatter"]
    assert found["chi2"] < 2
    assert found["lines"] == 7
    assert found["line_offset"] < 0.1


def test_rectified_spectra_scatter_by_their_errors(tmp_path):
    """Errors of NIRSpec's slits know that wavelengths of neighbours are averaged."""
    for found in scored(tmp_path, "nirspec-slit").values():
        assert found["points"] > 1000
        assert abs(found["flux_bias"]) < 2e-3
        assert 0.9 < found["chi2"] < 2.0
