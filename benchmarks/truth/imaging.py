"""Simulate, run the chain and compare mosaics and catalogs with the truth.

``python benchmarks/truth/imaging.py --data DIR [--scenario NAME]... [--keep]
[--markdown docs/accuracy.md] [--json FILE]``

Below DIR every case has a folder with its simulation and results, about 4 GB for all of them;
what is there is not simulated again, and with ``--keep`` not calibrated again either.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "benchmarks" / "measuring"))

from associations import write_association  # noqa: E402

PROGRAMS = TOP / ".env" / "bin"
CONTEXT = "jwst_0001.pmap"
CORES = 2
START, END = "<!-- imaging: start -->\n", "<!-- imaging: end -->\n"
SNR_BINS = ((5, 10), (10, 20), (20, 40), (40, 100), (100, math.inf))


@dataclass(frozen=True)
class Case:
    """A scenario and how it is made: from ramps (run) or as calibrated images (cal)."""

    name: str
    meaning: str
    simulate: tuple[str, ...]
    product: str = ""  # of the association of calibrated images


# fmt: off
CASES = (
    Case("demo", "NRCALONG F277W, 4 full frames", ("run", "--scenario", "demo")),
    Case("pointing", "NRCB1 F200W, 3 visits that miss, SUB320", ("run", "--scenario", "pointing")),
    Case("mosaic", "NRCB1-4 F200W, 4 dithers, SUB320", ("run", "--scenario", "mosaic")),
    Case("moving-target", "NRCB1 F200W, moving target, SUB160",
         ("run", "--scenario", "moving-target")),
    Case("miri-image", "MIRI F770W, SUB128", ("run", "--scenario", "miri-image")),
    Case("background", "MIRI F1280W with backgrounds, SUB128", ("run", "--scenario", "background")),
    Case("niriss-image", "NIRISS F200W and F277W, SUB128", ("run", "--scenario", "niriss-image")),
    Case("fgs-image", "FGS GUIDER1, SUB128CNTR", ("run", "--scenario", "fgs-image")),
    Case("long", "NRCALONG F277W, 16 full frames on 4 tiles, from cal",
         ("cal", "--scenario", "imaging64", "--exposures", "16"),
         "jw01518-o001_t001_nircam_clear-f277w"),
    Case("short", "NRCB1 F200W, 8 full frames, from cal",
         ("cal", "--scenario", "imaging64-short", "--detector", "NRCB1"),
         "jw01519-o001_t001_nircam_clear-f200w"),
)
# fmt: on


def call(*command: object, **environment: str) -> None:
    """Run a command to its end."""
    words = [str(word) for word in command]
    subprocess.run(words, check=True, env=os.environ | environment)


def make(case: Case, folder: Path) -> None:
    """Simulate a case, unless it is there."""
    if not (folder / "truth" / "truth.json").is_file():
        call(PROGRAMS / "calwebb-simulate", *case.simulate, "--output-dir", folder, "-q")


def calibrate(case: Case, folder: Path) -> None:
    """Run the chain up to the mosaic and the catalog."""
    results = folder / "results"
    if results.is_dir():
        shutil.rmtree(results)
    crds = {
        "CRDS_PATH": str(folder / "crds_cache"),
        "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
        "CRDS_CONTEXT": CONTEXT,
    }
    if case.product:
        source = write_association(folder, case.product)
        program = PROGRAMS / "calwebb-image3"
        call(program, "run", source, "--output-dir", results, "-q", **crds)
        return
    settings = [f"uncal={folder / 'uncal'}", f"results={results}", f"logs={folder / 'logs'}"]
    call(
        PROGRAMS / "snakemake", "image3_all", "--cores", CORES, "--quiet", "all", "--nolock",
        "--directory", TOP, "--snakefile", TOP / "Snakefile", "--config", *settings, **crds,
    )  # fmt: skip


def score(folder: Path) -> dict[str, Any]:
    """Compare the results with the truth."""
    path = folder / "score.json"
    call(
        PROGRAMS / "calwebb-simulate", "score", "--truth", folder / "truth",
        "--results", folder / "results", "--json", path, "-q",
    )  # fmt: skip
    figures: dict[str, Any] = json.loads(path.read_text())
    return figures


def stars_row(name: str, catalog: dict[str, Any]) -> list[str]:
    """Return the figures of bright stars."""
    bright = catalog["bright"]
    return [
        name,
        f"{catalog['matched']}",
        f"{bright['stars']}",
        f"{bright['ra_offset']:+.2f}, {bright['dec_offset']:+.2f}",
        f"{bright['ra_rms']:.2f}, {bright['dec_rms']:.2f}",
        f"{bright['flux_ratio']:.4f} ± {bright['flux_scatter']:.4f}",
        f"{catalog['flux_ratio']:.4f} ± {catalog['flux_scatter']:.4f}",
    ]


def completeness_row(name: str, catalog: dict[str, Any]) -> list[str]:
    """Return how many stars were found by signal-to-noise ratio, and the false entries."""
    cells = [merged(catalog["completeness"], low, high) for low, high in SNR_BINS]
    false = f"{catalog['false_deep']} of {catalog['sources_deep']}"
    return [name, *cells, false, f"{catalog['false']} of {catalog['sources']}"]


def merged(rows: list[dict[str, Any]], low: float, high: float) -> str:
    """Return how many stars there are within limits of the ratio, and how many were found."""
    inside = [row for row in rows if row["from"] >= low and (row["to"] or math.inf) <= high]
    stars = sum(row["stars"] for row in inside)
    found = sum(row["stars"] * row["found"] for row in inside if row["stars"])
    return f"{100 * found / stars:.0f} % of {stars}" if stars else "-"


def mosaic_row(name: str, figures: dict[str, Any]) -> list[str]:
    """Return how well exposures were put together."""
    pointing, sky, outliers = figures["pointing"], figures["sky"], figures["outliers"]
    rows = pointing.get("exposures", {}).values()
    injected = spread([row["injected"][:2] for row in rows])
    return [
        name,
        f"{injected:.1f}",
        f"{pointing['east_rms']:.2f}, {pointing['north_rms']:.2f}",
        f"{pointing['worst']:.2f}",
        f"{sky['spread']:.4f}" if sky else "-",
        f"{sky['scatter']:.5f}" if sky else "-",
        f"{sky['sky_scatter']:.5f}" if sky else "-",
        part(outliers["found"], outliers["harmful"]),
        part(outliers["found_far"], outliers["far"]),
        f"{outliers['left_in_mosaic']}",
        f"{outliers['false']:.1e}",
        f"{outliers['false_in_cores']:.1e}",
    ]


def part(found: float | None, number: int) -> str:
    """Return which fraction of some number was found."""
    return f"{100 * (found or 0):.1f} % of {number}" if number else "-"


def spread(places: list[list[float]]) -> float:
    """Return the rms of positions about their mean, per axis."""
    if not places:
        return math.nan
    means = [sum(axis) / len(places) for axis in zip(*places, strict=True)]
    squares = [(p - m) ** 2 for place in places for p, m in zip(place, means, strict=True)]
    return math.sqrt(sum(squares) / len(squares))


STARS = ("case", "sources matched", "bright stars", "offset east, north (mas)",
         "rms east, north (mas)", "flux over truth", "the same, S/N > 20")  # fmt: skip
FOUND = ("case", *(f"S/N {low} - {high}" for low, high in SNR_BINS[:-1]), "S/N > 100",
         "false, three exposures or more", "false, all")  # fmt: skip
EXPOSURES = ("case", "pointing put in, rms (mas)", "left, rms east, north", "worst",
             "levels differ by (MJy/sr)", "rms error", "from the sky's own",
             "hits above 5 errors flagged", "above 8 errors", "left in the mosaic",
             "good pixels flagged", "those in star cores")  # fmt: skip


def markdown(head: Iterable[str], rows: list[list[str]]) -> str:
    """Return a table."""
    lines = [list(head), ["---"] * len(list(head)), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def report(scores: dict[str, dict[str, Any]]) -> str:
    """Return the tables of all cases and the lines about moving targets."""
    stars, found, exposures, targets = [], [], [], []
    for case in CASES:
        figures = scores.get(case.name)
        if not figures:
            continue
        for catalog in figures["catalogs"].values():
            label = labelled(case, figures["catalogs"], catalog["filter"])
            if "target" in catalog:
                targets.append(target_line(label, catalog["target"]))
            elif "bright" in catalog:
                stars.append(stars_row(label, catalog))
                found.append(completeness_row(label, catalog))
        for name, one in figures["mosaics"].items():
            label = labelled(case, figures["mosaics"], name.split(maxsplit=1)[-1])
            exposures.append(mosaic_row(label, one))
    tables = [markdown(STARS, stars), markdown(FOUND, found), markdown(EXPOSURES, exposures)]
    return "\n".join([*tables, *targets])


def labelled(case: Case, several: dict[str, Any], part: str) -> str:
    """Return the name of a case's part."""
    return f"{case.name}, {part}" if len(several) > 1 else case.name


