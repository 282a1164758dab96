"""Group flags as numpy scalars, so that flag arithmetic in kernels stays in uint8."""

import numpy as np

from calwebb_core.science import dq

DO_NOT_USE = np.uint8(dq.DO_NOT_USE)
SATURATED = np.uint8(dq.SATURATED)
JUMP_DET = np.uint8(dq.JUMP_DET)
PERSISTENCE = np.uint8(dq.GroupDQ.PERSISTENCE)
AD_FLOOR = np.uint8(dq.AD_FLOOR)
UNUSABLE = np.uint8(dq.DO_NOT_USE | dq.SATURATED)

# A bit that the group flags do not use: the jump kernels mark with it, while they run, the
# jumps whose neighbours are to be flagged.
SPREADING = np.uint8(16)
