"""The reference files of one exposure, loaded when a step asks for them."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.hashing import sha256_of
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import (
    Reference,
    science_window,
)
from calwebb_core.framework.reference_files import missing_text, read_reference
from calwebb_core.framework.reference_sources import (
    NOT_APPLICABLE,
    Entry,
    Missing,
    Source,
    check_type,
    compare,
    in_memory,
    override,
)

__all__ = ["Missing", "Reference", "References", "Source"]

logger = logging.getLogger(__name__)


class References:
    """The reference files of one exposure by CRDS type.

    Parameters
    ----------
    entries : mapping
        Type in lower case -> `Source`, a `Reference` in memory, `Missing`, or None for N/A.
    context, crds_version : str
        What chose them, for the header.
    origin : str
        How the collection is called in a message, such as the path of REFS.json.
    exposure : str
        Root name of the exposure they were chosen for, if known.
    """

    def __init__(
        self,
        entries: Mapping[str, Entry],
        *,
        context: str = "",
        crds_version: str = "",
        origin: str = "the references given",
        exposure: str = "",
    ) -> None:
        self.entries = dict(entries)
        self.context = context
        self.crds_version = crds_version
        self.origin = origin
        self.exposure = exposure
        self._kept: dict[Any, Reference] = {}
        self._used: dict[str, dict[str, str]] = {}

    @classmethod
    def of(cls, **entries: Any) -> "References":
        """Return references in memory: ``type=Reference``, a dict of arrays, or None for N/A."""
        made = {kind: in_memory(kind, value) for kind, value in entries.items()}
        return cls(made, origin="the references in memory")

    @classmethod
    def from_file(cls, path: str | Path, *, verify: bool = False) -> "References":
        """Read REFS.json as `calwebb-references` writes it.

        Parameters
        ----------
        path : str or Path
            The list; paths in it are absolute or relative to its folder.
        verify : bool
            Compare every file with its SHA-256 now.

        Raises
        ------
        InputError
            If the list is missing, no JSON or of another format.
        ReferenceFileError
            With `verify`, if a file is missing or has changed.
        """
        from calwebb_core.framework.reference_list import read_reference_list

        references = read_reference_list(Path(path))
        if verify:
            references.verify()
        return references

    @classmethod
    def from_crds(
        cls, metadata: Metadata, types: Iterable[str], context: str | None = None
    ) -> "References":
        """Let the `crds` library choose files of the given types for an exposure.

        A type without a match is an error only when it is asked for.
        """
        from calwebb_core.framework.crds_client import best_references, no_match_text

        selection = best_references(metadata, types, context, strict=False)
        entries: dict[str, Entry] = {
            kind: None if name == NOT_APPLICABLE else Source(name, selection.paths[kind])
            for kind, name in selection.names.items()
        }
        for kind, reason in selection.problems.items():
            text = no_match_text(kind, reason, selection.context, metadata.source)
            entries[kind] = Missing(text)
        return cls(
            entries,
            context=selection.context,
            crds_version=selection.crds_version,
            origin=f"CRDS context {selection.context}",
        )

    def with_overrides(self, overrides: Mapping[str, str | Path]) -> "References":
        """Return references in which some types are replaced by files or by "N/A".

        Raises
        ------
        InputError
            If a type is unknown.
        ReferenceFileError
            If a file does not exist.
        """
        entries = dict(self.entries)
        for kind, value in overrides.items():
            entries[check_type(kind, self.entries)] = override(kind, value)
        return References(
            entries,
            context=self.context,
            crds_version=self.crds_version,
            origin=self.origin,
            exposure=self.exposure,
        )

    def check(self, types: Iterable[str]) -> None:
        """Check before anything is computed that all files of these types are there.

        Raises
        ------
        ReferenceFileError
            If a type is not listed or its file does not exist.
        """
        for kind in types:
            entry = self._entry(kind)
            if isinstance(entry, Source) and not entry.path.is_file():
                raise ReferenceFileError(missing_text(kind, entry.path))

    def load(self, kind: str, metadata: Metadata, *, cutout: bool = True) -> Reference | None:
        """Return the reference of a type for an exposure, or None for N/A.

        Parameters
        ----------
        kind : str
            CRDS type.
        metadata : Metadata
            Keywords of the exposure.
        cutout : bool
            Cut full-frame arrays out to the exposure's subarray.

        Raises
        ------
        ReferenceFileError
            If the file is missing, unreadable, of another type, instrument or detector, or
            does not cover the exposure's subarray.
        """
        kind = kind.lower()
        entry = self._entry(kind)
        self._note(kind, entry)
        if entry is None or isinstance(entry, Reference):
            return entry
        key = (kind, science_window(metadata) if cutout else None)
        if key in self._kept:
            return self._kept[key]
        reference = read_reference(kind, entry.path, metadata, cutout=cutout)
        logger.debug("%s: %s", kind, entry.path)
        self._kept[key] = reference
        return reference

    def prefetch(self, kinds: Iterable[str], metadata: Metadata) -> None:
        """Read the files of some types side by side, for `load` to hand out later.

        What is wrong with one is said when it is asked for.
        """
        from calwebb_core.framework.threads import in_threads

        def read(kind: str) -> None:
            entry = self.entries.get(kind)
            key = (kind, science_window(metadata))
            if isinstance(entry, Source) and key not in self._kept:
                with suppress(ReferenceFileError):
                    self._kept[key] = read_reference(kind, entry.path, metadata)

        in_threads(read, dict.fromkeys(kinds))

    @staticmethod
    def open_file(kind: str, path: str | Path) -> Reference:
        """Return a file that an option names, FITS or ASDF, whole.

        Parameters
        ----------
        kind : str
            What it is, for messages.
        path : str or Path

        Raises
        ------
        InputError
            If it is missing or unreadable.
        """
        try:
            return read_reference(kind, Path(path))
        except ReferenceFileError as error:
            raise InputError(str(error).replace(" reference file", " file")) from error

    def note(self, kind: str) -> None:
        """Count a type among those used, although it was read elsewhere."""
        self._note(kind, self._entry(kind))

    def used(self) -> dict[str, dict[str, str | bool]]:
        """Return name and SHA-256 of every type loaded so far, in alphabetic order.

        A file that the user gave instead of the chosen one is marked as `given`.
        """
        used: dict[str, dict[str, str | bool]] = {}
        for kind, entry in sorted(self._used.items()):
            used[kind] = {"name": entry["name"], "sha256": self._sha256(kind)}
            source = self.entries[kind]
            if isinstance(source, Source) and not source.from_crds:
                used[kind]["given"] = True
        return used

    def keyword_value(self, kind: str) -> str:
        """Return the value of a type's R_ keyword: crds://NAME, NAME of an override, or N/A."""
        entry = self.entries.get(kind.lower())
        if entry is None or isinstance(entry, Missing):
            return NOT_APPLICABLE
        if isinstance(entry, Source) and entry.from_crds:
            return f"crds://{entry.name}"
        return entry.name

    def verify(self) -> None:
        """Compare every file with the SHA-256 it was listed with.

        Raises
        ------
        ReferenceFileError
            If a file is missing or has changed.
        """
        for kind, entry in self.entries.items():
            if not isinstance(entry, Missing):
                self.check([kind])
                self.verify_type(kind)

    def verify_type(self, kind: str) -> None:
        """Compare the file of one type with its SHA-256, if it has one."""
        entry = self._entry(kind)
        if isinstance(entry, Source) and entry.sha256:
            compare(kind, entry)

    def _entry(self, kind: str) -> Source | Reference | None:
        if kind.lower() not in self.entries:
            msg = (
                f"no {kind} reference file in {self.origin}; name one with "
                f"--override {kind}=FILE (or {kind}=N/A), or make the list anew"
            )
            raise ReferenceFileError(msg)
        entry = self.entries[kind.lower()]
        if isinstance(entry, Missing):
            raise ReferenceFileError(entry.reason)
        return entry

    def _note(self, kind: str, entry: Source | Reference | None) -> None:
        self._used[kind] = {"name": NOT_APPLICABLE if entry is None else entry.name}

    def _sha256(self, kind: str) -> str:
        entry = self.entries[kind]
        if not isinstance(entry, Source):
            return ""
        return entry.sha256 or sha256_of(entry.path)
