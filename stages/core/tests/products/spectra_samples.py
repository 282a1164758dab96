"""Spectra to draw: a star with lines, in slits and in a series with a transit."""

import numpy as np
from astropy.table import QTable

from calwebb_core.framework.catalogs import write_catalog
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Slit, Slits
from calwebb_core.framework.spectra import COLUMNS, DTYPES, PER_INTEGRATION, Spectra, Spectrum
from calwebb_core.framework.spectra_products import write_spectra

from .samples import keywords

START = 60123.5  # MJD


def star(wavelength):
    """Flux of a star with two absorption lines, Jy."""
    lines = sum(0.4 * np.exp(-(((wavelength - x) / 0.02) ** 2)) for x in (1.8, 2.6))
    return 0.02 * wavelength**-2.0 * (1 - lines)


def transit(hours, depth=0.01):
    """Relative flux of a transit of known depth, in the middle of four hours."""
    return 1 - depth / (1 + np.exp(-(0.9 - np.abs(hours - 2)) / 0.05))


def slit(name, shape=(40, 900), axis=1, nints=None, tilt=0.0004, bright=1.0):
    """A spectrum in two dimensions with a plane of wavelengths; NaN beside the slit."""
    ny, nx = shape
    y, x = np.indices(shape, dtype=np.float64)
    wavelength = 1.5 + 1.5 * x / nx + tilt * (y - ny / 2)
    wavelength[:3] = np.nan
    profile = np.exp(-((y - 0.45 * ny) ** 2) / (2 * 2.0**2)) / 5
    data = bright * star(wavelength) * profile
    rng = np.random.default_rng(len(name))
    if axis == 2:
        data, wavelength = data.T, wavelength.T
    if nints:
        data = data * transit(np.linspace(0, 4, nints))[:, None, None]
    data = (np.nan_to_num(data) + rng.normal(0, 2e-5, data.shape)).astype("f4")
    dq = (rng.uniform(size=data.shape) < 0.002).astype("u4")
    metadata = Metadata(
        {"SLTNAME": name, "SOURCEID": 1, "SRCTYPE": "POINT", "BUNIT": "MJy", "DISPAXIS": axis}
    )
    planes = {"WAVELENGTH": wavelength.astype("f4")}
    return Slit(metadata, data, np.full_like(data, 2e-5), dq, planes=planes)


def slits(*names, **options):
    """A product of several slits."""
    metadata = keywords()
    metadata.update({"EXP_TYPE": "NRS_FIXEDSLIT", "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1",
                     "FILTER": "F170LP", "GRATING": "G235H", "TARGPROP": "WASP-39"})  # fmt: skip
    return Slits(metadata, [slit(name, **options) for name in names])


def spectrum(kind="x1d", nwave=400, nints=60, name="S200A1", noise=0.01):
    """One spectrum, or a series with a transit."""
    series = kind == "x1dints"
    shape = (nints, nwave) if series else (nwave,)
    rng = np.random.default_rng(nwave)
    wavelength = np.linspace(1.5, 3.0, nwave)
    flux = np.broadcast_to(star(wavelength), shape)
    hours = np.linspace(0, 4, nints)
    if series:
        flux = flux * transit(hours)[:, None]
    columns = {}
    for column in COLUMNS[kind]:
        size = shape[:1] if series and column in PER_INTEGRATION else shape
        columns[column] = np.zeros(size, DTYPES.get(column, np.float64))
    error = noise * star(wavelength) * np.ones(shape)
    columns |= {
        "WAVELENGTH": wavelength * np.ones(shape), "FLUX": flux + rng.normal(0, 1, shape) * error,
        "ERROR" if kind == "c1d" else "FLUX_ERROR": error,
    }  # fmt: skip
    columns["FLUX"][..., 30:31] = np.nan
    columns["DQ"][..., 30:33] = 1
    columns["FLUX"][..., 100:101] *= 40
    if series:
        for key, offset in (("MJD-AVG", 0.0), ("TDB-MID", 0.003)):
            columns[key] = START + offset + hours / 24
        columns["INT_NUM"] = np.arange(1, nints + 1, dtype=np.int32)
    keys = {"SLTNAME": name, "SOURCEID": 1, "SRCTYPE": "POINT", "SPORDER": 1}
    keys |= {"EXTRXSTR": 1, "EXTRXSTP": 900, "EXTRYSTR": 14, "EXTRYSTP": 24}
    return Spectrum(Metadata(keys), columns, {"FLUX": "Jy", "WAVELENGTH": "um"})


def spectra(path, *parts):
    """Write a product of spectra and return its path; the kind is the name's suffix."""
    kind = path.stem.rsplit("_", 1)[1]
    write_spectra(Spectra(slits().metadata, list(parts) or [spectrum(kind)], {}, kind), path)
    return path


def white_light(path, count=2000, noise=5e-4, **columns):
    """Write a light curve with a transit and return its path."""
    hours = np.linspace(0, 4, count)
    flux = 3.2 * (transit(hours) + np.random.default_rng(4).normal(0, noise, count))
    table = QTable({"MJD_UTC": START + hours / 24, "BJD_TDB": START + 0.003 + hours / 24,
                    "whitelight_flux": flux} | columns)  # fmt: skip
    write_catalog(table, path)
    return path


def photometry(path, count=300):
    """Write the photometry of a star that drifts, and return its path."""
    hours = np.linspace(0, 4, count)
    rng = np.random.default_rng(5)
    flux = 150 * (transit(hours) + rng.normal(0, 1e-3, count))
    columns = {
        "MJD": START + hours / 24, "BJD_TDB": START + 0.003 + hours / 24, "net_aperture_sum": flux,
        "net_aperture_sum_err": np.full(count, 0.15), "centroid_x": 50.2 + 0.002 * hours,
        "centroid_y": 40.1 + rng.normal(0, 0.001, count), "psf_width_x": np.full(count, 1.4),
        "psf_width_y": 1.5 + rng.normal(0, 0.01, count),
    }  # fmt: skip
    write_catalog(QTable(columns), path)
    return path
