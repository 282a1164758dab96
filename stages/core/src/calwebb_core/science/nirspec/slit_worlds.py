"""The WCS of all slits of an exposure, before they are cut out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.plain_asdf import Tagged
from calwebb_core.science.nirspec.apertures import Aperture
from calwebb_core.science.nirspec.open_slits import open_slits
from calwebb_core.science.nirspec.optics import Light, Optics
from calwebb_core.science.nirspec.slits import Spectrograph
from calwebb_core.science.nirspec.stored import node_of, slits_of
from calwebb_core.science.world import World


@dataclass(frozen=True)
class SlitWorlds:
    """The WCS of each slit whose spectrum is on the exposure's pixels.

    Attributes
    ----------
    slits : tuple of (Aperture, World)
        Each with its bounding box.
    """

    slits: tuple[tuple[Aperture, World], ...]

    def __call__(self, x: Any, y: Any) -> tuple[Any, ...]:
        """Return right ascension, declination, wavelength of pixels; NaN where no slit's light is.

        Where the light of two slits may fall, the last one counts.
        """
        result: list[Any] = [np.full(np.broadcast(x, y).shape, np.nan) for _ in range(3)]
        for _, world in self.slits:
            found = world(x, y)
            lit = np.isfinite(found[2])
            result = [np.where(lit, new, old) for new, old in zip(found, result, strict=True)]
        return tuple(part[()] for part in result)

    def node(self) -> Tagged:
        """Return the node of an ASDF file that gwcs reads."""
        return node_of(self.slits)

    @classmethod
    def from_node(cls, node: Any) -> "SlitWorlds":
        """Return the WCS of slits of an ASDF node.

        Raises
        ------
        UnknownTransformError
            If it has parts that are not known here.
        """
        return cls(tuple(slits_of(node)))


def slit_worlds(
    metadata: Metadata, optics: Optics, limits: tuple[float, float]
) -> tuple[SlitWorlds, Light]:
    """Return the WCS of the fixed slits of an exposure.

    Parameters
    ----------
    metadata : Metadata
        EXP_TYPE, SUBARRAY, FXD_SLIT, FILTER, GRATING, DETECTOR, the tilt of the grating wheel
        (GWA_XTIL, GWA_YTIL), for the prism its temperature (GWA_TILT), VELOSYS, the place of the
        subarray and the pointing.
    optics : mapping
        The references of `calwebb_core.science.nirspec.slits.TYPES`.
    limits : (float, float)
        Ends of spectra along slits, in heights of the slit from its middle.

    Returns
    -------
    SlitWorlds
    Light
        Order and range of wavelengths.

    Raises
    ------
    InputError
        If a keyword is missing, or no spectrum falls on the exposure's pixels.
    ReferenceFileError
        If a reference lacks what it should hold.
    """
    instrument = Spectrograph.of(metadata, optics)
    apertures = open_slits(metadata, limits)
    found = [(aperture, instrument.slit_world(aperture)) for aperture in apertures]
    lit = tuple((aperture, world) for aperture, world in found if world is not None)
    if not lit:
        names = ", ".join(aperture.name for aperture in apertures)
        msg = (
            f"{metadata.source}: no spectrum of {names} with {metadata['GRATING']} and "
            f"{metadata['FILTER']} falls on the pixels of {metadata['DETECTOR']}, subarray "
            f"{metadata['SUBARRAY']}"
        )
        raise InputError(msg)
    return SlitWorlds(lit), instrument.light


def chosen(image: Image, names: Sequence[str] | None = None) -> list[tuple[Aperture, World]]:
    """Return the slits of an exposure that are to be cut out, with their WCS.

    Parameters
    ----------
    image : Image
        With a `SlitWorlds` as WCS.
    names : sequence of str, optional
        Slits that are wanted; all of them by default.

    Raises
    ------
    InputError
        If the WCS is another, or a slit that is wanted isn't there.
    """
    source, worlds = image.metadata.source, image.wcs
    if not isinstance(worlds, SlitWorlds):
        msg = f"{source}: its WCS is not one of NIRSpec's slits; run assign_wcs again"
        raise InputError(msg)
    there = [aperture.name for aperture, _ in worlds.slits]
    missing = sorted(set(names or ()) - set(there))
    if missing:
        msg = f"{source}: has no spectrum of {', '.join(missing)}; it has {', '.join(there)}"
        raise InputError(msg)
    return [pair for pair in worlds.slits if names is None or pair[0].name in names]
