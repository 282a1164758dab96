"""Run an official imaging pipeline with given reference files.

Run by the Python of the official package's environment:
``python peer.py image2|image3 INPUT REFS.json DIR``; INPUT is a `_rate` or an association, the
reference files are those that calwebb-references chose.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "measuring"))

from official import overrides

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


def main(name: str, source: str, references: str, output_dir: str) -> None:
    """Run the pipeline and leave its products in the output folder."""
    from jwst.pipeline import Image2Pipeline, Image3Pipeline

    pipeline = {"image2": Image2Pipeline, "image3": Image3Pipeline}[name]
    steps = overrides(STEPS[name], Path(references))
    pipeline.call(source, steps=steps, output_dir=output_dir, save_results=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
