"""clean_flicker_noise: subtract flicker (1/f) noise of the readout from count rates.

For NIRSpec, whose detectors show much sky beside the spectra. What is more than `n_sigma` above the
background is masked in the rates (with `single_mask`, in all integrations what is masked in one),
on request also the light of the slits. Of each integration the background's level, or a map of it,
is subtracted; the noise is what the background pixels still show:

* `median`: the median of each line along the fast axis, on request of each output apart (Willott's
  image1overf);
* `fft`: a few slow waves fitted to them (NSClean, Rauscher 2024 PASP 136 015001).

See `calwebb_core.science.flicker_noise`. Errors and flags stay. Off by default; better done on the
ramps, in calwebb_detector1. Background members of an association are not cleaned; a warning says
so.
"""

import logging
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.framework.target_images import TargetImage

logger = logging.getLogger(__name__)
Mask = NDArray[np.bool_]
SLOW: Final = "ALLSLITS"  # the subarray whose waves are slower than those of others


@dataclass(frozen=True)
class CleanFlickerNoiseParameters:
    """Options of clean_flicker_noise."""

    fit_method: str = option("median", "How noise is found.", choices=("median", "fft"))
    fit_by_channel: bool = option(False, "Treat the outputs of a full frame apart (median).")
    background_method: str | None = option(
        "median", "What is subtracted before the fit.", choices=("median", "model")
    )
    background_box_size: tuple[int, int] | None = option(
        None, "Rows and columns of a box of the model; none: up to 32.", minimum=1, unit="pixel"
    )
    mask_science_regions: bool = option(False, "Leave out the pixels that the slits light.")
    n_sigma: float = option(2.0, "Sources are above it; 0: none.", minimum=0, unit="sigma")
    fit_histogram: bool = option(
        False, "Take the background's width from a Gaussian fitted to a histogram."
    )
    single_mask: bool = option(True, "One mask for all integrations.")
    user_mask: str | None = option(None, "Image of the pixels to use: 0 no, 1 yes.", file=True)


def options_of(metadata: Metadata, shape: tuple[int, ...], chosen: Any) -> Any:
    """Return what is fitted to an exposure.

    Raises
    ------
    InputError
        If FASTAXIS and SLOWAXIS are missing or no axes.
    """
    from calwebb_core.science.flicker_noise import FULL_SIZE, FlickerOptions, Readout
    from calwebb_core.science.fourier_noise import FAST_BAND, SLOW_BAND

    fast, slow = (metadata.require(key, int) for key in ("FASTAXIS", "SLOWAXIS"))
    if sorted((abs(fast), abs(slow))) != [1, 2]:
        msg = f"{metadata.source}: FASTAXIS, SLOWAXIS are {fast}, {slow}; expected +-1 and +-2"
        raise InputError(msg)
    full = shape[-2:] == (FULL_SIZE, FULL_SIZE)
    if chosen.fit_by_channel and not full:
        logger.warning("fit_by_channel is for full frames; all is fitted as one")
    return FlickerOptions(
        method=chosen.fit_method,
        readout=Readout(fast, slow),
        by_channel=chosen.fit_by_channel and full,
        background=chosen.background_method,
        box=chosen.background_box_size,
        n_sigma=chosen.n_sigma,
        band=SLOW_BAND if metadata.get("SUBARRAY") == SLOW else FAST_BAND,
    )


def lit_by_slits(image: Image) -> Mask:
    """Return the pixels (ny, nx) that the slits light, and those of shutters stuck open.

    Raises
    ------
    InputError
        If the exposure has no WCS of slits.
    """
    from calwebb_core.science.nirspec.cutting import moved, slit_wavelengths, window
    from calwebb_core.science.nirspec.slit_worlds import chosen
    from calwebb_core.science.scene_mask import flagged_regions

    shape = image.data.shape[-2:]
    flags = np.zeros(shape, np.uint32) if image.dq is None else image.dq
    if flags.ndim > 2:
        flags = np.bitwise_or.reduce(flags, axis=0)
    lit = flagged_regions(str(image.metadata["EXP_TYPE"]), flags, full_frame=False)
    for _, world in chosen(image):
        if world.bounding_box is None:
            continue
        rows, cols = window(world.bounding_box, shape)
        size = (rows.stop - rows.start, cols.stop - cols.start)
        lit[rows, cols] |= np.isfinite(slit_wavelengths(moved(world, rows, cols), size))
    return lit


def mask_of(image: Image, references: References, chosen: CleanFlickerNoiseParameters) -> Mask:
    """Return which pixels are background, (nints, ny, nx).

    Raises
    ------
    InputError
        If the user's mask does not fit.
    """
    from calwebb_core.science.flat import as_cube
    from calwebb_core.science.scene_mask import scene_mask

    cube = as_cube(image.data)
    if chosen.user_mask is not None:
        arrays = references.open_file("user_mask", chosen.user_mask).arrays
        given = arrays.get("SCI", next(iter(arrays.values()), np.empty(0)))
        if given.shape not in (cube.shape, cube.shape[1:]):
            msg = (
                f"{chosen.user_mask}: the user_mask has shape {given.shape}; expected "
                f"{cube.shape[1:]} or {cube.shape} for {image.metadata.source}"
            )
            raise InputError(msg)
        return np.broadcast_to(np.nan_to_num(given) != 0, cube.shape)
    lit = lit_by_slits(image) if chosen.mask_science_regions else None
    mask = scene_mask(cube, lit, n_sigma=chosen.n_sigma, fit_histogram=chosen.fit_histogram)
    return np.broadcast_to(mask.all(axis=0), mask.shape) if chosen.single_mask else mask


def run(
    image: Image, references: References, parameters: CleanFlickerNoiseParameters
) -> tuple[Image, Status]:
    """Clean the count rates of an exposure, in place.

    Raises
    ------
    InputError
        If the user's mask does not fit, or keywords are missing.
    """
    from calwebb_core.framework.threads import in_threads
    from calwebb_core.science.flat import as_cube
    from calwebb_core.science.flicker_noise import flicker_noise

    options = options_of(image.metadata, image.data.shape, parameters)
    mask = mask_of(image, references, parameters)
    if not mask.any():
        return image, skipped("no pixel shows nothing but background")
    if isinstance(image, TargetImage) and image.backgrounds:
        logger.warning(
            "%s: the %d background exposures are subtracted as they are: clean their ramps instead",
            image.metadata.source,
            len(image.backgrounds),
        )
    logger.info("%.1f %% of the pixels are background", 100 * mask.mean())
    cube = as_cube(image.data)

    def clean(number: int) -> int:
        found = flicker_noise(cube[number], np.ascontiguousarray(mask[number]), options)
        if found is None:
            return 1
        cube[number] -= found.noise
        return 0

    if left := sum(in_threads(clean, range(len(cube)))):
        logger.warning("%s: %d images without background stay as they are",
                       image.metadata.source, left)  # fmt: skip
    return image, COMPLETE


STEP = Step(
    name="clean_flicker_noise",
    keyword="S_CLNFNS",
    meaning="Subtract flicker (1/f) noise of the readout, found in the background.",
    parameters=CleanFlickerNoiseParameters,
    run=run,
    skip=True,
)
