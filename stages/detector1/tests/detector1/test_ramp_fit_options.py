"""Options of the step ramp_fit and the products that they add."""

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.references import References
from calwebb_detector1.pipeline import write
from calwebb_detector1.ramp_optional import optional_results, put_together
from calwebb_detector1.ramp_slopes import fit_slopes
from calwebb_detector1.rates import Timing
from calwebb_detector1.steps import ramp_fit

from .exposure import NAME, overrides, true_rates, write_references, write_uncal
from .ramps import GAIN, READ_NOISE, TGROUP, make, ramp_of
from .test_program import succeed

TIMING = Timing(TGROUP, TGROUP, 1)


def run(made, **options):
    references = References.of(gain={"SCI": made.gain}, readnoise={"SCI": made.readnoise})
    rates, _ = ramp_fit.run(
        ramp_of(made, SUBARRAY="SUB64P"), references, ramp_fit.RampFitParameters(**options)
    )
    return rates


def optional(data, groupdq, **more):
    shape = data.shape[2:]
    given = {
        "gain": np.full(shape, GAIN, np.float32), "timing": TIMING,
        "readnoise": np.full(shape, READ_NOISE, np.float32),
    } | more  # fmt: skip
    rateints, _ = fit_slopes(data, groupdq, np.zeros(shape, np.uint32), **given)
    return optional_results(data, groupdq, slopes=rateints[0], **given)


def line(flags):
    values = 500 + 20 * TGROUP * np.arange(float(len(flags)))
    groupdq = np.array(flags, np.uint8)[None, :, None, None].copy()
    return values.astype(np.float32)[None, :, None, None], groupdq


def test_segments_of_a_ramp():
    data, groupdq = line([0, 0, 0, 4, 0, 0, 0, 1, 0, 0])
    data[:, 3:] += 900
    data[:, 7:] += 70
    found = {name: plane.ravel() for name, plane in optional(data, groupdq).items()}
    np.testing.assert_allclose(found["SLOPE"], 20, rtol=1e-5)
    np.testing.assert_allclose(found["YINT"], [500, 1400, 1470], rtol=1e-5)
    np.testing.assert_allclose(found["CRMAG"], 900 + 20 * TGROUP, rtol=1e-5)
    np.testing.assert_allclose(found["PEDESTAL"], 500 - 20 * TGROUP, rtol=1e-4)
    np.testing.assert_allclose(found["WEIGHTS"] * found["VAR_RNOISE"], 1, rtol=1e-6)
    sigma = READ_NOISE * GAIN / np.sqrt(2)
    # the plain line through the first three groups, and the last two
    assert found["SIGSLOPE"][2] == pytest.approx(sigma * np.sqrt(2), rel=1e-5)
    assert found["SIGYINT"][2] == pytest.approx(sigma * np.hypot(8, 9), rel=1e-5)
    assert found["VAR_POISSON"][0] == pytest.approx(20 / (TGROUP * GAIN * 2), rel=1e-4)


@pytest.mark.parametrize("flags", [[0] * 6, [2] * 6, [1, 0, 1, 1, 1, 1]])
def test_planes_there_are_always(flags):
    found = optional(*line(flags))
    assert found["SLOPE"].shape == found["CRMAG"].shape == (1, 1, 1, 1)
    assert found["SLOPE"].any() == (flags == [0] * 6)
    assert not found["CRMAG"].any()


def test_intercepts_count_from_the_start_of_the_integration():
    data, groupdq = line([0] * 8)
    found = optional(data, groupdq, bounds=(2, 8))
    assert found["YINT"][0, 0, 0, 0] == pytest.approx(500, rel=1e-5)
    assert found["PEDESTAL"][0, 0, 0] == pytest.approx(500 - 20 * TGROUP, rel=1e-4)


def test_parts_make_the_whole():
    made = make(seed=2, nints=2, ngroups=9, ny=12, nx=10)
    made.groupdq[made.hits] |= 4
    made.groupdq[:, :, :4] = 0
    given = {"gain": made.gain, "readnoise": made.readnoise}

    def cut(array, rows):
        return np.ascontiguousarray(array[..., rows, :])

    def of(rows):
        return optional(
            cut(made.data, rows), cut(made.groupdq, rows),
            **{name: cut(array, rows) for name, array in given.items()},
        )  # fmt: skip

    whole = of(slice(None))
    parts = [(rows, slice(None), of(rows)) for rows in (slice(0, 4), slice(4, 12))]
    assert parts[0][2]["SLOPE"].shape[1] < whole["SLOPE"].shape[1]
    together = put_together(parts, made.gain.shape)
    for name, array in whole.items():
        np.testing.assert_array_equal(together[name], array)


def test_fitopt_is_written(tmp_path):
    made = make(seed=4, nints=2, ngroups=6, hits=0.05)
    made.groupdq[made.hits] |= 4
    paths = write(run(made, save_opt=True, opt_name="mine_fitopt.fits"), tmp_path)
    assert [path.name.split("_")[-1] for path in paths] == [
        "rate.fits", "rateints.fits", "fitopt.fits",
    ]  # fmt: skip
    assert paths[2].name == "mine_fitopt.fits"
    with fits.open(paths[2], checksum=True) as file:
        names = [hdu.name for hdu in file]
        assert names == [
            "PRIMARY", "SLOPE", "SIGSLOPE", "VAR_POISSON", "VAR_RNOISE", "YINT", "SIGYINT",
            "WEIGHTS", "PEDESTAL", "CRMAG", "ASDF",
        ]  # fmt: skip
        assert file["SLOPE"].data.ndim == 4
        assert file["PEDESTAL"].data.shape == (2, *made.gain.shape)
        assert file[0].header["DATAMODL"] == "RampFitOutputModel"


