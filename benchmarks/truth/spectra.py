"""Simulate spectra, run stages 2 and 3 on their count rates and compare with the truth.

``python benchmarks/truth/spectra.py --data DIR [--scenario NAME]... [--keep]
[--markdown docs/accuracy.md] [--json FILE]``

Associations are those that calwebb-associate makes of the rates: nods are one another's background.
Series are run through stage 3 twice, with our rule of outliers and the official one, and once more
with single pixels of the trace lost.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

TOP = Path(__file__).resolve().parents[2]
PROGRAMS = TOP / ".env" / "bin"
SERIES = ("lrs-slitless", "nirspec-bright", "nircam-grism")
SLITS = ("lrs-slit", "nirspec-slit")
START, END = "<!-- spectra: start -->\n", "<!-- spectra: end -->\n"
OFFICIAL = ("outlier_detection.noise=err", "outlier_detection.drift=false")
OUTLIER = 16
TRACE = 0.02  # of the column's peak from which a pixel belongs to the star
LOST = 40  # integrations and places of the trace where a pixel is lost


class Case:
    """A scenario in a folder of its own."""

    def __init__(self, name: str, data: Path) -> None:
        self.name = name
        self.folder = data / name
        self.series = name in SERIES

    def call(self, program: str, *words: object) -> None:
        """Run one of our programs to its end."""
        crds = {
            "CRDS_PATH": str(self.folder / "crds_cache"),
            "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
            "CRDS_CONTEXT": "jwst_0001.pmap",
        }
        command = [str(PROGRAMS / program), *(str(word) for word in words), "-q"]
        subprocess.run(command, check=True, env=os.environ | crds)

    def make(self) -> None:
        """Simulate, unless it is there."""
        if not (self.folder / "truth" / "truth.json").is_file():
            self.call(
                "calwebb-simulate", "rates", "--scenario", self.name, "--output-dir", self.folder
            )

    def associations(self, kind: str) -> list[Path]:
        """Return the associations of the count rates."""
        made = self.folder / "associations"
        if not made.is_dir():
            pool = self.folder / "pool.csv"
            self.call("calwebb-pool", self.folder / "rates", "-o", pool)
            self.call("calwebb-associate", pool, "--output-dir", made)
        return sorted(made.glob(f"*_{kind}_*_asn.json"))

    def stage2(self, rates: Path, results: Path) -> None:
        """Run stage 2 of every exposure; nods are the background of slits."""
        inputs = sorted(rates.glob("*.fits")) if self.series else self.associations("spec2")
        beside = [] if self.series else ["--input-dir", rates]
        for source in inputs:
            self.call("calwebb-spec2", "run", source, *beside, "--output-dir", results)

    def stage3(self, results: Path, folder: Path, settings: Iterable[str] = ()) -> None:
        """Run stage 3 of what stage 2 left."""
        kind = "tso3" if self.series else "spec3"
        chosen = [word for setting in settings for word in ("--set", setting)]
        for source in self.associations(kind):
            words = ["run", source, "--input-dir", results, "--output-dir", folder, *chosen]
            self.call(f"calwebb-{kind}", *words)

    def score(self, results: Path) -> dict[str, Any]:
        """Compare a folder of results with the truth."""
        path = results / "score.json"
        words = ["--truth", self.folder / "truth", "--results", results, "--json", path]
        self.call("calwebb-simulate", "score", *words)
        figures: dict[str, Any] = json.loads(path.read_text())
        return figures

    def flagged(self, results: Path) -> float:
        """Return the part of the star's pixels that the outlier detection of stage 3 flagged."""
        count = total = 0
        for path in sorted(results.glob("*_crfints.fits")):
            root = path.name.rsplit("_", 2)[0]
            with fits.open(path) as hdus:
                dq, calibrated = hdus["DQ"].data, np.nan_to_num(hdus["SCI"].data)
            star = np.median(calibrated, axis=0)
            known = fits.getdata(self.folder / "truth" / f"{root}_truth.fits", "STAR")
            if known.shape == star.shape:
                star = known
            axis = 1 if self.name == "lrs-slitless" else 0
            lit = star > TRACE * star.max(axis=axis, keepdims=True)
            lit &= star > TRACE * np.median(star.max(axis=axis))
            count += int(np.count_nonzero(dq[:, lit] & OUTLIER))
            total += dq[:, lit].size
        return count / max(total, 1)

    def lose_pixels(self, folder: Path) -> dict[str, list[tuple[int, int]]]:
        """Write count rates with lost pixels; return integrations and places along, by root."""
        folder.mkdir(parents=True, exist_ok=True)
        lost: dict[str, list[tuple[int, int]]] = {}
        along = 0 if self.name == "lrs-slitless" else 1
        for path in sorted((self.folder / "rates").glob("*.fits")):
            root = path.name.rsplit("_", 1)[0]
            star = fits.getdata(self.folder / "truth" / f"{root}_truth.fits", "STAR")
            light = star.max(axis=1 - along)
            bright = np.flatnonzero(light > 0.3 * light.max())
            with fits.open(path) as hdus:
                cube, dq = hdus["SCI"].data, hdus["DQ"].data
                places = bright[np.linspace(5, len(bright) - 6, LOST).astype(int)]
                for number, place in enumerate(places):
                    integration = number % len(cube)
                    across = int(np.take(star, place, axis=along).argmax())
                    index = (place, across) if along == 0 else (across, place)
                    cube[integration][index] = np.nan
                    dq[integration][index] |= 1
                    lost.setdefault(root, []).append((integration, int(place)))
                hdus.writeto(folder / path.name, overwrite=True)
        return lost


