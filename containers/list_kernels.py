r"""List the kernels that runs use, for images to be built with them compiled.

numba imports this module when it is named as a place of its cache, and every kernel that is then
looked up is written to a list with the types of its arguments, once:

    PYTHONPATH=containers NUMBA_CACHE_LOCATOR_CLASSES=list_kernels.Recorder,InTreeCacheLocator \
    CALWEBB_KERNEL_LIST=containers/kernels/detector1.txt calwebb-detector1 run ...

Types of literal values are left out: numba makes them for calls among kernels, which are compiled
along. `containers/kernels/renew.sh` does it for all stages.
"""

import fcntl
import os
import sys
import threading
from pathlib import Path
from typing import Any

from numba import types
from numba.core import caching

LIST = Path(os.environ["CALWEBB_KERNEL_LIST"])
LITERALS = (types.IntegerLiteral, types.BooleanLiteral, types.StringLiteral, types.Omitted)
_lock = threading.Lock()  # later steps are warmed up beside the first
_load = caching.FunctionCache.load_overload


class Recorder(caching.UserProvidedCacheLocator):
    """A place where nothing is kept: numba goes on to the next."""

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> None:  # noqa: ARG003
        """Offer no place."""
        return


def text_of(kind: Any) -> str:
    """Return a numba type as text that `compile_kernels.py` reads."""
    if isinstance(kind, types.NamedTuple):
        cls = kind.instance_class
        return f"named('{cls.__module__}:{cls.__qualname__}', ({texts_of(kind.types)},))"
    if isinstance(kind, types.UniTuple):
        return f"UniTuple({text_of(kind.dtype)}, {kind.count})"
    if isinstance(kind, types.Tuple):
        return f"Tuple(({texts_of(kind.types)},))"
    return repr(kind)


def texts_of(kinds: Any) -> str:
    """Return several types as text."""
    return ", ".join(map(text_of, kinds))


def has_literals(kinds: Any) -> bool:
    """Say whether any of the types, or of what they are made of, is of a literal value."""
    return any(
        isinstance(kind, LITERALS) or has_literals(getattr(kind, "types", ())) for kind in kinds
    )


def add(line: str) -> None:
    """Add a line to the list, which stays sorted and which other programs add to as well."""
    with _lock, LIST.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        lines = set(LIST.read_text().splitlines()) if LIST.exists() else set()
        if line not in lines:
            LIST.write_text("".join(f"{item}\n" for item in sorted(lines | {line})))


def load(cache: Any, signature: Any, context: Any) -> Any:
    """Record what is looked up and look it up."""
    function = cache._py_func
    module = sys.modules[function.__module__]
    if not has_literals(signature) and hasattr(module, function.__qualname__):
        add(f"{function.__module__}:{function.__qualname__} | {texts_of(signature)}")
    return _load(cache, signature, context)


caching.FunctionCache.load_overload = load
