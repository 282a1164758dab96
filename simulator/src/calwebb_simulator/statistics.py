"""Robust figures of samples that may be empty: NaN then."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGMA = 1.4826  # standard deviation over median absolute deviation of a Gaussian


def median(values: NDArray[Any]) -> float:
    """Return the median."""
    return float(np.median(values)) if len(values) else float("nan")


def mean(values: NDArray[Any]) -> float:
    """Return the mean."""
    return float(np.mean(values)) if len(values) else float("nan")


def scatter(values: NDArray[Any]) -> float:
    """Return the standard deviation as the median absolute deviation tells it."""
    return SIGMA * median(np.abs(values - median(values)))
