"""The step on made ramps with flicker noise of a known spectrum; options, refusals, products."""

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework import threads
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.science.flicker_noise import FlickerOptions
from calwebb_detector1.flicker import Medians
from calwebb_detector1.flicker_draft import Draft
from calwebb_detector1.steps import clean_flicker_noise
from calwebb_detector1.steps.clean_flicker_noise import (
    STEP,
    CleanFlickerNoiseParameters,
    clean_flicker,
    references_for,
)

from .ramps import make, ramp_of

NINTS, NGROUPS, NY, NX = 2, 5, 64, 96


def stripes(seed, shape, rms=8.0):
    """Noise of each line apart, and half as much that varies along it."""
    rng = np.random.default_rng(seed)
    lines = rng.normal(0, rms, (*shape[:3], 1))
    along = np.sin(np.arange(shape[3]) / 20) * rng.normal(0, rms / 2, (*shape[:3], 1))
    return (lines + along).astype(np.float32)


def noisy(seed=1, *, nints=NINTS, rates=(1.0, 1.5), **more):
    """A made exposure, the noise put into it, and a star."""
    made = make(seed=seed, nints=nints, ngroups=NGROUPS, ny=NY, nx=NX, rates=rates, hits=0.003,
                saturated=0.0, **more)  # fmt: skip
    y, x = np.mgrid[:NY, :NX]
    star = 3000 * np.exp(-((y - 30) ** 2 + (x - 40) ** 2) / 8)
    times = np.arange(1, NGROUPS + 1)[None, :, None, None]
    made.data += (star * times / NGROUPS).astype(np.float32)
    noise = stripes(seed, made.data.shape)
    made.data += noise
    return made, noise


def references(made, **more):
    flat = more.pop("flat", None)
    return References.of(
        gain={"SCI": made.gain}, readnoise={"SCI": made.readnoise}, flat=flat, pastasoss=None,
        **more,
    )  # fmt: skip


def run(made, changes=None, **options):
    ramp = ramp_of(made, **(changes or {}))
    return clean_flicker_noise.run(
        ramp, references(made, **options.pop("references", {})),
        CleanFlickerNoiseParameters(**options),
    )  # fmt: skip


def left_of(ramp, made, noise):
    """Rms of the noise's differences between groups, line by line, before and after."""
    clean = made.data - noise
    before = np.diff(noise, axis=1).mean(axis=3).std()
    after = np.diff(ramp.data - clean, axis=1).mean(axis=3).std()
    return after / before


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fit_method": "fft"},
        {"background_method": "model", "background_box_size": (16, 16)},
        {"background_method": None},
        {"single_mask": False},
        {"fit_histogram": True},
        {"n_sigma": 3.0},
        {"autoparam": True},
        {"mask_science_regions": True},
    ],
)
def test_noise_is_removed(options):
    made, noise = noisy()
    ramp, status = run(made, **options)
    assert status.word == "COMPLETE"
    # slow waves cannot follow lines that have nothing to do with their neighbours
    assert left_of(ramp, made, noise) < (0.5 if "fit_method" in options else 0.35)
    np.testing.assert_array_equal(ramp.data[:, 0], made.data[:, 0])


def test_the_star_keeps_its_flux():
    made, noise = noisy()
    ramp, _ = run(made)
    square = np.s_[:, :, 24:37, 34:47]
    true = np.diff((made.data - noise)[square].sum(axis=(2, 3)), axis=1)
    before = np.diff(made.data[square].sum(axis=(2, 3)), axis=1) - true
    after = np.diff(ramp.data[square].sum(axis=(2, 3)), axis=1) - true
    assert after.std() < before.std()
    assert abs(after.mean()) < 0.01 * true.mean()


def test_median_image_cleans_groups_of_many_integrations():
    made, noise = noisy(nints=8)
    made.data[3] *= 1.1
    ramp, status = run(made, background_method="median_image")
    assert status.word == "COMPLETE"
    rest = ramp.data - (
        made.data - noise * np.where(np.arange(8) == 3, 1.1, 1)[:, None, None, None]
    )
    common = rest - np.median(rest, axis=0)
    assert common.mean(axis=3).std() < 0.3 * noise.mean(axis=3).std()


def test_nothing_is_found_in_a_quiet_exposure():
    made = make(nints=1, ngroups=4, ny=32, nx=48, rates=(2.0, 2.0001), hits=0, saturated=0)
    for group in range(4):
        made.data[:, group] = 10 * group
    ramp, _ = run(made)
    np.testing.assert_allclose(ramp.data, made.data, atol=1e-4)


