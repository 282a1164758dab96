"""Time series: segments of an exposure, read one at a time."""
