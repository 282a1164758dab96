"""The user's own code before and after a step: a shell command or a Python function.

A command gets the path of a temporary copy of the product in place of ``{}`` and in the
variable CALWEBB_PRODUCT, the step's name in CALWEBB_STEP and "pre" or "post" in CALWEBB_WHEN;
it looks, but cannot change what the pipeline goes on with. A function gets the container and
may return another one of the same type.
"""

import logging
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError, ProcessingError
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.settings import Hook

logger = logging.getLogger(__name__)
FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
PRODUCT_WORDS = ("{}", "CALWEBB_PRODUCT")


@dataclass(frozen=True)
class Place:
    """Where a hook runs: pipeline, step, "pre" or "post", folder for a temporary product."""

    pipeline: Pipeline
    step: str
    when: str
    directory: Path

    def __str__(self) -> str:
        return f"{self.when}-hook of {self.step}"


def hook_name(hook: Hook) -> str:
    """Return a hook as text for the log and the provenance."""
    if isinstance(hook, str):
        return hook
    return f"{hook.__module__}:{getattr(hook, '__qualname__', type(hook).__name__)}"


def hook_file(name: str) -> Path | None:
    """Return the file that holds a function that was imported; None for a command."""
    if not FUNCTION.fullmatch(name):
        return None
    file = getattr(sys.modules.get(name.partition(":")[0]), "__file__", None)
    return Path(file) if file and Path(file).is_file() else None


def run_hook(hook: Hook, model: Any, place: Place) -> Any:
    """Run one hook and return the container to go on with.

    Raises
    ------
    InputError
        If the function cannot be found.
    ProcessingError
        If the command or function fails, or the function returns something else.
    """
    logger.info("%s: %s", place, hook_name(hook))
    if isinstance(hook, str) and not FUNCTION.fullmatch(hook):
        run_command(hook, model, place)
        return model
    function = find_function(hook) if isinstance(hook, str) else hook
    return _call(function, hook_name(hook), model, place)


def find_function(path: str) -> Callable[..., Any]:
    """Import ``module:function``, also from the current folder.

    Raises
    ------
    InputError
        If there is no such module or function.
    """
    module, _, name = path.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        msg = f"hook {path}: {error}; expected a command or module:function"
        raise InputError(msg) from error
    finally:
        sys.path.remove(here)
    if not callable(function):
        msg = f"hook {path}: {name} is no function"
        raise InputError(msg)
    return function  # type: ignore[no-any-return]


def _call(function: Callable[..., Any], name: str, model: Any, place: Place) -> Any:
    try:
        result = function(model)
    except Exception as error:  # whatever the user's code raises
        msg = f"{place} {name} failed with {type(error).__name__}: {error}"
        raise ProcessingError(msg) from error
    if result is None:
        return model
    if type(result) is not type(model):
        msg = (
            f"{place} {name} returned a {type(result).__name__}; "
            f"expected a {type(model).__name__} or nothing"
        )
        raise ProcessingError(msg)
    return result


def run_command(command: str, model: Any, place: Place) -> None:
    """Run a shell command; its output goes to the log.

    Raises
    ------
    ProcessingError
        If it ends with another exit code than 0.
    """
    with tempfile.TemporaryDirectory(dir=place.directory, prefix=".hook-") as folder:
        paths: list[Path] = []
        if any(word in command for word in PRODUCT_WORDS):
            paths = place.pipeline.save(model, place.step, Path(folder))
        products = " ".join(shlex.quote(str(path)) for path in paths)
        done = subprocess.run(
            ["/bin/sh", "-c", command.replace("{}", products)],
            env={**os.environ, **_variables(place, paths)},
            capture_output=True,
            text=True,
            check=False,
        )
    for line in (done.stdout + done.stderr).splitlines():
        logger.info("%s: %s", place, line)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        msg = f"{place} ended with exit code {done.returncode}: {command} ({last})"
        raise ProcessingError(msg)


def _variables(place: Place, paths: list[Path]) -> dict[str, str]:
    return {
        "CALWEBB_STEP": place.step,
        "CALWEBB_WHEN": place.when,
        "CALWEBB_PRODUCT": os.pathsep.join(str(path) for path in paths),
    }
