"""Run the official package's snowballs, showers and charge_migration on arrays.

Started and answered like `peer_steps`.
"""

import sys

import numpy as np
from peer_steps import options, ramp_model
from stdatamodels.jwst.datamodels import dqflags


def charge_migration(arrays):
    from jwst.charge_migration.charge_migration import charge_migration as flag

    model = ramp_model(arrays)
    return {"groupdq": flag(model, options(arrays)["signal_threshold"]).groupdq}


def jump_data(arrays):
    from stcal.jump.jump_class import JumpData

    model, wish = ramp_model(arrays), options(arrays)
    data = JumpData(model, arrays["gain"].copy(), arrays["readnoise"].copy(), dqflags.pixel)
    time = float(arrays["tgroup"])
    data.set_snowball_info(
        True, wish.get("min_jump_area", 5.0), wish.get("min_sat_area", 1.0),
        wish.get("expand_factor", 2.0), wish.get("sat_required_snowball", True),
        wish.get("min_sat_radius_extend", 2.5), 2 * wish.get("sat_expand", 2),
        wish.get("edge_size", 25),
    )  # fmt: skip
    data.set_shower_info(
        True, wish.get("extend_snr_threshold", 1.2), wish.get("extend_min_area", 90),
        wish.get("extend_inner_radius", 1.0), wish.get("extend_outer_radius", 2.6),
        wish.get("extend_ellipse_expand_ratio", 1.1), 10, 2 * wish.get("max_extended_radius", 200),
    )  # fmt: skip
    data.set_sigma_clipping_info(3, wish.get("minimum_sigclip_groups", 100), True)
    data.grps_masked_after_shower = int(wish.get("time_masked_after_shower", 15.0) // time)
    data.persist_grps_flagged = int(wish.get("snowball_time_masked_next_int", 4000) // time)
    data.max_shower_amplitude = data.max_shower_amplitude * time
    return data


def snowballs(arrays):
    from stcal.jump.jump import flag_large_events

    flags = dqflags.group
    groupdq, count = flag_large_events(
        arrays["groupdq"].copy(), flags["JUMP_DET"], flags["SATURATED"], jump_data(arrays)
    )
    return {"groupdq": groupdq, "count": count}


def showers(arrays):
    from stcal.jump.jump import find_faint_extended

    data = jump_data(arrays)
    groupdq, count = find_faint_extended(
        arrays["data"] * arrays["gain"], arrays["groupdq"].copy(), arrays["pixeldq"].copy(),
        arrays["readnoise"] * arrays["gain"], data,
    )  # fmt: skip
    return {"groupdq": groupdq, "count": count}


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        step, source, target = line.split()
        with np.load(source) as file:
            given = dict(file)
        np.savez(target, **globals()[step](given))
        print("done", file=answers, flush=True)
