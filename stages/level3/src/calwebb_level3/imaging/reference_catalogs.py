"""Catalogs that tweakreg reads and writes: stars to align to, stars found in exposures.

Steps open no files: `prepare` reads what the options name before the step runs, `write_tables`
writes what the step left in the set.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calwebb_core.framework.catalogs import LARGEST, read_catalog
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.fits_layout import scan
from calwebb_core.framework.metadata import PROVENANCE
from calwebb_core.framework.plain_files import read_content, read_text
from calwebb_core.science.footprint import sky
from calwebb_level3.imageset import ImageSet
from calwebb_level3.imaging import gaia
from calwebb_level3.imaging.stars import Stars

if TYPE_CHECKING:
    from astropy.table import Table

    from calwebb_level3.steps.tweakreg import TweakregParameters

# Names of the columns of positions, as different programs write them.
PLACES = (("x", "y"), ("xcentroid", "ycentroid"), ("x_centroid", "y_centroid"))
FORMATS = ("ecsv", "fits")


def prepare(images: ImageSet, parameters: "TweakregParameters") -> None:
    """Read the catalogs that the options name, or ask for them, and put them in the set.

    Raises
    ------
    InputError
        If one can't be read or got.
    """
    if parameters.use_custom_catalogs:
        images.custom_stars = read_custom_stars(images, parameters.catfile)
    wanted = parameters.abs_refcat.strip()
    if not wanted or not images.exposures:
        return
    if wanted.upper() in gaia.RELEASES:
        images.reference_catalog = gaia.query_gaia(
            wanted.upper(),
            gaia.cone_of(images.exposures, parameters.abs_searchrad + parameters.abs_tolerance),
            gaia.epoch_of(images.exposures),
            service=parameters.abs_service,
            timeout=parameters.abs_timeout,
        )
    else:
        images.reference_catalog = read_positions(Path(wanted))
    if parameters.save_abs_catalog:
        label = Path(wanted).stem.lower()
        images.tables[f"{images.product}_{label}_ref.ecsv"] = images.reference_catalog


def read_table(path: Path, option: str) -> Any:
    """Return the table of a file: ECSV, FITS, or columns of text.

    Raises
    ------
    InputError
        If it can't be read.
    """
    from astropy.table import QTable

    try:
        content = read_content(path, LARGEST)
        if content.startswith(b"SIMPLE  ="):
            scan(path)
            return QTable.read(io.BytesIO(content), format="fits")
        text = content.decode()
        if text.startswith("# %ECSV"):
            return read_catalog(path)
        return QTable.read(text, format="ascii")
    except MemoryError:
        raise
    except Exception as error:  # astropy raises many kinds; all mean an unreadable table
        reason = " ".join(str(error).removeprefix(f"{path}: ").split())
        msg = f"{path}: {option} can't be read as a table ({reason:.120}); expected ECSV or FITS"
        raise InputError(msg) from error


def plain(path: Path, table: Any, name: str) -> Any:
    """Return a column without unit as float64, NaN where it is masked.

    Raises
    ------
    InputError
        If its values are no numbers.
    """
    column = np.ma.asarray(getattr(table[name], "value", table[name]))
    try:
        return np.asarray(np.ma.filled(column.astype(float), np.nan), float)
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        msg = f"{path}: column {name} has values that are no numbers ({reason:.120})"
        raise InputError(msg) from error


def read_positions(path: Path) -> "Table":
    """Return RA, DEC (degrees) and, if it is there, weight of a catalog file.

    Raises
    ------
    InputError
        If it can't be read or has no such columns.
    """
    from astropy.table import Table

    table = read_table(path, "abs_refcat")
    if "sky_centroid" in table.colnames:
        position = table["sky_centroid"].icrs
        return Table({"RA": position.ra.deg, "DEC": position.dec.deg})
    names = {name.lower(): name for name in table.colnames}
    if not {"ra", "dec"} <= names.keys():
        msg = f"{path}: abs_refcat has no columns RA and DEC; found {', '.join(table.colnames)}"
        raise InputError(msg)
    found = Table({key.upper(): plain(path, table, names[key]) for key in ("ra", "dec")})
    if "weight" in names:
        found["weight"] = plain(path, table, names["weight"])
    return found[np.isfinite(found["RA"]) & np.isfinite(found["DEC"])]


def read_custom_stars(images: ImageSet, catfile: str) -> dict[int, Stars]:
    """Return the stars that the user gives for exposures, by their place in the set.

    Parameters
    ----------
    images : ImageSet
    catfile : str
        A text file with two columns: an exposure's file name and its catalog's, relative to the
        text file. Exposures without a catalog are searched for stars.

    Raises
    ------
    InputError
        If a file is missing, unreadable or no exposure is named.
    """
    if not catfile:
        msg = "use_custom_catalogs is on but catfile is empty; expected a list of catalogs"
        raise InputError(msg)
    listed = read_catfile(Path(catfile))
    result: dict[int, Stars] = {}
    for index, exposure in enumerate(images.exposures):
        for name in (Path(exposure.name).name, str(exposure.metadata.get("FILENAME", ""))):
            if name in listed:
                result[index] = read_stars(listed[name], exposure)
                break
    if not result:
        msg = f"{catfile}: names no exposure of {images.product}; found {', '.join(listed)[:200]}"
        raise InputError(msg)
    return result


def read_catfile(path: Path) -> dict[str, Path]:
    """Return the catalog of each exposure that a list names; lines after # are comments.

    Raises
    ------
    InputError
        If it is missing or a line has more than two names.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: catfile can't be read ({error}); expected a text file"
        raise InputError(msg) from error
    result: dict[str, Path] = {}
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if len(words) > 2:
            msg = (
                f"{path}: line {number} has {len(words)} names; expected an exposure and a catalog"
            )
            raise InputError(msg)
        if len(words) == 2:
            result[Path(words[0]).name] = path.parent / words[1]
    return result


