"""What all console scripts share: options, error lines, exit codes, help with an example.

`program` makes a script with one action; `make_program` makes the `run`, `steps` and `step`
of a pipeline. Importing this module is cheap: no numpy, astropy or stage is loaded until a
command's body runs.
"""

import errno
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from calwebb_core.framework import log
from calwebb_core.framework.errors import CalwebbError
from calwebb_core.framework.printing import one_line

F = TypeVar("F", bound=Callable[..., Any])
CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
ENDINGS = (signal.SIGTERM, signal.SIGHUP)
TERMINATED = 128 + signal.SIGTERM
NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
LOG_OPTIONS = ("log_file", "quiet", "verbose", "debug")
logger = logging.getLogger("calwebb_core")


def report_error(name: str, error: BaseException, *, debug: bool) -> int:
    """Print one line about an error on stderr, the traceback to the log; return the exit code."""
    notes = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
    if isinstance(error, CalwebbError):
        line = one_line(str(error))
    elif isinstance(error, MemoryError):
        line = one_line(f"{notes}not enough memory ({error}); use a machine that has more")
    elif isinstance(error, OSError) and error.errno in NO_ROOM:
        place = f"{error.filename}: " if error.filename else ""
        line = one_line(f"{notes}{place}{error.strerror}; nothing is left half-written: make room")
    else:
        line = one_line(f"{notes}unexpected {type(error).__name__}: {error}")
        line += " (this is a fault of the program; --debug shows where)"
    if debug:
        logger.error("failed", exc_info=error)
    else:
        _log_to_file_only(error)
    click.echo(f"{name}: error: {line}", err=True)
    return error.exit_code if isinstance(error, CalwebbError) else 1


def _log_to_file_only(error: BaseException) -> None:
    trace = (type(error), error, error.__traceback__)
    record = logger.makeRecord(logger.name, logging.ERROR, __file__, 0, "failed", (), trace)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler) and handler.get_name() == log.OURS:
            handler.handle(record)


class Terminated(BaseException):
    """The system, a scheduler or the user asks the program to end (SIGTERM)."""


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let requests to end (SIGTERM, SIGHUP) end a program as errors do: what cleans up runs."""
    mine: list[signal.Signals] = []

    def leave_by_signal(_number: int, _frame: Any) -> NoReturn:
        # schedulers ask more than once; what cleans up is not to be interrupted
        for number in mine:
            signal.signal(number, signal.SIG_IGN)
        raise Terminated

    if threading.current_thread() is threading.main_thread():
        # a signal that is ignored stays so, as nohup wants it
        mine += [n for n in ENDINGS if signal.getsignal(n) == signal.SIG_DFL]
    for number in mine:
        signal.signal(number, leave_by_signal)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def _usage_line(error: click.ClickException) -> str:
    text = one_line(error.format_message())
    context = getattr(error, "ctx", None)
    path = context.command_path if context else ""
    return f"{text} (see {path} --help)" if path else text


class OneLineErrors(click.Command):
    """A command that ends with one line on stderr and one of the exit codes 0, 1, 2, 3."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run the command; as a console script (`standalone_mode`) it ends the process."""
        run: Callable[..., Any] = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        with ended_in_order():
            code = self._guarded(run, *args, **extra)
        sys.exit(code)

    def _guarded(self, run: Callable[..., Any], *args: Any, **extra: Any) -> int:
        name = self.name or ""
        try:
            result = run(*args, standalone_mode=False, **extra)
        except click.Abort:
            click.echo(f"{name}: interrupted", err=True)
            return 1
        except Terminated:
            click.echo(f"{name}: terminated", err=True)
            return TERMINATED
        except click.ClickException as error:
            click.echo(f"{name}: error: {_usage_line(error)}", err=True)
            return 2
        except Exception as error:  # noqa: BLE001 - the last line of defence; reported, exit 1
            return report_error(name, error, debug=log.debugging())
        finally:
            log.close()
        return result if isinstance(result, int) and not isinstance(result, bool) else 0


