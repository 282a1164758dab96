"""One pass over an exposure gives the bytes that its steps give one by one."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

import calwebb_detector1
from calwebb_core.framework.references import References
from calwebb_detector1 import jump_search, windows
from calwebb_detector1.census import Census
from calwebb_detector1.jump_search import JumpParameters
from calwebb_detector1.kernels.network import comparisons, sort_columns
from calwebb_detector1.ramp_slopes import fit_slopes
from calwebb_detector1.rates import Timing
from calwebb_detector1.sources import RawExposure, open_exposure
from calwebb_detector1.steps import jump
from calwebb_detector1.together import exposure_of
from calwebb_detector1.windows import Window, windows_of

from .exposure import write_references, write_uncal
from .ramps import make, ramp_of


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    paths = write_references(tmp_path_factory.mktemp("references"))
    return {**{kind: str(path) for kind, path in paths.items()}, "ipc": "N/A"}


def products(uncal, references, folder, **options):
    found = calwebb_detector1.run(
        uncal, references=References({}), overrides=references, output_dir=folder, **options
    )
    return {path.name: path.read_bytes() for path in found.outputs}


def change_samples(path, change):
    with fits.open(path, mode="update", uint=True) as hdus:
        change(hdus["SCI"].data)


@pytest.mark.parametrize(
    "keywords",
    [{}, {"NFRAMES": 4, "FRMDIVSR": 4, "GROUPGAP": 1}, {"FASTAXIS": 2, "SLOWAXIS": -1}],
)
def test_one_pass_gives_the_bytes_of_single_steps(tmp_path, monkeypatch, references, keywords):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    uncal = write_uncal(tmp_path, **keywords)
    apart = products(uncal, references, tmp_path / "apart", one_by_one=True)
    monkeypatch.setattr(windows, "BLOCK_BYTES", 1)
    monkeypatch.setattr(windows, "FEWEST_ROWS", 5)
    together = products(uncal, references, tmp_path / "together")
    assert sorted(apart) == sorted(together)
    assert apart == together


def test_blocks_cut_in_columns_give_the_same_bytes(tmp_path, monkeypatch, references):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    uncal = write_uncal(tmp_path)
    apart = products(uncal, references, tmp_path / "apart", one_by_one=True)
    monkeypatch.setattr(windows, "MOST_BYTES", 6000)
    assert any(window.x0 > 0 for window in windows_of((2, 6, 32, 40), 2))
    assert products(uncal, references, tmp_path / "together") == apart


def test_a_group_that_nobody_foresaw_as_unusable(tmp_path, monkeypatch, references, caplog):
    """All samples of a group at the A/D floor: the chain runs once more, knowing it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    uncal = write_uncal(tmp_path)
    change_samples(uncal, lambda samples: samples[:, 5].fill(0))
    caplog.set_level("DEBUG")
    together = products(uncal, references, tmp_path / "together")
    assert "once more" in caplog.text
    assert products(uncal, references, tmp_path / "apart", one_by_one=True) == together


def test_too_few_usable_groups_are_seen_in_one_pass(tmp_path, references):
    uncal = write_uncal(tmp_path)
    change_samples(uncal, lambda samples: samples[:, 2:].fill(0))
    found = calwebb_detector1.run(
        uncal, references=References({}), overrides=references, output_dir=tmp_path
    )
    assert str(found.statuses["jump"]) == "SKIPPED: too few usable groups"


def test_raw_samples_stay_in_their_file(tmp_path):
    path = write_uncal(tmp_path)
    exposure = open_exposure(path)
    assert isinstance(exposure, RawExposure)
    window = Window(3, 9, 2, 31)
    pixeldq = np.zeros((32, 40), np.uint32)
    block = exposure.read(window, 2, pixeldq)
    with fits.open(path) as hdus:
        np.testing.assert_array_equal(block.data, hdus["SCI"].data[:, :, 1:11, 0:33])
        np.testing.assert_array_equal(block.zeroframe, hdus["ZEROFRAME"].data[:, 1:11, 0:33])
        np.testing.assert_array_equal(block.inner(block.data), hdus["SCI"].data[:, :, 3:9, 2:31])


