import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.photometry import electrons_per_mjy, photmjsr, pixel_steradian, vega_offset
from calwebb_simulator.psf import OVERSAMPLE, core_centre, encircled, filter_psf
from calwebb_simulator.pupil import draw_pupil, segment_centres
from calwebb_simulator.references.optics import EXTRA_BOXES, aperture_rows
from calwebb_simulator.render import draw_stars, sersic_b

NIRCAM = instrument_named("NIRCAM")
OPTICS = NIRCAM.filter("F200W")
SCALE = 0.031


@pytest.fixture(scope="module")
def psf():
    return filter_psf(OPTICS, SCALE, radius=60)


def test_pupil_has_18_segments_and_the_telescopes_area():
    pupil = draw_pupil(128)
    assert len(segment_centres()) == 18
    area = pupil.amplitude.sum() * pupil.sampling**2
    assert 25.0 < area < 27.0
    weighted = np.average(pupil.path**2, weights=pupil.amplitude)
    assert np.sqrt(weighted) == pytest.approx(0.065)


def test_energy_is_known(psf):
    radii = np.array([2.0, 10.0, 30.0, 60.0])
    growth = encircled(psf.data.astype(float), radii)
    assert np.all(np.diff(growth) > 0)
    assert 0.6 < growth[0] < 0.7
    assert 0.965 < growth[-1] < 0.995


def test_core_is_in_the_middle(psf):
    middle = len(psf.data) // 2
    core = psf.data[middle - 24 : middle + 25, middle - 24 : middle + 25].astype(float)
    assert np.hypot(*core_centre(core)) / OVERSAMPLE < 0.01


def test_longer_waves_make_wider_images():
    filters = [NIRCAM.filter(name) for name in ("F277W", "F444W")]
    narrow, wide = (filter_psf(optics, 0.063, radius=20) for optics in filters)
    assert wide.effective_area > 1.5 * narrow.effective_area


@given(x=st.floats(95, 105), y=st.floats(95, 105), flux=st.floats(300, 1e6))
@settings(max_examples=20, deadline=None)
def test_stars_keep_their_flux_wherever_they_fall(x, y, flux):
    psf = filter_psf(OPTICS, SCALE, radius=60)
    image = np.zeros((201, 201))
    draw_stars(image, np.array([x]), np.array([y]), np.array([flux]), psf)
    expected = float(psf.data[2::OVERSAMPLE, 2::OVERSAMPLE].sum())
    assert image.sum() / flux == pytest.approx(expected, abs=1.5e-3)
    assert image.min() > -1e-4 * flux


def test_star_moves_with_its_position(psf):
    images = []
    for x in (50.0, 51.0):
        image = np.zeros((101, 101))
        draw_stars(image, np.array([x]), np.array([50.3]), np.array([1e4]), psf)
        images.append(image)
    np.testing.assert_allclose(images[0][40:60, 40:60], images[1][40:60, 41:61], rtol=1e-6)


def test_stars_off_the_edge_do_not_wrap(psf):
    image = np.zeros((30, 40))
    x, y = np.array([-5.0, 44.0, 20.0]), np.array([10.0, -3.0, 33.0])
    draw_stars(image, x, y, np.full(3, 1e4), psf)
    assert image[15, 20] < 100
    assert image[10, 0] > image[10, 20]


def test_sersic_half_light():
    for index in (1.0, 2.5, 4.0):
        from scipy.special import gammainc

        assert gammainc(2 * index, sersic_b(index)) == pytest.approx(0.5, abs=1e-3)


def test_aperture_corrections_recover_the_total(psf):
    rows = aperture_rows(OPTICS, SCALE)
    widened = filter_psf(OPTICS, SCALE).widened(EXTRA_BOXES)
    for energy, radius, correction, inner, outer in rows:
        growth = encircled(widened, np.array([radius, inner, outer]))
        assert growth[0] == pytest.approx(energy, abs=2e-3)
        sky = (growth[2] - growth[1]) / (outer**2 - inner**2) * radius**2
        assert (growth[0] - sky) * correction == pytest.approx(1.0, rel=2e-3 / energy)


def test_wider_boxes_take_light_out_of_the_core(psf):
    radius = np.array([1.5])
    narrow, wide = encircled(psf.widened(1), radius)[0], encircled(psf.widened(3), radius)[0]
    assert wide < narrow
    assert psf.widened(3).sum() == pytest.approx(psf.data.sum(), rel=2e-3)


def test_photometry_is_one_calibration():
    detector = NIRCAM.detector("NRCB1")
    distortion = Frame.of(NIRCAM, detector).distortion
    surface = photmjsr(OPTICS, detector, distortion)
    rate = electrons_per_mjy(OPTICS) * pixel_steradian(distortion) / detector.gain
    assert surface * rate == pytest.approx(1.0)
    assert 1.0 < surface < 4.0


def test_vega_is_fainter_in_ab_at_longer_waves():
    offsets = [vega_offset(NIRCAM.filter(name)) for name in ("F115W", "F200W", "F444W")]
    assert offsets == sorted(offsets)
    assert offsets[1] == pytest.approx(1.68, abs=0.1)
