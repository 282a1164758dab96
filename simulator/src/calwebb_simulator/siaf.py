"""Apertures of the observatory, read from the SIAF files that the package pysiaf brings.

The files are read directly: importing pysiaf loads its plotting parts and asks a web server
which version is the newest, and a simulation must depend on neither. Definitions:
JWST-STScI-001550.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError

Float64 = NDArray[np.float64]
NOMINAL_SCALE = 0.1  # arcsec per pixel of a spectrograph
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


def spectral_apertures(
    full: Entry, windows: Mapping[str, tuple[int, int, int, int]], subarray: str
) -> tuple[Entry, Entry]:
    """Return the apertures of a spectrograph's detector and of a subarray.

    Its pixels have no place on the sky, and the SIAF's polynomials lead to the slits' plane. A
    nominal plate scale about the detector's reference point stands in for them, so that
    exposures have pointing keywords.

    Raises
    ------
    InputError
        If there is no such subarray.
    """
    if subarray not in windows:
        msg = f"{full.name.split('_')[0]} has no subarray {subarray}; it has {', '.join(windows)}"
        raise InputError(msg)
    x, y, nx, ny = windows[subarray]
    turned = {"DetSciYAngle": 0.0, "DetSciParity": 1.0, "Sci2IdlDeg": 1.0}
    plate = {f"{way}{axis}00": 0.0 for way in ("Sci2Idl", "Idl2Sci") for axis in "XY"}
    for axis, power in (("X", "10"), ("X", "11"), ("Y", "10"), ("Y", "11")):
        along = float((axis, power) in (("X", "10"), ("Y", "11")))
        plate[f"Sci2Idl{axis}{power}"] = along * NOMINAL_SCALE
        plate[f"Idl2Sci{axis}{power}"] = along / NOMINAL_SCALE
    whole = Entry(full.name, full.values | turned | plate)
    middle = {"XSciRef": (nx + 1) / 2, "YSciRef": (ny + 1) / 2}
    place = {"XDetRef": x - 1 + middle["XSciRef"], "YDetRef": y - 1 + middle["YSciRef"]}
    size = {"XSciSize": float(nx), "YSciSize": float(ny)}
    return whole, Entry(full.name, whole.values | middle | place | size)