@given(
    nints=st.integers(1, 300), ngroups=st.integers(1, 60), ny=st.integers(1, 300),
    nx=st.integers(1, 300), halo=st.integers(0, 3),
)  # fmt: skip
def test_windows_cover_every_pixel_once(nints, ngroups, ny, nx, halo):
    seen = np.zeros((ny, nx), int)
    for window in windows_of((nints, ngroups, ny, nx), halo):
        seen[window.rows, window.columns] += 1
    assert (seen == 1).all()


@given(st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_networks_sort(n, seed):
    values = np.random.default_rng(seed).integers(0, 9, (n, 40)).astype(np.float32)
    expected = np.sort(values, axis=0)
    sort_columns(values, comparisons(n))
    np.testing.assert_array_equal(values, expected)


def test_census_takes_what_an_earlier_run_found():
    made = make(unusable=0)
    ramp = ramp_of(made)
    ramp.groupdq[:, 3] |= 1
    exposure = exposure_of(ramp)
    assert np.flatnonzero(exposure.unusable_groups[0]).tolist() == [3]
    exposure.found["jump"] = np.zeros((1, 10), np.bool_)
    assert not Census(exposure, "jump").assumed.any()
    assert Census(exposure, "ramp_fit").assumed[0, 3]


def test_jumps_are_found_alike_on_blocks_and_whole(monkeypatch):
    made = make(ngroups=8, ny=40, nx=50)
    gain, readnoise = made.gain, made.readnoise
    gain[made.pixeldq > 0] = np.nan
    flags = made.groupdq.copy()
    parameters = JumpParameters(after_jump_flag_dn1=10.0, after_jump_flag_time1=20.0)
    jump.detect_jumps(
        made.data, flags, gain=gain, readnoise=readnoise, nframes=1, group_time=10.7,
        parameters=parameters,
    )  # fmt: skip
    monkeypatch.setattr(windows, "BLOCK_BYTES", 1)
    monkeypatch.setattr(windows, "FEWEST_ROWS", 3)
    ramp, _ = jump.run(
        ramp_of(made),
        References.of(gain={"SCI": np.nan_to_num(gain)}, readnoise={"SCI": readnoise}),
        parameters,
    )
    np.testing.assert_array_equal(ramp.groupdq, flags)


@pytest.mark.parametrize("bounds", [(0, 9), (1, 8), (0, 3)])
def test_side_by_side_and_alone_are_fitted_to_the_same_bits(bounds):
    """Which groups are thought to be typical only decides which pixels go side by side."""
    made = make(nints=2, ngroups=9, ny=20, nx=300, saturated=0.05, unusable=0.01)
    made.groupdq[0, 0] |= 1
    made.groupdq[1, :3] |= 1
    made.groupdq[:, 8] |= 1
    known = np.zeros((2, 9), np.bool_)
    known[0, 0] = known[1, :3] = known[:, 8] = True
    scattered = known.copy()
    scattered[0, 5] = True
    found = []
    for typical in (None, known, scattered, np.ones_like(known)):
        products = fit_slopes(
            made.data, made.groupdq, made.pixeldq, gain=made.gain, readnoise=made.readnoise,
            timing=Timing(10.7, 10.7, 1), bounds=bounds, typical=typical,
        )  # fmt: skip
        found.append([array.tobytes() for product in products for array in product])
    assert found[0] == found[1] == found[2] == found[3]


def test_typical_groups_change_no_jumps():
    made = make(nints=2, ngroups=9, ny=20, nx=300, hits=0.03)
    made.groupdq[:, 0] |= 1
    known = np.zeros((2, 9), np.bool_)
    known[:, 0] = True
    found = []
    for typical in (np.zeros_like(known), known):
        flags = made.groupdq.copy()
        jump_search.find_jumps(
            made.data, flags, gain=made.gain, readnoise=made.readnoise, nframes=1,
            method=jump_search.choose_method(known, JumpParameters()), typical=typical,
            parameters=JumpParameters(),
        )  # fmt: skip
        found.append(flags.tobytes())
    assert found[0] == found[1]
