import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Table
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_core.science.photom import apply_conversion, check_area, conversion


def table(rows, names, kinds):
    return Table(np.array(rows, dtype=list(zip(names, kinds, strict=True))))


def tables(**extra):
    rows = [("F356W", "CLEAR", 0.5), ("F444W", "CLEAR", 0.4), ("F444W", "F470N", 9.0)]
    return {"PHOTOM": table(rows, ("filter", "pupil", "photmjsr"), ("U12", "U12", "f4")), **extra}


def times(kind, **numbers):
    names, kinds = ("filter", "pupil", *numbers), ("U12", "U12", *["f8"] * len(numbers))
    rows = [("F444W", "CLEAR", *numbers.values())]
    return tables(**{f"TIMECOEFF_{kind}": table(rows, names, kinds)})


@pytest.fixture
def metadata():
    return Metadata({"FILTER": "F444W", "PUPIL": "CLEAR", "EXPMID": 60365.0}, "rate.fits")


def test_row_by_filter_and_pupil(metadata):
    assert conversion(tables(), metadata).photmjsr == pytest.approx(0.4)
    metadata["PUPIL"] = "F470N"
    assert conversion(tables(), metadata).photmjsr == pytest.approx(9.0)


def test_microjansky_per_square_arcsec(metadata):
    found = conversion(tables(), metadata)
    assert found.photuja2 == pytest.approx(found.photmjsr * 23.504430)


@pytest.mark.parametrize(
    ("kind", "numbers", "throughput"),
    [
        ("LINEAR", {"t0": 60000.0, "lossperyear": 0.1}, 0.9),
        ("EXPONENTIAL", {"t0": 60000.0, "amplitude": 0.5, "tau": 365.0, "const": 0.6},
         0.5 * np.exp(-1) + 0.6),
        ("POWERLAW", {"t0": 60000.0, "year1value": 0.8, "tsoft": 10.0, "alpha": -0.5}, 0.8),
    ],
)  # fmt: skip
def test_change_with_time(metadata, kind, numbers, throughput):
    found = conversion(times(kind, **numbers), metadata)
    assert found.throughput == pytest.approx(throughput)
    assert found.photmjsr == pytest.approx(0.4 / throughput)
    off = conversion(times(kind, **numbers), metadata, time_correction=False)
    assert off.photmjsr == pytest.approx(0.4)


def test_subarray_row_before_generic(metadata):
    rows = [("F560W", "GENERIC", 1.0), ("F560W", "SUB64", 2.0)]
    miri = {"PHOTOM": table(rows, ("filter", "subarray", "photmjsr"), ("U12", "U12", "f4"))}
    metadata.update({"FILTER": "F560W", "SUBARRAY": "SUB64"})
    assert conversion(miri, metadata).photmjsr == 2.0
    metadata["SUBARRAY"] = "FULL"
    assert conversion(miri, metadata).photmjsr == 1.0


@pytest.mark.parametrize("keyword", ["FILTER", "PUPIL"])
def test_missing_optical_element(metadata, keyword):
    del metadata[keyword]
    with pytest.raises(InputError, match=f"keyword {keyword} is missing"):
        conversion(tables(), metadata)


def test_missing_row(metadata):
    metadata["FILTER"] = "F070W"
    with pytest.raises(
        ReferenceFileError,
        match=r"no row for filter F070W, pupil CLEAR of rate\.fits; it has F356W, CLEAR; F444W",
    ):
        conversion(tables(), metadata, name="photom.fits")


def test_missing_time_row(metadata):
    metadata["FILTER"] = "F356W"
    with pytest.raises(ReferenceFileError, match="TIMECOEFF_LINEAR has no row"):
        conversion(times("LINEAR", t0=60000.0, lossperyear=0.1), metadata)


def test_missing_time(metadata):
    del metadata["EXPMID"]
    with pytest.raises(InputError, match="keyword EXPMID is missing"):
        conversion(times("LINEAR", t0=60000.0, lossperyear=0.1), metadata)


