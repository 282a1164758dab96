"""Files that appear whole under their final name or not at all.

A file is written under a hidden name in the same folder (`.NAME.PID.tmp`), forced to disk and
renamed; an older file of that name stays whole until then. A writer that is killed leaves
only its hidden file.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from calwebb_core.framework.errors import InputError, ProcessingError

# Failures of the disk or its permissions; any other error comes from the code that writes.
DISK_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}
)


# Disks force many files at once hardly slower than one after the other.
WRITERS = 16


@contextmanager
def atomic_path(final: Path, *, flush_folder: bool = True) -> Iterator[Path]:
    """Hand out a temporary path that becomes `final` when the block ends without an error.

    Parameters
    ----------
    final : Path
        The file to write; its folder must exist.
    flush_folder : bool
        Whether the folder's list of names is forced to disk, too.

    Yields
    ------
    Path
        A new, empty file in the same folder. It is gone after an exception.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written.
    ProcessingError
        If the disk is full or fails while the block writes.
    """
    final = Path(final)
    temporary = final.with_name(f".{final.name}.{os.getpid()}.tmp")
    try:
        make_new(temporary)
    except OSError as error:
        msg = f"{final}: cannot be written: {error.strerror}; choose another output folder"
        raise InputError(msg) from error
    try:
        with disk_errors(final):
            yield temporary
            flush(temporary)
            temporary.replace(final)
            if flush_folder:
                flush(final.parent)
    finally:
        temporary.unlink(missing_ok=True)


def make_new(path: Path) -> None:
    """Make an empty file in the place of what a killed program left there, never behind a link."""
    path.unlink(missing_ok=True)
    path.open("xb").close()


@contextmanager
def disk_errors(final: Path) -> Iterator[None]:
    """Tell failures of the disk in a sentence while a file is written.

    Raises
    ------
    ProcessingError
        Naming the file and what the system says.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        msg = f"{final}: could not be written: {error.strerror}; an older file is left as it was"
        raise ProcessingError(msg) from error


def reserve(file: int, size: int) -> None:
    """Give a file a size, and the room on disk: touching a page for which there is none is fatal.

    Raises
    ------
    OSError
        If the disk is full.
    """
    os.ftruncate(file, size)
    if hasattr(os, "posix_fallocate") and size:
        os.posix_fallocate(file, 0, size)


def flush(path: Path) -> None:
    """Force a file or a folder's list of names to disk.

    File systems that cannot flush a folder say EINVAL; their rename is all there is.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 with Unix line ends, whole or not at all.

    Raises
    ------
    InputError, ProcessingError
        As `atomic_path`.
    """
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write many text files as `write_text` does, several at a time.

    Each is whole or absent at any moment; the folders' lists of names are forced to disk at the
    end.

    Raises
    ------
    InputError, ProcessingError
        As `atomic_path`, for the first file that fails; others may have been written.
    """
    from concurrent.futures import ThreadPoolExecutor

    def write(path: Path, text: str) -> None:
        with atomic_path(path, flush_folder=False) as temporary:
            temporary.write_bytes(text.encode("utf-8"))

    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(write, texts.keys(), texts.values()):
            pass
    for folder in sorted({path.parent for path in texts}):
        flush(folder)


def check_writable(directory: Path) -> None:
    """Make sure that products can be written to a folder; it is made if it is missing.

    Raises
    ------
    InputError
        If it is not a folder or cannot be made or written.
    """
    directory = Path(directory)
    probe = directory / f".writable.{os.getpid()}.tmp"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.open("wb").close()
        probe.unlink()
    except OSError as error:
        reason = "it is a file" if directory.is_file() else error.strerror
        msg = f"{directory}: the output folder cannot be written: {reason}; choose another one"
        raise InputError(msg) from error
