"""Run in the peer's own environment: calibrate one rate file, put what matters in an npz."""

import json
import logging
import sys
import warnings

import numpy as np
from jwst.assign_wcs import AssignWcsStep
from jwst.flatfield import FlatFieldStep
from jwst.photom import PhotomStep
from jwst.resample import ResampleStep
from stdatamodels.jwst import datamodels

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)


def call(step, model, files):
    kinds = step.reference_file_types
    return step.call(model, **{f"override_{kind}": files.get(kind, "N/A") for kind in kinds})


def main(rate, files, target):
    model = datamodels.open(rate)
    model = call(AssignWcsStep, model, files)
    y, x = np.mgrid[0 : model.data.shape[0] : 7, 0 : model.data.shape[1] : 7].astype(float)
    ra, dec = model.meta.wcs(x, y)
    model = call(FlatFieldStep, model, files)
    model = call(PhotomStep, model, files)
    i2d = call(ResampleStep, model, files)
    wcsinfo = dict(i2d.meta.wcsinfo.instance)
    keywords = {
        "s_region": model.meta.wcsinfo.s_region,
        "photmjsr": model.meta.photometry.conversion_megajanskys,
        "photuja2": model.meta.photometry.conversion_microjanskys,
        "pixar_sr": model.meta.photometry.pixelarea_steradians,
        "i2d": wcsinfo,
        "i2d_pixar_sr": i2d.meta.photometry.pixelarea_steradians,
        "pxsclrt": i2d.meta.resample.pixel_scale_ratio,
        "ndriz": i2d.meta.resample.pointings,
    }
    np.savez(
        target, ra=ra, dec=dec, data=model.data, err=model.err, dq=model.dq,
        var_flat=model.var_flat, var_poisson=model.var_poisson, area=model.area,
        i2d=i2d.data, i2d_err=i2d.err, wht=i2d.wht, con=i2d.con,
        i2d_var_poisson=i2d.var_poisson, keywords=json.dumps(keywords, default=str),
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3])
