"""The steps of calwebb_spec2 that do not exist yet.

A line goes when the step's module comes: `calwebb_spec2.pipeline` then lists its `STEP` instead.
What exists, but not for every mode, is in `Mode.not_yet` of `calwebb_spec2.modes`.
"""

from typing import Final

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.step import Step, always_applies, missing_step
from calwebb_core.framework.target_images import number_of_members

NO_IMPRINT: Final = "there is no association with an imprint exposure"


def no_imprint(metadata: Metadata) -> str | None:
    """Say that an exposure has no imprint exposure."""
    return None if number_of_members(metadata, "imprint") else NO_IMPRINT


# name, keyword, meaning, and whether it is off by default
_ROWS: Final = (
    ("badpix_selfcal", "S_BPXSLF", "Find bad pixels in the exposures themselves.", True),
    ("msa_flagging", "S_MSAFLG", "Flag the light of shutters that are stuck open.", False),
    ("imprint_subtract", "S_IMPRNT", "Subtract exposures with all shutters closed.", False),
    ("master_background_mos", "S_MSBSUB", "Subtract the spectrum of background slits.", False),
    ("straylight", "S_STRAY", "Subtract light scattered between the slices.", False),
    ("fringe", "S_FRINGE", "Divide by the fringes of the detector.", False),
    ("barshadow", "S_BARSHA", "Correct for the shadows of the bars between shutters.", False),
    ("wfss_contam", "S_CONTAM", "Subtract the spectra of neighbours.", True),
    ("residual_fringe", "S_RESFRI", "Remove what is left of the fringes.", True),
    ("adaptive_trace_model", "S_TRCMOD", "Model the spectral trace on a finer grid.", True),
    ("cube_build", "S_IFUCUB", "Build cubes of two positions and wavelength.", False),
)
_CONDITIONS: Final = {"imprint_subtract": no_imprint}
MISSING: Final[tuple[Step, ...]] = tuple(
    missing_step(name, keyword, meaning, not_needed=_CONDITIONS.get(name, always_applies), skip=off)
    for name, keyword, meaning, off in _ROWS
)