def test_fitopt_opens_as_the_official_model(tmp_path):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    made = make(seed=4, nints=2, ngroups=6)
    *_, path = write(run(made, save_opt=True), tmp_path)
    with datamodels.open(path, strict_validation=True) as model:
        assert isinstance(model, datamodels.RampFitOutputModel)
        assert model.slope.shape[0] == model.crmag.shape[0] == 2


def test_chi_square_is_written(tmp_path):
    made = make(seed=4, nints=2, ngroups=6, rates=(5, 6), hits=0, saturated=0, unusable=0)
    rates = run(made, algorithm="LIKELY", save_opt=True, int_name="other")
    paths = write(rates, tmp_path)
    assert paths[1].name == "other_rateints.fits"
    assert paths[2].name.endswith("_likely_chisq.fits")
    with fits.open(paths[2]) as file:
        chisq = file["SCI"].data
        assert np.isnan(chisq).sum() == np.count_nonzero(made.pixeldq)
        assert np.nanmean(chisq) == pytest.approx(2 * 4, abs=0.6)


@pytest.mark.parametrize("option", ["int_name", "opt_name"])
def test_names_stay_in_the_output_folder(option):
    with pytest.raises(InputError, match=f"ramp_fit.{option} is '../mine'; expected the root"):
        run(make(ngroups=5), save_opt=True, **{option: "../mine"})


@pytest.mark.parametrize("options", [{"algorithm": "LIKELY"}, {"likelihood_jumps": True}])
def test_few_groups_are_fitted_by_least_squares(options, caplog):
    made = make(ngroups=3)
    rates, plain = run(made, **options), run(made)
    np.testing.assert_array_equal(rates.rate.data, plain.rate.data)
    assert "3 groups, but the likelihood needs 4: fitting by least squares" in caplog.text


def test_jumps_by_the_likelihood_serve_either_fit():
    made = make(seed=5, ngroups=12, rates=(1, 3), hits=0, saturated=0, unusable=0)
    made.data[:, 7:] += 400
    by_options = [
        {"likelihood_jumps": True}, {"algorithm": "LIKELY"},
        {"algorithm": "LIKELY", "likelihood_jumps": False}, {},
    ]  # fmt: skip
    good = made.pixeldq == 0
    error = [np.median((run(made, **o).rate.data - made.rate)[good]) for o in by_options]
    assert max(abs(error[0]), abs(error[1])) < 0.05
    assert min(error[2], error[3]) > 1


def test_charge_loss_does_not_change_the_read_noise():
    data, groupdq = line([0] * 10)
    lossy = groupdq.copy()
    lossy[:, 4:] = 129
    given = {
        "gain": np.full((1, 1), GAIN, np.float32), "timing": TIMING,
        "readnoise": np.full((1, 1), READ_NOISE, np.float32),
    }  # fmt: skip
    pixeldq = np.zeros((1, 1), np.uint32)
    all_used = fit_slopes(data, groupdq, pixeldq, **given)
    fitted = fit_slopes(data, lossy, pixeldq, **given)
    for full, part in zip(all_used, fitted, strict=True):
        assert part[4] == full[4]
        assert part[1] > full[1]
        assert part[3] > full[3]
    short = fit_slopes(data[:, :4].copy(), groupdq[:, :4].copy(), pixeldq, **given)
    assert fitted[1][1] == short[1][1]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_reduced_chisq": 3.0}, "limits of chi-square need algorithm=LIKELY"),
        ({"positive_jumps": True}, "positive_jumps needs likelihood_jumps=true"),
    ],
)
def test_options_without_effect_are_told(options, text, caplog):
    run(make(ngroups=5), **options)
    assert text in caplog.text
    caplog.clear()
    run(make(ngroups=5), algorithm="LIKELY", **options)
    assert text not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "extra"),
    [
        (["--set", "ramp_fit.save_opt=true"], "fitopt"),
        (["--skip=jump", "--set=ramp_fit.algorithm=LIKELY", "--set=ramp_fit.save_opt=true"],
         "likely_chisq"),
        (["--skip=jump", "--set=ramp_fit.likelihood_jumps=true"], None),
    ],
)  # fmt: skip
def test_the_program_takes_the_options(options, extra, tmp_path):
    references, uncal = write_references(tmp_path), write_uncal(tmp_path)
    paths = succeed("run", uncal, "--output-dir", tmp_path, *overrides(references), *options)
    suffixes = [path.stem.removeprefix(NAME + "_") for path in paths]
    assert suffixes == ["rate", "rateints", *([extra] if extra else [])]
    with fits.open(paths[0]) as file:
        good = file["DQ"].data == 0
        pull = (file["SCI"].data - true_rates())[good] / file["ERR"].data[good]
    assert abs(pull.mean()) < 0.2
    assert pull.std() == pytest.approx(1, abs=0.15)
