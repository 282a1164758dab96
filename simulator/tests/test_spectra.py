"""Spectra of a star: light where it belongs, noise as the errors say, truth that can be scored."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.product_reading import read_image
from calwebb_core.framework.products import open_raw
from calwebb_simulator.detector import detector_properties
from calwebb_simulator.plan import Planned, plan
from calwebb_simulator.run import run
from calwebb_simulator.scenario import Scenario, with_options
from calwebb_simulator.scenario_file import load_scenario
from calwebb_simulator.score import score
from calwebb_simulator.score_white import white_curves
from calwebb_simulator.spectra.choice import mode_of
from calwebb_simulator.spectra.flats import whole_flat
from calwebb_simulator.spectra.light import SpectralLight, drifts, factors, spectral_light
from calwebb_simulator.spectra.modes import MODES, SpectralMode
from calwebb_simulator.spectra.response import conversion, pixel_steradian
from calwebb_simulator.spectra.run import run_rates
from calwebb_simulator.spectra.star import Star
from calwebb_simulator.spectra.truth_file import TrueSpectrum, read_rows, read_truth
from calwebb_simulator.transit import TargetStar

SMALL = ("lrs-slitless", "nirspec-bright", "nircam-grism")
EVEN = frozenset({"photon_noise", "read_noise"})


def drawn(name: str) -> tuple[Scenario, SpectralMode, Planned, SpectralLight, Any]:
    """Draw the light of a scenario's first exposure on a perfect detector."""
    scenario = replace(load_scenario(name), effects=EVEN)
    entry = plan(scenario)[0]
    mode = mode_of(entry)
    assert mode is not None
    properties = detector_properties(entry.instrument, entry.frame, 0, EVEN)
    return scenario, mode, entry, spectral_light(scenario, mode, entry, properties), properties


