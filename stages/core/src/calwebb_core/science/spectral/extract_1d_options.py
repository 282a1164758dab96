"""Options of extract_1d, for the stages that have such a step."""

from dataclasses import dataclass
from typing import Final

from calwebb_core.framework.parameters import option

FILL: Final = "profile"
DROP: Final = "drop"
BOX: Final = "box"
OPTIMAL: Final = "optimal"
POLY: Final = "poly"
READING: Final = "reading"
UNIFORM: Final = "uniform"
WHOLE: Final = "psf"
ARRAY: Final = "array"
TYPES: Final = ("extract1d", "apcorr", "psf")


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
    extraction_type: str = option(
        BOX,
        "Sum up an aperture, or fit the profile of a star from a PSF reference.",
        choices=(BOX, OPTIMAL),
    )
    use_source_posn: bool | None = option(
        None, "Move the aperture to the source; by default for points in slits."
    )
    position_offset: float = option(0.0, "Move the aperture across the dispersion.", unit="pixel")
    model_nod_pair: bool = option(
        True, "optimal: fit the negative trace of the other nod, too, where it was subtracted."
    )
    optimize_psf_location: bool = option(
        True, "optimal: look for the place of the profile with the least residuals."
    )
    pixel_weights: str = option(
        READING,
        "optimal: weigh pixels by the inverse variance of reading, or all the same as the "
        "official step does. Ours.",
        choices=(READING, UNIFORM),
    )
    profile_sum: str = option(
        WHOLE,
        "optimal: what the profile is divided by: all light of the PSF, or that on the array as "
        "the official step does. Ours.",
        choices=(WHOLE, ARRAY),
    )
    smoothing_length: int | None = option(
        None, "Average the background along the dispersion over so many pixels (odd).", minimum=0
    )
    bkg_fit: str | None = option(
        None, "How the background is found.", choices=(POLY, "mean", "median")
    )
    bkg_order: int | None = option(None, "Order of the background's polynomial.", minimum=0)
    lost_pixels: str = option(
        FILL,
        "Pixels without value in the aperture: estimate their light from the spatial profile, or "
        "drop them as the official step does. Ours.",
        choices=(FILL, DROP),
    )

    save_profile: bool = option(
        False,
        "Also write the part of each pixel in the aperture, or the fitted profile (_profile).",
    )
    save_scene_model: bool = option(
        False, "Also write the light that the spectrum stands for in each pixel (_scene_model)."
    )
    save_residual_image: bool = option(
        False, "Also write what that model leaves of the exposure (_residual)."
    )

    @property
    def images(self) -> bool:
        """Whether anything is wanted beside the spectrum."""
        return self.save_profile or self.save_scene_model or self.save_residual_image

    @property
    def scene(self) -> bool:
        """Whether a model of the pixels is wanted."""
        return self.save_scene_model or self.save_residual_image

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


def types_of(parameters: Extract1dParameters) -> tuple[str, ...]:
    """Return the reference types that an extraction uses; a fitted profile needs no correction."""
    if parameters.extraction_type == OPTIMAL:
        return ("extract1d", "psf")
    return ("extract1d", "apcorr") if parameters.apply_apcorr else ("extract1d",)
