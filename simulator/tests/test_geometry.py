import contextlib
import io
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError
from calwebb_simulator.geometry import Attitude, Frame, Placement, aberration
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.references.optics import distortion_model
from calwebb_simulator.siaf import aperture

NIRCAM = instrument_named("NIRCAM")
PIXELS = st.floats(0, 2047)
ANGLES = st.floats(-80, 80)


def frame_of(detector: str, subarray: str = "FULL") -> Frame:
    return Frame.of(NIRCAM, NIRCAM.detector(detector), subarray)


@pytest.fixture(scope="module")
def pysiaf():
    # importing it says on stdout that it cannot ask the network
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("pysiaf")


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["NRCA1", "NRCB4", "NRCALONG", "NRCBLONG"])
def test_distortion_is_that_of_pysiaf(pysiaf, detector):
    frame = frame_of(detector)
    siaf = pysiaf.Siaf("NIRCam")[f"{frame.detector.siaf}_FULL"]
    x, y = np.array([0.0, 2047, 500.5]), np.array([0.0, 13, 1999])
    ours = frame.distortion.to_telescope(x, y)
    np.testing.assert_allclose(ours, siaf.sci_to_tel(x + 1, y + 1), atol=1e-10)


@pytest.mark.slow
def test_attitude_is_that_of_pysiaf(pysiaf):
    ours = Attitude.at(86.0, -493.0, 80.5, -69.5, 33.0)
    theirs = pysiaf.utils.rotations.attitude(86.0, -493.0, 80.5, -69.5, 33.0)
    np.testing.assert_allclose(ours.matrix, theirs, atol=1e-14)
    roll = pysiaf.utils.rotations.posangle(theirs, -100.0, -400.0)
    assert ours.roll(-100.0, -400.0) == pytest.approx(roll, abs=1e-9)


@pytest.mark.parametrize(
    ("detector", "subarray", "start", "shape", "axes"),
    [
        ("NRCA2", "FULL", (1, 1), (2048, 2048), (1, -2)),
        ("NRCA1", "FULL", (1, 1), (2048, 2048), (-1, 2)),
        ("NRCALONG", "SUB160", (945, 945), (160, 160), (-1, 2)),
        ("NRCBLONG", "SUB160P", (1889, 1889), (160, 160), (1, -2)),
        ("NRCB1", "SUB64P", (1851, 1817), (64, 64), (1, -2)),
    ],
)
def test_frames(detector, subarray, start, shape, axes):
    frame = frame_of(detector, subarray)
    assert (frame.x_start, frame.y_start) == start
    assert frame.shape == shape
    assert (frame.fast, frame.slow) == axes


@pytest.mark.parametrize("subarray", ["SUB160", "SUB64P"])
def test_reference_point_of_a_subarray_is_where_the_siaf_says(subarray):
    frame = frame_of("NRCB1", subarray)
    entry = frame.aperture
    x = frame.x_start - 1 + entry["XSciRef"] - 1
    y = frame.y_start - 1 + entry["YSciRef"] - 1
    v2, v3 = frame.distortion.to_telescope(x, y)
    assert np.hypot(v2 - entry["V2Ref"], v3 - entry["V3Ref"]) < 0.002


@given(x=PIXELS, y=PIXELS, ra=st.floats(0, 359.99), dec=ANGLES, roll=st.floats(0, 360))
@settings(max_examples=25, deadline=None)
def test_sky_and_back(x, y, ra, dec, roll):
    frame = frame_of("NRCALONG")
    attitude = Attitude.at(frame.aperture["V2Ref"], frame.aperture["V3Ref"], ra, dec, roll)
    placement = Placement(frame, attitude, (0.3, -0.2), 1.00005)
    back = placement.pixel(*placement.sky(x, y))
    np.testing.assert_allclose(back, (x, y), atol=1e-6)


def test_reference_keywords_describe_the_attitude():
    frame = frame_of("NRCB1", "SUB160")
    v2, v3 = frame.aperture["V2Ref"], frame.aperture["V3Ref"]
    placement = Placement(frame, Attitude.at(v2, v3, 10.0, 20.0, 30.0))
    np.testing.assert_allclose(placement.reference, (10.0, 20.0, 30.0), atol=1e-9)


def test_far_directions_are_on_no_pixel():
    frame = frame_of("NRCB1", "SUB160")
    placement = Placement(frame, Attitude.at(-93.5, -487.0, 10.0, 20.0, 30.0))
    x, y = placement.pixel(np.array([10.0, 190.0]), np.array([20.0, -20.0]))
    assert np.isfinite(x[0])
    assert np.isnan(x[1])
    assert np.isnan(y[1])


def test_velocity_aberration_of_a_flight_exposure():
    # keywords of the flight exposure jw01075001001_03105_00009_nrca2
    velocity = (23.78365789106438, -16.39643007282152, -7.287797330033693)
    scale, ra, dec = aberration(velocity, 245.981865309727, 28.38410372178712)
    assert scale == pytest.approx(1.00000399112588, abs=1e-14)
    assert ra == pytest.approx(245.9880342410473, abs=1e-10)
    assert dec == pytest.approx(28.38239702058238, abs=1e-10)


@pytest.mark.parametrize("detector", ["NRCB1", "NRCALONG"])
def test_distortion_reference_has_a_true_inverse(detector):
    frame = frame_of(detector)
    model = distortion_model(frame.distortion)
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(0, 2047, 7), np.linspace(0, 2047, 7)))
    seen = model(x, y)
    np.testing.assert_allclose(seen, frame.distortion.to_telescope(x, y), atol=1e-10)
    np.testing.assert_allclose(model.inverse(*seen), (x, y), atol=1e-4)


def test_unknown_aperture_names_those_there_are():
    with pytest.raises(InputError, match="no aperture NRCB1_SUB7; for NRCB1 it has NRCB1_FULL"):
        aperture("NIRCam", "NRCB1_SUB7")
