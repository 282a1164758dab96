"""Segments of long exposures: which files of a series are missing."""

from collections import defaultdict
from collections.abc import Mapping

from calwebb_associate.headers import Header
from calwebb_core.framework.names import ExposureName


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
    series: dict[tuple[str, str], dict[int, Header]] = defaultdict(dict)
    for root, header in headers.items():
        name = ExposureName.parse(root)
        if name.segment:
            before, after = root.split(f"-seg{name.segment}")
            series[before, after][int(name.segment)] = header
    sentences = []
    for (before, after), found in sorted(series.items()):
        total = max(_total(header) for header in found.values())
        files = [
            f"{before}-seg{number:03d}{after}_uncal.fits"
            for number in range(1, total + 1)
            if number not in found
        ]
        if files:
            sentences.append(
                f"{before}{after}: {len(files)} of its {total} segments missing among the raw "
                f"exposures: {', '.join(files)}"
            )
    return sentences


def _total(header: Header) -> int:
    """Return EXSEGTOT, or 0 without a whole number."""
    total = header.get("EXSEGTOT")
    return total if isinstance(total, int) and not isinstance(total, bool) else 0
