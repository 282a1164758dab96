"""What a case gave, kept beside its products, and the page's part that is made of it."""

import json
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from determinism.cases import CASES, FIRST, Case
from determinism.kinds import IMAGING, KINDS, SPECTRA, Kind
from determinism.products import difference, different, digests, digests_by_name, total

BEGIN, END = "<!-- written by benchmarks/determinism/run.py -->", "<!-- end -->"
LIBRARIES = ("numpy", "scipy", "numba", "llvmlite", "astropy", "photutils")
SHOWN, LENGTH = 3, 500
KEPT = "outcome.json"
SPECTRA_BEGIN, SPECTRA_END = BEGIN.replace("py -->", "py: spectra -->"), "<!-- end of spectra -->"
ALL_KINDS = (IMAGING, *KINDS, *SPECTRA)


@dataclass
class Outcome:
    """What a case gave.

    Attributes
    ----------
    case, kind : str
    number : int
        Products compared.
    digest : str
        SHA-256 over the products' digests and names.
    differences : dict of str to str
        How those differ that do.
    expected : bool
        Whether differences are documented.
    commit : str
        That the case ran at.
    """

    case: str
    kind: str
    number: int
    digest: str
    differences: dict[str, str] = field(default_factory=dict)
    expected: bool = False
    commit: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing differs that should not."""
        return self.number > 0 and (self.expected or not self.differences)


def commit(top: Path) -> str:
    """Return the commit, and whether sources differ from it."""
    words = ["git", "-C", str(top), "describe", "--always", "--abbrev=10", "--dirty", "--exclude=*"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def outcome(item: Case, kind: Kind, reference: Path, results: Path) -> Outcome:
    """Compare the products of a case with those of the first."""
    if item.workflow:
        first, own = digests_by_name(reference), digests_by_name(results)
        places = [{path.name: path for path in top.rglob("*")} for top in (reference, results)]
    else:
        first, own = compared(item, reference), compared(item, results)
        places = [{name: top / name for name in first | own} for top in (reference, results)]
    found = {
        name: difference(*(place.get(name, Path(name)) for place in places))
        for name in different(first, own)
    }
    expected = item.exception or item.name in kind.exceptions
    return Outcome(item.name, kind.name, len(own), total(own), found, expected)


def compared(item: Case, results: Path) -> dict[str, str]:
    """Return the digests of what should be the same."""
    everything = digests(results)
    if not item.otherwise_named:
        return everything
    return {name: own for name, own in everything.items() if not name.startswith("references/")}


def keep(item: Outcome, folder: Path) -> None:
    """Keep what a case gave beside its products."""
    (folder / KEPT).write_text(json.dumps(asdict(item), indent=1))


def kept(work: Path) -> list[Outcome]:
    """Return what the cases gave, in their order and that of the kinds."""
    cases = [item.name for item in CASES]
    kinds = [item.name for item in ALL_KINDS]
    found = [Outcome(**json.loads(path.read_text())) for path in work.glob(f"*/*/{KEPT}")]
    return sorted(found, key=lambda item: (cases.index(item.case), kinds.index(item.kind)))


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the table of the cases of images."""
    meanings = {item.name: item.meaning for item in CASES}
    lines = ["| case | circumstances | products | not the same | SHA-256 of all |"]
    lines.append("|---|---|---|---|---|")
    lines += [
        f"| {item.case} | {meanings[item.case]} | {item.number} | {len(item.differences)} "
        f"| `{item.digest[:16]}` |"
        for item in outcomes
        if item.kind == IMAGING.name
    ]
    return lines


def table_of_kinds(outcomes: list[Outcome], kinds: tuple[Kind, ...], wide: list[str]) -> list[str]:
    """Return the table of other kinds, with how many products of each case are the same."""
    by_place = {(item.case, item.kind): item for item in outcomes}
    lines = [f"| exposures | products | SHA-256 of all | {' | '.join(wide)} |"]
    lines.append("|---" * (3 + len(wide)) + "|")
    for kind in kinds:
        first = by_place.get((FIRST.name, kind.name))
        if first:
            same = [agreement(first, by_place.get((name, kind.name))) for name in wide]
            words = [kind.meaning, str(first.number), f"`{first.digest[:16]}`", *same]
            lines.append(f"| {' | '.join(words)} |")
    return lines


