"""The command `steps`: a pipeline's steps as a table or as JSON."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from calwebb_core.framework.call import load_pipeline
from calwebb_core.framework.opening import Opened, check_input, member_options
from calwebb_core.framework.parameter_docs import limits, plain
from calwebb_core.framework.parameters import options_of
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.plan import make_plan
from calwebb_core.framework.settings import StepSettings, settle
from calwebb_core.framework.step import Step

WIDTH = 120


def show_steps(
    loader: str,
    path: Path | None,
    input_dir: Path | None = None,
    *,
    product: str | None = None,
    allow_outside: bool = False,
    parameters: Mapping[str, Mapping[str, Any]],
    skip: Iterable[str] = (),
    as_json: bool = False,
    quiet: bool = False,
) -> None:
    """Print a pipeline's steps in order; with an input, which of them will run.

    Parameters
    ----------
    loader : str
        ``"module:ATTRIBUTE"`` of the pipeline.
    path, input_dir : Path, optional
        Input, and folder of its members if it is an association.
    product : str, optional
        Product of the association; by default the first.
    allow_outside : bool
        Whether members may lie outside the folder.
    parameters : mapping
        Step -> option -> value as the user set them.
    skip : iterable of str
        Steps to leave out.
    as_json : bool
        Print JSON in place of a table.
    quiet : bool
        Leave the options out of the table.
    """
    pipeline = load_pipeline(loader)
    rows = describe_steps(
        pipeline,
        path,
        input_dir,
        product=product,
        allow_outside=allow_outside,
        parameters=parameters,
        skip=skip,
    )
    if as_json:
        click.echo(json.dumps({"pipeline": pipeline.name, "steps": rows}, indent=2))
        return
    _print_table(pipeline, rows, options=not quiet)


def describe_steps(
    pipeline: Pipeline,
    path: Path | None = None,
    input_dir: Path | None = None,
    *,
    product: str | None = None,
    allow_outside: bool = False,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    skip: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Return one plain record for each step, in order.

    Without an input: all steps of any mode. With one: those of its mode, each with `action`
    (run, skip or done) and `reason`.
    """
    settings = settle(pipeline, parameters=parameters, skip=skip)
    if path is None:
        return [_record(step, settings[step.name]) for step in pipeline.steps]
    check_input(path)
    options = member_options(pipeline, path, input_dir, product, allow_outside=allow_outside)
    metadata = Opened(pipeline, path, options[0]).metadata()
    return [
        _record(item.step, settings[item.step.name])
        | {"action": item.action, "reason": item.reason}
        for item in make_plan(pipeline, metadata, settings)
    ]


def _record(step: Step, settings: StepSettings) -> dict[str, Any]:
    options = options_of(step.parameters).items()
    return {
        "step": step.name,
        "keyword": step.keyword,
        "meaning": step.meaning,
        "default": "off" if step.skip else "on",
        "there": step.there,
        "references": list(step.references),
        "options": {
            name: {
                "value": getattr(settings.parameters, name),
                "default": item.default,
                "values": limits(item),
                "unit": item.metadata.get("unit", ""),
                "meaning": item.metadata.get("meaning", ""),
            }
            for name, item in options
        },
    }


def _print_table(pipeline: Pipeline, rows: list[dict[str, Any]], *, options: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{pipeline.name}: {pipeline.meaning}", title_justify="left")
    for heading in ("step", "runs", "option", "value", "meaning"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("step", "option"))
    for row in rows:
        table.add_row(f"[bold]{row['step']}[/bold]", _runs(row), "", "", _meaning(row))
        for name, item in row["options"].items() if options else ():
            table.add_row("", "", name, plain(item["value"]), _option_meaning(item))
    width = max(shutil.get_terminal_size().columns, WIDTH)
    Console(width=width).print(table)


def _runs(row: dict[str, Any]) -> str:
    if "action" not in row:
        return str(row["default"]) + ("" if row["there"] else ", does not exist yet")
    return f"{row['action']}: {row['reason']}" if row["reason"] else str(row["action"])


def _meaning(row: dict[str, Any]) -> str:
    from rich.markup import escape

    used = ", ".join(row["references"])
    return escape(row["meaning"] + (f" (references: {used})" if used else ""))


def _option_meaning(item: dict[str, Any]) -> str:
    from rich.markup import escape

    notes = "; ".join(part for part in (item["unit"], item["values"]) if part)
    changed = item["value"] != item["default"]
    text = item["meaning"] + (f" [{notes}]" if notes else "")
    return escape(text + (f" (default {plain(item['default'])})" if changed else ""))
