"""What the rules ask about pools and associations: paths, contents, and what a run starts with."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from calwebb_associate.availability import PlannedAssociation
from calwebb_associate.pipelines import GUIDER
from calwebb_associate.plan import Plan
from calwebb_associate.plan_file import write_if_new, write_plan_file
from calwebb_associate.targets import is_open, one_of, program_of, unit_name
from calwebb_core.framework.names import LEVEL3_PATTERN

PREFIX: Final = "calwebb-"
ALONE: Final = "associations"

# Files are not named with placeholders, as associations are.
PRODUCT_PATTERN: Final = re.sub(r"\|\\\{\w+\\\}", "", LEVEL3_PATTERN)


@dataclass(frozen=True)
class AssociationJobs:
    """The jobs that write pools and associations.

    Attributes
    ----------
    results : str
        Folder of the products.
    plan : Plan
    """

    results: str
    plan: Plan

    @cached_property
    def _by_name(self) -> dict[str, PlannedAssociation]:
        return {item.file_name: item for item in self.plan.associations}

    @cached_property
    def _raw(self) -> dict[str, list[str]]:
        """Raw files of each program, in the order of their names."""
        found: dict[str, list[str]] = {}
        for item in self.plan.exposures:
            if item.program != GUIDER:
                found.setdefault(program_of(item.root), []).append(str(item.path))
        return found

    def uncal_of_program(self, program: str) -> list[str]:
        """Return the raw files of a program in the order of their names."""
        return self._raw.get(program, [])

    def content(self, name: str) -> str:
        """Return an association as one line of JSON: what decides whether it is written anew."""
        return json.dumps(self._by_name[f"{name}.json"].content, sort_keys=True)

    def own(self, name: str) -> str:
        """Return the path of the user's association of a name."""
        return self._by_name[f"{name}.json"].own

    def group(self, name: str) -> str:
        """Return with which jobs an association is submitted: its reader's, or with others.

        An association of several products would tie the jobs of all of them together.
        """
        item = self._by_name[f"{name}.json"]
        alone = item.available and len(item.products) == 1
        return item.pipeline.removeprefix(PREFIX) if alone else ALONE

    @property
    def own_pattern(self) -> str:
        """A pattern of the names of the user's associations."""
        return one_of(Path(item.file_name).stem for item in self.plan.associations if item.own)

    @property
    def product_pattern(self) -> str:
        """A pattern of products that combine exposures, also those that users name freely."""
        names = [
            unit_name(name)
            for item in self.plan.associations
            for name in item.products
            if item.own or is_open(name)
        ]
        free = [name for name in names if not re.fullmatch(PRODUCT_PATTERN, name, re.ASCII)]
        return f"{PRODUCT_PATTERN}|{one_of(free)}" if free else PRODUCT_PATTERN

    def path(self, association: PlannedAssociation) -> str:
        """Return where an association is written."""
        return f"{self.results}/{association.program}/associations/{association.file_name}"

    def paths(self) -> list[str]:
        """Return the paths of every pool and association of the run."""
        pools = [f"{self.results}/{program}/pool.csv" for program in sorted(self._raw)]
        return pools + sorted(map(self.path, self.plan.associations))

    def start(self) -> None:
        """Write what the jobs start from: lists of raw files and the plan's associations."""
        for program in sorted(self._raw):
            folder = Path(self.results) / program / "plan"
            paths = (Path(name).resolve() for name in self._raw[program])
            write_if_new(folder / "raw_exposures.txt", "".join(f"{path}\n" for path in paths))
        contents: dict[str, dict[str, Any]] = {}
        for item in self.plan.associations:
            contents.setdefault(item.program, {})[item.file_name] = item.content
        for program, found in contents.items():
            path = Path(self.results) / program / "plan" / "associations.jsonl"
            write_plan_file(path, found)
