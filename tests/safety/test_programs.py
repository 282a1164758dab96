"""Hostile and broken files through the installed programs.

Expected of each: the exit code of the side that is at fault, one line on stderr that a terminal
can show, no traceback, nothing written, soon and in little memory.
"""

import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from programs import BIN, SERVERLESS

from . import valid

BLOCK, CARD = 2880, 80
MEMORY = 4 << 30  # of addresses; numba alone reserves some
SECONDS = 120
RAW = f"{valid.NAME}_uncal.fits"


def header(*cards: str) -> bytes:
    """Return a header of cards as they are, with END."""
    text = b"".join(card.encode("latin-1").ljust(CARD)[:CARD] for card in (*cards, "END"))
    return text.ljust(-(-len(text) // BLOCK) * BLOCK)


def card(keyword: str, value: object) -> str:
    text = f"'{value}'" if isinstance(value, str) else f"{value:>20}"
    return f"{keyword:<8}= {text}"


PRIMARY = [
    "SIMPLE  =                    T",
    card("BITPIX", 8),
    card("NAXIS", 0),
    *(card(key, value) for key, value in valid.KEYWORDS.items() if key != "TITLE"),
]


def science(*axes: object, bits: int = -32, **more: object) -> bytes:
    """Return the header of an extension SCI."""
    lengths = [card(f"NAXIS{number}", length) for number, length in enumerate(axes, 1)]
    cards = ["XTENSION= 'IMAGE   '", card("BITPIX", bits), card("NAXIS", len(axes)), *lengths]
    return header(*cards, card("EXTNAME", "SCI"), *(card(*item) for item in more.items()))


def raw(tmp_path: Path, content: bytes, name: str = RAW) -> list[object]:
    (tmp_path / name).write_bytes(content)
    return ["calwebb-detector1", "run", tmp_path / name, "--references", references(tmp_path)]


def references(tmp_path: Path) -> Path:
    path = tmp_path / "refs.json"
    if not path.exists():
        path.write_text(valid.reference_list())
    return path


def endless_header(tmp_path):
    path = tmp_path / RAW
    path.write_bytes(b"".join(line.encode().ljust(CARD) for line in PRIMARY))
    os.truncate(path, 200_000_000)
    return raw_at(tmp_path, path)


def raw_at(tmp_path, path):
    return ["calwebb-detector1", "run", path, "--references", references(tmp_path)]


def pipe(tmp_path):
    os.mkfifo(tmp_path / RAW)
    return raw_at(tmp_path, tmp_path / RAW)


def pool_in_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pool.csv")
    return ["calwebb-associate", tmp_path / "pool.csv"]


def association(tmp_path, text):
    (tmp_path / "x_asn.json").write_text(text)
    return ["calwebb-image3", "run", tmp_path / "x_asn.json", "--references", references(tmp_path)]


def member(tmp_path, expname, name="jw01345-o001_t001_nircam_clear-f444w"):
    members = [{"expname": expname, "exptype": "science"}]
    content = valid.ASSOCIATION | {"products": [{"name": name, "members": members}]}
    return association(tmp_path, json.dumps(content))


def pool(tmp_path, text):
    (tmp_path / "pool.csv").write_text(text)
    return ["calwebb-associate", tmp_path / "pool.csv"]


def rules(tmp_path, text):
    (tmp_path / "rules.toml").write_text(text)
    return [*pool(tmp_path, valid.POOL), "--rules", tmp_path / "rules.toml"]


def listed(tmp_path, text):
    (tmp_path / "refs.json").write_text(text)
    return raw(tmp_path, header(*PRIMARY) + science(8, 6, 3, 2) + bytes(BLOCK))


def parameters(tmp_path, text):
    (tmp_path / "own.yaml").write_text(text)
    words = raw(tmp_path, header(*PRIMARY) + science(8, 6, 3, 2) + bytes(BLOCK))
    return [*words, "--config", tmp_path / "own.yaml"]


def laughs(levels=12):
    lines = ["a0: &a0 [1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def doubled_rules(levels=60):
    parts = [f'[shared.s{n}]\nlike = ["s{n + 1}", "s{n + 1}"]' for n in range(levels)]
    return "\n".join([*parts, f"[shared.s{levels}]", '[[rule]]\nname = "A"\nlike = "s0"'])


CASES = {
    "a header without end": (endless_header, 2, "has no END"),
    "a pipe": (pipe, 2, RAW),
    "a device": (lambda t: raw_at(t, "/dev/zero"), 2, "/dev/zero"),
    "a folder": (lambda t: raw_at(t, t), 2, ""),
    "a size that is not there": (
        lambda t: raw(t, header(*PRIMARY) + science(100000, 100000, 1000, 10)), 2, "truncated"),
    "a size that is no size": (
        lambda t: raw(t, header(*PRIMARY) + science(10**18, 10**18, 10**18)), 2, "none that"),
    "a negative size": (
        lambda t: raw(t, header(*PRIMARY) + science(-8, 6, 3, 2)), 2, "NAXIS1 is -8"),
    "no groups of many": (
        lambda t: raw(t, header(*PRIMARY) + science(10**9, 9, 9, 9, GCOUNT=0)), 2, "GCOUNT"),
    "pixels of 24 bits": (
        lambda t: raw(t, header(*PRIMARY) + science(8, 6, 3, 2, bits=24)), 2, "is 24"),
    "a terminal's orders in a keyword": (
        lambda t: raw(t, header(*PRIMARY, card("EXP_TYPE", "\x1b[2J\x07"))), 2, RAW),
    "a terminal's orders in a name": (
        lambda t: raw(t, b"none", "jw\x1b[31m\n_uncal.fits"), 2, r"\x1b[31m"),
    "brackets without end": (lambda t: association(t, "[" * 10**6), 2, "nested"),
    "NaN in an association": (lambda t: association(t, '{"products": NaN}'), 2, "NaN"),
    "a number of a megabyte": (lambda t: association(t, "9" * 10**6), 2, "digits"),
    "half a character": (lambda t: member(t, "\ud800_cal.fits"), 2, "half a character"),
    "a member elsewhere": (lambda t: member(t, "../../etc/passwd"), 2, "lies outside"),
    "a product elsewhere": (lambda t: member(t, "x_cal.fits", "../../tmp/x"), 2, "product name"),
    "a product with orders": (lambda t: member(t, "x_cal.fits", "a\u202eb"), 2, r"\u202e"),
    "an association in a pipe": (
        lambda t: (os.mkfifo(t / "x_asn.json"), ["calwebb-image3", "run", t / "x_asn.json"])[1], 2,
        "x_asn.json"),
    "a pool in a pipe": (pool_in_a_pipe, 2, "pipe"),
    "a pool of one line": (lambda t: pool(t, "filename|" * 10**5), 2, "pool.csv"),
    "rules that double": (lambda t: rules(t, doubled_rules()), 2, "rules.toml"),
    "rules without end": (lambda t: rules(t, "a = " + "[" * 10**5), 2, "nested"),
    "a list that is a number": (lambda t: listed(t, "1"), 2, "refs.json"),
    "a list of lists": (lambda t: listed(t, "[" * 10**6), 2, "nested"),
    "laughter in parameters": (lambda t: parameters(t, laughs()), 2, "more than"),
    "code in parameters": (
        lambda t: parameters(t, "jump: !!python/object/apply:os.system ['touch hacked']"),
        2, "YAML"),
    "depth in parameters": (lambda t: parameters(t, "[" * 10**5), 2, "nested"),
}  # fmt: skip


def limited() -> None:
    """Let a program have so much memory and no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def start(words, folder) -> subprocess.CompletedProcess:
    """Run a program with an output folder, and with a terminal's encoding."""
    environment = {**os.environ, "CRDS_SERVER_URL": SERVERLESS, "NUMBA_NUM_THREADS": "1"}
    environment["PATH"] = f"{BIN}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        [*map(str, words), "--output-dir", str(folder / "out"), "-q"],
        cwd=folder, env=environment, capture_output=True, timeout=SECONDS, check=False,
        stdin=subprocess.DEVNULL, preexec_fn=limited,
    )  # fmt: skip


def expect_refusal(done, folder, code, sentence):
    error = done.stderr.decode()
    assert done.returncode == code, error
    assert "Traceback" not in error
    lines = error.splitlines()
    assert len(lines) == 1, error
    assert lines[0].isprintable()
    assert len(lines[0]) < 2200
    assert ": error: " in lines[0]
    assert sentence in lines[0]
    out = folder / "out"
    assert not out.exists() or not list(out.iterdir())
    assert not (folder / "hacked").exists()


@pytest.mark.parametrize("case", CASES)
def test_hostile_files(programs, tmp_path, case):
    make, code, sentence = CASES[case]
    expect_refusal(start(make(tmp_path), tmp_path), tmp_path, code, sentence)
