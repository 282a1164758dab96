"""From segments of a spectral series to spectra of each integration and a light curve."""

import weakref

import numpy as np
import pytest

from calwebb_core.framework import product_reading
from calwebb_core.framework.catalogs import read_catalog
from calwebb_core.framework.errors import InputError, ProcessingError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.product_reading import read_image
from calwebb_core.framework.spectra import Spectra
from calwebb_core.framework.spectra_products import read_spectra
from calwebb_core.science.dq import DO_NOT_USE, OUTLIER
from calwebb_level3.timeseries.joining import joined
from calwebb_level3.tso3 import run as tso3

from .star import write_members
from .test_white_light import spectrum as some_spectrum
from .trace import spectrum, trace, write_reference, write_slits

PRODUCT = "jw01345-o001_t001_nircam_f200w-sub64p"


def processed(folder, paths, name="out", **parameters):
    """Run calwebb_tso3 on segments; return its products by suffix."""
    result = tso3(
        write_members(folder, paths),
        output_dir=folder / name,
        overrides={"extract1d": write_reference(folder), "apcorr": "N/A"},
        parameters=parameters,
    )
    return result.outputs


def test_a_transit_in_the_white_light(tmp_path):
    images = trace(drift=0.02, depth=0.02)
    paths = write_slits(tmp_path, images, (10, 27))
    outputs = processed(tmp_path, paths[::-1])
    assert [path.name for path in outputs] == [
        *(path.name.replace("_calints", "_o001_crfints") for path in paths),
        f"{PRODUCT}_x1dints.fits",
        f"{PRODUCT}_whtlt.ecsv",
    ]
    spectra = read_spectra(outputs[3])
    (found,) = spectra.spectra
    assert found.columns["INT_NUM"].tolist() == list(range(1, 46))
    assert found.columns["SEGMENT"].tolist() == [1] * 10 + [2] * 17 + [3] * 18
    assert "EXSEGNUM" not in spectra.metadata
    assert (spectra.metadata["INTSTART"], spectra.metadata["INTEND"]) == (1, 45)
    assert len(spectra.tables["INT_TIMES"].data) == 45
    mean = np.mean(found.columns["FLUX"] / images.depth[:, None], axis=0) / 1e6
    np.testing.assert_allclose(mean, spectrum(60) + 20 * 10, rtol=4e-3)
    table = read_catalog(outputs[4])
    flux = table["whitelight_flux_NRS1"].value
    error = table["whitelight_flux_error_NRS1"].value
    out = images.depth == 1
    depth = 1 - flux[~out].mean() / flux[out].mean()
    sigma = error.mean() / flux.mean() * np.hypot((~out).sum() ** -0.5, out.sum() ** -0.5)
    assert abs(depth - 0.02) < 4 * sigma
    assert np.std(flux[out]) < 1.3 * error.mean()
    assert table["MJD_UTC_NRS1"][0] == pytest.approx(59700.0011)


def test_lost_pixels_dim_nothing(tmp_path):
    images = trace(drift=0.0, depth=0.0)
    rng = np.random.default_rng(3)
    bad = rng.random(images.data.shape) < 0.01
    dq = images.dq
    dq[bad] = DO_NOT_USE
    images.data[bad] = np.nan
    hits = rng.random(images.data.shape) < 0.003
    images.data[hits] += 100 * images.err[hits]
    outputs = processed(tmp_path, write_slits(tmp_path, images, (20,), dq=dq))
    flags = np.concatenate([read_image(path).dq for path in outputs[:2]])
    assert np.mean(flags[hits & ~bad] == OUTLIER | DO_NOT_USE) > 0.99
    table = read_catalog(outputs[-1])
    flux, error = (table[f"whitelight_flux{e}_NRS1"].value for e in ("", "_error"))
    assert np.std(flux) < 1.4 * error.mean()
    truth = 1e6 * (spectrum(60).sum() + 20 * 60 * 10)
    assert abs(flux.mean() / truth - 1) < 4 * error.mean() / truth / 45**0.5


