"""Verify one product, or it and everything it was made of back to the raw exposures."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from calwebb_core.framework.errors import InputError, ProcessingError
from calwebb_core.framework.verify.checksums import changed_hdus
from calwebb_core.framework.verify.compare import differences, same_bytes
from calwebb_core.framework.verify.explain import causes, machine
from calwebb_core.framework.verify.find import Finder, Ingredients, gather
from calwebb_core.framework.verify.findings import Finding, Verdict
from calwebb_core.framework.verify.levels import other_levels
from calwebb_core.framework.verify.rebuild import (
    Waiting,
    commands,
    find_program,
    product_in,
    rebuild,
    workspace,
)
from calwebb_core.framework.verify.record import Recorded, read_record

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wishes:
    """What the user wants of a verification.

    Attributes
    ----------
    folders, references : tuple of Path
        Where inputs and reference files may be, beside the usual places.
    work : Path or None
        Folder for temporary files; by default the product's.
    allow_hooks : bool
        Whether the user's own code that a product names may be run.
    allow_outside : bool
        Whether members of associations may lie outside their folder.
    """

    folders: tuple[Path, ...] = ()
    references: tuple[Path, ...] = ()
    work: Path | None = None
    allow_hooks: bool = False
    allow_outside: bool = False


class Kept(AbstractContextManager["Kept"]):
    """What the last run made: other products of that run need no run of their own."""

    def __init__(self) -> None:
        self._key = ""
        self._stack = ExitStack()

    def folder(self, recorded: Recorded, wishes: Wishes) -> tuple[Path, bool]:
        """Return the folder to make a product in, and whether its run was made there before."""
        key = json.dumps([recorded.last, recorded.epoch, commands(recorded)], sort_keys=True)
        if key != self._key:
            self.close()
            self._work = self._stack.enter_context(workspace(recorded.path, wishes.work))
            self._key = key
            return self._work, False
        return self._work, True

    def close(self) -> None:
        """Delete what was kept."""
        self._key = ""
        self._stack.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def verify(
    product: Path,
    wishes: Wishes | None = None,
    waiting: Callable[[str, float], None] | None = None,
    kept: Kept | None = None,
) -> Verdict:
    """Make a product again from its input and compare it bit for bit.

    Parameters
    ----------
    product : Path
    wishes : Wishes, optional
    waiting : callable, optional
        Called with the product's name and the seconds since the start while its program runs.
    kept : Kept, optional
        Hand in the same one for several products: a run that made several is repeated once.

    Returns
    -------
    Verdict
        Also of files that cannot be verified.
    """
    wishes = wishes or Wishes()
    verdict = Verdict(Path(product))
    try:
        recorded = read_record(verdict.product)
    except InputError as error:
        verdict.findings.append(Finding("not a product", str(error)))
        return verdict
    ingredients = gather(recorded, finder_for(recorded.path, wishes))
    verdict.findings += ingredients.findings
    verdict.findings += unrun_hooks(recorded, wishes)
    program = find_program(recorded.last["program"])
    if program is None:
        text = (
            f"{recorded.last['program']}, which made it, is not on the path (PATH); an image holds "
            "one stage: verify it in the image of that stage, or outside"
        )
        verdict.findings.append(Finding("program missing", text))
    if program is None or any(item.blocks for item in verdict.findings):
        return verdict
    verdict.program = recorded.last["program"]
    started = time.monotonic()

    def tell(seconds: float) -> None:
        if waiting is not None:
            waiting(recorded.name, seconds)

    with nullcontext(kept) if kept is not None else Kept() as bench:
        make_and_compare(recorded, ingredients, wishes, Bench(program, tell, bench), verdict)
    verdict.seconds = time.monotonic() - started
    return verdict


def finder_for(product: Path, wishes: Wishes) -> Finder:
    """Return what looks for the files of a product."""
    return Finder(product, wishes.folders, wishes.references)


def unrun_hooks(recorded: Recorded, wishes: Wishes) -> list[Finding]:
    """Name the user's own code without which the product cannot be made again."""
    if wishes.allow_hooks:
        return []
    return [
        Finding(
            "hook",
            f"it was made with a {kind.removesuffix('_hooks')}-hook of {step}, `{hook}`: it cannot "
            "be made again without; --allow-hooks runs it",
            {"step": step, "hook": hook},
        )
        for kind, step, hook in recorded.hooks
    ]


