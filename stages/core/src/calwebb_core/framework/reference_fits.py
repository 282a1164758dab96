"""Read a FITS reference file: keywords, tables and flags now, other arrays when asked for."""

import gzip
import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.fits_layout import Hdu, scan, walk
from calwebb_core.framework.fits_read import read_bytes
from calwebb_core.framework.fits_tables import read_plain
from calwebb_core.framework.memory import check_room, most_memory
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.plain_files import most_bytes
from calwebb_core.framework.reference_arrays import FileArrays
from calwebb_core.framework.reference_data import Reference, Window, science_window
from calwebb_core.framework.reference_dq import translate_dq

STRUCTURE = ("SIMPLE", "BITPIX", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "BZERO", "BSCALE")
WHOLE = (slice(None), slice(None))
IRS2_FRAME = (2048, 3200)


def read_fits_reference(kind: str, path: Path, science: Metadata | None) -> Reference:
    """Read a FITS reference file, cut out to the subarray of an exposure if one is given.

    Raises
    ------
    ReferenceFileError
        If it is unreadable, truncated, or does not cover the exposure's subarray.
    """
    try:
        hdus = [] if path.suffix == ".gz" else scan(path)
    except InputError as error:
        raise ReferenceFileError(unreadable(kind, path, str(error))) from error
    if not hdus or any("ZIMAGE" in hdu.header for hdu in hdus):
        return read_compressed(kind, path, science)
    metadata = metadata_of((hdus[0].header, *(h.header for h in hdus if h.name == "SCI")), path)
    reference = Reference(kind, path.name, path, metadata)
    reference.headers = {name_of(hdu): content_of(hdu.header) for hdu in hdus[1:]}
    images = {name_of(h): h for h in hdus if h.is_image and h.shape and h.name != "ASDF"}
    window = reference_window(reference, {name: hdu.shape for name, hdu in images.items()})
    size = (window.ny, window.nx) if window else (0, 0)
    reference.arrays = FileArrays(path, images, cut_of(reference, window, science), size)
    tables = [hdu for hdu in hdus if not hdu.is_image and hdu.name != "ASDF"]
    check_room(path, "its tables", sum(hdu.size for hdu in tables), ReferenceFileError)
    if tables:
        reference.tables = read_tables(kind, path, tables)
    reference.dq = translate_dq(reference)
    return reference


def unreadable(kind: str, path: Path, reason: str) -> str:
    """Return the message for a file that is damaged, in its own words."""
    reason = " ".join(reason.removeprefix(f"{path}: ").split())
    if reason.startswith("is truncated"):
        return f"{path}: the {kind} reference file {reason.split('; copy')[0]}; fetch it again"
    return f"{path}: the {kind} reference file is no readable FITS file ({reason})"


def name_of(hdu: Hdu) -> str:
    """Return EXTNAME, with EXTVER behind a comma unless that is 1."""
    return hdu.name if hdu.version == 1 else f"{hdu.name},{hdu.version}"


def read_tables(kind: str, path: Path, hdus: list[Hdu]) -> dict[str, Table]:
    """Read the binary tables of a file."""
    plain = {name_of(hdu): read_plain(read_bytes(path, hdu), hdu) for hdu in hdus}
    if all(table is not None for table in plain.values()):
        return {name: with_texts(table) for name, table in plain.items() if table is not None}
    with opened(kind, path) as opened_hdus:
        return {
            name_of_astropy(hdu): _read_table(hdu)
            for hdu in opened_hdus
            if hdu.name != "ASDF" and not hdu.is_image
        }


def with_texts(table: Table) -> Table:
    """Return a table whose texts are stripped `str` instead of bytes, without its keywords."""
    names = table.data.dtype.names or ()
    columns = {name: _column(table.data[name]) for name in names}
    return Table(assemble(columns, len(table.data)), table.units)


def assemble(columns: dict[str, NDArray[Any]], rows: int) -> NDArray[Any]:
    """Return columns as a structured array."""
    fields = [(name, column.dtype, column.shape[1:]) for name, column in columns.items()]
    data = np.empty(rows, dtype=fields)
    for name, column in columns.items():
        data[name] = column
    return data


def read_compressed(kind: str, path: Path, science: Metadata | None) -> Reference:
    """Read a file that is compressed, as a whole or its images, at once."""
    with opened(kind, path) as hdus:
        metadata = metadata_of((hdus[0].header, *(h.header for h in hdus if h.name == "SCI")), path)
        reference = Reference(kind, path.name, path, metadata)
        reference.headers = {name_of_astropy(h): content_of(h.header) for h in hdus[1:]}
        images = {
            name_of_astropy(h): h for h in hdus if h.is_image and h.shape and h.name != "ASDF"
        }
        window = reference_window(reference, {name: hdu.shape for name, hdu in images.items()})
        cut = cut_of(reference, window, science)
        arrays = {}
        for name, hdu in images.items():
            whole = not window or hdu.shape[-2:] != (window.ny, window.nx)
            pixels = hdu.data[(..., *(WHOLE if whole else cut))]
            arrays[name] = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
        reference.arrays = arrays
        reference.tables = {
            name_of_astropy(h): _read_table(h) for h in hdus if h.name != "ASDF" and not h.is_image
        }
    reference.dq = translate_dq(reference)
    return reference


@contextmanager
def opened(kind: str, path: Path) -> Iterator[Any]:
    """Open a file with astropy; whatever is wrong with it becomes a ReferenceFileError."""
    from astropy.io import fits

    with warnings.catch_warnings():
        # others' headers break the standard in ways that do not matter here
        warnings.simplefilter("ignore")
        try:
            source, stored = unpacked(path)
            with fits.open(source, memmap=False) as hdus:
                check_images(hdus, stored)
                yield hdus
        except (ReferenceFileError, MemoryError):
            raise
        except Exception as error:  # astropy raises many kinds; all mean an unreadable file
            raise ReferenceFileError(unreadable(kind, path, str(error))) from error


