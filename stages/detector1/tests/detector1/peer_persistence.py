"""Run the official package's persistence step on arrays; see peer_steps.py for the protocol."""

import sys
from pathlib import Path

import asdf
import numpy as np
from jwst.persistence import PersistenceStep
from stdatamodels.jwst import datamodels

FILES = ("persistence_array_file", "save_persistence")


def ramp_model(arrays):
    model = datamodels.RampModel()
    model.data, model.groupdq = arrays["data"].copy(), arrays["groupdq"].copy()
    model.pixeldq = np.zeros(model.data.shape[2:], np.uint32)
    exposure = model.meta.exposure
    exposure.nints, exposure.ngroups = model.data.shape[:2]
    exposure.group_time = float(arrays["tgroup"])
    exposure.integration_time = float(arrays["integration_time"])
    exposure.start_time = float(arrays["start"])
    model.meta.instrument.name, model.meta.instrument.detector = "NIRCAM", "NRCALONG"
    return model


def persistence(arrays):
    options = {
        name.removeprefix("option_"): value.item()
        for name, value in arrays.items()
        if name.startswith("option_")
    }
    step = PersistenceStep(**options, skip=False)
    result = step.run(ramp_model(arrays))
    found = {"groupdq": result.groupdq, "status": np.array(result.meta.cal_step.persistence)}
    if "save_persistence" in options:
        with asdf.open(Path(options["save_persistence"])) as file:
            entry = file["NRCALONG"]
            found |= {name: np.array(entry[name]) for name in ("rows", "cols", "vals")}
    return found


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        step, source, target = line.split()
        with np.load(source) as file:
            given = dict(file)
        np.savez(target, **globals()[step](given))
        print("done", file=answers, flush=True)
