"""SRCTYPE of every mode, and of slits, against the official package."""

import json
import os
import subprocess
from itertools import product
from pathlib import Path

import pytest

from calwebb_spec2.modes import MODES
from calwebb_spec2.steps.srctype import SrctypeParameters, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

EXP_TYPES = [kind for mode in MODES for kind in mode.exp_types]
WHOLE = [kind for mode in MODES for kind in mode.exp_types if not mode.cut_out] + ["NRC_GRISM"]
CHOICES = {
    "SRCTYAPT": (None, "UNKNOWN", "POINT", "EXTENDED"),
    "BKGDTARG": (None, True),
    "TSOVISIT": (None, True),
    "PATTTYPE": (None, "NONE", "4-POINT-NOD", "INTRAPIXEL-SLIT-SCAN-NOD1", "MAPPING"),
    "DITHOPFR": (None, "POINT-SOURCE", "EXTENDED-SOURCE"),
}  # fmt: skip
# An exposure of slits takes the official package longer.
FEWER = {
    "SRCTYAPT": (None, "POINT", "EXTENDED"),
    "BKGDTARG": (None, True),
    "TSOVISIT": (None, True),
    "PATTTYPE": (None, "2-POINT-NOD"),
}
CHOSEN = (None, "POINT", "EXTENDED")
FIXED = [{"SLTNAME": name} for name in ("S200A1", "S200A2", "S400A1", "S1600A1", "S200B1")]
STELLARITIES = (-1.0, -0.001, 0.0, 0.3, 0.75, 0.7500001, 0.76, 1.0, 2.0)
MULTI = [
    {"SLTNAME": str(number), "STLARITY": value} for number, value in enumerate(STELLARITIES)
] + [{"SLTNAME": "S200A1", "STLARITY": 0.5}]
FOUND = [{"SLTNAME": "1", "extended": True}, {"SLTNAME": "2", "extended": False}, {"SLTNAME": "3"}]


def exposures(kinds, choices):
    """Every combination of keywords; None stands for a keyword that is absent."""
    for kind, *values in product(kinds, *choices.values()):
        keywords = dict(zip(choices, values, strict=True))
        given = {name: value for name, value in keywords.items() if value is not None}
        yield {"EXP_TYPE": kind, **given}


def cases():
    for keywords, chosen in product(exposures(WHOLE, CHOICES), CHOSEN):
        yield {"keywords": keywords, "source_type": chosen}
    some = list(exposures(["NRS_FIXEDSLIT"], FEWER))
    for keywords, chosen, name in product(some, CHOSEN, ("S200A1", "S1600A1", "NONE")):
        yield {"keywords": {**keywords, "FXD_SLIT": name}, "source_type": chosen, "slits": FIXED}
    for keywords, chosen in product(some, CHOSEN):
        yield {"keywords": keywords | {"EXP_TYPE": "NRS_MSASPEC"}, "source_type": chosen,
               "slits": MULTI}  # fmt: skip
        for kind in ("NIS_WFSS", "NRC_WFSS", "MIR_WFSS", "NRC_GRISM", "NRS_BRIGHTOBJ"):
            if "TSOVISIT" not in keywords:
                yield {"keywords": keywords | {"EXP_TYPE": kind}, "source_type": chosen,
                       "slits": FOUND}  # fmt: skip
    for kind, target in product(WHOLE, ("FIXED", "MOVING")):
        yield {"keywords": {"EXP_TYPE": kind, "TARGTYPE": target}}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Cases and what the official step says to each."""
    python = os.environ.get("CALWEBB_PEER_PYTHON")
    if not python:
        pytest.skip("CALWEBB_PEER_PYTHON is not set")
    folder = tmp_path_factory.mktemp("srctype")
    asked, answered = folder / "cases.json", folder / "answers.json"
    found = list(cases())
    asked.write_text(json.dumps(found))
    script = Path(__file__).with_name("peer_srctype.py")
    subprocess.run([python, str(script), str(asked), str(answered)], cwd=folder, check=True)
    return found, json.loads(answered.read_text())


def ours(case, make_image, make_slit, make_slits):
    keywords = dict(case["keywords"])
    kind = keywords.pop("EXP_TYPE")
    parameters = SrctypeParameters(source_type=case.get("source_type"))
    if "slits" not in case:
        model = make_image(kind, **keywords)
        return run(model, None, parameters)[0].metadata["SRCTYPE"]
    model = make_slits(kind, [make_slit(**values) for values in case["slits"]], **keywords)
    return [slit.metadata["SRCTYPE"] for slit in run(model, None, parameters)[0].slits]


def test_every_combination_has_the_type_of_the_official_step(
    both, make_image, make_slit, make_slits, caplog
):
    caplog.set_level("ERROR")
    different, broken = [], []
    for case, theirs in zip(*both, strict=True):
        found = ours(case, make_image, make_slit, make_slits)
        if theirs == "UnboundLocalError":
            broken.append(case)
        elif found != theirs:
            different.append((case, found, theirs))
    assert not different, f"{len(different)} of {len(both[0])}: {different[:3]}"
    assert len(both[0]) > 5000
    # an option that its step accepts and then forgets
    assert {case["keywords"]["EXP_TYPE"] for case in broken} == {"NIS_SOSS"}
    assert all(case["source_type"] for case in broken)
