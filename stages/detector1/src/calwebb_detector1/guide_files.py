"""Guide-star data as files: groups of reads, and count rates."""

from pathlib import Path

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_layout import find, require, scan
from calwebb_core.framework.fits_read import read_array
from calwebb_core.framework.models import Ramp
from calwebb_core.framework.product_reading import open_product, optional, read_asdf
from calwebb_core.framework.product_writing import with_type, write_product
from calwebb_core.framework.products import read_ramp
from calwebb_core.framework.raw_ramp import carried
from calwebb_detector1.guide_rates import GuideRates

ARRAYS = ("SCI", "ERR", "DQ")


def read_guide_ramp(path: Path) -> Ramp:
    """Read raw guide-star data, or what dq_init made of them.

    Raises
    ------
    InputError
        As `calwebb_core.framework.products.read_ramp`, or if DQ has another shape.
    """
    ramp = read_ramp(path)
    for name in ARRAYS:
        ramp.tables.pop(name, None)
    flags = find(scan(path), "DQ")
    if flags is not None and flags.shape:
        ramp.pixeldq = optional(path, [flags], "DQ", ramp.pixeldq.shape, np.uint32)
    return ramp


def write_guide_ramp(ramp: Ramp, path: Path) -> None:
    """Write groups with the flags of their pixels.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    arrays = with_type({"SCI": ramp.data}, np.float32) | with_type({"DQ": ramp.pixeldq}, np.uint32)
    write_product(path, ramp.metadata, "GuiderRawModel", arrays, ramp.tables, unit="DN")


def read_guide_rates(path: Path) -> GuideRates:
    """Read count rates of guide-star data.

    Raises
    ------
    InputError
        If it is no FITS file, truncated, SCI has not 3 dimensions, or ERR or DQ do not fit to it.
    """
    hdus, metadata = open_product(path)
    science = require(path, hdus, "SCI")
    if len(science.shape) != 3 or 0 in science.shape:
        msg = (
            f"{path}: SCI has shape {science.shape}; expected 3 dimensions (images, rows, columns)"
        )
        raise InputError(msg)
    require(path, hdus, "ERR")
    err = optional(path, hdus, "ERR", science.shape, np.float32)
    metadata.provenance = read_asdf(path, hdus)[1]
    return GuideRates(
        metadata=metadata,
        data=read_array(path, science, np.float32),
        err=err,
        dq=optional(path, hdus, "DQ", science.shape[1:], np.uint32, fill=True),
        var_poisson=np.zeros(science.shape, np.float32),
        var_rnoise=err**2,
        tables=carried(path, hdus, ARRAYS),
    )


def write_guide_rates(rates: GuideRates, path: Path) -> None:
    """Write count rates of guide-star data.

    Raises
    ------
    InputError, ProcessingError
        If the folder cannot be written or the disk is full.
    """
    arrays = with_type({"SCI": rates.data, "ERR": rates.err}, np.float32)
    arrays |= with_type({"DQ": rates.dq}, np.uint32)
    write_product(path, rates.metadata, "GuiderCalModel", arrays, rates.tables, unit="DN/s")
