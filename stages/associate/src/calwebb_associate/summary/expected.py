"""What a program's exposures and associations are to become, and by which pipeline."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from calwebb_associate.availability import PlannedAssociation, Source, plan_associations
from calwebb_associate.generate import MadeAssociation, make_associations
from calwebb_associate.headers import STRIPES
from calwebb_associate.pipelines import LEVEL2, PROGRAMS, first_program, stage1_refuses
from calwebb_associate.plan_file import read_plan_file
from calwebb_associate.pool import Pool, Row, value
from calwebb_associate.summary.fits import Headers
from calwebb_associate.summary.text import clean
from calwebb_associate.targets import PRODUCTS, folder_of
from calwebb_core.framework.association import read_association
from calwebb_core.framework.association_json import read_json
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import split_suffix

log = logging.getLogger(__name__)

PLAN: Final = "associations.jsonl"
SCIENCE: Final = "science"
NO_RATES: Final = "the exposure is not in the pool"


@dataclass(frozen=True)
class Expected:
    """Something that is to be made.

    Attributes
    ----------
    name, pipeline : str
        Exposure or product; detector1, image2, ...
    suffixes : tuple of str
    why : str
        Why no program makes it, or nothing.
    """

    name: str
    pipeline: str
    suffixes: tuple[str, ...]
    why: str = ""

    @property
    def folder(self) -> str:
        """Folder of its products."""
        return folder_of(self.pipeline)


@dataclass(frozen=True)
class Member:
    """A member of an association: root and suffix of its name, file and part."""

    root: str
    suffix: str
    file: str
    exptype: str


@dataclass(frozen=True)
class Association:
    """An association and what is to be made of it.

    Attributes
    ----------
    file_name : str
    written : bool
        Whether the file is there.
    asn_type, rule, candidate, constraints : str
    level : int
        2 or 3.
    members : tuple of Member
        Science first.
    makes : Expected
    """

    file_name: str
    written: bool
    asn_type: str
    rule: str
    candidate: str
    constraints: str
    level: int
    members: tuple[Member, ...]
    makes: Expected

    @property
    def product(self) -> str:
        """Name of its product."""
        return self.makes.name


def stage1(root: str, row: Row, headers: Headers | None) -> Expected:
    """Return what stage 1 makes of an exposure; without its headers, as for others of its kind."""
    exp_type = value(row, "exp_type")
    pipeline = first_program(exp_type).removeprefix("calwebb-")
    known = headers is not None and not headers.problem
    header = {} if headers is None else {key: headers.value(key) for key in STRIPES}
    header = {key: found for key, found in header.items() if found is not None}
    header["INSTRUME"] = value(row, "instrume")
    why = stage1_refuses(header if known else {"INSTRUME": header["INSTRUME"]}, exp_type)
    return Expected(root, pipeline, PRODUCTS[pipeline], why)


def associations_of(
    folder: Path, pool: Pool, exposures: Mapping[str, Expected], rows: Mapping[str, Row]
) -> list[Association]:
    """Return the associations of a program: those that are written, and those still to be.

    A file that cannot be used is among them, with the reason.

    Parameters
    ----------
    folder : Path
        Results of the program.
    pool : Pool
    exposures : mapping
        What stage 1 makes of each exposure.
    rows : mapping
        Of the pool, by exposure.
    """
    contents, broken = written_in(folder / "associations")
    known = set(contents)
    contents = {**planned(folder, pool, contents), **contents}
    sources = {root: _source(item, rows[root]) for root, item in exposures.items()}
    made = [_made(name, contents[name]) for name in sorted(contents)]
    found = [
        _association(item, written=item.file_name in known)
        for item in plan_associations(made, sources)
    ]
    return sorted([*found, *broken], key=lambda item: (-item.level, item.product, item.file_name))


def written_in(folder: Path) -> tuple[dict[str, dict[str, Any]], list[Association]]:
    """Return the contents of associations in a folder, and those that cannot be used."""
    contents, broken = {}, []
    for path in sorted(folder.glob("*.json")):
        try:
            read_association(path, check_files=False)
            content = read_json(path)
            _check(content)
        except InputError as error:
            broken.append(_broken(path, str(error).replace(f"{path}: ", "")))
        else:
            contents[path.name] = content
    return contents, broken


def _check(content: Mapping[str, Any]) -> None:
    """Refuse an association that no pipeline of ours would know."""
    kind = content.get("asn_type")
    if kind not in PROGRAMS:
        msg = f"asn_type is {kind!r}; expected one of {', '.join(PROGRAMS)}"
        raise InputError(msg)


def _broken(path: Path, problem: str) -> Association:
    """Return an association of which nothing is known but that it cannot be used."""
    nothing = Expected(clean(path.stem), "unknown", (), clean(problem))
    return Association(path.name, True, "", "", "", "", 3, (), nothing)


def planned(
    folder: Path, pool: Pool, written: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the contents of what the last run planned; without one, of what the rules make."""
    path = folder / "plan" / PLAN
    if path.is_file():
        try:
            return read_plan_file(path)
        except InputError as error:
            log.warning("%s; the rules are asked instead", error)
    done = {_identity(content) for content in written.values()}
    made = make_associations(pool)
    return {item.file_name: item.content for item in made if _identity(item.content) not in done}


