"""What the commands of `calwebb-simulate` do once their options are read."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from calwebb_core.framework.atomic import write_text
from calwebb_core.framework.errors import InputError
from calwebb_simulator.effects import EFFECTS, OFF_BY_DEFAULT, chosen_effects
from calwebb_simulator.run import run, run_calibrated
from calwebb_simulator.scenario import Scenario, with_options
from calwebb_simulator.scenario_file import built_in, load_scenario
from calwebb_simulator.score import score
from calwebb_simulator.watcher import Watcher

logger = logging.getLogger(__name__)
MOSAIC_TITLES = {
    "pointing": "Pointing (mas, roll in arcsec)",
    "sky": "Sky levels (MJy/sr)",
    "outliers": "Cosmic rays",
}
SCENARIO_OPTIONS = (
    "seed",
    "groups",
    "integrations",
    "segments",
    "distinct",
    "count",
    "readpatt",
    "subarray",
    "references",
    "real_cache",
)


def run_body(options: dict[str, Any], *, quiet: bool, ramps: bool = True) -> None:
    """Run a scenario with the options of the command line: its ramps, or calibrated images."""
    scenario = chosen_scenario(options)
    total = group_count(scenario) if ramps else scenario.count
    with progress(total, quiet=quiet) as watcher:
        references = not options["no_references"]
        if ramps:
            outcome = run(scenario, options["output_dir"], references=references, watcher=watcher)
        else:
            outcome = run_calibrated(
                scenario,
                options["output_dir"],
                references=references,
                truth=not options["no_truth"],
                watcher=watcher,
            )
    logger.info("%d exposures in %s", len(outcome.raw), outcome.raw[0].parent)
    logger.info("truth in %s", outcome.truth)
    if not options["no_references"]:
        logger.info("reference files in %s (set CRDS_PATH to it)", outcome.cache)


def rates_body(options: dict[str, Any], *, quiet: bool) -> None:
    """Make the count rates of spectra with the options of the command line."""
    from calwebb_simulator.spectra.run import run_rates

    scenario = chosen_scenario(options)
    folder, references = options["output_dir"], not options["no_references"]
    with progress(scenario.count, quiet=quiet) as watcher:
        paths = run_rates(scenario, folder, references=references, watcher=watcher)
    logger.info("%d count rates in %s", len(paths), folder / "rates")
    if references:
        logger.info("reference files in %s (set CRDS_PATH to it)", folder / "crds_cache")


def chosen_scenario(options: dict[str, Any]) -> Scenario:
    """Return the scenario that options ask for."""
    scenario = load_scenario(options["scenario"])
    changes = {name: options.get(name) for name in SCENARIO_OPTIONS}
    changes |= {name: tuple(options[name]) or None for name in ("detectors", "filters")}
    if options["off"] or options["on"] or options["only_effects"] is not None:
        changes["effects"] = effects_of(scenario, options)
    return with_options(scenario, **changes)


def effects_of(scenario: Scenario, options: dict[str, Any]) -> frozenset[str]:
    """Return the effects that --off, --on and --only-effects leave of a scenario's."""
    only = options["only_effects"]
    if only is None:
        return chosen_effects(options["off"], options["on"], sorted(scenario.effects))
    names = [name.strip() for name in only.split(",")]
    return chosen_effects(options["off"], options["on"], [n for n in names if n and n != "none"])


def group_count(scenario: Scenario) -> int:
    """Return how many groups there are to simulate."""
    return sum(
        len(group.dithers) * len(group.detectors) * group.groups * group.integrations
        for group in scenario.exposures
    )


@contextmanager
def progress(total: int, *, quiet: bool) -> Iterator[Watcher]:
    """Show a bar of groups or images on a terminal; elsewhere say which exposure is made."""
    console = Console(stderr=True)
    if quiet:
        yield Watcher()
    elif console.is_terminal:
        from rich.progress import Progress

        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("simulating", total=total)
            yield Watcher(
                lambda text: bar.update(task, description=text), lambda: bar.advance(task)
            )
    else:
        yield Watcher(lambda text: logger.debug("%s", text))


def list_scenarios() -> None:
    """Print the scenarios and the effects."""
    console = Console()
    grid = Grid("scenario", "what it is", title="Scenarios")
    for name, meaning in built_in().items():
        grid.add_row(name, meaning)
    console.print(grid)
    grid = Grid("effect", "what it is", "default", title="Effects")
    for name, meaning in EFFECTS.items():
        grid.add_row(name, meaning, "off" if name in OFF_BY_DEFAULT else "on")
    console.print(grid)


