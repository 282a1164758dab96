"""A pipeline: the steps of a stage program in order, and how its files are read and written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameters import did_you_mean
from calwebb_core.framework.step import Status, Step


@dataclass(frozen=True)
class Pipeline:
    """What the runner and the command line need to know of a stage program.

    Attributes
    ----------
    name : str
        Official name, such as "calwebb_detector1".
    program : str
        Console script, such as "calwebb-detector1".
    meaning : str
        One line for people.
    steps : tuple of Step
        All steps that any mode of this program may run.
    select : callable
        ``select(metadata) -> tuple of Step``: the order for this exposure's mode; raises
        InputError in one sentence for a mode that is not available yet.
    read : callable
        ``read(path) -> model``: raw input, association or saved intermediate. Functions of a
        program that takes associations also accept the keywords of
        `calwebb_core.framework.association.MemberOptions`, each only if it is given.
    save : callable
        ``save(model, step_name, directory) -> list of paths``: writes an intermediate
        ``<root>_<step>.fits``; the proper products for a model that has no other form.
    write : callable
        ``write(model, directory) -> list of paths``: writes the products of the model that
        the last step returned (also when `--stop-after` ended the run early).
    read_metadata : callable, optional
        ``read_metadata(path) -> Metadata`` of an input without its pixels. By default the
        headers of a FITS product, or whatever `read` returns for another kind of file.
    open : callable, optional
        ``open(path) -> model``: as `read`, but the samples of a raw file may stay there; such a
        model has `metadata` and ``load()``, which returns what `read` returns.
    together : callable, optional
        ``together(model, steps, references, output_dir, expected) -> (model, statuses)``: runs
        consecutive steps (pairs of Step and parameters) in one pass, on what `open` or a step
        returned; `expected` is how the keywords will probably look in the end.
    select_alone : callable, optional
        ``select_alone(metadata) -> tuple of Step``: the steps of which one may run alone, for
        modes that have steps but no pipeline yet. By default those of `select`.
    mode : callable, optional
        ``mode(metadata) -> str``: what an exposure's mode is called. By default its EXP_TYPE.
    associations : bool
        Whether an input may be an association (.json). One of several products is run once for
        each, with the keyword `product`.
    """

    name: str
    program: str
    meaning: str
    steps: tuple[Step, ...]
    select: Callable[[Metadata], tuple[Step, ...]]
    read: Callable[..., Any]
    save: Callable[[Any, str, Path], list[Path]]
    write: Callable[[Any, Path], list[Path]]
    read_metadata: Callable[..., Metadata] | None = None
    select_alone: Callable[[Metadata], tuple[Step, ...]] | None = None
    open: Callable[..., Any] | None = None
    together: Callable[..., tuple[Any, list[Status]]] | None = None
    associations: bool = False
    mode: Callable[[Metadata], str] | None = None

    def mode_of(self, metadata: Metadata) -> str:
        """Return what an exposure's mode is called."""
        return self.mode(metadata) if self.mode else str(metadata.get("EXP_TYPE", "this exposure"))

    def steps_of(self, metadata: Metadata, *, alone: bool = False) -> tuple[Step, ...]:
        """Return the steps for an exposure's mode, or those that may run alone on it."""
        select = self.select_alone if alone and self.select_alone else self.select
        return select(metadata)

    def step(self, name: str) -> Step:
        """Return the step of this name.

        Raises
        ------
        InputError
            If there is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        hint = did_you_mean(name, [step.name for step in self.steps])
        msg = f"{self.name} has no step {name!r}{hint}"
        raise InputError(msg)
