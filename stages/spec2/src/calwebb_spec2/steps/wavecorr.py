"""wavecorr: the wavelengths of a star that is not in the middle of its slit.

NIRSpec. The light of a star beside the slit's middle line falls beside its wavelengths: the
wavecorr reference says by how many pixels (see `calwebb_core.science.nirspec.zero_point`).
Corrected are the WAVELENGTH array and the WCS, which gets a frame of its own, of slits whose source
is a point (SRCTYPE); of fixed slits only the one that was pointed at the target. Sets WAVECOR of
the slit. Is skipped where there is no such slit, or the reference is N/A.
"""

import logging
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_spec2.parts import keywords_of, parts

logger = logging.getLogger(__name__)


def is_wanted(keywords: Metadata) -> bool:
    """Say whether the wavelengths of a slit are those of a star that was pointed at."""
    if keywords.get("SRCTYPE") != "POINT":
        return False
    aimed = keywords.get("FXD_SLIT")
    return keywords.get("EXP_TYPE") != "NRS_FIXEDSLIT" or keywords.get("SLTNAME") == aimed


def correct_slit(slit: Slit, reference: Reference) -> bool:
    """Correct a slit in place; say whether the reference has it."""
    from calwebb_core.science.nirspec.zero_point import correct, zero_point

    name = slit.metadata.require("SLTNAME", str)
    table = zero_point(reference, name)
    if table is None:
        logger.warning(
            "%s: %s has no slit %s; its wavelengths stay those of the slit's middle",
            slit.metadata.source,
            reference.name,
            name,
        )
        return False
    correct(slit, table, slit.metadata.require("SRCXPOS", float))
    return True


def run(model: Image | Slits, references: References, _: NoParameters) -> tuple[Any, Status]:
    """Correct the wavelengths of slits, in place.

    Raises
    ------
    InputError
        If the spectra are not cut out yet, or a star is outside of its slit.
    ReferenceFileError
        If the reference has no tables.
    """
    source = model.metadata.source
    if not isinstance(model, Slit | Slits):
        msg = f"{source}: its spectra are not cut out; wavecorr comes after extract_2d"
        raise InputError(msg)
    stars = [
        part
        for part in parts(model)
        if isinstance(part, Slit) and is_wanted(keywords_of(model, part))
    ]
    if not stars:
        return model, skipped("no slit has a point source that was pointed at")
    reference = references.load("wavecorr", model.metadata, cutout=False)
    if reference is None:
        return model, skipped("the wavecorr reference is N/A")
    for part in parts(model):
        part.metadata["WAVECOR"] = False
        part.metadata.homes["WAVECOR"] = "SCI"
    done = [correct_slit(slit, reference) for slit in stars]
    if not any(done):
        return model, skipped(f"{reference.name} has none of the slits")
    return model, COMPLETE


STEP = Step(
    name="wavecorr",
    keyword="S_WAVCOR",
    meaning="Correct wavelengths for sources beside the slit's centre.",
    parameters=NoParameters,
    run=run,
    references=("wavecorr",),
)
