"""Run the programs in many circumstances and compare the bytes of all products.

``python benchmarks/determinism/run.py --work DIR [--case NAME]... [--kind NAME]... [--jobs N]
[--markdown FILE]``

Everything is below DIR: data that calwebb-simulate makes, compiled kernels, products. What an
earlier run left there is made again, but for the data; without `--case`, what it found is
forgotten. Products of `first` are made again if they are asked for, or if there are none. Cases
that cannot be run here (no images, no Slurm, not root) are named and left out. The tables go
between their marks in the Markdown file: those of images and those of spectra, each if DIR has
outcomes of them. Exits with 1 if what should be equal is not.
"""

import argparse
import os
import resource
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from determinism.cases import CASES, FIRST, Case, case  # noqa: E402
from determinism.chain import run_chain  # noqa: E402
from determinism.circumstances import STAGES, TOP, ChainError, hand_over, image, make_place  # noqa: E402
from determinism.kinds import IMAGING, KINDS, SPECTRA, Kind, make_data  # noqa: E402
from determinism.outcomes import Outcome, commit, keep, kept, outcome, put_parts  # noqa: E402

SLURM = ("munged", "slurmctld", "slurmd", "sbatch")
Task = tuple[Case, Kind]
ALL_KINDS = (IMAGING, *KINDS, *SPECTRA)


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--case", action="append", choices=[item.name for item in CASES])
    kinds = [item.name for item in ALL_KINDS]
    parser.add_argument("--kind", action="append", choices=kinds)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


def obstacle(item: Case) -> str:
    """Say why a case cannot be run here; nothing if it can."""
    if item.user and os.geteuid() != 0:
        return "only root can run as another user"
    if item.rounding and shutil.which("cc") is None:
        return "no C compiler"
    if item.container:
        if shutil.which("apptainer") is None:
            return "no apptainer"
        stages = sorted({"associate", *STAGES.values()})
        missing = [stage for stage in stages if not image(stage).exists()]
        return f"no image of {', '.join(missing)}" if missing else ""
    if item.workflow == "slurm":
        places = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
        missing = [name for name in SLURM if shutil.which(name, path=places) is None]
        return f"no {', '.join(missing)}" if missing else ""
    return ""


def tasks(cases: list[Case], kinds: list[Kind]) -> list[Task]:
    """Return which kinds run in which cases."""
    return [
        (item, kind) for item, kind in product(cases, kinds)
        if item.wide or kind is IMAGING or (item.spectra and kind.spectral)
    ]  # fmt: skip


def prepare(kinds: list[Kind], work: Path) -> None:
    """Make what is missing of the data."""
    for kind in kinds:
        if not kind.only_simulated and not (work / "data" / kind.name).exists():
            place = make_place(FIRST, work, work / "making", work / "kernels")
            make_data(
                kind, work / "data" / kind.name,
                lambda *words, place=place: place.call("calwebb-simulate", *words),
            )  # fmt: skip


def kernels_of(item: Case, work: Path) -> Path:
    """Return where a case finds compiled kernels; a user of its own has a copy of them."""
    shared = work / "kernels"
    if not item.user:
        return shared
    own = work / f"kernels-{item.user}"
    if not own.exists():
        shutil.copytree(shared, own)
        hand_over(own, item.user)
    return own


def run_one(task: Task, work: Path) -> Outcome:
    """Run a case of a kind, compare it, and say and keep what it gave."""
    item, kind = task
    began = time.monotonic()
    folder = work / item.name / kind.name
    try:
        run_chain(item, work / "data" / kind.name, folder, kernels_of(item, work), kind=kind)
    except ChainError as error:
        found = Outcome(item.name, kind.name, 0, "", {"nothing": str(error).strip()})
    else:
        reference = work / FIRST.name / kind.name / "results"
        found = outcome(item, kind, reference, folder / "results")
    found.commit = commit(TOP)
    keep(found, folder)
    text = (
        f"{item.name} {kind.name}: {found.number} products, {len(found.differences)} not the same"
    )
    print(f"{text}, {found.digest[:16]}, {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return found


def run(asked: argparse.Namespace, work: Path, cases: list[Case]) -> list[Outcome]:
    """Run the first case of every kind, then all others side by side."""
    wanted = set(asked.kind or [kind.name for kind in ALL_KINDS])
    kinds = [kind for kind in ALL_KINDS if kind.name in wanted]
    prepare(kinds, work)
    again = FIRST in cases
    first = [
        task for task in tasks([FIRST], kinds)
        if again or not (work / FIRST.name / task[1].name / "outcome.json").exists()
    ]  # fmt: skip
    others = tasks([item for item in cases if item is not FIRST], kinds)
    with ThreadPoolExecutor(asked.jobs) as pool:
        outcomes = list(pool.map(lambda task: run_one(task, work), first))
        for item, _ in others:
            kernels_of(item, work)  # a copy is made once, before others need it
        return outcomes + list(pool.map(lambda task: run_one(task, work), others))


def main() -> int:
    """Run what was asked for, and return 1 if what should be equal is not."""
    asked = arguments()
    work = asked.work.resolve()
    (work / "kernels").mkdir(parents=True, exist_ok=True)
    cases = [case(name) for name in asked.case] if asked.case else list(CASES)
    if not asked.case:
        for item in CASES:
            shutil.rmtree(work / item.name, ignore_errors=True)
    reasons = {item.name: obstacle(item) for item in cases}
    left_out = [f"{name} ({why})" for name, why in reasons.items() if why]
    began = time.monotonic()
    outcomes = run(asked, work, [item for item in cases if not reasons[item.name]])
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime
    duration = (
        f"{(time.monotonic() - began) / 60:.0f} minutes, {seconds / 60:.0f} minutes of one core."
    )
    print(duration, *left_out, sep="\n")  # noqa: T201
    if asked.markdown:
        put_parts(work, left_out, duration, asked.markdown)
    return int(not all(item.good for item in (*outcomes, *kept(work))))


if __name__ == "__main__":
    sys.exit(main())
