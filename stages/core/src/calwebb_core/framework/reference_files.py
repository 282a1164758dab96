"""Read a reference file, FITS or ASDF, and cut it out to an exposure's subarray."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.reference_data import Reference, Window, check_fits, science_window
from calwebb_core.framework.reference_dq import translate_dq

STRUCTURE = ("SIMPLE", "BITPIX", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "BZERO", "BSCALE")


def read_reference(
    kind: str, path: Path, science: Metadata | None = None, *, cutout: bool = True
) -> Reference:
    """Read a reference file for an exposure.

    Parameters
    ----------
    kind : str
        CRDS type in lower case.
    path : Path
        FITS or ASDF file.
    science : Metadata, optional
        Keywords of the exposure it is for; without them nothing is checked or cut.
    cutout : bool
        Cut image arrays that cover the detector out to the exposure's subarray.

    Raises
    ------
    ReferenceFileError
        If the file is missing, unreadable, of another type, instrument or detector, or does
        not cover the exposure's subarray.
    """
    if not path.is_file():
        raise ReferenceFileError(missing_text(kind, path))
    if path.suffix in (".asdf", ".json", ".yaml"):
        reference = _read_asdf(kind, path)
    else:
        reference = _read_fits(kind, path, science if cutout else None)
    if science is not None:
        check_fits(reference, science)
    return reference


def missing_text(kind: str, path: Path) -> str:
    """Return the message for a reference file that is not there, with ways to get it."""
    return (
        f"{path}: the {kind} reference file does not exist; fetch it with "
        f"`crds sync --files {path.name}` or name another with --override {kind}=FILE"
    )


def _read_fits(kind: str, path: Path, science: Metadata | None) -> Reference:
    from astropy.io import fits

    with warnings.catch_warnings():
        # astropy only warns about a truncated file; it is checked below
        warnings.simplefilter("ignore")
        try:
            # astropy maps no scaled integers into memory, and DQ arrays are such
            with fits.open(path, memmap=False) as hdus:
                _check_complete(kind, path, hdus)
                return _fill(kind, path, hdus, science)
        except (OSError, ValueError, TypeError, KeyError) as error:
            reason = " ".join(str(error).split())
            msg = f"{path}: the {kind} reference file is no readable FITS file ({reason})"
            raise ReferenceFileError(msg) from error


def _check_complete(kind: str, path: Path, hdus: Any) -> None:
    if path.suffix == ".gz":
        return
    last = hdus[-1].fileinfo()
    needed = last["datLoc"] + last["datSpan"]
    size = path.stat().st_size
    if size < needed:
        msg = (
            f"{path}: the {kind} reference file is truncated: {size} bytes, expected {needed}; "
            f"fetch it again"
        )
        raise ReferenceFileError(msg)


def _fill(kind: str, path: Path, hdus: Any, science: Metadata | None) -> Reference:
    reference = Reference(kind, path.name, path, _fits_metadata(hdus, path))
    cut = _Cutter(reference, hdus, science)
    for hdu in hdus:
        name = hdu.name if hdu.ver == 1 else f"{hdu.name},{hdu.ver}"
        if name == "ASDF" or (hdu.is_image and not hdu.shape):
            continue
        if hdu.is_image:
            reference.arrays[name] = cut.read(hdu)
        else:
            reference.tables[name] = _read_table(hdu)
    reference.dq = translate_dq(reference)
    return reference


def _fits_metadata(hdus: Any, path: Path) -> Metadata:
    metadata = Metadata(source=str(path))
    for name in ("SCI", 0):
        if name in hdus:
            for card in hdus[name].header.cards:
                if _is_content(card.keyword):
                    metadata[card.keyword] = card.value
    return metadata


def _is_content(keyword: str) -> bool:
    return bool(keyword) and not (
        keyword in STRUCTURE or keyword.startswith("NAXIS") or keyword in ("COMMENT", "HISTORY")
    )


def _read_table(hdu: Any) -> Table:
    columns = {name: _column(hdu.data[name]) for name in hdu.columns.names}
    dtype = [(name, column.dtype, column.shape[1:]) for name, column in columns.items()]
    data = np.empty(len(hdu.data), dtype=dtype)
    for name, column in columns.items():
        data[name] = column
    units = {item.name: item.unit for item in hdu.columns if item.unit}
    return Table(data, units)


def _column(values: Any) -> NDArray[Any]:
    column = np.asarray(values)
    if column.dtype.kind == "S":
        column = np.char.decode(column, "ascii")
    if column.dtype.kind == "U":
        return np.char.strip(column)
    return column.astype(column.dtype.newbyteorder("="))


class _Cutter:
    """Reads image HDUs, only the exposure's subarray of those that cover the detector."""

    def __init__(self, reference: Reference, hdus: Any, science: Metadata | None) -> None:
        self.wanted = science_window(science) if science is not None else None
        self.window = reference_window(reference, hdus)
        if self.wanted and self.window and not self.window.contains(self.wanted):
            source = science.source if science is not None else ""
            msg = (
                f"{reference.path}: the {reference.type} reference file covers {self.window}, "
                f"but the exposure {source} is {self.wanted}; choose a file for its subarray"
            )
            raise ReferenceFileError(msg)

    def read(self, hdu: Any) -> NDArray[Any]:
        """Return an HDU's pixels in native byte order."""
        if self.wanted and self.window and hdu.shape[-2:] == (self.window.ny, self.window.nx):
            x, y = self.wanted.x - self.window.x, self.wanted.y - self.window.y
            rows, columns = slice(y, y + self.wanted.ny), slice(x, x + self.wanted.nx)
            pixels = hdu.section[(..., rows, columns)]
        else:
            pixels = hdu.data
        return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))