def agreement(first: Outcome, other: Outcome | None) -> str:
    """Say in a word whether a case gave the same."""
    if other is None:
        return "not run"
    if other.digest == first.digest:
        return "the same"
    return f"{len(other.differences)} differ"


def exceptions(outcomes: list[Outcome]) -> list[str]:
    """Return what differs, a few products a case."""
    lines = []
    for item in outcomes:
        shown = list(item.differences.items())[:SHOWN]
        about = item.case if item.kind == IMAGING.name else f"{item.case}, {item.kind}"
        lines += [f"- {about}: `{name}`: {text[:LENGTH]}" for name, text in shown]
    return lines


def of_images(work: Path) -> list[Outcome]:
    """Return the outcomes of all but spectra."""
    spectral = {kind.name for kind in SPECTRA}
    return [item for item in kept(work) if item.kind not in spectral]


def of_spectra(work: Path) -> list[Outcome]:
    """Return the outcomes of spectra."""
    spectral = {kind.name for kind in SPECTRA}
    return [item for item in kept(work) if item.kind in spectral]


def origin(outcomes: list[Outcome], duration: str) -> str:
    """Return with what the outcomes were made."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    commits = ", ".join(sorted({item.commit for item in outcomes}))
    return f"Commit {commits}; Python {platform.python_version()}, {libraries}. {duration}"


def remarks(outcomes: list[Outcome], left_out: list[str]) -> list[str]:
    """Return what was not run, and what is not the same."""
    lines = [f"Not run: {', '.join(left_out)}.", ""] if left_out else []
    found = exceptions(outcomes)
    return lines + (["What is not the same:", "", *found, ""] if found else [])


def page(work: Path, left_out: list[str], duration: str) -> str:
    """Return the part of the page about all but spectra."""
    outcomes = of_images(work)
    wide = [item.name for item in CASES if item.wide and item is not FIRST]
    lines = [origin(outcomes, duration), "", *table(outcomes), "", *remarks(outcomes, left_out)]
    lines += ["Other kinds of exposures, from raw to the last product that there is a program for:"]
    lines += ["", *table_of_kinds(outcomes, KINDS, wide), ""]
    lines += ["Products of the first case:", "", "| product | SHA-256 |", "|---|---|"]
    products = digests(work / FIRST.name / IMAGING.name / "results")
    lines += [f"| {name} | `{digest}` |" for name, digest in products.items()]
    return "\n".join(lines)


def page_of_spectra(work: Path, left_out: list[str], duration: str) -> str:
    """Return the part of the page about spectra."""
    outcomes = of_spectra(work)
    run = {item.case for item in outcomes}
    cases = [item.name for item in CASES if item.name in run and item is not FIRST]
    wide = {item.name for item in CASES if item.wide or item.spectra}
    left_out = [text for text in left_out if text.split()[0] in wide]
    lines = [origin(outcomes, duration), "", *table_of_kinds(outcomes, SPECTRA, cases), ""]
    return "\n".join(lines + remarks(outcomes, left_out)).rstrip()


def put_parts(work: Path, left_out: list[str], duration: str, target: Path) -> None:
    """Put each part of the page that there are outcomes for; the other one stays as it is."""
    if of_images(work):
        put(page(work, left_out, duration), target)
    if of_spectra(work):
        put(page_of_spectra(work, left_out, duration), target, SPECTRA_BEGIN, SPECTRA_END)


def put(text: str, target: Path, begin: str = BEGIN, end: str = END) -> None:
    """Put a text between the marks of a page."""
    before, _, rest = target.read_text().partition(begin)
    _, _, after = rest.partition(end)
    target.write_text(f"{before}{begin}\n{text}\n{end}{after}")
