"""The page: everything gathered put into the template, with all text escaped."""

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from calwebb_associate.summary.colours import colours_of
from calwebb_associate.summary.expected import Association, Member
from calwebb_associate.summary.gather import Gathered
from calwebb_associate.summary.observed import Exposure, exposure_time, exposures_of, targets_of
from calwebb_associate.summary.record import Defaults, record_of
from calwebb_associate.summary.sky import fields_of
from calwebb_associate.summary.state import MEANING, State, Unit
from calwebb_associate.summary.text import counted, decimal, duration, joined, moment, span
from calwebb_associate.summary.thumbnails import order, thumbnails_of
from calwebb_associate.summary.timeline import timeline_of
from calwebb_core.framework.fits_headers import product_date

TEMPLATES: Final = Path(__file__).with_name("templates")
MAIN: Final = (
    *("whtlt", "phot", "x1dints", "colour", "i2d", "s3d", "s2d", "footprint", "segm", "x1d"),
)
MARKS: Final = {
    State.DONE: "\N{HEAVY CHECK MARK}",
    State.FAILED: "\N{HEAVY BALLOT X}",
    State.UNFINISHED: "\N{BLACK RIGHT-POINTING TRIANGLE}",
    State.MISSING: "\N{WHITE CIRCLE}",
    State.UNAVAILABLE: "\N{EN DASH}",
}


@dataclass(frozen=True)
class Count:
    """How many of something are in each state."""

    what: str
    total: int
    states: list[tuple[State, int]]


@dataclass(frozen=True)
class Product:
    """A product of an association, as a row of the page.

    Attributes
    ----------
    association : Association
    unit : Unit
    members : list of (str, list of (Member, State))
        Part, and members with what has become of each.
    """

    association: Association
    unit: Unit
    members: list[tuple[str, list[tuple[Member, State]]]]


def render(gathered: Gathered, output: Path, defaults: Defaults | None = None) -> str:
    """Return the page.

    Parameters
    ----------
    gathered : Gathered
    output : Path
        Where the page will be: its links start there.
    defaults : mapping, optional
        Defaults of the parameters.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "counted": counted, "decimal": decimal, "duration": duration,
        "moment": moment, "span": span,
        "link": partial(link, start=output.parent),
        "inside": lambda name: link(gathered.folder / name, output.parent),
    }  # fmt: skip
    script, style = (_asset(name) for name in ("page.js", "page.css"))
    return environment.get_template("page.html").render(
        **content_of(gathered, defaults),
        marks=MARKS,
        meaning=MEANING,
        script=Markup(script),  # noqa: S704 - our own file
        style=Markup(style),  # noqa: S704 - our own file
        script_hash=_hash(script),
    )


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """Return what lets the browser run this script and no other."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def link(path: Path, start: Path) -> str:
    """Return a relative address of a file, from the folder of the page."""
    return quote(os.fsencode(os.path.relpath(path, start)))


def content_of(gathered: Gathered, defaults: Defaults | None) -> dict[str, Any]:
    """Return what the template shows."""
    exposures = exposures_of(gathered)
    targets, colours = targets_of(exposures), colours_of(exposures)
    products = [_product(gathered, item) for item in gathered.associations]
    starts = [item.start for item in exposures if item.start is not None]
    return {
        "program": gathered.program,
        "made": made_at(),
        "exposures": exposures,
        "targets": targets,
        "fields": [(target, fields_of(target, colours)) for target in targets],
        "timeline": timeline_of(exposures, colours),
        "counts": counts_of(exposures, products),
        "failed": [unit for unit in gathered.units.values() if unit.state is State.FAILED],
        "final": [item for item in products if item.association.level == 3],
        "second": [item for item in products if item.association.level == 2],
        "pictures": thumbnails_of(pictures_of(gathered)),
        "others": gathered.others,
        "record": record_of(gathered, defaults),
        "instruments": joined(item.instrument for item in exposures),
        "seconds": exposure_time(exposures),
        "first": min(starts, default=None),
        "last": max(starts, default=None),
        "states": [state for state in State if _occurs(state, exposures)],
    }


def made_at() -> str:
    """Return the time, or nothing in runs whose products hold no clock."""
    return "" if os.environ.get("SOURCE_DATE_EPOCH") else product_date()[:16].replace("T", " ")


def _occurs(state: State, exposures: Iterable[Exposure]) -> bool:
    return any(unit.state is state for item in exposures for unit in (item.stage1, *item.stage2))


def _product(gathered: Gathered, association: Association) -> Product:
    """Return a product with its members by their part: science first."""
    kinds = sorted(
        {item.exptype for item in association.members}, key=lambda x: (x != "science", x)
    )
    members = [
        (
            kind,
            [
                (item, _state_of_member(gathered, item))
                for item in association.members
                if item.exptype == kind
            ],
        )
        for kind in kinds
    ]
    return Product(association, gathered.unit(association), members)


def _state_of_member(gathered: Gathered, member: Member) -> State:
    """Return what has become of what an association is made of."""
    for unit in gathered.named(member.root):
        if member.suffix in {item.suffix for item in unit.files if not item.problem}:
            return State.DONE
        if member.suffix in unit.missing or not unit.files:
            return unit.state
    return State.MISSING


def counts_of(exposures: Sequence[Exposure], products: Sequence[Product]) -> list[Count]:
    """Return how many exposures and products are in each state."""
    stage2 = {(unit.pipeline, unit.name): unit for item in exposures for unit in item.stage2}
    final = {(p.unit.pipeline, p.unit.name): p.unit for p in products if p.association.level == 3}
    return [
        _count("exposure", ", stage 1", [item.stage1 for item in exposures]),
        _count("exposure", ", stage 2", stage2.values()),
        _count("product", ", stage 3", final.values()),
    ]


def _count(what: str, stage: str, units: Iterable[Unit]) -> Count:
    counts = Counter(unit.state for unit in units)
    total = sum(counts.values())
    words = counted(total, what).removeprefix(f"{total} ")
    return Count(f"{words}{stage}", total, [(s, counts[s]) for s in State if counts[s]])


def pictures_of(gathered: Gathered) -> list[tuple[Path, str, str]]:
    """Return the pictures with name and kind: those of final products first."""
    folder = gathered.folder / "quicklook"
    found: list[tuple[Path, str, str]] = []
    stages = [place for place in folder.glob("*") if place.is_dir()]
    for place in sorted(stages, key=lambda item: (-_stage(item.name), item.name)):
        drawn = [(path, *path.stem.rpartition("_")[::2]) for path in sorted(place.rglob("*.png"))]
        found += order(drawn, MAIN)
    return found


def _stage(name: str) -> int:
    """Return the stage in a pipeline's name."""
    return int(name[-1]) if name[-1:].isdecimal() else 0
