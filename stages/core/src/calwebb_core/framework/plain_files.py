"""Files that others made, opened and read within limits.

A name may stand for a pipe or a device, on which a reader waits or never comes to an end; a file
may be as large as the disk. Here only regular files are opened, and whole files are read up to a
limit that is far above what such files hold.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

MEGABYTE: Final = 1_000_000
# Of an association, a list of references, parameters or rules; a list of 100,000 files is smaller.
LARGEST_TEXT: Final = 50 * MEGABYTE
# What is compressed may hold so many bytes, or so many times what is stored.
ANY_SIZE, MOST_TIMES = 256 * MEGABYTE, 100


def most_bytes(stored: int) -> int:
    """Return how many bytes may come of a number of compressed ones; pixels are far fewer."""
    return max(ANY_SIZE, MOST_TIMES * stored)


def regular_opener(path: str, flags: int) -> int:
    """Open a regular file for `open(..., opener=regular_opener)`; anything else is an OSError.

    A pipe without a writer is not waited for.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "it is a pipe or device; expected a regular file", path)


def open_regular(path: str | os.PathLike[str], buffering: int = -1) -> BinaryIO:
    """Open a regular file to read bytes; 0 for no buffer between.

    Raises
    ------
    OSError
        If there is none, it cannot be read, or it is a folder, a pipe or a device.
    """
    try:
        return open(path, "rb", buffering, opener=regular_opener)
    except ValueError as error:  # a null character, or one that no file's name has
        raise OSError(errno.EINVAL, "its name is none that a file can have", str(path)) from error


def read_content(path: str | os.PathLike[str], largest: int = LARGEST_TEXT) -> bytes:
    """Return what a regular file holds.

    Raises
    ------
    OSError
        As `open_regular`, or if it holds more than `largest` bytes.
    """
    with open_regular(path) as stream:
        if os.fstat(stream.fileno()).st_size <= largest:
            content = stream.read(largest + 1)
            if len(content) <= largest:
                return content
    limit = f"{largest / MEGABYTE:g} MB"
    raise OSError(errno.EFBIG, f"it is too large; expected at most {limit}", str(path))


def read_text(
    path: str | os.PathLike[str], encoding: str = "utf-8", largest: int = LARGEST_TEXT
) -> str:
    """Return the text of a regular file, with Unix line ends.

    Raises
    ------
    OSError
        As `read_content`.
    UnicodeDecodeError
        If it is not text in this encoding.
    """
    text = read_content(Path(path), largest).decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_holes(descriptor: int, size: int) -> None:
    """Refuse a large file of which the disk holds next to nothing: its pixels would be zeros.

    Raises
    ------
    OSError
        As for compressed data, if less than a hundredth is there.
    """
    if size <= ANY_SIZE:
        return
    here = os.lseek(descriptor, 0, os.SEEK_CUR)
    try:
        found = stored_bytes(descriptor, size, -(-size // MOST_TIMES))
    finally:
        os.lseek(descriptor, here, os.SEEK_SET)
    if found * MOST_TIMES < size:
        text = f"it has {size} bytes, but all except {found} are holes that were never written"
        raise OSError(errno.EINVAL, text)


def stored_bytes(descriptor: int, size: int, enough: int) -> int:
    """Return how many bytes of a file are there, or `enough` and more; moves its position."""
    found = place = 0
    while place < size and found < enough:
        try:
            place = os.lseek(descriptor, place, os.SEEK_DATA)
        except OSError as error:
            # none from here on, or a file system that does not tell
            return found if error.errno == errno.ENXIO else size
        end = os.lseek(descriptor, place, os.SEEK_HOLE)
        found, place = found + end - place, end
    return found
