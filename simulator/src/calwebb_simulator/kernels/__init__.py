"""Compiled loops of the simulator; they know numpy and numba only."""
