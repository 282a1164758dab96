import json

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from calwebb_core.framework.errors import InputError
from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.cosmic_rays import HIT_DTYPE
from calwebb_simulator.score import score, single_hits
from calwebb_simulator.score_catalog import filter_of


@pytest.fixture
def results(tiny_run, tmp_path):
    """Products as a perfect pipeline would make them, with a known error and offset."""
    _, outcome = tiny_run
    for path in outcome.truth.glob("*_truth.fits"):
        root = path.name.removesuffix("_truth.fits")
        with fits.open(path) as hdus:
            rate, hits = hdus["SCI"].data, hdus["COSMIC_RAYS"].data
            dq = np.zeros(rate.shape, dtype=np.uint32)
            big = hits["charge"] > 500
            dq[hits["y"][big], hits["x"][big]] = PixelDQ.JUMP_DET
            parts = [fits.PrimaryHDU()]
            for name, data in (("SCI", rate + 0.25), ("ERR", np.ones_like(rate)), ("DQ", dq)):
                parts.append(fits.ImageHDU(data, name=name))
        fits.HDUList(parts).writeto(tmp_path / f"{root}_rate.fits")
    write_catalog(outcome.truth, tmp_path / "jw01234-o001_t001_nircam_f200w_cat.ecsv")
    return tmp_path


def write_catalog(truth, path):
    scene = Table.read(truth / "scene.ecsv")
    found = scene[(scene["exposures_F200W"] > 0) & (scene["snr_F200W"] > 40)]
    sky = SkyCoord(found["ra"], found["dec"] + 0.002 / 3600 * found["dec"].unit)
    Table(
        {
            "label": found["id"],
            "sky_centroid": sky,
            "aper_total_flux": found["flux_F200W"] * 1.01e-6,
        }
    ).write(path, format="ascii.ecsv")


def test_known_errors_are_measured(tiny_run, results):
    figures = score(tiny_run[1].truth, results)
    for rate in figures["rates"].values():
        assert rate["sky_bias"] == pytest.approx(0.25, abs=1e-4)
        assert rate["chi2"] == pytest.approx(0.0625, abs=1e-3)
    found = {row["from"]: row["found"] for row in figures["cosmic_rays"] if row["hits"]}
    assert found[1000.0] == 1.0
    assert found[30.0] == 0.0
    (catalog,) = figures["catalogs"].values()
    assert catalog["flux_ratio"] == pytest.approx(1.01, abs=1e-6)
    assert catalog["dec_offset"] == pytest.approx(2.0, abs=0.01)
    assert catalog["ra_offset"] == pytest.approx(0.0, abs=0.01)
    assert catalog["false"] == 0
    rows = {row["from"]: row for row in catalog["completeness"]}
    assert rows[100.0]["found"] == 1.0
    assert figures["calibrated"] == {}


def test_nothing_to_score(tiny_run, tmp_path):
    with pytest.raises(
        InputError, match="no _rate, _rateints, _jump, _ramp, _cal, _crf or _cat product"
    ):
        score(tiny_run[1].truth, tmp_path)
    with pytest.raises(InputError, match=r"truth\.json: does not exist"):
        score(tmp_path, tmp_path)


def test_products_of_another_shape_are_refused(tiny_run, results):
    path = next(results.glob("*_rate.fits"))
    with fits.open(path) as hdus:
        for hdu in hdus[1:]:
            hdu.data = hdu.data[:8]
        hdus.writeto(path, overwrite=True)
    with pytest.raises(InputError, match=r"SCI has shape \(8, 160\); the truth has \(160, 160\)"):
        score(tiny_run[1].truth, results)


def test_catalog_of_an_unknown_filter(tmp_path):
    summary = {"exposures": [{"filter": "F200W", "pixel_scale": 1.0},
                             {"filter": "F277W", "pixel_scale": 2.0}]}  # fmt: skip
    assert filter_of(tmp_path / "jw1_f277w_cat.ecsv", summary) == ("F277W", 2.0)
    with pytest.raises(InputError, match="tells no filter of the simulation; expected one of"):
        filter_of(tmp_path / "mosaic_cat.ecsv", summary)


def test_each_track_counts_once_and_not_in_the_first_group():
    rows = np.zeros(5, dtype=HIT_DTYPE)
    rows["track"] = [0, 0, 1, 2, 3]
    rows["x"] = [1, 2, 5, 9, 9]
    rows["group"] = [2, 2, 0, 3, 4]
    rows["charge"] = [10, 90, 500, 50, 60]
    chosen = single_hits(rows)
    assert list(chosen["charge"]) == [90.0]
    assert len(single_hits(rows[:0])) == 0


def test_command_line(tiny_run, results, tmp_path, capsys):
    from calwebb_simulator.cli import main

    path = tmp_path / "score.json"
    options = ["score", "--truth", str(tiny_run[1].truth), "--results", str(results)]
    with pytest.raises(SystemExit) as ended:
        main([*options, "--json", str(path)])
    assert ended.value.code == 0
    assert "Cosmic rays" in capsys.readouterr().out
    assert json.loads(path.read_text())["scenario"] == "tiny"
