"""Run in the official package's own environment: background, flat and photom of several files.

Arguments: a JSON file with a list of cases (input, references by type, target).
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
from jwst.background import BackgroundStep
from jwst.flatfield import FlatFieldStep
from jwst.photom import PhotomStep
from stdatamodels.jwst import datamodels

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)


def call(step, model, files):
    kinds = step.reference_file_types
    return step.call(model, **{f"override_{kind}": files.get(kind, "N/A") for kind in kinds})


def calibrate(case):
    files = case["references"]
    if case["input"].endswith(".json"):
        options = {f"override_{kind}": "N/A" for kind in BackgroundStep.reference_file_types}
        model = BackgroundStep.call(case["input"], sigma=case["sigma"], **options)
        subtracted = np.array(model.data)
    else:
        model, subtracted = datamodels.open(case["input"]), np.zeros(0)
    model = call(FlatFieldStep, model, files)
    model = call(PhotomStep, model, files)
    photometry = model.meta.photometry
    np.savez(
        case["target"], subtracted=subtracted, data=model.data, err=model.err, dq=model.dq,
        var_flat=model.var_flat, var_poisson=model.var_poisson, var_rnoise=model.var_rnoise,
        area=model.area if model.hasattr("area") else np.zeros(0),
        PHOTMJSR=photometry.conversion_megajanskys, PHOTUJA2=photometry.conversion_microjanskys,
        PIXAR_SR=photometry.pixelarea_steradians, PIXAR_A2=photometry.pixelarea_arcsecsq,
        status=str(model.meta.cal_step.photom),
    )  # fmt: skip


for entry in json.loads(Path(sys.argv[1]).read_text()):
    calibrate(entry)
