"""Products written piece by piece are the bytes of products written at once."""

import numpy as np
import pytest

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.product_stream import ImageStream
from calwebb_core.framework.products import write_image

NAMES = {"SCI": "data", "ERR": "err", "VAR_POISSON": "var_poisson", "VAR_RNOISE": "var_rnoise"}


def made(shape):
    rng = np.random.default_rng(3)
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name in NAMES}
    arrays["DQ"] = rng.integers(0, 2**32, shape, dtype=np.uint32)
    return arrays


def put_all(stream, arrays, rows, columns):
    ny, nx = arrays["SCI"].shape[-2:]
    for y in range(0, ny, rows):
        for x in range(0, nx, columns):
            part = slice(y, min(y + rows, ny)), slice(x, min(x + columns, nx))
            for name, array in arrays.items():
                stream.put(name, *part, array[..., part[0], part[1]])


@pytest.mark.parametrize("shape", [(40, 30), (3, 40, 30)])
@pytest.mark.parametrize(("before", "after"), [(5, 5), (5, 105), (105, 5)])
@pytest.mark.parametrize(("rows", "columns"), [(16, 30), (7, 11)])
def test_same_bytes(tmp_path, monkeypatch, shape, before, after, rows, columns):
    """Also when the final header is longer or shorter than the one the pixels were placed for."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    arrays = made(shape)
    path = tmp_path / "jw01345001001_02101_00001_nrca1_rate.fits"
    expected = Metadata({"INSTRUME": "NIRCAM"} | {f"KEY{k}": k for k in range(before)})
    final = Metadata({"INSTRUME": "NIRCAM"} | {f"KEY{k}": -k for k in range(after)})
    stream = ImageStream(path, expected, shape)
    put_all(stream, arrays, 40, 30)
    stream.begin()
    put_all(stream, arrays, rows, columns)
    assert not path.exists()
    stream.metadata = final
    stream.close()
    found = path.read_bytes()
    attributes = {attribute: arrays[name] for name, attribute in NAMES.items()}
    write_image(Image(final, dq=arrays["DQ"], **attributes), path)
    assert path.read_bytes() == found
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_nothing_is_left_of_a_product_that_was_not_closed(tmp_path):
    stream = ImageStream(tmp_path / "x_rate.fits", Metadata({"INSTRUME": "NIRCAM"}), (4, 5))
    assert len(list(tmp_path.iterdir())) == 1
    del stream
    assert not list(tmp_path.iterdir())
