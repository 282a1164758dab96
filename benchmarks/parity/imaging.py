"""calwebb-image2 and calwebb-image3 against the official ones, on our rates, same references.

    python benchmarks/parity/imaging.py --data DIR --peer .env/peer/bin/python \
        [--case NAME]... [--markdown docs/parity.md]

Simulates a case unless it is in DIR, makes `_rate` files with calwebb-detector1, and runs both
image2 on these, and both image3: on our `_cal` files with the steps that decide something switched
off ("alike") and with all defaults, and the official one also on its own `_cal` files. Products
and figures are kept in DIR; what is there is not made again.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from imaging_cases import CASES, Case  # noqa: E402
from imaging_compare import compare  # noqa: E402
from imaging_report import put  # noqa: E402

from calwebb_core.framework.products import read_metadata  # noqa: E402

PROGRAMS = HERE.parent.parent / ".env" / "bin"
SERVERLESS = "https://jwst-serverless-mode.stsci.edu"
# steps that decide something; without them both only resample
DECIDING = ("tweakreg", "skymatch", "outlier_detection", "source_catalog")
POINTS = 65


def run(words: Iterable[str | Path], log: Path, **variables: str) -> None:
    """Run a program; show the end of what it said if it fails."""
    environment = {**os.environ, **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(word) for word in words]
    with log.open("w") as said:
        done = subprocess.run(command, env=environment, stdout=said, stderr=said, check=False)
    if done.returncode != 0:
        msg = f"{' '.join(command)} ended with {done.returncode}\n{log.read_text()[-3000:]}"
        raise SystemExit(msg)


@dataclass(frozen=True)
class Exposures:
    """The rates of a case, and where what is made of them goes."""

    case: Case
    folder: Path
    science: tuple[Path, ...]
    backgrounds: tuple[Path, ...]
    variables: dict[str, str]

    def inputs(self, name: str) -> list[Path]:
        """Return what image2 or image3 is given; associations are written.

        Parameters
        ----------
        name : str
            image2, or the folder of `_cal` files that an image3 association is to lie in.
        """
        if name != "image2":
            members = [cal_of(self.folder / name, rate) for rate in self.science]
            return [association(members, (), self.folder / name / "mosaic_image3_asn.json")]
        if not self.backgrounds:
            return list(self.science)
        folder = self.folder / "rates"
        return [
            association([rate], self.backgrounds, folder / f"{root(rate)}_image2_asn.json")
            for rate in self.science
        ]


def root(path: Path) -> str:
    """Return a product's name without suffix."""
    return path.stem.rpartition("_")[0]


def cal_of(folder: Path, rate: Path) -> Path:
    """Return the `_cal` of a `_rate`."""
    return folder / f"{root(rate)}_cal.fits"


