"""Official steps start from our products of spectra, and make of them what ours do.

For each of the five modes: simulated rates, our stage 2 with what its steps leave in between, and
from each of these the official step that comes next.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from official_process import run_official
from programs import BIN, SERVERLESS, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

SCRIPT = Path(__file__).with_name("spectral_steps.py")
SERIES = ("--integrations", "3", "--segments", "1")
# (official step, product of ours that it starts from, product of ours that it should equal)
SLITS = [
    ("pathloss", "flat_field", "pathloss"),
    ("photom", "pathloss", "cal"),
    ("resample_spec", "cal", "s2d"),
    ("extract_1d", "s2d", "x1d"),
]
STARS = [
    ("photom", "flat_field", "calints"),
    ("extract_1d", "calints", "x1dints"),
    ("white_light", "x1dints", None),
]
GRISM = [("photom", "srctype", "calints"), STARS[2]]  # cut out after the flat
MODES = {
    "lrs-slit": ((), SLITS),
    "nirspec-slit": ((), SLITS),
    "lrs-slitless": (SERIES, STARS),
    "nircam-grism": (SERIES, GRISM),
    "nirspec-bright": (SERIES, STARS),
}
SAVED = ("flat_field", "pathloss", "srctype")
# Median differences. Ours estimates lost pixels before it rectifies or sums, and weighs all pixels
# of an exposure alike; theirs drops them and weighs by read noise: not the same, in the noise.
LIMITS = {
    "pathloss": ("value", 1e-5),
    "photom": ("value", 1e-5),
    "resample_spec": ("error", 0.3),
    "extract_1d": ("error", 0.5),
}


@pytest.fixture(scope="module", params=MODES)
def chain(request, tmp_path_factory):
    """The mode's steps, and the paths of our products and the official ones by step."""
    options, steps = MODES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    simulate = [BIN / "calwebb-simulate", "rates", "--scenario", request.param, *options]
    run([*simulate, "--output-dir", folder, "-q"])
    rate = sorted((folder / "rates").iterdir())[0]
    crds = {"CRDS_PATH": str(folder / "crds_cache"), "CRDS_SERVER_URL": SERVERLESS,
            "CRDS_CONTEXT": "jwst_0001.pmap"}  # fmt: skip
    saved = [word for step in SAVED for word in ("--save", step)]
    run([BIN / "calwebb-spec2", "run", rate, *saved, "--output-dir", folder / "ours", "-q"], **crds)
    ours = {path.stem.split("_", 4)[4]: path for path in (folder / "ours").glob("*.fits")}
    cache = (folder / "crds_cache" / "references").rglob("jwst_*.*")
    files = {path.name.split("_")[2]: str(path) for path in sorted(cache)}
    jobs = [
        {"step": step, "input": str(ours[before]), "references": files,
         "output": str(folder / f"theirs_{step}.{'fits' if after else 'ecsv'}")}
        for step, before, after in steps
    ]  # fmt: skip
    (folder / "jobs.json").write_text(json.dumps(jobs))
    run_official(SCRIPT.read_text(), folder / "jobs.json", folder=folder)
    return steps, ours, {job["step"]: Path(job["output"]) for job in jobs}


def typical(theirs, ours, unit):
    """Return the median difference in a unit, where both are numbers."""
    good = np.isfinite(theirs) & np.isfinite(ours) & (theirs != 0)
    assert good.sum() > 0.5 * min(np.isfinite(theirs).sum(), np.isfinite(ours).sum()) > 10
    return np.median(np.abs(ours[good] - theirs[good]) / np.abs(unit[good]))


def spectra(hdus, unit):
    """Return the array or the flux of each spectrum, and what its differences are measured in."""
    found = [(hdu.data["FLUX"], hdu.data["FLUX_ERROR"]) for hdu in hdus if hdu.name == "EXTRACT1D"]
    versions = [hdu.ver for hdu in hdus if hdu.name == "SCI"]
    found += [(hdus["SCI", number].data, hdus["ERR", number].data) for number in versions]
    return [(values, errors if unit == "error" else values) for values, errors in found]


def test_official_steps_make_of_our_products_what_ours_make(chain):
    """Each step starts, and its values are those of our next product."""
    steps, ours, theirs = chain
    for step, _, after in steps:
        if after is None:
            table = Table.read(theirs[step])
            (name,) = (name for name in table.colnames if name.startswith("whitelight_flux"))
            assert len(table) == 3
            assert np.all(table[name] > 0)
            continue
        unit, limit = LIMITS[step]
        with fits.open(theirs[step]) as a, fits.open(ours[after]) as b:
            pairs = zip(spectra(a, unit), spectra(b, unit), strict=True)
            for number, ((there, size), (here, _)) in enumerate(pairs):
                assert typical(there, here, size) < limit, (step, number)
