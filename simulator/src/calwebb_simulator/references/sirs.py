"""The sirskernel reference: how to predict 1/f noise from the reference pixels at the sides.

For every output, the least-squares weights of the left and the right reference pixels at every
frequency of the series of rows (Rauscher et al. 2022, JATIS 8, 028002), for the noise that is
simulated.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.electronics import ONE_OVER_F_DN, SAMPLES_PER_ROW, SHARED
from calwebb_simulator.plan import Planned
from calwebb_simulator.references.base import Scope
from calwebb_simulator.references.optics import asdf_meta, write_tree

COLUMNS = 4  # reference pixels at each side
# detectors that the format has names for
DETECTORS = ("NRC", "NRS", "NIS")


def has_sides(entries: Sequence[Planned]) -> bool:
    """Tell whether any exposure of a detector can use the file: full frames but IRS2."""
    return any(
        entry.frame.detector.name.startswith(DETECTORS)
        and entry.frame.subarray == "FULL"
        and not entry.timing.pattern.irs2
        for entry in entries
    )


def write_sirskernel(path: Path, scope: Scope) -> Path:
    """Write the weights gamma (left) and zeta (right): (outputs, rows // 2 + 1) each."""
    detector = scope.frame.detector
    rows = scope.frame.read_shape[0]
    gamma, zeta = side_weights(
        rows, scope.frame.outputs, detector.cds_noise / np.sqrt(2) / detector.gain
    )
    title = "Weights of reference pixels at the sides"
    meta = asdf_meta("sirskernel", "SIRSKernelModel", title, name=scope.instrument.name)
    kernels = {"gamma": gamma, "zeta": zeta}
    return write_tree(path, {"meta": meta, detector.name.lower(): kernels})


def side_weights(
    rows: int, outputs: int, sigma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weights of the left and the right side; `sigma` is the white noise of a read."""
    power = row_power(rows)
    white = sigma**2 / COLUMNS
    first, last = power + white, SHARED * power
    determinant = first**2 - last**2
    found = []
    for output in range(outputs):
        left = power if output == 0 else last
        right = power if output == outputs - 1 else last
        found.append((left * first - right * last, right * first - left * last) / determinant)
    weights = np.asarray(found)
    return np.ascontiguousarray(weights[:, 0]), np.ascontiguousarray(weights[:, 1])


def row_power(rows: int) -> NDArray[np.float64]:
    """Return the power of the 1/f noise, averaged over each row, in DN^2 as white noise counts."""
    frequency = np.fft.rfftfreq(rows * SAMPLES_PER_ROW)
    density = np.zeros(len(frequency))
    density[1:] = 1 / frequency[1:]
    density *= ONE_OVER_F_DN**2 * rows * SAMPLES_PER_ROW / (2 * density.sum())
    density[0] = density[1]
    return np.asarray(density[: rows // 2 + 1] / SAMPLES_PER_ROW)
