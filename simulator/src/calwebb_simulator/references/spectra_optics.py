"""Reference files of NIRSpec's optics: camera, collimator, disperser, fore, fpa, msa, ote.

Each part is one affine transform, the first order of the observatory's polynomials rounded (and
the camera moved by 36 rows, so that spectra fall into their subarrays), in the official formats;
dispersers have the official parameters (grooves, angles, glass of the prism, tilt sensors) with
rounded values. The msa holds the five fixed slits where the SIAF has them on the sky, carried
through telescope and fore optics to the plane of the slits; its four quadrants of shutters are
regular grids without a single closed shutter.

`slit_table` also finds the slits for other telescope and fore optics, such as the observatory's.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.modeling import Model
from astropy.modeling.models import (
    AffineTransformation2D,
    Identity,
    Mapping,
    Polynomial1D,
    Polynomial2D,
    Shift,
)
from numpy.typing import NDArray

from calwebb_simulator.references.optics import asdf_meta, write_tree
from calwebb_simulator.references.spectra import SERIES_OF
from calwebb_simulator.siaf import aperture
from calwebb_simulator.spectra.modes import FIXED_SLITS, SpectralMode

Float64 = NDArray[np.float64]
Rows = tuple[tuple[float, float, float], tuple[float, float, float]]
# constant, and factors of x and y, of each coordinate
OTE: Final[Rows] = ((379.4, -1568.0, -7.53), (-428.9, -3.83, 1568.0))  # OTEIP -> arcsec
FORE: Final[Rows] = ((0.0002, 1.2234, 1.0909), (0.0002, -1.0746, 1.2417))  # metres -> OTEIP
COLLIMATOR: Final[Rows] = ((-0.002, 1.5736, 0.0119), (-0.2949, -0.0116, 1.6458))  # m -> cosine
CAMERA: Final[Rows] = ((0.002, 3.5741, 0.0316), (0.29435, -0.0289, 3.7328))  # metres -> cosine
PIXEL: Final = 18e-6  # metres
CENTRES: Final = {"nrs1": (-0.03817, -0.01842), "nrs2": (0.03817, 0.01842)}
TEMPERATURE: Final = 37.17
# grooves per metre; angles in degrees: tilt_y, theta_x, theta_y, theta_z; zero of GWA_XTIL, _YTIL
DISPERSERS: Final = {
    "G140M": (95397.0, -4.2, 0.0361, 0.0167, -0.4223, 0.3319, 0.1259),
    "G140H": (235294.0, -8.8, 0.0300, 0.0150, -0.4250, 0.3300, 0.1300),
    "G235M": (56876.0, -4.2, 0.0349, 0.0425, -0.4154, 0.3212, 0.1390),
    "G235H": (150000.0, -8.8, 0.0280, 0.0200, -0.4200, 0.3250, 0.1400),
    "G395M": (33822.0, -4.1, 0.0588, 0.0125, -0.4367, 0.2865, 0.1782),
    "G395H": (89409.0, -8.8, 0.0230, -0.0309, -0.4297, 0.3233, 0.1449),
    "PRISM": (0.0, 24.29, 0.0333, -0.2755, -0.1420, 0.3367, 0.0334),
}
TILT: Final = (2700.0, -8300.0)  # arcsec, and arcsec per unit of GWA_XTIL
GLASS: Final = {
    "angle": -16.5,
    "kcoef": [0.5834, 0.46085, 3.89154],
    "lcoef": [0.0025264, 0.0100783, 1200.556],
    "tcoef": [-2.66e-5, 0.0, 0.0, 0.0, 0.0, 0.0],
    "tref": 35.0,
    "pref": 0.0,
    "wbound": [4e-7, 7e-6],
}
SHUTTERS: Final = (365, 171)  # of a quadrant, along x and y
PITCH: Final = (105e-6, 204e-6)  # metres
OPEN: Final = (80e-6, 180e-6)
QUADRANTS: Final = {"Q1": (1, -1), "Q2": (1, 1), "Q3": (-1, -1), "Q4": (-1, 1)}


def affine(rows: Rows) -> Model:
    """Return an affine transform of two coordinates as polynomials, with its inverse."""
    matrix = np.array([row[1:] for row in rows])
    constant = np.array([row[0] for row in rows])
    turned = np.linalg.inv(matrix)
    model = _polynomials(constant, matrix)
    model.inverse = _polynomials(-turned @ constant, turned)
    return model


def _polynomials(constant: Float64, matrix: Float64) -> Model:
    parts = [
        Polynomial2D(1, c0_0=float(value), c1_0=float(row[0]), c0_1=float(row[1]))
        for value, row in zip(constant, matrix, strict=True)
    ]
    return Mapping((0, 1, 0, 1)) | parts[0] & parts[1]


def telescope_model() -> Model:
    """Return the telescope: the plane of the filter wheel to V2, V3 in arcsec."""
    return affine(OTE)


def fore_model() -> Model:
    """Return the fore optics: slits (metres) and wavelength to the plane of the filter wheel."""
    plain = affine(FORE)
    model = Mapping((0, 1), n_inputs=3) | plain
    model.inverse = Mapping((0, 1), n_inputs=3) | plain.inverse
    return model


def detector_models() -> dict[str, Model]:
    """Return the detectors' pixels (0-based, as the model counts them) to metres."""
    found = {}
    for name, centre in CENTRES.items():
        sign = 1.0 if name == "nrs1" else -1.0
        turn = AffineTransformation2D(matrix=sign * PIXEL * np.eye(2), translation=[0.0, 0.0])
        found[f"{name}_model"] = turn | Shift(centre[0]) & Shift(centre[1])
        found[f"{name}_model"].inverse = Shift(-centre[0]) & Shift(
            -centre[1]
        ) | AffineTransformation2D(matrix=sign / PIXEL * np.eye(2), translation=[0.0, 0.0])
    return found


