"""Loops over pixels: numpy arrays in, numpy arrays changed, nothing else known here."""
