"""What all reference files share: keywords, names, DQ definitions, writing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path
from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.effects import DEFAULT_EFFECTS
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Filter, Instrument

AUTHOR = "calwebb-simulator"
USEAFTER = "2022-01-01T00:00:00"
DATE = "2022-01-01T00:00:00.000"
DQ_DEF_DTYPE = np.dtype([("BIT", "i4"), ("VALUE", "u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")])
MEANINGS = {
    PixelDQ.DO_NOT_USE: "Bad pixel, do not use",
    PixelDQ.DEAD: "Pixel sees nothing",
    PixelDQ.HOT: "High dark current",
    PixelDQ.WARM: "Raised dark current",
    PixelDQ.NO_FLAT_FIELD: "Flat field cannot be measured",
    PixelDQ.NO_LIN_CORR: "Linearity correction not available",
    PixelDQ.NO_SAT_CHECK: "Saturation is not checked",
    PixelDQ.REFERENCE_PIXEL: "Reference pixel",
}


@dataclass(frozen=True)
class Scope:
    """What a set of reference files is for.

    Attributes
    ----------
    instrument : Instrument
    frame : Frame
        The detector's full frame or a subarray.
    inverse : bool
        Whether linearity files hold the inverse polynomials, too.
    realisation : int
        Number of the detectors' realisation.
    effects : frozenset of str
        What is off is not in the files.
    """

    instrument: Instrument
    frame: Frame
    inverse: bool = False
    realisation: int = 0
    effects: frozenset[str] = DEFAULT_EFFECTS

    @property
    def exposure_types(self) -> str:
        """The EXP_TYPEs that the files are for, joined as rules and keywords have it."""
        return "|".join(self.instrument.exposure_types)


def keywords(scope: Scope, kind: str, model: str, description: str) -> dict[str, Any]:
    """Return the keywords that every reference file has."""
    frame = scope.frame
    values = {
        "DATE": DATE,
        "DATAMODL": model,
        "TELESCOP": "JWST",
        "REFTYPE": kind.upper(),
        "PEDIGREE": "SIMULATION",
        "DESCRIP": description,
        "AUTHOR": AUTHOR,
        "USEAFTER": USEAFTER,
        "INSTRUME": scope.instrument.name,
        "DETECTOR": frame.detector.name,
        "MODULE": frame.detector.module,
        "CHANNEL": frame.detector.channel,
        "SUBARRAY": frame.subarray,
        "SUBSTRT1": frame.x_start,
        "SUBSTRT2": frame.y_start,
        "SUBSIZE1": frame.nx,
        "SUBSIZE2": frame.ny,
        "FASTAXIS": frame.fast,
        "SLOWAXIS": frame.slow,
    }
    return {keyword: value for keyword, value in values.items() if value != ""}


def optical_keywords(optics: Filter) -> dict[str, str]:
    """Return the keywords of a filter's files."""
    values = {"FILTER": optics.keyword, "PUPIL": optics.pupil}
    return {keyword: value for keyword, value in values.items() if value}


def dq_def(dq: NDArray[np.uint32]) -> fits.BinTableHDU:
    """Return the DQ_DEF table of the bits that an array uses, and DO_NOT_USE."""
    used = int(np.bitwise_or.reduce(dq, axis=None)) | int(PixelDQ.DO_NOT_USE)
    flags = [flag for flag in PixelDQ if flag and flag & used]
    rows = [
        (int(flag).bit_length() - 1, int(flag), flag.name.encode(), MEANINGS.get(flag, "").encode())
        for flag in flags
        if flag.name
    ]
    return fits.BinTableHDU(np.array(rows, dtype=DQ_DEF_DTYPE), name="DQ_DEF")


def image(name: str, data: NDArray[Any]) -> fits.ImageHDU:
    """Return an image HDU; float arrays are stored as float32, flags as uint32."""
    kind = np.uint32 if data.dtype.kind in "ui" else np.float32
    return fits.ImageHDU(np.ascontiguousarray(data, dtype=kind), name=name)


def write(path: Path, header: dict[str, Any], hdus: list[Any], history: str) -> Path:
    """Write a reference file."""
    primary = fits.PrimaryHDU()
    for keyword, value in (header | {"FILENAME": path.name}).items():
        primary.header[keyword] = value
    primary.header["HISTORY"] = history
    with atomic_path(path) as temporary:
        fits.HDUList([primary, *hdus]).writeto(temporary, overwrite=True)
    return path
