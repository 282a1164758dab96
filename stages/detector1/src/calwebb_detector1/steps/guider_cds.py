"""guider_cds: count rates of guide-star data from differences of groups.

By EXP_TYPE, with ``T`` = TGROUP:

- FGS_ID-IMAGE, FGS_ID-STACK: ``(group 2 - group 1) / T`` of each integration, and of them the
  smallest in each pixel, which a cosmic ray in one of them leaves alone: one image.
- FGS_ACQ1, FGS_ACQ2, FGS_TRACK: ``(group 2 - group 1) / T``, one image for each integration.
- FGS_FINEGUIDE: ``(mean of the last four groups - mean of the first four) / T``, likewise.

``VAR_R = 2 R^2 / T^2`` and ``VAR_P = max(rate, 0) / (g T)`` with the read noise ``R`` (DN) and the
gain ``g`` (electron/DN); ``ERR`` is the square root of their sum. Pixels without gain or read noise
are flagged as everywhere in detector1. The stacked strips of FGS_ID-STACK lie side by side, not
where they are on the detector: where a reference is of another shape, its mean serves. Does not run
where the gain or the read noise is N/A.
"""

import logging

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Float32, Ramp
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_detector1.arrays import usable_gain, usable_readnoise
from calwebb_detector1.guide_rates import GuideRates

logger = logging.getLogger(__name__)

FINE = "FGS_FINEGUIDE"
FIELD = ("FGS_ID-IMAGE", "FGS_ID-STACK")
STACK = "FGS_ID-STACK"
AVERAGED = 4  # groups at the start and at the end of fine guiding


def difference_groups(data: Float32, exp_type: str, group_time: float) -> Float32:
    """Return count rates.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
        At least 8 groups of fine guiding, 2 of other kinds.
    exp_type : str
        EXP_TYPE.
    group_time : float
        s.

    Returns
    -------
    float32, (nimages, ny, nx), DN/s
        One image of a field's identification, otherwise one for each integration.

    Raises
    ------
    ValueError
        If there are too few groups.
    """
    fewest = 2 * AVERAGED if exp_type == FINE else 2
    if data.ndim != 4 or data.shape[1] < fewest:
        msg = f"data has shape {data.shape}; expected (nints, {fewest} or more groups, ny, nx)"
        raise ValueError(msg)
    if exp_type == FINE:
        rise = data[:, -AVERAGED:].mean(axis=1) - data[:, :AVERAGED].mean(axis=1)
    else:
        rise = data[:, 1] - data[:, 0]
    if exp_type in FIELD:
        rise = rise.min(axis=0, keepdims=True)
    return np.asarray(rise / np.float32(group_time), np.float32)


def variances(
    rate: Float32, gain: Float32, readnoise: Float32, group_time: float
) -> tuple[Float32, Float32]:
    """Return the variances of count rates.

    Parameters
    ----------
    rate : float32, (nimages, ny, nx), DN/s
    gain : float32, (ny, nx), electron/DN
    readnoise : float32, (ny, nx), DN
    group_time : float
        s.

    Returns
    -------
    var_poisson, var_rnoise : float32, shape of `rate`, (DN/s)^2
    """
    poisson = np.maximum(rate, 0) / (gain * np.float32(group_time))
    noise = 2 * (readnoise / np.float32(group_time)) ** 2
    return poisson.astype(np.float32), np.broadcast_to(noise, rate.shape).astype(np.float32)


def run(ramp: Ramp, references: References, _: NoParameters) -> tuple[Ramp | GuideRates, Status]:
    """Return count rates with the flags and tables of the groups.

    Raises
    ------
    InputError
        If there are too few groups for the kind of data.
    """
    loaded = [load(references, kind, ramp) for kind in ("gain", "readnoise")]
    for kind, reference in zip(("gain", "readnoise"), loaded, strict=True):
        if reference is None:
            return ramp, skipped(f"the {kind} reference is N/A")
    exp_type = str(ramp.metadata["EXP_TYPE"]).upper()
    time = float(ramp.metadata.require("TGROUP", float))
    gain, noise = loaded
    assert gain is not None  # noqa: S101 - looked at above
    assert noise is not None  # noqa: S101
    usable = usable_gain(gain, ramp.pixeldq), usable_readnoise(noise, ramp.pixeldq)
    try:
        rate = difference_groups(ramp.data, exp_type, time)
    except ValueError:
        fewest = 2 * AVERAGED if exp_type == FINE else 2
        msg = (
            f"{ramp.metadata.source}: has {ramp.data.shape[1]} groups; {exp_type} needs at least "
            f"{fewest}"
        )
        raise InputError(msg) from None
    poisson, rnoise = variances(rate, *usable, time)
    metadata = ramp.metadata
    metadata["BUNIT"] = "DN/s"
    err = np.sqrt(poisson + rnoise)
    return GuideRates(metadata, rate, err, ramp.pixeldq, poisson, rnoise, ramp.tables), COMPLETE


def load(references: References, kind: str, ramp: Ramp) -> Reference | None:
    """Return a reference; one of another shape than stacked strips as its mean everywhere."""
    stacked = str(ramp.metadata["EXP_TYPE"]).upper() == STACK
    reference = references.load(kind, ramp.metadata, cutout=not stacked)
    shape = ramp.data.shape[2:]
    if not stacked or reference is None or "SCI" not in reference.arrays:
        return reference
    values = np.asarray(reference.arrays["SCI"])
    if values.shape == shape:
        return reference
    good = values[np.isfinite(values) & (values > 0)]
    mean = good.mean(dtype=np.float64) if good.size else np.nan
    logger.info("%s: its mean, %.4g, serves for stacked strips", reference.name, mean)
    flat = Reference(kind, reference.name, reference.path, reference.metadata)
    flat.arrays = {"SCI": np.full(shape, mean, np.float32)}
    return flat


STEP = Step(
    name="guider_cds",
    keyword="S_GUICDS",
    meaning="Take count rates from differences of groups.",
    parameters=NoParameters,
    run=run,
    references=("gain", "readnoise"),
)
