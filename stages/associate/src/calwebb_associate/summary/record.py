"""How the products were made: steps, versions, reference files, and parameters of the user's."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from calwebb_associate.pipelines import PIPELINES, STEPS
from calwebb_associate.summary.fits import Headers, read_runs
from calwebb_associate.summary.gather import Gathered
from calwebb_associate.summary.text import clean
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.keywords import product_keywords

# The product that has been through all of a pipeline's steps.
LAST: Final = ("i2d", "s3d", "s2d", "x1d", "cal", "calints", "rate", "rateints", "dark")
VERSIONS: Final[dict[str, str]] = {
    "CAL_VER": "calibration software",
    "CRDS_CTX": "CRDS context",
    "CRDS_VER": "CRDS software",
    "SDP_VER": "data processing before calibration",
    "PRD_VER": "project reference database",
}
MOST_RUNS: Final = 40
_STEP: Final = "cal_step."
# Steps whose place in the metadata is not their name.
OTHER_NAMES: Final = {"dark_sub": "dark_current", "imprint": "imprint_subtract"}
_ALL: Final = dict.fromkeys(step for pipeline in PIPELINES for step in STEPS[pipeline])
IN_ORDER: Final = {name: number for number, name in enumerate(_ALL)}

Defaults = Mapping[str, Any]


@dataclass(frozen=True)
class StepTable:
    """What became of the steps in the products of several kinds.

    Attributes
    ----------
    kinds : list of str
        NRC_IMAGE cal, ...: the columns.
    counts : list of int
        Products of each.
    rows : list of (str, str, list of str)
        Step, its meaning, and what became of it in the products of each kind.
    """

    kinds: list[str]
    counts: list[int]
    rows: list[tuple[str, str, list[str]]]


@dataclass(frozen=True)
class Option:
    """A parameter that is not at its default.

    Attributes
    ----------
    pipeline, step, name, value, default : str
    products : str
        What it was recorded in.
    """

    pipeline: str
    step: str
    name: str
    value: str
    default: str
    products: str


@dataclass(frozen=True)
class Record:
    """How the products were made.

    Attributes
    ----------
    steps : StepTable
    versions : list of (str, str, int)
        What, its version, number of products.
    software : list of (str, str)
        Libraries.
    references : list of (str, str, int)
        Type, file, number of products.
    options : list of Option
    checked : list of str
        Products whose recorded parameters were looked at.
    compared : bool
        Whether the defaults were known.
    """

    steps: StepTable
    versions: list[tuple[str, str, int]]
    software: list[tuple[str, str]]
    references: list[tuple[str, str, int]]
    options: list[Option]
    checked: list[str]
    compared: bool


def read_defaults(path: Path | None) -> Defaults | None:
    """Return the defaults of parameters by pipeline and step, from the configuration's schema.

    Raises
    ------
    InputError
        If the schema cannot be read.
    """
    if path is None:
        return None
    try:
        sections = json.loads(path.read_text(encoding="utf-8"))["properties"]
        return {name: _defaults(rule) for name, rule in sections.items() if "properties" in rule}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: cannot be read as the configuration's schema: {error}"
        raise InputError(msg) from error


def _defaults(rule: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        step: {name: option.get("default") for name, option in inner["properties"].items()}
        for step, inner in rule["properties"].items()
        if "properties" in inner
    }


def record_of(gathered: Gathered, defaults: Defaults | None) -> Record:
    """Return how the products of a program were made."""
    products = last_products(gathered)
    looked_at = samples(products)
    runs = [(path, run) for path in looked_at for run in read_runs(path)]
    headers = [headers for _, _, headers in products]
    return Record(
        steps=steps_of(products),
        versions=versions_of(headers),
        software=software_of(run for _, run in runs),
        references=references_of(headers),
        options=[] if defaults is None else options_of(runs, defaults),
        checked=[clean(path.name) for path in looked_at],
        compared=defaults is not None,
    )


Product = tuple[str, Path, Headers]


def last_products(gathered: Gathered) -> list[Product]:
    """Return, of each exposure or product in each pipeline, kind and headers of its last file."""
    found = []
    for unit in gathered.units.values():
        file = unit.file(*LAST)
        if file is not None and file.path in gathered.headers:
            headers = gathered.headers[file.path]
            kind = f"{headers.text('EXP_TYPE') or 'unknown'} {unit.pipeline} {file.suffix}"
            found.append((kind, file.path, headers))
    return sorted(found, key=lambda item: (item[0], item[1].name))


def samples(products: Sequence[Product]) -> list[Path]:
    """Return one product of each kind, software and context."""
    first: dict[tuple[str, ...], Path] = {}
    for kind, path, headers in products:
        key = (kind, headers.text("CAL_VER"), headers.text("CRDS_CTX"))
        first.setdefault(key, path)
    return list(first.values())[:MOST_RUNS]


def steps_of(products: Sequence[Product]) -> StepTable:
    """Return what became of the steps."""
    found: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    counts: Counter[str] = Counter()
    for kind, _, headers in products:
        counts[kind] += 1
        for keyword, word in headers.starting("S_").items():
            found[keyword][kind][word] += 1
    kinds = sorted(counts)
    meanings = {item.name: item for item in product_keywords() if item.path.startswith(_STEP)}
    rows = [
        (
            step_name(meanings[keyword].path),
            clean(meanings[keyword].comment),
            [_became(found[keyword][kind], counts[kind]) for kind in kinds],
        )
        for keyword in sorted(found)
        if keyword in meanings
    ]
    rows.sort(key=lambda row: (IN_ORDER.get(row[0], len(IN_ORDER)), row[0]))
    return StepTable(kinds, [counts[kind] for kind in kinds], rows)


def step_name(path: str) -> str:
    """Return the name of a step by its place in the metadata."""
    name = path.removeprefix(_STEP)
    return OTHER_NAMES.get(name, name)


def _became(words: Counter[str], total: int) -> str:
    """Return "complete", or "complete 3, skipped 1"."""
    shown = [(clean(word).lower(), number) for word, number in sorted(words.items())]
    if len(shown) == 1 and shown[0][1] == total:
        return shown[0][0]
    return ", ".join(f"{word} {number} of {total}" for word, number in shown)


def versions_of(headers: Sequence[Headers]) -> list[tuple[str, str, int]]:
    """Return the versions that headers record, with the number of products."""
    counts: Counter[tuple[str, str]] = Counter()
    for item in headers:
        for keyword, meaning in VERSIONS.items():
            text = item.text(keyword)
            if text:
                counts[meaning, text] += 1
    return [(*key, number) for key, number in sorted(counts.items())]


def references_of(headers: Sequence[Headers]) -> list[tuple[str, str, int]]:
    """Return the reference files that headers record, with the number of products."""
    counts: Counter[tuple[str, str]] = Counter()
    for item in headers:
        for keyword, name in item.starting("R_").items():
            counts[keyword, name.removeprefix("crds://")] += 1
    return [(*key, number) for key, number in sorted(counts.items()) if key[1] != "N/A"]


def software_of(runs: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the libraries that took part, with their versions."""
    found: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        versions = run.get("software")
        for name, version in versions.items() if isinstance(versions, Mapping) else ():
            found[clean(name)].add(clean(version))
    return [(name, ", ".join(sorted(found[name]))) for name in sorted(found)]


