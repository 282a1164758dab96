"""World coordinates against flight: the table of docs/accuracy.md.

Usage: ``python benchmarks/truth/flight_wcs.py REALDATA`` with the folder that holds ``nircam_wcs``
and ``miri_wcs``. The flight products (program 1345, ten NIRCam detectors, three dithers, after
alignment to stars) carry their WCS and pointing keywords. Ours is built from these keywords,
first with the distortion in the product, then with that of the SIAF (pysiaf, which must be
installed), and compared on 65 x 65 points of the detector.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import read_tree
from calwebb_core.science.footprint import separation, unit_vectors
from calwebb_core.science.transforms import from_node
from calwebb_core.science.wcs import imaging_wcs
from calwebb_core.science.world import World

DETECTORS = [f"nrc{module}{n}" for module in "ab" for n in ("1", "2", "3", "4", "long")]
REFERENCE = ("v2_ref", "v3_ref", "ra_ref", "dec_ref", "roll_ref")
MAS_PER_DEGREE = 3600e3

Float64 = NDArray[np.float64]
Pair = tuple[Float64, Float64]


def grid(nx: int, ny: int) -> Pair:
    """Return 65 x 65 pixels from edge to edge."""
    x, y = np.meshgrid(np.linspace(-0.5, nx - 0.5, 65), np.linspace(-0.5, ny - 0.5, 65))
    return x, y


def mas(first: Pair, second: Pair) -> Float64:
    """Return distances on the sky in milliarcseconds."""
    return separation(unit_vectors(*first), unit_vectors(*second)) * MAS_PER_DEGREE


def planar(first: Pair, second: Pair) -> Float64:
    """Return offsets of V2, V3 in milliarcseconds, (n, 2)."""
    return np.stack([(a - b).ravel() for a, b in zip(first, second, strict=True)], axis=1) * 1e3


def without_shift_and_turn(offsets: Float64, places: Pair) -> Float64:
    """Return what is left of offsets when the best shift and rotation are taken out."""
    x, y = (place.ravel() - place.mean() for place in places)
    one, zero = np.ones_like(x), np.zeros_like(x)
    design = np.concatenate([np.stack([one, zero, -y], axis=1), np.stack([zero, one, x], axis=1)])
    target = offsets.T.ravel()
    solution = np.linalg.lstsq(design, target, rcond=None)[0]
    left: Float64 = (target - design @ solution).reshape(2, -1).T
    return left


def rms(offsets: Float64) -> float:
    """Return the root mean square length of offsets, (n, 2)."""
    return float(np.sqrt(np.mean(np.sum(offsets**2, axis=1))))


def exposure(path: Path) -> tuple[World, World, Any]:
    """Return the flight WCS, ours with the product's distortion, and the telescope's distortion."""
    tree = read_tree(path.read_bytes())
    steps, info = tree["wcs"]["steps"], tree["wcsinfo"]
    shift, distortion = steps[0]["transform"]["forward"]
    offset = tuple(node["offset"] for node in shift["forward"])
    stretch = steps[1]["transform"]["forward"][0]["forward"][0]["factor"]
    window = {"SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": 2048}
    keywords = {key.upper(): float(info[key]) for key in REFERENCE}
    metadata = Metadata(keywords | window | {"VA_SCALE": stretch}, path.name)
    ours = imaging_wcs(metadata, from_node(distortion), offset)
    return World.from_node(tree["wcs"]), ours, distortion


def siaf_places(instrument: str, aperture: str, x: Float64, y: Float64) -> Pair:
    """Return V2, V3 in arcsec of 0-based pixels by the SIAF."""
    import pysiaf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        v2, v3 = pysiaf.Siaf(instrument)[aperture].sci_to_tel(x + 1.0, y + 1.0)
    return v2, v3


def detector_row(folder: Path, detector: str) -> str:
    """Return a line of the table."""
    x, y = grid(2048, 2048)
    chain, corrected, moved = [], [], []
    for dither in (1, 2, 3):
        name = f"jw01345001001_02201_0000{dither}_{detector}_tweakreg.asdf"
        flight, ours, distortion = exposure(folder / name)
        before = flight.transforms[0] | flight.transforms[1] | flight.transforms[3]
        frame = ours.inserted("v2v3vacorr", "v2v3corr", flight.transforms[2])
        chain.append(mas(before(x, y), ours(x, y)).max())
        corrected.append(mas(flight(x, y), frame(x, y)).max())
        moved.append(np.median(mas(flight(x, y), ours(x, y))))
    model = from_node(distortion)(x, y)
    aperture = detector.upper().replace("LONG", "5") + "_FULL"
    offsets = planar(model, siaf_places("NIRCam", aperture, x, y))
    shift = np.hypot(*offsets.mean(axis=0))
    left = rms(without_shift_and_turn(offsets, model))
    values = " - ".join(f"{value:.0f}" for value in (min(moved), max(moved)))
    return (
        f"| {detector.upper()} | {max(chain):.0e} | {max(corrected):.0e} | {values} "
        f"| {shift:.1f} | {left:.2f} |"
    )


def miri_row(folder: Path) -> str:
    """Return the comparison of MIRI's flight distortion with the SIAF."""
    x, y = grid(1032, 1024)
    tree = read_tree((folder / "jwst_miri_imager_distortion_flt9.asdf").read_bytes())
    model = from_node(tree["model"])(x, y)
    offsets = planar(model, siaf_places("MIRI", "MIRIM_FULL", x, y))
    shift, left = np.hypot(*offsets.mean(axis=0)), rms(without_shift_and_turn(offsets, model))
    return f"| MIRIMAGE | | | | {shift:.1f} | {left:.2f} |"


def main(realdata: Path) -> None:
    """Print the table."""
    rows = [
        "| detector | before alignment | with its frame | alignment moves by | SIAF: shift "
        "| SIAF: left |",
        "|---|---|---|---|---|---|",
        *(detector_row(realdata / "nircam_wcs", detector) for detector in DETECTORS),
        miri_row(realdata / "miri_wcs"),
    ]
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
