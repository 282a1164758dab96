"""Levels of skymatch against those put into scenes, in units of a pixel's noise.

Prints a table for docs/accuracy.md::

    python benchmarks/truth/sky.py [--trials 6]
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "stages" / "level3"))

from tests.image3.scene import DITHERS, exposure, offset, star_field  # noqa: E402

from calwebb_level3.imageset import make_set  # noqa: E402
from calwebb_level3.steps.skymatch import SkymatchParameters, run  # noqa: E402

SIZE, NOISE = 400, 0.5
# Stars, range of their flux, noise of each exposure in units of NOISE, share of pixels hit by
# cosmic rays, deviation of rows (1/f noise), amplitude of a gradient, saturation.
CASES: dict[str, dict[str, Any]] = {
    "no stars": {"hits": 0.004},
    "two exposures with 3 times the noise": {"hits": 0.004, "depths": (1, 1, 3, 3)},
    "a star on every fifth pixel": {"stars": 6000},
    "the same, two exposures with 4 times the noise": {"stars": 6000, "depths": (1, 1, 4, 4)},
    "the same, saturated ones unusable": {
        "stars": 6000,
        "bright": 2e4,
        "limit": 300,
        "hits": 0.003,
    },
    "rows with 0.1 of the noise (1/f)": {"stars": 100, "rows": 0.05},
    "gradients of up to 0.2 of the noise": {"stars": 100, "slope": 0.1},
}


def scene(trial: int, case: dict[str, Any]) -> tuple[list[Any], Any]:
    """Return four exposures and the sky put into each."""
    rng = np.random.default_rng([trial, len(str(case))])
    depths = case.get("depths", (1, 1, 1, 1))
    skies = rng.uniform(0.5, 2, len(depths))
    stars: Any = (np.zeros(0),) * 3
    if case.get("stars"):
        bright = case.get("bright", 2000)
        stars = star_field(case["stars"], radius=9.0, seed=trial + 1, faint=3, bright=bright)
    images = []
    for i, depth in enumerate(depths):
        ra, dec = offset(80.0, -69.5, *(np.array(DITHERS[i]) + rng.uniform(-0.3, 0.3, 2)))
        image = exposure(
            stars, nx=SIZE, ny=SIZE, ra=ra, dec=dec, exposure=i + 1, seed=100 * trial + i,
            sky=skies[i], noise=NOISE * depth,
        )  # fmt: skip
        disturb(image.data, rng, case)
        images.append(image)
    return images, skies


def disturb(data: Any, rng: Any, case: dict[str, Any]) -> None:
    """Add what the sky is hidden by, in place."""
    hit = rng.random(data.shape) < case.get("hits", 0.0)
    data[hit] += rng.exponential(8 * NOISE, np.count_nonzero(hit))
    data += case.get("rows", 0.0) * rng.normal(size=(SIZE, 1))
    data += case.get("slope", 0.0) * rng.uniform(-1, 1) * np.linspace(-1, 1, SIZE)[:, np.newaxis]
    data[data > case.get("limit", np.inf)] = np.nan


def deviations(case: dict[str, Any], trials: int, parameters: SkymatchParameters) -> Any:
    """Return the errors of the differences of levels, in units of NOISE."""
    found = []
    for trial in range(trials):
        images, skies = scene(trial, case)
        images = make_set([replace(i, metadata=i.metadata.copy()) for i in images], product="p")
        run(images, None, parameters)
        error = np.array([e.metadata["BKGLEVEL"] for e in images.exposures]) - skies
        found.append((error - error.mean()) / NOISE)
    return np.array(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=6)
    trials = parser.parse_args().trials
    print("| four exposures of 400 x 400 pixels | rms error of a level / noise of a pixel |")  # noqa: T201
    print("|---|---|")  # noqa: T201
    for name, case in CASES.items():
        error = deviations(case, trials, SkymatchParameters())
        print(f"| {name} | {error.std():.4f} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
