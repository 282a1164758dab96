"""Which settings put light on which detector.

Combinations that leave a detector dark make no product. The tables are those of the
association rules of the documents (NIRSpec fixed slits, IFU and calibration lamps; the NIRCam
detectors that see a coronagraphic mask in a full-frame exposure).
"""

from typing import Final

# Detectors that see a spectrum, by (grating, filter).
_BOTH: Final = frozenset({"nrs1", "nrs2"})
_FIRST: Final = frozenset({"nrs1"})
_SECOND: Final = frozenset({"nrs2"})
A_SLITS: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("prism", "clear"): _FIRST,
    ("g140m", "f070lp"): _FIRST,
    ("g140m", "f100lp"): _FIRST,
    ("g235m", "f170lp"): _FIRST,
    ("g395m", "f290lp"): _FIRST,
    ("g140h", "f070lp"): _FIRST,
    ("g140h", "f100lp"): _BOTH,
    ("g235h", "f170lp"): _BOTH,
    ("g395h", "f290lp"): _BOTH,
}
S200B1: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("prism", "clear"): _SECOND,
    ("g140m", "f070lp"): _BOTH,
    ("g140m", "f100lp"): _SECOND,
    ("g235m", "f170lp"): _SECOND,
    ("g395m", "f290lp"): _SECOND,
    ("g140h", "f070lp"): _BOTH,
    ("g140h", "f100lp"): _SECOND,
    ("g235h", "f170lp"): _SECOND,
    ("g395h", "f290lp"): _SECOND,
}
# The IFU's spectra fall on the detectors as those of the A slits do.
IFU: Final = A_SLITS
# Lamps that shine through the fixed slits, by grating; both detectors see them.
SLIT_LAMPS: Final[dict[str, frozenset[str]]] = {
    "prism": frozenset({"line4", "flat5", "test"}),
    "g140m": frozenset({"flat1", "flat4", "line1"}),
    "g235m": frozenset({"flat2", "line2"}),
    "g395m": frozenset({"flat3", "line3"}),
    "g140h": frozenset({"flat1", "flat4", "line1", "ref"}),
    "g235h": frozenset({"flat2", "line2"}),
    "g395h": frozenset({"flat3", "line3"}),
}
_LOW_RESOLUTION: Final = frozenset({"prism", "g140m", "g235m", "g395m"})
# Full-frame detectors beside the occulted one, by mask.
_BESIDE_MASK: Final[dict[str, frozenset[str]]] = {
    "maskbar": frozenset({"nrca1", "nrca2", "nrca3"}),
    "maskrnd": frozenset({"nrca1", "nrca3", "nrca4"}),
}


def fixed_slit_lit(slit: str, grating: str, filter_name: str, detector: str) -> bool:
    """Tell whether the spectrum of a fixed slit falls on a detector."""
    table = S200B1 if slit == "s200b1" else A_SLITS
    return bool(slit) and detector in table.get((grating, filter_name), frozenset())


def spectrograph_lit(grating: str, filter_name: str, detector: str) -> bool:
    """Tell whether a spectrum of the IFU falls on a detector."""
    return detector in IFU.get((grating, filter_name), frozenset())


def lamp_lit(opmode: str, grating: str, lamp: str, detector: str) -> bool:
    """Tell whether the light of a calibration lamp falls on a detector."""
    if not grating or not detector:
        return False
    if opmode == "msaspec":
        return True
    if not lamp:
        return False
    if opmode == "fixedslit":
        return lamp in SLIT_LAMPS.get(grating, frozenset()) and detector in _BOTH
    if opmode != "ifu":
        return False
    if grating in _LOW_RESOLUTION:
        return detector == "nrs1"
    if grating == "g140h":
        return not (detector == "nrs2" and lamp == "flat4")
    return grating in ("g235h", "g395h")


def mask_in_field(subarray: str, mask: str, detector: str) -> bool:
    """Tell whether a coronagraphic exposure is more than an image beside the mask."""
    if not (subarray and mask and detector):
        return False
    return subarray != "full" or detector not in _BESIDE_MASK.get(mask, frozenset())
