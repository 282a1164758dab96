"""The background from spectra of the sky, as light that fills the slit or a point's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Table
from calwebb_core.framework.spectra_products import read_spectra
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_core.science.spectral.background import (
    at_wavelengths,
    background_of,
    smoothed,
    subtract_background,
)
from calwebb_level3.slits.inputs import read
from calwebb_level3.slits.steps.master_background import MasterBackgroundParameters, run

from .slit import NY, WAVES, exposure, keywords, sky, slits, write, write_members, write_sky


def test_the_sky_is_subtracted(tmp_path):
    paths = write(tmp_path, [exposure(1), exposure(2, 5.0)])
    skies = [
        write_sky(tmp_path, "a_x1d.fits", scale=0.9),
        write_sky(tmp_path, "b_x1d.fits", scale=1.1),
    ]
    sources = read(write_members(tmp_path, paths, skies))
    sources, status = run(sources, None, MasterBackgroundParameters(save_background=True))
    assert status.word == "COMPLETE"
    for image in sources.exposures:
        rest = image.data[[0, 1, 2, -3, -2, -1]] / image.err[[0, 1, 2, -3, -2, -1]]
        assert abs(rest.mean()) < 4 / rest.size**0.5
    (master,) = sources.master.spectra
    np.testing.assert_allclose(master.columns["SURF_BRIGHT"], sky(), rtol=1e-12)
    assert set(master.columns["N_INPUT"]) == {2.0}


def test_pixels_outside_its_range_are_not_used(tmp_path, caplog):
    (path,) = write(tmp_path, [exposure(1)])
    short = write_sky(tmp_path, wave=WAVES[5:-5])
    sources = read(write_members(tmp_path, [path], [short]))
    run(sources, None, MasterBackgroundParameters())
    image = sources.exposures[0]
    lost = (image.dq & DO_NOT_USE) > 0
    assert lost[:, :5].all()
    assert not lost[:, 5:-5].any()
    assert f"says nothing of {10 * NY} pixels" in caplog.text


def test_a_point_source_has_its_own_calibration():
    (slit, _) = slits().slits
    flat = np.ones(slit.data.shape, "f4")
    slit.planes |= {
        "FLATFIELD_UN": 0.9 * flat, "FLATFIELD_PS": 0.95 * flat,
        "PATHLOSS_UN": 0.8 * flat, "PATHLOSS_PS": 0.7 * flat,
        "PHOTOM_UN": 3e13 * flat, "PHOTOM_PS": 6.0 * flat,
    }  # fmt: skip
    uniform = background_of(slit, WAVES, sky(), point=False)
    point = background_of(slit, WAVES, sky(), point=True)
    np.testing.assert_allclose(uniform, np.broadcast_to(sky(), uniform.shape), rtol=1e-6)
    ratio = (0.9 / 0.95) * (0.8 / 0.7) * (6.0 / 3e13)
    np.testing.assert_allclose(point / uniform, ratio, rtol=1e-6)
    image = exposure()
    image.tables["PATHLOSS_PS"] = Table(1.4 * flat)
    found = background_of(image, WAVES, sky(), point=True)
    np.testing.assert_allclose(found, 1.4 * np.broadcast_to(sky(), found.shape), rtol=1e-6)
    found = background_of(image, WAVES, sky(), point=True, factor=False)
    np.testing.assert_allclose(found, np.broadcast_to(sky(), found.shape), rtol=1e-6)


def test_it_does_not_run_twice_or_without_sky(tmp_path):
    (path,) = write(tmp_path, [exposure(1, S_BKDSUB="COMPLETE")])
    sources = read(write_members(tmp_path, [path]))
    assert "no background exposure" in run(sources, None, MasterBackgroundParameters())[1].reason
    sources = read(write_members(tmp_path, [path], [write_sky(tmp_path)]))
    before = sources.exposures[0].data.copy()
    assert "already" in run(sources, None, MasterBackgroundParameters())[1].reason
    np.testing.assert_array_equal(sources.exposures[0].data, before)
    status = run(sources, None, MasterBackgroundParameters(force_subtract=True))[1]
    assert status.word == "COMPLETE"
    assert np.all(sources.exposures[0].data < before)


def test_a_spectrum_without_values_is_refused(tmp_path):
    (path,) = write(tmp_path, [exposure(1)])
    empty = write_sky(tmp_path, scale=np.nan)
    sources = read(write_members(tmp_path, [path], [empty]))
    with pytest.raises(InputError, match="SURF_BRIGHT has 0 finite values; expected a spectrum"):
        run(sources, None, MasterBackgroundParameters())
    with pytest.raises(InputError, match="members of type background are spectra of the sky"):
        read(write_members(tmp_path, [path], write(tmp_path, [exposure(2)])))


def test_the_users_own_background(tmp_path):
    from calwebb_level3.spec3 import run as spec3

    (path,) = write(tmp_path, [exposure(1)])
    own = write_sky(tmp_path, "own_x1d.fits")
    result = spec3(
        write_members(tmp_path, [path]),
        output_dir=tmp_path / "out",
        parameters={"master_background": {"user_background": str(own), "save_background": True}},
        stop_after="master_background",
    )
    assert result.model.exposures[0].metadata["MASTERBG"] == "own_x1d.fits"
    assert result.outputs[0].name.endswith("_masterbg1d.fits")
    assert read_spectra(result.outputs[0]).kind == "c1d"


@given(arrays(np.float64, st.integers(0, 20), elements=st.floats(-1e3, 1e3)), st.integers(1, 30))
def test_the_moving_median_is_that_of_mirrored_edges(curve, width):
    found = smoothed(curve, width)
    half = (width - 1) // 2
    for place in range(len(curve)):
        padded = np.pad(curve, half, mode="symmetric")
        assert found[place] == np.median(padded[place : place + 2 * half + 1])


def test_curves_in_any_order_with_gaps():
    wave, curve = np.array([3.0, 1.0, 2.0, np.nan]), np.array([30.0, 10.0, np.nan, 5.0])
    found = at_wavelengths(np.array([1.0, 2.0, 3.5, np.nan]), wave, curve)
    np.testing.assert_array_equal(found, [10.0, 20.0, np.nan, np.nan])
    with pytest.raises(ValueError, match="needs two points at least; found 1"):
        at_wavelengths(wave, wave[:1], curve[:1])
    with pytest.raises(ValueError, match="background has shape"):
        subtract_background(exposure(), np.zeros((2, 2)))
    assert keywords()["EXP_TYPE"] == "MIR_LRS-FIXEDSLIT"
