"""Spectra of slits: several exposures of a source made into one spectrum."""
