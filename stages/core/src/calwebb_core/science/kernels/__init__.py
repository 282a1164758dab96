"""Compiled loops; they know numpy, numba and the data quality bits and nothing else."""
