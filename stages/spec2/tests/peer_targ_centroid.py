"""Run by the official package's Python: where its step puts the source of MIRI LRS.

    python peer_targ_centroid.py FOLDER REALDATA CASES.json RESULT.json

Writes for each case an exposure with its WCS and an image of a star, and what the official steps
targ_centroid and pathloss make of them.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
from gwcs import WCS
from jwst.assign_wcs import AssignWcsStep
from jwst.pathloss import PathLossStep
from jwst.targ_centroid import TargCentroidStep
from stdatamodels.jwst import datamodels

WAVELENGTH = 8.35  # um, near the reference pixel
get_transform = WCS.get_transform


def with_wavelength(wcs, start, end, *rest, **more):
    """Give the way to pixels a wavelength where the official step gives it none at all."""
    transform = get_transform(wcs, start, end, *rest, **more)
    if (start, end) != ("world", "detector") or transform.n_inputs != 3:
        return transform

    class Filled:
        n_inputs = 3

        def __call__(self, ra, dec, wave):
            return transform(ra, dec, WAVELENGTH if wave is None else wave)

    return Filled()


def described(model, case, dither, window):
    """Write the keywords of an exposure of MIRI."""
    meta = model.meta
    meta.telescope, meta.instrument.name, meta.instrument.detector = "JWST", "MIRI", "MIRIMAGE"
    meta.exposure.mid_time = meta.exposure.start_time = 59700.0
    meta.exposure.end_time = 59700.1
    meta.observation.date, meta.observation.time = "2022-06-01", "12:00:00.000"
    meta.subarray.xstart, meta.subarray.ystart, meta.subarray.xsize, meta.subarray.ysize = window
    meta.subarray.name = case["subarray"]
    meta.subarray.fastaxis, meta.subarray.slowaxis = 1, 2
    meta.target.ra, meta.target.dec, meta.target.source_type = 30.0, -45.0, "POINT"
    info = meta.wcsinfo
    info.v2_ref, info.v3_ref = case["reference"]
    info.ra_ref, info.dec_ref, info.roll_ref, info.v3yangle, info.vparity = 30, -45, 20, 4.75, -1
    meta.velocity_aberration.scale_factor = 1.0
    meta.dither.x_offset, meta.dither.y_offset = dither
    return model


def exposure(case, cache):
    """Return a spectrum of ones with its WCS."""
    x, y, nx, ny = case["window"]
    slitless = case["kind"] == "MIR_LRS-SLITLESS"
    model = (datamodels.CubeModel if slitless else datamodels.ImageModel)(
        (2, ny, nx) if slitless else (ny, nx)
    )
    for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat"):
        setattr(model, name, np.ones(model.shape, "f4"))
    model.dq = np.zeros(model.shape, "u4")
    described(model, case, case["dither"], (x, y, nx, ny))
    model.meta.exposure.type, model.meta.instrument.filter = case["kind"], "P750L"
    overrides = {f"override_{kind}": "N/A" for kind in AssignWcsStep.reference_file_types}
    overrides["override_distortion"] = str(cache / "jwst_miri_distortion_0028.asdf")
    overrides["override_specwcs"] = str(cache / case["specwcs"])
    return AssignWcsStep.call(model, **overrides)


def image(case, cache):
    """Return an image of a star, with its WCS."""
    x, y, nx, ny = case["window"]
    rows, columns = np.mgrid[:ny, :nx]
    place = case["star"]
    square = (columns - place[0]) ** 2 + (rows - place[1]) ** 2
    noise = np.random.default_rng(case["seed"]).normal(0, case["noise"], (ny, nx))
    model = datamodels.ImageModel((100 * np.exp(-square / 4.5) + 2 + noise).astype("f4"))
    model.err, model.dq = np.ones((ny, nx), "f4"), np.zeros((ny, nx), "u4")
    described(model, case, case["before"], (x, y, nx, ny))
    model.meta.exposure.type, model.meta.instrument.filter = "MIR_TACONFIRM", case["filter"]
    overrides = {f"override_{kind}": "N/A" for kind in AssignWcsStep.reference_file_types}
    overrides["override_distortion"] = str(cache / "jwst_miri_distortion_0028.asdf")
    return AssignWcsStep.call(model, **overrides)


def losses(folder):
    """Write losses at the slit that differ from pixel to pixel."""
    shape = (5, 21, 61)
    dtype = [("wavelength", "f4"), ("pathloss", "f4", shape[1:]), ("pathloss_err", "f4", shape[1:])]
    table = np.zeros(shape[0], dtype)
    table["wavelength"] = np.linspace(14, 3, 5)
    table["pathloss"] = np.random.default_rng(3).uniform(1.1, 1.6, shape)
    model = datamodels.MirLrsPathlossModel(pathloss_table=table)
    meta = model.meta
    meta.description, meta.author, meta.pedigree = "made for a comparison", "a test", "DUMMY"
    meta.useafter, meta.reftype, meta.telescope = "2020-01-01T00:00:00", "PATHLOSS", "JWST"
    meta.instrument.name, meta.exposure.type = "MIRI", "MIR_LRS-FIXEDSLIT"
    meta.wcsinfo = {"crpix1": 1.0, "crval1": -30.0, "cdelt1": 1.0,
                    "crpix2": 1.0, "crval2": -10.0, "cdelt2": 1.0}  # fmt: skip
    model.save(folder / "pathloss.fits")


def answer(case, folder, cache):
    """Return what the official step says, with a wavelength and without."""
    name = case["name"]
    start, star = folder / f"{name}_assign_wcs.fits", folder / f"{name}_ta_cal.fits"
    model = exposure(case, cache)
    model.save(start)
    image(case, cache).save(star)
    options = {"ta_file": str(star), "skip": False}
    options["override_filteroffset"] = str(cache / "jwst_miri_filteroffset_0005.asdf")
    bare = TargCentroidStep.call(model.copy(), **options)
    WCS.get_transform = with_wavelength
    found = TargCentroidStep.call(model.copy(), **options)
    WCS.get_transform = get_transform
    if case["kind"] == "MIR_LRS-FIXEDSLIT":
        corrected = PathLossStep.call(found, override_pathloss=str(folder / "pathloss.fits"))
        corrected.save(folder / f"{name}_pathloss.fits")
    keys = ("ta_xpos", "ta_ypos", "source_xpos", "source_ypos")
    values = {"bare": [getattr(bare, key) for key in keys]}
    values["found"] = [getattr(found, key) for key in keys]
    return values | {"status": bare.meta.cal_step.targ_centroid}


def main():
    """Answer all cases."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    folder, real = Path(sys.argv[1]), Path(sys.argv[2])
    cache = real / "crds_cache" / "references" / "jwst" / "miri"
    losses(folder)
    answers = [answer(case, folder, cache) for case in json.loads(Path(sys.argv[3]).read_text())]
    Path(sys.argv[4]).write_text(json.dumps(answers))


main()
