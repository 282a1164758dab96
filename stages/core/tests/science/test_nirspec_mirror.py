"""NIRSpec's images with made optics: where pixels fall, what a tilt does, what is refused."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.footprint import separation, unit_vectors
from calwebb_core.science.nirspec.mirror import FULL_RANGE, TYPES, mirror_wcs
from calwebb_core.science.transforms.elementary import (
    Affine,
    Arithmetic,
    Polynomial,
    Remap,
    Scale,
    Shift,
)

PIXEL = 18e-6  # metres
CAMERA = 0.3  # metres of focal length
KEYWORDS = {
    "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "FILTER": "F110W", "GRATING": "MIRROR",
    "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": 2048, "V2_REF": 378.5,
    "V3_REF": -428.4, "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 120.0, "VA_SCALE": 1.00004,
    "GWA_XTIL": 0.35, "GWA_YTIL": 0.2,
}  # fmt: skip


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
    return {"tilt_model": Polynomial([100.0, -4000.0]).node(), "zeroreadings": [0.35]}


def trees():
    arcsec = Scale(1000.0) & Scale(1000.0) | Shift(378.5) & Shift(-428.4)
    angles = dict.fromkeys(("theta_x", "theta_y", "theta_z", "tilt_y"), 0.0)
    return {
        "camera": {"model": (Scale(1 / CAMERA) & Scale(1 / CAMERA)).node()},
        "collimator": {"model": (Scale(-0.3) & Scale(-0.3)).node()},
        "disperser": angles | {"gwa_tiltx": tilt(), "gwa_tilty": tilt()},
        "fore": {"model": fore()},
        "fpa": {"nrs1_model": detector(1.0), "nrs2_model": detector(-1.0)},
        "ote": {"model": arcsec.node()},
        "wavelengthrange": {
            "waverange_selector": ["F100LP_G140M", "CLEAR_MIRROR", "F110W_MIRROR"],
            "wavelengthrange": [[1e-6, 2e-6], [0.6e-6, 5.3e-6], [1e-6, 1.2e-6]],
            "order": [-1, 0, 0],
        },
    }  # fmt: skip


@pytest.fixture
def optics():
    return {
        kind: Reference(kind, f"jwst_nirspec_{kind}.asdf", tree=tree)
        for kind, tree in trees().items()
    }


@pytest.fixture
def keywords():
    return Metadata(KEYWORDS, "x_rate.fits")


def test_types(optics):
    assert set(optics) == set(TYPES)


def test_frames_and_light(keywords, optics):
    wcs, light = mirror_wcs(keywords, optics)
    assert wcs.available_frames == [
        "detector", "sca", "gwa", "msa", "oteip", "v2v3", "v2v3vacorr", "world",
    ]  # fmt: skip
    assert (light.order, light.low, light.high) == (0, 1e-6, 1.2e-6)
    assert light.middle == pytest.approx(1.1e-6)
    assert wcs.bounding_box == ((-0.5, 2047.5), (-0.5, 2047.5))
    x, y, wavelength = wcs.get_transform("detector", "msa")(3.0, 4.0)
    assert (abs(x), abs(y)) < (0.1, 0.1)
    assert wavelength == light.middle


def test_there_and_back(keywords, optics):
    wcs, _ = mirror_wcs(keywords, optics)
    x, y = np.meshgrid(np.linspace(0, 2047, 6), np.linspace(0, 2047, 5))
    assert np.abs(np.subtract(wcs.invert(*wcs(x, y)), (x, y))).max() < 1e-6


def test_both_detectors_lie_beside_each_other(keywords, optics):
    """NRS2 is turned twice, in the model and in the data, so that rows go up in both."""
    first, _ = mirror_wcs(keywords, optics)
    keywords["DETECTOR"] = "NRS2"
    second, _ = mirror_wcs(keywords, optics)
    near = [wcs.get_transform("detector", "oteip")(1023.5, 1023.5) for wcs in (first, second)]
    assert np.subtract(near[0], near[1])[1] == pytest.approx(0.0, abs=1e-12)
    assert abs(np.subtract(near[0], near[1])[0]) > 1e-3
    for axis, step in enumerate(((1.0, 0.0), (0.0, 1.0))):
        moves = [
            np.subtract(wcs.get_transform("detector", "oteip")(100.0 + step[0], 100.0 + step[1]),
                        wcs.get_transform("detector", "oteip")(100.0, 100.0))[axis]
            for wcs in (first, second)
        ]  # fmt: skip
        assert moves[0] == pytest.approx(moves[1], rel=0.05)


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_subarray_sees_the_same_sky(keywords, optics, detector):
    keywords["DETECTOR"] = detector
    full, _ = mirror_wcs(keywords, optics)
    keywords.update({"SUBSTRT1": 1001, "SUBSTRT2": 801, "SUBSIZE1": 32, "SUBSIZE2": 32})
    part, _ = mirror_wcs(keywords, optics)
    assert part(3.0, 4.0) == pytest.approx(full(1003.0, 804.0), abs=1e-12)
    assert part.bounding_box == ((-0.5, 31.5), (-0.5, 31.5))


def test_tilt_of_the_mirror_moves_the_image(keywords, optics):
    """The mirror turns by half of what the ray does: theta = 0.5 (phi - phi0)."""
    before, _ = mirror_wcs(keywords, optics)
    keywords["GWA_XTIL"] = 0.36
    after, _ = mirror_wcs(keywords, optics)
    moved = np.subtract(
        after.get_transform("detector", "msa")(1000.0, 1000.0),
        before.get_transform("detector", "msa")(1000.0, 1000.0),
    )
    ray = np.deg2rad(-4000.0 * 0.01 / 3600)
    assert abs(moved[0]) == pytest.approx(abs(ray) * 0.3, rel=0.1)
    assert moved[1] == pytest.approx(0.0, abs=1e-6)


def test_missing_tilt_is_said(keywords, optics, caplog):
    del keywords["GWA_YTIL"]
    mirror_wcs(keywords, optics)
    assert "keyword GWA_YTIL is missing; the wheel is taken to stand where" in caplog.text


def test_wavelength_matters(keywords, optics):
    wcs, _ = mirror_wcs(keywords, optics)
    keywords["FILTER"] = "CLEAR"
    clear, light = mirror_wcs(keywords, optics)
    assert (light.low, light.high) == (0.6e-6, 5.3e-6)
    near = [w.get_transform("detector", "oteip")(0.0, 0.0) for w in (wcs, clear)]
    ratio = (1 + 50 * light.middle) / (1 + 50 * 1.1e-6)
    assert np.divide(near[1], near[0]) == pytest.approx((ratio, ratio), rel=1e-9)


def test_filter_without_range(keywords, optics, caplog):
    keywords["FILTER"] = "F140X"
    _, light = mirror_wcs(keywords, optics)
    assert (light.low, light.high) == (0.6e-6, 5.3e-6)
    assert "has no F140X_MIRROR; that of CLEAR_MIRROR is taken" in caplog.text


def test_mirror_without_range(keywords, optics):
    optics["wavelengthrange"].tree["waverange_selector"] = ["F100LP_G140M"]
    _, light = mirror_wcs(keywords, optics)
    assert (light.order, light.low, light.high) == (-1, *FULL_RANGE)


def test_velocity_aberration_and_roll(keywords, optics):
    wcs, _ = mirror_wcs(keywords, optics)
    keywords["ROLL_REF"] = 121.0
    turned, _ = mirror_wcs(keywords, optics)
    distance = separation(unit_vectors(*wcs(0.0, 0.0)), unit_vectors(80.0, -69.5))
    turned_distance = separation(unit_vectors(*turned(0.0, 0.0)), unit_vectors(80.0, -69.5))
    assert distance == pytest.approx(turned_distance, rel=1e-9)
    assert wcs(0.0, 0.0) != pytest.approx(turned(0.0, 0.0), abs=1e-6)


def test_other_detectors(keywords, optics):
    keywords["DETECTOR"] = "NRS"
    with pytest.raises(InputError, match="DETECTOR is NRS; expected NRS1 or NRS2"):
        mirror_wcs(keywords, optics)


@pytest.mark.parametrize("keyword", ["DETECTOR", "FILTER", "GRATING", "RA_REF", "SUBSTRT1"])
def test_missing_keyword(keywords, optics, keyword):
    del keywords[keyword]
    with pytest.raises(InputError, match=f"keyword {keyword} is missing"):
        mirror_wcs(keywords, optics)


def spoil(optics, kind, key, value):
    tree = dict(optics[kind].tree)
    if value is None:
        del tree[key]
    else:
        tree[key] = value
    optics[kind] = Reference(kind, optics[kind].name, tree=tree)


@pytest.mark.parametrize(
    ("kind", "key", "value", "message"),
    [
        ("camera", "model", None, "jwst_nirspec_camera.asdf: the camera reference has no `model`"),
        ("fpa", "nrs1_model", None, "the fpa reference has no `nrs1_model` with an inverse"),
        ("ote", "model", Polynomial([[1.0]]).node(), "the ote reference has no `model` with an"),
        ("disperser", "theta_y", None, "the disperser reference has no `theta_y`"),
        ("disperser", "gwa_tiltx", None, "the disperser reference has no tilt model for GWA_XTIL"),
        ("wavelengthrange", "order", None, "the wavelengthrange reference is incomplete"),
        ("wavelengthrange", "wavelengthrange", [], "the wavelengthrange reference is incomplete"),
    ],
)
def test_incomplete_reference(keywords, optics, kind, key, value, message):
    spoil(optics, kind, key, value)
    with pytest.raises(ReferenceFileError, match=message):
        mirror_wcs(keywords, optics)
