"""Products on disk and in memory: what everybody uses to read and write them.

All float arrays are float32 and all flags uint32 (GROUPDQ uint8), big-endian in the file and
native here. Every HDU has CHECKSUM and DATASUM; the last one is the ASDF extension with the
metadata, the WCS and the provenance. A file appears whole or not at all.
"""

from pathlib import Path

from calwebb_core.framework.product_reading import (
    read_image,
    read_metadata,
    read_ramp,
    read_segmentation,
)
from calwebb_core.framework.product_writing import (
    write_image,
    write_pixels,
    write_planes,
    write_ramp,
    write_raw,
    write_segmentation,
)
from calwebb_core.framework.raw_ramp import RawRamp, clear_nan, open_raw
from calwebb_core.framework.roots import root_of

__all__ = [
    "RawRamp",
    "clear_nan",
    "open_raw",
    "product_path",
    "read_image",
    "read_metadata",
    "read_ramp",
    "read_segmentation",
    "root_of",
    "write_image",
    "write_pixels",
    "write_planes",
    "write_ramp",
    "write_raw",
    "write_segmentation",
]


def product_path(directory: Path, root: str, suffix: str, extension: str = "fits") -> Path:
    """Return where a product is written: `directory/root_suffix.extension`."""
    return Path(directory) / f"{root}_{suffix}.{extension}"
