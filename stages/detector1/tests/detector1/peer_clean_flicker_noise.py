"""Run clean_flicker_noise of the official package on arrays; started like `peer_steps`.

Each line on standard input, ``FUNCTION IN.npz OUT.npz``, is answered with ``done``.
"""

import sys
from pathlib import Path

import numpy as np
from jwst.clean_flicker_noise import autoparam, background_level, clean_flicker_noise
from stdatamodels.jwst import datamodels

NUMBERS = {"NRC_IMAGE": ("NIRCAM", "NRCALONG"), "NRS_MSASPEC": ("NIRSPEC", "NRS1"),
           "NRS_BRIGHTOBJ": ("NIRSPEC", "NRS1"), "MIR_IMAGE": ("MIRI", "MIRIMAGE"),
           "NIS_IMAGE": ("NIRISS", "NIS")}  # fmt: skip


def model_of(arrays):
    data = arrays["data"].copy()
    model = {2: datamodels.ImageModel, 3: datamodels.CubeModel, 4: datamodels.RampModel}[
        data.ndim
    ]()
    model.data = data
    if data.ndim == 4:
        model.groupdq, model.pixeldq = arrays["groupdq"].copy(), arrays["pixeldq"].copy()
    else:
        model.dq = np.zeros(data.shape, np.uint32)
    exp_type = str(arrays["exp_type"])
    model.meta.exposure.type = exp_type
    model.meta.instrument.name, model.meta.instrument.detector = NUMBERS[exp_type]
    model.meta.filename = "made_rate.fits"
    ny, nx = data.shape[-2:]
    subarray = model.meta.subarray
    subarray.name = "FULL" if (ny, nx) == (2048, 2048) else "SUB64"
    subarray.xstart = subarray.ystart = 1
    subarray.xsize, subarray.ysize = nx, ny
    subarray.fastaxis, subarray.slowaxis = (int(v) for v in arrays["axes"])
    return model


def options(arrays):
    names = [name for name in arrays if name.startswith("option_")]
    wish = {name.removeprefix("option_"): arrays[name].tolist() for name in names}
    return {name: None if value == "none" else value for name, value in wish.items()}


def clean(arrays):
    mask = datamodels.ImageModel(data=arrays["mask"].astype(np.float32))
    mask.save("user_mask.fits")
    found, _, background, noise, status = clean_flicker_noise.do_correction(
        model_of(arrays), user_mask="user_mask.fits", save_background=True, save_noise=True,
        **options(arrays),
    )  # fmt: skip
    Path("user_mask.fits").unlink()
    return {
        "data": found.data, "background": background.data, "noise": noise.data, "status": status,
    }  # fmt: skip


def mask(arrays):
    found = clean_flicker_noise.create_mask(model_of(arrays), **options(arrays))
    return {"mask": found}


def limits(arrays):
    found = arrays["mask"].copy()
    background_level.clip_to_background(arrays["data"], found, **options(arrays))
    return {"mask": found}


def level(arrays):
    found = background_level.background_level(
        arrays["data"], arrays["mask"].copy(), **options(arrays)
    )
    return {"background": found}


def sections(arrays):
    found = clean_flicker_noise.fft_clean_subarray(
        arrays["data"].copy(), arrays["mask"].copy(), "NRS1"
    )
    return {"noise": arrays["data"] - found}


def full(arrays):
    found = clean_flicker_noise.fft_clean_full_frame(
        arrays["data"].copy(), arrays["mask"].copy(), "NRS1"
    )
    return {"noise": arrays["data"] - found}


def auto(arrays):
    function = {
        "NRC_IMAGE": autoparam.nircam_image_parameters,
        "NIS_IMAGE": autoparam.niriss_image_parameters,
    }[str(arrays["exp_type"])]
    return function(model_of(arrays), None)


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        step, source, target = line.split()
        with np.load(source) as file:
            given = dict(file)
        np.savez(target, **globals()[step](given))
        print("done", file=answers, flush=True)
