"""Exposures on the command line: files, folders, and lists of files."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from calwebb_associate.pool import exposure_file, raw_exposure
from calwebb_core.framework.atomic import write_text
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import GuideStarName
from calwebb_core.framework.plain_files import read_text

LISTS: Final = (".lis", ".list", ".lst", ".txt")
RAW: Final = "*_uncal.fits"
FITS: Final = (".fits", ".fits.gz")

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
    if not guide_stars:
        left_out("guide-star files", guide)
    science = sorted(set(files) - set(guide))
    for file in science:
        raw_exposure(file)
    if guide_stars:
        science = sorted({*science, *guide})
    if not science:
        msg = f"{', '.join(map(str, given))}: no raw exposure; expected files named {RAW}"
        raise InputError(msg)
    return science


def exposure_files(places: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the files of exposures, raw or further on, that a pool is made from, sorted.

    A folder stands for those in it and in the folders below it; what has another name is left
    out of it, with a warning. A text file stands for the paths in it, one a line, relative to
    its own folder. Guide-star data are left out, with a warning.

    Raises
    ------
    InputError
        If a file is missing, the name of one that is given or listed does not fit, or nothing
        is left.
    """
    given = [Path(place) for place in places]
    below = {file for place in given if place.is_dir() for file in _below(place)}
    listed = {file for place in given if not place.is_dir() for file in _expand(place)}
    guide = {file for file in below | listed if _is_guide_star(file)}
    for file in sorted(listed - guide):
        exposure_file(file)
    other = {file for file in below - guide if not _is_exposure(file)}
    left_out("guide-star files", sorted(guide))
    left_out("files not named as an exposure's _uncal, _rate or _cal", sorted(other))
    files = sorted((below | listed) - guide - other)
    if not files:
        places_given = ", ".join(map(str, given))
        msg = (
            f"{places_given}: no exposure; "
            f"expected files named {RAW}, or _rate, _rateints, _cal or _calints"
        )
        raise InputError(msg)
    return files


def left_out(what: str, files: Sequence[Path]) -> None:
    """Say how many files are left out, and one of them."""
    if files:
        log.warning("%s are left out: %d, such as %s", what, len(files), files[0])


def keep_list(files: Iterable[str | os.PathLike[str]], path: Path) -> Path:
    """Write the absolute paths of files to a text file, unless it holds them; return its path."""
    text = "".join(f"{Path(name).resolve()}\n" for name in files)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return path


def _below(folder: Path) -> Iterator[Path]:
    """Yield the FITS files in a folder and below it; hidden ones are other programs' business."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(FITS) and not name.startswith("."):
                yield Path(place, name)


def _expand(place: Path) -> list[Path]:
    """Return the files that a place stands for."""
    if place.is_dir():
        left_out(f"files not named {RAW}", sorted({*place.glob("*.fits")} - {*place.glob(RAW)}))
        return list(place.glob(RAW))
    if not place.is_file():
        msg = f"{place}: no such file or folder"
        raise InputError(msg)
    return _listed(place) if place.suffix in LISTS else [place]


def _listed(place: Path) -> list[Path]:
    """Return the files that a text file lists."""
    try:
        lines = read_text(place).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{place}: cannot be read as a list of files"
        raise InputError(msg) from error
    names = [line.strip() for line in lines]
    files = [place.parent / name for name in names if name and not name.startswith("#")]
    for file in files:
        if not _is_there(file):
            msg = f"{place}: lists {f'{file}':.500}, which does not exist"
            raise InputError(msg)
    return files


def _is_there(file: Path) -> bool:
    """Tell whether there is a file; names that are too long for one have none."""
    try:
        return file.is_file()
    except OSError:
        return False


def _is_guide_star(file: Path) -> bool:
    """Tell whether a file is named as guide-star data."""
    try:
        GuideStarName.parse(file)
    except InputError:
        return False
    return True


def _is_exposure(file: Path) -> bool:
    """Tell whether a file is named as one that a pool is made from."""
    try:
        exposure_file(file)
    except InputError:
        return False
    return file.suffix == ".fits"