@pytest.mark.parametrize("name", SMALL)
def test_light_sums_to_the_flux(name: str) -> None:
    """Across the spectrum, calibrated light is the star's flux (but for far wings)."""
    scenario, mode, _, light, _ = drawn(name)
    assert scenario.scene.target is not None
    star = Star(mode, replace(scenario.scene.target, lines=0.0))
    scenario = replace(scenario, scene=replace(scenario.scene, target=star.target))
    entry = plan(scenario)[0]
    properties = detector_properties(entry.instrument, entry.frame, 0, EVEN)
    light = spectral_light(scenario, mode, entry, properties)
    known = np.isfinite(light.wavelength)
    wave = np.where(known, light.wavelength, mode.high)
    factor = 1.0 if mode.instrument == "NIRSPEC" else pixel_steradian(mode)
    flat = whole_flat(
        mode, mode.slit, wave, properties.flat, (entry.frame.x_start, entry.frame.y_start)
    )
    values = np.where(
        known, light.star / flat * conversion(mode, wave, mode.slit) * factor * 1e6, 0.0
    )
    axis = mode.axis - 1  # across the dispersion
    count = known.sum(axis=axis)
    total, middle = values.sum(axis=axis), wave.sum(axis=axis, where=known) / np.maximum(count, 1)
    whole = count > 0.9 * count.max()
    ratio = total[whole] / star.flux(middle[whole])
    inner = slice(len(ratio) // 10, -len(ratio) // 10)
    assert np.median(ratio) == pytest.approx(1, abs=0.02)
    assert np.std(ratio[inner]) < 0.03


@pytest.mark.parametrize("name", ["lrs-slitless", "nircam-grism"])
def test_lines_are_where_they_belong(name: str) -> None:
    """The darkest pixel near each absorption line is the one of its wavelength."""
    _, mode, _, light, _ = drawn(name)
    star = Star(mode, TargetStar(magnitude=10.0))
    row = int(light.star.sum(axis=2 - mode.axis).argmax())
    wave = np.take(light.wavelength, row, axis=mode.axis - 1)
    along = light.star.sum(axis=mode.axis - 1) / star.continuum(np.nan_to_num(wave, nan=1.0))
    for line, width in zip(star.lines[[0, 3]], star.widths[[0, 3]], strict=True):
        near = np.abs(wave - line) < 3 * width
        found = wave[near][np.argmin(along[near])]
        assert found == pytest.approx(line, abs=1.5 * np.nanmax(np.abs(np.diff(wave))))


def test_transit_and_drift() -> None:
    """The first part of what changes is the transit, the second the drift."""
    scenario, mode, _, light, _ = drawn("lrs-slitless")
    entries = plan(scenario)
    levels = np.concatenate([factors(scenario, mode, entry) for entry in entries])
    assert levels[0, 0] == 0
    assert levels[30, 0] == -1
    drift = np.concatenate([drifts(scenario, mode, entry) for entry in entries])
    assert np.std(drift) == pytest.approx(0.6e-3 / mode.scale, rel=0.4)
    bright = light.star > 100
    depth = light.missing[bright] / light.star[bright]
    assert 0.010 < depth.min() < depth.max() < 0.015
    # a drift only moves light
    assert abs(light.moved.sum()) < 1e-3 * np.abs(light.moved).sum()


def test_rates_of_a_series(tmp_path: Path) -> None:
    """Rates have an image an integration, times, and errors as large as their scatter."""
    scenario = with_options(load_scenario("lrs-slitless"), integrations=4, segments=2)
    scenario = replace(scenario, effects=EVEN, pointing=replace(scenario.pointing, drift=0.0))
    paths = run_rates(scenario, tmp_path, references=False)
    image = read_image(paths[1])
    assert image.data.shape == (2, 416, 72)
    assert image.metadata["EXP_TYPE"] == "MIR_LRS-SLITLESS"
    assert list(image.tables["INT_TIMES"].data["integration_number"]) == [3, 4]
    with fits.open(tmp_path / "truth" / f"{paths[1].name[:-14]}_truth.fits") as truth:
        light = truth["STAR"].data + truth["SKY"].data
        shape = truth["LIGHT_CURVE"].data["shape"]
    pull = (image.data[0] - light * (1 - 0.0 * shape[0])) / image.err[0]
    dark = np.nanmedian(pull)
    assert np.nanstd(pull[np.abs(pull - dark) < 5]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", ["lrs-slit", "nirspec-slit"])
def test_nods(tmp_path: Path, name: str) -> None:
    """The star is in another place of the slit in each nod, and only in its own slit."""
    scenario = load_scenario(name)
    entries = plan(scenario)
    mode = mode_of(entries[0])
    assert mode is not None
    places = []
    for entry in entries:
        properties = detector_properties(entry.instrument, entry.frame, 0, EVEN)
        light = spectral_light(scenario, mode, entry, properties)
        profile = light.star.sum(axis=2 - mode.axis)
        places.append(int(profile.argmax()))
        assert light.star.max() > 100 * np.median(light.star)
    first, second = (np.array(place) for place in entries[0].group.dithers)
    nod = np.abs(second - first).max()
    assert abs(places[1] - places[0]) == pytest.approx(nod / mode.scale, abs=2)


def test_ramps(tmp_path: Path) -> None:
    """Ramps of a spectrum have its keywords; references are only those that it needs."""
    scenario = with_options(load_scenario("lrs-slitless"), integrations=2, segments=2, groups=3)
    outcome = run(replace(scenario, effects=EVEN), tmp_path)
    with open_raw(outcome.raw[1]) as raw:
        assert raw.shape == (1, 3, 416, 72)
        assert raw.metadata["FILTER"] == "P750L"
        assert raw.metadata["TEMPLATE"] == "MIRI Low Resolution Spectroscopy"
        first, last = (raw.read_rows(0, 380, 400)[group] for group in (0, 2))
        assert (last - first).max() > 1000
    kinds = {path.name.split("_")[2] for path in (outcome.cache / "references").rglob("jwst_*")}
    assert {"specwcs", "photom", "extract1d", "psf", "dark", "gain"} <= kinds
    assert not {"abvegaoffset", "area", "pathloss"} & kinds


def test_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same options give the same rates."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    scenario = with_options(load_scenario("nircam-grism"), integrations=2, segments=1)
    texts = []
    for name in ("one", "two"):
        path = run_rates(scenario, tmp_path / name, references=False)[0]
        texts.append(path.read_bytes())
    assert texts[0] == texts[1]


def test_scores(tmp_path: Path) -> None:
    """Products that are the truth score as such; a shifted one does not."""
    scenario = with_options(load_scenario("nircam-grism"), integrations=8, segments=1)
    paths = run_rates(scenario, tmp_path, references=False)
    root = paths[0].name.removesuffix("_rateints.fits")
    with fits.open(tmp_path / "truth" / f"{root}_truth.fits") as truth:
        spectrum, curve = truth["SPECTRUM"].data, truth["LIGHT_CURVE"].data
    wave = np.arange(2.5, 3.9, 0.001)
    flux = np.interp(wave, spectrum["wavelength"], spectrum["flux"])
    depth = np.interp(wave, spectrum["wavelength"], spectrum["depth"])
    cube = flux * (1 - curve["shape"][:, None] * depth)
    write_x1dints(tmp_path / "results" / f"{root}_x1dints.fits", wave + 0.002, cube)
    figures = score(tmp_path / "truth", tmp_path / "results")
    found = figures["spectra"][root]
    assert found["line_offset"] == pytest.approx(0.5, abs=0.1)
    series = next(iter(figures["light_curves"].values()))
    assert series["depth"] == pytest.approx(series["depth_true"], rel=0.02)
    write_x1dints(tmp_path / "results" / f"{root}_x1dints.fits", wave, cube)
    figures = score(tmp_path / "truth", tmp_path / "results")
    assert abs(figures["spectra"][root]["flux_bias"]) < 1e-3
    assert figures["spectra"][root]["line_offset"] < 0.02
    json.dumps(figures["spectra"])


def write_x1dints(path: Path, wave: np.ndarray, cube: np.ndarray) -> None:
    """Write spectra of integrations."""
    path.parent.mkdir(exist_ok=True)
    count = len(wave)
    vectors = [(name, "f8", (count,)) for name in ("WAVELENGTH", "FLUX", "FLUX_ERROR")]
    rows = np.zeros(len(cube), dtype=[("INT_NUM", "i4"), *vectors])
    rows["WAVELENGTH"], rows["FLUX"], rows["FLUX_ERROR"] = wave, cube, 1e-3 * cube
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(rows, name="EXTRACT1D")])
    hdus.writeto(path, overwrite=True)


