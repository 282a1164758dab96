"""NIRSpec steps of the official package on arrays, in the process that `peer_steps` serves.

Each line on standard input, ``STEP IN.npz OUT.npz``, is answered with ``done`` on standard output.
"""

import sys

import numpy as np
from stdatamodels.jwst import datamodels


def ramp_model(arrays):
    model = datamodels.RampModel()
    model.data, model.groupdq = arrays["data"].copy(), arrays["groupdq"].copy()
    model.pixeldq = arrays["pixeldq"].copy()
    nints, ngroups = model.data.shape[:2]
    exposure = model.meta.exposure
    exposure.nints, exposure.ngroups = nints, ngroups
    exposure.nframes, exposure.groupgap = int(arrays.get("nframes", 1)), 0
    exposure.nrs_normal, exposure.nrs_reference = 16, 4
    exposure.readpatt, exposure.noutputs = "NRSIRS2RAPID", 5
    exposure.type = str(arrays.get("exptype", "NRS_DARK"))
    exposure.group_time = exposure.frame_time = 14.6
    model.meta.instrument.name = "NIRSPEC"
    model.meta.instrument.detector = str(arrays["detector"])
    subarray = model.meta.subarray
    subarray.name = str(arrays.get("subarray", "FULL"))
    subarray.xstart, subarray.ystart = (int(v) for v in arrays.get("start", (1, 1)))
    subarray.xsize, subarray.ysize = (int(v) for v in arrays.get("size", (2048, 2048)))
    subarray.fastaxis, subarray.slowaxis = (int(v) for v in arrays["axes"])
    return model


def options(arrays):
    names = [name for name in arrays if name.startswith("option_")]
    return {name.removeprefix("option_"): arrays[name].item() for name in names}


def irs2_refpix(arrays):
    from jwst.refpix import irs2_subtract_reference as irs2
    from jwst.refpix import reference_pixels

    model, wish = ramp_model(arrays), options(arrays)
    irs2.flag_bad_refpix(model, n_sigma=wish.get("limit", 3.0), flag_only=True)
    bad = (model.pixeldq & 131072 != 0).any(axis=1)
    if wish.get("irs2_mean_subtraction", False):
        kernel = {
            "refpix_algorithm": "median", "sirs_kernel_model": None, "sigreject": 4.0,
            "gaussmooth": 1.0, "halfwidth": 30,
        }  # fmt: skip
        odd_even = wish.get("odd_even_columns", True)
        reference_pixels.correct_model(model, odd_even, False, 11, 1.0, True, kernel, 3.0)
    irs2.flag_bad_refpix(model, replace_only=True)
    reference = datamodels.IRS2Model()
    names = [f"{kind}_{k}" for kind in ("alpha", "beta") for k in range(4)]
    table = np.zeros(len(arrays["alpha_0"]), [(name, "f4") for name in names])
    for name in names:
        table[name] = arrays[name]
    reference.irs2_table = table
    types = [("output", "u2"), ("odd_even", "u2"), ("mask", "u4")]
    reference.dq_table = np.array([tuple(row) for row in arrays["bad"].tolist()], types)
    preserve = wish.get("preserve_irs2_refpix", False)
    found = irs2.correct_model(model, reference, preserve_refpix=preserve)
    return {"data": found.data, "pixeldq": found.pixeldq, "groupdq": found.groupdq, "bad": bad}


def irs2_saturation(arrays):
    from jwst.saturation.saturation import irs2_flag_saturation

    model, wish = ramp_model(arrays), options(arrays)
    reference = datamodels.SaturationModel()
    reference.data, reference.dq = arrays["threshold"].copy(), arrays["threshold_dq"].copy()
    reference.meta.subarray = model.meta.subarray
    bias = datamodels.SuperBiasModel()
    bias.data = arrays["bias"].copy()
    found = irs2_flag_saturation(
        model, reference, wish.get("n_pix_grow_sat", 1), True, bias_model=bias
    )
    return {"groupdq": found.groupdq, "pixeldq": found.pixeldq}


def irs2_ipc(arrays):
    from jwst.ipc.ipc_corr import do_correction

    reference = datamodels.IPCModel()
    reference.data = arrays["kernel"].copy()
    return {"data": do_correction(ramp_model(arrays), reference).data}


def sirs(arrays):
    from jwst.refpix.reference_pixels import correct_model

    model, wish = ramp_model(arrays), options(arrays)
    model.meta.exposure.noutputs = 4
    kernels = datamodels.SIRSKernelModel()
    detector = str(arrays["detector"]).lower()
    kernels[detector] = {"gamma": arrays["gamma"], "zeta": arrays["zeta"]}
    chosen = {
        "refpix_algorithm": "sirs", "sirs_kernel_model": kernels,
        "sigreject": wish.get("sigreject", 4.0), "gaussmooth": wish.get("gaussmooth", 1.0),
        "halfwidth": wish.get("halfwidth", 30),
    }  # fmt: skip
    correct_model(model, True, True, 11, 1.0, True, chosen, 3.0)
    return {"data": model.data}


def refpix(arrays):
    from jwst.refpix.reference_pixels import correct_model

    model = ramp_model(arrays)
    model.meta.exposure.noutputs = int(arrays["noutputs"])
    kernel = {
        "refpix_algorithm": "median", "sirs_kernel_model": None, "sigreject": 4.0,
        "gaussmooth": 1.0, "halfwidth": 30,
    }  # fmt: skip
    correct_model(model, True, True, 11, 1.0, True, kernel, 3.0)
    return {"data": model.data}


def picture_frame(arrays):
    from jwst.picture_frame import picture_frame as steps

    model = ramp_model(arrays)
    rate = datamodels.ImageModel()
    rate.data, rate.dq = arrays["rate"].copy(), arrays["pixeldq"].copy()
    rate.meta = model.meta
    rate.meta.exposure.type = str(arrays["exptype"])
    # Its own draft would ask for reference files.
    steps.cfn.make_rate = lambda _: rate
    reference = datamodels.PictureFrameModel()
    reference.data = arrays["pattern"]
    found, mask, _, status = steps.correct_picture_frame(
        model, reference, mask_science_regions=False, save_mask=True
    )
    return {"data": found.data, "mask": mask.data, "status": np.array(status)}


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        step, source, target = line.split()
        with np.load(source) as file:
            given = dict(file)
        np.savez(target, **globals()[step](given))
        print("done", file=answers, flush=True)
