"""Run by the official package's Python: spectra that its step extracts.

    python peer_extract_1d.py CASES.json

A case names an exposure, the file of apertures, that of aperture corrections, the product, and
perhaps a folder for images of the extraction.
"""

import json
import logging
import sys
from pathlib import Path

from jwst.extract_1d import Extract1dStep

OTHERS = ("specprofile", "speckernel", "pastasoss")

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    for case in json.loads(Path(sys.argv[1]).read_text()):
        overrides = {f"override_{kind}": "N/A" for kind in OTHERS}
        overrides |= {f"override_{kind}": case[kind] for kind in ("extract1d", "apcorr")}
        overrides["override_psf"] = case.get("psf", "N/A")
        folder = case.get("images", str(Path(case["output"]).parent))
        spectra = Extract1dStep.call(
            case["input"], output_dir=folder, **overrides, **case["options"]
        )  # fmt: skip
        spectra.save(case["output"])
