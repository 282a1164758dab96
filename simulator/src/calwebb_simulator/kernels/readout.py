"""Turn charge into what the detector reads."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEWTON_STEPS = 4


@njit(cache=True, nogil=True)
def measured(linear: float, c2: float, c3: float) -> float:
    """Return F with F + c2 F^2 + c3 F^3 = linear."""
    value = linear * (1.0 - c2 * linear)
    for _ in range(NEWTON_STEPS):
        excess = value * (1.0 + value * (c2 + c3 * value)) - linear
        value -= excess / (1.0 + value * (2.0 * c2 + 3.0 * c3 * value))
    return value


@njit(cache=True, nogil=True)
def add_read(
    total: NDArray[np.float32],
    charge: NDArray[np.float32],
    well: NDArray[np.float32],
    gain: NDArray[np.float32],
    c2: NDArray[np.float32],
    c3: NDArray[np.float32],
) -> None:
    """Add one read of the accumulated charge, in DN above the bias, to `total` in place.

    Parameters
    ----------
    total : float32, (ny, nx)
        Added to, DN.
    charge : float32, (ny, nx)
        Electrons collected since the reset.
    well : float32, (ny, nx)
        Electrons that a pixel can hold.
    gain : float32, (ny, nx)
        Electrons per DN.
    c2, c3 : float32, (ny, nx)
        Coefficients of the square and cube in the linearity correction, 1/DN and 1/DN^2.
    """
    ny, nx = total.shape
    for j in range(ny):
        for i in range(nx):
            linear = min(charge[j, i], well[j, i]) / gain[j, i]
            total[j, i] += np.float32(measured(linear, c2[j, i], c3[j, i]))
