"""Steps of calwebb_spec3 beside the official ones on the same files."""

import numpy as np
import pytest

from calwebb_core.framework.models import Table
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_level3.slits.inputs import read
from calwebb_level3.slits.steps.master_background import MasterBackgroundParameters, run
from official_process import run_official

from .slit import WAVES, exposure, sky, write, write_members, write_sky

pytestmark = [pytest.mark.peer, pytest.mark.slow]
BACKGROUND = """
import logging
import sys
import numpy as np
from jwst.master_background import MasterBackgroundStep

logging.disable(logging.WARNING)
found = {}
for name in sys.argv[3:]:
    result = MasterBackgroundStep.call(name, user_background=sys.argv[2], force_subtract=True)
    key = name.split("_cal")[0]
    found[key], found[key + "-dq"] = np.asarray(result.data), np.asarray(result.dq)
np.savez(sys.argv[1], **found)
"""


def test_the_background_is_that_of_the_official_step(tmp_path):
    """Equal for light that fills the slit; they leave out what a point source was multiplied by."""
    exposures = [exposure(1, SRCTYPE="EXTENDED"), exposure(2)]
    exposures[1].tables["PATHLOSS_PS"] = Table(np.full(exposures[1].data.shape, 1.3, "f4"))
    paths = write(tmp_path, exposures)
    own = write_sky(tmp_path, "own_x1d.fits", wave=WAVES[3:-4])
    run_official(BACKGROUND, "theirs.npz", own.name, *(p.name for p in paths), folder=tmp_path)
    theirs = np.load(tmp_path / "theirs.npz")
    sources = read(write_members(tmp_path, paths, [own]))
    run(sources, None, MasterBackgroundParameters(force_subtract=True))
    inside = slice(3, -4)
    for image, path, extra in zip(sources.exposures, paths, (0.0, 0.3), strict=True):
        key = path.name.split("_cal")[0]
        found = (image.data + extra * sky() - theirs[key]) / image.err
        assert np.abs(found[:, inside]).max() < 1e-5
        lost = (image.dq & DO_NOT_USE) > 0
        assert not lost[:, inside].any()
        assert lost[:, :3].all()
        assert lost[:, -4:].all()
        assert np.mean(((theirs[f"{key}-dq"] & DO_NOT_USE) > 0) == lost) > 0.95
