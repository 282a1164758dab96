"""Frames and transforms that WCS of spectra have in common."""

from typing import Final

from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.frames import Frame
from calwebb_core.science.transforms import Transform
from calwebb_core.science.transforms.elementary import Identity

LIGHT: Final = 299792458.0  # m/s


def spectral_frames() -> tuple[Frame, Frame, Frame]:
    """Return ``v2v3``, ``v2v3vacorr`` and ``world``, each with the wavelength."""
    axes = ("v2", "v3")
    light = Frame.spectral()
    return (
        Frame.composite("v2v3", Frame.plane("v2v3_spatial", axes, "arcsec"), light),
        Frame.composite("v2v3vacorr", Frame.plane("v2v3vacorr_spatial", axes, "arcsec"), light),
        Frame.composite("world", Frame.sky("icrs"), light),
    )


def with_wavelength(transform: Transform, others: int = 1) -> Transform:
    """Return a transform of positions that leaves the wavelength, and what follows, as it is."""
    return transform & Identity(others)


def doppler_factor(metadata: Metadata) -> float:
    """Return how much longer waves are here than at the barycentre, from VELOSYS."""
    if metadata.get("VELOSYS") is None:
        return 1.0
    return 1.0 + metadata.require("VELOSYS", float) / LIGHT
