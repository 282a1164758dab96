"""Pictures of spectra and light curves: what is drawn where, and the same bytes again."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from click.testing import CliRunner

from calwebb_core.framework.catalogs import write_catalog
from calwebb_core.framework.command_quicklook import main
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_layout import scan
from calwebb_core.framework.product_writing import write_image
from calwebb_core.framework.quicklook import write_quicklook
from calwebb_core.framework.quicklook_curves import (
    binned_curve,
    clock_of,
    clocks_of,
    error_of,
    head_of,
    is_flux,
    numbers_of,
    relative,
    scatter,
    times_of,
)
from calwebb_core.framework.quicklook_dispersed import lit, shows_spectra
from calwebb_core.framework.quicklook_panels import WIDTH, labels_of, round_values, wavelength_ticks
from calwebb_core.framework.quicklook_series import averaged, draw_series, series_of, time_bins
from calwebb_core.framework.quicklook_spectra import curve_of, draw_spectra, span
from calwebb_core.framework.quicklook_traces import along_means, crossing, draw_traces, middle
from calwebb_core.framework.slit_products import write_slits
from calwebb_core.framework.spectra import Spectra
from calwebb_core.framework.spectra_products import read_spectra

from .samples import sample_image
from .spectra_samples import (
    START,
    photometry,
    slit,
    slits,
    spectra,
    spectrum,
    star,
    transit,
    white_light,
)
from .test_quicklook import size_of
from .test_slits import wcs_of

SMALL = (20, 120)


@pytest.fixture
def products(tmp_path):
    """One product of each kind that has a picture of its own."""
    write_slits(slits("S200A1", "S400A1", shape=SMALL), tmp_path / "a_cal.fits")
    write_slits(slits("S1600A1", shape=SMALL, nints=4), tmp_path / "b_calints.fits")
    spectra(tmp_path / "c_x1d.fits")
    spectra(tmp_path / "d_c1d.fits")
    spectra(tmp_path / "e_x1dints.fits", spectrum("x1dints", nwave=130, nints=40))
    white_light(tmp_path / "f_whtlt.ecsv")
    photometry(tmp_path / "g_phot.ecsv")
    return tmp_path


def test_every_kind_has_a_picture_and_the_same_bytes_again(products):
    paths = sorted([*products.glob("*.fits"), *products.glob("*.ecsv")])
    assert len(paths) == 7
    for path in paths:
        png, again = path.with_suffix(".png"), path.with_suffix(".again.png")
        write_quicklook(path, png)
        write_quicklook(path, again)
        assert size_of(png)[0] == WIDTH
        assert 200 < size_of(png)[1] < 1200
        assert png.read_bytes() == again.read_bytes()


def texts_of(figure):
    """Every text of a figure: titles, labels, ticks and notes."""
    from matplotlib.text import Text

    figure.canvas.draw()
    found = [item.get_text() for item in figure.findobj(Text) if item.get_visible()]
    return [text for text in found if text]


def test_spectra_in_two_dimensions_have_pixels_and_wavelengths(products):
    path = products / "a_cal.fits"
    figure, _ = draw_traces(path, scan(path))
    texts = texts_of(figure)
    assert "wavelength (µm)" in texts
    assert "column (0-based pixel)" in texts
    assert {"S200A1   source 1   POINT", "S400A1   source 1   POINT"} <= set(texts)
    assert texts.count("MJy") == 2
    assert any("WASP-39" in text and "G235H" in text for text in texts)


def test_the_aperture_is_drawn_where_it_was_extracted(products):
    path = spectra(products / "a_x1d.fits", spectrum(name="S400A1"))
    product = products / "a_cal.fits"
    figure, _ = draw_traces(product, scan(product), path)
    first, second = figure.axes[:2]
    outline = [line for line in second.lines if len(line.get_xdata()) == 5]
    assert not [line for line in first.lines if len(line.get_xdata()) == 5]
    (box,) = outline
    # keywords count pixels from 1, and name the first and the last one
    assert (min(box.get_ydata()), max(box.get_ydata())) == (12.5, 23.5)
    assert (min(box.get_xdata()), max(box.get_xdata())) == (-0.5, 899.5)


def test_a_spectrum_along_y_is_turned(tmp_path):
    write_slits(slits("S1600A1", shape=SMALL, axis=2), tmp_path / "a_cal.fits")
    path = spectra(tmp_path / "a_x1d.fits", spectrum(name="S1600A1"))
    figure, _ = draw_traces(tmp_path / "a_cal.fits", scan(tmp_path / "a_cal.fits"), path)
    axes = figure.axes[0]
    assert axes.get_xlabel() == "row (0-based pixel)"
    assert axes.get_xlim() == (-0.5, SMALL[1] - 0.5)
    assert axes.get_ylim() == (2.5, SMALL[0] - 0.5)  # rows without wavelength are cut off
    (box,) = [line for line in axes.lines if len(line.get_xdata()) == 5]
    assert (min(box.get_xdata()), max(box.get_xdata())) == (12.5, 23.5)


def test_an_image_with_the_wcs_of_a_spectrum(tmp_path):
    image = sample_image((12, 30))
    image.metadata["DISPAXIS"] = 1
    image.dq[:] = 0
    image.wcs = wcs_of(4.0)
    write_image(image, tmp_path / "x_cal.fits")
    hdus = scan(tmp_path / "x_cal.fits")
    assert shows_spectra(hdus)
    figure, _ = draw_traces(tmp_path / "x_cal.fits", hdus)
    assert "wavelength (µm)" in texts_of(figure)


def test_a_spectrum_without_wavelengths_says_so(tmp_path):
    model = slits("S200A1", shape=SMALL)
    model.slits[0].planes.clear()
    write_slits(model, tmp_path / "x_cal.fits")
    figure, _ = draw_traces(tmp_path / "x_cal.fits", scan(tmp_path / "x_cal.fits"))
    assert "no wavelengths: neither WAVELENGTH nor a WCS" in texts_of(figure)


def test_images_are_no_spectra(tmp_path):
    write_image(sample_image((4, 5)), tmp_path / "x_cal.fits")
    assert not shows_spectra(scan(tmp_path / "x_cal.fits"))


def test_every_slit_has_its_own_unit(tmp_path):
    model = slits("S200A1", "S400A1", shape=SMALL)
    model.slits[1].metadata["BUNIT"] = "MJy/sr"
    write_slits(model, tmp_path / "x_cal.fits")
    figure, _ = draw_traces(tmp_path / "x_cal.fits", scan(tmp_path / "x_cal.fits"))
    assert {"MJy", "MJy/sr"} <= set(texts_of(figure))


def test_many_slits_are_counted(tmp_path):
    write_slits(slits(*[f"S{n}" for n in range(14)], shape=(8, 20)), tmp_path / "x_cal.fits")
    figure, _ = draw_traces(tmp_path / "x_cal.fits", scan(tmp_path / "x_cal.fits"))
    assert any("12 of 14 spectra" in text for text in texts_of(figure))


def test_spectra_of_four_dimensions_are_refused(tmp_path):
    write_slits(slits("S200A1", shape=SMALL), tmp_path / "x_cal.fits")
    with fits.open(tmp_path / "x_cal.fits") as hdus:
        hdus["SCI"].data = hdus["SCI"].data[None, None]
        hdus.writeto(tmp_path / "y_cal.fits")
    with pytest.raises(InputError, match=r"SCI 1 has shape \(1, 1, 20, 120\); expected a spectrum"):
        write_quicklook(tmp_path / "y_cal.fits", tmp_path / "y.png")


def test_the_aperture_may_come_from_the_command_line(products):
    path = spectra(products / "a_x1d.fits", spectrum(name="S400A1"))
    arguments = [
        str(products / "a_cal.fits"),
        "-o",
        str(products / "a.png"),
        "--spectra",
        str(path),
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    write_quicklook(products / "a_cal.fits", products / "b.png")
    assert (products / "a.png").read_bytes() != (products / "b.png").read_bytes()


def test_a_spectrum_is_drawn_with_errors_and_flags(products):
    read = read_spectra(products / "c_x1d.fits")
    texts = texts_of(draw_spectra(read))
    assert "flux (Jy)" in texts
    assert "wavelength (µm)" in texts
    assert any("3 of 400 points flagged (x)   1 outside of the picture" in text for text in texts)
    assert any("median signal/noise 99.9" in text for text in texts)


def test_brightness_is_shown_where_there_is_no_flux():
    one = spectrum()
    one.columns["FLUX"][:] = 0
    one.columns["SURF_BRIGHT"] = star(one.columns["WAVELENGTH"])
    one.units["SURF_BRIGHT"] = "MJy/sr"
    curve = curve_of(one)
    assert (curve.quantity, curve.unit) == ("surface brightness", "MJy/sr")


def test_a_spectrum_is_drawn_in_the_order_of_wavelength():
    one = spectrum()
    for name, values in one.columns.items():
        one.columns[name] = values[::-1]
    turned, straight = curve_of(one), curve_of(spectrum())
    np.testing.assert_array_equal(turned.wavelength, straight.wavelength)
    np.testing.assert_array_equal(turned.value, straight.value)
    np.testing.assert_array_equal(turned.flagged, straight.flagged)


@pytest.mark.parametrize("value", [np.full(5, np.nan), np.zeros(5), np.full(5, 3.0)])
def test_spectra_without_a_range_are_drawn_all_the_same(tmp_path, value):
    one = spectrum(nwave=200)
    one.columns["FLUX"][:] = value[0]
    one.columns["FLUX_ERROR"][:] = 0
    write_quicklook(spectra(tmp_path / "x_x1d.fits", one), tmp_path / "x.png")
    low, high = span(value, np.zeros(5))
    assert low < high


def white_of(one):
    series = series_of(one)
    return series.brightness(series.spectrum)


def test_the_white_light_shows_the_transit_whatever_is_missing():
    one = spectrum("x1dints", nwave=130, nints=40, noise=1e-6)
    one.columns["FLUX"][:, 100] = np.nan  # the outlier
    whole = white_of(one)[0]
    rng = np.random.default_rng(8)
    one.columns["DQ"][rng.uniform(size=(40, 130)) < 0.2] = 1
    white, error = white_of(one)
    expected = transit(np.linspace(0, 4, 40))
    np.testing.assert_allclose(white, expected / np.median(expected), rtol=2e-5)
    np.testing.assert_allclose(white, whole, rtol=2e-5)
    assert np.all((error > 0) & (error < 1e-6))


def test_the_map_is_relative_to_the_median_spectrum():
    one = spectrum("x1dints", nwave=130, nints=40, noise=1e-7)
    one.columns["FLUX"][:, 100] = np.nan
    shown, along = averaged(series_of(one))
    expected = transit(np.linspace(0, 4, 40))
    assert shown.shape == (65, 40)
    assert np.isnan(shown[15]).all()  # both wavelengths are flagged
    expected = np.broadcast_to(expected / np.median(expected) - 1, shown.shape)
    np.testing.assert_allclose(np.delete(shown, 15, 0), np.delete(expected, 15, 0), atol=1e-6)
    assert along[0] == pytest.approx((1.5 + 1.5 + 1.5 / 129) / 2)


def test_a_series_is_drawn_against_time():
    parts = [spectrum("x1dints", nwave=50, nints=30)]
    texts = texts_of(draw_series(Spectra(slits().metadata, parts, {}, "x1dints")))
    assert "hours since MJD 60123.503000 (TDB at the barycentre)" in texts
    assert "less or more than the median spectrum (%)" in texts
    assert "white light (all wavelengths)" in texts


def test_a_series_without_times_is_drawn_by_integration():
    one = spectrum("x1dints", nwave=50, nints=30)
    for name in ("MJD-AVG", "TDB-MID"):
        one.columns[name][:] = np.nan
    texts = texts_of(draw_series(Spectra(slits().metadata, [one], {}, "x1dints")))
    assert "integration" in texts


def test_an_empty_series_is_drawn(tmp_path):
    one = spectrum("x1dints", nwave=5, nints=2)
    one.columns["FLUX"][:] = np.nan
    write_quicklook(spectra(tmp_path / "x_x1dints.fits", one), tmp_path / "x.png")
    assert size_of(tmp_path / "x.png")[0] == WIDTH


def test_integrations_fall_into_columns_of_their_time():
    hours = np.array([0.0, 0.1, 0.2, 0.3, 0.7, 0.8])
    assert time_bins(hours).tolist() == [0, 1, 2, 3, 7, 8]  # the gap stays empty
    many = np.linspace(0, 10, 5000)
    places = time_bins(many)
    assert np.all(np.diff(places) >= 0)
    assert 700 < places.max() <= 780
    assert time_bins(np.zeros(3)).tolist() == [0, 0, 0]


def test_scatter_is_that_of_neighbours():
    hours = np.linspace(0, 4, 4000)
    noise = np.random.default_rng(1).normal(0, 1e-4, hours.size)
    flux = transit(hours) + noise
    flux[50] = 2.0
    assert scatter(flux) == pytest.approx(1e-4, rel=0.05)
    assert np.isnan(scatter(flux[:3]))


def test_means_of_bins_have_the_error_of_a_mean():
    time = np.linspace(0, 1, 6000)
    flux = np.random.default_rng(2).normal(1, 0.01, time.size)
    _, mean, spread = binned_curve(time, flux)
    assert mean.size == 60
    assert np.median(spread) == pytest.approx(0.01 / np.sqrt(99), rel=0.05)
    assert np.std(mean) == pytest.approx(0.001, rel=0.4)


def test_light_curves_are_relative_to_their_median():
    flux, error = relative(np.array([2.0, 4.0, 6.0]), np.array([0.4, 0.4, 0.4]))
    assert flux.tolist() == [0.5, 1, 1.5]
    assert error.tolist() == [0.1, 0.1, 0.1]
    flux, _ = relative(np.zeros(3), np.zeros(3))
    assert flux.tolist() == [0, 0, 0]
    columns = {"a_flux": flux, "a_flux_error": flux + 1, "b": flux, "c": flux, "c_err": flux + 2}
    assert error_of(columns, "a_flux").tolist() == [1, 1, 1]
    assert error_of(columns, "c").tolist() == [2, 2, 2]
    assert np.isnan(error_of(columns, "b")).all()


def test_times_are_hours_since_the_first():
    clock = clock_of(np.array([60000.5, 60000.0]), "UTC")
    assert clock.since.tolist() == [12.0, 0.0]
    assert clock.label == "hours since MJD 60000.000000 (UTC)"
    days = np.array([2460000.5, 2460001.5])
    assert clock_of(days, "TDB").label.startswith("hours since JD 2460000.5")
    short = clock_of(np.array([60000.0, 60000.0 + 0.25 / 24]), "UTC")
    assert short.since.tolist() == pytest.approx([0, 15])
    assert short.label.startswith("minutes since")
    assert clock_of(np.zeros(2), "").since.tolist() == [1, 2]


def test_light_curves_without_time_or_flux_are_refused(tmp_path):
    write_catalog(QTable({"MJD": [1.0], "x": [2.0]}), tmp_path / "a_phot.ecsv")
    with pytest.raises(InputError, match="has no column of fluxes such as net_aperture_sum"):
        write_quicklook(tmp_path / "a_phot.ecsv", tmp_path / "a.png")
    write_catalog(QTable({"net_aperture_sum": [2.0]}), tmp_path / "b_phot.ecsv")
    with pytest.raises(InputError, match="has no times; expected a light curve with rows"):
        write_quicklook(tmp_path / "b_phot.ecsv", tmp_path / "b.png")


def test_the_head_of_a_light_curve_is_its_title(tmp_path):
    table = QTable({"MJD": [1.0], "net_aperture_sum": [2.0]}, meta={"instrument": "NIRCAM",
                   "filter": "F444W", "pupil": None, "target_name": "WASP-39"})  # fmt: skip
    assert head_of(table) == "WASP-39   NIRCAM   F444W"


def test_two_detectors_have_times_of_their_own(tmp_path):
    hours = np.linspace(0, 4, 30)
    times = START + hours / 24
    short = np.where(hours < 3, times + 0.01, np.nan)  # filled up to the longer one
    table = {}
    for name, days in (("NRS1", times), ("NRS2", short)):
        table[f"MJD_UTC_{name}"] = table[f"BJD_TDB_{name}"] = days
        table[f"whitelight_flux_{name}"] = np.where(np.isfinite(days), transit(hours), np.nan)
        table[f"whitelight_flux_error_{name}"] = np.full(30, 1e-4)
    write_catalog(QTable(table), tmp_path / "x_whtlt.ecsv")
    write_quicklook(tmp_path / "x_whtlt.ecsv", tmp_path / "x.png")
    write_quicklook(white_light(tmp_path / "y_whtlt.ecsv", 200), tmp_path / "y.png")
    assert size_of(tmp_path / "x.png")[1] == size_of(tmp_path / "y.png")[1] + 316
    columns = {name: np.asarray(values) for name, values in table.items()}
    found = [times_of(tmp_path, columns, f"whitelight_flux_{name}") for name in ("NRS1", "NRS2")]
    masks, clocks = clocks_of(found)
    assert [mask.sum() for mask in masks] == [30, 22]
    assert clocks[1].since[0] == pytest.approx(0.24)
    assert is_flux("whitelight_flux_NRS1")
    assert not is_flux("whitelight_flux_error_NRS1")


def test_rows_of_two_detectors_are_panels_of_their_own(tmp_path):
    days = START + np.linspace(0, 0.1, 20)
    flux = np.concatenate([transit(np.linspace(0, 4, 20)), np.full(20, 7.0)])
    table = {"MJD": np.concatenate([days, days]), "net_aperture_sum": flux}
    table |= {"net_aperture_sum_err": np.repeat([0.1, 0.2], 20), "annulus_sum": flux}
    curve = QTable(table | {"detector": ["NRCA1"] * 20 + ["NRCA3"] * 20})
    write_catalog(curve, tmp_path / "x_phot.ecsv")
    write_quicklook(tmp_path / "x_phot.ecsv", tmp_path / "x.png")
    columns = numbers_of(curve)
    assert [name for name in columns if is_flux(name)] == [
        "net_aperture_sum_NRCA1", "net_aperture_sum_NRCA3",
    ]  # fmt: skip
    assert columns["net_aperture_sum_NRCA3"].tolist() == [7.0] * 20
    assert error_of(columns, "net_aperture_sum_NRCA3").tolist() == [0.2] * 20
    assert times_of(tmp_path, columns, "net_aperture_sum_NRCA1")[0].tolist() == days.tolist()
    assert list(numbers_of(curve[:20])) == list(table)


def test_a_long_series_without_any_flux_has_a_picture(tmp_path):
    days = START + np.linspace(0, 0.1, 200)
    nothing = np.full(200, np.nan)
    names = ("whitelight_flux", "whitelight_flux_error")
    write_catalog(
        QTable({"MJD_UTC": days} | dict.fromkeys(names, nothing)), tmp_path / "x_whtlt.ecsv"
    )
    write_quicklook(tmp_path / "x_whtlt.ecsv", tmp_path / "x.png")
    assert size_of(tmp_path / "x.png")[0] > 0
    empty = spectrum("x1dints", nwave=130, nints=200)
    empty.columns["FLUX"][:] = np.nan
    spectra(tmp_path / "y_x1dints.fits", empty)
    write_quicklook(tmp_path / "y_x1dints.fits", tmp_path / "y.png")
    assert size_of(tmp_path / "y.png")[0] > 0


def test_light_curves_without_any_time_are_drawn_by_integration(tmp_path):
    masks, clocks = clocks_of([(np.full(3, np.nan), "")])
    assert masks[0].all()
    assert clocks[0].since.tolist() == [1, 2, 3]


def test_round_values_and_their_labels():
    assert round_values(1.5, 3.0, 8).tolist() == pytest.approx(
        [1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3]
    )
    assert labels_of([1.8, 2.0, 2.25]) == ["1.80", "2.00", "2.25"]
    assert labels_of([10, 20]) == ["10", "20"]
    assert round_values(2.0, 2.0, 5).tolist() == [2.0]


def test_ticks_do_not_crowd_where_the_dispersion_is_low():
    along = 14 - 9 * (np.arange(400) / 399) ** 4  # falling, and at first hardly
    ticks = wavelength_ticks(along, 400)
    places = [place for _, place in ticks]
    assert len(ticks) > 3
    assert np.all(np.diff(places) >= 44)
    for value, place in ticks:
        assert np.interp(place, np.arange(400), along) == pytest.approx(value, abs=0.02)
    assert wavelength_ticks(np.full(5, np.nan), 100) == []


def test_rows_and_columns_without_wavelength_are_cut():
    wavelength = np.full((5, 6), np.nan)
    wavelength[1:4, 2:5] = 1.0
    assert lit(wavelength) == (slice(1, 4), slice(2, 5))
    assert lit(np.full((5, 6), np.nan)) == (slice(0, 5), slice(0, 6))


def test_the_middle_row_and_where_a_wavelength_is():
    wavelength = np.array([[1.0, 2, 3], [1.1, 2.1, np.nan], [1.2, 2.2, np.nan]])
    assert middle(wavelength).tolist() == [1.1, 2.1, 3.0]
    assert crossing(wavelength[0], 2.5) == pytest.approx(1.5)
    assert crossing(wavelength[0][::-1], 2.5) == pytest.approx(0.5)
    assert np.isnan(crossing(wavelength[0], 4.0))
    assert np.isnan(crossing(np.full(3, np.nan), 4.0))


def test_means_along_the_dispersion():
    image = np.array([[1, 3, np.nan, 5, 7]], np.float32)
    assert along_means(image, 2)[0].tolist() == [2.0, 5.0, 7.0]
    assert np.isnan(along_means(np.full((1, 2), np.nan, np.float32), 2)[0, 0])
    np.testing.assert_array_equal(along_means(image, 1), image)


def test_cubes_are_shown_as_their_mean(products):
    path = products / "b_calints.fits"
    figure, _ = draw_traces(path, scan(path))
    assert any("mean of 4 integrations" in text for text in texts_of(figure))
    assert slit("A", shape=SMALL, nints=4).data.shape == (4, *SMALL)
