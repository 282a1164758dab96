"""Replace the bad pixels of a spectrum by estimates, so that none drops out of a sum.

Two ways, those of the official step pixel_replace:

* mingrad: the mean of the two neighbours along x or along y, whichever differ less from one
  another; a pixel at the edge, or with another bad one on either side in both directions, stays;
* fit_profile: the median profile across the dispersion of the columns on either side, scaled to
  the good pixels of the pixel's own column by least squares.

Errors and variances are estimated in the same way (variances by their roots). Estimated pixels lose
DO_NOT_USE and get FLUX_ESTIMATED.
"""

from dataclasses import replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Image
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.flat import as_cube
from calwebb_core.science.kernels.replacing import replace_by_gradient, replace_by_profile

ALGORITHMS: Final = ("mingrad", "fit_profile")
ARRAYS: Final = ("data", "err", "var_poisson", "var_rnoise", "var_flat")
AnyImage = TypeVar("AnyImage", bound=Image)


def replace_pixels(
    image: AnyImage, *, algorithm: str = "mingrad", axis: int = 1, reach: int = 3
) -> tuple[AnyImage, int, int]:
    """Estimate the values of pixels that are NaN.

    Parameters
    ----------
    image : Image or Slit
        2-D or 3-D; it and its arrays are not changed.
    algorithm : "mingrad" or "fit_profile"
    axis : int
        Of dispersion: 1 along x, 2 along y; matters for fit_profile.
    reach : int
        Columns on either side that make the profile.

    Returns
    -------
    image : Image or Slit
        With arrays of its own; those that are not estimated are shared.
    bad, replaced : int
        Pixels, of all integrations.

    Raises
    ------
    ValueError
        If there is no such algorithm.
    """
    if algorithm not in ALGORITHMS:
        msg = f"algorithm is {algorithm!r}; expected one of {', '.join(ALGORITHMS)}"
        raise ValueError(msg)
    names = [name for name in ARRAYS if getattr(image, name) is not None]
    copies: dict[str, Any] = {name: getattr(image, name).copy() for name in names}
    dq = np.zeros(image.data.shape, np.uint32) if image.dq is None else image.dq.copy()
    before = [turned(getattr(image, name), axis) for name in names]
    after = [turned(copies[name], axis) for name in names]
    flags = turned(dq, axis)

    def one(number: int) -> tuple[int, int]:
        planes, out = (tuple(cube[number] for cube in cubes) for cubes in (before, after))
        if algorithm == "mingrad":
            bad, found = replace_by_gradient(planes, len(names) - 2, out, flags[number])
        else:
            bad, found = replace_by_profile(planes, len(names) - 2, out, flags[number], reach)
        return int(bad), int(found)

    counts = in_threads(one, range(len(flags)))
    made = replace(image, dq=dq, **copies)
    return made, sum(bad for bad, _ in counts), sum(found for _, found in counts)


def turned(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return a view (integration, across, along) of an image or a cube."""
    cube = as_cube(array)
    return cube if axis == 1 else cube.transpose(0, 2, 1)
