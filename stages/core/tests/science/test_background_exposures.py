import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from astropy.stats import sigma_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.science.background_exposures import (
    bands,
    check_background,
    subtract_backgrounds,
)
from calwebb_core.science.dq import DO_NOT_USE, JUMP_DET
from calwebb_core.science.kernels.clipped_mean import clipped_mean

KEYWORDS = {"INSTRUME": "MIRI", "FILTER": "F770W", "BUNIT": "DN/s", "SUBSIZE1": 4}


@dataclass
class InMemory:
    data: np.ndarray
    dq: np.ndarray
    var_poisson: np.ndarray | None
    var_rnoise: np.ndarray | None
    err: np.ndarray
    keywords: Metadata

    @property
    def shape(self):
        return self.data.shape

    def rows(self, name, integration, rows):
        array = getattr(self, name)
        return None if array is None else array[integration, rows]


def background(data, dq=None, name="bkg_rate.fits"):
    data = np.asarray(data, np.float32)
    dq = np.zeros(data.shape, np.uint32) if dq is None else dq
    poisson, rnoise = np.full_like(data, 0.02), np.full_like(data, 0.03)
    return InMemory(data, dq, poisson, rnoise, np.sqrt(poisson + rnoise), Metadata(KEYWORDS, name))


def target(shape=(3, 4), level=5.0):
    data = np.full(shape, level, np.float32)
    variances = np.full(shape, 0.5, np.float32), np.full(shape, 0.5, np.float32)
    dq = np.zeros(shape, np.uint32)
    return Image(
        Metadata(KEYWORDS, "sci_rate.fits"), data, np.ones(shape, np.float32), dq, *variances
    )


values = st.floats(-100, 100, width=32).map(lambda v: round(v, 1)) | st.sampled_from(
    [np.nan, np.inf, 1e4]
)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 9).flatmap(lambda n: arrays(np.float32, (n, 2, 3), elements=values)),
    st.sampled_from([1.071, 2.0303, 3.0101]),
    st.sampled_from([None, 0, 1, 5]),
)
def test_clipped_mean_is_that_of_astropy(data, sigma, maxiters):
    n = len(data)
    variances = np.full(data.shape, 0.25, np.float32)
    flags = np.zeros(data.shape, np.uint32)
    found = [np.empty((2, 3), np.float32) for _ in range(3)]
    dq = np.empty((2, 3), np.uint32)
    rounds = 1 << 30 if maxiters is None else maxiters
    clipped_mean(data, variances, variances, flags, sigma, rounds, *found, dq)
    expected = np.ma.masked_invalid(data.astype(float))
    if maxiters != 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = sigma_clip(expected, sigma=sigma, maxiters=maxiters, axis=0)
    mean, count = expected.mean(axis=0), n - np.ma.getmaskarray(expected).sum(axis=0)
    none = count == 0
    np.testing.assert_allclose(
        found[0], np.where(none, np.nan, np.ma.filled(mean, np.nan)), 1e-5, 1e-5
    )
    np.testing.assert_allclose(found[1][~none], 0.25 / count[~none], rtol=1e-6)
    np.testing.assert_array_equal(dq, np.where(none, DO_NOT_USE, 0))


def test_mean_of_files_is_subtracted_and_errors_grow():
    image = target()
    found = subtract_backgrounds(
        image, [background(np.full((1, 3, 4), level)) for level in (1.0, 2.0)], keep=True
    )
    np.testing.assert_allclose(image.data, 3.5)
    np.testing.assert_allclose(image.var_poisson, 0.51)
    np.testing.assert_allclose(image.var_rnoise, 0.515)
    np.testing.assert_allclose(image.err, np.sqrt(1 + 0.025), rtol=1e-6)
    np.testing.assert_allclose(found.data, 1.5)
    np.testing.assert_allclose(found.err, np.sqrt(0.025), rtol=1e-6)
    assert found.metadata["FILTER"] == "F770W"


def test_integrations_are_averaged_first():
    cube = np.full((20, 3, 4), 2.0) + np.linspace(-0.1, 0.1, 20)[:, None, None]
    cube[7, 1, 1] = 1e4
    image = target()
    subtract_backgrounds(image, [background(cube)])
    np.testing.assert_allclose(image.data, 3.0, atol=0.01)
    assert image.var_poisson[0, 0] == pytest.approx(0.5 + 0.02 / 20)
    assert image.var_poisson[1, 1] == pytest.approx(0.5 + 0.02 / 19)


def test_every_integration_of_the_target_gets_it():
    image = target((2, 3, 4))
    subtract_backgrounds(image, [background(np.ones((1, 3, 4)))])
    np.testing.assert_allclose(image.data, 4.0)


def test_flags_are_added():
    dq = np.zeros((2, 3, 4), np.uint32)
    dq[1, 0, 0], dq[0, 2, 3] = JUMP_DET, DO_NOT_USE
    image = target()
    subtract_backgrounds(image, [background(np.ones((2, 3, 4)), dq)])
    assert image.dq[0, 0] == JUMP_DET
    assert image.dq[2, 3] == DO_NOT_USE
    assert np.count_nonzero(image.dq) == 2


def test_pixel_without_any_background():
    cube = np.ones((1, 3, 4))
    cube[0, 1, 2] = np.nan
    image = target()
    subtract_backgrounds(image, [background(cube)])
    assert np.isnan(image.data[1, 2])
    assert image.dq[1, 2] == DO_NOT_USE


def test_errors_without_variances():
    plain = background(np.ones((1, 3, 4)))
    plain.var_poisson = plain.var_rnoise = None
    image = target()
    image.var_poisson = image.var_rnoise = image.dq = None
    subtract_backgrounds(image, [plain])
    np.testing.assert_allclose(image.var_rnoise, 0.05, rtol=1e-6)
    np.testing.assert_allclose(image.var_poisson, 0.0)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("INSTRUME", "NIRCAM"), ("FILTER", "F560W"), ("SUBSIZE1", 5), ("BUNIT", "MJy/sr"),
     ("S_FLAT", "COMPLETE"), ("PUPIL", "CLEAR")],
)  # fmt: skip
def test_background_of_another_kind(keyword, value):
    other = Metadata({**KEYWORDS, keyword: value}, "bkg_rate.fits")
    with pytest.raises(InputError, match=f"bkg_rate.fits: {keyword} of the .*sci_rate.fits"):
        check_background(target().metadata, other)


def test_background_of_another_size():
    with pytest.raises(InputError, match=r"has \(2, 4\) pixels; sci_rate.fits has \(3, 4\)"):
        subtract_backgrounds(target(), [background(np.ones((1, 2, 4)))])


def test_no_background():
    with pytest.raises(InputError, match="no background exposure is given"):
        subtract_backgrounds(target(), [])


def test_bands_are_bounded():
    class Wide:
        shape = (400, 2048, 2048)

    found = bands(2048, 2048, [Wide()] * 10)
    assert found[0].start == 0
    assert found[-1].stop == 2048
    assert max(part.stop - part.start for part in found) * 410 * 2048 * 16 <= 64 << 20


def test_bands_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    cubes = [background(rng.normal(1, 0.2, (4, 30, 5))) for _ in range(3)]
    results = []
    for memory in (64 << 20, 1):
        monkeypatch.setattr("calwebb_core.science.background_exposures.MEMORY", memory)
        image = target((30, 5))
        subtract_backgrounds(image, cubes)
        results.append(image.data.tobytes())
    assert results[0] == results[1]
