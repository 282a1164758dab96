"""Whole observing programs of every mode, as small raw files with true headers.

`nircam`, `miri`, `niriss`, `nirspec` and `others` say what is observed; the other modules make
names, times, pointings, headers and files of it.
"""
