"""Optional results of the ramp fit (`_fitopt`): every segment's line and noise, jumps' sizes.

| array | what | unit |
|---|---|---|
| SLOPE, VAR_POISSON, VAR_RNOISE | of a segment | DN/s, (DN/s)^2 |
| SIGSLOPE | sigma of the slope a group, from read noise | electron |
| YINT | value of the line at group 0 (counted from 0) | DN |
| SIGYINT | its sigma, from read noise | electron |
| WEIGHTS | 1 / VAR_RNOISE | (DN/s)^-2 |
| PEDESTAL | first group, less what came in before it; 0 without slope | DN |
| CRMAG | rise of the groups that are flagged JUMP_DET | DN |

Segments are (nints, nsegments, ny, nx), in order of time, zero where a ramp has fewer.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from calwebb_core.framework.models import Float32, UInt8
from calwebb_detector1.arrays import check_array
from calwebb_detector1.kernels import optional as kernels
from calwebb_detector1.kernels.segments import slope_coefficients
from calwebb_detector1.rates import Timing, sigma_of_group

NAMES = ("SLOPE", "SIGSLOPE", "VAR_POISSON", "VAR_RNOISE", "YINT", "SIGYINT", "WEIGHTS")
Planes = dict[str, Float32]


def optional_results(
    data: Float32,
    groupdq: UInt8,
    *,
    gain: Float32,
    readnoise: Float32,
    slopes: Float32,
    dark_current: Float32 | None = None,
    zeroframe: Float32 | None = None,
    timing: Timing,
    bounds: tuple[int, int] | None = None,
    suppress_one_group: bool = True,
) -> Planes:
    """Return the optional results of some rows.

    Parameters
    ----------
    data, groupdq, gain, readnoise, dark_current, zeroframe, timing, bounds, suppress_one_group
        As `steps.ramp_fit.fit_slopes` takes them.
    slopes : float32, (nints, ny, nx), DN/s, that it returned for the integrations, having
        checked the others

    Returns
    -------
    dict of float32 by EXTNAME: (nints, nsegments, ny, nx); PEDESTAL (nints, ny, nx); CRMAG
    (nints, njumps, ny, nx)
    """
    nints, ngroups, ny, nx = data.shape
    check_array("slopes", slopes, np.float32, (nints, ny, nx))
    first, end = bounds or (0, ngroups)
    nsegments, njumps = kernels.count_most(data, groupdq, (first, end))
    planes = np.zeros((len(NAMES), nints, nsegments, ny, nx), np.float32)
    sizes = np.zeros((nints, max(njumps, 1), ny, nx), np.float32)
    dark = np.zeros((ny, nx), np.float32) if dark_current is None else dark_current
    most = kernels.write_optional(
        data,
        groupdq,
        (gain, sigma_of_group(readnoise, gain, timing), dark),
        np.empty((0, 0, 0), np.float32) if zeroframe is None else zeroframe,
        slope_coefficients(end - first),
        (first, end),
        suppress_one_group and end - first > 1,
        (timing.group_time, timing.frame_time, timing.first_group),
        planes,
        sizes,
    )
    found = {name: planes[k, :, :most] for k, name in enumerate(NAMES)}
    before = np.float32(timing.first_group + first * timing.group_time)
    pedestal = np.nan_to_num(data[:, first] - slopes * before)
    return found | {"PEDESTAL": pedestal, "CRMAG": sizes}


def put_together(
    parts: Iterable[tuple[slice, slice, Mapping[str, Float32]]], shape: tuple[int, int]
) -> Planes:
    """Return the results of a whole exposure from those of its parts.

    Parameters
    ----------
    parts : (rows, columns, what `optional_results` returned)
        Parts may have different numbers of segments and jumps.
    shape : (ny, nx)
    """
    parts = list(parts)
    whole: Planes = {}
    for name in parts[0][2]:
        arrays = [part[2][name] for part in parts]
        leading = tuple(max(sizes) for sizes in zip(*(a.shape[:-2] for a in arrays), strict=True))
        whole[name] = np.zeros((*leading, *shape), np.float32)
        for (rows, columns, _), array in zip(parts, arrays, strict=True):
            target = whole[name][..., rows, columns]
            target[tuple(slice(size) for size in array.shape[:-2])] = array
    return whole
