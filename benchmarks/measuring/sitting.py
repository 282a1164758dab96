"""One sitting: the cases that the command line asks for, measured one after the other."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measure import Run
from tables import columns, put_table

Measure = Callable[[Path, Any, str | None, int], dict[str, Run]]


def sit(
    description: str,
    cases: Sequence[Any],
    make: Callable[[Path, Any], None],
    measure: Measure,
    table: str,
) -> None:
    """Measure what the command line asks for.

    Parameters
    ----------
    description : for --help
    cases : records with name, meaning, promised
    make : ``make(data, case)`` simulates what a case needs, unless it is there
    measure : ``measure(data, case, peer, repeat)`` returns its runs by name
    table : name of the table in the page
    """
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="where the simulated cases are")
    parser.add_argument("--make", action="store_true", help="simulate those that are missing")
    parser.add_argument("--peer", help="Python of the official package's environment")
    parser.add_argument("--case", action="append", choices=[case.name for case in cases])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data, lines, records = options.data.resolve(), [], {}
    for case in cases:
        if options.case and case.name not in options.case:
            continue
        if options.make:
            make(data, case)
        found = measure(data, case, options.peer, options.repeat)
        records[case.name] = {name: asdict(run) for name, run in found.items()}
        lines.append(columns(case.meaning, found, case.promised))
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n")
    if options.markdown:
        put_table(options.markdown, table, lines)
