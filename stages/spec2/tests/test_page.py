"""The table of docs/spec2.md is that of the code."""

from pathlib import Path

import pytest

from calwebb_spec2.modes import MODES
from calwebb_spec2.pipeline import BY_NAME

PAGE = Path(__file__).parents[3] / "docs" / "spec2.md"


def cell(name, mode):
    text = f"**{name}**" if BY_NAME[name].there and name not in mode.not_yet else name
    return f"[{text}]" if BY_NAME[name].skip else text


def table():
    lines = ["| mode | EXP_TYPE | steps |", "|---|---|---|"]
    for mode in MODES:
        steps = ", ".join(cell(name, mode) for name in mode.steps)
        lines.append(f"| {mode.name} | {', '.join(mode.exp_types)} | {steps} |")
    return "\n".join(lines)


def test_the_page_lists_the_steps_of_every_mode():
    if not PAGE.exists():
        pytest.skip("the documentation is not here")
    assert table() in PAGE.read_text(), f"expected in {PAGE.name}:\n{table()}"
