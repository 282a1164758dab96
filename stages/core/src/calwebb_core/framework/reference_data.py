"""Read one reference file: check that it fits, cut it out, translate its quality bits."""

import logging
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.science.dq import PixelDQ

logger = logging.getLogger(__name__)
ANY_VALUE = ("", "N/A", "ANY", "ALL", "MULTI", "MULTIPLE", "GENERIC")
LONG_NAMES = {"NRCA5": "NRCALONG", "NRCB5": "NRCBLONG"}
STRUCTURE = ("SIMPLE", "BITPIX", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "BZERO", "BSCALE")


class Window(NamedTuple):
    """Rectangle of detector pixels: first column and row (1-based), columns, rows."""

    x: int
    y: int
    nx: int
    ny: int

    def contains(self, other: "Window") -> bool:
        """Say whether another window lies within this one."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.nx <= self.x + self.nx
            and other.y + other.ny <= self.y + self.ny
        )

    def __str__(self) -> str:
        last_x, last_y = self.x + self.nx - 1, self.y + self.ny - 1
        return f"columns {self.x}-{last_x}, rows {self.y}-{last_y}"


@dataclass
class Reference:
    """One loaded reference file.

    Attributes
    ----------
    type : str
        CRDS type in lower case.
    name : str
        File name.
    path : Path or None
        None when it was made in memory.
    metadata : Metadata
        Keywords of PRIMARY and SCI, or their equals from the tree of an ASDF file.
    arrays : dict
        Image HDUs by EXTNAME ("SCI", second of the name "SCI,2"): native byte order,
        C-contiguous, type kept, cut out to the exposure's subarray. Never write into them.
    tables : dict
        Binary tables by EXTNAME; texts are stripped `str`.
    tree : dict or None
        Tree of an ASDF file.
    dq : uint32 array or None
        The DQ array with its bits translated by name (DQ_DEF) to `PixelDQ`.
    """

    type: str
    name: str = ""
    path: Path | None = None
    metadata: Metadata = field(default_factory=Metadata)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    tree: dict[str, Any] | None = None
    dq: NDArray[np.uint32] | None = None

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return sum(array.nbytes for array in self.arrays.values())


def science_window(metadata: Metadata) -> Window | None:
    """Return the exposure's subarray on the detector, or None if the keywords are absent."""
    keywords = ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
    values = [value for key in keywords if isinstance(value := metadata.get(key), int)]
    return Window(*values) if len(values) == len(keywords) else None


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


def check_fits(reference: Reference, science: Metadata) -> None:
    """Check that a reference file is of its type and made for the exposure's detector.

    Raises
    ------
    ReferenceFileError
        If REFTYPE, INSTRUME or DETECTOR say otherwise.
    """
    found = str(reference.metadata.get("REFTYPE", "")).strip().lower()
    if found and found != reference.type:
        msg = (
            f"{reference.path}: REFTYPE is {found!r}, expected {reference.type!r}; "
            f"name the right file with --override {reference.type}=FILE"
        )
        raise ReferenceFileError(msg)
    for keyword in ("INSTRUME", "DETECTOR"):
        _check_keyword(reference, science, keyword)


def _check_keyword(reference: Reference, science: Metadata, keyword: str) -> None:
    found = str(reference.metadata.get(keyword, "")).strip().upper()
    wanted = str(science.get(keyword, "")).strip().upper()
    if not wanted or found in ANY_VALUE:
        return
    names = [LONG_NAMES.get(name.strip(), name.strip()) for name in found.split("|")]
    if LONG_NAMES.get(wanted, wanted) not in names:
        msg = (
            f"{reference.path}: {keyword} of the {reference.type} reference file is {found}, "
            f"but the exposure {science.source} is of {wanted}; choose a file for {wanted}"
        )
        raise ReferenceFileError(msg)


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
        if hdu.is_image:
            if hdu.shape:
                reference.arrays[name] = cut.read(hdu)
        elif name != "ASDF":
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


def translate_dq(reference: Reference) -> NDArray[np.uint32] | None:
    """Return a reference's DQ array with its bits translated by name to `PixelDQ`.

    DQ_DEF gives the name of every VALUE; a bit without a known name is dropped. Without
    DQ_DEF the bits are taken as they are.
    """
    raw = reference.arrays.get("DQ")
    if raw is None:
        return None
    dq = np.ascontiguousarray(raw).astype(np.uint32)
    table = reference.tables.get("DQ_DEF")
    if table is None or len(table.data) == 0:
        return dq
    return _translate(dq, _bit_pairs(reference, table))


def _bit_pairs(reference: Reference, table: Table) -> list[tuple[int, int]]:
    columns = {name.upper(): name for name in table.data.dtype.names or ()}
    pairs = []
    for value, name in zip(table.data[columns["VALUE"]], table.data[columns["NAME"]], strict=True):
        flag = PixelDQ.__members__.get(str(name).strip().upper())
        if flag is not None:
            pairs.append((int(value), int(flag)))
        elif str(name).strip():
            logger.debug("%s: DQ bit named %s is unknown and dropped", reference.name, name)
    return pairs


def _translate(dq: NDArray[np.uint32], pairs: list[tuple[int, int]]) -> NDArray[np.uint32]:
    if all(value == flag for value, flag in pairs):
        return dq & np.uint32(sum({value for value, _ in pairs}))
    translated = np.zeros_like(dq)
    for value, flag in pairs:
        if value:
            translated[(dq & np.uint32(value)) != 0] |= np.uint32(flag)
    return translated


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
