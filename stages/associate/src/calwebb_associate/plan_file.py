"""The associations of a plan in one file, from which each job takes its own.

A run writes it when it starts. A job would otherwise have to read the headers of all exposures
and apply all rules again to write one association. One line an association, by file name.
"""

import json
from collections.abc import Iterable, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from calwebb_core.framework.atomic import write_text
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.json_reading import parse_json
from calwebb_core.framework.plain_files import open_regular


def write_plan_file(path: Path, contents: Mapping[str, Mapping[str, Any]]) -> None:
    """Write contents of associations by file name, unless the file holds them already."""
    text = "".join(f"{_line(name, contents[name])}\n" for name in sorted(contents))
    write_if_new(path, text)


def read_plan_file(path: Path, names: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the contents of associations by file name; only some if names are given.

    Raises
    ------
    InputError
        If it cannot be read, or one of the names is not in it.
    """
    wanted = dict.fromkeys(names)
    starts = tuple(f'{{"{name}":' for name in wanted)
    try:
        with TextIOWrapper(open_regular(path), encoding="utf-8") as file:
            found = [parse_json(line) for line in file if not starts or line.startswith(starts)]
        contents = {name: content for entry in found for name, content in entry.items()}
    except (OSError, ValueError, AttributeError) as error:
        msg = f"{path}: cannot be read as the associations of a plan: {error}"
        raise InputError(msg) from error
    for name in contents:
        if Path(name).name != name or not name.isprintable():
            msg = f"{path}: {name!r:.60} is no file's name; expected that of an association"
            raise InputError(msg)
    for name in wanted:
        if name not in contents:
            msg = f"{path}: holds no association {name}; expected one of the plan"
            raise InputError(msg)
    return contents


def write_planned(plan: Path, folder: Path, names: Iterable[str] = ()) -> None:
    """Write associations of a plan's file to a folder; only some if names are given.

    Raises
    ------
    InputError
        As `read_plan_file`, or if the folder cannot be made.
    """
    from calwebb_core.framework.association import write_association

    contents = read_plan_file(plan, names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be made: {error.strerror}; choose another output folder"
        raise InputError(msg) from error
    for name, content in contents.items():
        write_association(content, folder / name)


def write_if_new(path: Path, text: str) -> None:
    """Write a text unless the file holds it already."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)


def _line(name: str, content: Mapping[str, Any]) -> str:
    return json.dumps({name: content}, separators=(",", ":"))
