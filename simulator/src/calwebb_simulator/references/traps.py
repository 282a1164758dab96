"""Reference files of the persistence step: what charge traps there are and how they behave."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.detector import Properties
from calwebb_simulator.references.base import Scope, dq_def, image, keywords, write
from calwebb_simulator.traps import FAMILIES, TrapMaps, trap_maps

UInt32 = NDArray[np.uint32]
HISTORY = "Describes the simulated traps exactly; nothing was measured."


def write_traps(paths: dict[str, Path], scope: Scope, properties: Properties) -> None:
    """Write the three files of a frame.

    Parameters
    ----------
    paths : dict
        Of persat (linear DN at which a pixel is full), trapdensity (relative) and trappars
        (capture0 and capture2 in DN, capture1 and decay_param in 1/s, negative as in the
        exponents), by type.
    scope : Scope
    properties : Properties
    """
    maps = trap_maps(scope.instrument, scope.frame, properties, scope.realisation)
    blind = int(PixelDQ.DO_NOT_USE | PixelDQ.REFERENCE_PIXEL)
    dq = np.where(properties.science, 0, blind).astype(np.uint32)
    _write_maps(paths, scope, maps, dq)
    columns = np.zeros(len(FAMILIES.c0), dtype=TRAPPARS_DTYPE)
    columns["capture0"], columns["capture1"] = FAMILIES.c0, -1 / FAMILIES.tau
    columns["capture2"], columns["decay_param"] = FAMILIES.c2, -FAMILIES.rate
    header = keywords(scope, "trappars", "TrapParsModel", "Capture and decay of traps")
    write(paths["trappars"], header, [fits.BinTableHDU(columns, name="TRAPPARS")], HISTORY)


TRAPPARS_DTYPE = np.dtype(
    [(name, "f8") for name in ("capture0", "capture1", "capture2", "decay_param")]
)


def _write_maps(paths: dict[str, Path], scope: Scope, maps: TrapMaps, dq: UInt32) -> None:
    header = keywords(scope, "persat", "PersistenceSatModel", "Signal that fills all traps")
    header["BUNIT"] = "DN"
    hdus = [image("SCI", maps.full), image("DQ", dq), dq_def(dq)]
    write(paths["persat"], header, hdus, HISTORY)
    header = keywords(scope, "trapdensity", "TrapDensityModel", "Density of traps")
    hdus = [image("SCI", maps.density), image("DQ", dq), dq_def(dq)]
    write(paths["trapdensity"], header, hdus, HISTORY)
