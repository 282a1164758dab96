"""Run the official package's guider pipeline: INPUT OUT.npz TYPE=FILE..."""

import os
import sys

import numpy as np

os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
os.environ["CRDS_SERVER_URL"] = "https://jwst-serverless-mode.stsci.edu"
os.environ["CRDS_READONLY_CACHE"] = "1"

from jwst.pipeline import GuiderPipeline

source, target, *words = sys.argv[1:]
files = dict(word.split("=", 1) for word in words)
pipeline = GuiderPipeline()
pipeline.dq_init.override_mask = files["mask"]
pipeline.guider_cds.override_gain = files["gain"]
pipeline.guider_cds.override_readnoise = files["readnoise"]
pipeline.flat_field.override_flat = files["flat"]
model = pipeline.run(source)
np.savez(target, sci=model.data, err=model.err, dq=model.dq)
