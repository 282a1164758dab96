"""Exposure pools, associations and best reference files."""

__version__ = "0.1.0"
