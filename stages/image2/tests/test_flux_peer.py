"""Flux calibration of every imaging instrument against the official package."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.products import write_image
from calwebb_core.framework.references import References
from calwebb_image2.inputs import read
from calwebb_image2.steps import bkg_subtract, flat_field, photom

pytestmark = [pytest.mark.peer, pytest.mark.slow]

COMMON = {
    "TELESCOP": "JWST", "DATE-OBS": "2023-05-01", "TIME-OBS": "12:00:00.000", "EXPSTART": 60065.5,
    "EXPMID": 60065.501, "EXPEND": 60065.502, "NGROUPS": 5, "BUNIT": "DN/s", "READPATT": "FAST",
    "PROGRAM": "09999", "OBSERVTN": "001", "VISIT": "001", "FASTAXIS": 1, "SLOWAXIS": 2,
}  # fmt: skip
LINEAR = ("LINEAR", {"t0": 59800.0, "lossperyear": 0.05})
EXPONENTIAL = ("EXPONENTIAL", {"t0": 59700.0, "amplitude": 0.2, "tau": 150.0, "const": 0.8})
POWERLAW = ("POWERLAW", {"t0": 59700.0, "year1value": 0.9, "tsoft": 30.0, "alpha": -0.3})
# name -> keywords, first column and row, size, integrations, rows of PHOTOM, time terms, model
CASES = {
    "nircam": (
        {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "CHANNEL": "SHORT", "MODULE": "A",
         "FILTER": "F200W", "PUPIL": "CLEAR", "EXP_TYPE": "NRC_IMAGE", "SUBARRAY": "SUB64P"},
        (601, 901), (64, 48), None,
        {"filter": ["F115W", "F200W"], "pupil": ["CLEAR", "CLEAR"]}, (LINEAR,), "NrcImgPhotomModel",
    ),
    "nircam_coronagraph": (
        {"INSTRUME": "NIRCAM", "DETECTOR": "NRCALONG", "CHANNEL": "LONG", "MODULE": "A",
         "FILTER": "F335M", "PUPIL": "MASKRND", "EXP_TYPE": "NRC_CORON",
         "SUBARRAY": "SUB320A335R"},
        (301, 401), (40, 56), 3,
        {"filter": ["F335M", "F335M"], "pupil": ["CLEAR", "MASKRND"]}, (), "NrcImgPhotomModel",
    ),
    "niriss": (
        {"INSTRUME": "NIRISS", "DETECTOR": "NIS", "FILTER": "CLEAR", "PUPIL": "F150W",
         "EXP_TYPE": "NIS_IMAGE", "SUBARRAY": "SUB64"},
        (993, 1), (64, 64), None,
        {"filter": ["F277W", "CLEAR"], "pupil": ["CLEARP", "F150W"]}, (EXPONENTIAL,),
        "NisImgPhotomModel",
    ),
    "miri_full": (
        {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FILTER": "F770W", "EXP_TYPE": "MIR_IMAGE",
         "SUBARRAY": "FULL"},
        (1, 1), (1032, 1024), None,
        {"filter": ["F770W", "F770W"], "subarray": ["GENERIC", "SUB64"]}, (POWERLAW, LINEAR),
        "MirImgPhotomModel",
    ),
    "miri_subarray": (
        {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FILTER": "F1065C", "EXP_TYPE": "MIR_4QPM",
         "SUBARRAY": "MASK1065"},
        (1, 19), (96, 80), 2,
        {"filter": ["F1065C", "F1065C"], "subarray": ["FULL", "MASK1065"]}, (POWERLAW,),
        "MirImgPhotomModel",
    ),
    "fgs": (
        {"INSTRUME": "FGS", "DETECTOR": "GUIDER2", "EXP_TYPE": "FGS_IMAGE", "SUBARRAY": "128X128"},
        (961, 961), (128, 128), None, {}, (LINEAR,), "FgsImgPhotomModel",
    ),
}  # fmt: skip


def keywords_of(case):
    own, start, size, nints, *_ = CASES[case]
    place = {"SUBSTRT1": start[0], "SUBSTRT2": start[1], "SUBSIZE1": size[0], "SUBSIZE2": size[1]}
    return COMMON | own | place | {"NINTS": nints or 1}


def image_of(case, level=2.0, seed=5):
    rng = np.random.default_rng(seed)
    _, _, (nx, ny), nints, *_ = CASES[case]
    shape = (ny, nx) if nints is None else (nints, ny, nx)
    data = rng.normal(level, 0.3, shape).astype("f4")
    dq = np.where(rng.random(shape) < 0.02, 4, 0).astype("u4")
    lost = rng.random(shape) < 0.01
    data[lost] = np.nan
    dq[lost] |= 1
    poisson, rnoise = rng.uniform(0.01, 0.04, (2, *shape)).astype("f4")
    err = np.sqrt(poisson + rnoise)
    return Image(Metadata(keywords_of(case)), data, err, dq, poisson, rnoise)


def header(case, kind, full, model=None):
    names = ("INSTRUME", "DETECTOR", "FILTER", "PUPIL", "EXP_TYPE", "MODULE", "CHANNEL")
    keywords = keywords_of(case)
    nx, ny = full or CASES[case][2]
    start = (1, 1) if full else CASES[case][1]
    values = {name: keywords[name] for name in names if name in keywords}
    values |= {
        "TELESCOP": "JWST", "REFTYPE": kind, "AUTHOR": "test", "DESCRIP": "test",
        "PEDIGREE": "DUMMY", "USEAFTER": "2014-01-01T00:00:00", "SUBARRAY": "GENERIC",
        "SUBSTRT1": start[0], "SUBSTRT2": start[1], "SUBSIZE1": nx, "SUBSIZE2": ny,
        "FASTAXIS": 1, "SLOWAXIS": 2,
    }  # fmt: skip
    if model:
        values["DATAMODL"] = model
    return fits.PrimaryHDU(header=fits.Header(values))


def full_size(case):
    return (1032, 1024) if CASES[case][0]["INSTRUME"] == "MIRI" else (2048, 2048)


def write_flat(case, path):
    """A flat of the subarray, with bad values; its flags have other bits than the product's."""
    rng = np.random.default_rng(3)
    nx, ny = CASES[case][2]
    flat = rng.normal(1.0, 0.05, (ny, nx)).astype("f4")
    flat[10, 12], flat[11, 12] = np.nan, 0.0
    dq = np.zeros((ny, nx), "u4")
    dq[20, 30], dq[21, 30] = 2, 1
    table = np.array(
        [(0, 1, "UNRELIABLE_FLAT", ""), (1, 2, "NO_FLAT_FIELD", "")],
        dtype=[("BIT", "i4"), ("VALUE", "u4"), ("NAME", "U40"), ("DESCRIPTION", "U80")],
    )
    arrays = {"SCI": flat, "ERR": rng.uniform(0.005, 0.02, (ny, nx)).astype("f4"), "DQ": dq}
    hdus = [header(case, "FLAT", None), *(fits.ImageHDU(a, name=n) for n, a in arrays.items())]
    fits.HDUList([*hdus, fits.BinTableHDU(table, name="DQ_DEF")]).writeto(path)


