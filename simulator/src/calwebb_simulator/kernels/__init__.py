"""Compiled loops of the simulator; they know numpy and numba only."""

import calwebb_core.science.kernels  # noqa: F401 - loads numba without what no kernel needs
