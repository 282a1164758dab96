"""A spectrum of known shape in a series, written as segments of one slit."""

import json

import numpy as np

from calwebb_core.framework.models import Slit
from calwebb_core.framework.product_writing import write_image

from .star import Star, metadata, times

ROOT = "jw01366003001_04101_00001"


def spectrum(nx):
    """Return the star's brightness along the trace, in pixels' sums."""
    x = np.arange(nx)
    return 4e5 * (1.2 - 0.4 * x / nx) * (1 - 0.4 * np.exp(-0.5 * ((x - nx / 3) / 2) ** 2))


def trace(nints=45, ny=16, nx=60, *, drift=0.02, depth=0.02, bright=1.0, seed=1):
    """Make images of a trace that drifts across the dispersion while the star is eclipsed."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, nints)
    y = (ny - 1) / 2 + 0.2 + drift * (t - 0.5) + 0.3 * drift * rng.normal(size=nints)
    light = 1 - depth * (np.abs(t - 0.5) < 0.15)
    rows = np.arange(ny)[:, None]
    shape = np.exp(-0.5 * ((rows - y[:, None, None]) / 0.8) ** 2) / (0.8 * np.sqrt(2 * np.pi))
    clean = bright * light[:, None, None] * shape * spectrum(nx) + 20.0
    err = np.sqrt(clean)
    data = clean + rng.normal(size=clean.shape) * err
    return Star(data.astype("f4"), err.astype("f4"), clean, light, np.zeros(nints), y)


def write_slits(folder, cubes, cuts=(), *, dq=None, detector="NRS1", **keywords):
    """Write segments that end before the integrations `cuts`; return their paths."""
    nints, ny, nx = cubes.data.shape
    ends = [*cuts, nints]
    paths = []
    for number, (low, high) in enumerate(zip([0, *cuts], ends, strict=True), 1):
        name = f"{ROOT}-seg{number:03d}_{detector.lower()}_calints.fits"
        values = {
            "INSTRUME": "NIRSPEC", "DETECTOR": detector, "EXP_TYPE": "NRS_BRIGHTOBJ",
            "FILTER": "F290LP", "GRATING": "G395H", "SUBARRAY": "SUB2048", "TSOVISIT": True,
            "NINTS": nints, "INTSTART": low + 1, "INTEND": high, "EXSEGNUM": number,
            "EXSEGTOT": len(ends), "FILENAME": name, "DISPAXIS": 1, "SLTNAME": "S1600A1",
            "SRCTYPE": "POINT", "BUNIT": "MJy", "SPORDER": 1, "PIXAR_SR": 1e-13,
        } | keywords  # fmt: skip
        header = metadata(nx, ny, **values)
        for keyword in ("CHANNEL", "MODULE", "PUPIL"):
            header.pop(keyword, None)
        part = slice(low, high)
        flags = cubes.dq if dq is None else dq
        wave = np.broadcast_to(np.linspace(2.9, 5.1, nx, dtype=np.float32), (ny, nx))
        slit = Slit(
            header,
            cubes.data[part].copy(),
            cubes.err[part].copy(),
            flags[part].copy(),
            var_poisson=cubes.err[part] ** 2,
            var_rnoise=np.zeros_like(cubes.err[part]),
            tables={"INT_TIMES": times(low + 1, high - low)},
            planes={"WAVELENGTH": wave.copy()},
        )
        write_image(slit, folder / name)
        paths.append(folder / name)
    return paths


def write_reference(folder, low=3.0, high=12.0, name="extract1d.json"):
    """Write an EXTRACT1D file with one aperture between two rows; return its path."""
    content = {
        "reftype": "EXTRACT1D", "instrument": "NIRSPEC", "exp_type": "NRS_BRIGHTOBJ",
        "telescope": "JWST", "pedigree": "DUMMY", "author": "tests", "description": "one box",
        "useafter": "2014-01-01T00:00:00", "meta": {},
        "apertures": [
            {"id": "S1600A1", "region_type": "target", "dispaxis": 1, "ystart": low,
             "ystop": high, "use_source_posn": False},
        ],
    }  # fmt: skip
    path = folder / name
    path.write_text(json.dumps(content))
    return path