def read_stars(path: Path, exposure: Exposure) -> Stars:
    """Return the stars of a catalog file; they count the same unless it has weights.

    Raises
    ------
    InputError
        If it can't be read or has no positions in pixels.
    """
    table = read_table(path, "a custom catalog")
    names = {name.lower(): name for name in table.colnames}
    for x, y in PLACES:
        if {x, y} <= names.keys():
            break
    else:
        msg = (
            f"{path}: the catalog of {exposure.name} has no columns x and y or xcentroid and "
            f"ycentroid; found {', '.join(table.colnames)}"
        )
        raise InputError(msg)
    n = len(table)
    columns = [
        plain(path, table, names[key]) if key in names else np.ones(n)
        for key in (x, y, "flux", "weight")
    ]
    good = np.isfinite(columns).all(axis=0) & (columns[3] > 0)
    return Stars(*(column[good] for column in columns))


def star_table(stars: Stars, exposure: Exposure) -> "Table":
    """Return the stars of an exposure as a table to be written, places by its present WCS."""
    from astropy import units
    from astropy.table import QTable

    ra, dec = sky(exposure.wcs, stars.x, stars.y)
    return QTable(
        {
            "id": np.arange(1, len(stars) + 1),
            "xcentroid": stars.x * units.pix,
            "ycentroid": stars.y * units.pix,
            "flux": stars.flux,
            "weight": stars.weight,
            "RA": ra * units.deg,
            "DEC": dec * units.deg,
        }
    )


def table_name(exposure: Exposure, kind: str) -> str:
    """Return the name of the file with an exposure's stars."""
    name = Path(str(exposure.metadata.get("FILENAME") or exposure.name)).name
    return f"{name.removesuffix('.fits')}_cat.{kind}"


def write_tables(images: ImageSet, directory: Path) -> list[Path]:
    """Write the tables of a set, by the names they have there; return the paths.

    ECSV files say how they were made; FITS tables have no room for it.
    """
    from calwebb_core.framework.atomic import atomic_path
    from calwebb_core.framework.catalogs import write_catalog

    paths = []
    record = {PROVENANCE: images.metadata.provenance} if images.metadata.provenance else {}
    for name, table in images.tables.items():
        path = Path(directory) / name
        if name.endswith(".fits"):
            with atomic_path(path) as temporary:
                table.write(temporary, format="fits", overwrite=True)
        else:
            write_catalog(table, path, record)
        paths.append(path)
    return paths
