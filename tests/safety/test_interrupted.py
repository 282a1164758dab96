"""Programs that are killed, told to end, or out of room: products are whole or not there."""

import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest

from .process import environment, run

TIMES = int(os.environ.get("CALWEBB_KILLS", "5"))  # that each program is killed
SECONDS = 300  # that it may take on a busy machine


@pytest.fixture(scope="module")
def work(tiny, tmp_path_factory):
    """Inputs of every program, and the folder of what it makes: name -> (words, folder)."""
    folder = tmp_path_factory.mktemp("interrupted")
    crds = {"CRDS_PATH": str(tiny / "crds_cache")}
    raws = sorted((tiny / "uncal").iterdir())[:2]
    for pipeline in ("detector1", "image2", "image3"):
        words = ["calwebb-references", raws[0], "--pipeline", f"calwebb-{pipeline}"]
        run([*words, "-o", folder / f"{pipeline}.json"], cwd=folder, **crds)
    run(["calwebb-pool", tiny / "uncal", "-o", folder / "pool.csv"], cwd=folder)
    for raw in raws:
        rate = raw.name.replace("uncal", "rate")
        words = ["calwebb-detector1", "run", raw, "--references", folder / "detector1.json", "-q"]
        run([*words, "--output-dir", folder], cwd=folder)
        words = ["calwebb-image2", "run", folder / rate, "--references", folder / "image2.json"]
        run([*words, "--output-dir", folder, "-q"], cwd=folder)
    members = [{"expname": raw.name.replace("uncal", "cal"), "exptype": "science"} for raw in raws]
    product = {"name": "jw01234-o001_t001_nircam_clear-f200w", "members": members}
    asn = {"asn_type": "image3", "asn_rule": "x", "program": "01234", "asn_id": "o001",
           "products": [product]}  # fmt: skip
    (folder / "x_asn.json").write_text(json.dumps(asn))
    return folder, crds, {
        "detector1": ["calwebb-detector1", "run", raws[0], "--references",
                      folder / "detector1.json", "-q", "--output-dir"],
        "image3": ["calwebb-image3", "run", folder / "x_asn.json", "--references",
                   folder / "image3.json", "-q", "--output-dir"],
        "associate": ["calwebb-associate", folder / "pool.csv", "-q", "--output-dir"],
        "references": ["calwebb-references", raws[0], "-q", "-o"],
    }  # fmt: skip


PROGRAMS = ("detector1", "image3", "associate", "references")


def command(words, out):
    """Return the whole command; calwebb-references writes a file in the folder."""
    return [str(word) for word in [*words, out / "list.json" if words[-1] == "-o" else out]]


def sums(folder):
    """Return the SHA-256 of what has its final name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if not path.name.startswith(".")
    }


@pytest.fixture(scope="module")
def whole(work, tmp_path_factory):
    """What each program makes when it is left alone: sums and seconds."""
    folder, crds, programs = work
    made = {}
    for name, words in programs.items():
        out = tmp_path_factory.mktemp(name)
        run(command(words, out), cwd=folder, **crds)
        started = time.monotonic()
        run(command(words, out), cwd=folder, **crds)
        made[name] = sums(out), time.monotonic() - started
        assert made[name][0]
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_killed_at_any_moment(work, whole, tmp_path, name):
    folder, crds, programs = work
    expected, seconds = whole[name]
    rng, late = random.Random(name), 0
    for number in range(TIMES):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        process = subprocess.Popen(
            command(programs[name], out), cwd=folder, env=environment(**crds),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        # the second half of the time: before, libraries are loaded and nothing is written
        time.sleep(seconds * rng.uniform(0.4, 1.05))
        process.kill()
        late += process.wait(SECONDS) != 0
        made = sums(out)
        assert made.items() <= expected.items(), f"time {number}: a product is not whole"
        assert all(path.suffix == ".tmp" for path in out.iterdir() if path.name not in made)
        if number % 3 == 0:
            shutil.rmtree(out)
    out.mkdir(exist_ok=True)
    run(command(programs[name], out), cwd=folder, **crds)
    assert sums(out) == expected
    assert late > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("name", ["detector1", "image3"])
def test_told_to_end(work, tmp_path, name, number):
    folder, crds, programs = work
    process = subprocess.Popen(
        command(programs[name], tmp_path), cwd=folder, env=environment(**crds),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    # its first file in the making
    started = time.monotonic()
    while not list(tmp_path.glob(".*.tmp")) and process.poll() is None:
        assert time.monotonic() - started < SECONDS
        time.sleep(0.001)
    process.send_signal(number)
    said = process.communicate(timeout=SECONDS)[1]
    if process.returncode == 0:
        pytest.skip("it was done before the signal came")
    word, code = ("interrupted", 1) if number == signal.SIGINT else ("terminated", 143)
    assert (said.strip().splitlines()[-1], process.returncode) == (
        f"calwebb-{name}: {word}", code,
    )  # fmt: skip
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


@pytest.mark.parametrize("size", [100, 1500, 5000, 12_345, 30_000])
@pytest.mark.parametrize("name", PROGRAMS)
def test_out_of_room(work, whole, tmp_path, name, size):
    """A limit on the size of files stands for a full disk: writes end early, or fail."""
    folder, crds, programs = work
    largest = largest_of(work, name)
    if size >= largest:
        pytest.skip(f"its files have at most {largest} bytes")
    done = subprocess.run(
        command(programs[name], tmp_path), cwd=folder, env=environment(**crds),
        capture_output=True, text=True, check=False, timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )  # fmt: skip
    assert done.returncode in (1, 2), done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert "fault of the program" not in done.stderr
    assert sums(tmp_path).items() <= whole[name][0].items()
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def largest_of(work, name, known={}):  # noqa: B006 - one run for all sizes
    """Return the size of the largest file that a program makes."""
    folder, crds, programs = work
    if name not in known:
        out = folder / f"largest_{name}"
        out.mkdir()
        run(command(programs[name], out), cwd=folder, **crds)
        known[name] = max(path.stat().st_size for path in out.iterdir())
    return known[name]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(work, tmp_path, mask, mode):
    folder, crds, programs = work
    out = tmp_path / "new"
    out.mkdir(mode=0o777 & ~mask)
    words = [*command(programs["detector1"], out), "--log", str(out / "x.log")]
    subprocess.run(
        words, cwd=folder, env=environment(**crds), check=True, preexec_fn=lambda: os.umask(mask)
    )
    found = {path.suffix: path.stat().st_mode & 0o7777 for path in out.iterdir()}
    assert found == {".fits": mode, ".log": mode}


def test_what_a_killed_program_left_is_replaced(tmp_path):
    from calwebb_core.framework.atomic import atomic_path, write_text

    final, victim = tmp_path / "x.txt", tmp_path / "victim"
    victim.write_text("mine")
    with atomic_path(final) as temporary:
        pass
    temporary.symlink_to(victim)  # under the very name that the next one takes
    write_text(final, "new")
    assert (final.read_text(), victim.read_text()) == ("new", "mine")
    assert not final.is_symlink()
