"""`calwebb-simulate`: run a scenario, list scenarios, score results against the truth."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from calwebb_core.framework.command import (
    CONTEXT_SETTINGS,
    ProgramGroup,
    configure_log,
    example_text,
    log_options,
    own_options_first,
    version_option,
)

NAME = "calwebb-simulate"
FILE = click.Path(path_type=Path)
EXAMPLE = """
calwebb-simulate run --scenario demo --output-dir demo-data
calwebb-simulate run --scenario tiny --off cosmic_rays --seed 7 --output-dir tiny-data
"""
RUN_EXAMPLE = """
calwebb-simulate run --scenario demo --output-dir demo-data
calwebb-simulate run --scenario my.yaml --detector NRCA1 --filter F150W --output-dir data
"""
CAL_EXAMPLE = """
calwebb-simulate cal --scenario imaging64 --exposures 16 --output-dir images
"""
RATES_EXAMPLE = """
calwebb-simulate rates --scenario lrs-slitless --output-dir spectra
calwebb-simulate rates --scenario nirspec-bright --integrations 200 --segments 4 --output-dir data
"""
PROGRAMS_EXAMPLE = """
calwebb-simulate programs --output-dir programs
calwebb-simulate programs --mode miri-mrs --mode nirspec-mos --output-dir programs
calwebb-simulate programs --exposures 10000 --output-dir many
"""
SCORE_EXAMPLE = "calwebb-simulate score --truth demo-data/truth --results results --json score.json"


@click.group(
    NAME, cls=ProgramGroup, context_settings=CONTEXT_SETTINGS, epilog=example_text(EXAMPLE)
)
def main() -> None:
    """Make synthetic JWST exposures with known truth, and reference files to calibrate them."""


version_option(NAME, "calwebb_simulator")(main)


def command(name: str, example: str) -> Callable[[Callable[..., None]], click.Command]:
    """Return a decorator that adds a command with the options all programs share."""

    def decorate(body: Callable[..., None]) -> click.Command:
        make = main.command(name, context_settings=CONTEXT_SETTINGS, epilog=example_text(example))
        return own_options_first(make(log_options(body)))

    return decorate


def scenario_options(body: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what to simulate."""
    for option in reversed(SCENARIO_OPTIONS):
        body = option(body)
    return body


SCENARIO_OPTIONS = (
    click.option(
        "--scenario",
        default="demo",
        show_default=True,
        metavar="NAME|FILE.yaml",
        help="Scenario of the package (see calwebb-simulate scenarios) or a file.",
    ),
    click.option("--output-dir", type=FILE, required=True, metavar="DIR", help="Where to write."),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of sky and noise."),
    click.option("--groups", type=int, metavar="N", help="Groups in an integration."),
    click.option("--integrations", type=int, metavar="N", help="Integrations in an exposure."),
    click.option(
        "--exposures", "count", type=int, metavar="N", help="Number of dithered exposures."
    ),
    click.option("--readpatt", metavar="NAME", help="Readout pattern, such as SHALLOW4."),
    click.option(
        "--detector", "detectors", multiple=True, metavar="NAME", help="Detector; may be repeated."
    ),
    click.option(
        "--filter", "filters", multiple=True, metavar="NAME", help="Filter; may be repeated."
    ),
    click.option("--subarray", metavar="NAME", help="FULL, or a subarray such as SUB160."),
    click.option("--no-references", is_flag=True, help="Write no reference files."),
    click.option(
        "--real-cache",
        type=FILE,
        metavar="DIR",
        help="CRDS cache whose specwcs and NIRSpec optics are taken for spectra.",
    ),
    click.option("--off", multiple=True, metavar="EFFECT", help="Leave an effect out."),
    click.option("--on", multiple=True, metavar="EFFECT", help="Add an effect that is off."),
    click.option(
        "--only-effects",
        metavar="EFFECT,...",
        help="Just these effects; none for no effect at all.",
    ),
)


