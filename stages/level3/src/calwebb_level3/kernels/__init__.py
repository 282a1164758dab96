"""Compiled loops."""

import calwebb_core.science.kernels  # noqa: F401 - loads numba without what no kernel needs
