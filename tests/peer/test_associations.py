"""Associations against the official package's, as sets, on small pools."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from programs import ROOT, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

SCRIPT = ROOT / "benchmarks" / "associations" / "compare.py"
FIXED = {
    "program": "1345", "visitype": "prime_targeted_fixed", "targetid": "1", "pntgtype": "science",
    "subarray": "full", "expspcin": "1", "dithptin": "1", "mostilno": "1", "numdthpt": "1",
    "patttype": "none", "is_psf": "f", "is_imprt": "f", "bkgdtarg": "f", "tsovisit": "f",
}  # fmt: skip
COLUMNS = (
    "filename", *FIXED, "obs_num", "obs_id", "act_id", "exp_type", "instrume", "detector",
    "channel", "module", "filter", "pupil", "grating", "band", "fxd_slit", "opmode", "lamp",
    "nints", "msametfl", "msastate", "patt_num", "subpxpts", "dms_note", "exposerr",
    "asn_candidate",
)  # fmt: skip
LONG = {"instrume": "nircam", "channel": "long", "detector": "nrcalong", "module": "a",
        "filter": "f356w", "pupil": "clear"}  # fmt: skip
LRS = {"instrume": "miri", "detector": "mirimage", "filter": "p750l",
       "exp_type": "mir_lrs-fixedslit", "patttype": "along-slit-nod", "numdthpt": "2"}  # fmt: skip
SLIT = {"instrume": "nirspec", "filter": "f290lp", "grating": "g395h", "fxd_slit": "s200a1",
        "exp_type": "nrs_fixedslit", "subarray": "subs200a1", "numdthpt": "2",
        "subpxpts": "1"}  # fmt: skip
NIRISS = {"instrume": "niriss", "detector": "nis", "pupil": "f200w"}


def row(observation, group, exposure, values, *candidates, **more):
    """Return a row of a pool."""
    own = dict.fromkeys(COLUMNS, "null") | FIXED | values | more
    root = f"jw01345{observation:03d}001_{group:02d}101_{exposure:05d}"
    named = [(f"o{observation:03d}", "observation"), *candidates]
    return own | {
        "filename": f"{root}_{own['detector']}_uncal.fits",
        "obs_num": str(observation),
        "obs_id": f"v01345{observation:03d}001p00000000{group:02d}101",
        "act_id": "01",
        "asn_candidate": str(named),
    }


def images():
    """Dithered images of two observations that a mosaic joins, with a target acquisition."""
    mosaic = ("c1000", "mosaic")
    rows = [row(1, 2, n, LONG, mosaic, exp_type="nrc_image") for n in (1, 2, 3)]
    rows += [row(2, 2, n, LONG, mosaic, exp_type="nrc_image", targetid="2") for n in (1, 2)]
    return [*rows, row(1, 1, 1, LONG, exp_type="nrc_tacq")]


def nods():
    """Nods along the slits of MIRI and NIRSpec."""
    rows = [row(1, 2, n, LRS, patt_num=str(n)) for n in (1, 2)]
    return rows + [
        row(2, 2, n, SLIT, detector=f"nrs{k}", patt_num=str(n)) for n in (1, 2) for k in (1, 2)
    ]


def slitless():
    """Slitless spectra in two directions with their direct image."""
    image = row(1, 2, 1, NIRISS, exp_type="nis_image", filter="clear")
    grisms = [
        row(1, 3 + n, 1, NIRISS, exp_type="nis_wfss", filter=f"gr150{direction}")
        for n, direction in enumerate("rc")
    ]
    return [image, *grisms]


def background():
    """An integral field with its background target and imprints of both."""
    named = ("c1000", "background")
    field = {"instrume": "nirspec", "filter": "f170lp", "grating": "g235h",
             "exp_type": "nrs_ifu", "detector": "nrs1"}  # fmt: skip
    return [
        row(o, 2, 1 + n, field, named, bkgdtarg="ft"[o - 1], is_imprt="ft"[n], targetid=str(o))
        for o in (1, 2)
        for n in (0, 1)
    ]


POOLS = {made.__name__: made for made in (images, nods, slitless, background)}
REAL = ("jw87800_20180412T163456_pool", "pool_005_spec_niriss", "pool_021_tso")


def official(pool: Path, folder: Path, python: str) -> None:
    """Let the official package make the associations of a pool."""
    program = Path(python).parent / "asn_generate"
    folder.mkdir(parents=True)
    done = subprocess.run(
        [program, pool, "-p", folder, "--version-id", "20260101t000000"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def compared(pools: Path, peer: Path, names, tmp_path):
    """Return the figures of pools by name."""
    found = tmp_path / "found.json"
    chosen = [word for name in names for word in ("--pool", name)]
    run([sys.executable, SCRIPT, pools, peer, *chosen, "--json", found])
    return json.loads(found.read_text())


@pytest.mark.parametrize("name", POOLS)
def test_small_pools_give_the_same_associations(name, peer_python, tmp_path):
    pools, peer = tmp_path / "pools", tmp_path / "peer"
    pools.mkdir()
    lines = ["|".join(COLUMNS)]
    lines += ["|".join(each[column] for column in COLUMNS) for each in POOLS[name]()]
    (pools / f"{name}.csv").write_text("\n".join(lines) + "\n")
    official(pools / f"{name}.csv", peer / name, peer_python)
    found = compared(pools, peer, [name], tmp_path)[name]
    assert found["differences"] == []
    assert found["common"] == found["theirs"] == found["ours"] > len(POOLS[name]())


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_real_pools_give_the_same_associations(name, peer_python, realdata, tmp_path):
    official(realdata / "pools" / f"{name}.csv", tmp_path / "peer" / name, peer_python)
    found = compared(realdata / "pools", tmp_path / "peer", [name], tmp_path)[name]
    assert found["differences"] == []
    assert found["common"] > 0


@pytest.mark.realdata
def test_all_real_pools_give_nearly_the_same_as_before(realdata, tmp_path):
    found = compared(realdata / "pools", realdata / "pools" / "peer_3.0.0", [], tmp_path)
    theirs = sum(figures["theirs"] for figures in found.values())
    assert sum(figures["common"] for figures in found.values()) >= 0.95 * theirs
