"""Optional results, likelihood fit and averaged linearity of the official package on arrays.

Started as `peer_steps.py` is: each line on standard input, ``STEP IN.npz OUT.npz``, is answered
with ``done`` on standard output.
"""

import sys

import numpy as np
from peer_steps import options, ramp_model
from stdatamodels.jwst.datamodels import dqflags

PRODUCT = ("slope", "err", "dq", "var_poisson", "var_rnoise")


def ramp_fit(arrays):
    from stcal.ramp_fitting.ramp_fit import ramp_fit as fit

    model, wish = ramp_model(arrays), options(arrays)
    algorithm = wish.get("algorithm", "OLS_C")
    rate, rateints, optional = fit(
        model, wish.get("save_opt", False), arrays["readnoise"].copy(), arrays["gain"].copy(),
        algorithm, "optimal", "1", dqflags.pixel,
        suppress_one_group=wish.get("suppress_one_group", True),
    )  # fmt: skip
    found = {f"rate_{name}": rate[name] for name in PRODUCT}
    found |= {f"rateints_{name}": rateints[name] for name in PRODUCT}
    found |= {f"opt_{name}": array for name, array in (optional or {}).items()}
    if algorithm == "LIKELY":
        found |= {"chisq": rate["chisq"]}
    return found | {"groupdq": model.groupdq}


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        step, source, target = line.split()
        with np.load(source) as file:
            given = dict(file)
        np.savez(target, **globals()[step](given))
        print("done", file=answers, flush=True)
