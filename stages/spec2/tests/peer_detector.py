"""Run by the official package's Python: its background and flat_field, each on one exposure.

python peer_detector.py ASSOCIATION EXPOSURE FLAT RESULT.npz
"""

import logging
import sys
import warnings

import numpy as np
from jwst.background import BackgroundStep
from jwst.flatfield import FlatFieldStep

NAMES = ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat")


def without_references(step):
    """Return options with which a step uses no reference file."""
    return {f"override_{kind}": "N/A" for kind in step.reference_file_types}


def main():
    """Write the arrays after each step."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    association, exposure, flat, target = sys.argv[1:]
    subtracted = BackgroundStep.call(association, **without_references(BackgroundStep))
    options = without_references(FlatFieldStep) | {"override_flat": flat}
    divided = FlatFieldStep.call(exposure, **options)
    found = {f"flat_{name}": np.array(getattr(divided, name)) for name in NAMES}
    found |= {f"background_{name}": np.array(getattr(subtracted, name)) for name in ("data", "dq")}
    np.savez(target, **found)


main()