def test_missing_table(metadata):
    with pytest.raises(ReferenceFileError, match="no PHOTOM table"):
        conversion({}, metadata)


@pytest.mark.parametrize("value", [0.0, np.nan, -1.0])
def test_useless_value(metadata, value):
    useless = tables()
    useless["PHOTOM"].data["photmjsr"] = value
    with pytest.raises(ReferenceFileError, match="expected > 0"):
        conversion(useless, metadata)


@settings(deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 3))
def test_errors_scale_like_the_signal(factor, nints):
    shape = (2, 3) if nints == 0 else (nints, 2, 3)
    ones = [np.ones(shape, np.float32) for _ in range(4)]
    image = Image(Metadata(), ones[0], ones[1], None, ones[2], ones[3])
    image.data[..., 0, 0] = np.nan
    apply_conversion(image, factor)
    assert image.data[..., 1, 1] == pytest.approx(factor, rel=1e-6)
    assert image.err[..., 1, 1] == pytest.approx(factor, rel=1e-6)
    assert image.var_poisson[..., 1, 1] == pytest.approx(factor**2, rel=1e-6)
    assert np.all(image.dq[..., 0, 0] == DO_NOT_USE)
    assert np.isnan(image.err[..., 0, 0]).all()


def test_area_of_another_shape():
    with pytest.raises(ReferenceFileError, match=r"area map has shape \(0, 0\)"):
        check_area(np.zeros((0, 0)), (3, 4), "area.fits")


def test_rows_that_differ(metadata):
    doubled = tables()
    doubled["PHOTOM"].data["pupil"] = "CLEAR"
    with pytest.raises(ReferenceFileError, match="PHOTOM: the table has 2 rows for filter F444W"):
        conversion(doubled, metadata, name="photom.fits")


def test_rows_that_agree_count_once(metadata):
    doubled = tables()
    doubled["PHOTOM"].data[2] = doubled["PHOTOM"].data[1]
    assert conversion(doubled, metadata).photmjsr == pytest.approx(0.4)


def test_case_of_the_elements_does_not_matter(metadata):
    metadata["FILTER"] = "f444w"
    assert conversion(tables(), metadata).photmjsr == pytest.approx(0.4)


def test_one_row_for_an_instrument_without_filters():
    fgs = {"PHOTOM": table([(0.25, 0.01)], ("photmjsr", "uncertainty"), ("f4", "f4"))}
    metadata = Metadata({"EXPMID": 60365.0}, "rate.fits")
    assert conversion(fgs, metadata).photmjsr == 0.25
    fgs["TIMECOEFF_LINEAR"] = table([(60000.0, 0.1)], ("t0", "lossperyear"), ("f8", "f8"))
    assert conversion(fgs, metadata).throughput == pytest.approx(0.9)


def test_empty_table(metadata):
    empty = tables()
    empty["PHOTOM"].data = empty["PHOTOM"].data[:0]
    with pytest.raises(ReferenceFileError, match="it has none at all"):
        conversion(empty, metadata)


def test_scaling_by_numpy():
    rng = np.random.default_rng(4)
    arrays = [rng.normal(2, 0.5, (150, 9)).astype(np.float32) for _ in range(5)]
    dq = np.where(rng.random((150, 9)) < 0.1, DO_NOT_USE | 4, 0).astype(np.uint32)
    arrays[3][7, 3] = np.nan
    before = [array.copy() for array in arrays]
    image = Image(Metadata(), arrays[0], arrays[1], dq.copy(), *arrays[2:])
    apply_conversion(image, 0.37)
    bad = (dq & DO_NOT_USE != 0) | np.isnan(before[3])
    np.testing.assert_array_equal(image.dq, dq | np.where(bad, DO_NOT_USE, 0))
    for position, (ours, array) in enumerate(zip(arrays, before, strict=True)):
        factor = 0.37 if position < 2 else 0.37**2
        expected = np.where(bad, np.nan, (array * np.float64(factor)).astype(np.float32))
        np.testing.assert_array_equal(ours, expected)