class Bench(NamedTuple):
    """With what a product is made again: program, who is told meanwhile, what is kept."""

    program: str
    waiting: Waiting
    kept: Kept


def make_and_compare(
    recorded: Recorded, ingredients: Ingredients, wishes: Wishes, bench: Bench, verdict: Verdict
) -> None:
    """Make the product again and add what differs, and why, to the verdict."""
    try:
        made = make(recorded, ingredients, wishes, bench)
    except (InputError, ProcessingError) as error:
        bench.kept.close()
        verdict.findings.append(Finding("not made again", str(error)))
        return
    if same_bytes(recorded.path, made):
        if verdict.findings:
            verdict.notes.append("made again with what has changed, it has the same bytes")
        return
    reasons = causes(recorded.last, read_record(made).last)
    found = differences(recorded.path, made)
    if not reasons and not verdict.findings:
        reasons = [
            edited(recorded)
            or (processor(recorded, ingredients, wishes, bench) if found else None)
            or machine(recorded.last)
        ]
    verdict.findings += [*reasons, *found]
    if not found:
        verdict.notes.append("only the record of how it was made differs: pixels are the same")


def make(recorded: Recorded, ingredients: Ingredients, wishes: Wishes, bench: Bench) -> Path:
    """Make a product again, unless its run was made before; return where it is."""
    work, before = bench.kept.folder(recorded, wishes)
    if before and (found := product_in(work, recorded)):
        return found
    if before:
        bench.kept.close()
        work, _ = bench.kept.folder(recorded, wishes)
    logger.info("%s: making it again with %s", recorded.path, recorded.last["program"])
    return rebuild(
        recorded,
        ingredients,
        work,
        program=bench.program,
        waiting=bench.waiting,
        allow_outside=wishes.allow_outside,
    )


def edited(recorded: Recorded) -> Finding | None:
    """Say whether the product was changed after it was written."""
    names = changed_hdus(recorded.path) if recorded.path.suffix == ".fits" else []
    if not names:
        return None
    text = f"it was changed after it was written: the CHECKSUM of {', '.join(names)} does not fit"
    return Finding("edited", text, {"hdus": names})


def processor(
    recorded: Recorded, ingredients: Ingredients, wishes: Wishes, bench: Bench
) -> Finding | None:
    """Make the product with the loops of other processors: say with which it is the same."""
    for name, level in other_levels():
        with workspace(recorded.path, wishes.work) as work:
            try:
                made = rebuild(
                    recorded,
                    ingredients,
                    work,
                    program=bench.program,
                    waiting=bench.waiting,
                    level=level,
                    allow_outside=wishes.allow_outside,
                )
            except (InputError, ProcessingError):
                continue
            if same_bytes(recorded.path, made):
                text = (
                    f"with the loops of {name} it has the same bytes: it was made on another kind "
                    "of CPU, or with other settings of numpy and OpenBLAS"
                )
                return Finding("processor", text, {"level": name})
    return None


def chain(product: Path, wishes: Wishes, seen: set[Path]) -> Iterator[Path]:
    """Yield the products that a product was made of, raw exposures left out, and last itself."""
    if product.resolve() in seen:
        return
    seen.add(product.resolve())
    try:
        recorded = read_record(product)
    except InputError:
        yield product
        return
    finder = finder_for(product, wishes)
    for item in recorded.inputs:
        for path in finder.inputs(item["name"]):
            if is_product(path):
                yield from chain(path, wishes, seen)
                break
    yield product


def is_product(path: Path) -> bool:
    """Say whether a file says how it was made; raw exposures and associations do not."""
    try:
        return bool(read_record(path).runs)
    except InputError:
        return False
