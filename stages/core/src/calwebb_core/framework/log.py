"""What the programs say on stderr and in the log file: levels, UTC time stamps, versions."""

import logging
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.printing import one_line, printable

FILE_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
OURS = "calwebb"
_state = {"debug": False}
LIBRARIES = ("numpy", "numba", "astropy", "asdf", "gwcs", "crds")


class PlainFormatter(logging.Formatter):
    """Formatter that escapes what a terminal would obey or what would look like another line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's
        """Return the line of a record; a traceback follows it as it is."""
        text = record.message
        # libraries' warnings come with the line of their source
        record.message = one_line(text) if record.name == "py.warnings" else printable(text)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the base class's
        """Return a traceback, whose lines may have texts of files, too."""
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


class UtcFormatter(PlainFormatter):
    """Formatter whose time stamps are UTC."""

    converter = staticmethod(time.gmtime)


class StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Handler for whatever stderr is at the moment: a progress bar replaces it for a while."""

    @property
    def stream(self) -> Any:
        """The current stderr."""
        return sys.stderr

    @stream.setter
    def stream(self, _: Any) -> None:
        """Ignore what the base class wants to remember."""


class OwnOrWarning(logging.Filter):
    """Let other people's libraries speak only from warning level on, those named not at all."""

    def __init__(self, *silent: str) -> None:
        super().__init__()
        self.silent = silent

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is shown."""
        if record.name.startswith(OURS):
            return True
        return record.levelno >= logging.WARNING and record.name not in self.silent


def configure(
    *, quiet: bool = False, verbose: bool = False, debug: bool = False, path: Path | None = None
) -> None:
    """Send log records to stderr and, if `path` is given, in full detail to a file.

    Parameters
    ----------
    quiet : bool
        Only warnings and errors on stderr.
    verbose : bool
        Details too.
    debug : bool
        Details, other libraries' records and tracebacks.
    path : Path, optional
        Log file, written anew.

    Raises
    ------
    InputError
        If the log file cannot be written.
    """
    close()
    _state["debug"] = debug
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if (verbose or debug or path) else logging.INFO)
    stream = StderrHandler()
    stream.setLevel(_stream_level(quiet=quiet, verbose=verbose, debug=debug))
    stream.setFormatter(PlainFormatter("%(levelname_plain)s%(message)s"))
    stream.addFilter(_name_level)
    if not debug:
        stream.addFilter(OwnOrWarning("CRDS"))
    _add(root, stream)
    if path is not None:
        _add(root, _file_handler(path))
        log_platform()
    logging.captureWarnings(capture=True)


def debugging() -> bool:
    """Say whether tracebacks are wanted on stderr."""
    return _state["debug"]


def _stream_level(*, quiet: bool, verbose: bool, debug: bool) -> int:
    if verbose or debug:
        return logging.DEBUG
    return logging.WARNING if quiet else logging.INFO


def _name_level(record: logging.LogRecord) -> bool:
    plain = record.levelno < logging.WARNING
    record.levelname_plain = "" if plain else record.levelname.lower() + ": "
    return True


def _file_handler(path: Path) -> logging.Handler:
    try:
        handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    except OSError as error:
        msg = f"{path}: the log file cannot be written ({error.strerror})"
        raise InputError(msg) from None
    handler.setFormatter(UtcFormatter(FILE_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(OwnOrWarning())
    return handler


def _add(root: logging.Logger, handler: logging.Handler) -> None:
    handler.set_name(OURS)
    root.addHandler(handler)


def close() -> None:
    """Remove the handlers that `configure` set, and close the log file."""
    root = logging.getLogger()
    for handler in [item for item in root.handlers if item.get_name() == OURS]:
        root.removeHandler(handler)
        handler.close()
    logging.captureWarnings(capture=False)
    _state["debug"] = False


def log_platform() -> None:
    """Log the machine, Python and the libraries' versions in one line."""
    versions = [f"{name} {found}" for name in LIBRARIES if (found := _version(name))]
    logging.getLogger(OURS).debug(
        "Python %s on %s %s; %s",
        platform.python_version(),
        platform.system(),
        platform.machine(),
        ", ".join(versions),
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
