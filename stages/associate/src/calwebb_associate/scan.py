"""A pool from files: folders, lists, FITS files of any instrument, or a pool that exists."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from calwebb_associate.exposure_types import GUIDE
from calwebb_associate.files import LISTS, exposure_files, left_out
from calwebb_associate.headers import Header
from calwebb_associate.pool import make_pool
from calwebb_associate.pool_cache import read_headers
from calwebb_associate.pool_file import read_pool
from calwebb_associate.pool_rows import Pool
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plain_files import open_regular

POOL_SUFFIX: Final = ".csv"
TABLES: Final = ("", ".dat", ".pool", ".tsv")
FIRST_BYTES: Final = 1 << 16


def pool_of(
    places: Sequence[Path],
    name: str = "pool.csv",
    *,
    cache: Path | None = None,
    delimiter: str | None = None,
) -> Pool:
    """Return the pool that a file holds, or make it from exposures.

    Parameters
    ----------
    places : sequence of Path
        One pool (.csv, or another text that has its columns); or exposures, folders of them,
        text files that list them.
    name : str
        File name of a pool that is made.
    cache : Path, optional
        File in which headers are kept for the next time.
    delimiter : str, optional
        What stands between the values of a pool that is read.

    Raises
    ------
    InputError
        If something is wrong with a pool or a file, or no exposure is left.
    """
    if is_pool(places):
        return read_pool(places[0], delimiter)
    pools = [place for place in places if _holds_pool(place)]
    if pools:
        msg = f"{pools[0]}: a pool comes alone; give either one pool or exposures"
        raise InputError(msg)
    headers, _ = read_headers(exposure_files(places), cache)
    return make_pool(_science(places, headers), name)


def is_pool(places: Sequence[Path]) -> bool:
    """Tell whether the places are one pool."""
    return len(places) == 1 and _holds_pool(places[0])


def _holds_pool(place: Path) -> bool:
    """Tell whether a file is a pool, by its name or by the columns in its first lines."""
    if place.suffix == POOL_SUFFIX:
        return True
    if place.suffix not in (*LISTS, *TABLES) or not place.is_file():
        return False
    try:
        with open_regular(place) as file:
            lines = file.read(FIRST_BYTES).lower().splitlines()
    except OSError as error:
        msg = f"{place}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
    return any(b"filename" in line and b"asn_candidate" in line for line in lines)


def _science(places: Sequence[Path], headers: Mapping[Path, Header]) -> dict[Path, Header]:
    """Leave out guide-star data that are named as exposures."""
    guide = [path for path, header in headers.items() if _is_guide_star(header)]
    left_out("guide-star files", guide)
    science = {path: header for path, header in headers.items() if not _is_guide_star(header)}
    if not science:
        msg = f"{', '.join(map(str, places))}: no exposure but of guide stars; nothing to associate"
        raise InputError(msg)
    return science


def _is_guide_star(header: Header) -> bool:
    return str(header.get("EXP_TYPE", "")).lower() in GUIDE
