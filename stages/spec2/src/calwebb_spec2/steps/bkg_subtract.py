"""bkg_subtract: subtract the average of background exposures: nods, or dedicated ones.

The background members of the association (of a nodded exposure, those of the other positions) are
averaged: over the integrations of each file, then over the files, both times without values that
are too far from the median of their pixel (`calwebb_core.science.background_exposures`). The
variances of the average are added to VAR_POISSON, VAR_RNOISE and ERR, its flags to DQ. Runs where
the association has background members; they have to be taken as the exposure was. The background of
slitless exposures, which comes from a reference file, is not there yet.
"""

from dataclasses import dataclass

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.framework.target_images import TargetImage, number_of_members

NO_BACKGROUND = "there is no association with background exposures"
# Exposures whose background is a reference file, scaled.
BY_REFERENCE = ("NIS_WFSS", "NRC_GRISM", "NRC_WFSS", "NIS_SOSS", "MIR_WFSS")


@dataclass(frozen=True)
class BkgSubtractParameters:
    """Options of bkg_subtract."""

    sigma: float = option(
        3.0, "Leave out values this far from the median, in standard deviations.", minimum=0.1
    )
    maxiters: int | None = option(
        None, "Most rounds of clipping; until nothing changes by default.", minimum=0
    )


def not_needed(metadata: Metadata) -> str | None:
    """Say that an exposure has no background exposures and needs some."""
    if metadata.get("EXP_TYPE") in BY_REFERENCE or number_of_members(metadata, "background"):
        return None
    return NO_BACKGROUND


def run(image: Image, _: References, parameters: BkgSubtractParameters) -> tuple[Image, Status]:
    """Subtract the average background from an exposure, in place.

    Raises
    ------
    InputError
        If a background exposure was not taken as the exposure was.
    """
    from calwebb_core.science.background_exposures import check_background, subtract_backgrounds

    if not isinstance(image, TargetImage) or not image.backgrounds:
        return image, skipped(NO_BACKGROUND)
    for background in image.backgrounds:
        check_background(image.metadata, background.keywords)
    subtract_backgrounds(
        image, image.backgrounds, sigma=parameters.sigma, maxiters=parameters.maxiters
    )
    return image, COMPLETE


STEP = Step(
    name="bkg_subtract",
    keyword="S_BKDSUB",
    meaning="Subtract the background.",
    parameters=BkgSubtractParameters,
    run=run,
    not_needed=not_needed,
)
