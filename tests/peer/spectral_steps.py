"""Run official steps on products of ours, each alone.

Run by the Python of the official package's environment, never imported by ours:
``python spectral_steps.py JOBS.json``. A job names the step, its input, its product and the
reference files by type; types that are not named are not used.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

from jwst.extract_1d import Extract1dStep
from jwst.pathloss import PathLossStep
from jwst.photom import PhotomStep
from jwst.resample import ResampleSpecStep
from jwst.white_light import WhiteLightStep
from stdatamodels.jwst import datamodels

STEPS = {
    "pathloss": PathLossStep,
    "photom": PhotomStep,
    "resample_spec": ResampleSpecStep,
    "extract_1d": Extract1dStep,
    "white_light": WhiteLightStep,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    for job in json.loads(Path(sys.argv[1]).read_text()):
        step = STEPS[job["step"]]
        files = {
            f"override_{kind}": job["references"].get(kind, "N/A")
            for kind in step.reference_file_types
        }
        with datamodels.open(job["input"]) as given:
            result = step.call(given, **files)
        if job["step"] == "white_light":
            result.write(job["output"], format="ascii.ecsv", overwrite=True)
        else:
            result.save(job["output"])
