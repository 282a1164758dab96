"""A star of known brightness that drifts and is eclipsed, written as segments of one exposure."""

from dataclasses import dataclass

import numpy as np
from astropy.modeling.models import Scale, Shift

from calwebb_core.framework.association import write_association
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Table
from calwebb_core.framework.products import write_image
from calwebb_core.science.wcs import imaging_wcs

ROOT = "jw01345001001_02101_00001"
TIMES = (
    "int_start_MJD_UTC", "int_mid_MJD_UTC", "int_end_MJD_UTC", "int_start_BJD_TDB",
    "int_mid_BJD_TDB", "int_end_BJD_TDB",
)  # fmt: skip

SCALE = 0.0311  # arcsec per pixel
V2, V3 = 120.0, -527.0


def distortion(nx, ny):
    """Return detector pixels -> V2, V3 without any bend."""
    x = Shift(-(nx - 1) / 2) | Scale(-SCALE) | Shift(V2)
    y = Shift(-(ny - 1) / 2) | Scale(SCALE) | Shift(V3)
    return x & y


def metadata(nx, ny, **more):
    values = {
        "TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "CHANNEL": "SHORT",
        "MODULE": "A", "FILTER": "F200W", "PUPIL": "CLEAR", "PROGRAM": "01345",
        "OBSERVTN": "001", "VISIT": "001", "VISITGRP": "02", "SEQ_ID": "1", "ACT_ID": "01",
        "EXPOSURE": "1", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": nx, "SUBSIZE2": ny,
        "V2_REF": V2, "V3_REF": V3, "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 30.0,
        "V3I_YANG": 0.0, "VPARITY": -1, "BUNIT": "MJy/sr", "PIXAR_SR": (SCALE / 206264.8) ** 2,
        "PIXAR_A2": SCALE**2, "EXPSTART": 59700.0, "DATE-OBS": "2022-06-03",
        "TIME-OBS": "16:01:32.472", "PHOTMJSR": 2.0, "S_PHOTOM": "COMPLETE",
    } | more  # fmt: skip
    return Metadata(values, values["FILENAME"])


@dataclass
class Star:
    """Cubes of a star and what is true of it."""

    data: np.ndarray
    err: np.ndarray
    clean: np.ndarray
    depth: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def dq(self):
        return np.zeros(self.data.shape, np.uint32)


def star(nints=60, side=24, *, peak=1e6, drift=0.02, depth=0.02, gain=1.0, seed=1, sky=50.0):
    """Make images whose noise is photon noise: `drift` pixels along the exposure and jitter."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, nints)
    middle = (side - 1) / 2
    x = middle + 0.3 + drift * (t - 0.5) + 0.3 * drift * rng.normal(size=nints)
    y = middle - 0.2 - drift * (t - 0.5) + 0.3 * drift * rng.normal(size=nints)
    light = 1 - depth * (np.abs(t - 0.5) < 0.15)
    v, u = np.mgrid[:side, :side]
    shape = np.exp(
        -0.5 * ((u - x[:, None, None]) ** 2 / 1.3**2 + (v - y[:, None, None]) ** 2 / 1.2**2)
    )
    clean = (peak * light)[:, None, None] * shape + sky
    err = np.sqrt(clean / gain)
    data = clean + rng.normal(size=clean.shape) * err
    return Star(data.astype("f4"), err.astype("f4"), clean, light, x, y)


def times(first, count, start=59700.0):
    """Return INT_TIMES of integrations numbered from `first`."""
    table = np.zeros(count, [("integration_number", "i4"), *((name, "f8") for name in TIMES)])
    number = np.arange(first, first + count)
    table["integration_number"] = number
    for k, name in enumerate(TIMES):
        table[name] = start + number * 1e-3 + k * 1e-4
    return Table(table)


def write_segments(folder, cubes, cuts=(), *, dq=None, order=None, **keywords):
    """Write segments that end before the integrations `cuts`; return their paths."""
    nints, ny, nx = cubes.data.shape
    ends = [*cuts, nints]
    paths = []
    for number, (low, high) in enumerate(zip([0, *cuts], ends, strict=True), 1):
        detector = keywords.get("DETECTOR", "NRCA1").lower()
        name = f"{ROOT}-seg{number:03d}_{detector}_calints.fits"
        values = {
            "EXP_TYPE": "NRC_TSIMAGE", "TSOVISIT": True, "SUBARRAY": "SUB64P", "NINTS": nints,
            "INTSTART": low + 1, "INTEND": high, "EXSEGNUM": number, "EXSEGTOT": len(ends),
            "XREF_SCI": nx / 2 + 0.5, "YREF_SCI": ny / 2 + 0.5, "NGROUPS": 5, "FILENAME": name,
        } | keywords  # fmt: skip
        header = metadata(nx, ny, **values)
        flags = cubes.dq if dq is None else dq
        image = Image(
            header,
            cubes.data[low:high].copy(),
            cubes.err[low:high].copy(),
            flags[low:high].copy(),
            var_poisson=cubes.err[low:high] ** 2,
            var_rnoise=np.zeros_like(cubes.err[low:high]),
            wcs=imaging_wcs(header, distortion(nx, ny)),
            tables={"INT_TIMES": times(low + 1, high - low)},
        )
        write_image(image, folder / name)
        paths.append(folder / name)
    return paths


def write_members(folder, paths, name="jw01345-o001_tso3_00001_asn.json", **more):
    """Write an association of segments in the order given; return its path."""
    members = [{"expname": path.name, "exptype": "science"} for path in paths]
    content = {
        "asn_type": "tso3", "asn_rule": "Asn_Lv3TSO", "asn_id": "o001", "program": "01345",
        "asn_pool": "jw01345_pool.csv", "target": "t001",
        "products": [{"name": "jw01345-o001_t001_nircam_f200w-sub64p", "members": members}],
    }  # fmt: skip
    write_association({**content, **more}, folder / name)
    return folder / name
