"""One level of instructions for all processors."""

import json
import os
import subprocess
import sys

import pytest

from calwebb_core.framework.processor import LEVEL, NEEDED, flags_of_processor, use_common_level

PROGRAM = """
import json, os
import calwebb_core
import numpy
from numpy._core._multiarray_umath import __cpu_features__ as features
print(json.dumps([features.get("X86_V3"), features.get("X86_V4"), dict(os.environ)]))
"""


def test_newer_processors_take_the_common_level():
    environment = {"OPENBLAS_NUM_THREADS": "8"}
    use_common_level(environment, NEEDED | {"avx512f"})
    assert environment == {**LEVEL, "OPENBLAS_NUM_THREADS": "1"}


def test_older_processors_use_what_they_have():
    environment = {}
    use_common_level(environment, NEEDED - {"fma"})
    assert environment == {"OPENBLAS_NUM_THREADS": "1"}


def test_the_level_of_the_user_stays():
    environment = {"OPENBLAS_CORETYPE": "Zen"}
    use_common_level(environment, NEEDED)
    assert environment["OPENBLAS_CORETYPE"] == "Zen"


def test_flags_are_those_of_the_first_processor(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("processor : 0\nflags\t\t: fpu avx2 fma\nprocessor : 1\nflags\t\t: fpu\n")
    assert flags_of_processor(path) == {"fpu", "avx2", "fma"}
    assert flags_of_processor(tmp_path / "none") == frozenset()


def test_numpy_is_told_before_it_is_loaded():
    if not flags_of_processor() >= NEEDED:
        pytest.skip("this processor is below the common level")
    environment = {key: value for key, value in os.environ.items() if key not in LEVEL}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    third, fourth, seen = json.loads(done.stdout)
    assert third
    assert not fourth
    assert seen["OPENBLAS_CORETYPE"] == LEVEL["OPENBLAS_CORETYPE"]
