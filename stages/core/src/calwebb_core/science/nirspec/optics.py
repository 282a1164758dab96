"""The parts of NIRSpec's optics that images and spectra share.

The light goes telescope (OTE) -> filter wheel (OTEIP) -> fore optics -> MSA -> collimator ->
grating wheel (GWA) -> camera -> detectors (SCA). The parametric model of Dorner et al. 2016
(A&A 592, A113) describes each part by a polynomial between affine transforms. References hold
these; this module reads them and turns the wheel to where its sensors say that it stands.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.transforms import (
    NoInverseError,
    Transform,
    UnknownTransformError,
    from_node,
)
from calwebb_core.science.transforms.cosines import CosineRotations, ToCosines
from calwebb_core.science.transforms.elementary import Identity, Scale, Shift

logger = logging.getLogger(__name__)

Optics = Mapping[str, Reference]

LAST_PIXEL = 2047.0
FULL_RANGE = (0.6e-6, 5.3e-6)  # metres, where the reference has no range for a filter
ARCSEC_PER_DEGREE = 3600.0


@dataclass(frozen=True)
class Light:
    """The spectral order and the range of wavelengths (metres) of an exposure."""

    order: int
    low: float
    high: float

    @property
    def middle(self) -> float:
        """The wavelength for which positions hold, in metres."""
        return self.low + (self.high - self.low) * 0.5


def model(kind: str, optics: Optics, key: str = "model") -> Transform:
    """Return the transform of a reference.

    Raises
    ------
    ReferenceFileError
        If there is none, or none that has an inverse.
    """
    try:
        transform = from_node(tree_of(optics, kind).get(key))
        _ = transform.inverse
    except (UnknownTransformError, NoInverseError) as error:
        msg = (
            f"{optics[kind].name}: the {kind} reference has no `{key}` with an inverse that can "
            f"be evaluated ({error})"
        )
        raise ReferenceFileError(msg) from error
    return transform


def tree_of(optics: Optics, kind: str) -> dict[str, Any]:
    """Return the tree of a reference; without one it is empty."""
    return optics[kind].tree or {}


def detector_to_sca(metadata: Metadata) -> Transform:
    """Return the place of the subarray on the detector; NRS2 is turned by half a circle.

    Raises
    ------
    InputError
        If DETECTOR is neither NRS1 nor NRS2.
    """
    start = [metadata.require(f"SUBSTRT{axis}", int) - 1 for axis in (1, 2)]
    place = Shift(start[0]) & Shift(start[1])
    detector = metadata.require("DETECTOR", str)
    if detector == "NRS1":
        return (place | Identity(2)).named("dms2sca")
    if detector != "NRS2":
        msg = f"{metadata.source}: DETECTOR is {detector}; expected NRS1 or NRS2"
        raise InputError(msg)
    turn = Shift(-LAST_PIXEL) & Shift(-LAST_PIXEL) | Scale(-1.0) & Scale(-1.0)
    return (place | turn).named("dms2sca")


def sca_to_gwa(metadata: Metadata, optics: Optics, wheel: Transform) -> Transform:
    """Return the way from the detector through the camera to the grating wheel."""
    key = f"{metadata.require('DETECTOR', str).lower()}_model"
    camera = model("fpa", optics, key) | model("camera", optics) | ToCosines()
    return (camera | wheel).named("det2gwa")


def wheel_rotation(metadata: Metadata, disperser: Reference) -> Transform:
    """Return the rotation into the disperser's own frame, corrected by its measured tilt.

    The wheel doesn't come back to the same place: half of the change of the angle that the
    sensors' readings (GWA_XTIL for theta_y, GWA_YTIL for theta_x) stand for is added.

    Raises
    ------
    ReferenceFileError
        If the disperser reference lacks an angle.
    """
    tree = disperser.tree or {}
    try:
        angles = {key: float(tree[key]) for key in ("theta_x", "theta_y", "theta_z", "tilt_y")}
    except KeyError as error:
        msg = f"{disperser.name}: the disperser reference has no `{error.args[0]}`"
        raise ReferenceFileError(msg) from error
    for angle, keyword, tilt in (
        ("theta_y", "GWA_XTIL", "gwa_tiltx"),
        ("theta_x", "GWA_YTIL", "gwa_tilty"),
    ):
        angles[angle] += tilt_correction(metadata, keyword, disperser, tilt)
    return CosineRotations(list(angles.values()), "xyzy").named("rotation")


def tilt_correction(metadata: Metadata, keyword: str, disperser: Reference, key: str) -> float:
    """Return the correction of an angle in degrees for a reading of a tilt sensor."""
    if metadata.get(keyword) is None:
        logger.warning(
            "%s: keyword %s is missing; the wheel is taken to stand where it was calibrated",
            metadata.source,
            keyword,
        )
        return 0.0
    reading = metadata.require(keyword, float)
    try:
        tilt = (disperser.tree or {})[key]
        angle, zero = from_node(tilt["tilt_model"]), float(tilt["zeroreadings"][0])
    except (KeyError, TypeError, IndexError, UnknownTransformError) as error:
        msg = f"{disperser.name}: the disperser reference has no tilt model for {keyword}"
        raise ReferenceFileError(msg) from error
    return 0.5 * float(angle(reading) - angle(zero)) / ARCSEC_PER_DEGREE
