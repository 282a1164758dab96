"""Ramps that are read whole, as those stored as floats: steps together and one by one."""

import numpy as np
import pytest
from astropy.io import fits

import calwebb_detector1
from calwebb_core.framework.references import References
from calwebb_detector1 import windows

from .exposure import write_references, write_uncal


@pytest.mark.parametrize("last", ["superbias", "linearity", "gain_scale"])
def test_steps_that_look_at_neighbours_or_levels_in_one_pass(tmp_path, monkeypatch, last):
    """All that steps change goes back into the ramps, once."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setattr(windows, "BLOCK_BYTES", 1)
    monkeypatch.setattr(windows, "FEWEST_ROWS", 5)
    paths = write_references(tmp_path)
    references = {**{kind: str(path) for kind, path in paths.items()}, "ipc": "N/A"}
    uncal = write_uncal(tmp_path)
    with fits.open(uncal) as hdus:
        samples = hdus["SCI"].data.astype(np.float32)
    with fits.open(uncal, mode="update") as hdus:
        hdus["SCI"].data = samples + np.float32(0.25)
    found = []
    for folder, apart in (("apart", True), ("together", False)):
        products = calwebb_detector1.run(
            uncal, references=References({}), overrides=references, output_dir=tmp_path / folder,
            one_by_one=apart, stop_after=last,
        )  # fmt: skip
        found.append([path.read_bytes() for path in products.outputs])
    assert found[0] == found[1]
