"""Ours against the official package, step by step, each step on the very same input.

    python benchmarks/parity/parity.py --scenario nircam-subarray --scenario niriss \
        --peer .env/peer/bin/python --markdown docs/parity.md --json parity.json

Simulates the exposures of each case, runs the official steps one after the other, each on the
file that the one before wrote, and ``calwebb-detector1 step NAME`` on the same files, with the
same reference files and options. Then both whole chains are compared, each on its own
intermediates.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calwebb_core.framework.products import read_metadata
from calwebb_core.framework.references import References
from calwebb_detector1.modes import select

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cases import CASES, Case  # noqa: E402
from figures import Comparison, Noise  # noqa: E402
from report import as_markdown, put_tables, summary  # noqa: E402

PROGRAMS = HERE.parent.parent / ".env" / "bin"
SERVERLESS = "https://jwst-serverless-mode.stsci.edu"
WHOLE = "whole chain"


def run(words: list[str | Path], **variables: str) -> None:
    """Run a program; show what it said if it fails."""
    environment = {**os.environ, **variables}
    # without it every start would compile all sources anew
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(word) for word in words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        msg = f"{' '.join(command)} ended with {done.returncode}\n{done.stderr[-3000:]}"
        raise SystemExit(msg)


@dataclass(frozen=True)
class Exposure:
    """A raw file with its reference files, and a folder for what is made of it."""

    uncal: Path
    references: Path
    folder: Path
    variables: dict[str, str]

    @property
    def root(self) -> str:
        """Name without suffix."""
        return self.uncal.stem.removesuffix("_uncal")

    def reference_files(self) -> dict[str, str]:
        """Return the path, or N/A, by type."""
        entries = json.loads(self.references.read_text())["references"]
        base = self.references.parent
        return {
            kind: entry if entry == "N/A" else str((base / entry["path"]).resolve())
            for kind, entry in entries.items()
        }


def simulated(case: Case, folder: Path) -> list[Exposure]:
    """Simulate the exposures of a case, unless they are there, and choose their references."""
    data = folder / "data"
    if not data.is_dir():
        run([PROGRAMS / "calwebb-simulate", "run", *case.simulate, "--output-dir", data])
    variables = {
        "CRDS_PATH": str(data / "crds_cache"),
        "CRDS_SERVER_URL": SERVERLESS,
        "CRDS_CONTEXT": "jwst_0001.pmap",
        "CRDS_OBSERVATORY": "jwst",
    }
    found = []
    for uncal in sorted((data / "uncal").glob(case.files))[: case.most_files]:
        own = folder / uncal.stem.removesuffix("_uncal")
        own.mkdir(exist_ok=True)
        references = own / "references.json"
        extra = [word for step in case.also if step in WITH for word in ("--with", step)]
        run(
            [PROGRAMS / "calwebb-references", uncal, "--pipeline", "calwebb-detector1",
             "-o", references, *extra],
            **variables,
        )  # fmt: skip
        found.append(Exposure(uncal, references, own, variables))
    if not found:
        msg = f"{data}: no file {case.files}"
        raise SystemExit(msg)
    return found


WITH = ("clean_flicker_noise", "emicorr", "persistence")


def steps_of(exposure: Exposure, case: Case) -> list[tuple[str, str]]:
    """Return names and keywords of the steps that run, in order."""
    steps = select(read_metadata(exposure.uncal))
    return [(step.name, step.keyword) for step in steps if not step.skip or step.name in case.also]


def run_peer(exposure: Exposure, case: Case, python: str) -> list[dict[str, Any]]:
    """Run the official steps on an exposure, unless done before; return inputs and outputs."""
    output = exposure.folder / "official"
    steps = []
    for name, _ in steps_of(exposure, case):
        on = {"skip": False} if name in case.also else {}
        steps.append({"name": name, "options": {**case.of_step(name), **on}})
    job = {
        "uncal": str(exposure.uncal),
        "references": exposure.reference_files(),
        "steps": steps,
        "output": str(output),
    }
    text = json.dumps(job, indent=1)
    path = exposure.folder / "job.json"
    if not (path.is_file() and path.read_text() == text and output.is_dir()):
        if output.exists():
            run(["rm", "-r", output])
        path.unlink(missing_ok=True)
        run([python, HERE / "peer_steps.py", write(path, text)], **exposure.variables)
    found: list[dict[str, Any]] = json.loads((output / "done.json").read_text())
    return found


def write(path: Path, text: str) -> Path:
    """Write a text and return its path."""
    path.write_text(text)
    return path


def settings(case: Case, steps: list[str]) -> list[str]:
    """Return the options of steps as words of our command line."""
    words = []
    for step in steps:
        for option, value in case.of_step(step).items():
            words += ["--set", f"{step}.{option}={json.dumps(value)}"]
    return words


def run_ours(exposure: Exposure, case: Case, step: str, given: Path, output: Path) -> None:
    """Run one of our steps on a file."""
    run(
        [PROGRAMS / "calwebb-detector1", "step", step, given, "--references", exposure.references,
         "--output-dir", output, *settings(case, [step])],
        **exposure.variables,
    )  # fmt: skip


def run_ours_whole(exposure: Exposure, case: Case, names: list[str], output: Path) -> None:
    """Run our whole chain on the raw file."""
    on = [word for step in case.also for word in ("--set", f"{step}.skip=false")]
    run(
        [PROGRAMS / "calwebb-detector1", "run", exposure.uncal, "--references",
         exposure.references, "--output-dir", output, *settings(case, names), *on],
        **exposure.variables,
    )  # fmt: skip


def status(path: Path, keyword: str) -> str:
    """Return the keyword of a step in a product."""
    return str(read_metadata(path).get(keyword, "none"))


@dataclass
class Row:
    """What one step came to."""

    comparison: Comparison
    ours: str = ""
    official: str = ""


def compare_exposure(
    exposure: Exposure, case: Case, python: str, rows: dict[str, Row], *, keep: bool
) -> None:
    """Run both on one exposure and add to the rows."""
    steps = steps_of(exposure, case)
    done = run_peer(exposure, case, python)
    last_ramp = next(Path(step["input"][0]) for step in done if step["name"] == "ramp_fit")
    metadata = read_metadata(exposure.uncal)
    noise = Noise(References.from_file(exposure.references), metadata, last_ramp)
    for (name, keyword), entry in zip(steps, done, strict=True):
        output = exposure.folder / "ours" / name
        run_ours(exposure, case, name, Path(entry["input"][0]), output)
        row = rows.setdefault(name, Row(Comparison()))
        add_products(row, output, [Path(path) for path in entry["output"]], noise)
        row.ours = status(output / Path(entry["output"][0]).name, keyword)
        row.official = status(Path(entry["output"][0]), keyword)
        if not keep:
            run(["rm", "-r", output])
    output = exposure.folder / "ours" / "whole"
    run_ours_whole(exposure, case, [name for name, _ in steps], output)
    row = rows.setdefault(WHOLE, Row(Comparison()))
    add_products(row, output, [Path(path) for path in done[-1]["output"]], noise)


def add_products(row: Row, output: Path, official: list[Path], noise: Noise) -> None:
    """Compare the products of one step."""
    for path in official:
        suffix = path.stem.rpartition("_")[2]
        label = f"{suffix} " if suffix in ("rate", "rateints") else ""
        row.comparison.add(output / path.name, path, noise, label)


def compare_case(name: str, work: Path, python: str, *, keep: bool) -> dict[str, Any]:
    """Return the figures of a case by step."""
    case = CASES[name]
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Row] = {}
    exposures = simulated(case, folder)
    for exposure in exposures:
        compare_exposure(exposure, case, python, rows, keep=keep)
    return {
        "title": case.title,
        "exposures": [exposure.root for exposure in exposures],
        "steps": {
            step: {"ours": row.ours, "official": row.official, **row.comparison.figures()}
            for step, row in rows.items()
        },
    }


def arguments() -> argparse.Namespace:
    """Return the wishes of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", action="append", choices=CASES, help="may be repeated")
    parser.add_argument("--peer", required=True, help="python of an environment with jwst 3.0.0")
    parser.add_argument(
        "--work", type=Path, help="folder that keeps exposures and official results"
    )
    parser.add_argument("--keep", action="store_true", help="keep our results there, too")
    parser.add_argument("--json", type=Path, help="file for the figures; other cases in it stay")
    parser.add_argument("--markdown", type=Path, help="file with marks to put the tables between")
    return parser.parse_args()


def main() -> None:
    """Compare and report."""
    wishes = arguments()
    known: dict[str, Any] = {}
    if wishes.json and wishes.json.is_file():
        known = json.loads(wishes.json.read_text())
    with tempfile.TemporaryDirectory() as temporary:
        work = wishes.work or Path(temporary)
        for name in wishes.scenario or CASES:
            known[name] = compare_case(name, work.resolve(), wishes.peer, keep=wishes.keep)
            sys.stdout.write(as_markdown({name: known[name]}))
            if wishes.json:
                wishes.json.write_text(json.dumps(known, indent=1) + "\n")
    if wishes.markdown:
        ordered = {name: known[name] for name in CASES if name in known}
        put_tables(wishes.markdown, summary(ordered) + "\n" + as_markdown(ordered))


if __name__ == "__main__":
    main()