def write_photom(case, path):
    *_, keys, times, model = CASES[case]
    number = len(next(iter(keys.values()), ["one"]))
    texts = {name: np.array(values, "U15") for name, values in keys.items()}
    columns = texts | {
        "photmjsr": np.linspace(0.4, 0.6, number).astype("f4"),
        "uncertainty": np.full(number, 0.01, "f4"),
    }
    hdus = [header(case, "PHOTOM", full_size(case), model), table_hdu(columns, "PHOTOM")]
    for form, numbers in times:
        terms = {name: np.full(number, value) for name, value in numbers.items()}
        hdus.append(table_hdu(texts | terms, f"TIMECOEFF_{form}"))
    fits.HDUList(hdus).writeto(path)


def table_hdu(columns, name):
    dtype = [(column, values.dtype) for column, values in columns.items()]
    table = np.empty(len(next(iter(columns.values()))), dtype)
    for column, values in columns.items():
        table[column] = values
    return fits.BinTableHDU(table, name=name)


def write_area(case, path):
    nx, ny = full_size(case)
    y, x = np.mgrid[0:ny, 0:nx].astype("f4")
    primary = header(case, "AREA", full_size(case), "PixelAreaModel")
    primary.header["PIXAR_SR"] = 2.8e-13
    primary.header["PIXAR_A2"] = 2.8e-13 * photom.ARCSEC2_PER_STERADIAN
    area = (1 + 1e-5 * (x - nx / 2) - 5e-6 * (y - ny / 2)).astype("f4")
    fits.HDUList([primary, fits.ImageHDU(area, name="SCI")]).writeto(path)


