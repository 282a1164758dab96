"""Compare our associations with those of the official package, pool by pool, as sets.

``python benchmarks/associations/compare.py POOLS_DIR PEER_DIR [--pool NAME]... [--show]
[--report FILE.md] [--json FILE]``

POOLS_DIR holds pools (``*.csv``), PEER_DIR a folder for each with what the official package made
of it (``asn_generate POOL -p PEER_DIR/NAME --version-id ...``, without other options). Ours are
made here. Pools without such a folder are passed over.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sets import Comparison, Key, of_folder, ours_of

from calwebb_core.framework.errors import InputError

HEADINGS = ("pool", "theirs", "ours", "common", "found", "only ours", "only theirs", "seconds")


def compare(pools: Path, peer: Path, names: Sequence[str]) -> Iterator[tuple[Comparison, float]]:
    """Yield the comparison of each pool and the seconds that ours took.

    Parameters
    ----------
    pools, peer : folders
    names : of pools; all that are in both folders if empty
    """
    for path in sorted(pools.glob("*.csv")):
        folder = peer / path.stem
        if not folder.is_dir() or (names and path.stem not in names):
            continue
        theirs = of_folder(folder)
        started = time.perf_counter()
        try:
            ours = ours_of(path)
        except InputError as error:
            if theirs:
                sys.stderr.write(f"{path.stem}: refused by ours: {error}\n")
            ours = {}
        yield Comparison(path.stem, ours, theirs), time.perf_counter() - started


def line(comparison: Comparison, seconds: float) -> tuple[str, ...]:
    """Return what the table says about a pool."""
    return (
        comparison.name,
        str(len(comparison.theirs)),
        str(len(comparison.ours)),
        str(len(comparison.common)),
        f"{comparison.found:.1f} %",
        str(len(comparison.only_ours)),
        str(len(comparison.only_theirs)),
        f"{seconds:.2f}",
    )


def total(comparisons: Sequence[Comparison], seconds: float) -> tuple[str, ...]:
    """Return the last line of the table."""
    sums = [sum(len(part) for part in parts) for parts in zip(*_parts(comparisons), strict=True)]
    theirs, ours, common, more, fewer = sums or [0] * 5
    found = 100.0 * common / theirs if theirs else 100.0
    counts = (str(theirs), str(ours), str(common), f"{found:.1f} %", str(more), str(fewer))
    return (f"all {len(comparisons)} pools", *counts, f"{seconds:.2f}")


def _parts(comparisons: Sequence[Comparison]) -> list[tuple[object, ...]]:
    return [(c.theirs, c.ours, c.common, c.only_ours, c.only_theirs) for c in comparisons]


def text_of(rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table for the terminal."""
    widths = [max(len(row[i]) for row in (HEADINGS, *rows)) for i in range(len(HEADINGS))]
    lines = []
    for row in (HEADINGS, *rows):
        first = row[0].ljust(widths[0])
        cells = [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([first, *cells]))
    return "\n".join(lines) + "\n"


def markdown_of(rows: Sequence[tuple[str, ...]]) -> str:
    """Return the same table for a page."""
    lines = [HEADINGS, ("---",) + ("---:",) * (len(HEADINGS) - 1), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def differences(comparison: Comparison) -> Iterator[str]:
    """Yield lines that say how a pool's associations differ: same products first, then others."""
    ours, theirs = _by_product(comparison.only_ours), _by_product(comparison.only_theirs)
    for name in sorted({*ours, *theirs}):
        yield f"  {name[1]} ({name[0]})"
        left, right = ours.get(name, []), theirs.get(name, [])
        if len(left) == len(right) == 1:
            yield from _members_apart(comparison, left[0], right[0])
            continue
        for side, keys, rules in (
            ("ours", left, comparison.ours),
            ("theirs", right, comparison.theirs),
        ):
            for key in keys:
                yield f"    only {side}: {rules[key]}: {_members(key.members)}"


def _members_apart(comparison: Comparison, mine: Key, yours: Key) -> Iterator[str]:
    """Yield how two associations of the same product differ."""
    yield f"    other members: ours {comparison.ours[mine]}, theirs {comparison.theirs[yours]}"
    yield f"      in both: {_members(mine.members & yours.members)}"
    for side, members in (
        ("ours", mine.members - yours.members),
        ("theirs", yours.members - mine.members),
    ):
        if members:
            yield f"      only {side}: {_members(members)}"


def _by_product(keys: Sequence[Key]) -> dict[tuple[str, str], list[Key]]:
    found: dict[tuple[str, str], list[Key]] = {}
    for key in keys:
        found.setdefault((key.asn_type, key.product), []).append(key)
    return found


def _members(members: frozenset[tuple[str, str]], most: int = 12) -> str:
    """Return members in one line, those of the same part together."""
    by_part: dict[str, list[str]] = {}
    for file, part in sorted(members):
        by_part.setdefault(part, []).append(file.removesuffix(".fits"))
    texts = []
    for part, files in sorted(by_part.items()):
        more = f" ... ({len(files)})" if len(files) > most else ""
        texts.append(f"{part} {' '.join(files[:most])}{more}")
    return "; ".join(texts) or "nothing"


def report(rows: Sequence[tuple[str, ...]], comparisons: Sequence[Comparison]) -> str:
    """Return a page with the table, what is missing by rule, and each difference."""
    missing: Counter[str] = sum((c.rules_missing() for c in comparisons), Counter())
    lines = ["# Associations: ours and the official package's", "", markdown_of(rows)]
    lines += ["| their rule | not found in ours |", "| --- | ---: |"]
    lines += [f"| {rule} | {number} |" for rule, number in missing.most_common()]
    for comparison in comparisons:
        apart = list(differences(comparison))
        if apart:
            lines += ["", f"## {comparison.name}", "", "```", *apart, "```"]
    return "\n".join(lines) + "\n"


def figures(comparison: Comparison) -> dict[str, object]:
    """Return the counts of a pool, and its differences in words."""
    return {
        "theirs": len(comparison.theirs),
        "ours": len(comparison.ours),
        "common": len(comparison.common),
        "rules": sorted({comparison.theirs[key] for key in comparison.common}),
        "differences": list(differences(comparison)),
    }


def main() -> None:
    """Compare, print the table, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("pools", type=Path, help="folder of pools")
    parser.add_argument("peer", type=Path, help="folder of folders of associations")
    parser.add_argument("--pool", action="append", default=[], help="this pool only (its name)")
    parser.add_argument("--show", action="store_true", help="print each difference")
    parser.add_argument("--report", type=Path, help="page to write (Markdown)")
    parser.add_argument("--json", type=Path, help="file to write with the differences by pool")
    options = parser.parse_args()
    comparisons, rows, spent = [], [], 0.0
    for comparison, seconds in compare(options.pools, options.peer, options.pool):
        comparisons.append(comparison)
        rows.append(line(comparison, seconds))
        spent += seconds
        if options.show:
            apart = list(differences(comparison))
            if apart:
                sys.stdout.write("\n".join([comparison.name, *apart]) + "\n\n")
    rows.append(total(comparisons, spent))
    sys.stdout.write(text_of(rows))
    if options.report:
        options.report.write_text(report(rows, comparisons))
    if options.json:
        found = {c.name: figures(c) for c in comparisons}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
