"""Rectified spectra beside the official step on the same files: the grid, and the light on it.

The slits are tilted and curved. Options are the official way: ``weight_type=ivm``, lost pixels left
out. The official product has fewer pixels at the ends of the slit; there it is not compared.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Slit, Slits
from calwebb_core.framework.product_writing import write_image
from calwebb_core.framework.slit_products import write_slits
from calwebb_core.science.frames import Box
from calwebb_core.science.spectral.rectified_grid import RectifiedGrid, on_line, through_slit
from calwebb_core.science.spectral.rectify import Rectification, rectify
from calwebb_core.science.transforms.elementary import Affine, Scale, Shift
from calwebb_core.science.transforms.tables import Tabular
from official_process import run_official

pytestmark = [pytest.mark.peer, pytest.mark.slow]

OFFICIAL = """
import json
import logging
import sys
import numpy as np
from jwst.datamodels import ModelContainer
from jwst.resample import ResampleSpecStep
from stdatamodels.jwst import datamodels as dm

logging.disable(logging.WARNING)
for case in json.loads(sys.argv[1]):
    models = [dm.open(name) for name in case["files"]]
    one = models[0] if len(models) == 1 else ModelContainer(models)
    result = ResampleSpecStep.call(one, pixel_scale_ratio=case["ratio"])
    result = result.slits[0] if hasattr(result, "slits") else result
    y, x = np.mgrid[: result.data.shape[0], : result.data.shape[1]].astype(float)
    names = ("ra", "dec", "wave")
    found = dict(zip(names, result.meta.wcs(x, y)))
    if "slit_frame" in result.meta.wcs.available_frames:
        found["slit"] = result.meta.wcs.get_transform("detector", "slit_frame")(x, y)[1]
    area = result.meta.photometry.pixelarea_steradians
    np.savez(case["output"], data=result.data, err=result.err, area=area, **found)
