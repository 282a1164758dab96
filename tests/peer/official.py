"""Run the official stage 1 and 2 on one exposure with given reference files.

Run by the Python of the official package's environment, never imported by ours:
``python official.py UNCAL DETECTOR1.json IMAGE2.json OUTPUT_DIR``, where the two JSON files
are what calwebb-references wrote. Steps that ours does not have yet are skipped.
"""

import json
import os
import sys
from pathlib import Path

os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
os.environ["CRDS_SERVER_URL"] = "https://jwst-serverless-mode.stsci.edu"
os.environ["CRDS_READONLY_CACHE"] = "1"
os.environ["CRDS_OBSERVATORY"] = "jwst"

DETECTOR1 = {
    "dq_init": ("mask",),
    "saturation": ("saturation", "superbias"),
    "superbias": ("superbias",),
    "refpix": ("refpix", "sirskernel"),
    "linearity": ("linearity",),
    "dark_current": ("dark",),
    "jump": ("gain", "readnoise"),
    "ramp_fit": ("gain", "readnoise"),
    "gain_scale": ("gain",),
}
IMAGE2 = {
    "assign_wcs": (
        "distortion", "filteroffset", "specwcs", "regions", "wavelengthrange", "camera",
        "collimator", "disperser", "fore", "fpa", "msa", "ote", "ifupost", "ifufore", "ifuslicer",
        "chromcorr",
    ),
    "flat_field": ("flat", "fflat", "sflat", "dflat"),
    "photom": ("photom", "area"),
}  # fmt: skip
SKIPPED = {
    "detector1": ("ipc", "charge_migration", "picture_frame", "clean_flicker_noise", "persistence"),
    "image2": ("bkg_subtract",),
}


def paths(references_json):
    """Return the path, or "N/A", by reference type."""
    path = Path(references_json)
    entries = json.loads(path.read_text())["references"]
    return {
        kind: entry if entry == "N/A" else str((path.parent / entry["path"]).resolve())
        for kind, entry in entries.items()
    }


def overrides(table, references_json, skipped):
    """Return the steps argument of a pipeline's call."""
    files = paths(references_json)
    steps = {
        step: {f"override_{kind}": files.get(kind, "N/A") for kind in kinds}
        for step, kinds in table.items()
    }
    return {**steps, **{step: {"skip": True} for step in skipped}}


def main(uncal, detector1_json, image2_json, output_dir):
    """Run both pipelines and leave their products in the output folder."""
    from jwst.pipeline import Detector1Pipeline, Image2Pipeline

    Detector1Pipeline.call(
        uncal,
        steps=overrides(DETECTOR1, detector1_json, SKIPPED["detector1"]),
        output_dir=output_dir,
        save_results=True,
    )
    rate = Path(output_dir) / Path(uncal).name.replace("_uncal", "_rate")
    Image2Pipeline.call(
        str(rate),
        steps=overrides(IMAGE2, image2_json, SKIPPED["image2"]),
        output_dir=output_dir,
        save_results=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
