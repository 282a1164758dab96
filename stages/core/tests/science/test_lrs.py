"""The WCS of MIRI's low-resolution spectrometer from a made-up table, and from real ones."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.plain_asdf import read_tree, write_tree
from calwebb_core.framework.products import read_image
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.reference_files import read_reference
from calwebb_core.science.spectral.lrs import SLIT, SLITLESS, lrs_wcs, slit_region
from calwebb_core.science.spectral.pointing import dithered_place, dithered_sky
from calwebb_core.science.spectral.wavelengths import wavelengths, world_of_pixels
from calwebb_core.science.transforms.elementary import Constant, Identity, Remap, Scale, Shift
from calwebb_core.science.world import World

ARCSEC = 0.11
PIXEL = {"IMX": 50.0, "IMY": 100.0, "IMXSLTL": 38.5, "IMYSLTL": 120.0}
# full-frame pixels to V2, V3; the reference pixel of the slit looks at the reference point
IMAGER = Shift(-49.0) & Shift(-99.0) | Scale(ARCSEC) & Scale(ARCSEC) | Shift(-415.0) & Shift(-400.0)
POINTING = {
    "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 100, "SUBSIZE2": 180, "V2_REF": -415.0,
    "V3_REF": -400.0, "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 0.0,
}  # fmt: skip


def keywords(kind=SLIT, **changes):
    return Metadata({"EXP_TYPE": kind} | POINTING | changes, "x_rate.fits")


def table(rows=120):
    """A trace that leans; its rows fall, as those of real files."""
    y = np.linspace(60.0, -70.0, rows)
    columns = {
        "X_CENTER": 0.02 * y, "Y_CENTER": y,
        "WAVELENGTH": 5.0 + 9.0 * np.linspace(0.0, 1.0, rows) ** 0.5,
    }  # fmt: skip
    for corner, (dx, dy) in enumerate(((-20, 0.5), (20, 0.5), (20, -0.5), (-20, -0.5))):
        columns |= {f"X{corner}": 0.02 * y + dx, f"Y{corner}": y + dy}
    return columns


def reference(columns=None, **values):
    columns = table() if columns is None else columns
    data = np.rec.fromarrays(list(columns.values()), names=list(columns))
    metadata = Metadata(PIXEL | values, "specwcs.fits")
    return Reference(
        "specwcs", "specwcs.fits", metadata=metadata, tables={"WAVETABLE": Table(data)}
    )


def pixels(world):
    (x0, x1), (y0, y1) = world.bounding_box
    return np.meshgrid(np.linspace(x0 + 0.1, x1 - 0.1, 31), np.linspace(y0 + 0.1, y1 - 0.1, 67))


@pytest.mark.parametrize("kind", [SLIT, SLITLESS])
@pytest.mark.parametrize("start", [(1, 1), (5, 9)])
def test_there_and_back(kind, start):
    world = lrs_wcs(keywords(kind, SUBSTRT1=start[0], SUBSTRT2=start[1]), IMAGER, reference())
    x, y = pixels(world)
    place = world(x, y)
    seen = np.isfinite(place[2])
    assert seen.sum() > 1800
    back = np.array(world.invert(*place))[:, seen]
    assert np.abs(back - [x[seen], y[seen]]).max() < 1e-8


@pytest.mark.parametrize("start", [(1, 1), (5, 9)])
def test_what_the_trace_sees(start):
    """Along the trace only the wavelength changes; beside it the position along the slit."""
    found = table()
    specwcs = reference(found)
    metadata = keywords(SUBSTRT1=start[0], SUBSTRT2=start[1])
    world = lrs_wcs(metadata, IMAGER, specwcs, smoothing=0.0)
    x, y = 50.0 - start[0], 100.0 - start[1]
    rows = y + found["Y_CENTER"]
    ra, dec, wavelength = world(x + found["X_CENTER"], rows)
    np.testing.assert_allclose(ra, 80.0, atol=1e-11)
    np.testing.assert_allclose(dec, -69.5, atol=1e-11)
    np.testing.assert_allclose(wavelength, found["WAVELENGTH"], rtol=1e-14)
    ra, dec, beside = world(x + found["X_CENTER"] + 10.0, rows)
    np.testing.assert_allclose(beside, wavelength, rtol=1e-14)
    east = (ra - 80.0) * np.cos(np.deg2rad(69.5)) * 3600.0
    np.testing.assert_allclose(np.hypot(east, (dec + 69.5) * 3600.0), 10 * ARCSEC, rtol=1e-5)
    assert np.isnan(world(x, rows.max() + 1e-6)[2])


def test_smoothing_is_bounded_and_can_be_left_out():
    found = table()
    exact = lrs_wcs(keywords(), IMAGER, reference(found), smoothing=0.0)
    smooth = lrs_wcs(keywords(), IMAGER, reference(found))
    rows = 99.0 + found["Y_CENTER"]
    difference = smooth(49.0, rows)[2] - exact(49.0, rows)[2]
    assert 0.0015 < np.nansum(difference**2) < 0.0021


def test_velocity_of_the_observatory():
    here, moving = (lrs_wcs(keywords(**v), IMAGER, reference()) for v in ({}, {"VELOSYS": 30000.0}))
    first, second = here(50.0, 90.0)[2], moving(50.0, 90.0)[2]
    assert first / second == pytest.approx(1.0 + 30000.0 / 299792458.0, rel=1e-12)


def test_box():
    slit = lrs_wcs(keywords(), IMAGER, reference())
    assert slit.bounding_box == ((26.5, 71.5), (29.0, 159.0))
    free = lrs_wcs(keywords(SLITLESS, SUBSTRT2=11), IMAGER, reference())
    assert free.bounding_box == ((3.5, 71.5), (37.5, 170.5))
    moved = lrs_wcs(keywords(SLITLESS, SUBSTRT1=3, SUBSTRT2=11), IMAGER, reference())
    assert moved.bounding_box == ((1.5, 69.5), (37.5, 170.5))


@pytest.mark.parametrize(("dx", "dy", "place"), [(0.0, 0.0, 49.0), (0.55, 0.0, 54.0)])
def test_the_target_is_where_the_dither_puts_it(dx, dy, place):
    """Wherever the coordinates of guide stars put the reference point."""
    metadata = keywords(XOFFSET=dx, YOFFSET=dy, V3I_YANG=0.0, VPARITY=1, RA_REF=80.001)
    world = lrs_wcs(metadata, IMAGER, reference(), smoothing=0.0)
    ra, dec = dithered_sky(metadata, world)
    wavelength = world(49.0, 99.0)[2]
    x, _ = world.invert(ra, dec, wavelength)
    shift = world.invert(80.001, -69.5, wavelength)[0] - 49.0
    assert x - shift == pytest.approx(place, abs=1e-6)


def test_a_dither_needs_the_axes_of_the_aperture():
    assert dithered_place(keywords()) == (-415.0, -400.0)
    with pytest.raises(InputError, match="keyword V3I_YANG is missing"):
        dithered_place(keywords(XOFFSET=1.0))
    turned = keywords(XOFFSET=1.0, YOFFSET=2.0, V3I_YANG=90.0, VPARITY=-1)
    assert dithered_place(turned) == pytest.approx((-413.0, -399.0))


def test_stored_and_read_again():
    world = lrs_wcs(keywords(), IMAGER, reference())
    again = World.from_node(read_tree(write_tree({"wcs": world.node()}))["wcs"])
    x, y = pixels(world)
    np.testing.assert_array_equal(again(x, y), world(x, y))
    np.testing.assert_allclose(world.gwcs()(x, y), world(x, y), rtol=1e-14)
    assert again.available_frames == ["detector", "alpha_beta", "v2v3", "v2v3vacorr", "world"]
    assert again.bounding_box == world.bounding_box


def test_region_of_the_slit():
    world = lrs_wcs(keywords(), IMAGER, reference())
    assert slit_region(world, reference()) is None
    corners = {"V2VERT1": -412.6, "V2VERT2": -417.4, "V2VERT3": -417.4, "V2VERT4": -412.6}
    corners |= {"V3VERT1": -400.3, "V3VERT2": -400.3, "V3VERT3": -399.7, "V3VERT4": -399.7}
    region = slit_region(world, reference(**corners))
    assert region.startswith("POLYGON ICRS  ")
    ra, dec = np.array(region.split()[2:], float).reshape(4, 2).T
    assert np.mean(ra) == pytest.approx(80.0, abs=1e-6)
    assert np.ptp(dec) * 3600.0 == pytest.approx(0.6, abs=1e-3)


def test_spectrum_off_the_detector():
    for changes in ({"SUBSTRT2": 400}, {"SUBSTRT1": 90}, {"SUBSTRT2": 1, "SUBSIZE2": 20}):
        with pytest.raises(InputError, match=r"x_rate.fits: the spectrum is off the detector"):
            lrs_wcs(keywords(**changes), IMAGER, reference())


def without(name):
    return {key: values for key, values in table().items() if key != name}


def with_nan():
    columns = table()
    columns["WAVELENGTH"][3] = np.nan
    return columns


def out_of_order():
    columns = table()
    columns["Y_CENTER"][3] += 50.0
    return columns


@pytest.mark.parametrize(
    ("specwcs", "message"),
    [
        (reference(EXP_TYPE=SLITLESS), "is for EXP_TYPE MIR_LRS-SLITLESS, expected MIR_LRS-FIXED"),
        (reference(without("Y2")), "has no WAVETABLE with Y2"),
        (Reference("specwcs", "specwcs.fits", metadata=Metadata(PIXEL)), "has no WAVETABLE with X"),
        (reference(with_nan()), "has values that are not finite"),
        (reference(out_of_order()), "are not in order"),
        (reference(table(3)), "has 3 rows; expected at least 4"),
        (reference(IMX=None), "has IMX None; expected a pixel"),
    ],
)
def test_references_that_are_refused(specwcs, message):
    with pytest.raises(ReferenceFileError, match=message):
        lrs_wcs(keywords(), IMAGER, specwcs)


def test_other_refusals():
    with pytest.raises(InputError, match="EXP_TYPE MIR_MRS is none of MIRI's low-resolution"):
        lrs_wcs(keywords("MIR_MRS"), IMAGER, reference())
    with pytest.raises(ReferenceFileError, match="a model of 1 to 1"):
        lrs_wcs(keywords(), Identity(1), reference())
    steep = table()
    steep["WAVELENGTH"] = np.where(np.arange(120) < 60, 1e-4, 1.0) * np.arange(120) + 5.0
    with pytest.raises(ReferenceFileError, match="wavelengths of the specwcs reference, smoothed"):
        lrs_wcs(keywords(), IMAGER, reference(steep), smoothing=40.0)


@pytest.mark.realdata
@pytest.mark.parametrize("number", ["0004", "0005", "0006"])
def test_real_tables(realdata, number):
    """The row of each wavelength of the table, to what the smoothing moves it."""
    folder = realdata / "miri_wcs"
    specwcs = read_reference("specwcs", folder / f"jwst_miri_specwcs_{number}.fits")
    tree = read_tree((folder / "jwst_miri_imager_distortion_flt9.asdf").read_bytes())
    kind = SLITLESS if number == "0006" else SLIT
    size = {"SUBSTRT2": 529, "SUBSIZE1": 72, "SUBSIZE2": 416} if kind == SLITLESS else {}
    full = {"SUBSIZE1": 1032, "SUBSIZE2": 1024}
    metadata = keywords(kind, **(full | size))
    data = specwcs.tables["WAVETABLE"].data
    names = {name.upper(): name for name in data.dtype.names}
    wavelength = np.array(data[names["WAVELENGTH"]], float)
    for smoothing, limit in ((0.0, 1e-9), (0.002, 0.25)):
        world = lrs_wcs(metadata, tree["model"], specwcs, smoothing=smoothing)
        y0 = (828.0 - 528.0) if kind == SLITLESS else 299.7
        ra, dec, _ = world(world.bounding_box[0][0] + 20.0, y0)
        row = world.invert(ra, dec, wavelength, with_bounding_box=False)[1]
        off = row - y0 - np.array(data[names["Y_CENTER"]], float)
        assert np.nanmax(np.abs(off)) < limit
        assert np.isfinite(off).sum() >= wavelength.size - 4


def named(transform, name):
    """The part of a transform that has a name."""
    if transform.name == name:
        return transform
    parts = (getattr(transform, key, None) for key in ("first", "second"))
    return next((found for part in parts if part and (found := named(part, name))), None)


@pytest.mark.realdata
def test_product_of_the_official_pipeline(realdata):
    """Its WCS is read, has the wavelengths of its WAVELENGTH array, and is made here again."""
    path = realdata / "miri_lrs" / "ERS_NGTS10_2022_new_drift_041_calints.fits"
    if not path.is_file():
        pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    spectrum = read_image(path)
    theirs = np.array(world_of_pixels(spectrum.wcs, spectrum.data.shape))
    np.testing.assert_array_equal(np.isnan(theirs[2]), np.isnan(wavelengths(spectrum)))
    np.testing.assert_allclose(theirs[2], wavelengths(spectrum), rtol=6e-8)

    first, to_v2v3 = spectrum.wcs.transforms[:2]
    shift, wave = named(first, "xshiftref"), named(first, "waveref")
    arcsec = float(first(38.5, 300.0)[0] - first(37.5, 300.0)[0])
    slit = Shift(-37.5) & Shift(-828.0) | Scale(arcsec) & Scale(arcsec)
    light = Remap([0, 1, 0]) | Identity(2) & Constant(9.0)
    imager = (slit | light | to_v2v3 | Remap([0, 1], 3)).with_inverse(
        light | to_v2v3.inverse | Remap([0, 1], 3) | slit.inverse
    )
    columns = {
        "X_CENTER": shift.values, "Y_CENTER": wave.points - 300.0, "WAVELENGTH": wave.values,
    }  # fmt: skip
    for corner, dy in enumerate((0.5, 0.5, -0.5, -0.5)):
        columns |= {f"X{corner}": shift.values, f"Y{corner}": columns["Y_CENTER"] + dy}
    specwcs = reference(columns, IMXSLTL=38.5, IMYSLTL=829.0)
    ours = lrs_wcs(spectrum.metadata, imager, specwcs, smoothing=0.0)
    assert ours.bounding_box == spectrum.wcs.bounding_box
    found = np.array(world_of_pixels(ours, spectrum.data.shape))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(theirs))
    away = np.mod(found - theirs + 180.0, 360.0) - 180.0
    assert np.nanmax(np.abs(away)) < 1e-12