def _identity(content: Mapping[str, Any]) -> tuple[str, str]:
    return str(content["asn_type"]), str(content["products"][0]["name"])


def _source(stage1: Expected, row: Row) -> Source:
    """Return what planning asks of an exposure."""
    return Source(
        exp_type=value(row, "exp_type"),
        visit_type=value(row, "visitype"),
        program=f"calwebb-{stage1.pipeline}",
        refused=stage1.why,
    )


def _made(name: str, content: dict[str, Any]) -> MadeAssociation:
    """Return an association as planning takes it."""
    asn_type, product = str(content["asn_type"]), content["products"][0]
    return MadeAssociation(
        file_name=name,
        program=str(content.get("program") or ""),
        candidate=str(content.get("asn_id") or ""),
        rule=str(content.get("asn_rule") or ""),
        asn_type=asn_type,
        level=2 if PROGRAMS[asn_type] in LEVEL2 else 3,
        product=str(product["name"]),
        members=tuple(member["expname"] for member in product["members"]),
        content=content,
    )


def _association(item: PlannedAssociation, *, written: bool) -> Association:
    content = item.content
    pipeline = item.pipeline.removeprefix("calwebb-")
    members = [_member(member) for member in content["products"][0]["members"]]
    return Association(
        file_name=clean(item.file_name),
        written=written,
        asn_type=clean(item.asn_type),
        rule=clean(content.get("asn_rule") or ""),
        candidate=clean(content.get("asn_id") or ""),
        constraints=clean(content.get("constraints") or ""),
        level=item.level,
        members=tuple(sorted(members, key=lambda member: member.exptype != SCIENCE)),
        makes=Expected(clean(item.products[0]), pipeline, item.suffixes, clean(item.reason)),
    )


def _member(member: Mapping[str, str]) -> Member:
    """Return a member by its file's name; a name of another kind stands for itself."""
    file = Path(member["expname"]).name
    try:
        root, suffix = split_suffix(file)
    except InputError:
        root, suffix = file, ""
    return Member(clean(root), clean(suffix), clean(file), clean(member["exptype"]))


def wanted(
    exposures: Mapping[str, Expected], associations: Iterable[Association]
) -> dict[tuple[str, str], Expected]:
    """Return what is to be made by folder and name; of one product, what can be made."""
    found = {(item.folder, root): item for root, item in exposures.items()}
    for association in associations:
        item = association.makes
        known = found.get((item.folder, item.name))
        if known is None or known.why:
            found[item.folder, item.name] = item
        elif not item.why:
            both = tuple(dict.fromkeys((*known.suffixes, *item.suffixes)))
            found[item.folder, item.name] = replace(known, suffixes=both)
    return found
