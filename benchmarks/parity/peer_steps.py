"""Run steps of the official package one by one, each on the file that the one before wrote.

``python peer_steps.py JOB.json``, by the Python of the official package's environment; called by
``parity.py``. Every result is left in a folder of its own, so that ours can start from the very
same files. The job names the raw file, the reference files by type, steps with their options, and
where to write.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
os.environ["CRDS_READONLY_CACHE"] = "1"
os.environ["CRDS_OBSERVATORY"] = "jwst"


def folder_of(output: Path, number: int, step: str) -> Path:
    """Return where a step leaves its files."""
    return output / f"{number:02d}_{step}"


def overridden(step_class: Any, files: dict[str, str]) -> dict[str, str]:
    """Return the options that name every reference file of a step."""
    kinds = step_class.reference_file_types
    return {f"override_{kind}": files.get(kind, "N/A") for kind in kinds}


def saved(model: Any, folder: Path, root: str, suffix: str) -> Path:
    """Write a product under our naming and return its path."""
    path = folder / f"{root}_{suffix}.fits"
    model.save(str(path))
    model.close()
    return path


def run_step(
    step_class: Any, paths: list[Path], folder: Path, root: str, options: dict[str, Any]
) -> list[Path]:
    """Run one step on ramps, or on rate and rateints; return the paths of its products."""
    folder.mkdir(parents=True)
    products = []
    for path in paths:
        suffix = path.stem.rpartition("_")[2]
        found = step_class.call(str(path), **options)
        if isinstance(found, tuple):
            rate, rateints, *_ = found
            products.append(saved(rate, folder, root, "rate"))
            if rateints is not None:
                products.append(saved(rateints, folder, root, "rateints"))
        else:
            kept = suffix if suffix in ("rate", "rateints") else folder.name[3:]
            products.append(saved(found, folder, root, kept))
    return products


def main(job_path: str) -> None:
    """Run all steps of the job and write what each took."""
    from jwst.pipeline.calwebb_detector1 import Detector1Pipeline

    job = json.loads(Path(job_path).read_text())
    output, paths = Path(job["output"]), [Path(job["uncal"])]
    root = paths[0].stem.removesuffix("_uncal")
    done = []
    for number, step in enumerate(job["steps"], start=1):
        step_class = Detector1Pipeline.step_defs[step["name"]]
        options = {**overridden(step_class, job["references"]), **step["options"]}
        given, start = paths, time.perf_counter()
        folder = folder_of(output, number, step["name"])
        paths = run_step(step_class, paths, folder, root, options)
        done.append(
            {
                "name": step["name"],
                "input": [str(path) for path in given],
                "output": [str(path) for path in paths],
                "seconds": time.perf_counter() - start,
            }
        )
        (output / "done.json").write_text(json.dumps(done, indent=1))


if __name__ == "__main__":
    main(sys.argv[1])
