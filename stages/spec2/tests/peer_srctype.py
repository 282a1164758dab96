"""Run by the official package's Python: SRCTYPE that its step gives to exposures.

    python peer_srctype.py CASES.json RESULT.json

A case has keywords and, for exposures of slits, what is known of each slit. The result is a list:
SRCTYPE of the exposure, or of each slit, or the name of the Python error that the step ended with.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

from jwst.srctype.srctype import set_source_type
from stdatamodels.jwst import datamodels

PLACES = {
    "EXP_TYPE": "meta.exposure.type",
    "SRCTYAPT": "meta.target.source_type_apt",
    "BKGDTARG": "meta.observation.bkgdtarg",
    "TSOVISIT": "meta.visit.tsovisit",
    "PATTTYPE": "meta.dither.primary_type",
    "DITHOPFR": "meta.dither.optimized_for",
    "FXD_SLIT": "meta.instrument.fixed_slit",
    "TARGTYPE": "meta.target.type",
}
SLIT_PLACES = {"SLTNAME": "name", "STLARITY": "stellarity", "extended": "is_extended"}


def put(model, place, value):
    """Set a value and make sure that the data model took it."""
    *parents, leaf = place.split(".")
    for name in parents:
        model = getattr(model, name)
    setattr(model, leaf, value)
    if getattr(model, leaf) != value:
        raise SystemExit(f"{place} cannot be {value!r}")


MODELS = {}  # one for each set of slits: making one takes longer than the step


def model_of(slits):
    """Return a data model with what is known of each slit, or of an exposure without slits."""
    key = json.dumps(slits)
    if key not in MODELS:
        MODELS[key] = (
            datamodels.ImageModel((3, 3)) if slits is None else datamodels.MultiSlitModel()
        )
        for values in slits or ():
            slit = datamodels.SlitModel((3, 3))
            for keyword, value in values.items():
                put(slit, SLIT_PLACES[keyword], value)
            MODELS[key].slits.append(slit)
    for slit in MODELS[key].slits if slits else ():
        slit.source_type = None
    return MODELS[key]


def answer(case):
    """Return what the official step says to one case."""
    slits = case.get("slits")
    model = model_of(slits)
    model.meta.target.source_type = None
    for keyword, place in PLACES.items():
        put(model, place, case["keywords"].get(keyword))
    try:
        result = set_source_type(model, case.get("source_type"))
    except (UnboundLocalError, AttributeError, TypeError) as error:
        return type(error).__name__
    if slits is None:
        return result.meta.target.source_type
    own = [slit.source_type for slit in result.slits]
    return own if any(own) else [result.meta.target.source_type] * len(own)


def main():
    """Answer all cases."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    cases = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps([answer(case) for case in cases]))


main()