def association(folder, case):
    """A target and four backgrounds of different levels, one value of which is far off."""
    root = "jw09999001001_02101_00001_det"
    suffix = "rate" if CASES[case][3] is None else "rateints"
    members = [{"expname": f"{root}_{suffix}.fits", "exptype": "science"}]
    for number in range(4):
        name = f"jw09999002001_02101_{number + 1:05d}_det_{suffix}.fits"
        image = image_of(case, 1.0 + 0.02 * number, 10 + number)
        image.data[..., 5, 5 + number] += 1e3
        write_image(image, folder / name)
        members.append({"expname": name, "exptype": "background"})
    path = folder / f"{case}_asn.json"
    path.write_text(
        json.dumps(
            {"asn_type": "image2", "asn_rule": "Asn_Lv2Image", "asn_pool": "none",
             "program": "09999", "products": [{"name": root, "members": members}]}
        )
    )  # fmt: skip
    return path


def make_case(folder, case):
    folder.mkdir()
    files = {}
    for kind, writer in (("flat", write_flat), ("photom", write_photom), ("area", write_area)):
        files[kind] = str(folder / f"{case}_{kind}.fits")
        writer(case, files[kind])
    suffix = "rate" if CASES[case][3] is None else "rateints"
    path = folder / f"jw09999001001_02101_00001_det_{suffix}.fits"
    write_image(image_of(case), path)
    source = path if case == "miri_full" else association(folder, case)
    target = str(folder / f"{case}.npz")
    return {"input": str(source), "references": files, "target": target, "sigma": 1.3}


@pytest.fixture(scope="module")
def peer(tmp_path_factory, peer_environment):
    """What the official package makes of all cases, by name, and how to run ours."""
    python = os.environ.get("CALWEBB_PEER_PYTHON")
    if not python:
        pytest.skip("CALWEBB_PEER_PYTHON is not set")
    folder = tmp_path_factory.mktemp("peer")
    cases = {name: make_case(folder / name, name) for name in CASES}
    listed = folder / "cases.json"
    listed.write_text(json.dumps(list(cases.values())))
    script = Path(__file__).with_name("peer_flux.py")
    environment = peer_environment(folder)
    subprocess.run([python, str(script), str(listed)], env=environment, cwd=folder, check=True)
    return cases


@pytest.mark.parametrize("name", CASES)
def test_flux_to_float_precision(peer, name):
    case = peer[name]
    image, references = read(Path(case["input"])), References({}).with_overrides(case["references"])
    with np.load(case["target"]) as theirs:
        image, _ = bkg_subtract.STEP.run(
            image, references, bkg_subtract.BkgSubtractParameters(sigma=case["sigma"])
        )
        if theirs["subtracted"].size:
            good = image.dq & 1 == 0
            np.testing.assert_allclose(
                image.data[good], theirs["subtracted"][good], rtol=1e-5, atol=2e-6
            )
        for step in (flat_field, photom):
            image, _ = step.STEP.run(image, references, step.STEP.parameters())
        assert str(theirs["status"]) == "COMPLETE"
        np.testing.assert_array_equal(image.dq, theirs["dq"])
        np.testing.assert_allclose(image.data, theirs["data"], rtol=1e-5, atol=2e-6)
        np.testing.assert_array_equal(image.area, theirs["area"])
        for key in ("PHOTMJSR", "PHOTUJA2", "PIXAR_SR", "PIXAR_A2"):
            assert image.metadata[key] == pytest.approx(float(theirs[key]), rel=1e-6)
        if not theirs["subtracted"].size:
            for array in ("err", "var_flat", "var_poisson", "var_rnoise"):
                np.testing.assert_allclose(getattr(image, array), theirs[array], rtol=5e-6)
        else:
            # the official step leaves the noise of the background out
            assert np.nanmin(image.var_poisson / theirs["var_poisson"]) > 1.0
