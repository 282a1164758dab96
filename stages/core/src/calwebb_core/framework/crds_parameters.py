"""Options of steps that CRDS chooses for an exposure: its `pars-*` reference files.

What they give stands between the defaults and the user's own options; a pipeline's file wins over
a step's. Options of the official software that say where to write what are left out, and so are,
with a warning, those that a step here does not have.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameter_files import Layer, given_options
from calwebb_core.framework.parameters import check_option, kinds_of, merge, options_of
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.reference_sources import Source
from calwebb_core.framework.reference_types import pipeline_type, step_type
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Step

logger = logging.getLogger(__name__)

# About files and processes, not about what is computed.
WITHOUT_EFFECT = frozenset(
    (
        "input_dir",
        "maximum_cores",
        "output_dir",
        "output_ext",
        "output_file",
        "output_use_index",
        "output_use_model",
        "post_hooks",
        "pre_hooks",
        "save_results",
        "search_output_file",
        "suffix",
    )
)
# Code to run, which no file that comes with the data may name.
HOOKS = ("pre_hooks", "post_hooks")
# How the official software writes that an option is not set.
NOTHING: tuple[Any, ...] = (None, "None", "", [])


def parameter_types(pipeline: Pipeline, steps: Iterable[Step]) -> list[str]:
    """Return the types of the files for some steps, then that for their pipeline."""
    return [*(step_type(step.name) for step in steps), pipeline_type(pipeline.name)]


def options_for(kind: str, path: Path, steps: Sequence[Step]) -> tuple[Layer, list[str]]:
    """Return what a file says to some steps, checked, and what in it is unknown.

    Raises
    ------
    ReferenceFileError
        As `given_options`.
    """
    by_type = {step_type(step.name): step for step in steps}
    by_name = {step.name: step for step in steps}
    layer: Layer = {}
    unknown: list[str] = []
    for name, values in given_options(kind, path).items():
        step = by_type.get(name) or by_name.get(name)
        for option, value in values.items():
            where = f"{step.name if step else name}.{option}".removeprefix(".")
            if option in HOOKS and value not in NOTHING:
                unknown.append(f"{where} (only the user may name code to run)")
            if option in WITHOUT_EFFECT or option.startswith("override_"):
                continue
            try:
                fitting = _value(step, option, value, where)
            except LookupError:
                # what is unknown here and off there is no loss
                if value not in (*NOTHING, False):
                    unknown.append(where)
            except InputError as error:
                if value not in NOTHING:
                    unknown.append(str(error))
            else:
                assert step is not None  # noqa: S101 - else LookupError
                layer.setdefault(step.name, {})[option] = fitting
    return layer, unknown


def _value(step: Step | None, option: str, value: Any, where: str) -> Any:
    if step is None:
        raise LookupError
    if option == "skip":
        if not isinstance(value, bool):
            msg = f"{where} is {value!r}; expected true or false"
            raise InputError(msg)
        return value
    known = options_of(step.parameters)
    if option not in known or known[option].metadata.get("file"):
        raise LookupError
    kind = kinds_of(step.parameters)[option]
    try:
        return check_option(where, known[option], kind, value)
    except InputError:
        # choices among numbers are written as texts there
        if not (isinstance(value, str) and value.isdecimal()):
            raise
        return check_option(where, known[option], kind, int(value))


def crds_layer(pipeline: Pipeline, steps: Sequence[Step], references: References) -> Layer:
    """Return what the files of a list of references say to the steps of an exposure's mode.

    Parameters
    ----------
    pipeline : Pipeline
    steps : sequence of Step
        Those of the mode.
    references : References
        Types that are not listed, or have no file, say nothing.

    Raises
    ------
    ReferenceFileError
        If a file is missing or unreadable.
    """
    layers: list[Layer] = []
    for kind in parameter_types(pipeline, steps):
        source = references.entries.get(kind)
        if not isinstance(source, Source):
            continue
        references.check([kind])
        references.verify_type(kind)
        layer, unknown = options_for(kind, source.path, steps)
        references.note(kind)
        if unknown:
            logger.warning("%s: left out, unknown here: %s", source.name, "; ".join(unknown))
        layers.append(layer)
    return merge(*layers)
