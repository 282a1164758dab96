import asdf
import numpy as np
import pytest
from astropy.modeling.models import Mapping, Polynomial2D, Shift

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import read_tree, write_tree
from calwebb_core.science.footprint import footprint, s_region, separation, unit_vectors
from calwebb_core.science.wcs import (
    find_filter_offset,
    imaging_wcs,
    read_distortion,
    v23_to_sky,
)
from calwebb_core.science.world import World

DETECTORS = [f"nrc{m}{n}" for m in "ab" for n in ("1", "2", "3", "4", "long")]


def pixels(angle_ra, angle_dec, dec):
    """Return the length of an offset on the sky in pixels of 0.063 arcsec."""
    return np.hypot(angle_ra * np.cos(np.deg2rad(dec)), angle_dec) * 3600 / 0.063


def test_frames_are_the_official_ones(pointing, distortion):
    wcs = imaging_wcs(pointing, distortion)
    assert wcs.available_frames == ["detector", "v2v3", "v2v3vacorr", "world"]
    assert wcs.pixel_shape == (2048, 2048)
    assert wcs.bounding_box.bounding_box(order="F") == ((-0.5, 2047.5), (-0.5, 2047.5))


def test_reference_point_falls_on_the_pointing(pointing, distortion):
    wcs = imaging_wcs(pointing, distortion)
    assert wcs(1023.5, 1023.5) == pytest.approx((80.0, -69.5), abs=1e-12)


def test_there_and_back(pointing, distortion):
    wcs = imaging_wcs(pointing, distortion)
    x, y = np.meshgrid(np.linspace(0, 2047, 9), np.linspace(0, 2047, 9))
    back = wcs.invert(*wcs(x, y))
    assert np.abs(np.array(back) - np.array([x, y])).max() < 1e-3


def test_north_and_east(pointing, distortion):
    """With V3 to the north, V3 grows with declination and V2 to the east."""
    pointing["ROLL_REF"], pointing["VA_SCALE"] = 0.0, 1.0
    ra, dec = v23_to_sky(pointing)([86.1, 96.1], [-483.3, -493.3])
    assert dec[0] - -69.5 == pytest.approx(10 / 3600, rel=1e-4)
    assert (ra[1] - 80.0) * np.cos(np.deg2rad(69.5)) == pytest.approx(10 / 3600, rel=1e-4)


def test_subarray_sees_the_same_sky(pointing, distortion, subarray):
    full = imaging_wcs(pointing, distortion)
    part, _ = subarray(x=601, y=901)
    assert part(10.0, 20.0) == pytest.approx(full(610.0, 920.0), abs=1e-13)
    assert part.bounding_box.bounding_box(order="F") == ((-0.5, 95.5), (-0.5, 79.5))


def test_filter_offset_comes_before_the_distortion(pointing, distortion):
    plain = imaging_wcs(pointing, distortion)
    moved = imaging_wcs(pointing, distortion, (0.5, -2.0))
    assert moved(100.0, 200.0) == pytest.approx(plain(100.5, 198.0), abs=1e-13)


def test_velocity_aberration_stretches_about_the_reference_point(pointing, distortion):
    wcs = imaging_wcs(pointing, distortion)
    stretch = wcs.get_transform("v2v3", "v2v3vacorr")
    assert stretch(86.1, -493.3) == pytest.approx((86.1, -493.3))
    assert stretch(186.1, -493.3)[0] - 86.1 == pytest.approx(100 * 1.00004)
    del pointing["VA_SCALE"]
    none = imaging_wcs(pointing, distortion).get_transform("v2v3", "v2v3vacorr")
    assert none(1.0, 2.0) == (1.0, 2.0)


def test_reference_model_is_not_changed(pointing, distortion):
    before = repr(distortion), distortion.inverse(90.0, -490.0)
    imaging_wcs(pointing, distortion, (1.0, 1.0))
    assert (repr(distortion), distortion.inverse(90.0, -490.0)) == before
    with pytest.raises(NotImplementedError):
        _ = distortion.bounding_box


