"""Run steps of the official package on arrays, in a process and an environment of their own.

Each line on standard input, ``STEP IN.npz OUT.npz``, is answered with ``done`` on standard output.
"""

import sys

import numpy as np
from stdatamodels.jwst import datamodels
from stdatamodels.jwst.datamodels import dqflags


def ramp_model(arrays):
    model = datamodels.RampModel()
    model.data = arrays["data"].copy()
    model.groupdq = arrays["groupdq"].copy()
    model.pixeldq = arrays["pixeldq"].copy()
    if "zeroframe" in arrays:
        model.zeroframe = arrays["zeroframe"].copy()
        model.meta.exposure.zero_frame = True
    if "dark_current" in arrays:
        model.average_dark_current = arrays["dark_current"].copy()
    nints, ngroups, ny, nx = model.data.shape
    exposure = model.meta.exposure
    exposure.nints, exposure.ngroups = nints, ngroups
    exposure.nframes, exposure.groupgap = int(arrays["nframes"]), int(arrays["groupgap"])
    exposure.group_time, exposure.frame_time = float(arrays["tgroup"]), float(arrays["tframe"])
    exposure.noutputs = int(arrays.get("noutputs", 1))
    model.meta.instrument.name = str(arrays.get("instrument", "NIRCAM"))
    model.meta.instrument.detector = str(arrays.get("detector", "NRCALONG"))
    subarray = model.meta.subarray
    subarray.name = "FULL" if nx == 2048 == ny else "SUB"
    subarray.xstart, subarray.ystart = (int(v) for v in arrays.get("start", (1, 1)))
    subarray.xsize, subarray.ysize = nx, ny
    subarray.fastaxis, subarray.slowaxis = (int(v) for v in arrays.get("axes", (1, 2)))
    return model


def options(arrays):
    names = [name for name in arrays if name.startswith("option_")]
    return {name.removeprefix("option_"): arrays[name].item() for name in names}


def jump(arrays):
    from stcal.jump.jump import detect_jumps_data
    from stcal.jump.jump_class import JumpData

    model, wish = ramp_model(arrays), options(arrays)
    data = JumpData(model, arrays["gain"].copy(), arrays["readnoise"].copy(), dqflags.pixel)
    data.set_detection_settings(
        wish.get("rejection_threshold", 4.0),
        wish.get("three_group_rejection_threshold", 6.0),
        wish.get("four_group_rejection_threshold", 5.0),
        1000.0, 10.0, wish.get("flag_4_neighbors", True),
    )  # fmt: skip
    time = float(arrays["tgroup"])
    data.set_after_jump(
        wish.get("after_jump_flag_dn1", 0.0), int(wish.get("after_jump_flag_time1", 0.0) // time),
        wish.get("after_jump_flag_dn2", 0.0), int(wish.get("after_jump_flag_time2", 0.0) // time),
    )  # fmt: skip
    data.set_snowball_info(False, 5, 1, 2, True, 2.5, 4, 25)
    data.set_shower_info(False, 1.2, 90, 1, 2.6, 1.1, wish.get("min_diffs_single_pass", 10), 400)
    data.set_sigma_clipping_info(
        3, wish.get("minimum_sigclip_groups", 100), wish.get("only_use_ints", True)
    )
    data.max_cores = "1"
    groupdq, pixeldq, count, _ = detect_jumps_data(data)
    return {"groupdq": groupdq, "pixeldq": pixeldq, "count": count}


def ramp_fit(arrays):
    from stcal.ramp_fitting.ramp_fit import ramp_fit as fit

    model, wish = ramp_model(arrays), options(arrays)
    model.meta.instrument.name = "NIRCAM"
    rate, rateints, _ = fit(
        model, False, arrays["readnoise"].copy(), arrays["gain"].copy(), "OLS_C", "optimal", "1",
        dqflags.pixel, suppress_one_group=wish.get("suppress_one_group", True),
    )  # fmt: skip
    names = ("slope", "err", "dq", "var_poisson", "var_rnoise")
    found = {f"rate_{name}": rate[name] for name in names}
    return found | {f"rateints_{name}": rateints[name] for name in names}


def saturation(arrays):
    from stcal.saturation.saturation import flag_saturated_pixels

    nframes, ngroups = int(arrays["nframes"]), arrays["data"].shape[1]
    pattern = [[x + 1 + g * nframes for x in range(nframes)] for g in range(ngroups)]
    groupdq, pixeldq, zeroframe = flag_saturated_pixels(
        arrays["data"].copy(), arrays["groupdq"].copy(), arrays["pixeldq"].copy(),
        arrays["threshold"].copy(), arrays["threshold_dq"].copy(), 65535, dqflags.pixel,
        n_pix_grow_sat=options(arrays).get("n_pix_grow_sat", 1),
        zframe=arrays["zeroframe"].copy() if "zeroframe" in arrays else None,
        read_pattern=pattern, bias=arrays["bias"].copy(),
    )  # fmt: skip
    found = {"groupdq": groupdq, "pixeldq": pixeldq}
    return found if zeroframe is None else found | {"zeroframe": zeroframe}


def refpix(arrays):
    from jwst.refpix.reference_pixels import correct_model

    model = ramp_model(arrays)
    kernel = {
        "refpix_algorithm": "median", "sirs_kernel_model": None, "sigreject": 4.0,
        "gaussmooth": 1.0, "halfwidth": 30,
    }  # fmt: skip
    wish = options(arrays)
    correct_model(
        model, wish.get("odd_even_columns", True), wish.get("use_side_ref_pixels", True),
        wish.get("side_smoothing_length", 11), wish.get("side_gain", 1.0), True, kernel, 3.0,
    )  # fmt: skip
    found = {"data": model.data}
    return found | ({"zeroframe": model.zeroframe} if "zeroframe" in arrays else {})


def linearity(arrays):
    from stcal.linearity.linearity import linearity_correction

    nframes, ngroups = int(arrays["nframes"]), arrays["data"].shape[1]
    pattern = [[x + 1 + g * nframes for x in range(nframes)] for g in range(ngroups)]
    inverse = arrays["inverse"].copy() if "inverse" in arrays else None
    data, pixeldq, zeroframe = linearity_correction(
        arrays["data"].copy(), arrays["groupdq"].copy(), arrays["pixeldq"].copy(),
        arrays["coefficients"].copy(), arrays["coefficients_dq"].copy(), dqflags.pixel,
        zframe=arrays["zeroframe"].copy() if "zeroframe" in arrays else None,
        ilin_coeffs=inverse, read_pattern=None if inverse is None else pattern,
    )  # fmt: skip
    found = {"data": data, "pixeldq": pixeldq}
    return found if zeroframe is None else found | {"zeroframe": zeroframe}


def dark_current(arrays):
    from stcal.dark_current.dark_sub import do_correction

    model = ramp_model(arrays)
    four = arrays["dark"].ndim == 4
    dark = (datamodels.DarkMIRIModel if four else datamodels.DarkModel)()
    dark.data = arrays["dark"].copy()
    dark.dq = np.zeros((len(dark.data), 1, *dark.data.shape[2:]) if four else dark.data.shape[1:])
    dark.meta.exposure.nframes = int(arrays["dark_nframes"])
    dark.meta.exposure.groupgap = int(arrays["dark_groupgap"])
    dark.meta.exposure.ngroups = dark.data.shape[-3]
    found, _ = do_correction(model, dark)
    return {"data": found.data, "status": np.array(found.cal_step)}


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        step, source, target = line.split()
        with np.load(source) as file:
            given = dict(file)
        np.savez(target, **globals()[step](given))
        print("done", file=answers, flush=True)
