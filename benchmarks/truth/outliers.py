"""Cosmic rays found, and star cores and sky flagged wrongly, on scenes whose truth is known.

Ours and the official outlier detection run on the same files. Prints tables for
docs/accuracy.md::

    python benchmarks/truth/outliers.py [--peer PYTHON] [--seeds 3] [--dithers 2 3 4 8]
"""

import argparse
import dataclasses
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "stages" / "level3"))

from tests.image3.scene import exposure, offset, star_field  # noqa: E402

from calwebb_core.framework.models import Image  # noqa: E402
from calwebb_core.framework.products import read_image, write_image  # noqa: E402
from calwebb_core.science.dq import OUTLIER  # noqa: E402
from calwebb_core.science.footprint import s_region  # noqa: E402
from calwebb_level3.imageset import make_set  # noqa: E402
from calwebb_level3.steps.outlier_detection import OutlierDetectionParameters, run  # noqa: E402

Bools = NDArray[np.bool_]
SIZE, SKY, NOISE = 260, 1.0, 0.5
# Filter, full width at half maximum in pixels (before the pixel), dithers.
FILTERS = (("F070W", 0.93), ("F090W", 1.05), ("F115W", 1.3), ("F200W", 2.1))
ENERGIES = (5.0, 7.0, 10.0, 20.0, 50.0, 1000.0)  # standard deviations of the sky
PSF_CHANGE = 0.03  # rms of the width between exposures
POINTING = 0.001  # arcsec rms left after the alignment
FRACTION = 0.004  # of pixels hit
TRACK = (0.7, 0.2, 0.1)  # share of hits that touch 1, 2, 3 pixels
PEER = """
import sys
from jwst.datamodels import ModelLibrary
from jwst.outlier_detection import OutlierDetectionStep
library = ModelLibrary(sys.argv[1:], on_disk=False)
result = OutlierDetectionStep.call(library, save_results=False)
with result:
    for model in result:
        model.save(model.meta.filename.replace("cal", "crf"))
        result.shelve(model, modify=False)
"""
SETTINGS = {
    "STPIPE_DISABLE_CRDS_STEPPARS": "true",
    "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
    "CRDS_READONLY_CACHE": "1",
    "CRDS_OBSERVATORY": "jwst",
}


@dataclasses.dataclass
class Scene:
    """Exposures, and what is true of their pixels."""

    images: list[Image]
    energy: list[
        NDArray[np.float64]
    ]  # of the hits, standard deviations of the sky; 0 where there is none
    core: list[Bools]  # pixels of stars above the noise


def dithers(number: int, seed: int) -> list[tuple[float, float]]:
    """Return offsets in arcsec: half a pixel at least from one another, as dithers are chosen."""
    rng = np.random.default_rng(seed)
    steps = [(0.0, 0.0), (0.155, 0.482), (-0.531, 0.207), (0.322, -0.411)]
    while len(steps) < number:
        steps.append(tuple(rng.uniform(-0.6, 0.6, 2)))
    return steps[:number]


def make(fwhm: float, number: int, seed: int) -> Scene:
    """Return a scene of some dithers."""
    rng = np.random.default_rng([seed, number, int(100 * fwhm)])
    stars = star_field(150, seed=seed, faint=15, bright=60000, radius=0.0311 * SIZE / 2)
    scene = Scene([], [], [])
    for i, (east, north) in enumerate(dithers(number, seed)):
        ra, dec = offset(80.0, -69.5, east, north)
        width = fwhm * (1 + PSF_CHANGE * rng.normal())
        common = {"nx": SIZE, "ny": SIZE, "fwhm": width, "noise": NOISE, "sky": SKY,
                  "ra": ra, "dec": dec, "exposure": i + 1}  # fmt: skip
        image = exposure(
            stars,
            **common,
            seed=1000 * seed + i,
            pointing_error=tuple(POINTING * rng.normal(size=2)),
        )
        clean = exposure(stars, **{**common, "noise": 0.0, "gain": 1e12}, seed=0)
        scene.core.append(clean.data - SKY > 2 * NOISE)
        scene.energy.append(hit(image, rng))
        scene.images.append(image)
    return scene


