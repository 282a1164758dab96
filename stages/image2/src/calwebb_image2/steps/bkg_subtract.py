"""bkg_subtract: subtract the average of dedicated background exposures.

The background members of the association are averaged: over the integrations of each file, then
over the files, both times without values that are too far from the median of their pixel (see
`calwebb_core.science.background_exposures`). The variances of the average are added to
VAR_POISSON, VAR_RNOISE and ERR, its flags to DQ. Runs where the association has background
members; they have to be taken as the exposure was.
"""

from dataclasses import dataclass

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.framework.target_images import ImageFile, TargetImage
from calwebb_image2.bands import Band
from calwebb_image2.target import TargetFile, number_of_backgrounds

NO_BACKGROUND = "there is no association with background exposures"


@dataclass(frozen=True)
class BkgSubtractParameters:
    """Options of bkg_subtract."""

    sigma: float = option(
        3.0, "Leave out values this far from the median, in standard deviations.", minimum=0.1
    )
    maxiters: int | None = option(
        None, "Most rounds of clipping; until nothing changes by default.", minimum=0
    )
    save_combined_background: bool = option(
        False, "Write the average of the background exposures, too."
    )


def not_needed(metadata: Metadata) -> str | None:
    """Say that an exposure has no background exposures."""
    return None if number_of_backgrounds(metadata) else NO_BACKGROUND


@dataclass(frozen=True)
class Subtraction:
    """Subtracts the average background from bands of an exposure."""

    backgrounds: tuple[ImageFile, ...]
    parameters: BkgSubtractParameters
    status: Status = COMPLETE

    def apply(self, band: Band) -> None:
        """Change all but VAR_FLAT."""
        from calwebb_core.science.background_exposures import ALWAYS, average, subtract_rows

        most, nx = self.parameters.maxiters, band.data.shape[-1]
        rounds = ALWAYS if most is None else most
        mean = average(self.backgrounds, band.rows, nx, self.parameters.sigma, rounds)
        subtract_rows(band.cubes()[:5], slice(None), mean)

    def finish(self) -> None:
        """Do nothing more."""


def joins(_: Metadata, parameters: BkgSubtractParameters) -> bool:
    """Say whether the average is needed in bands only."""
    return not parameters.save_combined_background


def prepare(
    target: TargetFile, _: References, parameters: BkgSubtractParameters
) -> Subtraction | Status:
    """Return what to do with each band; see `run`."""
    from calwebb_core.science.background_exposures import check_background, check_sizes

    if not target.backgrounds:
        return skipped(NO_BACKGROUND)
    check_sizes(target.metadata, target.file.shape, target.backgrounds)
    for background in target.backgrounds:
        check_background(target.metadata, background.keywords)
    return Subtraction(target.backgrounds, parameters)


def run(image: Image, _: References, parameters: BkgSubtractParameters) -> tuple[Image, Status]:
    """Subtract the average background from an image or cube, in place.

    Raises
    ------
    InputError
        If a background exposure was not taken as the image was.
    """
    from calwebb_core.science.background_exposures import check_background, subtract_backgrounds

    if not isinstance(image, TargetImage) or not image.backgrounds:
        return image, skipped(NO_BACKGROUND)
    for background in image.backgrounds:
        check_background(image.metadata, background.keywords)
    image.combined = subtract_backgrounds(
        image,
        image.backgrounds,
        sigma=parameters.sigma,
        maxiters=parameters.maxiters,
        keep=parameters.save_combined_background,
    )
    return image, COMPLETE


STEP = Step(
    name="bkg_subtract",
    keyword="S_BKDSUB",
    meaning="Subtract dedicated background exposures.",
    parameters=BkgSubtractParameters,
    run=run,
    not_needed=not_needed,
    prepare=prepare,
    joins=joins,
)
