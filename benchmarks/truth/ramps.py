"""How well jumps are found and slopes are fitted, against made ramps whose truth is known.

    python benchmarks/truth/ramps.py --peer .env/peer/bin/python --json ramps.json \
        --markdown docs/accuracy.md

Ramps of ten groups with read noise, photon noise and cosmic rays of 20 to 3,000 electrons at any
time, with one frame a group, and with eight (ten frames apart: hits fall amid the averaged reads
too). Ours and the official package get the same arrays. A hit is found if the group in which it
first shows, or the next one, is flagged. False jumps are counted in ramps without hits.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt8
from calwebb_detector1.ramp_likelihood import JumpLimits, find_likely_jumps, fit_likelihood
from calwebb_detector1.ramp_slopes import fit_slopes
from calwebb_detector1.rates import Timing
from calwebb_detector1.steps.jump import JumpParameters, detect_jumps

GAIN, NOISE, TFRAME, NGROUPS = 1.9, 9.0, 10.737, 10  # electron/DN, electron a read, s
RATES = (0.2, 2.0)  # electron/s, evenly in the logarithm
ENERGIES = (20.0, 3000.0)  # electron, likewise
STRUCK = 0.3  # share of ramps with one hit
BINS = ((30, 60), (60, 100), (100, 150), (150, 3000))
Fitted = tuple[UInt8, Float32, Float32]  # group flags, slope, error
Scores = dict[str, dict[str, dict[str, float]]]  # by frames, method, quantity
START, END = "<!-- ramps: start -->\n", "<!-- ramps: end -->\n"


@dataclass
class Made:
    """Ramps and their truth: rate in DN/s, energy of the hit in electrons (0: none), its group."""

    data: Float32
    timing: Timing
    groupgap: int
    rate: NDArray[np.float64]
    energy: NDArray[np.float64]
    group: NDArray[np.int64]

    @property
    def gain(self) -> Float32:
        """Electron/DN."""
        return np.full(self.rate.shape, GAIN, np.float32)

    @property
    def readnoise(self) -> Float32:
        """DN, of the difference of two frames."""
        return np.full(self.rate.shape, NOISE * np.sqrt(2) / GAIN, np.float32)


def evenly_in_logarithm(
    rng: np.random.Generator, limits: tuple[float, float], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Return random numbers between two limits."""
    low, high = np.log(limits)
    return np.exp(rng.uniform(low, high, shape))