def hit(image: Image, rng: np.random.Generator) -> NDArray[np.float64]:
    """Add cosmic rays to an image; return the energy of each pixel's."""
    energy = np.zeros(image.data.shape)
    for length, share in enumerate(TRACK, 1):
        for _ in range(rng.poisson(FRACTION * share / length * image.data.size)):
            y, x = rng.integers(5, SIZE - 5, 2)
            slope = rng.uniform(-1, 1, 2)
            total = 4.0 * (1000 / 4.0) ** (rng.uniform() ** 2)
            for k in range(length):
                energy[int(y + k * slope[0]), int(x + k * slope[1])] += total / length
    image.data += (energy * NOISE).astype(np.float32)
    return energy


def ours(scene: Scene, **options: Any) -> list[Bools]:
    """Return the outliers that ours finds."""
    images = make_set(
        [dataclasses.replace(i, metadata=i.metadata.copy()) for i in scene.images], product="p"
    )
    run(images, None, OutlierDetectionParameters(**options))
    return [(e.plane("dq") & OUTLIER) != 0 for e in images.exposures]


def peers(scene: Scene, python: str) -> list[Bools]:
    """Return the outliers that the official step finds."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for image in scene.images:
            names.append(image.metadata["FILENAME"])
            metadata = image.metadata.copy()
            metadata["S_REGION"] = s_region(image.wcs, image.data.shape)
            write_image(dataclasses.replace(image, metadata=metadata), Path(folder) / names[-1])
        (Path(folder) / "cache").mkdir()
        cache = os.environ.get("CRDS_PATH", f"{folder}/cache")
        subprocess.run(
            [python, "-c", PEER, *names],
            cwd=folder,
            check=True,
            capture_output=True,
            env={**os.environ, "CRDS_PATH": cache, **SETTINGS},
        )
        return [
            (read_image(Path(folder) / name.replace("cal", "crf")).dq & OUTLIER) != 0
            for name in names
        ]


def near(mask: Bools) -> Bools:
    """Return a mask grown by one pixel."""
    grown = mask.copy()
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            grown |= np.roll(mask, (dy, dx), (0, 1))
    return grown


def score(scene: Scene, found: list[Bools]) -> NDArray[np.float64]:
    """Return hits found and hits by energy on sky and on stars, and false flags on both."""
    inside = np.zeros((SIZE, SIZE), bool)
    inside[30:-30, 30:-30] = True  # where all exposures overlap
    result = np.zeros(2 * 2 * (len(ENERGIES) - 1) + 4)
    for energy, core, flags in zip(scene.energy, scene.core, found, strict=True):
        counts = []
        for place in (~near(core), core):
            for low, high in itertools.pairwise(ENERGIES):
                chosen = inside & place & (energy >= low) & (energy < high)
                counts += [np.count_nonzero(chosen & flags), np.count_nonzero(chosen)]
            clean = inside & place & ~near(energy > 0)
            counts += [np.count_nonzero(clean & flags), np.count_nonzero(clean)]
        result += counts
    return result


def line(label: str, total: NDArray[np.float64]) -> str:
    """Return a row of the table."""
    n = 2 * (len(ENERGIES) - 1)
    sky, core = total[: n + 2], total[n + 2 :]
    cells = [f"{100 * sky[k] / max(sky[k + 1], 1):.1f}" for k in range(0, n, 2)]
    on_core = core[6:n:2].sum() / max(core[7:n:2].sum(), 1)
    cells += [
        f"{100 * on_core:.0f}",
        f"{1e6 * core[n] / max(core[n + 1], 1):.0f}",
        f"{1e6 * sky[n] / max(sky[n + 1], 1):.0f}",
    ]
    return f"| {label} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="Python with the official package")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--dithers", type=int, nargs="+", default=[2, 3, 4, 8])
    arguments = parser.parse_args()
    bins = " | ".join(f"{a:g}-{b:g} sigma" for a, b in itertools.pairwise(ENERGIES))
    header = f"| filter, dithers | {bins} | on stars > 20 sigma | false, stars /1e6 |"
    print(f"{header} false, sky /1e6 |")  # noqa: T201
    print("|---" * (len(ENERGIES) + 3) + "|")  # noqa: T201
    for name, fwhm in FILTERS:
        for number in arguments.dithers:
            totals = {}
            for seed in range(1, arguments.seeds + 1):
                scene = make(fwhm, number, seed)
                found = {"here": ours(scene)}
                if arguments.peer:
                    found["3.0.0"] = peers(scene, arguments.peer)
                for key, flags in found.items():
                    totals[key] = totals.get(key, 0) + score(scene, flags)
            for key, total in totals.items():
                print(line(f"{name}, {number}: {key}", total), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
