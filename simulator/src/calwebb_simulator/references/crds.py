"""A CRDS cache: mappings, reference files, configuration, in the layout of the crds library."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from calwebb_core.framework.atomic import write_text
from calwebb_simulator.references.rules import NOT_APPLICABLE, rule_keys

OBSERVATORY = "JWST"
FROM_NOTHING = "written by calwebb-simulate"
USEAFTER_RULE = "2022-01-01 00:00:00"
WHEN = ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")
CHECKSUM_LINE = re.compile(r"^\s*'sha1sum'\s*:")


def reference_types() -> list[str]:
    """Return all reference types that pipelines ask for, parameter files among them."""
    source = files("calwebb_simulator.references").joinpath("types.txt")
    return source.read_text(encoding="utf-8").split()


@dataclass
class Rules:
    """The rules of one context: type -> (values of its keywords -> file name)."""

    instrument: str
    entries: dict[str, dict[tuple[str, ...], str]] = field(default_factory=dict)

    def add(self, kind: str, values: Mapping[str, str], name: str) -> None:
        """Let a file be chosen where the keywords of its type have these values.

        Parameters
        ----------
        kind : str
            Reference type.
        values : mapping
            Values of all keywords that could matter, by `rules` name; those that the type's
            rules don't look at are ignored, and what is missing fits everything.
        name : str
            File name.
        """
        keys = rule_keys(self.instrument, kind)
        row = tuple(values.get(key, NOT_APPLICABLE) or NOT_APPLICABLE for key in keys)
        self.entries.setdefault(kind, {})[row] = name

    def copy(self) -> "Rules":
        """Return independent rules with the same entries."""
        return Rules(self.instrument, {kind: dict(item) for kind, item in self.entries.items()})


class Cache:
    """A CRDS cache in a folder; writes mappings and says where reference files go."""

    def __init__(self, folder: Path, instrument: str) -> None:
        self.folder = folder
        self.instrument = instrument
        self.mappings = folder / "mappings" / "jwst"
        self.references = folder / "references" / "jwst" / instrument.lower()
        self.config = folder / "config" / "jwst"
        for place in (self.mappings, self.references, self.config):
            place.mkdir(parents=True, exist_ok=True)
        self.counts: dict[str, int] = {}
        self.written: dict[str, str] = {}

    def new_reference(self, kind: str, extension: str = "fits") -> Path:
        """Return the path of the next reference file of a type."""
        number = self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.references / f"jwst_{self.instrument.lower()}_{kind}_{number:04d}.{extension}"

    def write_contexts(self, contexts: Mapping[int, Rules]) -> None:
        """Write the mappings of all contexts; the lowest, which is the truth, is operational."""
        for number, rules in sorted(contexts.items()):
            self._write_context(number, rules)
        self._write_config(min(contexts))

    def _write_context(self, number: int, rules: Rules) -> None:
        lower = self.instrument.lower()
        selector = {
            kind.upper(): self._rmap(kind, rules.entries[kind], number)
            if kind in rules.entries
            else "N/A"
            for kind in reference_types()
        }
        imap = f"jwst_{lower}_{number:04d}.imap"
        header = {
            "derived_from": FROM_NOTHING,
            "instrument": self.instrument,
            "mapping": "INSTRUMENT",
            "name": imap,
            "observatory": OBSERVATORY,
            "parkey": ("REFTYPE",),
        }
        self._write_mapping(imap, header, _plain(selector))
        pmap = f"jwst_{number:04d}.pmap"
        header = {
            "derived_from": FROM_NOTHING,
            "mapping": "PIPELINE",
            "name": pmap,
            "observatory": OBSERVATORY,
            "parkey": ("META.INSTRUMENT.NAME",),
        }
        self._write_mapping(pmap, header, _plain({self.instrument: imap}))

    def _rmap(self, kind: str, entries: Mapping[tuple[str, ...], str], number: int) -> str:
        """Write a type's rules, or reuse those of an earlier context; return their name."""
        text = _match(entries)
        same = self.written.get(kind + text)
        if same is not None:
            return same
        name = f"jwst_{self.instrument.lower()}_{kind}_{number:04d}.rmap"
        header = {
            "classes": ("Match", "UseAfter"),
            "derived_from": FROM_NOTHING,
            "filekind": kind.upper(),
            "instrument": self.instrument,
            "mapping": "REFERENCE",
            "name": name,
            "observatory": OBSERVATORY,
            "parkey": (rule_keys(self.instrument, kind), WHEN),
        }
        self._write_mapping(name, header, text)
        self.written[kind + text] = name
        return name

    def _write_mapping(self, name: str, header: Mapping[str, object], selector: str) -> None:
        lines = [f"    {key!r} : {value!r},\n" for key, value in header.items()]
        text = "header = {\n" + "".join(lines) + "    'sha1sum' : '',\n}\n\nselector = " + selector
        digest = mapping_checksum(text)
        write_text(self.mappings / name, text.replace("'sha1sum' : ''", f"'sha1sum' : '{digest}'"))

    def _write_config(self, number: int) -> None:
        operational = f"jwst_{number:04d}.pmap"
        info = {
            "bad_files_list": [],
            "connected": False,
            "context_history": [],
            "crds_version": {"str": "14.0.0"},
            "edit_context": operational,
            "force_remote_mode": 0,
            "last_synced": USEAFTER_RULE,
            "mappings": sorted(path.name for path in self.mappings.iterdir()),
            "observatory": "jwst",
            "operational_context": operational,
            "server": "https://jwst-crds.stsci.edu",
            "status": "s3",
        }
        text = json.dumps(info, indent=1).replace("false", "False")
        write_text(self.config / "server_config", text + "\n")
        write_text(self.config / "bad_files.txt", "\n")
        write_text(self.config / "ref_cache_subdir_mode", "instrument")


def mapping_checksum(text: str) -> str:
    """Return the checksum of a mapping as the crds library computes it: without its own line."""
    digest = hashlib.sha1(usedforsecurity=False)
    for line in text.splitlines(keepends=True):
        if not CHECKSUM_LINE.match(line):
            digest.update(line.encode("utf-8"))
    return digest.hexdigest()


def _plain(selector: Mapping[str, str]) -> str:
    lines = [f"    {key!r} : {value!r},\n" for key, value in selector.items()]
    return "{\n" + "".join(lines) + "}\n"


def _match(entries: Mapping[tuple[str, ...], str]) -> str:
    lines = []
    for values, name in sorted(entries.items()):
        key = repr(values[0]) if len(values) == 1 else repr(values)
        lines.append(f"    {key} : UseAfter({{\n        {USEAFTER_RULE!r} : {name!r},\n    }}),\n")
    return "Match({\n" + "".join(lines) + "})\n"
