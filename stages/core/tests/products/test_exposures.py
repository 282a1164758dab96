"""Exposures whose pixels stay on disk, and planes that outlive a step."""

import numpy as np
import pytest

from calwebb_core.framework import fits_write
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure, StoredImage
from calwebb_core.framework.planes import FilePlane, MemoryPlane, Store
from calwebb_core.framework.products import read_image, write_image, write_pixels
from products.samples import sample_image, sample_mosaic


@pytest.fixture(params=["file", "memory"])
def exposure(request, tmp_path):
    path = tmp_path / "jw01345001001_02201_00001_nrcalong_cal.fits"
    write_image(sample_image(), path)
    return Exposure.open(path) if request.param == "file" else Exposure.of(read_image(path))


def test_planes_are_those_of_the_image(exposure):
    image = sample_image()
    assert exposure.shape == image.data.shape
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat", "area", "weight"):
        expected = getattr(image, name)
        assert exposure.has(name) == (expected is not None)
        if expected is None:
            assert exposure.plane(name) is None
        else:
            for rows in (slice(None), slice(1, 3), slice(2, 2)):
                found = exposure.plane(name, rows)
                assert found.flags.c_contiguous
                assert found.flags.writeable
                np.testing.assert_array_equal(found, expected[rows])


def test_marks_and_levels_are_applied_whatever_rows_are_read(exposure):
    plain = exposure.image()
    hits = np.zeros(exposure.shape, bool)
    hits[0, 1] = hits[3, 2] = True
    exposure.mark(hits)
    exposure.subtract(0.5)
    exposure.mark(np.roll(hits, 1, axis=1))
    hits |= np.roll(hits, 1, axis=1)
    data, dq = plain.data - np.float32(0.5), plain.dq.copy()
    data[hits] = np.nan
    dq[hits] |= 17
    for rows in (slice(None), slice(0, 1), slice(1, 4)):
        np.testing.assert_array_equal(exposure.plane("data", rows), data[rows])
        np.testing.assert_array_equal(exposure.plane("dq", rows), dq[rows])
        assert np.isnan(exposure.plane("err", rows)[hits[rows]]).all()
    np.testing.assert_array_equal(exposure.outliers, np.flatnonzero(hits))


def test_another_image_can_be_put_in_its_place(exposure):
    exposure.mark(np.ones(exposure.shape, bool))
    other = sample_image()
    exposure.put(other)
    np.testing.assert_array_equal(exposure.plane("data"), other.data)
    assert exposure.outliers.size == 0


def test_a_cube_is_refused(tmp_path):
    path = tmp_path / "jw01345001001_02201_00001_nrcalong_calints.fits"
    image = sample_image()
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat"):
        array = getattr(image, name)
        setattr(image, name, None if array is None else array[None])
    write_image(image, path)
    with pytest.raises(InputError, match="expected a 2-D image"):
        Exposure.open(path)


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_planes_keep_what_is_written(tmp_path, memory):
    store = Store(tmp_path, memory)
    plane = store.plane((6, 5), np.float32)
    assert isinstance(plane, MemoryPlane if memory else FilePlane)
    assert (plane.read() == 0).all()
    values = np.arange(10, dtype=np.float32).reshape(2, 5)
    plane.write(slice(2, 4), values)
    np.testing.assert_array_equal(plane.read(slice(1, 4))[1:], values)
    np.testing.assert_array_equal(plane.read(slice(3, 9))[0], values[1])
    plane.write(slice(5, 6), np.float32(7))
    assert (plane.read(slice(5, 6)) == 7).all()
    assert list(tmp_path.iterdir()) == []


def test_a_stored_image_hands_out_its_planes():
    image = sample_image()
    planes = {"data": MemoryPlane(image.data), "err": MemoryPlane(image.err)}
    context = [MemoryPlane(np.zeros(image.data.shape, np.uint32)) for _ in range(2)]
    stored = StoredImage(image.metadata, None, image.data.shape, planes, context)
    assert list(stored.names()) == ["data", "err", "context"]
    assert stored.plane("context", slice(0, 2)).shape == (2, 2, image.data.shape[1])
    np.testing.assert_array_equal(stored.image().data, image.data)


def test_written_row_by_row_the_product_is_the_same(exposure, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("whole", "rows"):
        (tmp_path / name).mkdir()
    write_image(exposure.image(), tmp_path / "whole" / "jw01_a_crf.fits")
    monkeypatch.setattr(fits_write, "LAYER", 11)
    write_pixels(exposure, tmp_path / "rows" / "jw01_a_crf.fits")
    first, second = ((tmp_path / d / "jw01_a_crf.fits").read_bytes() for d in ("whole", "rows"))
    assert first == second


def test_a_mosaic_is_written_row_by_row(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("whole", "rows"):
        (tmp_path / name).mkdir()
    image = sample_mosaic()
    planes = {n: MemoryPlane(getattr(image, n)) for n in ("data", "err", "weight")}
    context = [MemoryPlane(plane) for plane in image.context]
    stored = StoredImage(image.metadata, image.wcs, image.data.shape, planes, context, image.tables)
    write_image(stored.image(), tmp_path / "whole" / "jw01_t_i2d.fits")
    monkeypatch.setattr(fits_write, "LAYER", 20)
    write_pixels(stored, tmp_path / "rows" / "jw01_t_i2d.fits")
    first, second = ((tmp_path / d / "jw01_t_i2d.fits").read_bytes() for d in ("whole", "rows"))
    assert first == second