def test_the_flat_field_is_no_noise(tmp_path: Path) -> None:
    """Simulated flat fields are exact: spectra scatter by photons and reading alone."""
    names = ("WAVELENGTH", "FLUX", "FLUX_ERROR", "FLUX_VAR_FLAT")
    rows = np.zeros(4, dtype=[(name, "f8") for name in names])
    rows["FLUX_ERROR"], rows["FLUX_VAR_FLAT"] = 5.0, (16.0, 0.0, np.nan, 30.0)
    fits.BinTableHDU(rows).writeto(tmp_path / "x1d.fits")
    np.testing.assert_allclose(read_rows(tmp_path / "x1d.fits")[2], [[3.0, 5.0, 5.0, 5.0]])


def test_white_light(tmp_path: Path) -> None:
    """A white light curve is scored by its times."""
    scenario = with_options(load_scenario("nircam-grism"), integrations=24, segments=3)
    run_rates(scenario, tmp_path, references=False)
    curves = []
    for path in sorted((tmp_path / "truth").glob("*_truth.fits")):
        with fits.open(path) as truth:
            curves.append(np.array(truth["LIGHT_CURVE"].data))
    curve = np.concatenate(curves)
    flux = 5 * (1 - 0.0122 * curve["shape"])
    table = Table({"MJD_UTC": curve["mjd_utc"], "whitelight_flux_order_1": flux})
    (tmp_path / "results").mkdir()
    table.write(tmp_path / "results" / "jw01705_whtlt.ecsv", format="ascii.ecsv")
    figures = score(tmp_path / "truth", tmp_path / "results")
    found = figures["light_curves"]["jw01705_whtlt.ecsv"]
    assert found["depth"] == pytest.approx(0.0122, rel=1e-3)


