"""Raw exposures on the command line: files, folders, and lists of files."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from calwebb_associate.pool import raw_exposure
from calwebb_core.framework.atomic import write_text
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import GuideStarName

LISTS: Final = (".lis", ".list", ".lst", ".txt")
RAW: Final = "*_uncal.fits"

log = logging.getLogger(__name__)


def raw_exposures(
    places: Iterable[str | os.PathLike[str]], *, guide_stars: bool = False
) -> list[Path]:
    """Return the raw exposures that files, folders and lists of files name, sorted.

    A folder stands for its `*_uncal.fits`, a text file for the paths in it, one a line,
    relative to its own folder. Guide-star data are left out, with a warning, unless asked for.

    Raises
    ------
    InputError
        If a file is missing, a name does not fit, or nothing is left.
    """
    given = [Path(place) for place in places]
    files = [file for place in given for file in _expand(place)]
    guide = [file for file in files if _is_guide_star(file)]
    if guide and not guide_stars:
        log.warning("guide-star files are left out: %d, such as %s", len(guide), guide[0])
    science = sorted(set(files) - set(guide))
    for file in science:
        raw_exposure(file)
    if guide_stars:
        science = sorted({*science, *guide})
    if not science:
        msg = f"{', '.join(map(str, given))}: no raw exposure; expected files named {RAW}"
        raise InputError(msg)
    return science


def keep_list(files: Iterable[str | os.PathLike[str]], path: Path) -> Path:
    """Write the absolute paths of files to a text file, unless it holds them; return its path."""
    text = "".join(f"{Path(name).resolve()}\n" for name in files)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return path


def _expand(place: Path) -> list[Path]:
    """Return the files that a place stands for."""
    if place.is_dir():
        other = sorted(set(place.glob("*.fits")) - set(place.glob(RAW)))
        if other:
            log.warning(
                "files not named %s are left out: %d, such as %s", RAW, len(other), other[0]
            )
        return list(place.glob(RAW))
    if not place.is_file():
        msg = f"{place}: no such file or folder"
        raise InputError(msg)
    return _listed(place) if place.suffix in LISTS else [place]


def _listed(place: Path) -> list[Path]:
    """Return the files that a text file lists."""
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{place}: cannot be read as a list of files"
        raise InputError(msg) from error
    names = [line.strip() for line in lines]
    files = [place.parent / name for name in names if name and not name.startswith("#")]
    for file in files:
        if not file.is_file():
            msg = f"{place}: lists {file}, which does not exist"
            raise InputError(msg)
    return files


def _is_guide_star(file: Path) -> bool:
    """Tell whether a file is named as guide-star data."""
    try:
        GuideStarName.parse(file)
    except InputError:
        return False
    return True
