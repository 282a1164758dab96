"""What the scripts that run official pipelines share; imported before the official package."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
os.environ["CRDS_SERVER_URL"] = "https://jwst-serverless-mode.stsci.edu"
os.environ["CRDS_READONLY_CACHE"] = "1"
os.environ["CRDS_OBSERVATORY"] = "jwst"


def overrides(
    steps: Mapping[str, tuple[str, ...]], references: Path
) -> dict[str, dict[str, str | bool]]:
    """Return the override of every reference type of a pipeline's steps.

    Parameters
    ----------
    steps : types of reference files by step
    references : what calwebb-references wrote; a type that it lacks is N/A
    """
    entries = json.loads(references.read_text())["references"]
    files = {
        kind: entry if entry == "N/A" else str((references.parent / entry["path"]).resolve())
        for kind, entry in entries.items()
    }
    return {
        step: {f"override_{kind}": files.get(kind, "N/A") for kind in kinds}
        for step, kinds in steps.items()
    }