def options_of(runs: Sequence[tuple[Path, Mapping[str, Any]]], defaults: Defaults) -> list[Option]:
    """Return the recorded parameters that are not at their default."""
    found: dict[tuple[str, str, str, str, str], list[str]] = defaultdict(list)
    for path, run in runs:
        pipeline = clean(run.get("pipeline", ""))
        for step, name, value in _parameters(run):
            known = defaults.get(pipeline, {}).get(step, {})
            if name in known and known[name] != value:
                key = (pipeline, step, name, _plain(value), _plain(known[name]))
                found[key].append(clean(path.name))
    return [Option(*key, ", ".join(sorted(set(found[key])))) for key in sorted(found)]


def _parameters(run: Mapping[str, Any]) -> Iterable[tuple[str, str, Any]]:
    """Yield step, name and value of a run's parameters."""
    steps = run.get("steps")
    for step in steps if isinstance(steps, list) else ():
        parameters = step.get("parameters") if isinstance(step, Mapping) else None
        for name, value in parameters.items() if isinstance(parameters, Mapping) else ():
            yield clean(step.get("name", "")), clean(name), value


def _plain(value: Any) -> str:
    """Return a parameter as the configuration writes it; a file by its name."""
    if isinstance(value, Mapping) and "name" in value:
        return clean(value["name"])
    return clean(json.dumps(value, default=str))
