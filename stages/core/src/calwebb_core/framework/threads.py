"""How many threads numba and the linear algebra libraries use."""

import os
import sys

THREAD_VARIABLES = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


def set_threads(number: int | None) -> None:
    """Limit the threads of this process; call it before numba and numpy are imported.

    Parameters
    ----------
    number : int or None
        None leaves the environment as it is.

    Notes
    -----
    numba refuses another NUMBA_NUM_THREADS once it is loaded, so there its own call is used,
    which can go no higher than what it was loaded with.
    """
    if number is None:
        return
    if "numba" in sys.modules:
        import numba

        numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))
        return
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(number)
