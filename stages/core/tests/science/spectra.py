"""Spectra with known light for tests of extraction and rectification."""

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Slit, Table
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.frames import Box, Frame
from calwebb_core.science.transforms.base import Transform
from calwebb_core.science.world import World

SIGMA = 1.3  # pixels
ARCSEC = 0.1 / 3600.0
RA, DEC, ANGLE = 30.0, -20.0, 0.3
CENTRE = 10.0


class Dispersed(Transform):
    """A slit whose trace is tilted and whose wavelengths are, too."""

    n_inputs, n_outputs = 2, 3

    def __init__(self, axis, curve):
        self.axis, self.curve = axis, curve

    def evaluate(self, *arrays):
        along, across = arrays if self.axis == 1 else arrays[::-1]
        wave = 1.0 + 0.01 * along + 0.0005 * across
        place = (across - CENTRE - self.curve * along) * ARCSEC
        ra = RA + place * np.cos(ANGLE) / np.cos(np.radians(DEC))
        return ra, DEC + place * np.sin(ANGLE), wave

    def derived_inverse(self):
        return Undispersed(self.axis, self.curve)

    def fields(self):
        return {}


class Undispersed(Dispersed):
    """The way back."""

    n_inputs, n_outputs = 3, 2

    def evaluate(self, *arrays):
        ra, dec, wave = arrays
        east = (ra - RA) * np.cos(np.radians(DEC)) * np.cos(ANGLE)
        place = (east + (dec - DEC) * np.sin(ANGLE)) / ARCSEC
        along = (wave - 1.0 - 0.0005 * (place + CENTRE)) / (0.01 + 0.0005 * self.curve)
        across = place + CENTRE + self.curve * along
        return (along, across) if self.axis == 1 else (across, along)

    def derived_inverse(self):
        return Dispersed(self.axis, self.curve)


def world(shape, axis, curve=0.02):
    frames = (
        Frame.plane("detector", ("x", "y"), "pixel"),
        Frame.composite("world", Frame.sky("sky"), Frame.spectral()),
    )
    ny, nx = shape
    box = Box(((-0.5, nx - 0.5), (-0.5, ny - 0.5)))
    return World(frames, (Dispersed(axis, curve),), box, (nx, ny))


def light(wavelength):
    return 1.0 + 0.5 * np.sin(5.0 * wavelength)


def star(axis=1, nalong=80, nacross=24, offset=0.7, curve=0.02, nints=None, noise=0.0, **keywords):
    """A star that is `offset` pixels from the middle of its slit; light in MJy."""
    shape = (nacross, nalong) if axis == 1 else (nalong, nacross)
    wcs = world(shape, axis, curve)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    along, across = (x, y) if axis == 1 else (y, x)
    wave = wcs(x, y)[2]
    place = across - CENTRE - curve * along - offset
    image = light(wave) * np.exp(-0.5 * (place / SIGMA) ** 2) / np.sqrt(2.0 * np.pi) / SIGMA
    if nints:
        image = np.repeat(image[None], nints, axis=0)
    variance = np.full(image.shape, max(noise, 1e-4) ** 2 / 2, "f4")
    image = image + np.random.default_rng(3).normal(0.0, 1.0, image.shape) * noise
    values = {
        "BUNIT": "MJy", "DISPAXIS": axis, "EXP_TYPE": "NRS_FIXEDSLIT", "SLTNAME": "S200A1",
        "SRCTYPE": "POINT", "PIXAR_SR": 2e-12, "EFFEXPTM": 100.0, "EFFINTTM": 10.0,
        "TARG_RA": RA + offset * ARCSEC * np.cos(ANGLE) / np.cos(np.radians(DEC)),
        "TARG_DEC": DEC + offset * ARCSEC * np.sin(ANGLE),
    }  # fmt: skip
    return Slit(
        Metadata(values | keywords, "jw09999001001_02101_00001_nrs1_cal.fits"),
        image.astype("f4"),
        np.sqrt(2.0 * variance),
        np.zeros(image.shape, "u4"),
        variance,
        variance.copy(),
        None,
        wcs=wcs,
        planes={"WAVELENGTH": wave.astype("f4")},
    )


def apertures(**values):
    """An EXTRACT1D reference with one aperture for everything."""
    tree = {"apertures": [{"id": "ANY", "region_type": "target"} | values]}
    return Reference("extract1d", "apertures.json", tree=tree)


def times(first, count):
    names = ("start_MJD_UTC", "mid_MJD_UTC", "end_MJD_UTC")
    names += ("start_BJD_TDB", "mid_BJD_TDB", "end_BJD_TDB")
    fields = [("integration_number", "i4"), *((f"int_{name}", "f8") for name in names)]
    rows = np.zeros(count, fields)
    rows["integration_number"] = np.arange(first, first + count)
    for place, name in enumerate(names):
        rows[f"int_{name}"] = 59000.0 + np.arange(count) + 0.1 * place
    return Table(rows)
