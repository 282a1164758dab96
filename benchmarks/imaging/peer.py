"""Run an official imaging pipeline with given reference files.

Run by the Python of the official package's environment:
``python peer.py image2|image3 INPUT REFS.json DIR``; INPUT is a `_rate` or an association, the
reference files are those that calwebb-references chose.
"""

import json
import os
import sys
from pathlib import Path

os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
os.environ["CRDS_SERVER_URL"] = "https://jwst-serverless-mode.stsci.edu"
os.environ["CRDS_READONLY_CACHE"] = "1"
os.environ["CRDS_OBSERVATORY"] = "jwst"

STEPS = {
    "image2": {
        "assign_wcs": (
            "distortion", "filteroffset", "specwcs", "regions", "wavelengthrange", "camera",
            "collimator", "disperser", "fore", "fpa", "msa", "ote", "ifupost", "ifufore",
            "ifuslicer",
        ),
        "flat_field": ("flat", "fflat", "sflat", "dflat"),
        "photom": ("photom", "area"),
    },
    "image3": {"source_catalog": ("apcorr", "abvegaoffset")},
}  # fmt: skip


def overrides(name: str, references: Path) -> dict[str, dict[str, str]]:
    """Return the override of every reference type of a pipeline's steps."""
    entries = json.loads(references.read_text())["references"]
    files = {
        kind: entry if entry == "N/A" else str((references.parent / entry["path"]).resolve())
        for kind, entry in entries.items()
    }
    return {
        step: {f"override_{kind}": files.get(kind, "N/A") for kind in kinds}
        for step, kinds in STEPS[name].items()
    }


def main(name: str, source: str, references: str, output_dir: str) -> None:
    """Run the pipeline and leave its products in the output folder."""
    from jwst.pipeline import Image2Pipeline, Image3Pipeline

    pipeline = {"image2": Image2Pipeline, "image3": Image3Pipeline}[name]
    steps = overrides(name, Path(references))
    pipeline.call(source, steps=steps, output_dir=output_dir, save_results=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
