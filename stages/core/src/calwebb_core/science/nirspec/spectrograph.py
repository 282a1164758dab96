"""NIRSpec as a spectrograph: from a pixel to the place in a slit and the wavelength, and back.

The light of a slit goes through the collimator to the grating wheel; there a grating or the prism
sends each wavelength its own way; camera and detector follow (Dorner et al. 2016, A&A 592, A113).
Back from a pixel, the ray that leaves the wheel has two cosines, but place along the slit, place
across it and wavelength are three: the light is taken to come from the middle line of the slit.
The second cosine then tells the place along the slit, and the first, with that place, the
wavelength. Both steps interpolate in tables with the points of the official model.

The frames are the official ones: ``detector``, ``sca``, ``gwa``, ``slit_frame`` (places in the slit
from -0.5 to 0.5, wavelength in metres), ``msa_frame`` (metres), ``oteip``, ``v2v3`` (from here on
the wavelength is in micrometres), ``v2v3vacorr``, ``world``.
"""

from typing import Any, Final

import numpy as np

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.nirspec.optics import Optics, model
from calwebb_core.science.transforms import Transform
from calwebb_core.science.transforms.base import Float64
from calwebb_core.science.transforms.cosines import ToCosines
from calwebb_core.science.transforms.dispersers import (
    GratingAngles,
    GratingWavelength,
    Limit,
    Prism,
    PrismIndex,
)
from calwebb_core.science.transforms.elementary import Arithmetic, Identity, Remap, Scale
from calwebb_core.science.transforms.tables import Tabular
from calwebb_core.science.world import Frame

LIGHT_SPEED: Final = 299792458.0  # m/s
POINTS_ALONG_SLIT: Final = 1000
PRISM: Final = "PRISM"
PRISM_WAVELENGTHS: Final = (0.3e-6, 8.0075e-6, 5e-9)  # metres: first, end, step
MICROMETRES: Final = 1e6


def frames() -> tuple[Frame, ...]:
    """Return the frames in order."""
    places = (
        ("slit_frame", "slit_spatial", ("x_slit", "y_slit"), ""),
        ("msa_frame", "msa_spatial", ("x_msa", "y_msa"), "m"),
        ("oteip", "oteip", ("X_OTEIP", "Y_OTEIP"), "deg"),
        ("v2v3", "v2v3_spatial", ("v2", "v3"), "arcsec"),
        ("v2v3vacorr", "v2v3vacorr_spatial", ("v2", "v3"), "arcsec"),
    )
    return (
        Frame.plane("detector", ("x", "y"), "pixel"),
        Frame.plane("sca", ("x", "y"), "pixel"),
        Frame.plane("gwa", ("alpha_in", "beta_in"), "rad"),
        *(
            Frame.composite(name, Frame.plane(plane, axes, unit), Frame.spectral())
            for name, plane, axes, unit in places
        ),
        Frame.composite("world", Frame.sky("sky"), Frame.spectral()),
    )


class Disperser:
    """The grating or prism in the wheel, for one exposure.

    Parameters
    ----------
    metadata : Metadata
        GRATING; for the prism the wheel's temperature, GWA_TILT, in kelvin. VELOSYS, in m/s, moves
        wavelengths to the barycentre of the solar system; without it they stay as measured.
    reference : Reference
        Of type disperser.
    order : int
        Spectral order.

    Raises
    ------
    ReferenceFileError
        If the reference is not one of this disperser.
    """

    def __init__(self, metadata: Metadata, reference: Reference, order: int) -> None:
        tree = reference.tree or {}
        self.velocity = 1.0
        if metadata.get("VELOSYS") is not None:
            self.velocity = 1.0 / (1.0 + metadata.require("VELOSYS", float) / LIGHT_SPEED)
        try:
            if metadata.require("GRATING", str) == PRISM:
                self.forward, self.backward = prism_of(metadata, tree)
            else:
                self.forward, self.backward = grating_of(float(tree["groovedensity"]), order)
        except (KeyError, TypeError, ValueError) as error:
            msg = (
                f"{reference.name}: the disperser reference is not one of {metadata['GRATING']}: "
                f"{' '.join(str(error).split())}"
            )
            raise ReferenceFileError(msg) from error

    def wavelength(self) -> Transform:
        """Return a ray's wavelength from two cosines before the wheel and one after it."""
        return self.forward | Scale(self.velocity, "velocity_correction")

    def ray(self) -> Transform:
        """Return a ray's cosines after the wheel from its wavelength and the three before it."""
        return Scale(1.0 / self.velocity, "inv_vel_correction") & Identity(3) | self.backward