def test_a_missing_sample_spoils_no_later_group():
    made, _ = noisy()
    made.data[0, 1, 5, 5] = np.nan
    made.groupdq[0, 1, 5, 5] |= 1
    ramp, _ = run(made)
    assert np.isnan(ramp.data[0, 1, 5, 5])
    assert np.isfinite(ramp.data[0, 2:, 5, 5]).all()


@pytest.mark.parametrize("flags", [1, 4])
def test_flagged_samples_do_not_count(flags):
    made, _ = noisy()
    mask = np.ones((NY, NX), bool)
    struck = made.data.copy()
    struck[0, 2, ::2, ::2] += 5000
    groupdq = np.zeros_like(made.groupdq)
    groupdq[0, 2, ::2, ::2] = groupdq[0, 3, ::2, ::2] = flags
    one, two = made.data.copy(), struck.copy()
    for data in (one, two):
        clean_flicker(data, groupdq, mask, options=FlickerOptions())
    np.testing.assert_allclose(one - made.data, two - struck, atol=2e-3)


def test_threads_give_the_same_bits(monkeypatch):
    made, _ = noisy()
    results = []
    for number in (1, 3):
        monkeypatch.setattr(threads, "_wanted", [number])
        results.append(run(made, fit_method="fft")[0].data)
    np.testing.assert_array_equal(*results)


def test_the_users_mask_is_used(tmp_path):
    made, _ = noisy()
    mask = np.zeros((NY, NX), np.float32)
    mask[:, 50:] = 1
    path = tmp_path / "mask.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(mask, name="SCI")]).writeto(path)
    ramp = ramp_of(made)
    parameters = CleanFlickerNoiseParameters(user_mask=str(path), save_mask=True)
    none = References.of(flat=None, pastasoss=None)  # no draft rate is needed
    ramp, _ = clean_flicker_noise.run(ramp, none, parameters)
    expected = made.data.copy()
    clean_flicker(expected, made.groupdq, mask > 0, options=FlickerOptions(readout=Draft(
        ramp_of(made), none, parameters).readout))  # fmt: skip
    np.testing.assert_array_equal(ramp.data, expected)
    np.testing.assert_array_equal(ramp.extras[0].arrays["SCI"], mask)


def test_a_mask_of_another_size_is_refused(tmp_path):
    made, _ = noisy()
    path = tmp_path / "mask.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, 4)), name="SCI")]).writeto(path)
    with pytest.raises(InputError, match=r"user_mask has shape \(3, 4\); expected \(64, 96\)"):
        run(made, user_mask=str(path))


def test_optional_products():
    made, _ = noisy()
    ramp, _ = run(made, save_mask=True, save_background=True, save_noise=True, single_mask=False)
    mask, background, noise = ramp.extras
    assert [extra.suffix for extra in ramp.extras] == ["mask", "flicker_bkg", "flicker_noise"]
    assert mask.arrays["SCI"].shape == (NINTS, NY, NX)
    assert mask.model == "CubeModel"
    np.testing.assert_array_equal(noise.arrays["SCI"], made.data - ramp.data)
    assert np.median(background.arrays["SCI"][:, 1:]) > 5
    assert run(made)[0].extras == []


def test_the_flat_is_used_and_its_gaps_are_filled(caplog):
    made, noise = noisy()
    flat = np.random.default_rng(0).uniform(0.9, 1.1, (NY, NX)).astype(np.float32)
    flat[3, 4], flat[5, 6] = np.nan, 0
    ramp, _ = run(made, apply_flat_field=True, references={"flat": {"SCI": flat}})
    assert left_of(ramp, made, noise) < 0.35
    assert np.isfinite(ramp.data).all()
    run(made, apply_flat_field=True)
    assert "no flat is applied: the flat reference is N/A" in caplog.text


@pytest.mark.parametrize(
    ("nints", "options", "reason"),
    [
        (1, {"background_method": "median_image"}, "needs several integrations"),
        (1, {"n_sigma": 0.0}, "no pixel shows nothing but background"),
    ],
)
def test_what_cannot_be_cleaned_is_skipped(nints, options, reason):
    made, _ = noisy(nints=nints)
    if "n_sigma" in options:
        made.pixeldq[:] = 1
    before = made.data.copy()
    ramp, status = run(made, **options)
    assert status.word == "SKIPPED"
    assert reason in status.reason
    np.testing.assert_array_equal(ramp.data, before)


def test_one_group_is_skipped():
    made = make(ngroups=1, ny=16, nx=16)
    assert "one group" in run(made)[1].reason


