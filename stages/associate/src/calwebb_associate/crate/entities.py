"""The entities of a research object: files, software, options, and the runs that tie them."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from calwebb_associate.crate.runs import ProgramRun
from calwebb_core.framework.hashing import sha256_of

FORMATS: Final = {
    ".fits": "application/fits",
    ".ecsv": "text/csv",
    ".json": "application/json",
    ".asdf": "application/x-asdf",
    ".csv": "text/csv",
    ".yaml": "application/yaml",
    ".md": "text/markdown",
    ".smk": "text/plain",
    "": "text/plain",
}
HOMES: Final = {
    "asdf": "https://www.asdf-format.org",
    "astropy": "https://www.astropy.org",
    "gwcs": "https://gwcs.readthedocs.io",
    "llvmlite": "https://llvmlite.readthedocs.io",
    "numba": "https://numba.pydata.org",
    "numpy": "https://numpy.org",
    "scipy": "https://scipy.org",
}
PACKAGES: Final = {
    "calwebb-detector1": "calwebb_detector1",
    "calwebb-dark": "calwebb_detector1",
    "calwebb-guider": "calwebb_detector1",
    "calwebb-image2": "calwebb_image2",
    "calwebb-spec2": "calwebb_spec2",
    "calwebb-image3": "calwebb_level3",
    "calwebb-spec3": "calwebb_level3",
    "calwebb-tso3": "calwebb_level3",
}
IMAGE: Final = "https://w3id.org/ro/terms/workflow-run#SIFImage"
Reference = dict[str, str]


def content_uri(checksum: str) -> str:
    """Return the address of a file by its content (RFC 6920), wherever it is."""
    text = base64.urlsafe_b64encode(bytes.fromhex(checksum)).decode().rstrip("=")
    return f"ni:///sha-256;{text}"


def refer(*ids: str) -> Reference | list[Reference]:
    """Return references to entities, each once; one alone stands without a list."""
    found = [{"@id": name} for name in dict.fromkeys(ids)]
    return found[0] if len(found) == 1 else found


class Entities:
    """The entities of one research object; each is added once and known by its id after.

    Parameters
    ----------
    crate : ROCrate
    root : Path
        Folder of the research object: files below it are named by their paths.
    images : mapping
        SHA-256 of the container image by stage program, where programs ran in one.
    """

    def __init__(self, crate: ROCrate, root: Path, images: Mapping[str, tuple[str, str]]) -> None:
        self.crate = crate
        self.root = root.resolve()
        self.images = images

    def add(self, properties: dict[str, Any]) -> str:
        """Add a contextual entity and return its id."""
        name = str(properties["@id"])
        if name not in self.crate:
            # not add_jsonld, which looks through all entities each time
            content = {key: value for key, value in properties.items() if key != "@id"}
            self.crate.add(ContextEntity(self.crate, name, properties=content))
        return name

    def file(self, path: Path, checksum: str = "", **properties: Any) -> str:
        """Add a file that is here: by its path below the root, else by its content."""
        place = path.resolve()
        if not place.is_relative_to(self.root):
            return self.elsewhere(path.name, checksum or sha256_of(path), **properties)
        name = place.relative_to(self.root).as_posix()
        if name not in self.crate:
            status = path.stat()
            changed = datetime.fromtimestamp(int(status.st_mtime), UTC)
            values = described(path.name, checksum) | {
                "contentSize": str(status.st_size),
                "dateModified": changed.isoformat().replace("+00:00", "Z"),
            }
            self.crate.add_file(dest_path=name, properties=values | properties)
        return name

    def elsewhere(self, name: str, checksum: str, **properties: Any) -> str:
        """Add a file that is known by name and checksum only, such as a reference file."""
        if len(checksum) != hashlib.sha256().digest_size * 2:
            return self.add({"@id": f"#file/{name}", "@type": "CreativeWork", "name": name})
        address = content_uri(checksum)
        if address not in self.crate:
            self.crate.add_file(address, properties=described(name, checksum) | properties)
        return address

    def option(self, name: str, value: Any) -> str:
        """Add an option's value."""
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return self.add(
            {
                "@id": f"#option/{name}/{digest}",
                "@type": "PropertyValue",
                "name": name,
                "value": text,
            }
        )

    def library(self, name: str, version: str) -> str:
        """Add a library of a version."""
        return self.add(
            {
                "@id": f"pkg:pypi/{name.replace('_', '-')}@{version}",
                "@type": "SoftwareApplication",
                "name": name,
                "softwareVersion": version,
                **({"url": HOMES[name]} if name in HOMES else {}),
            }
        )

    def somebody(self, kind: str, text: str, **more: Any) -> str:
        """Add a Person or an Organization: a name, or NAME=ADDRESS such as an ORCID iD."""
        name, _, address = text.partition("=")
        values = {"@id": address or f"#{kind}/{name}", "@type": kind, "name": name, **more}
        return self.add(values | ({"url": address} if address else {}))

    def program(self, run: ProgramRun) -> str:
        """Add a stage program with its libraries and what it ran in."""
        software = dict(run.record["software"])
        package = PACKAGES[run.program]
        version = str(software.pop(package, "unknown"))
        lock = (run.record.get("environment") or {}).get("lock")
        name = f"pkg:generic/{run.program}@{version}" + (f"?lock={lock[:12]}" if lock else "")
        needs = [self.library(key, str(value)) for key, value in sorted(software.items())]
        values: dict[str, Any] = {
            "@id": name,
            "@type": "SoftwareApplication",
            "name": run.program,
            "softwareVersion": version,
            "softwareRequirements": refer(*needs),
        }
        if lock:
            values["identifier"] = refer(self.lock(lock))
        return self.add(values)

    def unknown_program(self, name: str) -> str:
        """Add a stage program of which no product says which version it was."""
        return self.add(
            {
                "@id": f"pkg:generic/{name}",
                "@type": "SoftwareApplication",
                "name": name,
                "softwareVersion": "unknown",
            }
        )

    def lock(self, checksum: str) -> str:
        """Add the lock file that an environment was made from."""
        return self.add(
            {
                "@id": f"#lock/{checksum[:12]}",
                "@type": "PropertyValue",
                "name": "lock file of the environment",
                "propertyID": "https://w3id.org/ro/terms/workflow-run#sha256",
                "value": checksum,
            }
        )

    def image(self, program: str) -> str | None:
        """Add the container image that a stage program ran in, if it did."""
        if program not in self.images:
            return None
        name, checksum = self.images[program]
        return self.add(
            {
                "@id": f"#image/{name}",
                "@type": "ContainerImage",
                "additionalType": {"@id": IMAGE},
                "name": name,
                "sha256": checksum,
            }
        )


def described(name: str, checksum: str) -> dict[str, Any]:
    """Return what every file says about itself."""
    values: dict[str, Any] = {"name": name}
    if kind := FORMATS.get(Path(name).suffix):
        values["encodingFormat"] = kind
    if checksum:
        values["sha256"] = checksum
    return values


def options_of(run: ProgramRun) -> Iterable[tuple[str, Any]]:
    """Yield the options of a run's steps, and which steps were left out."""
    for step in run.record["steps"]:
        if step.get("status") == "SKIPPED":
            yield f"{step['name']}.skip", True
        for name, value in sorted(step.get("parameters", {}).items()):
            yield f"{step['name']}.{name}", value
        for name in ("pre_hooks", "post_hooks"):
            for hook in step.get(name, ()):
                yield f"{step['name']}.{name}", hook
