"""Circumstances of a run that must not change a byte of its products."""

from collections.abc import Mapping
from dataclasses import dataclass, field

EPOCH = "1767225600"
DAY = 86400
NUMPY_FEATURES = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"
LIBM_FEATURES = "-AVX512F,-AVX512DQ,-AVX512VL,-AVX512BW,-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-FMA4"


@dataclass(frozen=True)
class Case:
    """How one run differs from the first.

    Attributes
    ----------
    name, meaning : str
        For the command line, and for the table.
    environment : mapping of str to str
        Variables on top of the common ones; an empty value takes one away.
    prefix : tuple of str
        Words before every command.
    threads : int
        Threads of every program that takes their number.
    one_by_one : bool
        Every step by itself, where steps can share a pass.
    own_folder : bool
        Start in another working folder.
    user : str
        Another user to run as, with an empty folder of compiled kernels.
    container : bool
        From the images of the stages.
    memory : int
        Bytes that a store of planes keeps in memory before it spills to a file; 0: as it is.
    clock : int
        Seconds that the clock is ahead.
    exception : bool
        Whether products may differ: the page says why, and by how much.
    wide : bool
        Whether every kind of exposure runs in it, and the simulator; else images of NIRCam only.
    spectra : bool
        Whether spectra run in it, too, though not every kind does.
    linked : bool
        Raw files and the CRDS cache named through symbolic links.
    moved : bool
        From a copy of the repository in another folder, with data copied to another one.
    rounding : bool
        With a C library that rounds functions of single precision otherwise (rounding.c).
    workflow : str
        Through Snakemake: `local`, or `slurm`.
    """

    name: str
    meaning: str
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    threads: int = 1
    one_by_one: bool = False
    own_folder: bool = False
    user: str = ""
    container: bool = False
    memory: int = 0
    clock: int = 0
    exception: bool = False
    wide: bool = False
    spectra: bool = False
    linked: bool = False
    moved: bool = False
    rounding: bool = False
    workflow: str = ""

    @property
    def otherwise_named(self) -> bool:
        """Whether reference files lie elsewhere, so that lists of them, which say where, differ."""
        return self.linked or self.moved


FIRST = Case("first", "one thread, steps fused, from the pinned environments", wide=True)
CASES = (
    FIRST,
    Case("threads", "two threads", threads=2, wide=True),
    Case("one-by-one", "every step by itself (`--one-by-one`)", one_by_one=True, wide=True),
    Case(
        "hash-seed",
        "another order of sets: `PYTHONHASHSEED=31`",
        environment={"PYTHONHASHSEED": "31"},
        spectra=True,
    ),
    Case(
        "place",
        "time zone, locale, umask and working folder: `TZ=Asia/Kathmandu`, `LC_ALL=C`, `umask 077`",
        environment={"TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "tr_TR.UTF-8"},
        prefix=("sh", "-c", 'umask 077; exec "$@"', "sh"),
        own_folder=True,
        spectra=True,
    ),
    Case("user", "another user: `nobody`", user="nobody", wide=True),
    Case("tomorrow", "a day later, with SOURCE_DATE_EPOCH", clock=DAY, wide=True),
    Case(
        "tomorrow-dated",
        "a day later, without SOURCE_DATE_EPOCH",
        clock=DAY,
        environment={"SOURCE_DATE_EPOCH": ""},
        exception=True,
    ),
    Case("links", "raw files and the CRDS cache named through symbolic links", linked=True),
    Case(
        "elsewhere",
        "a clone of the repository in another folder, with environments of its own and kernels "
        "compiled anew; data and CRDS cache in a third, whose name has a space and a letter "
        "beyond ASCII",
        moved=True,
    ),
    Case(
        "low-memory",
        "planes spilled to files above 1 MB, two threads",
        memory=1 << 20,
        threads=2,
        spectra=True,
    ),
    Case(
        "numba-level",
        "kernels for the oldest 64-bit processors: `NUMBA_CPU_NAME=x86-64`",
        environment={"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": ""},
        wide=True,
    ),
    Case(
        "libm",
        "a C library whose functions of single precision are wrong in the last place, where "
        "libraries differ (tan, atan2, asinh, expm1, log10, ...)",
        rounding=True,
        wide=True,
    ),
    Case(
        "avx512",
        "numpy and OpenBLAS with AVX-512, which the programs do not let them use",
        environment={
            "NPY_DISABLE_CPU_FEATURES": "AVX512_SPR",
            "OPENBLAS_CORETYPE": "SkylakeX",
        },
        exception=True,
    ),
    Case(
        "old-processor",
        "numpy, OpenBLAS and the C library as on processors without AVX2 and FMA (before 2013)",
        environment={
            "NPY_DISABLE_CPU_FEATURES": NUMPY_FEATURES,
            "OPENBLAS_CORETYPE": "Nehalem",
            "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={LIBM_FEATURES}",
        },
        exception=True,
    ),
    Case(
        "at-once",
        "two threads, another order of sets, place and C library, a day later and little memory, "
        "all at once",
        environment={
            "TZ": "Asia/Kathmandu",
            "LC_ALL": "C",
            "LANG": "tr_TR.UTF-8",
            "PYTHONHASHSEED": "31",
        },
        prefix=("sh", "-c", 'umask 077; exec "$@"', "sh"),
        threads=2,
        own_folder=True,
        memory=1 << 16,
        clock=DAY,
        rounding=True,
        spectra=True,
    ),
    Case("container", "in the container images", container=True, wide=True),
    Case("container-threads", "in the container images, two threads", container=True, threads=2),
    Case("workflow", "by Snakemake, two jobs at a time", workflow="local"),
    Case("slurm", "by Snakemake through a Slurm of one node", workflow="slurm"),
)


def case(name: str) -> Case:
    """Return the case of a name.

    Raises
    ------
    KeyError
        If there is none.
    """
    return {item.name: item for item in CASES}[name]
