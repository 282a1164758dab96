"""assign_mtwcs: follow a moving target.

The telescope tracks the target, which moves on the sky between exposures. Each exposure's WCS gets
a last frame, ``moving_target``, where the target stands at its average position (MT_AVRA,
MT_AVDEC, the mean of MT_RA, MT_DEC), so that the mosaic is sharp for the target and stars trail.

The frame is the official one: a shift in right ascension and declination. That shift stretches
and turns an image where declination is high, by tan(dec) times the shift; where this would move a
pixel by more than `TOLERANCE` against a rigid motion, the target is carried along its great circle
instead, with the mean taken of unit vectors. Both hold across RA 0 and at the poles.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.footprint import footprint, pixel_scale, separation, unit_vectors
from calwebb_core.science.sip import renew_keywords
from calwebb_core.science.transforms.base import Transform
from calwebb_core.science.transforms.elementary import Shift
from calwebb_core.science.transforms.sphere import Rotations, ToCartesian, ToSpherical
from calwebb_core.science.world import World
from calwebb_level3.imageset import ImageSet

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]

MOTIONS = ("auto", "shift", "rotation")
TOLERANCE = 0.05  # pixels
FRAME = "moving_target"


@dataclass(frozen=True)
class AssignMtwcsParameters:
    """Options of assign_mtwcs."""

    motion: str = option(
        "auto",
        "How exposures follow: shifted in RA and Dec as officially, or turned rigidly; auto shifts "
        "where both agree.",
        choices=MOTIONS,
    )


def is_moving(metadata: Metadata) -> bool:
    """Say whether an exposure is of a moving target."""
    return str(metadata.get("TARGTYPE", "")).strip().upper() == "MOVING"


def target_positions(exposures: list[Exposure]) -> Float64:
    """Return MT_RA and MT_DEC in degrees, float64 (n, 2).

    Raises
    ------
    InputError
        If an exposure has no position, or an impossible one.
    """
    rows = []
    for exposure in exposures:
        ra, dec = (exposure.metadata.require(key, float) for key in ("MT_RA", "MT_DEC"))
        if not (np.isfinite(ra) and abs(dec) <= 90.0):
            msg = (
                f"{exposure.metadata.source}: MT_RA, MT_DEC are {ra:g}, {dec:g}; expected the "
                "target's position in degrees, or go on with --skip assign_mtwcs"
            )
            raise InputError(msg)
        rows.append((ra, dec))
    return np.array(rows)


def mean_coordinates(positions: Float64) -> tuple[float, float]:
    """Return the mean right ascension and declination, float64 (n, 2), across RA 0 as elsewhere."""
    first = positions[0, 0]
    offsets = (positions[:, 0] - first + 180.0) % 360.0 - 180.0
    if not np.any(offsets != positions[:, 0] - first):
        # the plain mean, to the last digit, where nothing wraps
        return float(positions[:, 0].mean()), float(positions[:, 1].mean())
    return float((first + offsets.mean()) % 360.0), float(positions[:, 1].mean())


def mean_direction(positions: Float64) -> tuple[float, float]:
    """Return the direction of the sum of unit vectors, in degrees."""
    total = unit_vectors(positions[:, 0], positions[:, 1]).sum(axis=0)
    ra, dec = ToSpherical(360)(*total)
    return float(ra), float(dec)


def shift_to(mean: tuple[float, float], position: Float64) -> Transform:
    """Return the shift in RA and Dec from a position to the mean."""
    east = (mean[0] - position[0] + 180.0) % 360.0 - 180.0
    plain = mean[0] - position[0]
    return Shift(plain if abs(plain) <= 180.0 else east) & Shift(mean[1] - position[1])


def turn_to(mean: tuple[float, float], position: Float64) -> Transform:
    """Return the rotation along the great circle from a position to the mean."""
    start, end = unit_vectors(*position), unit_vectors(*mean)
    axis = np.cross(start, end)
    angle = float(separation(start, end))
    lon, lat = ToSpherical(360)(*axis) if angle > 0 else (0.0, 90.0)
    # the axis to the pole, the turn, and the axis back
    angles = [lon, 90.0 - lat, -angle, lat - 90.0, -lon]
    return ToCartesian(360) | Rotations(angles, "zyzyz") | ToSpherical(360)


def strain(exposures: list[Exposure], positions: Float64, mean: tuple[float, float]) -> float:
    """Return by how many pixels shift and rotation differ at most, at the corners of exposures."""
    worst = 0.0
    for exposure, position in zip(exposures, positions, strict=True):
        corners = footprint(exposure.wcs, exposure.shape)
        moved = [f(*corners.T) for f in (shift_to(mean, position), turn_to(mean, position))]
        distance = separation(unit_vectors(*moved[0]), unit_vectors(*moved[1])).max()
        # beyond a pole a shift has no meaning
        lost = np.abs(moved[0][1]).max() > 90.0
        scale = pixel_scale(exposure.wcs, *corners[0])
        worst = np.inf if lost else max(worst, float(distance) / scale)
    return worst


def run(
    images: ImageSet,
    references: Any,  # noqa: ARG001
    parameters: AssignMtwcsParameters,
) -> tuple[ImageSet, Status]:
    """Append the target's frame to each exposure's WCS and renew the keywords that follow.

    Raises
    ------
    InputError
        If there is no exposure, one has no WCS, or the target's position is missing.
    """
    images.require_exposures("assign_mtwcs")
    if not is_moving(images.metadata):
        return images, skipped("TARGTYPE is not MOVING")
    positions = target_positions(images.exposures)
    for exposure in images.exposures:
        require_wcs(exposure)
    mean, turned = choose(images.exposures, positions, parameters.motion)
    for exposure, position in zip(images.exposures, positions, strict=True):
        follow(exposure, mean, turn_to(mean, position) if turned else shift_to(mean, position))
    images.metadata.update({"MT_AVRA": mean[0], "MT_AVDEC": mean[1]})
    logger.info(
        "assign_mtwcs: target at RA %.7f, Dec %.7f on average; exposures are %s",
        *mean,
        "turned" if turned else "shifted",
    )
    return images, COMPLETE


def require_wcs(exposure: Exposure) -> None:
    """Refuse an exposure without WCS, or that follows its target already.

    Raises
    ------
    InputError
        If it is so.
    """
    source = exposure.metadata.source
    if exposure.wcs is None:
        msg = f"{source}: the image has no WCS; run assign_wcs before assign_mtwcs"
        raise InputError(msg)
    if FRAME in exposure.wcs.available_frames:
        msg = f"{source}: its WCS follows a moving target already; give the _cal file"
        raise InputError(msg)


def choose(
    exposures: list[Exposure], positions: Float64, motion: str
) -> tuple[tuple[float, float], bool]:
    """Return the mean position, and whether exposures are turned rather than shifted."""
    mean = mean_coordinates(positions)
    turned = motion == "rotation" or (
        motion == "auto" and strain(exposures, positions, mean) > TOLERANCE
    )
    return (mean_direction(positions) if turned else mean), turned


def follow(exposure: Exposure, mean: tuple[float, float], motion: Transform) -> None:
    """Give an exposure the target's frame, the mean position and the keywords of its new WCS."""
    exposure.wcs = World.of(exposure.wcs).appended(FRAME, motion)
    exposure.metadata.update({"MT_AVRA": mean[0], "MT_AVDEC": mean[1]})
    renew_keywords(exposure.metadata, exposure.wcs, exposure.shape)


STEP = Step(
    name="assign_mtwcs",
    keyword="S_MTWCS",
    meaning="Follow a moving target.",
    parameters=AssignMtwcsParameters,
    run=run,
)
