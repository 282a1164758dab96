#!/usr/bin/env python3
"""Give an image fixed times and a fixed identifier, so that two builds have the same bytes.

The file system inside is reproducible already; Apptainer still writes the clock and a random
identifier into the header of the file. Run it before an image is signed: signatures cover both.

    containers/sif_normalize.py IMAGE.sif EPOCH
"""

import struct
import sys
from pathlib import Path

HEADER = 128
MAGIC = slice(32, 41)
IDENTIFIER = 48  # offset; 16 bytes, then the times of creation and of the last change
TABLE = struct.Struct("<4q")  # free and all descriptors, offset and size of their table
DESCRIPTOR = 585
IN_USE = 4  # offset in a descriptor
TIMES = 41  # offset in a descriptor; creation and last change


def normalize(path: Path, epoch: int) -> None:
    """Write the times and the identifier in place.

    Raises
    ------
    SystemExit
        If the file is not an image.
    """
    with path.open("r+b") as file:
        head = file.read(HEADER)
        if head[MAGIC] != b"SIF_MAGIC":
            sys.exit(f"{path}: not an image in the Singularity image format")
        _, descriptors, offset, _ = TABLE.unpack_from(head, IDENTIFIER + 16 + 16)
        file.seek(offset)
        table = bytearray(file.read(DESCRIPTOR * descriptors))
        for start in range(0, len(table), DESCRIPTOR):
            if table[start + IN_USE]:
                struct.pack_into("<qq", table, start + TIMES, epoch, epoch)
        file.seek(offset)
        file.write(table)
        file.seek(IDENTIFIER)
        file.write(bytes(16) + struct.pack("<qq", epoch, epoch))


if __name__ == "__main__":
    normalize(Path(sys.argv[1]), int(sys.argv[2]))
