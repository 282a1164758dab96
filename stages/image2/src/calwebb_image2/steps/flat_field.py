"""flat_field: divide by the flat field.

``S' = S / F`` with VAR_POISSON and VAR_RNOISE divided by ``F^2`` and
``VAR_FLAT = S'^2 (sigma_F / F)^2`` (see `calwebb_core.science.flat`). Pixels whose flat is NaN,
zero or NO_FLAT_FIELD get DO_NOT_USE | NO_FLAT_FIELD; a warning says how many were usable until
then. Pixels flagged DO_NOT_USE become NaN. Does not run where the reference is N/A.
"""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_image2.bands import Band
from calwebb_image2.target import TargetFile

if TYPE_CHECKING:
    from calwebb_core.science.flat import Flat

logger = logging.getLogger(__name__)
NO_FLAT = "the flat reference is N/A"


@dataclass(frozen=True)
class FlatFieldParameters:
    """Options of flat_field."""

    inverse: bool = option(False, "Multiply by the flat field instead.")


@dataclass
class Division:
    """Divides bands of an exposure by a flat."""

    source: str
    flat: "Flat"
    inverse: bool
    counts: list[tuple[int, int]] = field(default_factory=list)
    status: Status = COMPLETE

    def apply(self, band: Band) -> None:
        """Change all arrays."""
        from calwebb_core.science.flat import divide_rows

        counts = divide_rows(band.cubes(), 0, self.flat, band.rows, inverse=self.inverse)
        self.counts.append(counts)

    def finish(self) -> None:
        """Say how many pixels are lost."""
        from calwebb_core.science.flat import count_losses

        warn(self.source, self.flat.name, count_losses(self.flat, self.counts))


def warn(source: str, flat: str, lost: int) -> None:
    """Say how many pixels there is no flat value for."""
    if lost:
        logger.warning(
            "%s: %d pixels have no flat value in %s and are flagged DO_NOT_USE, NO_FLAT_FIELD",
            source,
            lost,
            flat,
        )


def prepare(
    target: TargetFile, references: References, parameters: FlatFieldParameters
) -> Division | Status:
    """Return what to do with each band; see `run`."""
    from calwebb_core.science.flat import check_flat, flat_of

    reference = references.load("flat", target.metadata)
    if reference is None:
        return skipped(NO_FLAT)
    flat = flat_of(reference)
    check_flat(flat, target.file.shape)
    target.made |= {"VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"}
    return Division(target.metadata.source, flat, parameters.inverse)


def run(
    image: Image, references: References, parameters: FlatFieldParameters
) -> tuple[Image, Status]:
    """Divide an image or cube by its flat, in place.

    Raises
    ------
    ReferenceFileError
        If the flat is of another shape or no value of it can be divided by.
    """
    from calwebb_core.science.flat import apply_flat, flat_of

    reference = references.load("flat", image.metadata)
    if reference is None:
        return image, skipped(NO_FLAT)
    lost = apply_flat(image, flat_of(reference), inverse=parameters.inverse)
    warn(image.metadata.source, reference.name, lost)
    return image, COMPLETE


STEP = Step(
    name="flat_field",
    keyword="S_FLAT",
    meaning="Divide by the flat field.",
    parameters=FlatFieldParameters,
    run=run,
    references=("flat",),
    prepare=prepare,
)
