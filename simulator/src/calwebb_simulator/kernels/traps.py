"""Let charge traps fill and empty."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def release(
    released: NDArray[np.float32], filled: NDArray[np.float32], part: NDArray[np.float64]
) -> None:
    """Move a part of each family's charge from `filled` to `released`, both in place.

    Parameters
    ----------
    released : float32, (ny, nx)
        Overwritten with what is let go, DN.
    filled : float32, (nfamilies, ny, nx)
        DN in traps.
    part : float64, (nfamilies,)
        That is let go.
    """
    families, ny, nx = filled.shape
    for j in range(ny):
        for i in range(nx):
            total = 0.0
            for f in range(families):
                given = filled[f, j, i] * part[f]
                filled[f, j, i] = np.float32(filled[f, j, i] - given)
                total += given
            released[j, i] = np.float32(total)


@njit(cache=True, nogil=True)
def capture(
    caught: NDArray[np.float32],
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    density: NDArray[np.float32],
    rising: NDArray[np.float64],
    full: NDArray[np.float64],
    keeping: NDArray[np.float64],
) -> None:
    """Add what is caught within a frame to `caught`, in place.

    Parameters
    ----------
    caught : float32, (nfamilies, ny, nx)
        DN caught since the reset.
    before, after : float32, (ny, nx)
        Signal over the full one at the begin and end of the frame; above 1 counts as 1.
    density : float32, (ny, nx)
        Of traps, relative; 0 where nothing is caught.
    rising : float64, (nfamilies,)
        DN that traps of density 1 would catch at this time if the signal rose from 0 to 1.
    full : float64, (nfamilies,)
        DN that they hold at the most.
    keeping : float64, (nfamilies,)
        Part of the free room that is left after a frame at full signal.
    """
    families, ny, nx = caught.shape
    for j in range(ny):
        for i in range(nx):
            first, last = min(before[j, i], 1.0), min(after[j, i], 1.0)
            for f in range(families):
                value = caught[f, j, i]
                if first >= 1.0:
                    room = density[j, i] * full[f] - value
                    value += room * (1.0 - keeping[f])
                else:
                    value += density[j, i] * (last * last - first * first) * rising[f]
                caught[f, j, i] = np.float32(value)
