#!/usr/bin/env python3
"""Write reference files that the simulator has none of, for kernels that nothing else would call.

    containers/kernels/references.py SCENARIO_DIR OUTPUT_DIR

They take headers and shapes from the scenario's linearity file. What they hold makes no sense.
"""

import sys
from pathlib import Path

import numpy as np
from astropy.io import fits

NUMBERS = (
    "TAU", "ASCALE", "POW", "ILLUM_ZP", "ILLUM_SLOPE", "ILLUM2", "PARAM3", "CROSSOPT", "SAT_ZP",
    "SAT_SLOPE", "SAT_2", "SAT_MZP", "SAT_ROWTERM", "SAT_SCALE",
)  # fmt: skip


def decay(exposure: fits.Header) -> fits.BinTableHDU:
    """Return the table RSCD for an exposure's subarray and read pattern."""
    kinds = [
        ("SUBARRAY", "S16"),
        ("READPATT", "S16"),
        ("ROWS", "S4"),
        *((n, "f4") for n in NUMBERS),
    ]
    table = np.ones(2, kinds)
    table["SUBARRAY"], table["READPATT"] = exposure["SUBARRAY"], exposure["READPATT"]
    table["ROWS"] = ["EVEN", "ODD"]
    return fits.BinTableHDU(table, name="RSCD")


def main(scenario: Path, folder: Path) -> None:
    """Write linearity with INV_COEFFS, ipc and rscd."""
    exposure = fits.getheader(min((scenario / "uncal").iterdir()))
    linearity = min((scenario / "crds_cache").rglob("*_linearity_*.fits"))
    with fits.open(linearity, memmap=False) as hdus:
        for kind, more in {
            "linearity": fits.ImageHDU(hdus["COEFFS"].data, name="INV_COEFFS"),
            "ipc": fits.ImageHDU(np.eye(3, dtype=np.float32), name="SCI"),
            "rscd": decay(exposure),
        }.items():
            hdus[0].header["REFTYPE"] = kind.upper()
            kept = hdus[:] if kind == "linearity" else hdus[:1]
            fits.HDUList([*kept, more]).writeto(folder / f"{kind}.fits", overwrite=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
