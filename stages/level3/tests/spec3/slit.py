"""Exposures of a star in a slit at nods, with a known spectrum, sky and straight WCS."""

import json

import numpy as np

from calwebb_core.framework.association import write_association
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits
from calwebb_core.framework.product_writing import write_image
from calwebb_core.framework.slit_products import write_slits
from calwebb_core.framework.spectra import EXTRACTED, Spectra, Spectrum
from calwebb_core.framework.spectra_products import write_spectra
from calwebb_core.science.spectral.rectified_grid import RectifiedGrid

STEP = 0.11 / 3600
WIDTH = 1.1
NY, NX = 30, 80
WAVES = np.linspace(5.0, 12.0, NX)
RA, DEC = 80.0, -69.5
PIXAR_SR = 2.8e-13


def world(shift=0.0, nx=NX):
    """Return a WCS whose source lies `shift` pixels above the middle."""
    origin = (NY - 1) / 2 + shift
    return RectifiedGrid((RA, DEC), (0.6, 0.8), STEP, origin, NY, WAVES[:nx], 1).world()


def spectrum(wave=WAVES):
    """Return the star's light in all pixels of a column."""
    return 5000.0 * (6.0 / wave) * (1 - 0.5 * np.exp(-0.5 * ((wave - 8.0) / 0.15) ** 2))


def sky(wave=WAVES):
    """Return the brightness of the sky."""
    return 20.0 + 5.0 * (wave - 5.0)


def keywords(number=1, **more):
    name = f"jw01702001001_02101_{number:05d}_mirimage_cal.fits"
    values = {
        "TELESCOP": "JWST", "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FILTER": "P750L",
        "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "SUBARRAY": "FULL", "PROGRAM": "01702",
        "OBSERVTN": "001", "VISIT": "001", "VISITGRP": "02", "SEQ_ID": "1", "ACT_ID": "01",
        "EXPOSURE": str(number), "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": NX, "SUBSIZE2": NY,
        "BUNIT": "MJy/sr", "PIXAR_SR": PIXAR_SR, "DISPAXIS": 1, "SRCTYPE": "POINT",
        "TARG_RA": RA, "TARG_DEC": DEC, "DITH_RA": RA, "DITH_DEC": DEC, "EFFEXPTM": 100.0,
        "XPOSURE": 100.0, "DATE-OBS": "2022-06-03", "TIME-OBS": "16:01:32.472",
        "TARGTYPE": "FIXED", "S_PHOTOM": "COMPLETE", "FILENAME": name,
    } | more  # fmt: skip
    return Metadata(values, name)


def arrays(shift, *, seed, background=True):
    """Return SCI, ERR, DQ of a star `shift` pixels above the middle."""
    rng = np.random.default_rng(seed)
    rows = np.arange(NY)[:, None] - (NY - 1) / 2 - shift
    profile = np.exp(-0.5 * (rows / WIDTH) ** 2) / (WIDTH * np.sqrt(2 * np.pi))
    clean = profile * spectrum() + (sky() if background else 0.0)
    err = np.sqrt(np.maximum(clean, 0.0) + 20.0)
    data = clean + rng.normal(size=clean.shape) * err
    return data.astype("f4"), err.astype("f4"), np.zeros(clean.shape, np.uint32)


def exposure(number=1, shift=0.0, *, background=True, **more):
    """Return an exposure that is one spectrum."""
    data, err, dq = arrays(shift, seed=number, background=background)
    return Image(
        keywords(number, **more),
        data,
        err,
        dq,
        var_poisson=err**2 - 10,
        var_rnoise=np.full_like(err, 10.0),
        wcs=world(shift),
    )


def slits(number=1, shift=0.0, names=("S200A1", "S400A1"), **more):
    """Return an exposure of several slits, each with a star."""
    header = keywords(
        number,
        INSTRUME="NIRSPEC",
        DETECTOR="NRS1",
        FILTER="F290LP",
        GRATING="G395H",
        EXP_TYPE="NRS_FIXEDSLIT",
        FILENAME=f"jw01703001001_02101_{number:05d}_nrs1_cal.fits",
        **more,
    )
    header.source = header["FILENAME"]
    parts = []
    for place, name in enumerate(names, 1):
        data, err, dq = arrays(shift, seed=10 * number + place, background=False)
        own = Metadata({"SLTNAME": name, "SOURCEID": place, "SRCTYPE": "POINT", "DISPAXIS": 1})
        own.update({"BUNIT": "MJy/sr", "PIXAR_SR": PIXAR_SR})
        wave = np.broadcast_to(WAVES.astype("f4"), data.shape).copy()
        plain = {"var_poisson": err**2 - 10, "var_rnoise": np.full_like(err, 10.0)}
        parts.append(
            Slit(own, data, err, dq, wcs=world(shift), planes={"WAVELENGTH": wave}, **plain)
        )
    return Slits(header, parts)


def write(folder, exposures):
    """Write exposures; return their paths."""
    paths = []
    for one in exposures:
        path = folder / one.metadata["FILENAME"]
        (write_slits if isinstance(one, Slits) else write_image)(one, path)
        paths.append(path)
    return paths


def write_sky(folder, name="sky_x1d.fits", wave=WAVES, scale=1.0):
    """Write the extracted spectrum of the sky; return its path."""
    columns = {column: np.zeros(len(wave)) for column in EXTRACTED}
    columns |= {"WAVELENGTH": wave, "SURF_BRIGHT": scale * sky(wave), "NPIXELS": np.ones(len(wave))}
    table = Spectrum(Metadata({"SRCTYPE": "EXTENDED"}), columns, {"SURF_BRIGHT": "MJy/sr"})
    write_spectra(Spectra(keywords(9, FILENAME=name), [table]), folder / name)
    return folder / name


def write_members(folder, science, background=(), product="jw01702-o001_t001_miri_p750l"):
    """Write an association; return its path."""
    members = [{"expname": path.name, "exptype": "science"} for path in science]
    members += [{"expname": path.name, "exptype": "background"} for path in background]
    content = {
        "asn_type": "spec3", "asn_rule": "Asn_Lv3SpectralTarget", "asn_id": "o001",
        "program": "01702", "asn_pool": "jw01702_pool.csv", "target": "t001",
        "products": [{"name": product, "members": members}],
    }  # fmt: skip
    write_association(content, folder / "jw01702-o001_spec3_00001_asn.json")
    return folder / "jw01702-o001_spec3_00001_asn.json"


def write_reference(folder, width=14):
    """Write an EXTRACT1D file with apertures around the source; return its path."""
    entry = {"region_type": "target", "dispaxis": 1, "extract_width": width,
             "use_source_posn": True}  # fmt: skip
    content = {
        "reftype": "EXTRACT1D", "instrument": "MIRI", "exp_type": "MIR_LRS-FIXEDSLIT",
        "telescope": "JWST", "pedigree": "DUMMY", "author": "tests", "description": "a box",
        "useafter": "2014-01-01T00:00:00", "meta": {},
        "apertures": [{"id": "ANY", **entry}],
    }  # fmt: skip
    path = folder / "extract1d.json"
    path.write_text(json.dumps(content))
    return path
