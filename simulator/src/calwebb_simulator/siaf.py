"""Apertures of the observatory, read from the SIAF files that the package pysiaf brings.

The files are read directly: importing pysiaf loads its plotting parts and asks a web server
which version is the newest, and a simulation must depend on neither. Definitions:
JWST-STScI-001550.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError

Float64 = NDArray[np.float64]
PRD = re.compile(r"PRDOPSSOC-(\d+)")


@dataclass(frozen=True)
class Entry:
    """One aperture: numbers by their name in the SIAF.

    Attributes
    ----------
    name : str
        Aperture's name.
    values : dict
        Numbers such as XSciRef, V2Ref.
    """

    name: str
    values: dict[str, float]

    def __getitem__(self, key: str) -> float:
        return self.values[key]

    def coefficients(self, transform: str) -> Float64:
        """Return the coefficients of a transform such as "Sci2IdlX": [power of x, power of y]."""
        degree = int(self["Sci2IdlDeg"])
        matrix = np.zeros((degree + 1, degree + 1))
        for total in range(degree + 1):
            for power in range(total + 1):
                matrix[total - power, power] = self[f"{transform}{total}{power}"]
        return matrix

    def detector_to_science(self, x: float, y: float) -> tuple[float, float]:
        """Return 1-based science pixels of 1-based detector pixels."""
        angle, parity = np.radians(self["DetSciYAngle"]), self["DetSciParity"]
        dx, dy = x - self["XDetRef"], y - self["YDetRef"]
        x_science = self["XSciRef"] + parity * (dx * np.cos(angle) + dy * np.sin(angle))
        y_science = self["YSciRef"] - dx * np.sin(angle) + dy * np.cos(angle)
        return float(x_science), float(y_science)

    def read_directions(self) -> tuple[int, int]:
        """Return FASTAXIS and SLOWAXIS: the detector's axes as seen in the science frame."""
        angle, parity = round(self["DetSciYAngle"]) % 360, int(self["DetSciParity"])
        if angle not in (0, 180):
            msg = f"aperture {self.name}: DetSciYAngle is {angle}; expected 0 or 180"
            raise InputError(msg)
        sign = 1 if angle == 0 else -1
        return parity * sign, 2 * sign


def siaf_folder() -> tuple[Path, str]:
    """Return the folder of the newest SIAF files and their PRD version.

    Raises
    ------
    InputError
        If pysiaf is not installed or brings no files.
    """
    found = find_spec("pysiaf")
    places = list(found.submodule_search_locations or []) if found else []
    versions = [
        (int(match.group(1)), folder)
        for place in places
        for folder in (Path(place) / "prd_data" / "JWST").glob("PRDOPSSOC-*")
        if (match := PRD.fullmatch(folder.name))
    ]
    if not versions:
        msg = "the apertures need the package pysiaf and its files; install pysiaf"
        raise InputError(msg)
    folder = max(versions)[1]
    return folder / "SIAFXML" / "SIAFXML", folder.name


@cache
def read_siaf(instrument: str) -> dict[str, Entry]:
    """Read all apertures of an instrument, such as "NIRCam"."""
    path = siaf_folder()[0] / f"{instrument}_SIAF.xml"
    root = ET.parse(path).getroot()  # noqa: S314 - a file of an installed package
    return {entry.name: entry for entry in _entries(root)}


def _entries(root: ET.Element) -> Iterator[Entry]:
    for element in root:
        texts = {child.tag: (child.text or "").strip() for child in element}
        values = {tag: float(text) for tag, text in texts.items() if _is_number(text)}
        yield Entry(texts["AperName"], values)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text))


def aperture(instrument: str, name: str) -> Entry:
    """Return an aperture.

    Raises
    ------
    InputError
        If the SIAF has none of that name.
    """
    entries = read_siaf(instrument)
    if name in entries:
        return entries[name]
    prefix = name.split("_")[0]
    near = [entry for entry in entries if entry.startswith(f"{prefix}_")]
    msg = f"the SIAF has no aperture {name}; for {prefix} it has {', '.join(near) or 'none'}"
    raise InputError(msg)
