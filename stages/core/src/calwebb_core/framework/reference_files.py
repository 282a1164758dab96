"""Read a reference file, FITS, ASDF or JSON, and cut it out to an exposure's subarray."""

import io
import warnings
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import CalwebbError, ReferenceFileError
from calwebb_core.framework.json_reading import parse_json
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import (
    DamagedError,
    UnknownContentError,
    check_for_library,
    read_tree,
)
from calwebb_core.framework.plain_files import MEGABYTE, read_content, read_text
from calwebb_core.framework.plain_values import mapping_of
from calwebb_core.framework.reference_data import Reference, check_fits
from calwebb_core.framework.reference_fits import read_fits_reference


def read_reference(
    kind: str, path: Path, science: Metadata | None = None, *, cutout: bool = True
) -> Reference:
    """Read a reference file for an exposure.

    Parameters
    ----------
    kind : str
        CRDS type in lower case.
    path : Path
        FITS, ASDF or JSON file.
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
    try:
        if path.suffix == ".json":
            reference = _read_json(kind, path)
        elif path.suffix in (".asdf", ".yaml"):
            reference = _read_asdf(kind, path)
        else:
            reference = read_fits_reference(kind, path, science if cutout else None)
    except (CalwebbError, MemoryError):
        raise
    except Exception as error:  # whatever a file of another form leads to
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        msg = f"{path}: the {kind} reference file cannot be read ({reason:.200}); use another file"
        raise ReferenceFileError(msg) from error
    if science is not None:
        check_fits(reference, science)
    return reference


def missing_text(kind: str, path: Path) -> str:
    """Return the message for a reference file that is not there, with ways to get it."""
    return (
        f"{path}: the {kind} reference file does not exist; fetch it with "
        f"`crds sync --files {path.name}` or name another with --override {kind}=FILE"
    )


def _read_json(kind: str, path: Path) -> Reference:
    """Read a file of texts and numbers; its keywords are at the top."""
    try:
        tree = parse_json(read_text(path))
    except OSError as error:
        raise unreadable(kind, path, OSError(error.strerror), "JSON") from error
    except ValueError as error:
        raise unreadable(kind, path, error, "JSON") from error
    if not isinstance(tree, dict):
        raise unreadable(kind, path, ValueError("it holds no keys and values"), "JSON")
    values = {key: value for key, value in tree.items() if isinstance(value, str)}
    return Reference(kind, path.name, path, Metadata(values, str(path)), tree=tree)


LARGEST = 1000 * MEGABYTE  # of an ASDF file, which is read whole
# kinds of tags that are read as plain mappings and tables; files with others are read by the asdf
# library, which makes objects of them
PLAIN_KINDS = ("transform/", "gwcs/", "jwst_pipeline/", "unit/", "table/")


def _read_asdf(kind: str, path: Path) -> Reference:
    try:
        content = read_content(path, LARGEST)
        tree = read_tree(content, PLAIN_KINDS)
    except UnknownContentError:
        tree = _read_with_library(kind, path, content)
    except OSError as error:
        raise unreadable(kind, path, OSError(error.strerror)) from error
    except DamagedError as error:
        raise unreadable(kind, path, error) from error
    return Reference(kind, path.name, path, _asdf_metadata(tree, path), tree=tree)


def _read_with_library(kind: str, path: Path, content: bytes) -> dict[str, Any]:
    import asdf

    with warnings.catch_warnings():
        # old tags and missing software versions say nothing about the content
        warnings.simplefilter("ignore")
        try:
            check_for_library(content)
            with asdf.open(io.BytesIO(content), memmap=False, lazy_load=False) as file:
                return dict(file.tree)
        except Exception as error:  # asdf raises many kinds; all mean an unreadable file
            raise unreadable(kind, path, error) from error


def unreadable(kind: str, path: Path, error: Exception, form: str = "ASDF") -> ReferenceFileError:
    """Return the error for a reference that is no good ASDF or JSON file."""
    reason = " ".join(str(error).split())
    msg = f"{path}: the {kind} reference file is no readable {form} file ({reason})"
    return ReferenceFileError(msg)


def _asdf_metadata(tree: dict[str, Any], path: Path) -> Metadata:
    meta = mapping_of(tree.get("meta"))
    instrument = mapping_of(meta.get("instrument"))
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