def lost_light(whole: Path, holed: Path) -> tuple[int, int, float, float, float]:
    """Compare spectra with and without lost pixels.

    Returns how many elements changed and how many of them have no flux, mean and rms pull of the
    others, and their mean ratio less 1.

    Elements are told by their flags; a pull is in units of the error of the element with the hole.
    """
    pulls, ratios = [], []
    for path in sorted(holed.glob("*-seg*_x1dints.fits")):
        with fits.open(path) as hdus, fits.open(whole / path.name) as other:
            new, old = hdus["EXTRACT1D"].data, other["EXTRACT1D"].data
            flux, true = np.array(new["FLUX"], float), np.array(old["FLUX"], float)
            error = np.array(new["FLUX_ERROR"], float)
            touched = (np.array(new["DQ"]) != np.array(old["DQ"])) & (flux != true)
            touched |= np.isnan(flux) & np.isfinite(true)
            with np.errstate(invalid="ignore"):
                pulls.append(((flux - true) / error)[touched])
                ratios.append((flux / true)[touched])
    pull, ratio = np.concatenate(pulls), np.concatenate(ratios)
    unknown = int(np.count_nonzero(np.isnan(pull)))
    rms = float(np.sqrt(np.nanmean(np.square(pull))))
    return len(pull), unknown, float(np.nanmean(pull)), rms, float(np.nanmean(ratio) - 1)


def run_case(case: Case, *, keep: bool) -> dict[str, Any]:
    """Simulate, calibrate and score a case."""
    case.make()
    second, third = case.folder / "stage2", case.folder / "stage3"
    others = [case.folder / name for name in ("official", "holed", "holes")]
    if not (keep and third.is_dir()):
        for folder in (second, third, *others):
            shutil.rmtree(folder, ignore_errors=True)
        case.stage2(case.folder / "rates", second)
        case.stage3(second, third)
        if case.series:
            case.stage3(second, others[0], OFFICIAL)
            case.lose_pixels(others[1])
            case.stage2(others[1], others[2])
    found: dict[str, Any] = {"stage2": case.score(second), "stage3": case.score(third)}
    if case.series:
        found["official"] = case.score(others[0])
        found["flagged"] = [case.flagged(third), case.flagged(others[0])]
        found["lost"] = lost_light(second, others[2])
    return found


