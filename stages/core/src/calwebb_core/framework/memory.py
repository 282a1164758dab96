"""How much memory there is for this process, and how it is given back to the system."""

import ctypes
import os
import resource
from functools import cache
from pathlib import Path

from calwebb_core.framework.errors import CalwebbError, InputError

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


def check_room(path: object, what: str, size: int, error: type[CalwebbError] = InputError) -> None:
    """Refuse to read what cannot be in memory, before any is taken.

    Parameters
    ----------
    path : path
        The file.
    what : str
        Part of it.
    size : int
        Bytes that it needs.
    error : type
        Of whom the fault is.

    Raises
    ------
    CalwebbError
        Naming both sizes.
    """
    most = most_memory()
    if size > most:
        msg = (
            f"{path}: {what} would take {size / 1e9:.1f} GB of memory, but there are "
            f"{most / 1e9:.1f} GB for this process; is the file what it should be?"
        )
        raise error(msg)


@cache
def most_memory() -> int:
    """Return how many bytes this process can have at most: the machine's, or its limit's."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft = resource.getrlimit(kind)[0]
        limits += [soft] if soft != resource.RLIM_INFINITY else []
    return min([*limits, *group_limits()])


def group_limits(
    groups: Path = Path("/proc/self/cgroup"), tree: Path = Path("/sys/fs/cgroup")
) -> list[int]:
    """Return the limits of the control groups (version 2) of this process, as schedulers set."""
    try:
        lines = groups.read_text(encoding="ascii").splitlines()
        name = next((line[3:] for line in lines if line.startswith("0::")), "/")
        folders = [tree / name.lstrip("/"), *(tree / name.lstrip("/")).parents]
        files = [folder / "memory.max" for folder in folders if folder.is_relative_to(tree)]
        texts = [file.read_text(encoding="ascii").strip() for file in files if file.is_file()]
    except (OSError, ValueError):
        return []
    return [int(text) for text in texts if text.isdecimal()]
