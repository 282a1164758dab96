"""A small uncal file with all its reference files, made by hand."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from calwebb_core.framework.products import write_raw

from .ramps import GAIN, READ_NOISE, TGROUP, keywords

NX, NY, NGROUPS, NINTS = 40, 32, 6, 2
NAME = "jw09999001001_02101_00001_nrcalong"
SUPERBIAS = 1000.0
DARK_RATE = 0.05
TYPES = ("mask", "saturation", "superbias", "linearity", "dark", "gain", "readnoise")
DQ_DEF = [
    (0, 1, "DO_NOT_USE"), (1, 2, "REFERENCE_PIXEL"), (2, 4, "NO_SAT_CHECK"), (3, 8, "NO_LIN_CORR"),
]  # fmt: skip


def true_rates():
    """Return the rate of each pixel in DN/s; zero on the rim."""
    rng = np.random.default_rng(5)
    rates = np.exp(rng.uniform(np.log(2), np.log(400), (NY, NX)))
    rates[:4] = rates[:, :4] = 0
    return rates


def write_uncal(folder, **changes):
    """Write a raw exposure with a zero frame; return its path."""
    rng = np.random.default_rng(6)
    rates = true_rates()
    electrons = rng.poisson((rates + DARK_RATE) * GAIN * TGROUP, (NINTS, NGROUPS, NY, NX))
    electrons[0, 3, 10, 10:20] += 3000
    signal = np.cumsum(electrons, axis=1) / GAIN + SUPERBIAS
    signal += rng.normal(0, READ_NOISE / np.sqrt(2), signal.shape)
    data = np.clip(np.round(signal), 0, 65535).astype(np.uint16)
    metadata = keywords(data.shape, **changes)
    path = Path(folder) / f"{NAME}_uncal.fits"
    write_raw(path, metadata, data, zeroframe=data[:, 0])
    return path


def write_reference(folder, kind, extensions, **cards):
    """Write one reference file; return its path."""
    primary = fits.PrimaryHDU()
    primary.header.update(
        {
            "TELESCOP": "JWST", "REFTYPE": kind.upper(), "INSTRUME": "NIRCAM",
            "DETECTOR": "NRCALONG", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": NX,
            "SUBSIZE2": NY,
        } | cards
    )  # fmt: skip
    hdus = [primary]
    hdus += [fits.ImageHDU(array, name=name) for name, array in extensions.items()]
    if "DQ" in extensions:
        rows = [(*row, "") for row in DQ_DEF]
        types = [("BIT", "i4"), ("VALUE", "i4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
        hdus.append(fits.BinTableHDU(np.array(rows, types), name="DQ_DEF"))
    path = Path(folder) / f"{kind}.fits"
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def write_references(folder):
    """Write all reference files; return their paths by type."""
    shape = (NY, NX)
    dq = np.zeros(shape, np.uint32)
    dq[:4] = dq[:, :4] = 2
    dq[20, 20] = 1
    frames = np.arange(1, NGROUPS + 1, dtype=np.float32)[:, None, None]
    dark = DARK_RATE * TGROUP * frames * np.ones(shape, np.float32)
    flat = np.zeros(shape, np.uint32)
    coefficients = np.zeros((3, *shape), np.float32)
    coefficients[1] = 1
    constant = {"saturation": 60000.0, "superbias": SUPERBIAS}
    made = {
        kind: {"SCI": np.full(shape, v, np.float32), "DQ": flat} for kind, v in constant.items()
    }
    made["mask"] = {"DQ": dq}
    made["linearity"] = {"COEFFS": coefficients, "DQ": flat}
    made["dark"] = {"SCI": dark, "DQ": flat}
    made["gain"] = {"SCI": np.full(shape, GAIN, np.float32)}
    made["readnoise"] = {"SCI": np.full(shape, READ_NOISE, np.float32)}
    cards = {"dark": {"NFRAMES": 1, "GROUPGAP": 0}}
    return {
        kind: write_reference(folder, kind, arrays, **cards.get(kind, {}))
        for kind, arrays in made.items()
    }


def overrides(paths):
    """Return the command-line options that name all reference files."""
    options = [f"--override={kind}={path}" for kind, path in paths.items()]
    return [*options, "--override=ipc=N/A"]