def reference_window(reference: Reference, hdus: Any) -> Window | None:
    """Return the part of the detector that a reference file covers, or None if it has no image.

    Raises
    ------
    ReferenceFileError
        If SUBSIZE1 and SUBSIZE2 contradict the array.
    """
    shapes = {hdu.name: hdu.shape for hdu in hdus if hdu.is_image and len(hdu.shape) >= 2}
    name = next((name for name in ("SCI", "DQ", "COEFFS") if name in shapes), None)
    if name is None:
        return None
    ny, nx = shapes[name][-2:]
    metadata = reference.metadata
    size = (metadata.get("SUBSIZE1", nx), metadata.get("SUBSIZE2", ny))
    # ipc holds a kernel, whatever its keywords say about the detector
    if reference.type == "ipc" and size != (nx, ny):
        return None
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


def _read_asdf(kind: str, path: Path) -> Reference:
    import asdf

    with warnings.catch_warnings():
        # old tags and missing software versions say nothing about the content
        warnings.simplefilter("ignore")
        try:
            with asdf.open(path, memmap=False, lazy_load=False) as file:
                tree = dict(file.tree)
        except Exception as error:  # asdf raises many kinds; all mean an unreadable file
            reason = " ".join(str(error).split())
            msg = f"{path}: the {kind} reference file is no readable ASDF file ({reason})"
            raise ReferenceFileError(msg) from error
    return Reference(kind, path.name, path, _asdf_metadata(tree, path), tree=tree)


def _asdf_metadata(tree: dict[str, Any], path: Path) -> Metadata:
    meta = tree.get("meta") or {}
    instrument = meta.get("instrument") or {}
    values = {
        "REFTYPE": meta.get("reftype"),
        "TELESCOP": meta.get("telescope"),
        "INSTRUME": instrument.get("name"),
        "DETECTOR": instrument.get("detector"),
        "USEAFTER": str(meta.get("useafter", "")),
        "PEDIGREE": meta.get("pedigree"),
    }
    present = {key: value for key, value in values.items() if isinstance(value, str) and value}
    return Metadata(present, str(path))