def make(seed: int, size: int, nframes: int, groupgap: int) -> Made:
    """Make (1, NGROUPS, size, size) ramps frame by frame."""
    rng = np.random.default_rng(seed)
    shape, cycle = (size, size), nframes + groupgap
    rate = evenly_in_logarithm(rng, RATES, shape)
    energy = np.where(rng.random(shape) < STRUCK, evenly_in_logarithm(rng, ENERGIES, shape), 0)
    last = (NGROUPS - 1) * cycle + nframes  # frames up to the last one that is read
    when = rng.integers(1, last, shape)  # first frame that shows it; in the first none would tell
    charge = np.zeros(shape)
    data = np.zeros((1, NGROUPS, *shape))
    for frame in range(last):
        charge += rng.poisson(rate * TFRAME) + np.where(when == frame, np.rint(energy), 0)
        if frame % cycle < nframes:
            data[0, frame // cycle] += charge + rng.normal(0, NOISE, shape)
    data /= nframes * GAIN
    group = np.where(when % cycle < nframes, when // cycle, when // cycle + 1)
    timing = Timing(cycle * TFRAME, TFRAME, nframes)
    return Made(data.astype(np.float32), timing, groupgap, rate / GAIN, energy, group)


@dataclass(frozen=True)
class Method:
    """Which jumps are searched for before the fit, and how it fits."""

    two_point: bool = False
    likely_jumps: JumpLimits | None = None
    likely_fit: bool = False


def ours(made: Made, method: Method) -> Fitted:
    """Return group flags, slope and error."""
    groupdq = np.zeros(made.data.shape, np.uint8)
    pixeldq = np.zeros(made.rate.shape, np.uint32)
    given: dict[str, Any] = {"gain": made.gain, "readnoise": made.readnoise}
    if method.two_point:
        detect_jumps(
            made.data,
            groupdq,
            nframes=made.timing.nframes,
            group_time=made.timing.group_time,
            parameters=JumpParameters(flag_4_neighbors=False),
            **given,
        )
    given |= {"timing": made.timing}
    if method.likely_fit:
        _, rate = fit_likelihood(made.data, groupdq, pixeldq, jumps=method.likely_jumps, **given)
        return groupdq, rate[0], rate[1]
    if method.likely_jumps:
        find_likely_jumps(made.data, groupdq, pixeldq, jumps=method.likely_jumps, **given)
    _, rate = fit_slopes(made.data, groupdq, pixeldq, **given)
    return groupdq, rate[0], rate[1]


RISES = JumpLimits(18.0, 21.0, positive=True)
FEW_FALSE = JumpLimits(19.6, 23.0, positive=True)
OURS = {
    "two-point, OLS_C": Method(two_point=True),
    "likelihood_jumps, OLS_C": Method(likely_jumps=JumpLimits()),
    "the same, positive_jumps, limits 18 and 21": Method(likely_jumps=RISES),
    "LIKELY": Method(likely_jumps=JumpLimits(), likely_fit=True),
    "LIKELY, positive_jumps, limits 18 and 21": Method(likely_jumps=RISES, likely_fit=True),
    "LIKELY, positive_jumps, limits 19.6 and 23": Method(likely_jumps=FEW_FALSE, likely_fit=True),
    "two-point, then LIKELY": Method(True, JumpLimits(), likely_fit=True),
}


def theirs(made: Made, python: str) -> dict[str, Fitted]:
    """Run the official package on the same arrays; return its methods' results by name."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(
            given, data=made.data, gain=made.gain, readnoise=made.readnoise,
            nframes=made.timing.nframes, groupgap=made.groupgap, tgroup=made.timing.group_time,
            tframe=TFRAME,
        )  # fmt: skip
        script = Path(__file__).with_name("peer_ramps.py")
        command = [python, str(script), str(given), str(found)]
        subprocess.run(command, check=True, capture_output=True)
        with np.load(found) as file:
            arrays = dict(file)
    names = dict.fromkeys(key.split("|")[0] for key in arrays)
    return {
        name: (arrays[f"{name}|groupdq"], arrays[f"{name}|slope"], arrays[f"{name}|err"])
        for name in names
    }


def score(made: Made, groupdq: UInt8, slope: Float32, err: Float32) -> dict[str, float]:
    """Compare with the truth."""
    jumps = groupdq[0] & 4 != 0
    rows, columns = np.indices(made.group.shape)
    later = np.minimum(made.group + 1, NGROUPS - 1)
    seen = jumps[made.group, rows, columns] | jumps[later, rows, columns]
    clean = made.energy == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        pull = (slope - made.rate) / err
    result = {
        "false_jumps_a_difference": float(jumps[:, clean].sum() / (clean.sum() * (NGROUPS - 1))),
        "no_slope": float(np.isnan(slope).sum()),
    }
    for low, high in BINS:
        of_bin = (made.energy >= low) & (made.energy < high)
        result[f"found_{low}_{high}"] = float(seen[of_bin].mean())
    for name, where in (("clean", clean), ("struck", ~clean)):
        good = where & np.isfinite(pull)
        error = (slope - made.rate)[good]
        result[f"bias_{name}"] = float(error.mean() / err[good].mean())
        result[f"chisq_{name}"] = float((pull[good] ** 2).mean())
        result[f"scatter_{name}"] = float(error.std())
    return result


def measure(seed: int, size: int, python: str | None) -> Scores:
    """Return the scores of all methods by number of frames."""
    scores = {}
    for nframes, groupgap in ((1, 0), (8, 2)):
        made = make(seed, size, nframes, groupgap)
        found = {f"here: {name}": ours(made, method) for name, method in OURS.items()}
        if python:
            found |= {f"3.0.0: {name}": result for name, result in theirs(made, python).items()}
        scores[f"NFRAMES {nframes}"] = {name: score(made, *r) for name, r in found.items()}
    return scores


COLUMNS = (
    ("30-60 e⁻", "found_30_60", "{:.1%}"),
    ("60-100", "found_60_100", "{:.1%}"),
    ("100-150", "found_100_150", "{:.1%}"),
    ("> 150", "found_150_3000", "{:.2%}"),
    ("false jumps", "false_jumps_a_difference", "{:.1e}"),
    ("bias", "bias_clean", "{:+.3f}"),
    ("chi²", "chisq_clean", "{:.3f}"),
    ("scatter, DN/s", "scatter_clean", "{:.5f}"),
    ("bias, hit", "bias_struck", "{:+.3f}"),
    ("chi², hit", "chisq_struck", "{:.3f}"),
)


def table(scores: Scores, size: int, seed: int) -> str:
    """Return the scores as Markdown."""
    lines = [
        f"{size}² ramps of {NGROUPS} groups, {RATES[0]:g} - {RATES[1]:g} e⁻/s, "
        f"{NOISE:g} e⁻ of noise a read, {100 * STRUCK:g} % with one hit at any time",
        f"(`benchmarks/truth/ramps.py --size {size} --seed {seed}`). False jumps a difference and "
        "bias, chi², scatter",
        "of the slopes are those of ramps without hits, bias and chi² in units of ERR; then of "
        "ramps with one.",
    ]
    for frames, methods in scores.items():
        heads = [frames, *(head for head, _, _ in COLUMNS)]
        lines += ["", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        for name, result in methods.items():
            values = [form.format(result[key]) for _, key, form in COLUMNS]
            lines.append("| " + " | ".join([name, *values]) + " |")
    return "\n".join(lines) + "\n"


def put_between(path: Path, text: str) -> None:
    """Write `text` between the marks of a Markdown file."""
    whole = path.read_text()
    before, rest = whole.split(START)
    path.write_text(before + START + text + END + rest.split(END)[1])


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512, help="ramps a side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", help="python of an environment with jwst 3.0.0")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--markdown", type=Path, help="file with marks to put the table between")
    wishes = parser.parse_args()
    scores = measure(wishes.seed, wishes.size, wishes.peer)
    if wishes.json:
        wishes.json.write_text(json.dumps(scores, indent=1) + "\n")
    text = table(scores, wishes.size, wishes.seed)
    if wishes.markdown:
        put_between(wishes.markdown, text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
