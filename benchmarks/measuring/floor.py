"""The floor: read the bytes that stage 1 needs and write as many as it makes, nothing else.

``python floor.py PLAN.json OUTPUT_DIR``; the plan has the ranges to read, (path, offset, size),
and the sizes of the files to write. Products are forced to disk as those of the pipeline are.
"""

import json
import os
import sys
from pathlib import Path

PIECE = 1 << 24


def read(path: str, offset: int, size: int, buffer: bytearray) -> None:
    """Read a range of a file."""
    with Path(path).open("rb", buffering=0) as stream:
        stream.seek(offset)
        view = memoryview(buffer)
        while size > 0:
            count = stream.readinto(view[: min(PIECE, size)])
            if not count:
                break
            size -= count


def write(path: Path, size: int, buffer: bytearray) -> None:
    """Write a file of some size and force it to disk."""
    view = memoryview(buffer)
    with path.open("wb", buffering=0) as stream:
        while size > 0:
            size -= stream.write(view[: min(PIECE, size)])
        os.fsync(stream.fileno())


def main(plan: str, output_dir: str) -> None:
    """Do it."""
    buffer = bytearray(PIECE)
    todo = json.loads(Path(plan).read_text())
    for path, offset, size in todo["read"]:
        read(path, offset, size, buffer)
    Path(output_dir).mkdir(parents=True, exist_ok=True)
    for number, size in enumerate(todo["write"]):
        write(Path(output_dir) / f"{number}.bin", size, buffer)


if __name__ == "__main__":
    main(*sys.argv[1:])
