"""Run the official stage 1 on one exposure with given reference files.

Run by the Python of the official package's environment: ``python peer.py UNCAL REFS.json DIR``,
with the reference files that calwebb-references chose, and the steps that ours runs by default.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "measuring"))

from official import overrides

STEPS = {
    "dq_init": ("mask",),
    "saturation": ("saturation", "superbias"),
    "superbias": ("superbias",),
    "refpix": ("refpix", "sirskernel"),
    "reset": ("reset",),
    "rscd": ("rscd",),
    "linearity": ("linearity",),
    "dark_current": ("dark",),
    "jump": ("gain", "readnoise"),
    "ramp_fit": ("gain", "readnoise"),
    "gain_scale": ("gain",),
}


def main(uncal: str, references: str, output_dir: str) -> None:
    """Run the pipeline and leave its products in the output folder."""
    from jwst.pipeline import Detector1Pipeline

    steps = overrides(STEPS, Path(references))
    steps["ipc"] = {"skip": True}
    if "_mir" in Path(uncal).name:
        steps["refpix"]["skip"] = True
    Detector1Pipeline.call(uncal, steps=steps, output_dir=output_dir, save_results=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
