"""How memory is given back to the system."""

import ctypes

M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
LARGE = 12 << 20  # arrays of a full frame are larger, those of a block are not


def return_large_arrays() -> None:
    """Let the C library return large arrays to the system as soon as they are freed.

    By itself it learns from their sizes to keep them, in a heap for each thread, where one
    small array at the end holds back hundreds of megabytes. Other C libraries are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_ARENA_MAX, 2)
