"""The spectra of NIRSpec's fixed slits: which are open, where they fall, their WCS.

`slit_world` is all that is needed to say where the light of one slit goes. It takes any
`Aperture`, so that shutters and slices need no optics of their own.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.nirspec.apertures import Aperture, aperture_to_msa
from calwebb_core.science.nirspec.optics import (
    LAST_PIXEL,
    Light,
    Optics,
    detector_to_sca,
    sca_to_gwa,
    wheel_rotation,
)
from calwebb_core.science.nirspec.spectrograph import (
    Disperser,
    frames,
    gwa_to_slit,
    msa_to_oteip,
    oteip_to_v2v3,
    slit_to_gwa,
)
from calwebb_core.science.transforms import Transform
from calwebb_core.science.transforms.elementary import Identity
from calwebb_core.science.wcs import v23_to_sky, velocity_aberration
from calwebb_core.science.world import Box, World

TYPES: Final = (
    "camera", "collimator", "disperser", "fore", "fpa", "msa", "ote", "wavelengthrange",
)  # fmt: skip
EDGE_POINTS: Final = 500  # along each edge of a spectrum
# pixels that the official bounding box has beyond the light: left, right; below, above after
# rounding away from it
BEYOND: Final = (11.5, 9.5, 2.5, 0.5)


@dataclass(frozen=True)
class Spectrograph:
    """The parts of a slit's WCS that all slits of an exposure share.

    Attributes
    ----------
    metadata : Metadata
    optics : mapping
        The references of `TYPES`.
    light : Light
    to_sca, to_gwa : Transform
        From the detector to the detector of the model, and to the grating wheel.
    wheel : Transform
    disperser : Disperser
    from_msa : tuple of Transform
        From the MSA to the sky.
    """

    metadata: Metadata
    optics: Optics
    light: Light
    to_sca: Transform
    to_gwa: Transform
    wheel: Transform
    disperser: Disperser
    from_msa: tuple[Transform, ...]

    @classmethod
    def of(cls, metadata: Metadata, optics: Optics) -> "Spectrograph":
        """Return the instrument as it was for an exposure.

        Raises
        ------
        InputError
            If a keyword is missing, or DETECTOR is neither NRS1 nor NRS2.
        ReferenceFileError
            If a reference lacks what it should hold, or is for another filter or grating.
        """
        light = light_of(metadata, optics)
        wheel = wheel_rotation(metadata, optics["disperser"])
        sky = (velocity_aberration(metadata), v23_to_sky(metadata))
        names = ("va_corr", "v2v3_to_sky")
        return cls(
            metadata,
            optics,
            light,
            detector_to_sca(metadata),
            sca_to_gwa(metadata, optics, wheel),
            wheel,
            Disperser(metadata, optics["disperser"], light.order),
            (
                msa_to_oteip(optics),
                oteip_to_v2v3(optics),
                *((t & Identity(1)).named(n) for t, n in zip(sky, names, strict=True)),
            ),
        )

    def slit_world(self, aperture: Aperture) -> World | None:
        """Return the WCS of an aperture with its bounding box; None if its light misses the pixels.

        Raises
        ------
        ReferenceFileError
            If the msa reference lacks it.
        """
        world = self.world(aperture)
        box = self.box(world, aperture)
        return None if box is None else replace(world, bounding_box=box, _cache={})

    def box(self, world: World, aperture: Aperture) -> Box | None:
        """Return where on the exposure's pixels the light of an aperture falls, with a margin.

        The margin is the official one. Orders and wavelengths outside of the filter's range, which
        may fall beside it, are left out.
        """
        (nx, ny), first = world.pixel_shape or (0, 0), self.metadata.require("SUBSTRT1", int) - 1
        light = np.linspace(self.light.low, self.light.high, EDGE_POINTS)
        edges = np.repeat([aperture.high, aperture.low], EDGE_POINTS)
        back = world.get_transform("slit_frame", "detector")
        x, y = back(np.zeros_like(edges), edges, np.tile(light, 2))
        seen = (x + first >= -0.5) & (x + first <= LAST_PIXEL + 0.5)
        if not np.any(seen):
            return None
        left, right, below, above = BEYOND
        limits = (
            (max(x.min() - left, -0.5), min(x.max() + right, nx - 0.5)),
            (
                max(np.floor(y[seen].min()) - below, -0.5),
                min(np.ceil(y[seen].max()) + above, ny - 0.5),
            ),
        )
        if any(high - low < 1 for low, high in limits):
            return None
        (x0, x1), (y0, y1) = limits
        return Box(((float(x0), float(x1)), (float(y0), float(y1))))

    def world(self, aperture: Aperture) -> World:
        """Return the WCS of an aperture, without bounding box.

        Raises
        ------
        ReferenceFileError
            If the msa reference lacks it.
        """
        to_msa = aperture_to_msa(self.optics["msa"], aperture)
        arriving = slit_to_gwa(to_msa, self.optics, self.wheel)
        to_slit = gwa_to_slit(arriving, self.disperser, (aperture.low, aperture.high))
        in_plane = (to_msa & Identity(1)).named("slit2msa")
        transforms = (self.to_sca, self.to_gwa, to_slit, in_plane, *self.from_msa)
        nx, ny = (self.metadata.require(f"SUBSIZE{axis}", int) for axis in (1, 2))
        return World(frames(), transforms, None, (nx, ny))


def light_of(metadata: Metadata, optics: Optics) -> Light:
    """Return order and range of wavelengths of a filter with a grating.

    Raises
    ------
    ReferenceFileError
        If the wavelengthrange reference lacks them.
    """
    reference = optics["wavelengthrange"]
    word = "_".join(metadata.require(key, str) for key in ("FILTER", "GRATING"))
    tree = reference.tree or {}
    try:
        words = [str(entry) for entry in tree["waverange_selector"]]
        if word not in words:
            msg = (
                f"{reference.name}: the wavelengthrange reference has no {word}; {metadata.source} "
                f"has these FILTER and GRATING"
            )
            raise ReferenceFileError(msg)
        place = words.index(word)
        low, high = (float(value) for value in tree["wavelengthrange"][place])
        return Light(int(tree["order"][place]), low, high)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        msg = f"{reference.name}: the wavelengthrange reference is incomplete ({error})"
        raise ReferenceFileError(msg) from error
