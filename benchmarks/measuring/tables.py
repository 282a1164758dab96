"""Tables of measured runs for the documentation."""

from pathlib import Path

from measure import Run

HEAD = """\
| case | ours: wall (s) | CPU (s) | memory (MB) | official: wall (s) | CPU (s) | memory (MB) \
| times faster | times less memory | goal | floor (s) | ours / floor |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


def columns(meaning: str, found: dict[str, Run], promised: float | None) -> str:
    """Return a case as a line of a table.

    Parameters
    ----------
    meaning : what was run
    found : runs by name: ours, floor, and peer if it ran
    promised : how many times faster at least, or None
    """
    ours, floor, peer = found["ours"], found.get("floor"), found.get("peer")
    cells = [meaning, f"{ours.wall:.2f}", f"{ours.cpu:.2f}", f"{ours.memory:.0f}"]
    if peer:
        cells += [f"{peer.wall:.1f}", f"{peer.cpu:.1f}", f"{peer.memory:.0f}"]
        cells.append(f"**{peer.wall / ours.wall:.1f}**")
        cells.append(f"{peer.memory / ours.memory:.1f}")
    else:
        cells += ["-"] * 5
    cells += ["-" if promised is None else f"{promised:g}"]
    cells += [f"{floor.wall:.2f}", f"{ours.wall / floor.wall:.1f}"] if floor else ["-", "-"]
    return "| " + " | ".join(cells) + " |"


def put_table(page: Path, name: str, lines: list[str]) -> None:
    """Write a table between its marks in a page."""
    start, end = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
    head, _, rest = page.read_text().partition(start)
    _, _, tail = rest.partition(end)
    text = "\n".join([HEAD, *lines])
    page.write_text(f"{head}{start}\n{text}\n{end}{tail}")
