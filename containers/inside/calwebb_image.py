"""Tell numba, whenever Python starts in a container, where the image's compiled kernels are.

They were compiled for processors of a level that all of the last ten years have. numba takes a
kernel from the cache only if it was compiled for the processor that it is told to compile for,
so it is told that level, unless this processor lacks something of it or the user names another.
Nothing is imported here but what Python has loaded anyway: this runs at every start.
"""

import os

LEVEL = "x86-64-v3"
NEEDED = frozenset(("abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"))
KERNELS = "/opt/calwebb/kernels"


def flags_of_processor(path: str = "/proc/cpuinfo") -> frozenset[str]:
    """Return what the first processor can do; nothing where that cannot be read."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - starts faster
            for line in file:
                if line.startswith("flags"):
                    return frozenset(line.partition(":")[2].split())
    except OSError:
        pass
    return frozenset()


def prepare(environment: dict[str, str], flags: frozenset[str]) -> None:
    """Set what numba reads when it is imported; what the user has set stays."""
    environment.setdefault("NUMBA_CACHE_LOCATOR_CLASSES", "calwebb_image_cache.ImageLocator")
    if "NUMBA_CPU_NAME" not in environment and flags >= NEEDED:
        environment["NUMBA_CPU_NAME"] = LEVEL
        environment.setdefault("NUMBA_CPU_FEATURES", "")


if os.path.isdir(KERNELS):  # noqa: PTH112
    prepare(os.environ, flags_of_processor())  # type: ignore[arg-type]
