"""Jump search and ramp fits of the official package on arrays, in an environment of its own.

``python peer_ramps.py IN.npz OUT.npz``; called by ``ramps.py``.
"""

import sys
from typing import Any

import numpy as np
from stcal.jump.jump import detect_jumps_data
from stcal.jump.jump_class import JumpData
from stcal.ramp_fitting.ramp_fit import ramp_fit
from stdatamodels.jwst import datamodels
from stdatamodels.jwst.datamodels import dqflags

Arrays = dict[str, np.ndarray]


def model_of(given: Arrays, groupdq: np.ndarray) -> Any:
    """Return the ramps as the official package's container."""
    model = datamodels.RampModel()
    model.data, model.groupdq = given["data"].copy(), groupdq.copy()
    model.pixeldq = np.zeros(given["gain"].shape, np.uint32)
    model.average_dark_current = np.zeros_like(given["gain"])
    model.meta.instrument.name = "NIRCAM"
    exposure = model.meta.exposure
    exposure.nints, exposure.ngroups = given["data"].shape[:2]
    exposure.nframes, exposure.groupgap = int(given["nframes"]), int(given["groupgap"])
    exposure.group_time, exposure.frame_time = float(given["tgroup"]), float(given["tframe"])
    return model


def two_point(given: Arrays) -> Any:
    """Return the group flags of the two-point search at its default limits."""
    model = model_of(given, np.zeros(given["data"].shape, np.uint8))
    data = JumpData(model, given["gain"].copy(), given["readnoise"].copy(), dqflags.pixel)
    data.set_detection_settings(4.0, 6.0, 5.0, 1000.0, 10.0, False)
    data.set_after_jump(0.0, 0, 0.0, 0)
    data.set_snowball_info(False, 5, 1, 2, True, 2.5, 4, 25)
    data.set_shower_info(False, 1.2, 90, 1, 2.6, 1.1, 10, 400)
    data.set_sigma_clipping_info(3, 100, True)
    data.max_cores = "1"
    return detect_jumps_data(data)[0]


def fitted(given: Arrays, groupdq: np.ndarray, algorithm: str) -> tuple[Any, Any, Any]:
    """Return group flags, slope and error."""
    model = model_of(given, groupdq)
    rate, _, _ = ramp_fit(
        model, False, given["readnoise"].copy(), given["gain"].copy(), algorithm, "optimal", "1",
        dqflags.pixel, suppress_one_group=True,
    )  # fmt: skip
    return model.groupdq, rate["slope"], rate["err"]


def main(source: str, target: str) -> None:
    """Read the arrays, run all methods, write what they find."""
    with np.load(source) as file:
        given = dict(file)
    none = np.zeros(given["data"].shape, np.uint8)
    flags = two_point(given)
    methods = {
        "two-point, OLS_C": (flags, "OLS_C"),
        "LIKELY": (none, "LIKELY"),
        "two-point, then LIKELY": (flags, "LIKELY"),
    }
    found = {}
    for name, (groupdq, algorithm) in methods.items():
        for key, array in zip(
            ("groupdq", "slope", "err"), fitted(given, groupdq, algorithm), strict=True
        ):
            found[f"{name}|{key}"] = array
    np.savez(target, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
