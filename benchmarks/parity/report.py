"""Tables of figures as Markdown, with the reason of every difference below them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reasons import ROUNDING, reasons_of

START, END = "<!-- tables: start -->\n", "<!-- tables: end -->\n"
UNEXPLAINED = "NOT EXPLAINED"
HEADS = ("step", "array", "max", "99.9 %", "equal", "what differs", "status", "why")
Figures = Mapping[str, Any]


def bits(flags: Figures) -> str:
    """Return how often which bit is set by one of the two only."""
    texts = []
    for word, counts in (("here", flags["only_here"]), ("official", flags["only_there"])):
        texts += [f"{name} {word} only {number}" for name, number in counts.items()]
    return ", ".join(texts)


def odd_values(values: Figures) -> str:
    """Return how many values lie apart by more than a thousandth, or are NaN in one only."""
    texts = []
    if values["above_0.001"]:
        texts.append(f"{values['above_0.001']} of {values['size']} above 0.001")
    for word, key in (("here", "nan_only_here"), ("official", "nan_only_there")):
        if values[key]:
            texts.append(f"NaN {word} only {values[key]}")
    return ", ".join(texts)


def beyond_rounding(values: Figures) -> bool:
    """Tell whether figures of values need a reason."""
    return bool(values["max"] > ROUNDING or values["nan_only_here"] or values["nan_only_there"])


def unexplained(tables: Mapping[str, Figures]) -> list[str]:
    """Return the figures beyond rounding that have no reason."""
    return [
        f"{case}: {step} {what}"
        for case, table in tables.items()
        for step, row in table["steps"].items()
        for what in differing(row)
        if not reasons_of(case, step, what)
    ]


def differing(row: Figures) -> list[str]:
    """Return the arrays of a step that differ beyond rounding, or in flags."""
    names = [name for name, values in row["values"].items() if beyond_rounding(values)]
    names += [name for name, flags in row["flags"].items() if flags["differ"]]
    if row["ours"] != row["official"]:
        names.append("status")
    return names


class Notes:
    """Numbered reasons of one table."""

    def __init__(self, case: str) -> None:
        self.case = case
        self.texts: list[str] = []

    def of(self, step: str, what: str) -> str:
        """Return the numbers of the reasons for a figure that differs."""
        found = reasons_of(self.case, step, what)
        for text in found:
            if text not in self.texts:
                self.texts.append(text)
        return ", ".join(str(self.texts.index(text) + 1) for text in found) or UNEXPLAINED


def share(flags: Figures) -> str:
    """Return the share of equal flags; never rounded up to all."""
    if not flags["differ"]:
        return "all"
    return f"{min(100 * flags['equal'], 99.9999):.4f} %"


def lines_of(step: str, row: Figures, notes: Notes) -> list[str]:
    """Return the lines of one step."""
    odd = differing(row)
    states = row["ours"] if row["ours"] == row["official"] else f"{row['ours']}/{row['official']}"
    same_flags = all(not flags["differ"] for flags in row["flags"].values())
    lines = [value_line(names, row["values"]) for names in together(row["values"], odd)]
    lines[0][3] = "all" if same_flags else ""
    if not same_flags:
        for name, flags in row["flags"].items():
            lines.append([name, "", "", share(flags), bits(flags)])
    texts = []
    for number, cells in enumerate(lines):
        first = number == 0
        asked = [cells[0]] if cells[0] in odd else []
        asked += ["status"] if first and "status" in odd else []
        why = "; ".join(notes.of(step, what) for what in asked)
        words = [step if first else "", *cells, states if first else "", why]
        texts.append("| " + " | ".join(words) + " |")
    return texts


def together(values: Figures, odd: list[str]) -> list[list[str]]:
    """Return arrays that share a line: errors and variances, and frame 0, unless they differ."""
    lines: list[list[str]] = []
    for name in values:
        apart = name in odd or name.split()[-1] in ("SCI", "ERR")
        if apart or not lines or lines[-1][-1] in odd:
            lines.append([name])
        else:
            lines[-1].append(name)
    return lines


def value_line(names: list[str], values: Figures) -> list[str]:
    """Return the cells of arrays that share a line: the largest figures of them."""
    words = names[0] + "".join(f", {name.split()[-1]}" for name in names[1:])
    largest, most = (max(values[name][key] for name in names) for key in ("max", "p99.9"))
    differs = ", ".join(filter(None, (odd_values(values[name]) for name in names)))
    return [words, number_of(largest), number_of(most), "", differs]


def number_of(figure: float) -> str:
    """Return a figure in two digits."""
    return f"{figure:.1e}" if figure else "0"


def table_of(case: str, table: Figures) -> str:
    """Return one case: heading, table, reasons."""
    notes = Notes(case)
    lines = [f"## {table['title']}", ""]
    lines += ["| " + " | ".join(HEADS) + " |", "|---" * len(HEADS) + "|"]
    for step, row in table["steps"].items():
        lines += lines_of(step, row, notes)
    if notes.texts:
        lines += ["", *(f"{number}. {text}" for number, text in enumerate(notes.texts, start=1))]
    return "\n".join(lines) + "\n"


SUMMARY = ("exposures", "steps on ramps", "which", "ramp_fit", "whole chain", "99.9 %", "flags")


def summary(tables: Mapping[str, Figures]) -> str:
    """Return the largest differences of every case."""
    lines = ["| " + " | ".join(SUMMARY) + " |", "|---" * len(SUMMARY) + "|"]
    for table in tables.values():
        steps = table["steps"]
        ramps = {
            name: row["values"]["SCI"]["max"]
            for name, row in steps.items()
            if "SCI" in row["values"]
        }
        worst = max(ramps, key=lambda name: ramps[name])
        fit, whole = (largest(steps[name], "max") for name in ("ramp_fit", "whole chain"))
        most = largest(steps["whole chain"], "p99.9")
        cells = [table["title"], number_of(ramps[worst]), worst if ramps[worst] else ""]
        cells += [number_of(fit), number_of(whole), number_of(most), flags_of(steps)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def largest(row: Figures, key: str) -> float:
    """Return the largest figure of all arrays of a step."""
    return float(max(values[key] for values in row["values"].values()))


def flags_of(steps: Figures) -> str:
    """Return the steps whose flags differ, with the number of samples or pixels."""
    texts = [
        f"{step} {name}: {flags['differ']} of {flags['size']}"
        for step, row in steps.items()
        for name, flags in row["flags"].items()
        if flags["differ"]
    ]
    return "; ".join(texts) or "all equal"


def as_markdown(tables: Mapping[str, Figures]) -> str:
    """Return all cases."""
    return "\n".join(table_of(case, table) for case, table in tables.items())


def put_tables(path: Path, text: str) -> None:
    """Write `text` between the marks of a Markdown file."""
    whole = path.read_text()
    before, rest = whole.split(START)
    path.write_text(before + START + text + END + rest.split(END)[1])
