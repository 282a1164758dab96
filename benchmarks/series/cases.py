"""The measured time series: what is simulated for each, and what is promised of it."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One exposure in segments.

    Attributes
    ----------
    name : for the command line, and folder of its data
    meaning : for the table
    simulate : options of `calwebb-simulate rates`
    promised : how many times faster than the official package at least, or None
    peer : whether the official package is run as well
    without : types of reference files that the official package cannot read in this mode
    """

    name: str
    meaning: str
    simulate: tuple[str, ...]
    promised: float | None = None
    peer: bool = True
    without: tuple[str, ...] = ()

    def segments(self, folder: Path) -> list[Path]:
        """Return the count rates of its segments."""
        return sorted((folder / "rates").glob("*_rateints.fits"))


# fmt: off
CASES = (
    Case("lrs", "MIRI LRS without slit, 1.1 GB in 4 segments, spec2 and tso3",
         ("--scenario", "lrs-slitless", "--integrations", "1800", "--segments", "4"), 5),
    Case("lrs-1", "the same, 1 of the segments",
         ("--scenario", "lrs-slitless", "--integrations", "450", "--segments", "1"), peer=False),
    Case("prism", "NIRSpec PRISM, bright object, 0.3 GB in 4 segments, spec2 and tso3",
         ("--scenario", "nirspec-bright", "--integrations", "800", "--segments", "4"), 5),
    Case("lrs-8", "MIRI LRS without slit, 2.2 GB in 8 segments",
         ("--scenario", "lrs-slitless", "--integrations", "3600", "--segments", "8"), peer=False),
    Case("grism", "NIRCam grism, 3 small segments, spec2 and tso3",
         ("--scenario", "nircam-grism"), without=("apcorr",)),
)
# fmt: on


def make(data: Path, case: Case, programs: Path, environment: Mapping[str, str]) -> None:
    """Simulate what a case needs, unless it is there."""
    folder = data / case.name
    if not (folder / "crds_cache").is_dir():
        command = [programs / "calwebb-simulate", "rates", *case.simulate]
        command += ["--output-dir", folder, "-q"]
        subprocess.run([str(word) for word in command], check=True, env=dict(environment))


def write_association(case: Case, folder: Path, path: Path) -> Path:
    """Write the association of the calibrated segments."""
    names = [file.name.replace("_rateints", "_calints") for file in case.segments(folder)]
    content = {
        "asn_type": "tso3",
        "asn_rule": "Asn_Lv3TSO",
        "asn_id": "o001",
        "asn_pool": "none",
        "program": names[0][2:7],
        "products": [
            {
                "name": f"{names[0][:7]}-o001_t001_{case.name}",
                "members": [{"expname": name, "exptype": "science"} for name in names],
            }
        ],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