def unpacked(path: Path) -> tuple[Path | io.BytesIO, int]:
    """Return a file, or what it holds if it is compressed as a whole, and its size.

    Raises
    ------
    ValueError
        If it is compressed in another way than by gzip, or far more than pixels can be.
    """
    if path.suffix != ".gz":
        return path, path.stat().st_size
    largest = min(most_bytes(path.stat().st_size), most_memory() // 4)
    content = io.BytesIO()
    with gzip.open(path) as stream:
        while part := stream.read(1 << 20):
            content.write(part)
            if content.tell() > largest:
                msg = f"it holds more than {largest} bytes, which no pixels do at its size"
                raise ValueError(msg)
    if bytes(content.getbuffer()[:6]) != b"SIMPLE":
        msg = "what it holds does not start with SIMPLE"
        raise ValueError(msg)
    size = content.tell()
    for _ in walk(path, content):  # checks what the headers say
        pass
    content.seek(0)
    return content, size


def check_images(hdus: Any, stored: int) -> None:
    """Refuse compressed images that are said to be far larger than the whole file.

    Raises
    ------
    ValueError
        Naming both sizes.
    """
    size = sum(int(hdu.size) for hdu in hdus if hdu.is_image)
    if size > min(most_bytes(stored), most_memory()):
        msg = f"its images are said to hold {size} bytes, but the file has {stored}"
        raise ValueError(msg)


def name_of_astropy(hdu: Any) -> str:
    """Return the name of an HDU of astropy as `name_of` does."""
    return hdu.name if hdu.ver == 1 else f"{hdu.name},{hdu.ver}"


def metadata_of(headers: Iterable[Any], path: Path) -> Metadata:
    """Return the keywords of PRIMARY and then of SCI, where PRIMARY has the last word."""
    metadata = Metadata(source=str(path))
    for header in reversed(list(headers)[:2]):
        metadata.update(content_of(header))
    return metadata


def content_of(header: Any) -> dict[str, Any]:
    """Return the keywords of a header that say something about its content."""
    found: dict[str, Any] = {}
    for card in header.cards:
        if _is_content(card.keyword):
            # a value that follows no form of the standard says nothing
            with suppress(ValueError):
                found[card.keyword] = card.value
    return found


def _is_content(keyword: str) -> bool:
    return bool(keyword) and not (
        keyword in STRUCTURE or keyword.startswith("NAXIS") or keyword in ("COMMENT", "HISTORY")
    )


def _read_table(hdu: Any) -> Table:
    columns = {name: _column(hdu.data[name]) for name in hdu.columns.names}
    units = {item.name: item.unit for item in hdu.columns if item.unit}
    return Table(assemble(columns, len(hdu.data)), units)


def _column(values: Any) -> NDArray[Any]:
    column = np.asarray(values)
    if column.dtype.kind == "S":
        column = np.char.decode(column, "ascii")
    if column.dtype.kind == "U":
        return np.char.strip(column)
    return column.astype(column.dtype.newbyteorder("="))


def cut_of(
    reference: Reference, window: Window | None, science: Metadata | None
) -> tuple[slice, slice]:
    """Return rows and columns of the exposure's subarray within what the reference covers.

    Raises
    ------
    ReferenceFileError
        If it does not cover it.
    """
    wanted = science_window(science) if science is not None else None
    if wanted is None or window is None:
        return WHOLE
    if not window.contains(wanted):
        source = science.source if science is not None else ""
        msg = (
            f"{reference.path}: the {reference.type} reference file covers {window}, "
            f"but the exposure {source} is {wanted}; choose a file for its subarray"
        )
        raise ReferenceFileError(msg)
    x, y = wanted.x - window.x, wanted.y - window.y
    return slice(y, y + wanted.ny), slice(x, x + wanted.nx)


def reference_window(reference: Reference, shapes: Mapping[str, tuple[int, ...]]) -> Window | None:
    """Return the part of the detector that a reference file covers, or None if it has no image.

    Raises
    ------
    ReferenceFileError
        If SUBSIZE1 and SUBSIZE2 contradict the array.
    """
    shapes = {name: shape for name, shape in shapes.items() if len(shape) >= 2}
    name = next((name for name in ("SCI", "DQ", "COEFFS") if name in shapes), None)
    if name is None:
        return None
    ny, nx = shapes[name][-2:]
    metadata = reference.metadata
    size = (metadata.get("SUBSIZE1", nx), metadata.get("SUBSIZE2", ny))
    # ipc holds a kernel, whatever its keywords say about the detector
    if reference.type == "ipc" and size != (nx, ny):
        return None
    # NIRSpec's IRS2 readout has rows between the pixels that SUBSIZE2 does not count
    if (nx, ny) == IRS2_FRAME and size in (IRS2_FRAME, (nx, nx)):
        return Window(1, 1, nx, nx)
    if size != (nx, ny):
        msg = (
            f"{reference.path}: SUBSIZE1, SUBSIZE2 are {size[0]}, {size[1]}, "
            f"but {name} has {nx} columns and {ny} rows"
        )
        raise ReferenceFileError(msg)
    start = [_start(metadata, keyword) for keyword in ("SUBSTRT1", "SUBSTRT2")]
    return Window(start[0], start[1], nx, ny)


def _start(metadata: Metadata, keyword: str) -> int:
    value = metadata.get(keyword, 1)
    return value if isinstance(value, int) and value > 0 else 1
