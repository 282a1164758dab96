"""The commands `run`, `steps` and `step` of a pipeline's console script."""

from collections.abc import Callable
from importlib import import_module
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
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.threads import set_threads

Decorator = Callable[[Any], Any]
FILE = click.Path(path_type=Path)
WHERE = [
    click.option(
        "--references",
        type=FILE,
        metavar="REFS.json",
        help="List of reference files from calwebb-references; without it CRDS is asked.",
    ),
    click.option(
        "--output-dir", type=FILE, required=True, metavar="DIR", help="Folder for the products."
    ),
]
MEMBERS = [
    click.option(
        "--input-dir",
        type=FILE,
        metavar="DIR",
        help="Folder of the association's members; by default that of the association.",
    ),
    click.option(
        "--allow-outside",
        is_flag=True,
        help="Read members outside that folder, too: absolute paths, .., links.",
    ),
    click.option(
        "--product",
        metavar="NAME",
        help="Make this product only of an association that has several.",
    ),
]
PARAMETERS = [
    click.option(
        "--config", type=FILE, metavar="FILE.yaml", help="Parameters: step -> option -> value."
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="STEP.PARAM=VALUE",
        help="One parameter; wins over --config. May be repeated.",
    ),
]
WHICH = [
    click.option("--skip", multiple=True, metavar="STEP", help="Leave a step out."),
    click.option("--save", multiple=True, metavar="STEP", help="Write a step's result too."),
    click.option("--stop-after", metavar="STEP", help="Last step to run."),
]
MORE = [
    click.option(
        "--pre-hook",
        "pre_hooks",
        multiple=True,
        metavar="STEP=CMD_OR_MODULE:FUNCTION",
        help="Run a command ({} is a copy of the product) or function before a step.",
    ),
    click.option(
        "--post-hook",
        "post_hooks",
        multiple=True,
        metavar="STEP=CMD_OR_MODULE:FUNCTION",
        help="The same after a step.",
    ),
    click.option(
        "--override",
        "overrides",
        multiple=True,
        metavar="TYPE=FILE|N/A",
        help="Use this reference file, or none. May be repeated.",
    ),
    click.option(
        "--no-crds-parameters",
        "crds_parameters",
        is_flag=True,
        flag_value=False,
        default=True,
        help="Leave out the options that the pars-* files of CRDS give.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        metavar="N",
        help="Threads to compute with; by default all cores.",
    ),
    click.option(
        "--one-by-one",
        is_flag=True,
        help="Run every step by itself, also those that can share a pass: same result, slower.",
    ),
]


def pipeline_group(
    pipeline_loader: str,
    *,
    name: str,
    package: str,
    meaning: str,
    example: str,
    association: bool,
) -> click.Group:
    """Return a pipeline's console script; see `calwebb_core.framework.command.make_program`."""
    text = meaning or (import_module(package).__doc__ or "").strip().splitlines()[0]
    group = ProgramGroup(
        name=name, context_settings=CONTEXT_SETTINGS, help=text, epilog=example_text(example)
    )
    version_option(name, package)(group)
    group.add_command(_run(pipeline_loader, example, association))
    group.add_command(_steps(pipeline_loader, f"{name} steps", association))
    group.add_command(_step(pipeline_loader, name, association))
    return group


def _decorate(body: Any, decorators: list[Decorator]) -> Any:
    for decorator in reversed(decorators):
        body = decorator(body)
    return body


def _command(name: str, example: str, body: Any, decorators: list[Decorator]) -> click.Command:
    make = click.command(name, context_settings=CONTEXT_SETTINGS, epilog=example_text(example))
    return own_options_first(make(log_options(_decorate(body, decorators))))


def _run(loader: str, example: str, association: bool) -> click.Command:
    kind = "an association" if association else "a raw file or a saved intermediate product"

    def body(**options: Any) -> None:
        run_body(loader, options)

    body.__doc__ = f"""Run all steps that INPUT needs and write the products.

    INPUT is {kind}. Steps that a product has been through are not repeated.
    """
    where = [*WHERE, *MEMBERS] if association else WHERE
    decorators = [_input_argument(), *where, *PARAMETERS, *WHICH, *MORE]
    return _command("run", example, body, decorators)


def _step(loader: str, name: str, association: bool) -> click.Command:
    example = f"{name} step NAME INPUT --references refs.json --output-dir results"

    def body(**options: Any) -> None:
        """Run the step NAME alone on INPUT, also one that is off by default.

        Its result is written as <root>_<step>.fits, that of the last step as the products.
        """
        options |= {"skip": (), "save": (), "stop_after": None}
        run_body(loader, options)

    step_name = click.argument("only", metavar="NAME")
    where = [*WHERE, *MEMBERS] if association else WHERE
    decorators = [step_name, _input_argument(), *where, *PARAMETERS, *MORE]
    return _command("step", example, body, decorators)


def _steps(loader: str, example: str, association: bool) -> click.Command:
    def body(**options: Any) -> None:
        """List the steps in order with their options, defaults and meaning.

        With INPUT: which will run for its mode, and why the others won't.
        """
        from calwebb_core.framework.command_steps import show_steps

        quiet = configure_log(options)
        path = options.pop("path")
        members = {name: options.pop(name, None) for name in ("input_dir", "product")}
        show_steps(
            loader,
            path,
            members["input_dir"],
            product=members["product"],
            allow_outside=options.pop("allow_outside", False),
            parameters=_parameters(options),
            skip=options["skip"],
            as_json=options["as_json"],
            quiet=quiet,
        )

    as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
    where = MEMBERS if association else []
    optional = click.argument("path", metavar="[INPUT]", type=FILE, required=False)
    return _command("steps", example, body, [optional, as_json, *where, *PARAMETERS, WHICH[0]])


def _input_argument() -> Decorator:
    return click.argument("path", metavar="INPUT", type=FILE)


def _parameters(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Take --config and --set out of the options; return step -> option -> value."""
    from calwebb_core.framework.parameters import merge, parse_setting, read_parameter_file

    config, settings = options.pop("config"), options.pop("settings")
    layers = [read_parameter_file(config)] if config else []
    for text in settings:
        step, name, value = parse_setting(text)
        layers.append({step: {name: value}})
    return merge(*layers)


def parse_override(text: str) -> tuple[str, str]:
    """Split ``TYPE=FILE`` or ``TYPE=N/A``.

    Raises
    ------
    InputError
        If type or file is absent.
    """
    kind, _, value = text.partition("=")
    if not (kind.strip() and value.strip()):
        msg = f"--override {text!r}: expected TYPE=FILE or TYPE=N/A"
        raise InputError(msg)
    return kind.strip(), value.strip()


def run_body(loader: str, options: dict[str, Any]) -> None:
    """Do what `run` and `step` do with their options."""
    quiet = configure_log(options)
    set_threads(options.pop("threads"))
    options["overrides"] = dict(parse_override(text) for text in options["overrides"])
    options["parameters"] = _parameters(options)
    for path in _call(loader, options.pop("path"), options, quiet=quiet):
        if not quiet:
            click.echo(path)


def _call(loader: str, path: Path, options: dict[str, Any], *, quiet: bool) -> list[Path]:
    from calwebb_core.framework.call import call_pipeline
    from calwebb_core.framework.progress import progress_bar

    with progress_bar(quiet=quiet) as progress:
        return call_pipeline(loader, path, progress=progress, **options).outputs