def score_body(truth: Path, results: Path, json_path: Path | None, *, quiet: bool) -> None:
    """Compare products with the truth; print the figures and write them as JSON."""
    if not results.is_dir():
        msg = f"{results}: the folder of results does not exist"
        raise InputError(msg)
    figures = score(truth, results)
    if json_path is not None:
        write_text(json_path, json.dumps(without_nan(figures), indent=1) + "\n")
    if not quiet:
        show(figures, Console())


def without_nan(value: Any) -> Any:
    """Return figures with None for what could not be measured: JSON has no NaN."""
    if isinstance(value, dict):
        return {name: without_nan(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value


def show(figures: dict[str, Any], console: Console) -> None:
    """Print figures as tables."""
    for title, unit in (("rates", "DN/s"), ("calibrated", "MJy/sr")):
        if figures[title]:
            console.print(image_table(figures[title], f"{title} ({unit})"))
    if figures["cosmic_rays"]:
        rows = figures["cosmic_rays"]
        console.print(interval_table(rows, "Cosmic rays", "electrons", "hits"))
    if figures["jumps"]:
        show_jumps(figures["jumps"], console)
    show_parts(figures, console)
    for name, found in figures["mosaics"].items():
        for part, title in MOSAIC_TITLES.items():
            if found[part]:
                console.print(catalog_table(f"{title} of {name}", found[part]))
    for name, found in figures["catalogs"].items():
        show_catalog(name, found, console)


def show_parts(figures: dict[str, Any], console: Console) -> None:
    """Print the figures of spectra and light curves."""
    for part, title in (("spectra", "Spectrum"), ("light_curves", "Light curve")):
        for name, found in figures[part].items():
            console.print(catalog_table(f"{title} of {name}", found))


def show_catalog(name: str, found: dict[str, Any], console: Console) -> None:
    """Print the figures of a catalog."""
    console.print(catalog_table(name, found))
    for part, title in (("bright", "Bright stars in"), ("target", "Moving target in")):
        if part in found:
            console.print(catalog_table(f"{title} {name}", found[part]))
    for kind, title in (("completeness", "Stars apart"), ("completeness_crowded", "All stars")):
        if kind in found:
            console.print(interval_table(found[kind], f"{title} in {name}", "S/N", "stars"))


def show_jumps(found: dict[str, Any], console: Console) -> None:
    """Print what was found of jumps, group by group, and of large events."""
    grid = Grid("electrons", "hits", "found", "false", "false per difference", title="Jumps")
    for row in found["intervals"]:
        high = "" if row["to"] is None else f"{row['to']:g}"
        part = f"{100 * row['found']:.1f} %" if row["hits"] else "-"
        values = str(row["hits"]), part, str(row["false"]), number(row["false_per_difference"])
        grid.add_row(f"{row['from']:g} - {high}", *values)
    console.print(grid)
    for kind, values in found["large_events"].items():
        console.print(catalog_table(f"Flagged of large events: {kind}", values))


def image_table(rows: dict[str, dict[str, float]], title: str) -> Grid:
    """Return the figures of images, one row each."""
    names = ("sky_bias", "sky_bias_error", "sky_scatter", "chi2", "bright_bias", "bright_pixels")
    grid = Grid(
        "exposure", *(name.replace("_", " ") for name in names), title=title[0].upper() + title[1:]
    )
    for root, values in rows.items():
        grid.add_row(root, *(number(values[name]) for name in names))
    return grid


def interval_table(rows: list[dict[str, Any]], title: str, what: str, count: str) -> Grid:
    """Return fractions found by interval."""
    grid = Grid(what, count, "found", title=title)
    for row in rows:
        high = "" if row["to"] is None else f"{row['to']:g}"
        found = f"{100 * row['found']:.1f} %" if row[count] else "-"
        grid.add_row(f"{row['from']:g} - {high}", str(row[count]), found)
    return grid


def catalog_table(name: str, found: dict[str, Any]) -> Grid:
    """Return the figures of a catalog."""
    grid = Grid("figure", "value", title=name)
    for key, value in found.items():
        if not isinstance(value, list | dict):
            grid.add_row(key.replace("_", " "), number(value))
    return grid


def number(value: Any) -> str:
    """Return a value for people."""
    if isinstance(value, float):
        return "-" if value != value else f"{value:.4g}"
    return str(value)
