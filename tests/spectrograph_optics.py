"""A NIRSpec with simple optics, and where the real ones are: for tests of its slits.

Lenses without distortion, a grating of 90 grooves a millimetre and a prism that lie so that a
spectrum falls on the detectors, and the five fixed slits about where they are.
"""

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.transforms.elementary import (
    Affine,
    Arithmetic,
    Polynomial,
    Remap,
    Scale,
    Shift,
)
from calwebb_core.science.transforms.tables import Tabular
from official_process import REALDATA

PIXEL = 18e-6  # metres
CAMERA, COLLIMATOR = 0.29, 0.64  # metres of focal length
DENSITY, TILT = 90000.0, -8.8
# number, middle x and y, width, height in metres
SLITS = (
    (1, 0.027101, -0.0027447, 8.135e-05, 1.27e-3),
    (2, 0.0347906, -0.0012719, 8.07e-05, 1.27e-3),
    (3, 0.029791, 0.000267, 1.5924e-4, 1.45e-3),
    (4, 0.0287885, 0.0015759, 6.3134e-4, 6.3e-4),
    (5, -0.0345573, 0.0026294, 7.926e-05, 1.27e-3),
)
FIELDS = [("NO", "i2"), ("X", "f4"), ("Y", "f4"), ("WIDTH", "f4"), ("HEIGHT", "f4")]
KEYWORDS = {
    "TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "FILTER": "F290LP",
    "GRATING": "G395H", "EXP_TYPE": "NRS_FIXEDSLIT", "SUBARRAY": "FULL", "FXD_SLIT": "S1600A1",
    "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": 2048, "V2_REF": 407.301,
    "V3_REF": -426.841, "V3I_YANG": 138.57, "VPARITY": -1, "RA_REF": 80.0, "DEC_REF": -69.5,
    "ROLL_REF": 120.0, "VA_SCALE": 1.00004, "VELOSYS": -14966.55, "GWA_XTIL": 0.352,
    "GWA_YTIL": 0.1234, "GWA_TILT": 37.1, "XOFFSET": 0.1, "YOFFSET": 0.05, "NINTS": 1,
    "DATE-OBS": "2023-05-01", "TIME-OBS": "12:00:00.000", "BUNIT": "DN/s",
}  # fmt: skip
NAME = "jw01345001001_02201_00001_nrs1_rate.fits"
REAL = REALDATA / "crds_cache" / "references" / "jwst" / "nirspec"


def keywords(**values):
    """Keywords of an exposure."""
    return Metadata(KEYWORDS | values, NAME)


def detector(sign):
    """Pixels to metres in the focal plane; NRS2 is turned and lies on the other side."""
    plane = Affine([[sign * PIXEL, 0], [0, sign * PIXEL]]) | Shift(-sign * 0.0382) & Shift(0.0)
    return (plane | Shift(0.0) & Shift(-sign * 1023.5 * PIXEL)).node()


def fore():
    """The MSA's plane to the filter wheel's: a scale that grows with wavelength."""
    xy, light = Remap((0, 1), 3), Remap((2, 2), 3) | Scale(50.0) & Scale(50.0)
    grow = light | Shift(1.0) & Shift(1.0)
    forward = Arithmetic("multiply", xy, grow)
    return forward.with_inverse(Arithmetic("divide", xy, grow)).node()


def tilt():
    """The angle for a reading of a sensor."""
    return {"tilt_model": Polynomial([100.0, -4000.0]).node(), "zeroreadings": [0.35]}


def disperser(grating):
    """The disperser of a grating, or of the prism."""
    angles = {"theta_x": 0.02, "theta_y": -0.03, "theta_z": -0.43, "tilt_y": TILT}
    tree = {**angles, "groovedensity": DENSITY, "gwa_tiltx": tilt(), "gwa_tilty": tilt()}
    if grating != "PRISM":
        return tree
    return tree | {
        "tilt_y": 24.29, "angle": -16.5, "tref": 35.0, "pref": 0.0,
        "kcoef": [0.58339748, 0.46085267, 3.8915394],
        "lcoef": [0.00252643, 0.010078333, 1200.556],
        "tcoef": [-2.66e-05, 0.0, 0.0, 0.0, 0.0, 0.0],
    }  # fmt: skip


def zero_points():
    """Shifts in pixels: four for the width of the slit, a little less at long wavelengths."""
    wavelengths, places = np.linspace(0.6e-6, 5.3e-6, 11), np.linspace(-0.5, 0.5, 11)
    shifts = 4.0 * places[None, :] * (1.0 - 2e4 * wavelengths[:, None])
    node = Tabular(wavelengths, wavelengths).node()
    node |= {"points": [wavelengths, places], "lookup_table": shifts}
    return [{"aperture_name": "S1600A1", "zero_point_offset": node, "width": 6.3e-4}]


def trees(grating="G395H"):
    """The trees of all references by type."""
    arcsec = Scale(1000.0) & Scale(1000.0) | Shift(378.5) & Shift(-428.4)
    part = {
        "data": np.array(list(SLITS), dtype=FIELDS),
        "model": (Affine([[1.0, -1e-4], [1e-4, 1.0]]) | Shift(1e-5) & Shift(-2e-5)).node(),
    }
    return {
        "camera": {"model": (Scale(1 / CAMERA) & Scale(1 / CAMERA)).node()},
        "collimator": {"model": (Scale(COLLIMATOR) & Scale(COLLIMATOR)).node()},
        "disperser": disperser(grating),
        "fore": {"model": fore()},
        "fpa": {"nrs1_model": detector(1.0), "nrs2_model": detector(-1.0)},
        "msa": {"Q5": part},
        "ote": {"model": arcsec.node()},
        "wavecorr": {"apertures": zero_points()},
        "wavelengthrange": {
            "waverange_selector": ["F100LP_G140M", "F290LP_G395H", "CLEAR_PRISM"],
            "wavelengthrange": [[1e-6, 2e-6], [2.87e-6, 5.27e-6], [0.6e-6, 5.3e-6]],
            "order": [-1, -1, 0],
        },
    }  # fmt: skip


def references(grating="G395H"):
    """All references by type."""
    return {
        kind: Reference(kind, f"jwst_nirspec_{kind}.asdf", tree=tree)
        for kind, tree in trees(grating).items()
    }
