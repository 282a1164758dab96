"""The WCS of NIRCam's grism time series from made-up references, and where it is cut out."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import read_tree, write_tree
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.spectral.grism_series import (
    Light,
    check_on_columns,
    cut_wcs,
    grism_series_wcs,
    light_of,
    series_wavelengths,
    source_column,
)
from calwebb_core.science.transforms.elementary import Polynomial, Scale, Shift
from calwebb_core.science.world import World

ARCSEC = 0.063
IMAGER = Shift(-467.0) & Shift(-34.0) | Scale(-ARCSEC) & Scale(ARCSEC) | Shift(90.0) & Shift(-540.0)
LINES = {"displ": (2.4, 2.6), "dispx": (-1530.0, 2600.0), "dispy": (0.0, 0.0)}


def keywords(**changes):
    values = {
        "EXP_TYPE": "NRC_TSGRISM", "FILTER": "F322W2", "PUPIL": "GRISMR", "MODULE": "A",
        "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": 64, "XREF_SCI": 467.0,
        "YREF_SCI": 34.0, "V2_REF": 90.0, "V3_REF": -540.0, "V3I_YANG": 0.5, "VPARITY": -1,
        "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 120.0, "VA_SCALE": 1.00004,
    }  # fmt: skip
    return Metadata(values | changes, "x_rateints.fits")


def reference(**changes):
    lines = {name: [Polynomial(line).node()] for name, line in LINES.items()}
    instrument = {"name": "NIRCAM", "module": "A", "pupil": "GRISMR"}
    tree = {"orders": [1], "meta": {"instrument": instrument}, **lines} | changes
    return Reference("specwcs", "specwcs.asdf", tree=tree)


def of_source():
    """Polynomials that depend on where the source is, as files of today have them."""
    along = [[[-1530.0, 0.002], [0.01, 0.0]], [[2600.0, 1e-3], [1e-3, 0.0]], [[8.0]]]
    across = [[[1.0, 0.0], [1e-3, 0.0]], [[2.0]]]
    curves = [[Polynomial(c).node() for c in curve] for curve in (along, across)]
    return reference(dispx=[curves[0]], dispy=[curves[1]], displ=[[Polynomial([2.4, 2.6]).node()]])


def cut(specwcs=None, **changes):
    return cut_wcs(
        grism_series_wcs(keywords(**changes), IMAGER, specwcs or reference()), 1, 2048, 64
    )


def test_wavelengths_follow_the_dispersion():
    x, y = np.meshgrid(np.arange(0.0, 2048.0, 97.0), np.arange(0.0, 64.0, 9.0))
    ra, dec, wavelength = cut()(x, y)
    np.testing.assert_allclose(wavelength, 2.4 + 2.6 * (x - 467.0 + 1530.0) / 2600.0, rtol=1e-14)
    # every pixel looks at the source
    np.testing.assert_allclose(ra, 80.0, atol=1e-11)
    np.testing.assert_allclose(dec, -69.5, atol=1e-11)


def test_pixels_of_wavelengths():
    wcs = cut()
    wavelength = np.array([3.5, 4.0, 4.9])
    x, y = wcs.invert(80.0, -69.5, wavelength)
    np.testing.assert_allclose(x, 467.0 - 1530.0 + 2600.0 * (wavelength - 2.4) / 2.6, atol=1e-7)
    np.testing.assert_allclose(y, 34.0, atol=1e-7)
    with_order = wcs.invert(80.0, -69.5, wavelength, 1.0)
    np.testing.assert_array_equal(with_order, (x, y))


def test_the_whole_exposure_asks_for_the_order():
    world = grism_series_wcs(keywords(), IMAGER, reference())
    assert len(world(100.0, 30.0, 1.0)) == 3
    assert world.invert(80.0, -69.5, 3.0, 1.0)[1] == pytest.approx(34.0, abs=1e-7)
    with pytest.raises(TypeError, match="several orders lie on one another"):
        world.invert(80.0, -69.5, 3.0)


def test_field_dependent_dispersion():
    wcs = cut(of_source())
    x = np.linspace(-500.0, 2600.0, 200)
    t = (wcs(x, 30.0, with_bounding_box=False)[2] - 2.4) / 2.6
    dx = (-1530 + 4.67 + 0.068) + (2600 + 0.467 + 0.034) * t + 8.0 * t**2
    inside = (t > 0.0) & (t < 1.0)
    # curves are inverted between 40 points
    assert np.abs(dx - (x - 467.0))[inside].max() < 0.01
    plane = series_wavelengths(wcs, (64, 2048))
    assert np.isnan(plane).any(axis=0).sum() == 2048 - np.isfinite(plane[0]).sum()
    wide = series_wavelengths(cut(of_source(), XREF_SCI=1600.0), (4, 2048))
    assert np.isnan(wide[:, :60]).all()
    assert np.isfinite(wide[:, 200:]).all()


def test_velocity_and_filter_offset():
    still, moving = (cut(**values) for values in ({}, {"VELOSYS": 30000.0}))
    ratio = still(100.0, 30.0)[2] / moving(100.0, 30.0)[2]
    assert ratio == pytest.approx(1.0 + 30000.0 / 299792458.0, rel=1e-12)
    shifted = grism_series_wcs(keywords(), IMAGER, reference(), (1.5, -2.25))
    _, dec, wavelength = shifted(100.0, 30.0, 1.0)
    assert wavelength == still(100.0, 30.0)[2]
    assert abs(dec + 69.5) * 3600.0 > ARCSEC


def test_stored_and_read_again():
    x, y = np.meshgrid(np.arange(0.0, 2048.0, 97.0), np.arange(0.0, 64.0, 9.0))
    for wcs, pixel in (
        (cut(), (x, y)),
        (grism_series_wcs(keywords(), IMAGER, reference()), (x, y, 1.0)),
    ):
        again = World.from_node(read_tree(write_tree({"wcs": wcs.node()}))["wcs"])
        np.testing.assert_array_equal(again(*pixel), wcs(*pixel))
        assert again.available_frames[:2] == ["grism_detector", "direct_image"]
        assert again.has_order


def test_source_with_and_without_offset():
    wcs = cut()
    assert source_column(keywords(), wcs) == pytest.approx(467.0, abs=1e-7)
    moved = source_column(keywords(XOFFSET=1.0, YOFFSET=0.0), wcs)
    assert moved - 467.0 == pytest.approx(np.cos(np.deg2rad(0.5)) / ARCSEC, rel=1e-6)
    moved = source_column(keywords(XOFFSET=0.0, YOFFSET=2.0), wcs)
    assert moved - 467.0 == pytest.approx(-2.0 * np.sin(np.deg2rad(0.5)) / ARCSEC, rel=1e-6)


def ranges(rows=None, **changes):
    rows = [[1, "F322W2", 2.41, 4.08], [2, "F322W2", 2.41, 3.0]] if rows is None else rows
    tree = {"wavelengthrange": rows, "extract_orders": [["F322W2", [1]]]} | changes
    return Reference("wavelengthrange", "range.asdf", tree=tree)


def test_order_and_range():
    assert light_of(keywords(), ranges()) == Light(1, 2.41, 4.08)
    assert light_of(keywords(), ranges(), [2]) == Light(2, 2.41, 3.0)
    assert light_of(keywords(), ranges(extract_orders=[])) == Light(1, 2.41, 4.08)
    new = ranges([[1, "GDHS0", "F322W2", 1.0, 2.0], [1, "GRISMR", "F322W2", 2.4, 4.0]])
    assert light_of(keywords(), new) == Light(1, 2.4, 4.0)


def test_reference_without_the_filter():
    with pytest.raises(ReferenceFileError, match="has no range for FILTER F444W, PUPIL GRISMR, or"):
        light_of(keywords(FILTER="F444W"), ranges())
    with pytest.raises(ReferenceFileError, match="order 3"):
        light_of(keywords(), ranges(), [3])
    with pytest.raises(InputError, match=r"orders \[1, 2\] are to be cut out; expected one"):
        light_of(keywords(), ranges(extract_orders=[["F322W2", [1, 2]]]))
    for broken in ([[1]], [[1, "F322W2", "a", "b"]], 3, [[1, "F322W2", None, 4.0]]):
        with pytest.raises(ReferenceFileError, match="wavelengthrange reference can't be used"):
            light_of(keywords(), ranges(broken))
    with pytest.raises(ReferenceFileError, match="wavelengthrange reference can't be used"):
        light_of(keywords(), ranges(extract_orders=[["F322W2"]]))
    with pytest.raises(ReferenceFileError, match="has no range for FILTER F322W2"):
        light_of(keywords(), ranges([[1, "F322W2", 4.0, 2.0]]))


def test_spectrum_off_the_detector():
    world = grism_series_wcs(keywords(XREF_SCI=9000.0), IMAGER, reference())
    with pytest.raises(InputError, match=r"the spectrum is off the detector: order 1 is at x"):
        check_on_columns(keywords(XREF_SCI=9000.0), world, Light(1, 2.41, 4.08), 2048)
    world = grism_series_wcs(keywords(), IMAGER, reference())
    check_on_columns(keywords(), world, Light(1, 2.41, 4.08), 2048)


@pytest.mark.parametrize(
    ("specwcs", "message"),
    [
        (reference(meta={"instrument": {"pupil": "GRISMC"}}), "is for PUPIL GRISMC; x_rateints"),
        (reference(meta={"instrument": {"module": "B"}}), "is for MODULE B; x_rateints.fits has A"),
        (reference(displ=None), "can't be used"),
        (reference(orders=[1, 2]), "2 orders with another number of polynomials"),
        (reference(dispx=[Polynomial([0.0, 1.0, 2.0]).node()]), "no straight line"),
        (Reference("specwcs", "specwcs.asdf", tree={}), r"can't be used \('displ'\)"),
    ],
)
def test_references_that_are_refused(specwcs, message):
    with pytest.raises(ReferenceFileError, match=message):
        grism_series_wcs(keywords(), IMAGER, specwcs)


def test_other_grisms():
    with pytest.raises(InputError, match="PUPIL is GRISMC; grism time series are taken with"):
        grism_series_wcs(keywords(PUPIL="GRISMC"), IMAGER, reference())
