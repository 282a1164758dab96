"""One simulated exposure, its count rates and calibrated image, laid out as the workflow does."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from programs import SERVERLESS, run

CONTEXT = "jwst_0001.pmap"


@dataclass
class Results:
    """Products of one exposure; every test changes a copy of its own."""

    folder: Path

    @property
    def cache(self) -> Path:
        """The CRDS cache."""
        return self.folder / "crds_cache"

    def product(self, pattern: str) -> Path:
        """Return the product of a pattern below the results."""
        (found,) = self.folder.glob(f"results/01234/{pattern}")
        return found

    def reference(self, kind: str) -> Path:
        """Return the reference file of a type that image2 read."""
        listed = json.loads(self.product("references/*_image2.json").read_text())
        return Path(listed["references"][kind]["path"])

    def run(self, *command, check=True):
        """Run a program with this cache."""
        return run(
            command, cwd=self.folder, check=check, CRDS_PATH=str(self.cache),
            CRDS_SERVER_URL=SERVERLESS, CRDS_CONTEXT=CONTEXT, SOURCE_DATE_EPOCH="1767225600",
        )  # fmt: skip

    def verify(self, *words):
        """Verify; return the exit code, what was said, and the report."""
        done = self.run("calwebb-verify", *words, "--json", "report.json", check=False)
        report = json.loads((self.folder / "report.json").read_text())
        return done.returncode, done.stdout, report["products"]


def calibrate(results: Results) -> None:
    """Make the count rates and the calibrated image of the first exposure."""
    place = results.folder / "results" / "01234"
    (raw,) = (results.folder / "uncal").iterdir()
    root = raw.name.removesuffix("_uncal.fits")
    asn = place / "associations" / "one_asn.json"
    asn.parent.mkdir(parents=True)
    member = {"expname": f"{root}_rate.fits", "exptype": "science"}
    content = {"asn_type": "image2", "products": [{"name": root, "members": [member]}]}
    asn.write_text(json.dumps(content))
    (place / "references").mkdir()
    for pipeline in ("detector1", "image2"):
        listed = place / "references" / f"{root}_{pipeline}.json"
        results.run("calwebb-references", raw, "--pipeline", f"calwebb-{pipeline}", "-o", listed)
    results.run(
        "calwebb-detector1", "run", raw, "--references",
        place / "references" / f"{root}_detector1.json", "--output-dir", place / "detector1",
        "--set", "jump.rejection_threshold=5", "--skip", "superbias",
    )  # fmt: skip
    results.run(
        "calwebb-image2", "run", asn, "--input-dir", place / "detector1", "--references",
        place / "references" / f"{root}_image2.json", "--output-dir", place / "image2",
    )  # fmt: skip


@pytest.fixture(scope="session")
def made(tiny, tmp_path_factory) -> Path:
    """The products, made once."""
    results = Results(tmp_path_factory.mktemp("made"))
    shutil.copytree(tiny / "crds_cache", results.cache)
    (results.folder / "uncal").mkdir()
    raw = min((tiny / "uncal").glob("*_uncal.fits"))
    shutil.copy(raw, results.folder / "uncal")
    calibrate(results)
    return results.folder


@pytest.fixture
def results(made, tmp_path) -> Results:
    """A copy of the products."""
    copy = tmp_path / "run"
    shutil.copytree(made, copy)
    for listed in (copy / "results" / "01234" / "references").iterdir():
        listed.write_text(listed.read_text().replace(str(made), str(copy)))
    return Results(copy)
