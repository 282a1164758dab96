"""A star beside the middle of MIRI's slit: where targ_centroid finds it, against where it is."""

import json

import numpy as np
import pytest
from astropy.io import fits

from programs import BIN, SERVERLESS, run

pytestmark = pytest.mark.slow
NEAR = 0.05  # pixels
TARGET = "jw01703001001_02102_00001_mirimage"


def test_the_star_is_found_where_it_is(tmp_path):
    """In its image, and without the prism in the spectra of both nods; the aperture follows."""
    made = ["rates", "--scenario", "lrs-target", "--output-dir", tmp_path, "-q"]
    run([BIN / "calwebb-simulate", *made])
    cache = {
        "CRDS_PATH": str(tmp_path / "crds_cache"), "CRDS_SERVER_URL": SERVERLESS,
        "CRDS_CONTEXT": "jwst_0001.pmap",
    }  # fmt: skip
    content = json.loads((tmp_path / "truth" / "truth.json").read_text())
    places = {item["root"]: item["star"] for item in content["exposures"]}
    (image,) = (item["star"] for item in content["acquisitions"] if item["root"] == TARGET)
    assert len(places) == 2
    assert np.hypot(image[0] - 325.4, image[1] - 299.5) > 0.3, "the telescope has to miss"
    wish = ["--set", "targ_centroid.skip=false", "--stop-after", "targ_centroid"]
    wish += ["--set", f"targ_centroid.ta_file={tmp_path / 'rates' / TARGET}_rate.fits"]
    for root, place in places.items():
        rate = tmp_path / "rates" / f"{root}_rate.fits"
        run([BIN / "calwebb-spec2", "run", rate, "--output-dir", tmp_path, *wish, "-q"], **cache)
        with fits.open(tmp_path / f"{root}_targ_centroid.fits") as hdus:
            header = hdus["SCI"].header
            assert hdus[0].header["S_TACNTR"] == "COMPLETE"
        found = [header[key] for key in ("TA_XPOS", "TA_YPOS", "SRCXPOS", "SRCYPOS")]
        assert np.hypot(found[0] - image[0], found[1] - image[1]) < NEAR
        assert np.hypot(found[2] - place[0], found[3] - place[1]) < NEAR
