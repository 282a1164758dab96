"""MIRI exposures through the program: the truth is found, and the same bits step by step."""

import json
import subprocess
import sys
from pathlib import Path

import asdf
import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.products import write_raw

from . import emi
from .exposure import write_reference
from .ramps import GAIN, READ_NOISE, keywords
from .test_miri_groups import anomaly

PROGRAM = Path(sys.executable).with_name("calwebb-detector1")
NINTS, NGROUPS, NY, NX = 3, 14, 32, 40
NAME = "jw09999001001_02101_00001_mirimage"
FRAME = NY * emi.ROW + (1024 - NY) * 7
TGROUP = FRAME * 1e-5
MIRI = {
    "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "SUBARRAY": "SUB64", "READPATT": "FASTR1",
    "SUBSTRT1": 1, "SUBSTRT2": 779, "SUBSIZE1": NX, "SUBSIZE2": NY,
}  # fmt: skip
SETTINGS = {
    "EXP_TYPE": "MIR_IMAGE", "FILTER": "F770W", "PUPIL": None, "MODULE": None, "CHANNEL": None,
    "NSAMPLES": 1, "TGROUP": TGROUP, "TFRAME": TGROUP, "FASTAXIS": 1, "SLOWAXIS": 2,
    "NOUTPUTS": 4,
}  # fmt: skip
DARK_RATE = np.array([6.0, 4.0])
FRAMES = np.arange(1, NGROUPS + 1, dtype=np.float32)[:, None, None]


def true_rates():
    """Return the rate of each pixel in DN/s; a few fill up early."""
    rates = np.exp(np.random.default_rng(5).uniform(np.log(50), np.log(4000), (NY, NX)))
    rates[10:12, 10:20] = 2e5
    return rates


def dark():
    """Return the dark of two integrations."""
    rates = np.multiply.outer(DARK_RATE * TGROUP, FRAMES * np.ones((NY, NX)))
    return rates.astype(np.float32)


def write_uncal(folder, **changes):
    """Write a raw exposure with MIRI's effects; return its path."""
    rng = np.random.default_rng(6)
    shape = (NINTS, NGROUPS, NY, NX)
    electrons = rng.poisson(true_rates() * GAIN * TGROUP, shape)
    signal = np.cumsum(electrons, axis=1) / GAIN + 9000
    signal += dark()[np.minimum(np.arange(NINTS), 1)]
    signal[:, :5] += anomaly(2, (NY, NX))[np.minimum(np.arange(NINTS), 1)]
    signal[:, -1, ::2] -= 30
    signal[1:, :3] -= np.array([80, 30, 10])[None, :, None, None]
    signal += emi.disturbance(shape, amplitude=8.0, phase=0.2, frame_of_reset=FRAME)
    signal += rng.normal(0, READ_NOISE / np.sqrt(2), shape)
    data = np.clip(np.round(signal), 0, 55000).astype(np.uint16)
    path = Path(folder) / f"{NAME}_uncal.fits"
    write_raw(path, keywords(shape, **MIRI | SETTINGS | changes), data)
    return path


def write_references(folder):
    """Write all reference files; return the options that name them."""
    flat, shape = np.zeros((NY, NX), np.uint32), (NY, NX)
    linear = np.zeros((3, *shape), np.float32)
    linear[1] = 1
    made = {
        "mask": {"DQ": flat},
        "saturation": {"SCI": np.full(shape, 54000, np.float32), "DQ": flat},
        "linearity": {"COEFFS": linear, "DQ": flat},
        "dark": {"SCI": dark()},
        "reset": {"SCI": anomaly(2, shape), "DQ": flat},
        "gain": {"SCI": np.full(shape, GAIN, np.float32)},
        "readnoise": {"SCI": np.full(shape, READ_NOISE, np.float32)},
        "rscd": {},
    }
    cards = {"dark": {"NFRAMES": 1, "GROUPGAP": 0}}
    paths = {
        kind: write_reference(folder, kind, arrays, **MIRI | cards.get(kind, {}))
        for kind, arrays in made.items()
    }
    kinds = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
    with fits.open(paths["rscd"], mode="append") as hdus:
        rows = np.array([("SUB64", "FASTR1", 1, 4)], kinds)
        hdus.append(fits.BinTableHDU(rows, name="RSCD_GROUP_SKIP"))
    paths["emicorr"] = folder / "emicorr.asdf"
    meta = {"reftype": "emicorr", "telescope": "JWST", "instrument": {"name": "MIRI"}}
    asdf.AsdfFile(emi.tree(frame=FRAME) | {"meta": meta}).write_to(paths["emicorr"])
    return [*(f"--override={kind}={path}" for kind, path in paths.items()), "--override=ipc=N/A"]


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("miri")
    return write_uncal(folder), write_references(folder)


