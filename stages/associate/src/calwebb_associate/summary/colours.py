"""One colour for one filter, all over the page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from calwebb_associate.summary.observed import Exposure

SHADES: Final = 8
# Outlines of one place through several filters cover one another: each pattern lets the ones
# below shine through.
DASHES: Final = ("", "9 9", "3 9", "14 6 2 6", "2 5", "6 12", "18 9", "4 4 1 4")


@dataclass(frozen=True)
class Colour:
    """A colour of the style sheet (its number), and a pattern of dashes for outlines."""

    name: str
    shade: int
    dashes: str


def colours_of(exposures: Iterable[Exposure]) -> dict[str, Colour]:
    """Return the colours by what the light went through: instrument and filter."""
    names = sorted({colour_key(item) for item in exposures})
    return {
        name: Colour(name, number % SHADES, DASHES[(number + number // SHADES) % len(DASHES)])
        for number, name in enumerate(names)
    }


def colour_key(exposure: Exposure) -> str:
    """Return what decides an exposure's colour."""
    return f"{exposure.instrument} {exposure.optics}"


def legend(exposures: Iterable[Exposure], colours: Mapping[str, Colour]) -> list[Colour]:
    """Return the colours of some exposures in order."""
    return [colours[name] for name in sorted({colour_key(item) for item in exposures})]
