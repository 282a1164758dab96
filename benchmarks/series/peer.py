"""Run official pipelines on a time series: ``python peer.py OUTPUT_DIR CHOSEN.json``.

Run by the Python of the official package's environment. CHOSEN.json names, in order, what each
run takes: pipeline (spec2 or tso3), input, and the file of the reference files that
calwebb-references chose; all runs share one process, so that its imports count once.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "measuring"))

from official import overrides

EXTRACTION = ("extract1d", "apcorr", "pastasoss", "specprofile", "speckernel", "psf")
STEPS = {
    "spec2": {
        "assign_wcs": (
            "distortion", "filteroffset", "specwcs", "regions", "wavelengthrange", "camera",
            "collimator", "disperser", "fore", "fpa", "msa", "ote", "ifupost", "ifufore",
            "ifuslicer", "chromcorr",
        ),
        "bkg_subtract": ("bkg", "wavelengthrange"),
        "extract_2d": ("wavelengthrange",),
        "wavecorr": ("wavecorr",),
        "flat_field": ("flat", "fflat", "sflat", "dflat"),
        "pathloss": ("pathloss",),
        "photom": ("photom", "area"),
        "extract_1d": EXTRACTION,
        # of other modes, but looked for before the run
        "barshadow": ("barshadow",),
        "cube_build": ("cubepar",),
        "fringe": ("fringe",),
        "msa_flagging": ("msaoper",),
        "residual_fringe": ("fringefreq", "regions"),
        "straylight": ("mrsxartcorr", "regions"),
        "wfss_contam": ("photom", "wavelengthrange"),
    },
    "tso3": {
        "extract_1d": EXTRACTION,
        "photom": ("photom", "area"),
        "tso_photometry": ("gain",),
        "white_light": ("wavelengthrange",),
    },
}  # fmt: skip


def main(output_dir: str, chosen: str) -> None:
    """Run the pipelines and leave their products in the output folder."""
    from jwst.pipeline import Spec2Pipeline, Tso3Pipeline

    pipelines = {"spec2": Spec2Pipeline, "tso3": Tso3Pipeline}
    for name, source, references in json.loads(Path(chosen).read_text()):
        steps = overrides(STEPS[name], Path(references))
        place = Path(output_dir) / Path(source).name
        if place.suffix == ".json":  # its members are in the output folder
            place.write_bytes(Path(source).read_bytes())
            source = str(place)
        pipelines[name].call(source, steps=steps, output_dir=output_dir, save_results=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