class Program(OneLineErrors):
    """A console script with one action."""


class ProgramGroup(OneLineErrors, click.Group):
    """A console script with subcommands, listed in the order they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the subcommands' names in order."""
        return list(self.commands)


def version_option(name: str, package: str) -> Callable[[F], F]:
    """Return the `--version` option that prints the version of a package."""

    def show(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            click.echo(f"{name} {import_module(package).__version__}")
            context.exit()

    return click.option(
        "--version",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help="Print the version and leave.",
    )


def log_options(function: F) -> F:
    """Add `--log`, `-q`, `-v` and `--debug` to a command; see `configure_log`."""
    decorators = [
        click.option(
            "--log",
            "log_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write the full log to this file.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors."),
        click.option("-v", "--verbose", is_flag=True, help="Say more."),
        click.option("--debug", is_flag=True, help="Say everything, with tracebacks."),
    ]
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def own_options_first(command: click.Command) -> click.Command:
    """Sort the options that all programs share to the end of the help text."""
    command.params.sort(key=lambda item: item.name in (*LOG_OPTIONS, "version"))
    return command


def configure_log(options: dict[str, Any]) -> bool:
    """Set up logging from the options of `log_options`, taking them out; return `quiet`."""
    path, quiet, verbose, debug = (options.pop(name) for name in LOG_OPTIONS)
    log.configure(quiet=quiet, verbose=verbose, debug=debug, path=path)
    return bool(quiet)


def program(
    name: str, *, package: str, example: str, wants_quiet: bool = False
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a console script with one action from a function with click arguments and options.

    It gets `--version`, `--log`, `-q`, `-v`, `--debug`, the example below its help, one-line
    errors and the exit codes. The function's docstring is the help.

    Parameters
    ----------
    name : str
        Console script, such as "calwebb-pool".
    package : str
        Package whose `__version__` is printed.
    example : str
        One or more command lines.
    wants_quiet : bool
        Hand the flag `quiet` on to the function.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @wraps(function)
        def body(**options: Any) -> Any:
            quiet = configure_log(options)
            if wants_quiet:
                options["quiet"] = quiet
            return function(**options)

        make = click.command(
            name, cls=Program, context_settings=CONTEXT_SETTINGS, epilog=example_text(example)
        )
        return own_options_first(make(version_option(name, package)(log_options(body))))

    return decorate


def example_text(example: str) -> str:
    """Return the epilog of a help text; the mark keeps click from rewrapping the lines."""
    lines = "\n".join(f"  {line.strip()}" for line in example.strip().splitlines())
    return f"\b\nExample:\n{lines}"


def make_program(
    pipeline_loader: str,
    *,
    name: str = "",
    package: str = "",
    meaning: str = "",
    example: str = "",
    association: bool = False,
) -> click.Group:
    """Make the console script of a pipeline with its commands `run`, `steps` and `step`.

    Parameters
    ----------
    pipeline_loader : str
        ``"calwebb_detector1.pipeline:PIPELINE"``, imported when a command needs it.
    name : str
        Console script, such as "calwebb-detector1"; by default the example's first word.
    package : str
        Package whose `__version__` is printed; by default that of the loader.
    meaning : str
        One line for the help; by default the first line of the package's docstring.
    example : str
        Command line for the help.
    association : bool
        Whether the input is an association: the program gets `--input-dir`, and the
        pipeline's `read` and `read_metadata` the keyword `input_dir` when it is given.
    """
    from calwebb_core.framework.command_pipeline import pipeline_group

    name = name or example.split()[0]
    source = "asn.json" if association else "jw01345001001_02201_00001_nrcalong_uncal.fits"
    return pipeline_group(
        pipeline_loader,
        name=name,
        package=package or pipeline_loader.partition(".")[0].partition(":")[0],
        meaning=meaning,
        example=example or f"{name} run {source} --references refs.json --output-dir results",
        association=association,
    )


def leave(code: int) -> NoReturn:
    """End a command's body with an exit code."""
    raise click.exceptions.Exit(code)
