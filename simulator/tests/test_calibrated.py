"""Calibrated images without ramps, and the scores of what comes of them."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from scipy import ndimage

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.products import read_image, write_image
from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.calibrated import calibrated_image
from calwebb_simulator.cli import main
from calwebb_simulator.plan import plan
from calwebb_simulator.pointing import PointingErrors
from calwebb_simulator.run import make_catalog, run_calibrated
from calwebb_simulator.scenario_file import load_scenario
from calwebb_simulator.score import score

DNU = np.uint32(PixelDQ.DO_NOT_USE)


@pytest.fixture
def image_of(known_of):
    def make(scenario):
        entry = plan(scenario)[0]
        known = known_of(entry, scenario.effects)
        return calibrated_image(scenario, make_catalog(scenario), entry, known), known

    return make


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two visits, the second 100 mas off, as calibrated images."""
    start = load_scenario("tiny")
    group = replace(
        start.exposures[0], subarray="SUB64P", dithers=((0.0, 0.0), (0.3, 0.2)), sky=(0.3, 0.5)
    )
    scenario = replace(
        start,
        exposures=(group, replace(group, visit=2)),
        pointing=PointingErrors(((0.0, 0.0, 0.0), (100.0, -60.0, 90.0))),
        cosmic_ray_flux=2000.0,
    )
    folder = tmp_path_factory.mktemp("made")
    return scenario, run_calibrated(scenario, folder)


def test_without_effects_it_is_the_sky(small, image_of):
    (image, light, hits), known = image_of(small(effects=frozenset()))
    inside = known.science
    assert np.array_equal(image.data[inside], light.surface[inside])
    assert np.isnan(image.data[~inside]).all()
    assert len(hits) == 0


def test_noise_is_what_the_errors_say(small, image_of):
    effects = frozenset({"photon_noise", "read_noise", "dark"})
    (image, light, _), _ = image_of(small(subarray="SUB160", groups=10, effects=effects))
    good = (image.dq == 0) & np.isfinite(image.data)
    sigma = np.sqrt(image.var_poisson + image.var_rnoise)
    pull = ((image.data - light.surface) / sigma)[good]
    assert np.std(pull) == pytest.approx(1.0, abs=0.03)
    assert np.mean(pull) == pytest.approx(0.0, abs=0.05)
    bad = (image.dq & DNU) != 0
    assert np.isnan(image.data[bad]).all()
    assert np.isfinite(image.data[~bad]).all()


def test_cosmic_rays_are_flagged_or_stay(small, image_of):
    effects = frozenset({"cosmic_rays"})
    scenario = small(subarray="SUB160", effects=effects, cosmic_ray_flux=20_000.0)
    (image, light, hits), _ = image_of(scenario)
    jumps = (image.dq & np.uint32(PixelDQ.JUMP_DET)) != 0
    above = (image.data - light.surface) > 1e-4
    assert jumps.any()
    assert above.any()
    hit = np.zeros(image.data.shape, dtype=bool)
    hit[hits["y"], hits["x"]] = True
    assert not (above & ~hit).any()
    assert not (jumps & ~ndimage.binary_dilation(hit)).any()
    assert not (above & jumps).any()
    # what spills into the neighbours of a hit that was found goes with it
    bright = hits[hits["charge"] > 1000.0]
    found = bright[jumps[bright["y"], bright["x"]]]
    inner = found[(found["x"] > 0) & (found["x"] < image.data.shape[1] - 1)]
    assert len(inner)
    assert jumps[inner["y"], inner["x"] - 1].mean() > 0.95
    assert jumps[inner["y"], inner["x"] + 1].mean() > 0.95


def test_full_pixels_are_flagged(small, image_of):
    scenario = small(effects=frozenset({"saturation"}))
    bright = replace(scenario.scene.stars, count=3, brightest=8.0, faintest=8.5, clustered=1.0)
    scene = replace(scenario.scene, stars=replace(bright, core=0.3))
    (image, _, _), _ = image_of(replace(scenario, scene=scene))
    saturated = (image.dq & np.uint32(PixelDQ.SATURATED)) != 0
    assert saturated.any()
    assert (image.dq[saturated] & DNU).any()


