"""Run the chain in many circumstances and compare the bytes of all products.

``python benchmarks/determinism/run.py --data DIR --work DIR [--case NAME]... [--others NAME=DIR]...
[--markdown FILE]``

DIR of `--data` is what calwebb-simulate wrote. Products of `first` that are in WORK already are
used again, and what earlier runs gave stays in the table. `--others` compares the results of a
run of the workflow, file by file of the same name. The table goes between the two marks in the
Markdown file. Exits with 1 if what should be equal is not.
"""

import argparse
import json
import platform
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from determinism.cases import CASES, FIRST, Case, case  # noqa: E402
from determinism.chain import run_chain  # noqa: E402
from determinism.products import difference, different, digests, total  # noqa: E402

BEGIN, END = "<!-- written by benchmarks/determinism/run.py -->", "<!-- end -->"
LIBRARIES = ("numpy", "scipy", "numba", "llvmlite", "astropy", "photutils")
SHOWN = 3
KEPT = "outcome.json"


@dataclass
class Outcome:
    """What a case gave.

    Attributes
    ----------
    name, meaning : str
    number : int
        Products compared.
    digest : str
        SHA-256 over the products' digests and names.
    differences : dict of str to str
        How those differ that do.
    expected : bool
        Whether differences are documented.
    """

    name: str
    meaning: str
    number: int
    digest: str
    differences: dict[str, str] = field(default_factory=dict)
    expected: bool = False


def outcome(item: Case, reference: Path, results: Path) -> Outcome:
    """Compare the products of a case with those of the first."""
    own, first = digests(results), digests(reference)
    found = {name: difference(reference / name, results / name) for name in different(first, own)}
    return Outcome(item.name, item.meaning, len(own), total(own), found, bool(item.exception))


def outcome_of_others(name: str, reference: Path, folder: Path) -> Outcome:
    """Compare files of the same name in a folder that was laid out otherwise."""
    mine = {path.name: path for path in reference.rglob("*") if path.suffix in (".fits", ".ecsv")}
    others = {path.name: path for path in folder.rglob("*") if path.name in mine}
    own = {name: digests(path.parent)[path.name] for name, path in others.items()}
    first = {name: digests(mine[name].parent)[name] for name in others}
    found = {item: difference(mine[item], others[item]) for item in different(first, own)}
    return Outcome(name, f"`{name}`", len(own), total(own), found)


def table(outcomes: list[Outcome]) -> list[str]:
    """Return the table of cases."""
    lines = ["| case | circumstances | products | not the same | SHA-256 of all |"]
    lines.append("|---|---|---|---|---|")
    lines += [
        f"| {item.name} | {item.meaning} | {item.number} | {len(item.differences)} "
        f"| `{item.digest[:16]}` |"
        for item in outcomes
    ]
    return lines


def exceptions(outcomes: list[Outcome]) -> list[str]:
    """Return what differs, a few products a case."""
    lines = []
    for item in outcomes:
        shown = list(item.differences.items())[:SHOWN]
        lines += [f"- {item.name}: `{name}`: {text[:500]}" for name, text in shown]
    return lines


def page(outcomes: list[Outcome], reference: Path, command: str) -> str:
    """Return the part of the page that this program writes."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    lines = [f"`{command}`", "", f"Python {platform.python_version()}, {libraries}.", ""]
    lines += [*table(outcomes), ""]
    found = exceptions(outcomes)
    lines += ["What is not the same:", "", *found, ""] if found else []
    lines += ["Products of the first case:", "", "| product | SHA-256 |", "|---|---|"]
    lines += [f"| {name} | `{digest}` |" for name, digest in digests(reference).items()]
    return "\n".join(lines)


def put(text: str, target: Path) -> None:
    """Put a text between the marks of a page."""
    before, _, rest = target.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    target.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--case", action="append", choices=[item.name for item in CASES])
    parser.add_argument("--others", action="append", default=[])
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


def run(asked: argparse.Namespace) -> None:
    """Run the cases, and keep what each gave beside its products."""
    work, data = asked.work.resolve(), asked.data.resolve()
    reference = work / FIRST.name / "results"
    kernels = work / "kernels"
    kernels.mkdir(parents=True, exist_ok=True)
    for item in [case(name) for name in asked.case] if asked.case else CASES:
        if item is not FIRST or not (work / FIRST.name / KEPT).exists():
            run_chain(item, data, work / item.name, kernels)
        keep(outcome(item, reference, work / item.name / "results"), work / item.name)
    for text in asked.others:
        name, _, folder = text.partition("=")
        (work / name).mkdir(exist_ok=True)
        keep(outcome_of_others(name, reference, Path(folder)), work / name)


def keep(item: Outcome, folder: Path) -> None:
    """Keep what a case gave for the page, and say it."""
    (folder / KEPT).write_text(json.dumps(asdict(item), indent=1))
    say(item)


def kept(work: Path) -> list[Outcome]:
    """Return what the cases gave, in their order, and then the others."""
    names = [item.name for item in CASES]
    found = [Outcome(**json.loads(path.read_text())) for path in sorted(work.glob(f"*/{KEPT}"))]
    return sorted(
        found, key=lambda item: names.index(item.name) if item.name in names else len(names)
    )


def say(item: Outcome) -> None:
    """Print a line for a case."""
    text = f"{item.name}: {item.number} products, {len(item.differences)} not the same"
    print(f"{text}, {item.digest[:16]}", flush=True)  # noqa: T201 - the purpose


if __name__ == "__main__":
    wanted = arguments()
    run(wanted)
    outcomes = kept(wanted.work)
    if wanted.markdown:
        words = "python benchmarks/determinism/run.py --data DATA --work WORK"
        put(page(outcomes, wanted.work / FIRST.name / "results", words), wanted.markdown)
    sys.exit(any(item.differences and not item.expected for item in outcomes))
