import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.science.dq import DO_NOT_USE, NO_FLAT_FIELD, PixelDQ
from calwebb_core.science.flat import Flat, apply_flat

UNRELIABLE = int(PixelDQ.UNRELIABLE_FLAT)


def image_of(data, dq=None):
    shape = data.shape
    return Image(
        Metadata(),
        data.astype(np.float32),
        np.ones(shape, np.float32),
        np.zeros(shape, np.uint32) if dq is None else dq,
        np.full(shape, 0.5, np.float32),
        np.full(shape, 0.25, np.float32),
    )


def flat_of(data, err=0.0, dq=None):
    data = np.asarray(data, np.float32)
    dq = np.zeros(data.shape, np.uint32) if dq is None else dq
    return Flat({"SCI": data, "ERR": np.full(data.shape, err, np.float32)}, dq, "flat.fits")


def by_numpy(image, flat):
    """The definition, array by array."""
    response, uncertainty = flat.arrays["SCI"], flat.arrays["ERR"]
    bad = ~np.isfinite(response) | (response == 0) | (flat.dq & NO_FLAT_FIELD != 0)
    value = np.where(bad, 1, response)
    error = np.where(bad | ~np.isfinite(uncertainty), 0, uncertainty)
    dq = image.dq | flat.dq | np.where(bad, DO_NOT_USE | NO_FLAT_FIELD, 0).astype(np.uint32)
    data = image.data / value
    poisson, rnoise = image.var_poisson / value**2, image.var_rnoise / value**2
    var_flat = data**2 * (error / value) ** 2
    lost = np.isnan(data) | (dq & DO_NOT_USE != 0)
    dq = dq | np.where(lost, DO_NOT_USE, 0).astype(np.uint32)
    err = np.sqrt(poisson + rnoise + var_flat)
    planes = (data, err, poisson, rnoise, var_flat)
    return [np.where(lost, np.nan, plane) for plane in planes], dq


values = st.floats(-1e3, 1e3, width=32) | st.just(np.float32(np.nan))
responses = st.sampled_from([0.5, 0.9, 1.0, 1.25, 0.0, -0.5, np.nan, np.inf])


@settings(deadline=None, max_examples=40)
@given(
    arrays(np.float32, (2, 3, 4), elements=values),
    arrays(np.float32, (3, 4), elements=responses),
    arrays(np.uint32, (3, 4), elements=st.sampled_from([0, NO_FLAT_FIELD, UNRELIABLE])),
)
def test_kernel_is_the_definition(data, response, flags):
    response[0, 0], flags[0, 0] = 1.0, 0
    flat = flat_of(response, 0.01, flags)
    planes, dq = by_numpy(image_of(data), flat)
    image = image_of(data)
    apply_flat(image, flat)
    np.testing.assert_array_equal(image.dq, dq)
    found = (image.data, image.err, image.var_poisson, image.var_rnoise, image.var_flat)
    for ours, expected in zip(found, planes, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=2e-6)


def test_reference_is_not_changed():
    flat = flat_of([[0.5, np.nan], [0.0, 2.0]], 0.1)
    arrays = (*flat.arrays.values(), flat.dq)
    before = [array.copy() for array in arrays]
    apply_flat(image_of(np.ones((2, 2))), flat)
    for ours, expected in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_lost_pixels_are_counted_once():
    dq = np.zeros((3, 2, 2), np.uint32)
    dq[:, 0, 0] = DO_NOT_USE
    image = image_of(np.ones((3, 2, 2)), dq)
    assert apply_flat(image, flat_of([[np.nan, np.nan], [0.0, 1.0]])) == 2
    assert np.isnan(image.data[:, 0, 1]).all()
    assert (image.dq[:, 1, 0] == DO_NOT_USE | NO_FLAT_FIELD).all()


def test_another_shape_is_refused():
    with pytest.raises(ReferenceFileError, match=r"SCI of the flat has shape \(2, 3\)"):
        apply_flat(image_of(np.ones((3, 2))), flat_of(np.ones((2, 3))))


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_flat_without_any_value_is_refused(value):
    with pytest.raises(ReferenceFileError, match="no pixel of the flat"):
        apply_flat(image_of(np.ones((2, 2))), flat_of(np.full((2, 2), value)))


def test_reference_pixels_are_no_loss():
    dq = np.full((2, 2), int(PixelDQ.REFERENCE_PIXEL), np.uint32)
    dq[1, 1] = 0
    assert (
        apply_flat(image_of(np.ones((2, 2)), dq), flat_of([[np.nan, np.nan], [np.nan, 1.0]])) == 0
    )


def test_inverse_takes_the_flat_back():
    flat = flat_of(np.random.default_rng(1).uniform(0.5, 2, (70, 5)), 0.01)
    data = np.random.default_rng(2).normal(5, 1, (70, 5))
    image = image_of(data)
    apply_flat(image, flat)
    apply_flat(image, flat, inverse=True)
    np.testing.assert_allclose(image.data, data, rtol=3e-7)
    np.testing.assert_allclose(image.var_poisson, 0.5, rtol=1e-6)


def test_flat_without_errors_and_flags():
    image = image_of(np.ones((3, 2)))
    apply_flat(image, Flat({"SCI": np.full((3, 2), 0.5, np.float64)}))
    assert (image.data == 2).all()
    assert (image.var_flat == 0).all()


def test_threads_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    flat, data = flat_of(rng.uniform(0.5, 2, (300, 7)), 0.01), rng.normal(5, 1, (2, 300, 7))
    results = []
    for number in (1, 3):
        monkeypatch.setattr("calwebb_core.framework.threads._wanted", [number])
        image = image_of(data)
        apply_flat(image, flat)
        results.append((image.data, image.err, image.var_flat, image.dq))
    for one, other in zip(*results, strict=True):
        assert one.tobytes() == other.tobytes()
