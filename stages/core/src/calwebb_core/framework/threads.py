"""How many threads a program uses, and work shared among them."""

import os
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, TypeVar

THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
Item = TypeVar("Item")
Result = TypeVar("Result")
_wanted: list[int] = []


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
    _wanted[:] = [number]
    if "numba" in sys.modules:
        import numba

        numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))
        return
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(number)


def number_of_threads() -> int:
    """Return how many threads to use: those asked for, else one for each processor."""
    if _wanted:
        return _wanted[0]
    asked = os.environ.get("NUMBA_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) else len(os.sched_getaffinity(0))


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function on every item, in as many threads as are wanted; results in order.

    Kernels release the interpreter's lock, so that they really run side by side. After an
    error no further item is begun.

    Raises
    ------
    Exception
        The first error of any item.
    """
    from concurrent.futures import ThreadPoolExecutor

    todo = list(items)
    number = min(number_of_threads(), len(todo))
    if number < 2:
        return [function(item) for item in todo]
    with ThreadPoolExecutor(number) as pool:
        futures: list[Any] = [pool.submit(function, item) for item in todo]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def shares(total: int) -> list[slice]:
    """Cut `total` items that do not depend on each other into even parts, one for each thread."""
    number = max(1, min(number_of_threads(), total))
    ends = [total * part // number for part in range(number + 1)]
    return [slice(first, last) for first, last in pairwise(ends)]