def test_own_bounding_box_of_a_full_frame_reference(pointing, distortion, subarray):
    boxed = distortion.copy()
    boxed.inverse = distortion.inverse
    boxed.bounding_box = ((3.5, 1000.5), (-0.5, 2047.5))  # y, x
    wcs = imaging_wcs(pointing, boxed)
    assert wcs.bounding_box.bounding_box(order="F") == ((-0.5, 2047.5), (3.5, 1000.5))


def test_plain_asdf_reads_it_back(pointing, distortion, tmp_path):
    wcs = imaging_wcs(pointing, distortion, (0.1, 0.2))
    (tmp_path / "wcs.asdf").write_bytes(write_tree({"wcs": wcs.node()}))
    with asdf.open(tmp_path / "wcs.asdf") as tree:
        again = tree["wcs"]
        assert again(7.0, 9.0) == pytest.approx(wcs(7.0, 9.0), abs=1e-13)
        assert again.invert(*wcs(7.0, 9.0)) == pytest.approx((7.0, 9.0), abs=1e-3)


def test_tweakwcs_takes_it(pointing, distortion):
    from tweakwcs import JWSTWCSCorrector

    wcs = imaging_wcs(pointing, distortion)
    info = {"v2_ref": 86.1, "v3_ref": -493.3, "roll_ref": 120.0}
    corrector = JWSTWCSCorrector(wcs.gwcs(), info)
    corrector.set_correction(shift=[0.1, 0.0])
    assert "v2v3corr" in corrector.wcs.available_frames
    moved = np.array(corrector.wcs(1023.5, 1023.5)) - np.array(wcs(1023.5, 1023.5))
    assert pixels(*moved, -69.5) * 0.063 == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize("keyword", ["RA_REF", "ROLL_REF", "V2_REF", "SUBSTRT1", "SUBSIZE2"])
def test_missing_keyword(pointing, distortion, keyword):
    del pointing[keyword]
    with pytest.raises(InputError, match=f"keyword {keyword} is missing"):
        imaging_wcs(pointing, distortion)


def test_negative_velocity_aberration(pointing, distortion):
    pointing["VA_SCALE"] = -1.0
    with pytest.raises(InputError, match=r"VA_SCALE is -1\.0; expected a positive number"):
        imaging_wcs(pointing, distortion)


def test_distortion_of_another_kind(pointing):
    with pytest.raises(ReferenceFileError, match="expected a model of 2 to 2"):
        imaging_wcs(pointing, Shift(1.0))


def test_distortion_without_inverse(pointing):
    one_way = Mapping((0, 1, 0, 1)) | Polynomial2D(1, c1_0=1) & Polynomial2D(1, c0_1=1)
    with pytest.raises(ReferenceFileError, match="has no inverse"):
        imaging_wcs(pointing, one_way)


ROWS = [
    {"filter": "F444W", "pupil": "CLEAR", "column_offset": 0.1, "row_offset": 0.2},
    {"filter": "F444W", "pupil": "F470N", "column_offset": 2.0, "row_offset": 0.5},
]


def test_filter_offset_by_filter_and_pupil():
    metadata = Metadata({"FILTER": "F444W", "PUPIL": "F470N"})
    assert find_filter_offset(ROWS, metadata) == (2.0, 0.5)


def test_filter_offset_by_filter_alone():
    rows = [{"filter": "F560W", "column_offset": 0.3, "row_offset": -0.3}]
    assert find_filter_offset(rows, Metadata({"FILTER": "F560W"})) == (0.3, -0.3)


def test_filter_offset_of_any_pupil():
    rows = [{"filter": "F1065C", "pupil": "N/A", "column_offset": -0.6, "row_offset": -2.15}]
    assert find_filter_offset(rows, Metadata({"FILTER": "F1065C"})) == (-0.6, -2.15)


def test_filter_offset_without_numbers(caplog):
    rows = [{"filter": "F560W", "column_offset": "N/A", "row_offset": "N/A"}]
    assert find_filter_offset(rows, Metadata({"FILTER": "F560W"})) is None
    assert "none is applied" in caplog.text


