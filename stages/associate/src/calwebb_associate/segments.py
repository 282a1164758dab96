"""Segments of long exposures: which files are missing, and which series are not whole."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice
from typing import Final

from calwebb_associate.headers import Header
from calwebb_core.framework.names import ExposureName

# Missing files that are named: a header may claim any number of segments.
NAMED: Final = 10


def missing_segments(headers: Mapping[str, Header]) -> list[str]:
    """Say in sentences which segments of an exposure are not there.

    Parameters
    ----------
    headers : mapping
        Raw exposures by root, in any order, with EXSEGTOT.

    Returns
    -------
    list of str
        One sentence for each exposure that lacks some.
    """
    sentences = []
    for (before, after), found in sorted(series_of(headers).items()):
        total, missing = gaps(found)
        if missing > 0:
            absent = (number for number in range(1, total + 1) if number not in found)
            files = [
                f"{before}-seg{number:03d}{after}_uncal.fits" for number in islice(absent, NAMED)
            ]
            more = f" and {missing - NAMED} more" if missing > NAMED else ""
            sentences.append(
                f"{before}{after}: {missing} of its {total} segments missing among the raw "
                f"exposures: {', '.join(files)}{more}"
            )
    return sentences


def incomplete(headers: Mapping[str, Header]) -> dict[str, str]:
    """Say of each exposure whose series lacks segments that it does, by root."""
    return {
        f"{before}-seg{number:03d}{after}": f"{before}{after}, of which segments are missing"
        for (before, after), found in series_of(headers).items()
        if gaps(found)[1] > 0
        for number in found
    }


def series_of(headers: Mapping[str, Header]) -> dict[tuple[str, str], dict[int, Header]]:
    """Return the segments by number of each series: what comes before and after the segment."""
    series: dict[tuple[str, str], dict[int, Header]] = defaultdict(dict)
    for root, header in headers.items():
        name = ExposureName.parse(root)
        if name.segment:
            before, after = root.split(f"-seg{name.segment}")
            series[before, after][int(name.segment)] = header
    return series


def gaps(found: Mapping[int, Header]) -> tuple[int, int]:
    """Return how many segments a series has, and how many of them are not there."""
    total = max(_total(header) for header in found.values())
    return total, total - sum(1 <= number <= total for number in found)


def _total(header: Header) -> int:
    """Return EXSEGTOT, or 0 without a whole number."""
    total = header.get("EXSEGTOT")
    return total if isinstance(total, int) and not isinstance(total, bool) else 0