@pytest.fixture(scope="module")
def corrected(exposure, tmp_path_factory):
    """Return the rate with all effects taken away."""
    return run(exposure, tmp_path_factory.mktemp("all"), "--set=emicorr.skip=false")[0]


def run(exposure, folder, *options):
    command = [PROGRAM, "run", exposure[0], "--output-dir", folder, *exposure[1], *options]
    done = subprocess.run(
        [str(item) for item in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [folder / f"{NAME}_{kind}.fits" for kind in ("rate", "rateints")]


def pulls(path, good):
    with fits.open(path) as hdus:
        rate, err = hdus["SCI"].data.astype(float), hdus["ERR"].data
        usable = good & (hdus["DQ"].data & 5 == 0)
        return ((rate - true_rates()) / err)[usable], hdus[0].header


def test_truth_is_found(corrected):
    found, header = pulls(corrected, true_rates() < 1e5)
    words = [header[key] for key in ("S_MIREMI", "S_LASTFR", "S_RESET", "S_RSCD", "S_DARK")]
    assert words == ["COMPLETE"] * 5
    assert (header["INT1SKIP"], header["INT2SKIP"]) == (1, 4)
    assert (header["INT1BORS"], header["INT2BORS"]) == (48, 48)
    assert found.size > 0.8 * NY * NX
    assert abs(found.mean()) < 0.15
    assert 0.9 < found.std() < 1.25


@pytest.mark.slow
@pytest.mark.parametrize("left_out", ["reset", "rscd", "dark_current", "lastframe", "emicorr"])
def test_each_effect_is_seen_without_its_step(exposure, corrected, tmp_path, left_out):
    faint = true_rates() < 400
    options = [f"--set={left_out}.skip=true"]
    if left_out != "emicorr":
        options.append("--set=emicorr.skip=false")
    without = run(exposure, tmp_path, *options)[0]
    (good, _), (bad, _) = pulls(corrected, faint), pulls(without, faint)
    assert np.mean(bad**2) > 1.04 * np.mean(good**2)


STEPS = ("dq_init", "saturation", "lastframe", "reset", "linearity", "rscd", "dark_current", "jump")


@pytest.mark.slow
def test_same_bits_step_by_step(exposure, tmp_path):
    together = run(exposure, tmp_path / "a")
    apart = run(exposure, tmp_path / "b", *(f"--save={step}" for step in STEPS))
    assert (tmp_path / "b" / f"{NAME}_rscd.fits").is_file()
    for one, other in zip(together, apart, strict=True):
        assert fits.getheader(one)["INT2BORS"] == fits.getheader(other)["INT2BORS"] == 48
        for name in ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE"):
            np.testing.assert_array_equal(fits.getdata(one, name), fits.getdata(other, name))


def test_time_series_keep_all_groups(exposure, tmp_path):
    raw = write_uncal(tmp_path, TSOVISIT=True, EXP_TYPE="MIR_LRS-SLITLESS")
    done = subprocess.run(
        [PROGRAM, "steps", raw, "--json"], capture_output=True, text=True, check=True
    )
    steps = {step["step"]: step for step in json.loads(done.stdout)["steps"]}
    for name in ("lastframe", "rscd"):
        assert (steps[name]["action"], steps[name]["reason"]) == ("skip", "off unless asked for")
    assert steps["reset"]["action"] == "run"
