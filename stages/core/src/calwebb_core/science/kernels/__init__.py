"""Compiled loops; they know numpy, numba and the data quality bits and nothing else."""

import sys

BLAS = "scipy.linalg.cython_blas"


def load_numba() -> None:
    """Import numba without scipy's linear algebra.

    numba loads that where it finds it, which takes a third of the start-up; no kernel needs it.
    """
    hidden = BLAS not in sys.modules
    if hidden:
        sys.modules[BLAS] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        if hidden:
            del sys.modules[BLAS]


load_numba()