def target_line(name: str, target: dict[str, float]) -> str:
    """Return a sentence about a moving target."""
    return (
        f"`{name}`: the target is {target['east']:+.2f} mas east and {target['north']:+.2f} mas "
        f"north of its place, its flux {target['flux_ratio']:.4f} of the truth.\n"
    )


def put_between(path: Path, text: str) -> None:
    """Write `text` between the marks of a Markdown file."""
    head, _, rest = path.read_text().partition(START)
    _, _, tail = rest.partition(END)
    path.write_text(head + START + text + END + tail)


def main() -> None:
    """Simulate, calibrate, compare, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder for all cases")
    parser.add_argument("--scenario", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--keep", action="store_true", help="calibrate only what has no results")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--markdown", type=Path, help="file with marks to put the tables between")
    wishes = parser.parse_args()
    scores = {}
    for case in CASES:
        if wishes.scenario and case.name not in wishes.scenario:
            continue
        folder = wishes.data.resolve() / case.name
        make(case, folder)
        if not (wishes.keep and (folder / "results").is_dir()):
            calibrate(case, folder)
        scores[case.name] = score(folder)
    if wishes.json:
        wishes.json.write_text(json.dumps(scores, indent=1) + "\n")
    text = report(scores)
    if wishes.markdown:
        put_between(wishes.markdown, text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
