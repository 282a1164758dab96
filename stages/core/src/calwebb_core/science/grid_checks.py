"""Refusals of grids that follow from a broken pointing, naming the exposure that is at fault."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.science.footprint import separation, unit_vectors

Float64 = NDArray[np.float64]

# A union that needs this many times the pixels of its inputs is a pointing error, not a mosaic,
LARGEST_GROWTH = 64.0
# unless it is no larger than this, as for subarrays that lie a field of view apart.
HARMLESS = 1 << 26
# Nobody has room for more pixels than these, whatever the inputs are.
MOST_PIXELS = 1 << 33
# Exposures of one mosaic are never this far apart; a tangent plane doesn't reach farther.
FARTHEST_DEGREES = 10.0
# Pixels of one mosaic's exposures never differ this much.
LARGEST_RATIO = 50.0
ARCSEC_LIMITS = (1e-4, 100.0)


def check_places(
    corners: Sequence[Float64], shapes: Sequence[tuple[int, ...]], names: Sequence[str]
) -> None:
    """Refuse exposures whose corners cannot be those of an exposure of this mosaic.

    Parameters
    ----------
    corners : sequence of float64, (4, 2)
        Right ascension and declination in degrees, see `calwebb_core.science.footprint.footprint`.
    shapes : sequence of (..., ny, nx)
    names : sequence of str
        For messages.

    Raises
    ------
    InputError
        If a corner has no position, the pixels have no sensible size, or an exposure lies
        more than `FARTHEST_DEGREES` from the others.
    """
    for number, positions in enumerate(corners):
        if not np.all(np.isfinite(positions)):
            msg = (
                f"{name_of(number, names)}: its WCS gives no sky position for its corners; run "
                "assign_wcs again, or leave it out"
            )
            raise InputError(msg)
    check_scales(corners, shapes, names)
    distance = distances(corners)
    if distance.max(initial=0.0) > FARTHEST_DEGREES:
        who, where = outlying(distance, names)
        msg = f"{who}: {where}; expected at most {FARTHEST_DEGREES:g} degrees: leave it out"
        raise InputError(msg)


def check_scales(
    corners: Sequence[Float64], shapes: Sequence[tuple[int, ...]], names: Sequence[str]
) -> None:
    """Refuse exposures with pixels of no size, or of another size than the others' by far.

    Raises
    ------
    InputError
        If there is one.
    """
    scales = np.array([pixel_arcsec(c, s) for c, s in zip(corners, shapes, strict=True)])
    low, high = ARCSEC_LIMITS
    wrong = (scales < low) | (scales > high)
    typical = float(np.median(scales))
    if len(scales) > 2 and typical > 0:
        wrong |= (scales > LARGEST_RATIO * typical) | (scales < typical / LARGEST_RATIO)
    if wrong.any():
        number = int(np.argmax(wrong))
        msg = (
            f"{name_of(number, names)}: its WCS gives pixels of {scales[number]:.3g} arcsec; "
            f"expected {low:g} to {high:g}, and about the same for all exposures: run assign_wcs "
            "again, or leave it out"
        )
        raise InputError(msg)


def pixel_arcsec(corners: Float64, shape: tuple[int, ...]) -> float:
    """Return the side of a mean pixel, from the diagonals of an image."""
    vectors = unit_vectors(corners[:, 0], corners[:, 1])
    along = separation(vectors[:2], vectors[2:])
    return 3600.0 * float(np.mean(along)) / math.hypot(shape[-2], shape[-1])


def distances(corners: Sequence[Float64]) -> Float64:
    """Return how far each exposure lies from most of the others, in degrees.

    It is the median of the distances to the others, so that one that is far off, be it the
    first, doesn't make the others far.
    """
    centres = np.array([unit_vectors(c[:, 0], c[:, 1]).mean(axis=0) for c in corners])
    found = []
    for number, centre in enumerate(centres):
        others = np.delete(centres, number, axis=0)
        apart = separation(others, np.broadcast_to(centre, others.shape))
        found.append(float(np.median(apart)) if len(others) else 0.0)
    return np.array(found)


def outlying(distance: Float64, names: Sequence[str]) -> tuple[str, str]:
    """Return the name of the exposure that lies off (of two, both) and how far it lies."""
    worst = int(np.argmax(distance))
    if len(distance) == 2:
        both = f"{name_of(0, names)} and {name_of(1, names)}"
        return both, f"these exposures lie {distance[0]:.3f} degrees apart"
    far = f"this exposure lies {distance[worst]:.3f} degrees from the others"
    return name_of(worst, names), far


def name_of(number: int, names: Sequence[str]) -> str:
    """Return the name of an input for messages."""
    return names[number] if number < len(names) else f"input {number + 1}"


def check_growth(
    size: tuple[int, int],
    corners: Sequence[Float64],
    shapes: Sequence[tuple[int, ...]],
    names: Sequence[str],
    largest_growth: float,
) -> None:
    """Refuse a grid that is absurdly large for its inputs, naming the outlying exposure.

    Parameters
    ----------
    size : (ny, nx)
        Of the grid.
    corners, shapes, names
        As in `check_places`.
    largest_growth : float
        Times the pixels of the inputs.

    Raises
    ------
    InputError
        If it has more than `largest_growth` times the pixels of the inputs and more than
        `HARMLESS`, or more than `MOST_PIXELS`.
    """
    pixels = size[0] * size[1]
    given = sum(shape[-1] * shape[-2] for shape in shapes)
    if pixels <= MOST_PIXELS and pixels <= max(largest_growth * given, HARMLESS):
        return
    who, where = outlying(distances(corners), names)
    msg = (
        f"{who}: the output image would be {size[1]} x {size[0]} pixels, "
        f"{pixels / given:.0f} times its inputs (at most {largest_growth:g}, or {MOST_PIXELS} "
        f"pixels); {where}: leave it out, or set output_shape or a larger pixel_scale"
    )
    raise InputError(msg)