def spectrum_rows(name: str, figures: dict[str, Any]) -> list[list[str]]:
    """Return the figures of a case's spectra: the mean of the exposures, and stage 3."""
    rows = []
    for stage in ("stage2", "stage3"):
        several = list(figures[stage]["spectra"].values())
        if not several:
            continue
        mean = {key: float(np.mean([one[key] for one in several])) for key in several[0]}
        rows.append(
            [
                f"{name}, stage {stage[-1]}",
                f"{100 * mean['flux_bias']:+.3f} %",
                f"{100 * mean['flux_scatter']:.3f} %",
                f"{100 * mean['expected_scatter']:.3f} %",
                f"{mean['chi2']:.2f}",
                f"{mean['line_offset']:.4f}",
            ]
        )
    return rows


def curve_row(name: str, figures: dict[str, Any]) -> list[str]:
    """Return the figures of a light curve, with our rule of outliers and the official one."""
    ours, official = (
        next(item for key, item in figures[kind]["light_curves"].items() if "whtlt" in key)
        for kind in ("stage3", "official")
    )
    flagged = [f"{100 * part:.3f} %" for part in figures["flagged"]]
    return [
        name,
        f"{1e6 * ours['depth_true']:.0f}",
        f"{1e6 * ours['depth']:.0f} ± {1e6 * ours['depth_error']:.0f}",
        f"{ours['scatter_ppm']:.0f}",
        f"{ours['expected_ppm']:.0f}",
        flagged[0],
        f"{1e6 * official['depth']:.0f} ± {1e6 * official['depth_error']:.0f}",
        f"{official['scatter_ppm']:.0f}",
        flagged[1],
    ]


def lost_row(name: str, figures: dict[str, Any]) -> list[str]:
    """Return what lost pixels do to a spectrum."""
    count, unknown, mean, rms, ratio = figures["lost"]
    return [name, f"{count}", f"{unknown}", f"{100 * ratio:+.2f} %", f"{mean:+.2f}", f"{rms:.2f}"]


SPECTRA = ("case", "flux over truth", "scatter", "scatter by the errors", "chi²",
           "lines off, rms, resolution elements")  # fmt: skip
CURVES = ("case", "true depth (ppm)", "found", "scatter (ppm)", "by the errors",
          "star's pixels flagged", "official rule: depth", "scatter", "flagged")  # fmt: skip
HOLES = (
    "case",
    "elements",
    "without flux",
    "light of the others, mean change",
    "mean pull",
    "rms pull",
)


def table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [list(head), ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def report(scores: dict[str, dict[str, Any]]) -> str:
    """Return the tables of all cases."""
    series = {name: figures for name, figures in scores.items() if name in SERIES}
    spectra = [row for name, figures in scores.items() for row in spectrum_rows(name, figures)]
    tables = [table(SPECTRA, spectra)]
    if series:
        tables.append(table(CURVES, [curve_row(*item) for item in series.items()]))
        tables.append(table(HOLES, [lost_row(*item) for item in series.items()]))
    return "\n".join(tables)


def put_between(path: Path, text: str) -> None:
    """Write `text` between the marks of a Markdown file."""
    head, _, rest = path.read_text().partition(START)
    _, _, tail = rest.partition(END)
    path.write_text(head + START + text + END + tail)


def main() -> None:
    """Simulate, calibrate, compare, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder for all cases")
    parser.add_argument("--scenario", action="append", choices=[*SLITS, *SERIES])
    parser.add_argument("--keep", action="store_true", help="calibrate only what has no results")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--markdown", type=Path, help="file with marks to put the tables between")
    wishes = parser.parse_args()
    scores = {}
    for name in wishes.scenario or (*SLITS, *SERIES):
        scores[name] = run_case(Case(name, wishes.data.resolve()), keep=wishes.keep)
    if wishes.json:
        wishes.json.write_text(json.dumps(scores, indent=1) + "\n")
    text = report(scores)
    if wishes.markdown:
        put_between(wishes.markdown, text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
