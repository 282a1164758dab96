"""Apertures and magnitude offset of a filter from the APCORR and ABVEGAOFFSET references."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata

logger = logging.getLogger(__name__)

# Radii that hold 30, 50, 70 % of a star's light, in full widths at half maximum, of the
# telescope's diffraction; for filters without a reference.
TYPICAL_RADII = {30: 0.45, 50: 0.72, 70: 1.35}
TYPICAL_SKY = (5.0, 7.0)


@dataclass(frozen=True)
class Apertures:
    """Circular apertures in pixels of the mosaic.

    Attributes
    ----------
    energies : tuple of int
        Encircled energy in percent, increasing.
    radii : tuple of float
    corrections : tuple of float
        Total over aperture flux; NaN without a reference.
    sky : (float, float)
        Inner and outer radius of the background annulus.
    """

    energies: tuple[int, int, int]
    radii: tuple[float, float, float]
    corrections: tuple[float, float, float]
    sky: tuple[float, float]


def column_text(row: Any, names: Sequence[str], keyword: str) -> str | None:
    """Return a row's text in the column of a keyword, or None if there is no such column."""
    for name in names:
        if name.lower() == keyword.lower():
            value = row[name]
            return (value.decode() if isinstance(value, bytes) else str(value)).strip().upper()
    return None


def matches(row: Any, names: Sequence[str], metadata: Metadata) -> bool:
    """Say whether a table's row is of an exposure's filter, pupil, subarray and detector."""
    for keyword in ("FILTER", "PUPIL", "SUBARRAY", "DETECTOR"):
        text = column_text(row, names, keyword)
        wanted = str(metadata.get(keyword) or "").strip().upper()
        if text is not None and text not in (wanted, "GENERIC", "ANY", "N/A"):
            return False
    return True


def find_apertures(
    table: Any, metadata: Metadata, energies: tuple[int, int, int], scale_ratio: float
) -> Apertures | None:
    """Return the apertures of an APCORR table for a filter.

    Parameters
    ----------
    table : structured array
        Columns filter, pupil (or subarray), eefraction, radius, apcorr, skyin, skyout; lengths
        in detector pixels.
    metadata : Metadata
        FILTER, PUPIL, SUBARRAY.
    energies : tuple of int
        Encircled energies in percent.
    scale_ratio : float
        Mosaic over detector pixel scale.

    Returns
    -------
    Apertures or None
        None if the table has no row for this filter.

    Raises
    ------
    InputError
        If the energies don't increase or the table doesn't have one of them.
    """
    check_energies(energies)
    names = table.dtype.names
    rows = [row for row in table if matches(row, names, metadata)]
    if not rows and (subarray := metadata.get("SUBARRAY")) not in (None, "FULL"):
        # A star's light is spread the same way in all subarrays.
        whole = metadata.copy()
        whole["SUBARRAY"] = "FULL"
        rows = [row for row in table if matches(row, names, whole)]
        if rows:
            logger.warning(
                "source_catalog: SUBARRAY %s is not in the APCORR reference; that of FULL is used",
                subarray,
            )
    if not rows:
        return None
    by_energy = {percent(row["eefraction"]): row for row in rows}
    missing = [energy for energy in energies if energy not in by_energy]
    if missing:
        msg = (
            f"encircled energy {missing[0]} % is not in the APCORR reference for "
            f"{metadata.get('FILTER')}; it has {', '.join(str(e) for e in sorted(by_energy))}"
        )
        raise InputError(msg)
    chosen = [by_energy[energy] for energy in energies]
    radii = [float(row["radius"]) / scale_ratio for row in chosen]
    corrections = [float(row["apcorr"]) for row in chosen]
    sky = [float(chosen[-1][name]) / scale_ratio for name in ("skyin", "skyout")]
    return Apertures(energies, three(radii), three(corrections), (sky[0], sky[1]))


def check_energies(energies: Sequence[int]) -> None:
    """Refuse encircled energies that don't increase between 0 and 100.

    Raises
    ------
    InputError
    """
    if not 0 < energies[0] < energies[1] < energies[2] < 100:
        msg = (
            f"aperture_ee1, aperture_ee2, aperture_ee3 are {tuple(energies)}; expected "
            "increasing percentages between 0 and 100"
        )
        raise InputError(msg)


def percent(fraction: Any) -> int:
    """Return an encircled energy in percent, whether it is given as 0.7 or as 70."""
    value = float(fraction)
    return round(100 * value) if value <= 1 else round(value)


def three(values: Sequence[float]) -> tuple[float, float, float]:
    """Return three values as a tuple."""
    first, second, third = values
    return first, second, third


def typical_apertures(fwhm: float, energies: tuple[int, int, int]) -> Apertures:
    """Return apertures from the width of a star, without corrections.

    Parameters
    ----------
    fwhm : float
        Pixels of the mosaic.
    energies : tuple of int
        Percent; radii between the tabulated ones are interpolated.
    """
    import numpy as np

    check_energies(energies)
    known = list(TYPICAL_RADII)
    radii = [
        fwhm * float(np.interp(energy, [0, *known, 100], [0, *TYPICAL_RADII.values(), 6.0]))
        for energy in energies
    ]
    sky = (TYPICAL_SKY[0] * fwhm, TYPICAL_SKY[1] * fwhm)
    return Apertures(energies, three(radii), (math.nan,) * 3, sky)


def find_vega_offset(tree: Mapping[str, Any] | None, metadata: Metadata) -> float:
    """Return AB minus Vega magnitude of a filter, NaN with a warning if it is unknown.

    Parameters
    ----------
    tree : mapping or None
        Of the ABVEGAOFFSET reference: its table ``abvega_offset`` has the columns filter and
        pupil (or detector) and abvega_offset.
    metadata : Metadata

    Raises
    ------
    ReferenceFileError
        If the reference holds no such table.
    """
    if tree is None:
        logger.warning("source_catalog: no ABVEGAOFFSET reference; Vega magnitudes are NaN")
        return math.nan
    table: Any = tree.get("abvega_offset")
    names = getattr(table, "colnames", None)
    if names is None or "abvega_offset" not in names:
        msg = "the abvegaoffset reference has no table abvega_offset; expected one in its tree"
        raise ReferenceFileError(msg)
    for row in table:
        if matches(row, names, metadata):
            return float(row["abvega_offset"])
    logger.warning(
        "source_catalog: FILTER %s, PUPIL %s is not in the ABVEGAOFFSET reference; "
        "Vega magnitudes are NaN",
        metadata.get("FILTER"),
        metadata.get("PUPIL"),
    )
    return math.nan
