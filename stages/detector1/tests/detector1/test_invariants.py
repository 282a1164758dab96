"""What holds for every step: references stay as they are, flags are only added, threads."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.references import References
from calwebb_core.framework.threads import set_threads
from calwebb_detector1.arrays import usable_gain, usable_readnoise
from calwebb_detector1.modes import NEAR_INFRARED
from calwebb_detector1.steps import charge_migration, ipc, jump, ramp_fit

from .ramps import make, ramp_of

# of those that are off by default, the ones that need no other reference
STEPS = [
    step for step in NEAR_INFRARED if not step.skip or step in (ipc.STEP, charge_migration.STEP)
]


def arrays(made):
    rng = np.random.default_rng(1)
    shape = made.gain.shape
    dq = np.where(rng.random(shape) < 0.05, 1, 0).astype(np.uint32)
    coefficients = np.zeros((4, *shape), np.float32)
    coefficients[1], coefficients[2] = 1, 1e-6
    coefficients[3, 2, 2] = np.nan
    bias = rng.normal(100, 5, shape).astype(np.float32)
    bias[7, 7] = np.nan
    gain, noise = made.gain.copy(), made.readnoise.copy()
    gain[9, 9], noise[9, 10] = np.nan, 0
    dark = np.cumsum(rng.normal(1, 0.1, (9, *shape)), axis=0).astype(np.float32)
    dark[3, 4, 4] = np.nan
    threshold = rng.uniform(4000, 60000, shape).astype(np.float32)
    threshold[0, 0] = np.nan
    return {
        "mask": {"DQ": dq}, "saturation": {"SCI": threshold, "DQ": dq},
        "superbias": {"SCI": bias, "DQ": dq}, "linearity": {"COEFFS": coefficients, "DQ": dq},
        "dark": {"SCI": dark, "DQ": dq}, "gain": {"SCI": gain}, "readnoise": {"SCI": noise},
        "ipc": {"SCI": np.array([[0, -0.01, 0], [-0.01, 1.04, -0.01], [0, -0.01, 0]], np.float32)},
    }  # fmt: skip


def digest(given):
    hashes = hashlib.sha256()
    for kind in sorted(given):
        for name in sorted(given[kind]):
            hashes.update(given[kind][name].tobytes())
    return hashes.hexdigest()


def run_all(nints=2, ngroups=12, **changes):
    """Run all steps; check on the way what holds for each."""
    made = make(seed=11, nints=nints, ngroups=ngroups, ny=40, nx=44)
    given = arrays(made)
    before = digest(given)
    for group in given.values():
        for array in group.values():
            array.flags.writeable = False
    references = References.of(**given)
    model = ramp_of(made, FRMDIVSR=4, NFRAMES=3, **changes)
    model.data += 200
    model.zeroframe = model.data[:, 0].copy()
    for step in STEPS:
        flags = getattr(model, "pixeldq", None), getattr(model, "groupdq", None)
        old = [None if array is None else array.copy() for array in flags]
        model, _ = step.run(model, references, step.parameters())
        assert digest(given) == before, step.name
        for array, name in zip(old, ("pixeldq", "groupdq"), strict=True):
            if array is not None and hasattr(model, name):
                assert (getattr(model, name) & array == array).all(), step.name
    return model


def bits(rates):
    both = (rates.rate, rates.rateints)
    return [
        array.tobytes()
        for image in both
        for array in (image.data, image.err, image.dq, image.var_poisson, image.var_rnoise)
    ]


def test_references_stay_and_flags_are_only_added():
    rates = run_all()
    assert np.count_nonzero(np.isfinite(rates.rate.data)) > 1000


@pytest.mark.parametrize(("nints", "ngroups"), [(1, 1), (1, 2), (1, 6), (3, 3)])
def test_few_groups(nints, ngroups):
    rates = run_all(nints, ngroups)
    assert rates.rateints.data.shape[0] == nints
    assert np.isfinite(rates.rate.err).all()


def test_same_bits_for_one_and_two_threads():
    found = []
    for threads in (1, 2):
        set_threads(threads)
        found.append(bits(run_all()))
    assert found[0] == found[1]


@pytest.mark.slow
def test_same_bits_on_an_older_processor():
    """Without the vector instructions of this one."""
    code = (
        "import hashlib;"
        "from stages.detector1.tests.detector1.test_invariants import bits, run_all;"
        "print(hashlib.sha256(b''.join(bits(run_all()))).hexdigest())"
    )
    root = Path(__file__).parents[4]
    found = []
    for extra in ({}, {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": ""}):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root,
            env=os.environ | {"NUMBA_NUM_THREADS": "1"} | extra,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1]


def bad_values(value, where=(3, 4)):
    made = make(bad_pixels=0)
    gain = np.ones(made.gain.shape, np.float32)
    gain[where] = value
    return gain, np.zeros(made.gain.shape, np.uint32)


@pytest.mark.parametrize("value", [np.nan, 0.0, -1.0, np.inf])
@pytest.mark.parametrize(
    ("usable", "kind", "flag"),
    [(usable_gain, "gain", 524289), (usable_readnoise, "readnoise", 16777217)],
)
def test_bad_gain_and_read_noise_are_flagged(value, usable, kind, flag, caplog):
    values, pixeldq = bad_values(value)
    given = References.of(**{kind: {"SCI": values}}).load(kind, None)
    found = usable(given, pixeldq)
    assert np.isnan(found[3, 4])
    assert pixeldq[3, 4] == flag
    assert pixeldq.sum() == flag
    assert "1 of 720 pixels are NaN, zero or negative" in caplog.text


@pytest.mark.parametrize("value", [np.nan, 0.0])
@pytest.mark.parametrize("kind", ["gain", "readnoise"])
@pytest.mark.parametrize("module", [jump, ramp_fit])
def test_nothing_usable_is_an_error(value, kind, module):
    made = make()
    given = {"gain": {"SCI": made.gain}, "readnoise": {"SCI": made.readnoise}}
    given[kind] = {"SCI": np.full_like(made.gain, value)}
    with pytest.raises(ReferenceFileError, match=r"has no pixel above 0 .*; choose another file"):
        module.run(ramp_of(made), References.of(**given), module.STEP.parameters())


@pytest.mark.parametrize("kind", ["gain", "readnoise"])
def test_shapes_of_gain_and_read_noise(kind):
    made = make()
    given = {"gain": {"SCI": made.gain}, "readnoise": {"SCI": made.readnoise}}
    given[kind] = {"SCI": np.ones((3, 4), np.float32)}
    with pytest.raises(ReferenceFileError, match=r"SCI has shape \(3, 4\), but the exposure has"):
        ramp_fit.run(ramp_of(made), References.of(**given), ramp_fit.RampFitParameters())


def test_all_saturated(caplog):
    made = make()
    given = {"gain": {"SCI": made.gain}, "readnoise": {"SCI": made.readnoise}}
    ramp = ramp_of(made)
    ramp.groupdq |= 2
    ramp, _ = jump.run(ramp, References.of(**given), jump.JumpParameters())
    rates, status = ramp_fit.run(ramp, References.of(**given), ramp_fit.RampFitParameters())
    assert status.word == "COMPLETE"
    assert np.isnan(rates.rate.data).all()
    assert (rates.rate.dq & 3 == 3).all()
    assert "no pixel has a slope" in caplog.text
