"""Steps of calwebb_spec3 beside the official ones on the same files."""

import numpy as np
import pytest

from calwebb_core.framework.models import Table
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_level3.slits.inputs import read
from calwebb_level3.slits.steps.master_background import MasterBackgroundParameters, run
from official_process import run_official

from .slit import WAVES, exposure, sky, slits, write, write_members, write_sky

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


@pytest.mark.parametrize("pathloss", ["applied", "ignored"])
def test_the_background_is_that_of_the_official_step(tmp_path, pathloss):
    """Equal for light that fills the slit; they leave out what a point source was multiplied by."""
    exposures = [exposure(1, SRCTYPE="EXTENDED"), exposure(2)]
    exposures[1].tables["PATHLOSS_PS"] = Table(np.full(exposures[1].data.shape, 1.3, "f4"))
    paths = write(tmp_path, exposures)
    own = write_sky(tmp_path, "own_x1d.fits", wave=WAVES[3:-4])
    run_official(BACKGROUND, "theirs.npz", own.name, *(p.name for p in paths), folder=tmp_path)
    theirs = np.load(tmp_path / "theirs.npz")
    sources = read(write_members(tmp_path, paths, [own]))
    run(sources, None, MasterBackgroundParameters(force_subtract=True, lrs_pathloss=pathloss))
    inside = slice(3, -4)
    extras = (0.0, 0.3 if pathloss == "applied" else 0.0)
    for image, path, extra in zip(sources.exposures, paths, extras, strict=True):
        key = path.name.split("_cal")[0]
        found = (image.data + extra * sky() - theirs[key]) / image.err
        assert np.abs(found[:, inside]).max() < 1e-5
        lost = (image.dq & DO_NOT_USE) > 0
        assert not lost[:, inside].any()
        assert lost[:, :3].all()
        assert lost[:, -4:].all()
        assert np.mean(((theirs[f"{key}-dq"] & DO_NOT_USE) > 0) == lost) > 0.95


SLITS = """
import logging
import sys
import numpy as np
from jwst.master_background import MasterBackgroundStep

logging.disable(logging.WARNING)
result = MasterBackgroundStep.call(sys.argv[3], user_background=sys.argv[2], force_subtract=True)
np.savez(sys.argv[1], **{slit.name: np.asarray(slit.data) for slit in result.slits})
"""
# what stage 2 leaves of the calibration of a point, and of light that fills the slit
PLANES = {
    "FLATFIELD_PS": 0.95, "FLATFIELD_UN": 0.9, "PATHLOSS_PS": 0.7, "PATHLOSS_UN": 0.8,
    "PHOTOM_PS": 6.0, "PHOTOM_UN": 3e13,
}  # fmt: skip


@pytest.mark.parametrize("point", [True, False])
def test_the_background_of_slits_is_that_of_the_official_step(tmp_path, point):
    """The sky of a point goes through the same calibration as the point."""
    model = slits(FXD_SLIT="S200A1", PATTTYPE="NONE")
    for number, slit in enumerate(model.slits):
        slit.metadata["SRCTYPE"] = "POINT" if point else "EXTENDED"
        scale = 1.0 + 0.01 * number + 0.02 * np.linspace(0.0, 1.0, slit.data.shape[1])
        for name, value in PLANES.items():
            slit.planes[name] = np.broadcast_to(value * scale, slit.data.shape).astype("f4")
    (path,) = write(tmp_path, [model])
    own = write_sky(tmp_path, "own_x1d.fits")
    run_official(SLITS, "theirs.npz", own.name, path.name, folder=tmp_path)
    theirs = np.load(tmp_path / "theirs.npz")
    sources = read(write_members(tmp_path, [path], [own]))
    run(sources, None, MasterBackgroundParameters(force_subtract=True))
    for slit in sources.exposures[0].slits:
        found = (slit.data - theirs[slit.metadata["SLTNAME"]]) / slit.err
        assert np.nanmax(np.abs(found)) < 1e-4
