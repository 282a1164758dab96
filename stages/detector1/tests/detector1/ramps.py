"""Made ramps: Poisson and read noise, cosmic rays, saturation, unusable groups."""

from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Ramp

GAIN = 1.8
READ_NOISE = 12.0  # DN, of a difference of two frames
TGROUP = 10.7


@dataclass
class Made:
    """A made exposure and what went into it."""

    data: np.ndarray
    groupdq: np.ndarray
    pixeldq: np.ndarray
    gain: np.ndarray
    readnoise: np.ndarray
    rate: np.ndarray
    hits: np.ndarray


def make(
    seed=1,
    nints=1,
    ngroups=10,
    ny=24,
    nx=30,
    *,
    rates=(0.5, 300.0),
    hits=0.02,
    saturated=0.05,
    unusable=0.03,
    bad_pixels=0.02,
):
    """Make ramps; fluxes are spread evenly in the logarithm over `rates`, DN/s."""
    rng = np.random.default_rng(seed)
    shape = (nints, ngroups, ny, nx)
    rate = np.exp(rng.uniform(*np.log(rates), (ny, nx)))
    electrons = rng.poisson(rate * GAIN * TGROUP, shape).astype(float)
    struck = rng.random(shape) < hits
    electrons += np.where(struck, rng.exponential(600, shape), 0)
    gain = (GAIN * rng.normal(1, 0.05, (ny, nx))).astype(np.float32)
    readnoise = (READ_NOISE * rng.uniform(0.7, 1.4, (ny, nx))).astype(np.float32)
    data = np.cumsum(electrons, axis=1) / gain + rng.normal(0, 1, shape) * readnoise / np.sqrt(2)
    groupdq = np.zeros(shape, np.uint8)
    start = rng.integers(0, ngroups + 1, (nints, ny, nx))
    full = rng.random((nints, ny, nx)) < saturated
    late = np.arange(ngroups)[None, :, None, None] >= start[:, None]
    groupdq[full[:, None] & late] |= 2
    groupdq[rng.random(shape) < unusable] |= 1
    pixeldq = np.zeros((ny, nx), np.uint32)
    pixeldq[rng.random((ny, nx)) < bad_pixels] |= 1
    return Made(data.astype(np.float32), groupdq, pixeldq, gain, readnoise, rate, struck)


KEYWORDS = {
    "TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCALONG", "CHANNEL": "LONG",
    "MODULE": "A", "FILTER": "F444W", "PUPIL": "CLEAR", "EXP_TYPE": "NRC_IMAGE",
    "SUBARRAY": "SUB30", "READPATT": "RAPID", "DATE-OBS": "2023-05-01",
    "TIME-OBS": "12:00:00.000", "NFRAMES": 1, "GROUPGAP": 0, "FRMDIVSR": 1, "NOUTPUTS": 1,
    "TGROUP": TGROUP, "TFRAME": TGROUP, "FASTAXIS": -1, "SLOWAXIS": 2, "SUBSTRT1": 1,
    "SUBSTRT2": 1, "TSOVISIT": False, "PROGRAM": "09999", "OBSERVTN": "001", "VISIT": "001",
    "VISITGRP": "02", "SEQ_ID": "1", "ACT_ID": "01", "EXPOSURE": "1",
}  # fmt: skip


def keywords(shape, **changes):
    """Return the keywords of an exposure of this shape."""
    nints, ngroups, ny, nx = shape
    sizes = {"NINTS": nints, "NGROUPS": ngroups, "SUBSIZE1": nx, "SUBSIZE2": ny}
    return Metadata(KEYWORDS | sizes | changes, "jw09999001001_02101_00001_nrcalong_uncal.fits")


def ramp_of(made, **changes):
    """Return a made exposure as the container that steps take."""
    metadata = keywords(made.data.shape, **changes)
    return Ramp(metadata, made.data.copy(), made.pixeldq.copy(), made.groupdq.copy())
