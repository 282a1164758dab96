"""What a plan cannot make yet, in sentences: a line for each program that does not exist."""

from collections import Counter
from collections.abc import Collection, Iterable

from calwebb_associate.availability import PlannedAssociation
from calwebb_associate.choice import count_of
from calwebb_associate.pipelines import PIPELINES, PROGRAMS

PLACEHOLDER = "{source_id}"


def not_available(associations: Collection[PlannedAssociation]) -> list[str]:
    """Say which associations have no program yet, and which cannot be made for another reason."""
    missing = [name for name in dict.fromkeys(PROGRAMS.values()) if name not in PIPELINES]
    of_program = {
        name: [item for item in associations if item.pipeline == name] for name in missing
    }
    others = (item for item in associations if item.pipeline in PIPELINES)
    return [
        *(_of_program(name, found) for name, found in of_program.items() if found),
        *counted((item.reason for item in others), "association"),
    ]


def counted(reasons: Iterable[str], what: str) -> list[str]:
    """Return a sentence for each reason, with how often it holds; "" is none."""
    return count_of(Counter(f"of {reason}" for reason in reasons if reason), what)


def _of_program(program: str, associations: Collection[PlannedAssociation]) -> str:
    """Return "calwebb-spec2 makes no products yet: 3 associations (3 spec2) of 3 cal, 3 x1d"."""
    number = len(associations)
    types = Counter(item.asn_type for item in associations)
    products = Counter(suffix for item in associations for suffix in item.suffixes)
    names = {name for item in associations for name in item.products}
    for_sources = sum(PLACEHOLDER in name for name in names)
    text = (
        f"{program} makes no products yet: {number} association{'s' * (number > 1)} "
        f"({_list(types)}), not available yet: {_list(products)}"
    )
    return text + (f"; {for_sources} of them for each source" if for_sources else "")


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counts.items())