def test_bad_pixels_are_estimated_before_the_sum(tmp_path):
    images = trace(nints=9, drift=0.0, depth=0.0)
    dq = images.dq
    dq[4, 7:9, 30] = DO_NOT_USE
    images.data[4, 7:9, 30] = np.nan
    paths = write_slits(tmp_path, images, (5,), dq=dq)
    wish = {"skip": False, "algorithm": "fit_profile"}
    replaced = processed(tmp_path, paths, pixel_replace=wish, extract_1d={"lost_pixels": "drop"})
    dropped = processed(tmp_path, paths, name="other", extract_1d={"lost_pixels": "drop"})
    crfints = read_image(replaced[0])
    assert np.isnan(crfints.data[4, 7, 30])
    assert "S_PXREPL" not in crfints.metadata
    flux = [read_spectra(outputs[2]).spectra[0].columns["FLUX"] for outputs in (replaced, dropped)]
    ratios = [f[4, 30] / np.median(f[:, 30]) for f in flux]
    assert ratios[0] == pytest.approx(1, abs=0.03)
    assert ratios[1] < 0.6
    with pytest.raises(InputError, match="there is no model of the trace"):
        processed(tmp_path, paths, pixel_replace={"skip": False, "algorithm": "trace_model"})


def test_segments_keep_the_planes_of_their_slit(tmp_path):
    outputs = processed(tmp_path, write_slits(tmp_path, trace(nints=9)))
    slit = read_image(outputs[0])
    assert slit.planes["WAVELENGTH"].shape[-2:] == (16, 60)
    assert slit.metadata["SLTNAME"] == "S1600A1"
    assert slit.metadata["S_OUTLIR"] == "COMPLETE"


def test_two_detectors_are_two_light_curves(tmp_path):
    first = write_slits(tmp_path, trace(nints=12), (5,))
    second = write_slits(tmp_path, trace(nints=12, seed=2), (5,), detector="NRS2")
    outputs = processed(tmp_path, [second[1], first[0], second[0], first[1]])
    table = read_catalog(outputs[-1])
    assert table.colnames[:3] == ["MJD_UTC_NRS2", "BJD_TDB_NRS2", "whitelight_flux_NRS2"]
    assert "whitelight_flux_NRS1" in table.colnames
    spectra = read_spectra(outputs[-2])
    assert [one.metadata["DETECTOR"] for one in spectra.spectra] == ["NRS2", "NRS1"]


def test_spectra_of_different_lengths_do_not_make_one_series():
    parts = [Spectra(Metadata(), [some_spectrum(nwave=n)], {}, "x1dints") for n in (4, 5)]
    with pytest.raises(ProcessingError, match=r"have \[4, 5\] wavelengths; expected as many"):
        joined(Metadata(), parts)
    parts[1].spectra *= 2
    with pytest.raises(ProcessingError, match=r"segments have \[1, 2\] spectra"):
        joined(Metadata(), parts)


def test_one_segment_is_in_memory_at_a_time():
    alive = []

    def segments():
        for _ in range(6):
            assert sum(one() is not None for one in alive) <= 1
            found = some_spectrum(nwave=4)
            alive.append(weakref.ref(found))
            spectra = Spectra(Metadata(), [found], {}, "x1dints")
            del found
            yield spectra
            del spectra

    whole = joined(Metadata(), segments())
    each = some_spectrum(nwave=4).columns["FLUX"]
    np.testing.assert_array_equal(whole.spectra[0].columns["FLUX"], np.concatenate([each] * 6))


def test_profiles_are_not_fitted_to_a_series(tmp_path):
    images = trace(nints=5, drift=0.0, depth=0.0)
    paths = write_slits(tmp_path, images, (3,))
    with pytest.raises(InputError, match="calwebb-tso3 sums up apertures only"):
        processed(tmp_path, paths, extract_1d={"extraction_type": "optimal"})
    with pytest.raises(InputError, match="writes no profiles, scenes and residuals"):
        processed(tmp_path, paths, extract_1d={"save_profile": True})


def test_extraction_may_be_left_out(tmp_path):
    paths = write_slits(tmp_path, trace(nints=6), (3,))
    outputs = processed(tmp_path, paths, extract_1d={"skip": True})
    assert [path.name.rpartition("_")[2] for path in outputs] == ["crfints.fits"] * 2


def test_the_wcs_of_a_segment_is_read_once(tmp_path, monkeypatch):
    paths = write_slits(tmp_path, trace(nints=6), (3,))
    read, found = product_reading.read_asdf, []

    def counted(path, hdus):
        found.append(path.name)
        return read(path, hdus)

    monkeypatch.setattr(product_reading, "read_asdf", counted)
    processed(tmp_path, paths)
    assert sorted(found) == sorted(path.name for path in paths)
