"""Headers of many files: read side by side, and kept until a file changes.

What was read is kept in a file by path, size, time of change and inode of the FITS file. It
has one line of JSON a file behind a first line that says what it is, so that it can be thrown
away at any time and is never mistaken for something else.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

from calwebb_associate import headers
from calwebb_associate.headers import KEYWORDS, Header, Value
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plain_files import open_regular

CACHE_NAME: Final = ".calwebb_headers.jsonl"
CACHE_FORMAT: Final = "calwebb headers 2"
NAMES: Final = tuple(sorted(KEYWORDS))
READERS: Final = 16
AT_ONCE: Final = 32
# Elapsed time over processor time from which on files are waited for.
WAITING: Final = 3.0

Identity = tuple[int, int, int]
Result = TypeVar("Result")

log = logging.getLogger(__name__)


class HeaderCache:
    """Headers kept in a file by path, size, time of change and inode of the FITS file.

    Parameters
    ----------
    path : Path or None
        The file; nothing is kept without one. One that cannot be used is made anew, with a
        warning.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._words: dict[Value | None, Value | None] = {}
        self._kept: dict[str, tuple[Identity, Sequence[Value | None]]] = {}
        self._changed = False
        if path is not None:
            self._load(path)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, path: Path, status: os.stat_result) -> Header | None:
        """Return what was kept of a file, None if it has changed since or was not read."""
        entry = self._kept.get(_key(path))
        if entry is None or entry[0] != _identity(status):
            return None
        pairs = zip(NAMES, entry[1], strict=True)
        return {name: value for name, value in pairs if value is not None}

    def put(self, path: Path, status: os.stat_result, header: Header) -> None:
        """Keep a file's header."""
        if self._path is not None:
            values = tuple(self._once(header.get(name)) for name in NAMES)
            self._kept[_key(path)] = (_identity(status), values)
            self._changed = True

    def read(self, path: Path, status: os.stat_result) -> Header:
        """Return a file's header, from what was kept if the file has not changed since."""
        header = self.get(path, status)
        if header is None:
            header = headers.read_primary(path)
            self.put(path, status, header)
        return header

    def save(self) -> None:
        """Write what was read since, if a file was named."""
        if self._path is None or not self._changed:
            return
        from calwebb_core.framework.atomic import write_text

        write_text(self._path, "".join(self._lines()))
        self._changed = False

    def _lines(self) -> Iterator[str]:
        yield json.dumps({"format": CACHE_FORMAT, "keywords": NAMES}) + "\n"
        for key, (identity, values) in sorted(self._kept.items()):
            yield json.dumps([key, *identity, values], separators=(",", ":")) + "\n"

    def _load(self, path: Path) -> None:
        """Read what was kept; another format or damage means starting anew."""
        try:
            with TextIOWrapper(open_regular(path), encoding="utf-8") as file:
                if not _is_ours(file.readline()):
                    return
                for line in file:
                    key, size, changed, inode, values = json.loads(line)
                    self._check(key, (size, changed, inode), values)
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, RecursionError) as error:
            log.warning("%s: kept headers cannot be used (%s); they are read again", path, error)
            self._kept.clear()

    def _check(self, key: object, identity: Identity, values: object) -> None:
        numbers = all(type(number) is int for number in identity)
        if not (isinstance(key, str) and numbers and isinstance(values, list)):
            msg = "a line is of another form"
            raise ValueError(msg)
        if len(values) != len(NAMES) or not all(_is_value(value) for value in values):
            msg = "a line has other values"
            raise ValueError(msg)
        self._kept[key] = (identity, tuple(map(self._once, values)))

    def _once(self, value: Value | None) -> Value | None:
        """Return the first of equal texts, so that it is in memory once."""
        return self._words.setdefault(value, value) if isinstance(value, str) else value


def read_headers(
    paths: Sequence[Path], cache: Path | None = None
) -> tuple[dict[Path, Header], dict[Path, int]]:
    """Return header and size in bytes of each file, read side by side or kept from before.

    Parameters
    ----------
    paths : sequence of Path
        FITS files.
    cache : Path, optional
        File in which headers are kept for the next time.

    Raises
    ------
    InputError
        If a file cannot be read, is not FITS, or ends within its header: the first of them.
    """
    kept = HeaderCache(cache)
    statuses = dict(zip(paths, _each(_status, paths), strict=True))
    found = {path: kept.get(path, status) for path, status in statuses.items()}
    missing = [path for path, header in found.items() if header is None]
    for path, header in zip(missing, _each(_read, missing), strict=True):
        kept.put(path, statuses[path], header)
        found[path] = header
    kept.save()
    sizes = {path: status.st_size for path, status in statuses.items()}
    return {path: header for path, header in found.items() if header is not None}, sizes


def _each(work: Callable[[Path], Result], paths: Sequence[Path]) -> Iterator[Result]:
    """Yield what comes of each file, in their order.

    Threads pay where files are waited for, on a server or a cold disk. Where they are at hand,
    one thread is faster than several, and than processes: the work is Python's.
    """

    def part(at: int) -> list[Result]:
        return [work(path) for path in paths[at : at + AT_ONCE]]

    waited, worked = time.perf_counter(), time.thread_time()
    first = part(0)
    waited, worked = time.perf_counter() - waited, time.thread_time() - worked
    yield from first
    rest = range(AT_ONCE, len(paths), AT_ONCE)
    if waited < WAITING * worked:
        yield from chain.from_iterable(map(part, rest))
        return
    with ThreadPoolExecutor(READERS) as readers:
        yield from chain.from_iterable(readers.map(part, rest))


def _read(path: Path) -> Header:
    return headers.read_primary(path)


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error


def _key(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - ten thousand of them: Path.absolute is slow


def _identity(status: os.stat_result) -> Identity:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _is_ours(line: str) -> bool:
    """Tell whether a cache's first line is that of this version; refuse what is no cache."""
    content: Any = json.loads(line)
    if not isinstance(content, dict) or not str(content.get("format")).startswith("calwebb "):
        msg = "it holds something else"
        raise ValueError(msg)
    return content == {"format": CACHE_FORMAT, "keywords": list(NAMES)}


def _is_value(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)
