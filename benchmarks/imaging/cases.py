"""The measured cases of imaging: what is simulated for each, and what is promised of it."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from associations import write_association

PRODUCT = "jw01518-o001_t001_nircam_clear-f277w"


@dataclass(frozen=True)
class Case:
    """One exposure, one association, or a whole chain.

    Attributes
    ----------
    name : for the command line
    data : folder of its data; several cases may share it
    meaning : for the table
    pipeline : image2 or image3
    simulate : options of `calwebb-simulate`
    promised : how many times faster than the official package at least, or None
    peer : whether the official package is run as well
    """

    name: str
    data: str
    meaning: str
    pipeline: str
    simulate: tuple[str, ...]
    promised: float | None = None
    peer: bool = True

    def source(self, folder: Path) -> Path:
        """Return what the pipeline is given."""
        if self.pipeline == "image3":
            return write_association(folder, PRODUCT)
        return self.first(folder)

    def first(self, folder: Path) -> Path:
        """Return the exposure that reference files are chosen for."""
        return self.inputs(folder)[0]

    def inputs(self, folder: Path) -> list[Path]:
        """Return the exposures that are read."""
        if self.pipeline == "image3":
            return sorted((folder / "cal").glob("*_cal.fits"))
        return sorted((folder / "rate").glob("*_rate.fits"))[:1]


# fmt: off
CASES = (
    Case("image2", "raw", "image2, NIRCam full frame", "image2",
         ("run", "--scenario", "demo"), 5),
    Case("image3-4", "cal4", "image3, 4 full frames", "image3",
         ("cal", "--scenario", "demo", "--no-truth"), 8),
    Case("image3-16", "cal16", "image3, 16 full frames", "image3",
         ("cal", "--scenario", "imaging64", "--exposures", "16", "--no-truth")),
    Case("image3-64", "cal64", "image3, 64 full frames", "image3",
         ("cal", "--scenario", "imaging64", "--no-truth"), peer=False),
    Case("chain", "raw", "4 raw full frames to the mosaic, Snakemake with 2 cores", "chain",
         ("run", "--scenario", "demo"), 6),
)
# fmt: on


def make(data: Path, case: Case, programs: Path, environment: Mapping[str, str]) -> None:
    """Simulate what a case needs, unless it is there."""
    folder = data / case.data
    simulate = programs / "calwebb-simulate"
    if not (folder / "crds_cache").is_dir():
        command = [simulate, *case.simulate, "--output-dir", folder, "-q"]
        subprocess.run([str(word) for word in command], check=True)
    if case.pipeline == "image2" and not (folder / "rate").is_dir():
        raw = min((folder / "uncal").glob("*_uncal.fits"))
        command = [
            programs / "calwebb-detector1",
            "run",
            raw,
            "--output-dir",
            folder / "rate",
            "-q",
        ]
        subprocess.run([str(word) for word in command], check=True, env=dict(environment))