def test_white_light_of_detectors(tmp_path: Path) -> None:
    """Columns of several detectors have times of their own, and may be short of some rows."""
    curve = np.zeros(9, dtype=[("mjd_utc", "f8"), ("shape", "f8")])
    curve["mjd_utc"], curve["shape"][3:6] = 60000 + np.arange(9.0), 1.0
    wave = np.linspace(1.0, 2.0, 50)
    star = TrueSpectrum(wave, np.ones(50), np.full(50, 0.02), np.zeros(0), curve)
    known = {"jw1_nrs1": star, "jw1_nrs2": replace(star, depth=np.full(50, 0.01))}
    columns: dict[str, np.ndarray] = {}
    for root, truth in known.items():
        name = root.removeprefix("jw1_").upper()
        columns[f"MJD_UTC_{name}"] = curve["mjd_utc"]
        columns[f"whitelight_flux_{name}"] = 3 * (1 - truth.depth[0] * curve["shape"])
        columns[f"whitelight_flux_error_{name}"] = np.full(9, 3e-4)
    table = Table(columns, masked=True)
    table["whitelight_flux_NRS2"].mask[8] = True
    table.write(tmp_path / "jw1_whtlt.ecsv", format="ascii.ecsv")
    found = white_curves(tmp_path / "jw1_whtlt.ecsv", known)
    assert [item["integrations"] for item in found.values()] == [9, 8]
    assert [item["depth"] for item in found.values()] == pytest.approx([0.02, 0.01])
    assert found["jw1_whtlt.ecsv whitelight_flux_NRS2"]["expected_ppm"] == pytest.approx(100)
    write_x1dints(tmp_path / "jw1_x1dints.fits", wave, np.ones((9, 50)))
    table.remove_column("MJD_UTC_NRS1")
    table.write(tmp_path / "jw1_whtlt.ecsv", format="ascii.ecsv", overwrite=True)
    with pytest.raises(InputError, match="expected MJD_UTC and whitelight_flux"):
        white_curves(tmp_path / "jw1_whtlt.ecsv", known)


def test_spectra_of_stage_3(tmp_path: Path) -> None:
    """The series of all segments is found by its program."""
    scenario = with_options(load_scenario("nircam-grism"), integrations=24, segments=3)
    run_rates(scenario, tmp_path, references=False)
    truths = [read_truth(path) for path in sorted((tmp_path / "truth").glob("*_truth.fits"))]
    curve = np.concatenate([truth.curve for truth in truths])
    wave = np.linspace(2.45, 3.97, 1500)
    cube = np.stack([1.01 * truths[0].at(wave, shape) for shape in curve["shape"]])
    write_x1dints(tmp_path / "results" / "jw01705-o001_x1dints.fits", wave, cube)
    found = score(tmp_path / "truth", tmp_path / "results")["spectra"]
    assert found["jw01705-o001_x1dints.fits"]["flux_bias"] == pytest.approx(0.01, abs=1e-4)


def test_refusals(tmp_path: Path) -> None:
    """What is no spectrum has no rates here; no products, no scores."""
    with pytest.raises(InputError, match="rates are for spectra"):
        run_rates(load_scenario("tiny"), tmp_path)
    scenario = with_options(load_scenario("nircam-grism"), integrations=3)
    run_rates(scenario, tmp_path, references=False)
    with pytest.raises(InputError, match="no _x1d, _x1dints or _whtlt product"):
        score(tmp_path / "truth", tmp_path)
    assert set(MODES) <= {path.stem for path in _scenarios()}


def _scenarios() -> list[Path]:
    import calwebb_simulator

    return list((Path(calwebb_simulator.__file__).parent / "scenarios").glob("*.yaml"))


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["nirspec-bright", "lrs-slitless"])
def test_observatory_optics(name: str) -> None:
    """Through the observatory's optics the star falls almost where the invented ones have it."""
    default = Path(__file__).parents[3] / "shared" / "realdata"
    cache = Path(os.environ.get("CALWEBB_REALDATA", default)) / "crds_cache"
    if not cache.is_dir():
        pytest.skip("CALWEBB_REALDATA has no CRDS cache")
    scenario, mode, entry, light, properties = drawn(name)
    real = spectral_light(replace(scenario, real_cache=cache), mode, entry, properties)
    axis = 2 - mode.axis
    places = [int(item.star.sum(axis=axis).argmax()) for item in (light, real)]
    assert abs(places[1] - places[0]) < 12
    assert real.star.sum() == pytest.approx(light.star.sum(), rel=0.1)
    assert not np.array_equal(real.star, light.star)
