"""Waves of electromagnetic interference in MIRI: their reference file, two ways to find them."""
