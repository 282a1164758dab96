"""Synthetic JWST exposures with known truth, and their reference files as a CRDS cache."""

__version__ = "0.1.0"
