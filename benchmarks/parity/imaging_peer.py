"""Run the official imaging pipelines, and open products with the official data models.

Run by the Python of the official package's environment: ``python imaging_peer.py JOB.json``. The
job lists runs (pipeline, input, references, output folder, options of steps) and products whose
WCS is evaluated on a grid; what it found is written beside it.
"""

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["STPIPE_DISABLE_CRDS_STEPPARS"] = "true"
os.environ["CRDS_SERVER_URL"] = "https://jwst-serverless-mode.stsci.edu"
os.environ["CRDS_READONLY_CACHE"] = "1"
os.environ["CRDS_OBSERVATORY"] = "jwst"

import numpy as np

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)


def steps_of(pipeline: Any, references: dict[str, str], options: dict[str, Any]) -> dict[str, Any]:
    """Return the steps argument of a pipeline's call: every reference type given or N/A."""
    steps = {}
    for name, step in pipeline.step_defs.items():
        kinds = step.reference_file_types
        own = {f"override_{kind}": references.get(kind, "N/A") for kind in kinds}
        steps[name] = {**own, **options.get(name, {})}
    return steps


def run(entry: dict[str, Any]) -> None:
    """Run one pipeline and leave its products in the output folder."""
    from jwst.pipeline import Image2Pipeline, Image3Pipeline

    pipeline = {"image2": Image2Pipeline, "image3": Image3Pipeline}[entry["pipeline"]]
    Path(entry["output"]).mkdir(parents=True, exist_ok=True)
    steps = steps_of(pipeline, entry["references"], entry.get("options", {}))
    # members of an association are looked for where one is
    os.chdir(Path(entry["input"]).parent)
    pipeline.call(entry["input"], steps=steps, output_dir=entry["output"], save_results=True)


def sky(path: str, points: int) -> tuple[str, list[str], Any]:
    """Open a product with strict validation; return its type and its WCS on a grid."""
    from stdatamodels.jwst import datamodels

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with datamodels.open(path, strict_validation=True) as model:
            model.validate()
            kind = type(model).__name__
            ny, nx = model.data.shape[-2:]
            rows, columns = np.linspace(-0.5, ny - 0.5, points), np.linspace(-0.5, nx - 0.5, points)
            y, x = np.meshgrid(rows, columns, indexing="ij")
            ra, dec = model.meta.wcs(x, y, with_bounding_box=False)
    return kind, [str(one.message) for one in said], np.array([x, y, ra, dec])


def main(path: str) -> None:
    """Do the runs that have not been done, then evaluate."""
    job = Path(path)
    content = json.loads(job.read_text())
    for entry in content["runs"]:
        done = Path(entry["output"]) / f"{Path(entry['input']).stem}.done"
        if not done.exists():
            run(entry)
            done.write_text("")
    opened, grids = {}, []
    for product in content["open"]:
        kind, said, grid = sky(product, content["points"])
        opened[product] = {"kind": kind, "warnings": said}
        grids.append(grid)
    job.with_suffix(".opened.json").write_text(json.dumps(opened, indent=1))
    np.save(job.with_suffix(".npy"), np.array(grids))


if __name__ == "__main__":
    main(sys.argv[1])
