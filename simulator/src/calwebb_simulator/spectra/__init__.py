"""Spectra of a star in each spectroscopic mode: what is true, and how the instrument takes it."""
