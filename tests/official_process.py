"""How a test runs a piece of code with the official package: its Python and its environment."""

import os
import shutil
from pathlib import Path

import pytest

from programs import official

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
    script = folder / "official.py"
    script.write_text(code)
    variables = {**os.environ, **SETTINGS, "CRDS_PATH": str(cache)}
    words = [str(script), *map(str, arguments)]
    done = official(python, **SETTINGS).run(words, folder, variables)
    assert done.returncode == 0, done.stderr[-3000:]
