"""Compile a list of kernels into NUMBA_CACHE_DIR, in order, when an image is built.

Each line of the list is a function and the types of its arguments, as `list_kernels.py` beside
the definitions writes them:

    calwebb_detector1.kernels.ipc:correct | Array(float32, 2, 'C', False, aligned=True), int64

One process and a fixed order: names inside the compiled code count what was compiled before.
"""

import importlib
import itertools
import re
import sys
from pathlib import Path
from typing import Any

from numba import types
from numba.core import compiler
from numba.np.ufunc import array_exprs
from numba.parfors import parfor

_reduce = compiler.CompileResult._reduce


def without_addresses(result: Any) -> tuple[Any, ...]:
    """Return what numba keeps of a kernel; its annotated listing names objects by address."""
    kept = _reduce(result)
    return tuple(
        re.sub(r"0x[0-9a-f]+", "0x0", part) if isinstance(part, str) else part for part in kept
    )


def named(where: str, parts: tuple[Any, ...]) -> types.NamedTuple:
    """Return the type of a named tuple of ours."""
    module, _, name = where.partition(":")
    return types.NamedTuple(parts, getattr(importlib.import_module(module), name))


def signature(text: str) -> tuple[Any, ...]:
    """Return the types that a line of the list writes."""
    names = {name: getattr(types, name) for name in dir(types)} | {"bool": types.boolean}
    return tuple(eval(f"({text},)", {"__builtins__": {}, **names, "named": named}))  # noqa: S307 - our own list


def compile_all(lines: list[str]) -> int:
    """Compile every line and return how many there were.

    Raises
    ------
    SystemExit
        If a kernel is no longer there, or no longer takes such arguments.
    """
    for line in lines:
        where, _, text = line.partition(" | ")
        module, _, name = where.partition(":")
        try:
            getattr(importlib.import_module(module), name).compile(signature(text))
        except Exception as error:  # noqa: BLE001 - numba has many; the build ends here
            sys.exit(f"{line}\ncannot be compiled ({error}): renew the list with kernels/renew.sh")
    return len(lines)


if __name__ == "__main__":
    compiler.CompileResult._reduce = without_addresses
    # numba names the function of an array expression by the address of an object: count instead
    count = itertools.count(1)
    array_exprs.hex = lambda _: hex(next(count))
    # and the function of a parallel loop by its hash, an address: take the number it has
    parfor.Parfor.__hash__ = lambda loop: loop.id
    content = Path(sys.argv[1]).read_text().splitlines()
    number = compile_all([line for line in content if line and not line.startswith("#")])
    print(f"kernels: {number}")  # noqa: T201 - the log of the build
