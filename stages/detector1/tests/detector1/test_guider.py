"""calwebb-guider: count rates of every kind of guide-star data, by hand and through the program."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Table
from calwebb_core.framework.products import write_raw
from calwebb_core.framework.references import References
from calwebb_detector1.cli import guider, main
from calwebb_detector1.guider import read, select
from calwebb_detector1.steps import guider_cds

from .exposure import write_reference
from .ramps import keywords

NAME = "jw09999001001_gs-acq1_2026117003102"
NY, NX, TIME, GAIN, NOISE = 6, 8, 0.25, 2.0, 4.0
GROUPS = {
    "FGS_ID-IMAGE": (2, 2), "FGS_ID-STACK": (2, 2), "FGS_ACQ1": (6, 2), "FGS_ACQ2": (5, 2),
    "FGS_TRACK": (9, 2), "FGS_FINEGUIDE": (7, 8),
}  # fmt: skip
TRACK = np.zeros(
    3,
    [
        ("observatory_time", "S23"), ("x_corner", "f8"), ("y_corner", "f8"),
        ("x_size", "i4"), ("y_size", "i4"),
    ],
)  # fmt: skip
TRACK["x_corner"] = [1.5, 2.5, 3.5]
STARS = np.array(
    [(b"a", 1.0, 2.0, 300.0)],
    [("reference_star_id", "S2"), ("id_x", "f8"), ("id_y", "f8"), ("count_rate", "f8")],
)
REAL = Path(
    os.environ.get("CALWEBB_REALDATA", Path(__file__).parents[5] / "shared" / "realdata")
) / "guider" / "jw01019001001_gs-acq1_2022117003102_uncal.fits"  # fmt: skip


def samples(exp_type, seed=1):
    nints, ngroups = GROUPS[exp_type]
    return np.random.default_rng(seed).integers(9000, 12000, (nints, ngroups, NY, NX), np.uint16)


def write_uncal(folder, exp_type="FGS_ACQ1", data=None, **changes):
    data = samples(exp_type) if data is None else data
    metadata = keywords(
        data.shape,
        **{
            "INSTRUME": "FGS",
            "DETECTOR": "GUIDER1",
            "EXP_TYPE": exp_type,
            "TGROUP": TIME,
            "SUBARRAY": "8X8",
        }
        | {"FILTER": None, "PUPIL": None, "MODULE": None, "CHANNEL": None}
        | changes,
    )
    path = folder / f"{NAME}_uncal.fits"
    tables = {
        "Flight Reference Stars": Table(STARS),
        "Track subarray table": Table(TRACK, {"x_corner": "pixel"}),
    }
    write_raw(path, metadata, data, tables=tables)
    return path


def write_references(folder, flat=None, **gain):
    shape = (NY, NX)
    zero = np.zeros(shape, np.uint32)
    mask = zero.copy()
    mask[1, 1] = 1
    made = {
        "mask": {"DQ": mask},
        "gain": {"SCI": np.full(shape, GAIN, np.float32)} | gain,
        "readnoise": {"SCI": np.full(shape, NOISE, np.float32)},
        "flat": {
            "SCI": np.full(shape, 0.8, np.float32) if flat is None else flat,
            "ERR": np.full(shape, 0.02, np.float32), "DQ": zero,
        },
    }  # fmt: skip
    cards = {"INSTRUME": "FGS", "DETECTOR": "GUIDER1", "SUBSIZE1": NX, "SUBSIZE2": NY}
    return [
        f"--override={kind}={write_reference(folder, kind, arrays, **cards)}"
        for kind, arrays in made.items()
    ]


def call(*arguments, program=guider):
    """Run a program in this process; its result has `exit_code`, `stdout` and `stderr`."""
    return CliRunner().invoke(program, [str(item) for item in arguments])


def succeed(*arguments):
    done = call(*arguments)
    assert done.exit_code == 0, done.stderr
    return [Path(line) for line in done.stdout.split()]


def by_hand(data, exp_type):
    """Return the rates pixel by pixel."""
    nints, _, ny, nx = data.shape
    rise = np.zeros((nints, ny, nx))
    for i, y, x in np.ndindex(nints, ny, nx):
        ramp = [float(v) for v in data[i, :, y, x]]
        if exp_type == "FGS_FINEGUIDE":
            rise[i, y, x] = sum(ramp[4:8]) / 4 - sum(ramp[:4]) / 4
        else:
            rise[i, y, x] = ramp[1] - ramp[0]
    if exp_type.startswith("FGS_ID"):
        rise = np.minimum(rise[0], rise[1])[None]
    return rise / TIME


@pytest.mark.parametrize("exp_type", GROUPS)
def test_every_kind_through_the_program(tmp_path, exp_type):
    uncal, options = write_uncal(tmp_path, exp_type), write_references(tmp_path)
    (product,) = succeed("run", uncal, "--output-dir", tmp_path / "out", *options)
    assert product.name == f"{NAME}_cal.fits"
    rate = by_hand(samples(exp_type), exp_type) / 0.8
    poisson = np.maximum(rate * 0.8, 0) / (GAIN * TIME) / 0.64
    variance = poisson + 2 * (NOISE / TIME) ** 2 / 0.64 + (rate * 0.02 / 0.8) ** 2
    good = np.ones((NY, NX), bool)
    good[1, 1] = False
    with fits.open(product) as hdus:
        assert hdus[0].header["DATAMODL"] == "GuiderCalModel"
        assert hdus["SCI"].header["BUNIT"] == "DN/s"
        assert [hdus[0].header[key] for key in ("S_DQINIT", "S_GUICDS", "S_FLAT")] == [
            "COMPLETE"
        ] * 3
        np.testing.assert_allclose(hdus["SCI"].data[:, good], rate[:, good], rtol=1e-6)
        np.testing.assert_allclose(hdus["ERR"].data[:, good], np.sqrt(variance)[:, good], rtol=1e-5)
        assert np.isnan(hdus["SCI"].data[:, 1, 1]).all()
        assert hdus["DQ"].data.shape == (NY, NX)
        assert hdus["DQ"].data[1, 1] == 1
        assert np.count_nonzero(hdus["DQ"].data) == 1
        table = hdus["Track subarray table"]
        np.testing.assert_array_equal(table.data["x_corner"], [1.5, 2.5, 3.5])
        assert table.columns["x_corner"].unit == "pixel"
        assert hdus["Flight Reference Stars"].data["count_rate"] == 300


@given(
    nints=st.integers(1, 3), ngroups=st.integers(8, 11), seed=st.integers(0, 99),
    exp_type=st.sampled_from(sorted(GROUPS)),
)  # fmt: skip
def test_a_steady_ramp_gives_its_rate(nints, ngroups, seed, exp_type):
    rate = np.random.default_rng(seed).uniform(-5, 50, (3, 4)).astype(np.float32)
    data = rate * np.arange(ngroups, dtype=np.float32)[:, None, None] * TIME
    found = guider_cds.difference_groups(np.stack([data] * nints), exp_type, TIME)
    groups = ngroups - 4 if exp_type == "FGS_FINEGUIDE" else 1
    assert found.shape == (1 if exp_type.startswith("FGS_ID") else nints, 3, 4)
    np.testing.assert_allclose(found, np.broadcast_to(rate * groups, found.shape), rtol=1e-4)


def test_a_cosmic_ray_in_one_read_of_a_field_leaves_no_trace():
    data = np.zeros((2, 2, 3, 3), np.float32)
    data[:, 1] = 10
    data[1, 1, 1, 1] = 5000
    found = guider_cds.difference_groups(data, "FGS_ID-IMAGE", 1.0)
    np.testing.assert_array_equal(found, np.full((1, 3, 3), 10))


def test_too_few_groups_are_refused(tmp_path):
    data = samples("FGS_FINEGUIDE")[:, :6]
    uncal, options = write_uncal(tmp_path, "FGS_FINEGUIDE", data), write_references(tmp_path)
    done = call("run", uncal, "--output-dir", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert "has 6 groups; FGS_FINEGUIDE needs at least 8" in done.stderr
    with pytest.raises(ValueError, match="8 or more groups"):
        guider_cds.difference_groups(data.astype(np.float32), "FGS_FINEGUIDE", TIME)


def test_saved_intermediates_are_resumed(tmp_path):
    uncal, options = write_uncal(tmp_path), write_references(tmp_path)
    (whole,) = succeed("run", uncal, "--output-dir", tmp_path / "whole", *options)
    (first,) = succeed(
        "run", uncal, "--output-dir", tmp_path / "a", "--stop-after", "dq_init", *options
    )
    assert first.name == f"{NAME}_dq_init.fits"
    (second,) = succeed(
        "run", first, "--output-dir", tmp_path / "b", "--stop-after", "guider_cds", *options
    )
    assert second.name == f"{NAME}_guider_cds.fits"
    (last,) = succeed("run", second, "--output-dir", tmp_path / "c", *options)
    for name in ("SCI", "DQ"):
        np.testing.assert_array_equal(fits.getdata(last, name), fits.getdata(whole, name))
    np.testing.assert_allclose(fits.getdata(last, "ERR"), fits.getdata(whole, "ERR"), rtol=1e-5)


def test_pixels_without_gain_are_flagged(tmp_path):
    gain = np.full((NY, NX), GAIN, np.float32)
    gain[2, 3] = 0
    uncal, options = write_uncal(tmp_path), write_references(tmp_path, SCI=gain)
    (product,) = succeed("run", uncal, "--output-dir", tmp_path / "out", *options)
    assert fits.getdata(product, "DQ")[2, 3] == 524288 | 1
    assert np.isfinite(fits.getdata(product, "SCI")).sum() == 6 * (NY * NX - 2)


def test_without_read_noise_the_groups_are_left_as_they_are(tmp_path):
    uncal, options = write_uncal(tmp_path), write_references(tmp_path)
    options.append("--override=readnoise=N/A")
    (product,) = succeed("run", uncal, "--output-dir", tmp_path / "out", *options)
    assert product.name == f"{NAME}_flat_field.fits"
    header = fits.getheader(product)
    assert (header["S_GUICDS"], header["S_FLAT"]) == ("SKIPPED", "SKIPPED")
    np.testing.assert_array_equal(fits.getdata(product, "SCI"), samples("FGS_ACQ1"))


def test_strips_of_another_shape_take_the_mean_of_a_reference(tmp_path):
    uncal = write_uncal(tmp_path, "FGS_ID-STACK", SUBSTRT1=1, SUBSIZE1=NX)
    wide = np.full((NY, NX + 4), GAIN, np.float32)
    wide[:, :6] += 1
    references = References.of(gain={"SCI": wide}, readnoise={"SCI": wide})
    rates, status = guider_cds.run(read(uncal), references, guider_cds.STEP.parameters())
    assert status.word == "COMPLETE"
    poisson = np.maximum(rates.data, 0) / ((GAIN + 0.5) * TIME)
    np.testing.assert_allclose(rates.var_poisson, poisson, rtol=1e-6)


@pytest.mark.parametrize(
    ("exp_type", "program"), [("FGS_IMAGE", "calwebb-detector1"), ("NRC_DARK", "calwebb-dark")]
)
def test_other_exposures_are_sent_to_their_program(tmp_path, exp_type, program):
    uncal = write_uncal(tmp_path, data=samples("FGS_ACQ1"), EXP_TYPE=exp_type)
    done = call("run", uncal, "--output-dir", tmp_path / "out")
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"use {program}" in done.stderr


def test_detector1_sends_guide_star_data_to_its_program(tmp_path):
    uncal = write_uncal(tmp_path)
    done = call("run", uncal, "--output-dir", tmp_path / "o", program=main)
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "use calwebb-guider" in done.stderr


def test_a_group_time_of_zero_is_refused(tmp_path):
    metadata = read(write_uncal(tmp_path, TGROUP=0.0)).metadata
    with pytest.raises(InputError, match="TGROUP is 0"):
        select(metadata)


def test_count_rates_of_two_dimensions_are_refused(tmp_path):
    uncal, options = write_uncal(tmp_path), write_references(tmp_path)
    (product,) = succeed("run", uncal, "--output-dir", tmp_path / "out", *options)
    with fits.open(product, memmap=False) as hdus:
        hdus["SCI"].data = hdus["SCI"].data[0]
        hdus.writeto(product, overwrite=True)
    with pytest.raises(InputError, match="expected 3 dimensions \\(images, rows, columns\\)"):
        read(product)


@pytest.fixture
def flight(tmp_path):
    """The flight file of an acquisition, its references and our product."""
    if not REAL.is_file():
        pytest.skip(f"real data are absent ({REAL.name}; set CALWEBB_REALDATA)")
    uncal = tmp_path / REAL.name
    shutil.copy(REAL, uncal)
    rng = np.random.default_rng(3)
    shape = (128, 128)
    cards = {
        "INSTRUME": "FGS", "DETECTOR": "GUIDER2", "SUBSTRT1": 887, "SUBSTRT2": 1022,
        "SUBSIZE1": 128, "SUBSIZE2": 128,
    }  # fmt: skip
    made = {
        "mask": {"DQ": (rng.random(shape) < 0.01).astype(np.uint32)},
        "gain": {"SCI": rng.uniform(1.5, 2.0, shape).astype(np.float32)},
        "readnoise": {"SCI": rng.uniform(8, 16, shape).astype(np.float32)},
        "flat": {
            "SCI": rng.uniform(0.9, 1.1, shape).astype(np.float32),
            "ERR": np.zeros(shape, np.float32), "DQ": np.zeros(shape, np.uint32),
        },
    }  # fmt: skip
    paths = {
        kind: write_reference(tmp_path, kind, arrays, **cards) for kind, arrays in made.items()
    }
    options = [f"--override={kind}={path}" for kind, path in paths.items()]
    (product,) = succeed("run", uncal, "--output-dir", tmp_path / "ours", *options)
    return uncal, paths, product


@pytest.mark.realdata
def test_a_flight_acquisition_holds_its_star(flight):
    uncal, paths, product = flight
    assert product.name == "jw01019001001_gs-acq1_2022117003102_cal.fits"
    raw, flat = fits.getdata(uncal, "SCI").astype(float), fits.getdata(paths["flat"], "SCI")
    rate = (raw[:, 1] - raw[:, 0]) / 0.364 / flat
    found = fits.getdata(product, "SCI")
    good = fits.getdata(product, "DQ") == 0
    assert found.shape == (6, 128, 128)
    np.testing.assert_allclose(found[:, good], rate[:, good], rtol=1e-5, atol=1e-4)
    # one star, in the same place in each of the six pictures
    places = [
        np.unravel_index(np.nanargmax(np.where(good, image, 0)), image.shape) for image in found
    ]
    assert np.ptp(places, axis=0).max() <= 3


@pytest.mark.realdata
@pytest.mark.peer
def test_a_flight_acquisition_as_the_official_package_has_it(flight, tmp_path):
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python or shutil.which(python) is None:
        pytest.skip("the official package is absent (set CALWEBB_PEER_PYTHON)")
    uncal, paths, product = flight
    script = Path(__file__).with_name("peer_guider.py")
    theirs = tmp_path / "theirs.npz"
    words = [f"{kind}={path}" for kind, path in paths.items()]
    cache = REAL.parents[1] / "crds_cache"
    done = subprocess.run(
        [python, script, uncal, theirs, *words], capture_output=True, text=True, check=False,
        env=os.environ | {"CRDS_PATH": str(cache), "CRDS_CONTEXT": "jwst_9676.pmap"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(theirs) as file, fits.open(product) as hdus:
        np.testing.assert_array_equal(file["dq"], hdus["DQ"].data)
        good = hdus["DQ"].data == 0
        found = hdus["SCI"].data[:, good]
        np.testing.assert_allclose(found, file["sci"][:, good], rtol=1e-6, atol=1e-4)
        # theirs before the flat, and with photon noise that lacks one division by the group time
        gain, noise = (fits.getdata(paths[kind], "SCI") for kind in ("gain", "readnoise"))
        flat = fits.getdata(paths["flat"], "SCI")
        rate = np.maximum(hdus["SCI"].data * flat, 0)
        variance = 2 * (noise / 0.364) ** 2 + rate / gain
        np.testing.assert_allclose(file["err"][:, good], np.sqrt(variance)[:, good], rtol=1e-5)
        own = 2 * (noise / 0.364) ** 2 + rate / gain / 0.364
        ours = hdus["ERR"].data * flat
        np.testing.assert_allclose(ours[:, good], np.sqrt(own)[:, good], rtol=1e-5)


@pytest.mark.peer
def test_products_pass_the_official_reader(tmp_path):
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python or shutil.which(python) is None:
        pytest.skip("the official package is absent (set CALWEBB_PEER_PYTHON)")
    uncal, options = write_uncal(tmp_path), write_references(tmp_path)
    (product,) = succeed("run", uncal, "--output-dir", tmp_path / "out", *options)
    code = (
        "import sys; from stdatamodels.jwst import datamodels as d\n"
        "m = d.open(sys.argv[1]); m.validate(); print(type(m).__name__, m.data.shape, m.dq.shape)"
    )
    done = subprocess.run(
        [python, "-W", "error", "-c", code, product], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == f"GuiderCalModel (6, {NY}, {NX}) ({NY}, {NX})", done.stderr
