"""Small fields of stars with known positions, fluxes, pointing errors and sky levels."""

import numpy as np
from astropy.modeling.models import Mapping, Polynomial2D
from photutils.psf import CircularGaussianPRF

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_core.science.wcs import imaging_wcs

SCALE = 0.0311  # arcsec per pixel
V2, V3 = 120.0, -527.0
PIXAR_SR = (SCALE / 206264.806) ** 2


def distortion(nx, ny, scale=SCALE, bend=1e-6):
    """Return detector pixels -> V2, V3 with a little quadratic distortion, and its inverse."""
    cx, cy = (nx - 1) / 2, (ny - 1) / 2
    x = Polynomial2D(2, c0_0=V2 + scale * cx, c1_0=-scale, c2_0=0.0)
    y = Polynomial2D(2, c0_0=V3 - scale * cy, c0_1=scale)
    x.c0_2 = bend * scale
    y.c2_0 = -bend * scale
    model = Mapping((0, 1, 0, 1)) | x & y
    # Two fixed-point steps invert such a small bend to 1e-9 pixel.
    u, v = np.meshgrid(np.linspace(-9, nx + 8, 24), np.linspace(-9, ny + 8, 24))
    a, b = model(u, v)
    from astropy.modeling.fitting import LinearLSQFitter

    fit = LinearLSQFitter()
    p, q = (a - V2) / scale, (b - V3) / scale
    ix = fit(Polynomial2D(4), p, q, u)
    iy = fit(Polynomial2D(4), p, q, v)
    from astropy.modeling.models import Scale, Shift

    to_pixels = Shift(-V2) & Shift(-V3) | Scale(1 / scale) & Scale(1 / scale)
    model.inverse = to_pixels | Mapping((0, 1, 0, 1)) | ix & iy
    return model


def metadata(
    nx=200, ny=200, *, ra=80.0, dec=-69.5, roll=30.0, exposure=1, detector="NRCA1", **more
):
    values = {
        "TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": detector, "CHANNEL": "SHORT",
        "MODULE": "A", "FILTER": "F200W", "PUPIL": "CLEAR", "EXP_TYPE": "NRC_IMAGE",
        "PROGRAM": "01345", "OBSERVTN": "001", "VISIT": "001", "VISITGRP": "02", "SEQ_ID": "1",
        "ACT_ID": "01", "EXPOSURE": str(exposure), "SUBARRAY": "FULL",
        "FILENAME": f"jw01345001001_02101_{exposure:05d}_{detector.lower()}_cal.fits",
        "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": nx, "SUBSIZE2": ny,
        "V2_REF": V2, "V3_REF": V3, "RA_REF": ra, "DEC_REF": dec, "ROLL_REF": roll,
        "V3I_YANG": 0.0, "VPARITY": -1, "BUNIT": "MJy/sr", "PIXAR_SR": PIXAR_SR,
        "PIXAR_A2": SCALE**2, "XPOSURE": 100.0, "EFFEXPTM": 100.0, "TMEASURE": 100.0,
        "EXPSTART": 59700.0 + exposure * 0.01, "EXPEND": 59700.005 + exposure * 0.01,
        "EXPMID": 59700.0025 + exposure * 0.01,
        "DATE-OBS": "2022-06-03", "TIME-OBS": f"16:{exposure:02d}:32.472",
        "DATE-BEG": f"2022-06-03T16:{exposure:02d}:32.472",
        "DATE-END": f"2022-06-03T16:{exposure + 1:02d}:32.472",
        "PHOTMJSR": 2.0, "S_PHOTOM": "COMPLETE",
    }  # fmt: skip
    values.update(more)
    return Metadata(values, source=values["FILENAME"])


def offset(ra, dec, east_arcsec, north_arcsec):
    """Return a pointing moved by a small offset."""
    return ra + east_arcsec / 3600 / np.cos(np.deg2rad(dec)), dec + north_arcsec / 3600


def star_field(n=60, *, ra=80.0, dec=-69.5, radius=4.0, seed=1, faint=20.0, bright=2000.0):
    """Return ra, dec, flux (summed pixel values) of stars in a square of +-radius arcsec."""
    rng = np.random.default_rng(seed)
    east, north = rng.uniform(-radius, radius, (2, n))
    flux = faint * (bright / faint) ** rng.uniform(0, 1, n)
    return *offset(ra, dec, east, north), flux


def add_stars(data, x, y, flux, fwhm):
    psf = CircularGaussianPRF(fwhm=fwhm)
    half = int(6 * fwhm) + 2
    ny, nx = data.shape
    for px, py, pf in zip(x, y, flux, strict=True):
        if not (-half < px < nx + half and -half < py < ny + half):
            continue
        y0, y1 = max(0, int(py) - half), min(ny, int(py) + half + 1)
        x0, x1 = max(0, int(px) - half), min(nx, int(px) + half + 1)
        if y1 > y0 and x1 > x0:
            yy, xx = np.mgrid[y0:y1, x0:x1]
            data[y0:y1, x0:x1] += psf.evaluate(xx, yy, pf, px, py, fwhm)


def exposure(
    stars,
    *,
    nx=200,
    ny=200,
    fwhm=2.1,
    noise=0.5,
    sky=1.0,
    gain=2.0,
    seed=0,
    pointing_error=(0, 0),
    bad=0,
    **keywords,
):
    """Return an Image whose WCS is off by `pointing_error` (arcsec east, north) of the truth."""
    rng = np.random.default_rng(seed)
    truth = metadata(nx, ny, **keywords)
    model = distortion(nx, ny)
    true_wcs = imaging_wcs(truth, model)
    data = np.zeros((ny, nx))
    x, y = true_wcs.invert(stars[0], stars[1], with_bounding_box=False)
    add_stars(data, np.atleast_1d(x), np.atleast_1d(y), stars[2], fwhm)
    poisson = np.clip(data + sky, 0, None) / gain / 100.0
    sigma = np.sqrt(noise**2 + poisson)
    data = data + sky + rng.normal(0, 1, data.shape) * sigma
    dq = np.zeros((ny, nx), np.uint32)
    if bad:
        dq[rng.integers(0, ny, bad), rng.integers(0, nx, bad)] = DO_NOT_USE
        data[dq > 0] = np.nan
    told = truth.copy()
    told["RA_REF"], told["DEC_REF"] = offset(truth["RA_REF"], truth["DEC_REF"], *pointing_error)
    return Image(
        metadata=told,
        data=data.astype(np.float32),
        err=sigma.astype(np.float32),
        dq=dq,
        var_poisson=poisson.astype(np.float32),
        var_rnoise=np.full((ny, nx), noise**2, np.float32),
        var_flat=np.full((ny, nx), 1e-8, np.float32),
        wcs=imaging_wcs(told, model),
    )


DITHERS = ((0.0, 0.0), (0.155, 0.482), (-0.531, 0.207), (0.322, -0.411))


def dithered(stars, n=4, *, errors=None, skies=None, seed=10, ra=80.0, dec=-69.5, **keywords):
    """Return dithered exposures with the given pointing errors and sky levels."""
    result = []
    for i in range(n):
        r, d = offset(ra, dec, *DITHERS[i])
        result.append(
            exposure(
                stars,
                ra=r,
                dec=d,
                exposure=i + 1,
                seed=seed + i,
                pointing_error=errors[i] if errors else (0, 0),
                sky=skies[i] if skies else 1.0,
                **keywords,
            )
        )
    return result
