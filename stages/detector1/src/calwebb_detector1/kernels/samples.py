"""Raw samples as they lie in a file to floats."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Float32, UInt16


@njit(cache=True, nogil=True, error_model="numpy")
def convert_raw(stored: UInt16, out: Float32) -> None:
    """Write into `out` (float32, 4-D) unsigned 16-bit samples stored as FITS does.

    `stored` has the bytes of each sample in big-endian order, with the top bit inverted
    (BZERO 32768), read as native uint16.
    """
    nints, ngroups, ny, nx = out.shape
    for i in range(nints):
        for g in range(ngroups):
            for y in range(ny):
                for x in range(nx):
                    raw = stored[i, g, y, x]
                    swapped = np.uint16((raw >> np.uint16(8)) | (raw << np.uint16(8)))
                    out[i, g, y, x] = np.float32(swapped ^ np.uint16(0x8000))
