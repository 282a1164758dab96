"""What a product says about how it was made, read and checked before anything is done with it.

A product is data from anywhere: only our own programs are run for it, and only names of files
without folders are looked for.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import PROVENANCE
from calwebb_core.framework.provenance import FORMAT
from calwebb_core.framework.reference_types import REFERENCE_KEYWORDS
from calwebb_core.framework.verify.steps import check_steps

PROGRAMS = (
    "calwebb-detector1",
    "calwebb-dark",
    "calwebb-guider",
    "calwebb-image2",
    "calwebb-spec2",
    "calwebb-image3",
    "calwebb-spec3",
    "calwebb-tso3",
)
CATALOG, WINDOWS = ".ecsv", ".asdf"
FROM_CRDS = "crds://"
LARGEST = 1 << 30


@dataclass(frozen=True)
class Recorded:
    """What a product says about itself.

    Attributes
    ----------
    path : Path
        The product.
    name : str
        The name under which it was written.
    runs : tuple of dict
        The programs that its data have been through; the last one wrote it.
    epoch : str
        SOURCE_DATE_EPOCH that gives its DATE; empty where it has none.
    keywords : dict
        Value of the R_ keyword by reference type. Those of types that a step only might have
        read are not in the record of the run, but were asked for.
    """

    path: Path
    name: str
    runs: tuple[dict[str, Any], ...]
    epoch: str = ""
    keywords: dict[str, str] = field(default_factory=dict)

    @property
    def last(self) -> dict[str, Any]:
        """The run that wrote it."""
        return self.runs[-1]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of that run."""
        return list(self.last["steps"])

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Name and SHA-256 of the input of that run and of its members."""
        source = self.last["input"]
        return [source, *source.get("members", ())]

    @property
    def unread(self) -> dict[str, str]:
        """Keyword by type of the reference files that were there, but not read by that run."""
        used = self.last["references"]
        return {kind: value for kind, value in self.keywords.items() if kind not in used}

    @property
    def hooks(self) -> list[tuple[str, str, str]]:
        """Kind (pre_hooks, post_hooks), step and text of the user's own code in that run."""
        return [
            (kind, step["name"], hook)
            for step in self.steps
            for kind in ("pre_hooks", "post_hooks")
            for hook in step.get(kind, ())
        ]


def read_record(path: Path) -> Recorded:
    """Read what a product says about itself.

    Raises
    ------
    InputError
        If it is no product of this pipeline, or its record is not as the pipeline writes it.
    """
    path = Path(path)
    if path.suffix == CATALOG:
        from calwebb_core.framework.catalogs import read_catalog

        record = read_catalog(path).meta.get(PROVENANCE)
        return Recorded(path, path.name, checked_runs(path, record))
    if path.suffix == WINDOWS:
        return Recorded(path, path.name, checked_runs(path, record_in(path, bytes_of(path))))
    if path.suffix != ".fits":
        msg = (
            f"{path}: is no product that can be made again; expected .fits, {CATALOG} or {WINDOWS}"
        )
        raise InputError(msg)
    return record_of_fits(path)


def bytes_of(path: Path) -> bytes:
    """Return the content of an ASDF file of a size that products have.

    Raises
    ------
    InputError
        If it is larger, or cannot be read.
    """
    try:
        if path.stat().st_size <= LARGEST:
            return path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
    msg = f"{path}: is larger than any product in ASDF; expected at most {LARGEST >> 20} MB"
    raise InputError(msg)


def record_of_fits(path: Path) -> Recorded:
    """Read the record of a FITS product, its name and its date."""
    from calwebb_core.framework.fits_headers import metadata_from
    from calwebb_core.framework.fits_layout import find, scan
    from calwebb_core.framework.fits_read import read_bytes

    hdus = scan(path)
    hdu = find(hdus, "ASDF")
    runs = checked_runs(path, None if hdu is None else record_in(path, read_bytes(path, hdu)))
    metadata = metadata_from(path, {hdu.name: hdu.header for hdu in hdus})
    name = plain_name(path, str(metadata.get("FILENAME") or path.name))
    keywords = {
        kind: str(metadata[keyword])
        for kind, keyword in REFERENCE_KEYWORDS.items()
        if keyword in metadata
    }
    for value in keywords.values():
        plain_name(path, value.removeprefix(FROM_CRDS))
    return Recorded(path, name, runs, epoch_of(str(metadata.get("DATE", ""))), keywords)


def record_in(path: Path, content: bytes) -> Any:
    """Return the record in an ASDF extension; None if there is none."""
    from calwebb_core.framework.plain_asdf import DamagedError, UnknownContentError, read_tree

    if PROVENANCE.encode() not in content:
        return None
    try:
        return read_tree(content).get(PROVENANCE)
    except (DamagedError, UnknownContentError) as error:
        msg = f"{path}: its ASDF extension is damaged: {error}; get the product again"
        raise InputError(msg) from error


def checked_runs(path: Path, record: Any) -> tuple[dict[str, Any], ...]:
    """Return the runs of a record.

    Raises
    ------
    InputError
        If there is no record, or it is of another form.
    """
    runs = record.get("runs") if isinstance(record, dict) else None
    if not runs:
        msg = (
            f"{path}: does not say how it was made; only products that these programs have "
            "written can be verified"
        )
        raise InputError(msg)
    if record.get("format") != FORMAT or not isinstance(runs, list):
        msg = (
            f"{path}: says how it was made in format {record.get('format')!r}; expected "
            f"{FORMAT}: verify it with the version that made it"
        )
        raise InputError(msg)
    for run in runs:
        check_run(path, run)
    return tuple(runs)


def check_run(path: Path, run: Any) -> None:
    """Refuse what the pipeline does not write.

    Raises
    ------
    InputError
        If a part is missing or of another form, a program is none of ours, or a name is a path.
    """
    parts = {"program": str, "input": dict, "steps": list, "references": dict, "software": dict}
    fit = isinstance(run, dict) and all(
        isinstance(run.get(name), kind) for name, kind in parts.items()
    )
    if not fit or not all(isinstance(step, dict) and "name" in step for step in run["steps"]):
        msg = f"{path}: its record of how it was made is damaged; get the product again"
        raise InputError(msg)
    check_steps(path, run["steps"])
    if run["program"] not in PROGRAMS:
        msg = f"{path}: was made by {run['program']!r}; expected one of {', '.join(PROGRAMS)}"
        raise InputError(msg)
    members = run["input"].get("members", [])
    members = members if isinstance(members, list) else [None]
    for item in (run["input"], *members, *run["references"].values()):
        plain_name(path, item.get("name") if isinstance(item, dict) else None)


def plain_name(path: Path, name: Any) -> str:
    """Return the name of a file that has no folder.

    Raises
    ------
    InputError
        If it is anything else.
    """
    bare = isinstance(name, str) and name.isprintable() and name not in ("", ".", "..")
    if name == "N/A" or (bare and "/" not in name and "\\" not in name):
        return str(name)
    msg = f"{path}: its record names {name!r}; expected the name of a file without folder"
    raise InputError(msg)


def epoch_of(date: str) -> str:
    """Return SOURCE_DATE_EPOCH for a value of DATE; empty if it is no date."""
    try:
        moment = datetime.fromisoformat(date).replace(tzinfo=UTC)
    except ValueError:
        return ""
    seconds = int(moment.replace(microsecond=0).timestamp())
    milliseconds = moment.microsecond // 1000
    return f"{seconds}.{milliseconds:03d}" if milliseconds else str(seconds)