def test_miri():
    spectrum = Metadata({"EXP_TYPE": "MIR_MRS"}, "x")
    assert "only imaging" in STEP.not_needed(spectrum)
    assert STEP.not_needed(Metadata({"EXP_TYPE": "MIR_IMAGE"}, "x")) is None
    made, _ = noisy()
    changes = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "EXP_TYPE": "MIR_IMAGE"}
    columns = np.random.default_rng(1).normal(0, 8, (NINTS, NGROUPS, 1, NX)).astype(np.float32)
    made.data += columns - stripes(1, made.data.shape)
    ramp, _ = run(made, changes)
    left = np.diff(ramp.data - made.data + columns, axis=1).mean(axis=2).std()
    assert left < 0.35 * np.diff(columns, axis=1).std()
    with pytest.raises(InputError, match="fit_method fft is for near-infrared detectors"):
        run(made, changes, fit_method="fft")


def test_spectra_without_wcs_say_what_is_used(caplog):
    made, _ = noisy()
    caplog.set_level("INFO")
    changes = {"INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "EXP_TYPE": "NRS_MSASPEC",
               "FASTAXIS": 2, "SLOWAXIS": 1}  # fmt: skip
    run(made, changes, mask_science_regions=True)
    assert "slits and slices have no WCS yet" in caplog.text
    changes |= {"INSTRUME": "NIRISS", "DETECTOR": "NIS", "EXP_TYPE": "NIS_SOSS"}
    run(made, changes, mask_science_regions=True)
    assert "the SOSS traces are not masked: the pastasoss reference is N/A" in caplog.text


def test_wrong_axes_are_refused():
    made, _ = noisy()
    with pytest.raises(InputError, match="FASTAXIS is 3 and SLOWAXIS 2"):
        run(made, {"FASTAXIS": 3})


def test_references_are_asked_for_when_needed(tmp_path):
    def needed(**options):
        return references_for(CleanFlickerNoiseParameters(**options))

    assert needed() == ("gain", "readnoise")
    assert needed(user_mask="m.fits") == ()
    assert needed(apply_flat_field=True) == ("gain", "readnoise", "flat")
    assert "pastasoss" in needed(mask_science_regions=True)
    assert needed(user_mask="m.fits", background_method="median_image")[:2] == (
        "gain", "readnoise",
    )  # fmt: skip
    for options in ({}, {"autoparam": True, "mask_science_regions": True}):
        assert set(needed(**options)) <= set(STEP.references)


def test_arguments_are_checked():
    data, groupdq = np.zeros((1, 2, 4, 5), np.float32), np.zeros((1, 2, 4, 5), np.uint8)
    with pytest.raises(ValueError, match=r"mask is bool \(4, 4\); expected bool \(4, 5\)"):
        clean_flicker(data, groupdq, np.ones((4, 4), bool), options=FlickerOptions())


def test_medians_scale_what_is_above_the_background():
    groups = np.full((1, 2, 2), 10, np.float32)
    groups[0, 0, 0] = 110
    medians = Medians(groups, np.array([10], np.float32), np.array([1, 1.1], np.float32))
    np.testing.assert_allclose(medians.of(1, 0), [[120, 10], [10, 10]])


def test_soss_traces_are_masked():
    made, _ = noisy()
    x = np.arange(NX, dtype=float)
    tree = {
        "meta": {"pwcpos_cmd": 245.76, "pwcpos_bounds": [245.6, 246.0]},
        "traces": [{"spectral_order": 1, "pivot_x": 0.0, "pivot_y": 20.0,
                    "trace": np.stack([x, np.full(NX, 20.0)], axis=1)}],
    }  # fmt: skip
    changes = {"INSTRUME": "NIRISS", "DETECTOR": "NIS", "EXP_TYPE": "NIS_SOSS",
               "SUBARRAY": "SUBSTRIP96", "SUBSTRT2": 1803, "PWCPOS": 245.76,
               "FASTAXIS": -2, "SLOWAXIS": -1}  # fmt: skip
    given = References.of(
        gain={"SCI": made.gain}, readnoise={"SCI": made.readnoise}, flat=None,
        pastasoss=Reference("pastasoss", "p.asdf", tree=tree),
    )  # fmt: skip
    parameters = CleanFlickerNoiseParameters(mask_science_regions=True, n_sigma=0.0)
    draft = Draft(ramp_of(made, **changes), given, parameters)
    mask = draft.mask()
    # rows of the smaller subarray are counted from ten further up
    assert not mask[: 10 + 16 + 1].any()
    assert mask[10 + 16 + 1 :].mean() > 0.9
    np.testing.assert_array_equal(draft.lit()[:, 0], np.arange(NY) <= 10 + 16)