def grating_of(density: float, order: int) -> tuple[Transform, Transform]:
    """Return wavelength from cosines, and cosines from wavelength, of a grating.

    Raises
    ------
    ValueError
        If it has no grooves or the order is 0.
    """
    if not density > 0 or order == 0:
        msg = f"groovedensity is {density} and the order {order}"
        raise ValueError(msg)
    forward = Remap([0, 2]) | GratingWavelength(density, order) | Scale(-1.0)
    turned = Identity(1) & Scale(-1.0) & Identity(1)
    return forward, Remap([0, 1, 2], 4) | turned | GratingAngles(density, order)


def prism_of(metadata: Metadata, tree: dict[str, Any]) -> tuple[Transform, Transform]:
    """Return wavelength from cosines, and cosines from wavelength, of the prism.

    Raises
    ------
    KeyError, ValueError
        If the reference lacks a property of the prism, or is for one in air.
    """
    if float(tree["pref"]) != 0:
        msg = f"pref is {tree['pref']}; expected 0, a vacuum"
        raise ValueError(msg)
    prism = Prism(
        float(tree["angle"]),
        tree["kcoef"],
        tree["lcoef"],
        tree["tcoef"],
        float(tree["tref"]),
        metadata.require("GWA_TILT", float),
    )
    first, end, step = PRISM_WAVELENGTHS
    wavelengths = np.arange(first, end, step)[::-1]
    table = Tabular(prism.index(wavelengths), wavelengths)
    return PrismIndex(prism.angle) | table, prism


def slit_to_gwa(to_msa: Transform, optics: Optics, wheel: Transform) -> Transform:
    """Return the way from places in a slit to the cosines of rays that come to the wheel."""
    return to_msa | model("collimator", optics).inverse | ToCosines() | wheel


def gwa_to_slit(
    arriving: Transform, disperser: Disperser, limits: tuple[float, float]
) -> Transform:
    """Return the way from rays that leave the wheel to the place in a slit and the wavelength.

    Parameters
    ----------
    arriving : Transform
        From places in the slit to the wheel, `slit_to_gwa`.
    disperser : Disperser
    limits : (float, float)
        Places along the slit where the spectrum ends; NaN beyond.
    """
    along = Identity(1) & along_slit(arriving, limits) & Identity(2)
    rays = Remap([0, 1, 0, 1], 3) | Scale(0.0) & Scale(-1.0) & Identity(2) | along
    incoming = Remap([0, 1, 0, 1, 2, 3]) | Identity(2) & arriving & Identity(2)
    measured = Remap([0, 1, 2, 3, 5], 7) | Identity(2) & disperser.wavelength()
    forward = rays | incoming | measured | within(limits)
    return forward.with_inverse(slit_to_ray(arriving, disperser)).named("gwa2slit")


def slit_to_ray(arriving: Transform, disperser: Disperser) -> Transform:
    """Return the way from a place in a slit and a wavelength to the ray that leaves the wheel."""
    return arriving & Identity(1) | Remap([3, 0, 1, 2]) | disperser.ray()


def along_slit(arriving: Transform, limits: tuple[float, float]) -> Tabular:
    """Return the place along the slit's middle line from the second cosine at the wheel."""
    places: Float64 = np.linspace(*limits, POINTS_ALONG_SLIT)
    return Tabular(arriving(np.zeros_like(places), places)[1], places)


def within(limits: tuple[float, float]) -> Transform:
    """Return what makes place along the slit and wavelength NaN beyond the ends of the slit."""
    low, high = limits
    limit = Limit("GT", high) | Limit("LT", low) | Scale(0.0)
    both = Arithmetic("add", Remap([0], 2), Remap([1]))
    marked = Remap([0, 1, 2, 1]) | Identity(3) & limit
    return marked | Remap([0, 1, 3, 2, 3]) | Identity(1) & both & both


def msa_to_oteip(optics: Optics) -> Transform:
    """Return the way through the fore optics, which distort by wavelength."""
    fore, repeat = model("fore", optics), Remap([0, 1, 2, 2])
    back = repeat | fore.inverse & Identity(1)
    return (repeat | fore & Identity(1)).with_inverse(back).named("msa2oteip")


def oteip_to_v2v3(optics: Optics) -> Transform:
    """Return the way through the telescope, and wavelengths from metres to micrometres."""
    return (model("ote", optics) & Scale(MICROMETRES)).named("oteip2v23")
