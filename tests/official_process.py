"""How a test runs a piece of code with the official package: its Python and its environment."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REALDATA = Path(os.environ.get("CALWEBB_REALDATA", ROOT.parent / "shared" / "realdata"))
SETTINGS = {
    "STPIPE_DISABLE_CRDS_STEPPARS": "true",
    "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
    "CRDS_READONLY_CACHE": "1",
    "CRDS_OBSERVATORY": "jwst",
    "CRDS_CLIENT_RETRY_COUNT": "1",
    "CRDS_CLIENT_RETRY_DELAY_SECONDS": "0",
}


def run_official(code: str, *arguments: object, folder: Path) -> None:
    """Run code in the official package's environment, in a folder; skip where it is absent."""
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python or not Path(python).exists():
        pytest.skip("CALWEBB_PEER_PYTHON names no Python with the official package")
    config = REALDATA / "crds_cache" / "config"
    if not config.is_dir():
        pytest.skip(f"no CRDS server configuration in {config}; CALWEBB_REALDATA names its folder")
    cache = folder / "crds"
    if not cache.exists():
        shutil.copytree(config, cache / "config", symlinks=True)
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code, *map(str, arguments)], cwd=folder, check=False,
        env={**os.environ, **SETTINGS, "CRDS_PATH": str(cache)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