@command("run", RUN_EXAMPLE)
@scenario_options
@click.option("--segments", type=int, metavar="N", help="Files to cut each exposure into.")
@click.option(
    "--distinct",
    type=int,
    metavar="N",
    help="Integrations with noise of their own; the others take theirs from these, moved. 0: all.",
)
@click.option(
    "--references",
    type=click.Choice(["full", "subarray"]),
    help="Reference files of whole detectors, or of the subarrays in use.",
)
def run_command(**options: Any) -> None:
    """Simulate a scenario into DIR/uncal, DIR/truth and DIR/crds_cache.

    The CRDS cache has two contexts: jwst_0001.pmap is the truth; in jwst_0002.pmap one flat and
    the photometry of one filter differ. The same options give the same bytes.
    """
    quiet = configure_log(options)
    from calwebb_simulator.command import run_body

    run_body(options, quiet=quiet)


@command("cal", CAL_EXAMPLE)
@scenario_options
@click.option("--no-truth", is_flag=True, help="Write no truth of each image: half the space.")
def cal_command(**options: Any) -> None:
    """Make calibrated images of a scenario in DIR/cal, without ramps, in seconds each.

    They are what stages 1 and 2 would leave, with white noise and a few cosmic rays; DIR/truth
    is as for ramps, DIR/crds_cache holds what stage 3 needs. The same options give the same
    bytes.
    """
    quiet = configure_log(options)
    from calwebb_simulator.command import run_body

    run_body(options, quiet=quiet, ramps=False)


@command("rates", RATES_EXAMPLE)
@scenario_options
@click.option("--segments", type=int, metavar="N", help="Files to cut each exposure into.")
def rates_command(**options: Any) -> None:
    """Make count rates of a scenario of spectra in DIR/rates, without ramps, in seconds.

    They are what stage 1 would leave, with white noise, bad pixels and a few cosmic rays;
    DIR/truth holds the true spectrum and light curve, DIR/crds_cache what stages 2 and 3 need.
    The same options give the same bytes.
    """
    quiet = configure_log(options)
    from calwebb_simulator.command import rates_body

    rates_body(options, quiet=quiet)


@command("programs", PROGRAMS_EXAMPLE)
@click.option("--output-dir", type=FILE, metavar="DIR", help="Where to write.")
@click.option(
    "--mode", "modes", multiple=True, metavar="NAME", help="Mode; may be repeated. Default: all."
)
@click.option(
    "--exposures",
    type=click.IntRange(min=1),
    metavar="N",
    help="Files to write: programs are repeated under further numbers, or cut short.",
)
@click.option("--list", "listing", is_flag=True, help="List the modes instead.")
def programs_command(**options: Any) -> None:
    """Write whole observing programs of every mode as small raw files in DIR/uncal.

    Their headers are those of real data, for pools, associations and dry runs; each has a single
    pixel and cannot be calibrated. DIR/pools has each program's pool with what no header says:
    mosaics, backgrounds and references that the proposal links. The same options give the same
    bytes.
    """
    quiet = configure_log(options)
    from calwebb_simulator.programs.files import programs_body

    programs_body(options, quiet=quiet)


@command("scenarios", "calwebb-simulate scenarios")
def scenarios_command(**options: Any) -> None:
    """List the scenarios of the package and the effects that can be switched."""
    configure_log(options)
    from calwebb_simulator.command import list_scenarios

    list_scenarios()


@command("score", SCORE_EXAMPLE)
@click.option("--truth", type=FILE, required=True, metavar="DIR", help="Folder of the truth.")
@click.option("--results", type=FILE, required=True, metavar="DIR", help="Folder of the products.")
@click.option("--json", "json_path", type=FILE, metavar="FILE", help="Write the figures here too.")
def score_command(**options: Any) -> None:
    """Compare products with the truth: rates, cosmic rays, sky, catalogs.

    Products are found by their suffix anywhere below the folder of results.
    """
    quiet = configure_log(options)
    from calwebb_simulator.command import score_body

    score_body(options["truth"], options["results"], options["json_path"], quiet=quiet)
