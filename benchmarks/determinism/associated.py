"""Associations and lists of reference files, which the programs of every stage take."""

import json
from pathlib import Path

from determinism.circumstances import Call


def choose(call: Call, raw: Path, program: str, results: Path, exposure: str = "") -> Path:
    """List the reference files of an exposure for a program, and return the list."""
    pipeline = program.removeprefix("calwebb-")
    name = "_".join(filter(None, (exposure, pipeline)))
    target = results / "references" / f"{name}.json"
    call("calwebb-references", raw, "--pipeline", program, "-o", target)
    return target


def associations(results: Path, pipeline: str) -> list[Path]:
    """Return the associations for a program."""
    return sorted((results / "associations").glob(f"*{pipeline}_*_asn.json"))


def exposure_of(association: Path) -> str:
    """Return the exposure that an association is about."""
    content = json.loads(association.read_text())
    return str(content["products"][0]["name"])
