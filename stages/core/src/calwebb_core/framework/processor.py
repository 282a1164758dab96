"""The same arithmetic on every processor: one level of instructions for all.

numpy and OpenBLAS choose their loops when they are loaded, by what the processor can do. Loops for
AVX-512 give other last bits than those for AVX2 (exp, log, tan, arctan2, powers, dot products),
order equal values otherwise when they sort, and OpenBLAS cuts long dot products into as many
sums as it has threads. Every x86-64 processor of the level x86-64-v3 (AVX2 and FMA, since 2013)
therefore takes the loops of that level, and linear algebra one thread. Kernels compiled by numba
give the same bits at any level. Older processors, and others, use what they have.

Nothing is imported here but what Python has loaded anyway: this runs at every start, before numpy.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

NEEDED = frozenset(("abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"))
LEVEL = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
}
PROCESSOR = Path("/proc/cpuinfo")


def flags_of_processor(path: Path = PROCESSOR) -> frozenset[str]:
    """Return what the first processor can do; nothing where that cannot be read."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("flags"):
                    return frozenset(line.partition(":")[2].split())
    except OSError:
        pass
    return frozenset()


def use_common_level(
    environment: MutableMapping[str, str] | None = None, flags: frozenset[str] | None = None
) -> None:
    """Set what numpy and OpenBLAS read when they are loaded.

    A level that the user has set stays; the number of threads does not, since Snakemake sets it.

    Parameters
    ----------
    environment : mapping of str to str, optional
        That of this process by default.
    flags : frozenset of str, optional
        What the processor can do; read from the system by default.
    """
    target = os.environ if environment is None else environment
    target["OPENBLAS_NUM_THREADS"] = "1"
    if (flags_of_processor() if flags is None else flags) >= NEEDED:
        for name, value in LEVEL.items():
            target.setdefault(name, value)
