"""Persistence: exposures of a detector in the order of time, each with what was left before."""

import os
import shutil
from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits

from working_copy import make_workflow

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

SIZE = 160
FAMILIES = [(150.0, -0.01, 60.0, -1 / 600), (80.0, -0.1, 20.0, -1 / 90)]


def write_references(folder, *, full=30000.0):
    """Write the three reference files of traps; return `overrides` of the configuration."""
    columns = ("capture0", "capture1", "capture2", "decay_param")
    table = np.array(FAMILIES, [(name, "f8") for name in columns])
    image = lambda value: fits.ImageHDU(np.full((SIZE, SIZE), value, np.float32), name="SCI")  # noqa: E731
    made = {
        "persat": image(full),
        "trapdensity": image(1.0),
        "trappars": fits.BinTableHDU(table, name="TRAPPARS"),
    }
    for kind, hdu in made.items():
        primary = fits.PrimaryHDU()
        primary.header["REFTYPE"] = kind.upper()
        fits.HDUList([primary, hdu]).writeto(folder / f"{kind}.fits")
    return {kind: str(folder / f"{kind}.fits") for kind in made}


def detector1_jobs(workflow):
    """Return {(rule, exposure)} that are pending for detector1, without pictures and targets."""
    rules = ("detector1", "detector1_in_turn", "references")
    pending = workflow.pending("detector1_all")
    return {(job.rule, job.about) for job in pending if job.rule in rules}


def commands_of(workflow):
    """Return the command line of each pending run of detector1, without the reasons for it."""
    listed = workflow.snakemake("--dry-run", "--printshellcmds", "detector1_all").stdout
    lines = [line for line in listed.splitlines() if "calwebb-detector1 run" in line]
    return [line[line.index("calwebb-detector1 run") :] for line in lines]


def raw_files(workflow):
    return sorted((workflow.folder / "uncal").iterdir())


def root_of(path):
    return path.name.replace("_uncal.fits", "")


@pytest.fixture(scope="module")
def in_turn(tiny, tmp_path_factory):
    """A finished run of detector1 on three of the four tiny exposures, with traps."""
    workflow = make_workflow(tmp_path_factory.mktemp("turn"), tiny)
    last = raw_files(workflow)[-1]
    (workflow.folder / "later").mkdir()
    last.rename(workflow.folder / "later" / last.name)
    workflow.set(
        detector1__persistence={"skip": False, "method": "traps"},
        overrides=write_references(workflow.folder),
    )
    workflow.snakemake("detector1_all")
    return workflow


@pytest.fixture
def workflow(in_turn):
    """That run; its configuration is put back afterwards."""
    config = in_turn.config.read_text()
    yield in_turn
    in_turn.config.write_text(config)


def state(workflow, root):
    (path,) = workflow.folder.glob(f"results/*/detector1/{root}_trapsfilled.fits")
    return path


def test_each_exposure_starts_with_what_the_one_before_left(workflow):
    roots = [root_of(path) for path in raw_files(workflow)]
    totals = []
    for root in roots:
        with fits.open(state(workflow, root), checksum=True) as hdus:
            assert hdus["SCI"].data.shape == (2, SIZE, SIZE)
            assert hdus[0].header["DATAMODL"] == "TrapsFilledModel"
            assert hdus[0].header["S_PERSIS"] == "COMPLETE"
            totals.append(hdus["SCI"].data.sum(dtype=float))
    assert totals[0] > 0
    assert totals[1] > 1.2 * totals[0]
    for earlier, root in pairwise(roots):
        rate = next(workflow.folder.glob(f"results/*/detector1/{root}_rate.fits"))
        assert f"{earlier}_trapsfilled.fits".encode() in rate.read_bytes()
    assert workflow.pending("detector1_all") == set()


def test_a_changed_hand_over_reruns_only_what_depends_on_it(workflow):
    roots = [root_of(path) for path in raw_files(workflow)]
    path = state(workflow, roots[0])
    before, content = path.stat(), path.read_bytes()
    path.write_bytes(content.replace(b"TrapsFilledModel", b"TrapsFilledOther", 1))
    try:
        pending = detector1_jobs(workflow)
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert pending == {("detector1_in_turn", root) for root in roots[1:]}


def test_an_exposure_in_between_reruns_those_after_it(workflow):
    (later,) = (workflow.folder / "later").iterdir()
    first, *others = [root_of(path) for path in raw_files(workflow)]
    new = workflow.folder / "uncal" / later.name
    shutil.copy(later, new)
    with fits.open(new, mode="update") as hdus, fits.open(raw_files(workflow)[0]) as before:
        hdus[0].header["EXPSTART"] = before[0].header["EXPSTART"] + 1e-5
        hdus[0].header["EXPEND"] = before[0].header["EXPSTART"] + 2e-5
    try:
        pending = detector1_jobs(workflow)
    finally:
        new.unlink()
    jobs = {about for rule, about in pending if rule == "detector1_in_turn"}
    # the first stays as it is; the second follows the new one, the third the second
    assert jobs == {root_of(new), *others}
    assert first not in jobs


def test_without_persistence_the_jobs_are_as_before(workflow):
    workflow.set(detector1__persistence__skip=True)
    roots = [root_of(path) for path in raw_files(workflow)]
    expected = {("detector1", root) for root in roots}
    assert detector1_jobs(workflow) == expected | {
        ("references", f"{root} detector1") for root in roots
    }
    commands = commands_of(workflow)
    assert len(commands) == len(roots)
    for command in commands:
        assert "trapsfilled.fits" not in command
        assert "--with persistence" not in command


def test_windows_are_handed_over_too(workflow):
    workflow.set(
        detector1__persistence={
            "skip": False, "method": "window", "persistence_time": 500.0, "save_persistence": True,
        },
    )  # fmt: skip
    roots = [root_of(path) for path in raw_files(workflow)]
    commands = commands_of(workflow)
    assert len(commands) == 3
    for earlier, root in pairwise(roots):
        (command,) = [line for line in commands if f"{root}_uncal.fits" in line]
        assert "--set persistence.persistence_array_file=" in command
        assert f"/{earlier}_perswindow.asdf" in command
    (command,) = [line for line in commands if f"{roots[0]}_uncal.fits" in line]
    assert "persistence_array_file" not in command


def test_a_window_without_length_is_refused_when_the_plan_is_made(workflow):
    workflow.set(detector1__persistence={"skip": False, "method": "window"})
    done = workflow.snakemake("--dry-run", check=False)
    assert done.returncode != 0
    assert "persistence_time is None; expected a time in seconds" in done.stdout + done.stderr
