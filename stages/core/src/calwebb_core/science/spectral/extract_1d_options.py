"""Options of extract_1d, for the stages that have such a step."""

from dataclasses import dataclass
from typing import Final

from calwebb_core.framework.parameters import option

FILL: Final = "profile"
DROP: Final = "drop"


@dataclass(frozen=True)
class Wishes:
    """What the user says instead of the reference; None leaves it to the reference.

    Attributes
    ----------
    subtract_background, use_source_posn : bool or None
    smoothing_length, bkg_order : int or None
    bkg_fit : str or None
    """

    subtract_background: bool | None = None
    use_source_posn: bool | None = None
    smoothing_length: int | None = None
    bkg_fit: str | None = None
    bkg_order: int | None = None


@dataclass(frozen=True)
class Extract1dParameters:
    """Options of extract_1d."""

    subtract_background: bool | None = option(
        None,
        "Subtract the background of the regions in the reference; by default where it has any.",
    )
    apply_apcorr: bool = option(True, "Correct point sources for the light beyond the aperture.")
    use_source_posn: bool | None = option(
        None, "Move the aperture to the source; by default for points in slits."
    )
    position_offset: float = option(0.0, "Move the aperture across the dispersion.", unit="pixel")
    smoothing_length: int | None = option(
        None, "Average the background along the dispersion over so many pixels (odd).", minimum=0
    )
    bkg_fit: str | None = option(
        None, "How the background is found.", choices=("poly", "mean", "median")
    )
    bkg_order: int | None = option(None, "Order of the background's polynomial.", minimum=0)
    lost_pixels: str = option(
        FILL,
        "Pixels without value in the aperture: estimate their light from the spatial profile, or "
        "drop them as the official step does. Ours.",
        choices=(FILL, DROP),
    )

    @property
    def wishes(self) -> Wishes:
        """What counts before the reference."""
        return Wishes(
            self.subtract_background,
            self.use_source_posn,
            self.smoothing_length,
            self.bkg_fit,
            self.bkg_order,
        )