"""
NALONG, NACROSS = 90, 26
STEP = 0.1 / 3600
MARGIN = 5  # of the tables, so that tilted slits are inside
WAVES = np.linspace(12.0, 5.0, NALONG + 2 * MARGIN) ** 0.98
AREA = 2.35e-13


def world(axis, shift, in_slit):
    """A slit that is tilted against the pixels; `shift` is that of a nod, in pixels."""
    count = NACROSS + 2 * MARGIN
    places = np.linspace(-0.7, 0.7, count) if in_slit else None
    waves = WAVES[::-1] if in_slit else WAVES
    direction = (0.148, -np.sqrt(1 - 0.148**2)) if in_slit else (-0.79, np.sqrt(1 - 0.79**2))
    origin = 17.3 + shift
    grid = RectifiedGrid((80.4, -69.5), direction, STEP, origin, count, waves, axis, places)
    whole = grid.world()
    if in_slit:
        wave, place = Tabular(np.arange(len(waves)), waves), Shift(-17.5) | Scale(0.04)
        whole = replace(whole, transforms=through_slit(grid, wave, place, on_line(grid)))
    matrix = [[1.0, 0.06], [0.013, 1.0]] if axis == 1 else [[1.0, -0.013], [0.03, 1.0]]
    tilt = Affine(matrix, (MARGIN, MARGIN))
    first = (tilt | whole.transforms[0]).with_inverse(whole.transforms[0].inverse | tilt.inverse)
    ny, nx = (NACROSS, NALONG) if axis == 1 else (NALONG, NACROSS)
    whole = replace(
        whole, pixel_shape=(nx, ny), bounding_box=Box(((-0.5, nx - 0.5), (-0.5, ny - 0.5)))
    )
    return replace(whole, transforms=(first, *whole.transforms[1:]), _cache={})


def exposure(number, axis, shift, in_slit):
    """Noise, a star and some lost pixels."""
    shape = (NACROSS, NALONG) if axis == 1 else (NALONG, NACROSS)
    rng = np.random.default_rng(number)
    place = np.moveaxis(np.indices(shape), 0, -1)[..., 0 if axis == 1 else 1]
    light = 50.0 * np.exp(-0.5 * ((place - 12 - shift) / 1.5) ** 2)
    variances = rng.uniform(0.5, 2.0, (3, *shape)).astype("f4")
    data = (light + rng.normal(0.0, 1.0, shape)).astype("f4")
    dq = (rng.random(shape) < 0.01).astype("u4")
    data[dq > 0] = np.nan
    common = {
        "TELESCOP": "JWST", "INSTRUME": "NIRSPEC" if in_slit else "MIRI", "DISPAXIS": axis,
        "DETECTOR": "NRS1" if in_slit else "MIRIMAGE", "FILTER": "F290LP" if in_slit else "P750L",
        "EXP_TYPE": "NRS_FIXEDSLIT" if in_slit else "MIR_LRS-FIXEDSLIT", "BUNIT": "MJy/sr",
        "PIXAR_SR": AREA, "PIXAR_A2": 0.01, "SRCTYPE": "EXTENDED", "S_WCS": "COMPLETE",
        "S_PHOTOM": "COMPLETE", "DATE-OBS": "2022-06-03", "TIME-OBS": "16:01:32.472",
        "DATAMODL": "SlitModel" if in_slit else "ImageModel", "SUBARRAY": "FULL",
        "S_REGION": "POLYGON ICRS  80.39 -69.49 80.39 -69.51 80.41 -69.51 80.41 -69.49",
        "EFFEXPTM": 100.0, "TMEASURE": 100.0, "XPOSURE": 100.0, "EXPSTART": 59000.0,
        "EXPEND": 59000.1, "EXPMID": 59000.05, "TELAPSE": 100.0, "RA_REF": 80.4, "DEC_REF": -69.5,
    }  # fmt: skip
    if in_slit:
        common |= {"GRATING": "G395M", "SLTNAME": "S200A1"}
    err = np.sqrt(variances.sum(axis=0))
    name = f"jw01702001001_02101_{number:05d}_{'nrs1' if in_slit else 'mirimage'}_cal.fits"
    wcs = world(axis, shift, in_slit)
    planes = {"WAVELENGTH": wcs(*np.indices(shape)[::-1].astype(float))[2].astype("f4")}
    return Slit(
        Metadata(common, name), data, err, dq, *variances, wcs=wcs, planes=planes if in_slit else {}
    )


CASES = {
    "lrs": (2, (0.0,), False, 1.0),
    "lrs-fine": (2, (0.0,), False, 1.7),
    "lrs-nods": (2, (0.0, 7.4), False, 1.0),
    "nirspec": (1, (0.0,), True, 1.0),
    "nirspec-coarse": (1, (0.0,), True, 0.8),
    "nirspec-nods": (1, (0.0, 5.3), True, 1.0),
}


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """What the official step makes, all cases in one process; and the exposures."""
    folder, told, exposures = tmp_path_factory.mktemp("peer"), [], {}
    for name, (axis, shifts, in_slit, ratio) in CASES.items():
        own = folder / name
        own.mkdir()
        parts = [exposure(n, axis, shift, in_slit) for n, shift in enumerate(shifts, 1)]
        for part in parts:
            path = own / part.metadata.source
            if in_slit:
                write_slits(Slits(part.metadata, [part]), path)
            else:
                write_image(part, path)
        files = [str(own / part.metadata.source) for part in parts]
        told.append({"files": files, "ratio": ratio, "output": str(folder / f"{name}.npz")})
        exposures[name] = parts
    run_official(OFFICIAL, json.dumps(told), folder=folder)
    return {name: (parts, np.load(folder / f"{name}.npz")) for name, parts in exposures.items()}


@pytest.mark.parametrize("name", CASES)
def test_the_grid_is_the_official_one(products, name):
    """Places to a thousandth of a pixel, wavelengths to rounding, for all default options."""
    axis, _, in_slit, ratio = CASES[name]
    parts, theirs = products[name]
    how = Rectification(pixel_scale_ratio=ratio)
    ours = rectify(parts, parts[0].metadata, axis, how)
    assert ours.data.shape == theirs["data"].shape
    y, x = np.mgrid[: ours.data.shape[0], : ours.data.shape[1]].astype(float)
    ra, dec, wave = ours.wcs(x, y)
    np.testing.assert_allclose(wave, theirs["wave"], rtol=1e-12)
    east = (ra - theirs["ra"]) * np.cos(np.radians(dec))
    assert np.hypot(east, dec - theirs["dec"]).max() < 1e-3 * STEP
    if in_slit:
        slit = ours.wcs.get_transform("detector", "slit_frame")(x, y)[1]
        assert np.abs(slit - theirs["slit"]).max() < 1e-3 * abs(slit[1, 0] - slit[0, 0])
    assert ours.metadata["PIXAR_SR"] == pytest.approx(float(theirs["area"]), rel=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_light_is_the_official_one(products, name):
    """In units of the official error, where both have light, away from the ends of the slit."""
    axis, _, _, ratio = CASES[name]
    parts, theirs = products[name]
    how = Rectification(weight_type="ivm", fill=False, pixel_scale_ratio=ratio)
    ours = rectify(parts, parts[0].metadata, axis, how)
    edge = int(np.ceil(3 * ratio))
    inside = (slice(edge, -edge), slice(3, -3)) if axis == 1 else (slice(3, -3), slice(edge, -edge))
    apart = (np.abs(ours.data - theirs["data"]) / theirs["err"])[inside]
    known = np.isfinite(apart)
    assert known.mean() > 0.9
    assert np.median(apart[known]) < 1e-3
    assert np.percentile(apart[known], 95) < 0.02