def test_filter_without_offset_is_said(caplog):
    assert find_filter_offset(ROWS, Metadata({"FILTER": "F090W", "PUPIL": "CLEAR"}, "x")) is None
    assert "no row for FILTER F090W and PUPIL CLEAR" in caplog.text


def test_s_region_goes_around_the_corners(subarray):
    wcs, _ = subarray()
    corners = footprint(wcs, (80, 96))
    assert corners[2] == pytest.approx(wcs(95.5, 79.5), abs=1e-12)
    text = s_region(wcs, (80, 96))
    assert text.startswith("POLYGON ICRS  ")
    assert len(text.split()) == 10


@pytest.mark.filterwarnings("ignore")
def test_rotation_agrees_with_pysiaf(pointing):
    rotations = pytest.importorskip("pysiaf.utils.rotations")
    attitude = rotations.attitude(86.1, -493.3, 80.0, -69.5, 120.0)
    v2, v3 = np.array([20.0, 86.1, 150.0]), np.array([-550.0, -493.3, -420.0])
    ra, dec = v23_to_sky(pointing)(v2, v3)
    expected = np.array([rotations.pointing(attitude, *pair) for pair in zip(v2, v3, strict=True)])
    assert pixels(ra - expected[:, 0], dec - expected[:, 1], dec).max() < 1e-4


@pytest.mark.realdata
@pytest.mark.parametrize("dither", [1, 2, 3])
@pytest.mark.parametrize("detector", DETECTORS)
def test_flight_wcs(realdata, detector, dither):
    """Program 1345: our chain from its keywords is the flight chain, to a microarcsecond.

    Without the frame that the alignment put in it is the one before alignment.
    """
    path = realdata / "nircam_wcs" / f"jw01345001001_02201_0000{dither}_{detector}_tweakreg.asdf"
    tree = read_tree(path.read_bytes())
    flight, info = World.from_node(tree["wcs"]), tree["wcsinfo"]
    offsets, distortion = flight.transforms[0].first, flight.transforms[0].second
    keys = ("v2_ref", "v3_ref", "ra_ref", "dec_ref", "roll_ref")
    metadata = Metadata(
        {"SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": 2048}
        | {key.upper(): float(info[key]) for key in keys}
        | {"VA_SCALE": flight.transforms[1].first.first.factor}
    )
    offset = (offsets.first.offset, offsets.second.offset)
    ours = imaging_wcs(metadata, distortion, offset)
    aligned = ours.inserted("v2v3vacorr", "v2v3corr", flight.transforms[2])
    before = World(
        (*flight.frames[:3], flight.frames[4]), (*flight.transforms[:2], flight.transforms[3])
    )
    x, y = np.meshgrid(np.linspace(-0.5, 2047.5, 12), np.linspace(-0.5, 2047.5, 12))
    assert aligned.available_frames == flight.available_frames
    assert aligned.bounding_box == flight.bounding_box
    for mine, theirs in ((ours, before), (aligned, flight)):
        angle = separation(unit_vectors(*mine(x, y)), unit_vectors(*theirs(x, y)))
        assert angle.max() * 3600 < 1e-6
    moved = separation(unit_vectors(*ours(x, y)), unit_vectors(*flight(x, y)))
    assert 0.1 < np.median(moved) * 3600 < 0.5


@pytest.mark.realdata
@pytest.mark.filterwarnings("ignore")
def test_flight_distortion_of_miri(realdata):
    """The flight imager distortion and the SIAF are made of the same coefficients."""
    pysiaf = pytest.importorskip("pysiaf")
    path = realdata / "miri_wcs" / "jwst_miri_imager_distortion_flt9.asdf"
    transform, _ = read_distortion(read_tree(path.read_bytes())["model"])
    x, y = np.meshgrid(np.linspace(0, 1031, 9), np.linspace(0, 1023, 9))
    expected = pysiaf.Siaf("MIRI")["MIRIM_FULL"].sci_to_tel(x + 1, y + 1)
    assert np.abs(np.subtract(transform(x, y), expected)).max() < 1e-3