def _meta(mode: SpectralMode, kind: str, model: str, **more: str) -> dict[str, Any]:
    meta = asdf_meta(kind, model, f"NIRSpec {kind}", name="NIRSPEC", **more)
    meta["instrument"]["p_detector"] = "NRS1|NRS2|"
    meta["exposure"] = {"type": "N/A", "p_exptype": SERIES_OF[mode.exp_type]}
    return meta


def write_camera(path: Path, mode: SpectralMode) -> Path:
    """Write the camera: metres on the detectors to direction cosines (tangents) at the grating."""
    meta = _meta(mode, "camera", "CameraModel")
    return write_tree(path, {"meta": meta, "model": affine(CAMERA)})


def write_collimator(path: Path, mode: SpectralMode) -> Path:
    """Write the collimator: tangents at the grating to metres at the slits."""
    model = affine(COLLIMATOR).inverse
    model.inverse = affine(COLLIMATOR)
    meta = _meta(mode, "collimator", "CollimatorModel")
    return write_tree(path, {"meta": meta, "model": model})


def write_ote(path: Path, mode: SpectralMode) -> Path:
    """Write the telescope."""
    meta = _meta(mode, "ote", "OTEModel") | {"output_units": "arcsec"}
    return write_tree(path, {"meta": meta, "model": telescope_model()})


def write_fore(path: Path, mode: SpectralMode) -> Path:
    """Write the fore optics of a filter."""
    meta = _meta(mode, "fore", "FOREModel", filter=mode.filter)
    return write_tree(path, {"meta": meta, "model": fore_model()})


def write_fpa(path: Path, mode: SpectralMode) -> Path:
    """Write where the two detectors are."""
    return write_tree(path, {"meta": _meta(mode, "fpa", "FPAModel"), **detector_models()})


