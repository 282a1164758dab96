"""Pictures beyond those of single products: colour images and footprints of mosaics.

Where the mosaics of a target, instrument and candidate were taken through three or more filters,
they make a colour image. Where no candidate has three, but all of a target's together have, those
do, under the program's name.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from calwebb_associate.headers import Header
from calwebb_associate.targets import one_of, program_of

FEWEST: Final = 3
_FILTER: Final = re.compile(r"F(\d{3,4})([A-Z]\w*)", re.IGNORECASE)
_PRODUCT: Final = re.compile(
    r"(?P<program>jw\d{5})-(?P<candidate>[oac]\d+)_(?P<target>[^_]+)_(?P<instrument>[a-z]+)_.*"
)


@dataclass(frozen=True)
class Mosaic:
    """A mosaic of the plan.

    Attributes
    ----------
    product : str
        Its name.
    wavelength : float
        Of its filter in microns; 0 where unknown.
    members : int
        How many exposures it is made of.
    """

    product: str
    wavelength: float
    members: int


@dataclass(frozen=True)
class ColourImages:
    """The colour images of a run.

    Attributes
    ----------
    results : str
        Folder of the products.
    sets : dict
        Mosaics of each, bluest first.
    """

    results: str
    sets: dict[str, list[str]]

    @property
    def pattern(self) -> str:
        """A pattern of their names."""
        return one_of(self.sets)

    def mosaics(self, name: str) -> list[str]:
        """Return the paths of the mosaics of one, bluest first."""
        return [f"{self.results}/{program_of(x)}/image3/{x}_i2d.fits" for x in self.sets[name]]


def wavelength(header: Header) -> float:
    """Return the wavelength that the names of filter and pupil say, in microns; 0 for none.

    A narrow filter in the pupil wheel stands behind a wide one in the filter wheel: the
    narrower counts.
    """
    found = []
    for keyword in ("FILTER", "PUPIL"):
        match = _FILTER.fullmatch(str(header.get(keyword, "")))
        if match:
            width = "NMW".find(match[2][0].upper())
            found.append((width, int(match[1]) / 100))
    return min(found)[1] if found else 0.0


def colour_sets(mosaics: Iterable[Mosaic]) -> dict[str, list[str]]:
    """Return the mosaics of each colour image by its name, bluest first.

    Parameters
    ----------
    mosaics : iterable of Mosaic
    """
    candidates: dict[tuple[str, ...], dict[float, Mosaic]] = defaultdict(dict)
    targets: dict[tuple[str, ...], dict[float, Mosaic]] = defaultdict(dict)
    for mosaic in sorted(mosaics, key=lambda item: (-item.members, item.product)):
        match = _PRODUCT.fullmatch(mosaic.product)
        if match is None or not mosaic.wavelength:
            continue
        target = (match["program"], match["target"], match["instrument"])
        candidates[(*target, match["candidate"])].setdefault(mosaic.wavelength, mosaic)
        targets[target].setdefault(mosaic.wavelength, mosaic)
    sets = {_name(key): found for key, found in candidates.items() if len(found) >= FEWEST}
    done = {key[:3] for key, found in candidates.items() if len(found) >= FEWEST}
    sets |= {
        _name(key): found
        for key, found in targets.items()
        if len(found) >= FEWEST and key not in done
    }
    return {name: _in_order(sets[name]) for name in sorted(sets)}


def _name(key: tuple[str, ...]) -> str:
    """Return "jw01345-o001_t001_nircam", without candidate "jw01345_t001_nircam"."""
    program, target, instrument, *candidate = key
    return f"{'-'.join((program, *candidate))}_{target}_{instrument}"


def _in_order(found: Mapping[float, Mosaic]) -> list[str]:
    return [found[key].product for key in sorted(found)]
