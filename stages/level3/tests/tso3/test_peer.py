"""Steps of calwebb_tso3 beside the official ones on the same files."""

import numpy as np
import pytest

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.products import read_image
from calwebb_core.framework.spectra import Spectra
from calwebb_core.framework.spectra_products import write_spectra
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_level3.timeseries.steps.outlier_detection import OutlierDetectionParameters
from official_process import run_official

from .star import star, write_segments
from .test_outliers import found_in, with_hits
from .test_photometry import measured
from .test_white_light import curve, spectrum

pytestmark = [pytest.mark.peer, pytest.mark.slow]
OFFICIAL = {"noise": "err", "drift": False}
CUBES = """
import sys
import numpy as np
import stdatamodels.jwst.datamodels as dm
from jwst.outlier_detection import OutlierDetectionStep
from jwst.tso_photometry import TSOPhotometryStep

gain = dm.GainModel(np.full((32, 32), 2.0, "f4"))
gain.meta.instrument.name = "NIRCAM"
area = gain.meta.subarray
area.xstart, area.ystart, area.xsize, area.ysize = 1, 1, 32, 32
gain.save("gain.fits")
found = {}
for width in (9, 25, 99):
    result = OutlierDetectionStep.call(
        dm.open(sys.argv[2]), rolling_window_width=width, save_results=False)
    found[f"hits{width}"] = (result.dq & 16) > 0
    found[f"nan{width}"] = np.isnan(result.data)
for name, options in {
    "found": {}, "moving": {"moving_centroid": True}, "planned": {"centroid_source": False},
}.items():
    table = TSOPhotometryStep.call(dm.open(sys.argv[3]), override_gain="gain.fits", **options)
    for column in table.colnames:
        found[f"{name}_{column}"] = np.asarray(table[column], float)
np.savez(sys.argv[1], **found)
"""
CURVES = """
import sys
import numpy as np
import stdatamodels.jwst.datamodels as dm
from jwst.white_light import WhiteLightStep
found = {}
for name in sys.argv[2:]:
    table = WhiteLightStep.call(
        dm.open(name), override_wavelengthrange="N/A", min_wavelength=1.1, max_wavelength=1.9)
    for column in table.colnames:
        found[f"{name[:-5]}-{column}"] = np.asarray(table[column], float)
np.savez(sys.argv[1], **found)
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    images = star(side=32)
    hits = with_hits(images)
    dq = images.dq
    dq[tuple(np.random.default_rng(2).integers(0, n, 30) for n in dq.shape)] = DO_NOT_USE
    (path,) = write_segments(folder, images, dq=dq)
    (folder / "clean").mkdir()
    moving = star(nints=20, side=32, drift=0.4)
    (clean,) = write_segments(folder / "clean", moving)
    run_official(CUBES, folder / "out.npz", path, clean, folder=folder)
    return path, clean, hits, dict(np.load(folder / "out.npz"))


@pytest.mark.parametrize("width", [9, 25, 99])
def test_the_official_outliers_by_options(both, width):
    path, _, hits, official = both
    options = OutlierDetectionParameters(rolling_window_width=width, **OFFICIAL)
    found = found_in([path], options)
    expected = official[f"hits{width}"]
    # official: one unusable value in a moving window and nothing in it is tested; without a
    # moving window unusable values count in the median
    usable = np.all(read_image(path).dq == 0, axis=0)
    assert np.sum(expected & usable) > 100
    np.testing.assert_array_equal(found & usable, expected & usable)
    ours = found_in([path], OutlierDetectionParameters(rolling_window_width=width))
    assert np.mean(ours[hits]) > 0.7
    assert np.sum(ours & ~hits) < np.sum(expected & ~hits)


def test_photometry(both):
    _, path, _, official = both
    planned = measured([path], centroid_source=False, fill=False)
    for name in planned.colnames:
        ours = np.asarray(planned[name])
        np.testing.assert_allclose(ours, official[f"planned_{name}"], rtol=1e-6, atol=1e-12)
    for options, kind in (({}, "found"), ({"moving_centroid": True}, "moving")):
        table = measured([path], fill=False, **options)
        assert {f"{kind}_{name}" for name in table.colnames} <= set(official)
        error = official[f"{kind}_net_aperture_sum_err"]
        flux = table["net_aperture_sum"].value - official[f"{kind}_net_aperture_sum"]
        assert np.max(np.abs(flux) / error) < 0.5
        for name in ("aperture_x", "aperture_y", "centroid_x", "centroid_y"):
            assert np.max(np.abs(table[name].value - official[f"{kind}_{name}"])) < 0.03


def test_white_light(tmp_path):
    metadata = Metadata(
        {
            "TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "TSOVISIT": True,
            "EXP_TYPE": "NRS_BRIGHTOBJ", "FILTER": "F290LP", "DATE-OBS": "2022-06-03",
            "TIME-OBS": "16:01:32.472",
        }
    )  # fmt: skip
    one, two, other = (
        spectrum(DETECTOR="NRS1", SPORDER=1),
        spectrum(DETECTOR="NRS2", SPORDER=1, nints=5, seed=2),
        spectrum(DETECTOR="NRS1", SPORDER=2, seed=3),
    )
    one.columns["FLUX"][3, 15] = np.nan
    cases = {"one": [one], "detectors": [one, two], "orders": [one, other]}
    for name, spectra in cases.items():
        write_spectra(Spectra(metadata, spectra, {}, "x1dints"), tmp_path / f"{name}.fits")
    names = [f"{name}.fits" for name in cases]
    run_official(CURVES, tmp_path / "out.npz", *names, folder=tmp_path)
    official = dict(np.load(tmp_path / "out.npz"))
    for name, spectra in cases.items():
        table = curve(*spectra, fill=False, min_wavelength=1.1, max_wavelength=1.9).table()
        expected = [key for key in official if key.startswith(f"{name}-")]
        columns = [column for column in table.colnames if "_error" not in column]
        assert [f"{name}-{column}" for column in columns] == expected
        for column in columns:
            ours = np.asarray(table[column])
            np.testing.assert_allclose(ours, official[f"{name}-{column}"], rtol=1e-12)
