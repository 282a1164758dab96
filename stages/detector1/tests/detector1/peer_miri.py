"""Run MIRI's steps of the official package on arrays; started as peer_steps.py is.

Each line on standard input, ``STEP IN.npz OUT.npz``, is answered with ``done`` on standard output.
"""

import sys

import numpy as np
from peer_steps import options, ramp_model
from stdatamodels.jwst import datamodels


def miri_model(arrays):
    model = ramp_model(arrays)
    model.meta.instrument.name, model.meta.instrument.detector = "MIRI", "MIRIMAGE"
    model.meta.subarray.name = str(arrays.get("subarray", "SUB64"))
    model.meta.exposure.readpatt = str(arrays.get("readpatt", "FASTR1"))
    model.meta.exposure.nsamples = int(arrays.get("nsamples", 1))
    if "intstart" in arrays:
        model.meta.exposure.integration_start = int(arrays["intstart"])
        model.meta.exposure.integration_end = int(arrays["intstart"]) + len(model.data) - 1
        model.meta.exposure.nints = int(arrays["nints"])
    return model


def firstframe(arrays):
    from jwst.firstframe.firstframe_sub import do_correction

    model = do_correction(miri_model(arrays), **options(arrays))
    return {"groupdq": model.groupdq, "pixeldq": model.pixeldq}


def lastframe(arrays):
    from jwst.lastframe.lastframe_sub import do_correction

    return {"groupdq": do_correction(miri_model(arrays)).groupdq}


def reset(arrays):
    from jwst.reset.reset_sub import do_correction

    reference = datamodels.ResetModel(data=arrays["planes"].copy())
    reference.dq = arrays["dq"].copy()
    reference.meta.exposure.nints, reference.meta.exposure.ngroups = arrays["planes"].shape[:2]
    model = do_correction(miri_model(arrays), reference)
    return {"data": model.data, "pixeldq": model.pixeldq}


def rscd(arrays):
    from jwst.rscd.rscd_sub import correction_skip_groups

    model = correction_skip_groups(
        miri_model(arrays), int(arrays["skip"][0]), int(arrays["skip"][1])
    )
    found, names = (
        model.meta.rscd,
        ("ngroups_skip", "keep_bright_firstgroup", "keep_groups_saturation"),
    )
    numbers = [
        [getattr(found, f"{name}_{part}") or 0 for name in names] for part in ("int1", "int2p")
    ]
    return {"groupdq": model.groupdq, "pixeldq": model.pixeldq, "numbers": np.array(numbers)}


def emicorr(arrays):
    from jwst.emicorr.emicorr import apply_emicorr

    model, wish = miri_model(arrays), options(arrays)
    reference = datamodels.EmiModel()
    names = ["WaveOne", "WaveTwo"][: len(arrays["frequencies"])]
    reference.frequencies = {
        name: {"frequency": float(value), "phase_amplitudes": arrays["wave"].copy()}
        for name, value in zip(names, arrays["frequencies"], strict=True)
    }
    case = {"rowclocks": int(arrays["clocks"][0]), "frameclocks": int(arrays["clocks"][1])}
    reference.subarray_cases = {
        str(arrays.get("case", "SUB64")): case
        | {"freqs": {"FAST": names, "SLOW": {"MIRIMAGE": names}}}
    }
    if wish.pop("onthefly", False):
        wish["onthefly_corr_freq"] = [float(value) for value in arrays["frequencies"]]
    return {"data": apply_emicorr(model, reference, **wish).data}


def dark_current(arrays):
    from stcal.dark_current.dark_sub import do_correction

    model, dark = miri_model(arrays), datamodels.DarkMIRIModel(data=arrays["dark"].copy())
    dark.dq = np.zeros((len(dark.data), 1, *dark.data.shape[2:]), np.uint32)
    dark.meta.exposure.nframes = int(arrays["dark_nframes"])
    dark.meta.exposure.groupgap = int(arrays["dark_groupgap"])
    dark.meta.exposure.ngroups = dark.data.shape[-3]
    found, _ = do_correction(model, dark)
    return {"data": found.data, "status": np.array(found.cal_step)}


def refpix(arrays):
    from jwst.refpix.reference_pixels import correct_model

    model, wish = miri_model(arrays), options(arrays)
    model.meta.subarray.name = "FULL"
    kernel = {
        "refpix_algorithm": "median", "sirs_kernel_model": None, "sigreject": 4.0,
        "gaussmooth": 1.0, "halfwidth": 30,
    }  # fmt: skip
    correct_model(model, True, True, 11, 1.0, wish.get("odd_even_rows", True), kernel, 3.0)
    return {"data": model.data}


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        step, source, target = line.split()
        with np.load(source) as file:
            given = dict(file)
        np.savez(target, **globals()[step](given))
        print("done", file=answers, flush=True)