def write_disperser(path: Path, mode: SpectralMode) -> Path:
    """Write a grating or the prism."""
    meta = _meta(mode, "disperser", "DisperserModel", grating=mode.grating)
    meta["exp_type"] = "N/A"
    grooves, tilt, theta_x, theta_y, theta_z, *zeros = DISPERSERS[mode.grating]
    tree: dict[str, Any] = {"theta_x": theta_x, "theta_y": theta_y, "theta_z": theta_z}
    tree |= {"tilt_x": 0.0, "tilt_y": tilt, "meta": meta}
    tree |= GLASS if mode.grating == "PRISM" else {"groovedensity": grooves}
    for name, zero, slope in (
        ("gwa_tiltx", zeros[0], TILT),
        ("gwa_tilty", zeros[1], (0.0, 0.0)),
    ):
        tree[name] = {
            "temperatures": [TEMPERATURE],
            "tilt_model": Polynomial1D(1, c0=slope[0], c1=slope[1]),
            "unit": "arcsec",
            "zeroreadings": [zero],
        }
    return write_tree(path, tree)


def tilt_readings(grating: str) -> tuple[float, float]:
    """Return GWA_XTIL and GWA_YTIL of an exposure whose grating stands where it was measured."""
    return DISPERSERS[grating][5], DISPERSERS[grating][6]


def sky_to_slits(telescope: Model, fore: Model) -> Callable[[Float64, Float64], Float64]:
    """Return a function of V2, V3 in arcsec that gives metres in the plane of the slits (2, n)."""

    def carry(v2: Float64, v3: Float64) -> Float64:
        x, y = telescope.inverse(v2, v3)
        return np.array(fore.inverse(x, y, np.full_like(x, 2.5e-6))[:2])

    return carry


def slit_table(telescope: Model, fore: Model) -> Float64:
    """Return the fixed slits: number, middle x and y, size in x and y in metres: (5, 5)."""
    carry = sky_to_slits(telescope, fore)
    rows = []
    for number, slit in enumerate(FIXED_SLITS, start=1):
        entry = aperture("NIRSpec", f"NRS_{slit}_SLIT")
        angle, parity = np.radians(entry["V3IdlYAngle"]), entry["VIdlParity"]
        x = np.array([entry[f"XIdlVert{i}"] for i in range(1, 5)])
        y = np.array([entry[f"YIdlVert{i}"] for i in range(1, 5)])
        v2 = entry["V2Ref"] + parity * x * np.cos(angle) + y * np.sin(angle)
        v3 = entry["V3Ref"] - parity * x * np.sin(angle) + y * np.cos(angle)
        corners = carry(v2, v3)
        middle = corners.mean(axis=1)
        # vertices go round: two at each end of the slit and two at each side
        wide = np.abs(corners[0][[0, 1]].mean() - corners[0][[2, 3]].mean())
        long = np.abs(corners[1][[0, 3]].mean() - corners[1][[1, 2]].mean())
        rows.append([number, middle[0], middle[1], wide, long])
    return np.array(rows)


def write_msa(
    path: Path, mode: SpectralMode, telescope: "Model | None" = None, fore: "Model | None" = None
) -> Path:
    """Write the fixed slits and the shutters.

    Parameters
    ----------
    path : Path
    mode : SpectralMode
    telescope, fore : Model, optional
        Those that carry the slits from the sky; the simulated ones by default.
    """
    slits = slit_table(telescope or telescope_model(), fore or fore_model())
    tree: dict[str, Any] = {"meta": _meta(mode, "msa", "MSAModel")}
    shutters = shutter_grid()
    nx, ny = SHUTTERS
    for name, (right, up) in QUADRANTS.items():
        x = (0.0005 if right > 0 else -0.0005 - nx * PITCH[0]) + 0.0
        y = (0.0005 if up > 0 else -0.0005 - ny * PITCH[1]) + 0.0
        tree[name] = {"data": shutters, "model": Shift(x) & Shift(y)}
    tree["Q5"] = {"data": slits, "model": Identity(2)}
    return write_tree(path, tree)


def shutter_grid() -> Float64:
    """Return the shutters of a quadrant: number, middle x and y, size in x and y in metres."""
    nx, ny = SHUTTERS
    number = np.arange(nx * ny)
    x, y = (number % nx + 0.5) * PITCH[0], (number // nx + 0.5) * PITCH[1]
    sizes = [np.full(nx * ny, size) for size in OPEN]
    return np.stack([number + 1.0, x, y, *sizes], axis=1)
