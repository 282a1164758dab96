"""Stage 1 step by step against the official package: the short cases of docs/parity.md."""

import importlib
import json
import sys

import pytest

from programs import ROOT, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

PARITY = ROOT / "benchmarks" / "parity"
CASES = ("nircam-subarray", "nircam-series")
# in units of the noise of a sample, and of ERR; ten times what is found
RAMPS, RATES = 1e-4, 5e-4


@pytest.fixture(scope="module", params=CASES)
def table(request, peer_python, tmp_path_factory):
    """Figures of one case by step."""
    folder = tmp_path_factory.mktemp("parity")
    figures, page = folder / "figures.json", folder / "page.md"
    page.write_text("<!-- tables: start -->\n<!-- tables: end -->\n")
    words = [
        "parity.py", "--scenario", request.param, "--peer", peer_python, "--work", folder,
        "--json", figures, "--markdown", page,
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PARITY)
        parity = importlib.import_module("parity")
        # dozens of short runs, which need not import their libraries each
        patch.setattr(parity, "run", run)
        patch.setattr(sys, "argv", [str(word) for word in words])
        parity.main()
    return json.loads(figures.read_text())[request.param], page.read_text()


def test_values_agree(table):
    for step, row in table[0]["steps"].items():
        for name, values in row["values"].items():
            bound = RATES if name.startswith("rate") else RAMPS
            assert values["max"] <= bound, (step, name, values)
            assert values["nan_only_here"] == values["nan_only_there"] == 0, (step, name)


def test_flags_and_statuses_are_equal(table):
    for step, row in table[0]["steps"].items():
        assert row["ours"] == row["official"], step
        for name, flags in row["flags"].items():
            assert flags["differ"] == 0, (step, name, flags)


def test_every_step_is_on_the_page(table):
    figures, page = table
    assert all(f"| {step} |" in page for step in figures["steps"])
    assert "NOT EXPLAINED" not in page
    assert {"saturation", "refpix", "jump", "ramp_fit", "whole chain"} <= set(figures["steps"])