def association(science: Iterable[Path], backgrounds: Iterable[Path], path: Path) -> Path:
    """Write the association of files in the same folder, which names its product."""
    kind = path.stem.split("_")[-2]
    members = [{"expname": one.name, "exptype": "science"} for one in science]
    product = "mosaic" if kind == "image3" else root(Path(members[0]["expname"]))
    members += [{"expname": one.name, "exptype": "background"} for one in backgrounds]
    content = {
        "asn_type": kind,
        "asn_rule": "DMS_Level3_Base" if kind == "image3" else "Asn_Lv2Image",
        "asn_id": "a3001",
        "asn_pool": "none",
        "program": "01234",
        "products": [{"name": product, "members": members}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def prepared(case: Case, folder: Path) -> Exposures:
    """Simulate, and make rates, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    data, rates = folder / "data", folder / "rates"
    if not data.is_dir():
        words: list[str | Path] = ["run", "--scenario", case.scenario, "--output-dir", data, "-q"]
        run([PROGRAMS / "calwebb-simulate", *words], folder / "simulate.log")
    variables = {
        "CRDS_PATH": str(data / "crds_cache"),
        "CRDS_SERVER_URL": SERVERLESS,
        "CRDS_CONTEXT": "jwst_0001.pmap",
        "CRDS_OBSERVATORY": "jwst",
    }
    found: dict[bool, list[Path]] = {True: [], False: []}
    for uncal in sorted((data / "uncal").glob("*_uncal.fits")):
        metadata = read_metadata(uncal)
        if case.band and case.band not in (metadata.get("FILTER"), metadata.get("PUPIL")):
            continue
        rate = rates / f"{root(uncal)}_rate.fits"
        if not rate.exists():
            words = ["run", uncal, "--output-dir", rates, "-q"]
            run([PROGRAMS / "calwebb-detector1", *words], folder / "rate.log", **variables)
        found[bool(metadata.get("BKGDTARG"))].append(rate)
    return Exposures(case, folder, tuple(found[False]), tuple(found[True]), variables)


def chosen(exposures: Exposures, source: Path, pipeline: str) -> Path:
    """Choose the reference files of a pipeline."""
    path = exposures.folder / f"{pipeline}.json"
    if not path.exists():
        words: list[str | Path] = [source, "--pipeline", f"calwebb-{pipeline}", "-o", path]
        log = exposures.folder / "references.log"
        run([PROGRAMS / "calwebb-references", *words], log, **exposures.variables)
    return path


def reference_files(path: Path) -> dict[str, str]:
    """Return the path, or N/A, by type."""
    entries = json.loads(path.read_text())["references"]
    return {
        kind: entry if entry == "N/A" else str((path.parent / entry["path"]).resolve())
        for kind, entry in entries.items()
    }


def ours(exposures: Exposures, pipeline: str, source: Path, output: Path, *words: str) -> None:
    """Run one of our pipelines, unless it has been run."""
    done = output / f"{source.stem}.done"
    if done.exists():
        return
    references = chosen(exposures, exposures.science[0], "image2")
    if pipeline == "image3":
        references = chosen(exposures, cal_of(output.parent / "image2", exposures.science[0]),
                            "image3")  # fmt: skip
    command: list[str | Path] = [
        PROGRAMS / f"calwebb-{pipeline}",
        "run",
        source,
        "--output-dir",
        output,
    ]
    log = exposures.folder / f"{output.name}.log"
    run([*command, "--references", references, "-q", *words], log, **exposures.variables)
    done.write_text("")


def run_ours(exposures: Exposures) -> None:
    """Run image2 on every exposure, image3 on all of them, alike and by default."""
    output = exposures.folder / "ours"
    for source in exposures.inputs("image2"):
        ours(exposures, "image2", source, output / "image2")
    exact = ("--set", "resample.pixmap_tolerance=0")
    ours(exposures, "image2", exposures.inputs("image2")[0], output / "exact", *exact)
    if exposures.case.integrations:
        source = exposures.science[0]
        source = source.with_name(source.name.replace("_rate.", "_rateints."))
        ours(exposures, "image2", source, output / "image2")
    (mosaic,) = exposures.inputs("ours/image2")
    ours(exposures, "image3", mosaic, output / "image3")
    skip = [word for step in DECIDING for word in ("--skip", step)]
    ours(exposures, "image3", mosaic, output / "alike", *skip)


def official_runs(exposures: Exposures) -> list[dict[str, Any]]:
    """Return what the official package is to run."""
    output = exposures.folder / "official"
    files = {
        name: reference_files(exposures.folder / f"{name}.json") for name in ("image2", "image3")
    }
    skipped = {step: {"skip": True} for step in DECIDING}
    sources = exposures.inputs("image2")
    if not exposures.case.own:
        sources = sources[:1]
    elif exposures.case.integrations:
        first = exposures.science[0]
        sources.append(first.with_name(first.name.replace("_rate.", "_rateints.")))
    (mosaic,) = exposures.inputs("ours/image2")
    wanted: list[tuple[str, Path, str, dict[str, Any]]]
    wanted = [("image2", source, "image2", {}) for source in sources]
    wanted += [("image3", mosaic, "alike", skipped), ("image3", mosaic, "image3", {})]
    if exposures.case.own:
        (own,) = exposures.inputs("official/image2")
        wanted.append(("image3", own, "own", {}))
    return [
        {"pipeline": pipeline, "input": str(source), "output": str(output / folder),
         "references": files[pipeline], "options": options}
        for pipeline, source, folder, options in wanted
    ]  # fmt: skip


def run_official(exposures: Exposures, python: str) -> None:
    """Run the official pipelines, then evaluate WCS with the official data models."""
    folder = exposures.folder
    job = folder / "job.json"
    content: dict[str, Any] = {"runs": official_runs(exposures), "open": [], "points": POINTS}
    job.write_text(json.dumps(content, indent=1))
    program: list[str | Path] = [python, HERE / "imaging_peer.py", job]
    run(program, folder / "official.log", **exposures.variables)
    suffixes = ("cal", "calints", "crf", "i2d", "segm")
    content["open"] = [
        str(path)
        for which in ("ours", "official")
        for suffix in suffixes
        for path in sorted((folder / which).rglob(f"*_{suffix}.fits"))
    ]
    job.write_text(json.dumps(content, indent=1))
    run(program, folder / "opened.log", **exposures.variables)


def arguments() -> argparse.Namespace:
    """Return the wishes of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of data and products")
    parser.add_argument("--peer", required=True, help="python of an environment with jwst 3.0.0")
    parser.add_argument("--case", action="append", choices=CASES, help="may be repeated")
    parser.add_argument("--markdown", type=Path, help="file with marks to put the tables between")
    return parser.parse_args()


def main() -> None:
    """Run both on all cases, and report."""
    wishes = arguments()
    data = wishes.data.resolve()
    for name in wishes.case or CASES:
        exposures = prepared(CASES[name], data / name)
        run_ours(exposures)
        run_official(exposures, wishes.peer)
        figures = compare(data / name, CASES[name], POINTS)
        (data / name / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    found = {
        name: json.loads((data / name / "figures.json").read_text())
        for name in CASES
        if (data / name / "figures.json").exists()
    }
    put(found, wishes.markdown)


if __name__ == "__main__":
    main()
