"""A script of the official package's environment, kept running and asked step by step."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


@contextmanager
def started(script, folder):
    """Start a script of this folder; yields ``run(step, **arrays) -> arrays``."""
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python or shutil.which(python) is None:
        pytest.skip("the official package is absent (set CALWEBB_PEER_PYTHON)")
    with (folder / "messages.txt").open("w+") as messages:
        process = subprocess.Popen(
            [python, HERE / script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=messages, text=True, cwd=folder,
        )  # fmt: skip

        def run(step, **arrays):
            given, found = folder / "in.npz", folder / "out.npz"
            np.savez(given, **arrays)
            process.stdin.write(f"{step} {given} {found}\n")
            process.stdin.flush()
            if process.stdout.readline() != "done\n":
                messages.seek(0)
                pytest.fail(messages.read()[-2000:])
            with np.load(found) as file:
                return dict(file)

        try:
            yield run
        finally:
            process.stdin.close()
            process.wait(timeout=60)
            process.stdout.close()