def test_wcs_is_the_commanded_one(small, image_of):
    scenario = small(effects=frozenset(), pointing=PointingErrors(((500.0, 0.0, 0.0),)))
    (image, _, _), _ = image_of(scenario)
    entry = plan(scenario)[0]
    ra, dec = image.wcs(10.0, 50.0)
    expected = entry.commanded.sky(10.0, 50.0)
    assert (ra, dec) == pytest.approx(expected, abs=1e-9)
    assert image.metadata["S_PHOTOM"] == "COMPLETE"
    assert image.metadata["BUNIT"] == "MJy/sr"
    assert image.metadata["CTYPE1"].startswith("RA---TAN")
    assert "CD1_1" in image.metadata


def test_offsets_and_sky_are_scored(made, tmp_path):
    _, outcome = made
    for path in outcome.raw:
        image = read_image(path)
        known = fits.getheader(outcome.truth / path.name.replace("_cal", "_truth"))
        image.metadata["BKGLEVEL"] = known["SKY"] + (0.01 if "1002_" in path.name else 0.0)
        write_image(image, tmp_path / path.name.replace("_cal", "_o001_crf"))
    figures = score(outcome.truth, tmp_path)["mosaics"]["o001 F200W"]
    pointing = figures["pointing"]
    left = np.array([row["left"] for row in pointing["exposures"].values()])
    injected = np.array([row["injected"] for row in pointing["exposures"].values()])
    assert left[:, :2] == pytest.approx(-injected[:, :2], abs=1.0)
    assert left[:, 2] == pytest.approx(-injected[:, 2], abs=0.5)
    assert pointing["east_mean"] == pytest.approx(-50.0, abs=1.0)
    assert pointing["east_rms"] == pytest.approx(50.0, abs=1.0)
    assert figures["sky"]["sky_scatter"] == pytest.approx(0.005, abs=1e-6)
    levels = np.array(list(figures["sky"]["exposures"].values()))
    error = levels[:, 2] - levels[:, 1]
    assert figures["sky"]["worst"] == pytest.approx(np.abs(error - error.mean()).max())
    assert figures["sky"]["spread"] == pytest.approx(0.2, abs=1e-6)


def test_cosmic_rays_left_are_counted(made, tmp_path):
    _, outcome = made
    total = 0
    for path in outcome.raw:
        image = read_image(path)
        with fits.open(outcome.truth / path.name.replace("_cal", "_truth")) as hdus:
            hits, true = hdus["COSMIC_RAYS"].data, hdus["CAL"].data
        hit = np.zeros(true.shape, dtype=bool)
        hit[hits["y"], hits["x"]] = True
        harmful = hit & (np.nan_to_num(image.data - true) > 8 * np.nan_to_num(image.err, nan=1e9))
        total += int(harmful.sum())
        image.dq[harmful] |= np.uint32(PixelDQ.OUTLIER | PixelDQ.DO_NOT_USE)
        write_image(image, tmp_path / path.name.replace("_cal", "_o001_crf"))
    found = score(outcome.truth, tmp_path)["mosaics"]["o001 F200W"]["outliers"]
    assert total > 0
    assert found["harmful"] >= total
    assert found["harmful"] - found["left"] == pytest.approx(total, abs=3)
    assert found["found"] == pytest.approx(total / found["harmful"], abs=0.1)
    assert found["far"] == total
    assert found["found_far"] == 1.0
    assert found["false"] == 0


def test_only_images_can_be_made(tmp_path):
    with pytest.raises(InputError, match="NIRSPEC sees no sky; cal needs images"):
        run_calibrated(load_scenario("nirspec-subarray"), tmp_path)


def test_command(tmp_path):
    arguments = ["cal", "--scenario", "tiny", "--subarray", "SUB64P", "--exposures", "1"]
    arguments += ["--no-truth", "--output-dir", str(tmp_path), "-q"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "cal").iterdir()] == [
        "jw01234001001_02101_00001_nrcb1_cal.fits"
    ]
    assert not list((tmp_path / "truth").glob("*_truth.fits"))
    kinds = {path.name.split("_")[2] for path in (tmp_path / "crds_cache").rglob("*_0001.*f*")}
    assert {"distortion", "apcorr", "filteroffset"} <= kinds
