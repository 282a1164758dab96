"""World coordinates of NIRSpec's images: target acquisition and whatever is taken with the mirror.

The light goes telescope (OTE) -> filter wheel (OTEIP) -> fore optics -> MSA -> collimator ->
grating wheel (GWA), here with the mirror -> camera -> detectors (SCA). The parametric model of
Dorner et al. 2016 (A&A 592, A113) describes each part by a polynomial between affine transforms;
the WCS follows them from the detector to the sky. The fore optics distort by wavelength: the
middle of the filter's range is taken. The MSA is crossed in its own plane: no shutter's position
is asked for, so that no msa reference is needed.

The frames are the official ones: ``detector``, ``sca`` (the detector as the model has it),
``gwa`` (direction cosines at the mirror), ``msa`` (metres), ``oteip``, ``v2v3``, ``v2v3vacorr``,
``world``.
"""

import logging

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.nirspec.optics import (
    FULL_RANGE,
    Light,
    Optics,
    detector_to_sca,
    model,
    sca_to_gwa,
    wheel_rotation,
)
from calwebb_core.science.transforms import Transform
from calwebb_core.science.transforms.cosines import FromCosines, ToCosines
from calwebb_core.science.transforms.elementary import Constant, Identity, Remap, Scale
from calwebb_core.science.wcs import sky_frames, v23_to_sky, velocity_aberration
from calwebb_core.science.world import Box, Frame, World

logger = logging.getLogger(__name__)

TYPES = ("camera", "collimator", "disperser", "fore", "fpa", "ote", "wavelengthrange")


def mirror_wcs(metadata: Metadata, optics: Optics) -> tuple[World, Light]:
    """Build the WCS of a NIRSpec image.

    Parameters
    ----------
    metadata : Metadata
        As for `imaging_wcs`, with DETECTOR (NRS1 or NRS2), FILTER, GRATING and the tilt of the
        grating wheel, GWA_XTIL and GWA_YTIL (the model's own without them, with a warning).
    optics : mapping
        The references of `TYPES`.

    Returns
    -------
    World
    Light

    Raises
    ------
    InputError
        If a keyword is missing or not that of an image.
    ReferenceFileError
        If a reference lacks what it should hold.
    """
    light = wavelengths(metadata, optics["wavelengthrange"])
    mirror = wheel_rotation(metadata, optics["disperser"])
    transforms = (
        detector_to_sca(metadata),
        sca_to_gwa(metadata, optics, mirror),
        gwa_to_msa(optics, mirror, light.middle),
        msa_to_oteip(optics, light.middle),
        model("ote", optics).named("oteip2v23"),
        velocity_aberration(metadata),
        v23_to_sky(metadata),
    )
    nx, ny = (metadata.require(f"SUBSIZE{axis}", int) for axis in (1, 2))
    box = Box(((-0.5, nx - 0.5), (-0.5, ny - 0.5)))
    return World(frames(), transforms, box, (nx, ny)), light


def frames() -> tuple[Frame, ...]:
    """Return the frames in order."""
    return (
        Frame.plane("detector", ("x", "y"), "pixel"),
        Frame.plane("sca", ("x", "y"), "pixel"),
        Frame.plane("gwa", ("alpha_in", "beta_in"), "rad"),
        Frame.plane("msa", ("x_msa", "y_msa"), "m"),
        Frame.plane("oteip", ("x_oteip", "y_oteip"), "deg"),
        *sky_frames(),
    )


def gwa_to_msa(optics: Optics, mirror: Transform, wavelength: float) -> Transform:
    """Return the way from the mirror through the collimator to the MSA, with the wavelength."""
    reflection = Scale(-1.0) & Scale(-1.0) & Identity(1)
    collimator = model("collimator", optics)
    forward = reflection | mirror.inverse | FromCosines() | collimator | with_light(wavelength)
    backward = collimator.inverse | ToCosines() | mirror | reflection
    return forward.with_inverse(Remap([0, 1], 3) | backward).named("gwa2msa")


def with_light(wavelength: float) -> Transform:
    """Return what adds a constant wavelength to two coordinates."""
    return Remap([0, 1, 1]) | Identity(2) & Constant(wavelength)


def msa_to_oteip(optics: Optics, wavelength: float) -> Transform:
    """Return the way from the MSA through the fore optics, which distort by wavelength."""
    fore = model("fore", optics)
    back = with_light(wavelength) | fore.inverse | with_light(wavelength)
    return fore.with_inverse(back).named("msa2oteip")


def wavelengths(metadata: Metadata, reference: Reference) -> Light:
    """Return order and range of wavelengths of the filter with the mirror.

    Raises
    ------
    ReferenceFileError
        If the wavelengthrange reference is incomplete.
    """
    grating = metadata.require("GRATING", str)
    word = f"{metadata.require('FILTER', str)}_{grating}"
    tree = reference.tree or {}
    try:
        words = [str(entry) for entry in tree["waverange_selector"]]
        places = [i for i, entry in enumerate(words) if entry == word]
        places += [i for i, entry in enumerate(words) if entry.split("_")[-1] == grating]
        if not places:
            return Light(-1, *FULL_RANGE)
        low, high = (float(value) for value in tree["wavelengthrange"][places[0]])
        order = int(tree["order"][places[0]])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        msg = f"{reference.name}: the wavelengthrange reference is incomplete ({error})"
        raise ReferenceFileError(msg) from error
    if words[places[0]] != word:
        logger.warning(
            "%s: the wavelengthrange reference has no %s; that of %s is taken",
            metadata.source,
            word,
            words[places[0]],
        )
    return Light(order, low, high)
