"""Words and numbers of the report: nothing that a header holds reaches the page unlooked at."""

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

LONGEST: Final = 300
HUGE: Final = 1e9
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_MJD_ZERO: Final = datetime(1858, 11, 17, tzinfo=UTC)
_STEPS: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def clean(value: Any) -> str:
    """Return a value as text of at most 300 characters without control or direction characters.

    They would break the page, or turn around what is read.
    """
    text = value if isinstance(value, str) else str(value)
    if text.isprintable() and len(text) <= LONGEST:
        return text.strip()
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
    return "".join(
        REPLACEMENT if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co") else letter
        for letter in short
    ).strip()


def joined(values: Iterable[str]) -> str:
    """Return different, non-empty texts in order, with commas."""
    return ", ".join(sorted({value for value in values if value}))


def counted(number: int, word: str) -> str:
    """Return "1 exposure", "2 exposures"."""
    ending = "" if number == 1 else "es" if word.endswith("ch") else "s"
    return f"{number} {word}{ending}"


def span(values: Iterable[float | None]) -> str:
    """Return "3" or "3-10" for the range of whole numbers, "" without any."""
    known = sorted({value for value in values if value is not None})
    if not known:
        return ""
    first, last = f"{known[0]:.10g}", f"{known[-1]:.10g}"
    return first if first == last else f"{first}\N{EN DASH}{last}"


def decimal(number: float | None) -> str:
    """Return a number with one decimal, "" without one; huge ones shortened."""
    if number is None:
        return ""
    return f"{number:.1f}" if abs(number) < HUGE else f"{number:.3g}"


def duration(seconds: float | None) -> str:
    """Return "42.9 s", "12.3 min", "2.4 h" or "3.1 d"."""
    if seconds is None:
        return ""
    for size, unit in _STEPS:
        if seconds >= 1.5 * size:
            return f"{decimal(seconds / size)} {unit}"
    return f"{decimal(seconds)} s"


def moment(mjd: float | None) -> str:
    """Return a modified Julian date as "2023-03-14 06:05:34" UTC, "" without one."""
    if mjd is None:
        return ""
    try:
        return (_MJD_ZERO + timedelta(days=mjd)).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError):
        return ""


def sexagesimal(ra: float, dec: float) -> str:
    """Return "05h21m57.00s -69°29'51.0"" for degrees."""
    tenths = round(ra % 360 / 15 * 36000 * 10) % (24 * 360000)
    hours, rest = divmod(tenths, 360000)
    minutes, seconds = divmod(rest, 6000)
    arcsec = round(abs(dec) * 36000)
    degrees, left = divmod(arcsec, 36000)
    prime, second = divmod(left, 600)
    sign = "\N{MINUS SIGN}" if dec < 0 else "+"
    return (
        f"{hours:02d}h{minutes:02d}m{seconds / 100:05.2f}s "
        f"{sign}{degrees:02d}\N{DEGREE SIGN}{prime:02d}\N{PRIME}{second / 10:04.1f}\N{DOUBLE PRIME}"
    )
