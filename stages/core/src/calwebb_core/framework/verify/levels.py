"""Loops of other kinds of processors: a product may have been made with them.

Which loops a run used is not recorded, since most products are the same with all of them. Where
bytes differ although all that is recorded is the same, the product is made again with each kind
that this processor can do.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Final

from calwebb_core.framework.processor import LEVEL, NEEDED, flags_of_processor

AVX512: Final = frozenset(("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"))
COMMON: Final[Mapping[str, str]] = {}  # what the programs choose by themselves
LEVELS: Final[Mapping[str, tuple[frozenset[str], Mapping[str, str]]]] = {
    "AVX2 and FMA, which the programs ask for": (NEEDED, LEVEL),
    "processors with AVX-512": (
        AVX512,
        {"NPY_DISABLE_CPU_FEATURES": "AVX512_SPR", "OPENBLAS_CORETYPE": "SkylakeX"},
    ),
    "processors without AVX2 and FMA": (
        NEEDED,
        {
            "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
            "OPENBLAS_CORETYPE": "Nehalem",
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512DQ,-AVX512VL,-AVX512BW,-AVX2,"
            "-AVX2_Usable,-FMA,-FMA_Usable,-FMA4",
        },
    ),
}


def other_levels(
    environment: Mapping[str, str] | None = None, flags: frozenset[str] | None = None
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield name and variables of the levels that are not in use here, but could be.

    Parameters
    ----------
    environment : mapping, optional
        That of this process by default.
    flags : frozenset of str, optional
        What the processor can do; read from the system by default.
    """
    now = os.environ if environment is None else environment
    able = flags_of_processor() if flags is None else flags
    for name, (needed, variables) in LEVELS.items():
        if needed <= able and any(now.get(key) != value for key, value in variables.items()):
            yield name, variables
