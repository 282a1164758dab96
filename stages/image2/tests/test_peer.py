"""The same exposure and references through the official package, run in its own environment.

CALWEBB_PEER_PYTHON names the Python that has it.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.products import read_image
from calwebb_image2 import PIPELINE

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture(scope="module")
def both(tmp_path_factory, reference_files, shared_rate_file, peer_environment):
    """Our cal and i2d, and the peer's arrays and keywords."""
    python = os.environ.get("CALWEBB_PEER_PYTHON")
    if not python:
        pytest.skip("CALWEBB_PEER_PYTHON is not set")
    folder = tmp_path_factory.mktemp("peer")
    path = shared_rate_file
    outputs = call_pipeline(
        PIPELINE, path, overrides=reference_files, output_dir=folder / "ours"
    ).outputs
    script = Path(__file__).with_name("peer_image2.py")
    files = json.dumps({kind: str(file) for kind, file in reference_files.items()})
    target = folder / "peer.npz"
    command = [python, str(script), str(path), files, str(target)]
    subprocess.run(command, env=peer_environment(folder), cwd=folder, check=True)
    with np.load(target) as archive:
        theirs = dict(archive)
    return *(read_image(output) for output in outputs), theirs, json.loads(str(theirs["keywords"]))


def test_wcs_to_a_ten_thousandth_of_a_pixel(both):
    cal, _, theirs, keywords = both
    ny, nx = cal.data.shape
    y, x = np.mgrid[0:ny:7, 0:nx:7].astype(float)
    ra, dec = cal.wcs(x, y)
    scale = 0.063 / 3600
    assert np.abs((ra - theirs["ra"]) * np.cos(np.deg2rad(dec))).max() / scale < 1e-4
    assert np.abs(dec - theirs["dec"]).max() / scale < 1e-4
    assert cal.metadata["S_REGION"] == keywords["s_region"]


def test_calibrated_pixels(both):
    cal, _, theirs, keywords = both
    np.testing.assert_array_equal(cal.dq, theirs["dq"])
    for name in ("data", "err", "var_flat", "var_poisson", "area"):
        np.testing.assert_allclose(getattr(cal, name), theirs[name], rtol=3e-6)
    for key in ("PHOTMJSR", "PHOTUJA2", "PIXAR_SR"):
        assert cal.metadata[key] == pytest.approx(keywords[key.lower()], rel=1e-6)


def test_resampled_grid(both):
    _, i2d, theirs, keywords = both
    assert i2d.data.shape == theirs["i2d"].shape
    for key in ("crpix1", "crpix2", "crval1", "crval2", "cdelt1", "pc1_1", "pc1_2", "pc2_1"):
        assert i2d.metadata[key] == pytest.approx(keywords["i2d"][key], rel=1e-7)
    assert i2d.metadata["PIXAR_SR"] == pytest.approx(keywords["i2d_pixar_sr"], rel=1e-4)
    assert i2d.metadata["PXSCLRT"] == pytest.approx(keywords["pxsclrt"], rel=1e-4)
    assert i2d.metadata["NDRIZ"] == keywords["ndriz"]


def test_resampled_pixels(both):
    _, i2d, theirs, _ = both
    # where an input's edge falls on a pixel's edge, one of the two may see a sliver of it
    differ = np.isnan(i2d.data) != np.isnan(theirs["i2d"])
    sliver = np.maximum(i2d.weight, theirs["wht"])[differ]
    assert np.all(sliver < 1e-3 * np.median(i2d.weight)), sliver
    assert np.count_nonzero(differ[1:-1, 1:-1]) == 0
    # the drizzle library leaves input pixels centred beyond the output out of its last pixels
    inner = slice(1, -1), slice(1, -1)
    data, weight = theirs["i2d"][inner], theirs["wht"][inner]
    scale = np.nanmedian(np.abs(data))
    np.testing.assert_allclose(i2d.data[inner], data, rtol=1e-4, atol=1e-4 * scale)
    np.testing.assert_allclose(i2d.weight[inner], weight, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(i2d.err[inner], theirs["i2d_err"][inner], rtol=1e-3)
    expected = theirs["i2d_var_poisson"][inner]
    np.testing.assert_allclose(i2d.var_poisson[inner], expected, rtol=1e-4)
    np.testing.assert_array_equal(
        i2d.context[0][inner], theirs["con"].reshape(i2d.data.shape)[inner]
    )
    assert np.nansum(i2d.data[inner] * weight) == pytest.approx(np.nansum(data * weight), rel=1e-6)
