"""REFS.json: the list of an exposure's reference files that `calwebb-references` writes."""

import json
import os
from pathlib import Path
from typing import Any

from calwebb_core.framework.crds_client import Selection
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.hashing import sha256_of
from calwebb_core.framework.json_reading import parse_json
from calwebb_core.framework.plain_files import read_text
from calwebb_core.framework.reference_sources import NOT_APPLICABLE, Missing, Source
from calwebb_core.framework.references import References

FORMAT = 1
LONGEST = 4096


def reference_list(selection: Selection, exposure: str) -> dict[str, Any]:
    """Return the content of REFS.json for a selection.

    A type without a match is listed with the reason, and refused when a step asks for it.
    """
    listed: dict[str, Any] = {}
    for kind, name in sorted(selection.names.items()):
        if name == NOT_APPLICABLE:
            listed[kind] = NOT_APPLICABLE
            continue
        path = selection.paths[kind]
        listed[kind] = {"name": name, "path": str(path), "sha256": _sha256(path)}
    listed |= {kind: {"missing": reason} for kind, reason in sorted(selection.problems.items())}
    return {
        "format": FORMAT,
        "exposure": exposure,
        "context": selection.context,
        "crds_version": selection.crds_version,
        "references": listed,
    }


def _sha256(path: Path) -> str | None:
    """Return the file's SHA-256, or None when it is not there yet: loading it will say so."""
    return sha256_of(path) if path.is_file() else None


def write_reference_list(selection: Selection, exposure: str, path: Path) -> None:
    """Write REFS.json."""
    from calwebb_core.framework.atomic import write_text

    text = json.dumps(reference_list(selection, exposure), indent=2)
    write_text(path, text + "\n")


def read_reference_list(path: Path) -> References:
    """Read REFS.json.

    A file that is younger than the list is compared with its SHA-256.

    Raises
    ------
    InputError
        If the list is missing, no JSON or of another format.
    ReferenceFileError
        If a file that is younger than the list has another SHA-256.
    """
    content = _read_json(path)
    references = References(
        _entries(path, content),
        context=str(content.get("context", "")),
        crds_version=str(content.get("crds_version", "")),
        origin=str(path),
        exposure=str(content.get("exposure", "")),
    )
    _check_young_files(path, references)
    return references


def entries_of(path: Path) -> dict[str, Source | Missing | None]:
    """Return what REFS.json lists, without a look at the files.

    Raises
    ------
    InputError
        As `read_reference_list`.
    """
    return _entries(path, _read_json(path))


def _entries(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    return {kind: _entry(path, kind, entry) for kind, entry in content["references"].items()}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(read_text(path))
    except OSError as error:
        msg = f"{path}: the list of references cannot be read ({error.strerror})"
        raise InputError(msg) from None
    except ValueError as error:
        msg = f"{path}: not a JSON file ({error}); make it with calwebb-references"
        raise InputError(msg) from None
    found = content.get("format") if isinstance(content, dict) else content
    known = isinstance(content, dict) and found == FORMAT
    if not known or not isinstance(content.get("references"), dict):
        msg = (
            f"{path}: not a list of references of format {FORMAT} (format is {found!r:.60}); "
            f"make it with calwebb-references"
        )
        raise InputError(msg)
    return dict(content)


def _entry(listing: Path, kind: str, entry: Any) -> Source | Missing | None:
    if entry == NOT_APPLICABLE:
        return None
    if isinstance(entry, dict) and "missing" in entry:
        reason = str(entry["missing"])
        return Missing(f"{listing}: there is no {kind} file for this exposure ({reason})")
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        msg = f"{listing}: entry {kind} is {entry!r:.60}; expected a name, path and sha256, or N/A"
        raise InputError(msg)
    path = listing.parent / entry["path"]
    if len(entry["path"]) > LONGEST or any(len(os.fsencode(part)) > 255 for part in path.parts):
        msg = f"{listing}: the path of {kind} is too long for a file; make the list anew"
        raise InputError(msg)
    name, digest = entry.get("name") or path.name, entry.get("sha256")
    if not isinstance(name, str) or not isinstance(digest, str | None):
        msg = f"{listing}: name or sha256 of {kind} is no text; make the list anew"
        raise InputError(msg)
    return Source(name, path, digest)


def _check_young_files(listing: Path, references: References) -> None:
    made = listing.stat().st_mtime_ns
    for kind, entry in references.entries.items():
        path = entry.path if isinstance(entry, Source) else None
        if path is not None and path.is_file() and path.stat().st_mtime_ns > made:
            references.verify_type(kind)
