"""Outliers of spectra at nods are found; the star and its lines are kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError
from calwebb_core.science.dq import DO_NOT_USE, OUTLIER
from calwebb_level3.slits.inputs import make_set
from calwebb_level3.slits.outliers import read_between
from calwebb_level3.slits.steps.outlier_detection import OutlierDetectionParameters, run

from .slit import exposure, slits


def set_of(exposures, name="x"):
    from pathlib import Path

    from calwebb_core.framework.association import AssociationProduct

    return make_set(exposures, AssociationProduct(name, ()), Path("x_asn.json"))


def with_hits(images, number=30, above=60.0):
    """Add values that stand off; return where."""
    rng = np.random.default_rng(3)
    masks = []
    for image in images:
        mask = np.zeros(image.data.shape, bool)
        mask[rng.integers(8, 22, number), rng.integers(0, mask.shape[1], number)] = True
        image.data[mask] += above * image.err[mask]
        masks.append(mask)
    return masks


@pytest.mark.parametrize("shifts", [(0.0, 4.0), (-3.4, 0.0, 3.3), (0.2, 0.0, -0.4, 5.0)])
def test_hits_at_nods(shifts):
    images = [exposure(n, shift) for n, shift in enumerate(shifts, 1)]
    masks = with_hits(images)
    _, status = run(set_of(images), None, OutlierDetectionParameters())
    assert status.word == "COMPLETE"
    for image, mask in zip(images, masks, strict=True):
        found = (image.dq & OUTLIER) > 0
        assert np.mean(found[mask]) > 0.85
        assert np.mean(found[~mask]) < 3e-3
        assert np.all(np.isnan(image.data[found]) & np.isnan(image.err[found]))
        assert np.all((image.dq[found] & DO_NOT_USE) > 0)


def test_slits_are_compared_with_the_same_slit():
    exposures = [slits(1), slits(2, 3.0), slits(3, -2.5, names=("S400A1",))]
    exposures[0].slits[1].data[14, 20] += 5e3
    sources = set_of(exposures)
    assert [(s.name, len(s.spectra)) for s in sources.sources] == [("S200A1", 2), ("S400A1", 3)]
    run(sources, None, OutlierDetectionParameters())
    assert exposures[0].slits[1].dq[14, 20] == OUTLIER | DO_NOT_USE
    flagged = [np.mean((part.dq & OUTLIER) > 0) for one in exposures for part in one.slits]
    assert max(flagged) < 5e-3


def test_one_exposure_is_passed_over():
    _, status = run(set_of([exposure()]), None, OutlierDetectionParameters())
    assert "one exposure" in status.reason
    sources = set_of([exposure(1), exposure(2)])
    with pytest.raises(InputError, match="expected two numbers such as"):
        run(sources, None, OutlierDetectionParameters(snr="5"))
    with pytest.raises(InputError, match="no flag is called NOTHING"):
        run(sources, None, OutlierDetectionParameters(good_bits="NOTHING"))


@given(st.floats(-3, 9), st.floats(-3, 7))
def test_planes_are_read_exactly_between_pixels(x, y):
    v, u = np.mgrid[:5, :7].astype("f4")
    data = 2 * u - 3 * v + 1
    found = read_between(data, np.array([x]), np.array([y]))[0]
    if -0.5 < x < 6.5 and -0.5 < y < 4.5:
        assert found == pytest.approx(2 * np.clip(x, 0, 6) - 3 * np.clip(y, 0, 4) + 1, abs=1e-4)
    else:
        assert np.isnan(found)


def test_unknown_pixels_are_left_out():
    data = np.ones((3, 3), np.float32)
    data[1, 1] = np.nan
    x, y = np.array([0.5, 1.0, 0.9, np.nan]), np.array([1.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(read_between(data, x, y), [1.0, np.nan, np.nan, np.nan])
