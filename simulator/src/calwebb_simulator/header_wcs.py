"""The linear WCS and the footprint that raw counts carry."""

from typing import Any

import numpy as np

from calwebb_simulator.geometry import Placement


def linear_wcs(placement: Placement) -> dict[str, Any]:
    """Return a WCS that holds at the reference point, as raw counts carry it."""
    aperture = placement.frame.aperture
    x, y = aperture["XSciRef"] - 1, aperture["YSciRef"] - 1
    ra, dec = placement.sky(np.array([x, x + 1, x]), np.array([y, y, y + 1]))
    shrink = np.cos(np.radians(dec[0]))
    matrix = np.array([(ra[1:] - ra[0]) * shrink, dec[1:] - dec[0]])
    scales = np.hypot(*matrix)
    values: dict[str, Any] = {"WCSAXES": 2, "S_REGION": footprint(placement)}
    for axis in (0, 1):
        values |= {
            f"CRPIX{axis + 1}": (aperture["XSciRef"], aperture["YSciRef"])[axis],
            f"CRVAL{axis + 1}": float((ra[0], dec[0])[axis]),
            f"CTYPE{axis + 1}": ("RA---TAN", "DEC--TAN")[axis],
            f"CUNIT{axis + 1}": "deg",
            f"CDELT{axis + 1}": float(scales[axis]),
        }
        for other in (0, 1):
            part = matrix[axis, other] / scales[axis]
            values[f"PC{axis + 1}_{other + 1}"] = float(part)
    return values


def footprint(placement: Placement) -> str:
    """Return the S_REGION of a frame: its outer corners."""
    ny, nx = placement.frame.shape
    ra, dec = placement.sky(
        np.array([-0.5, nx - 0.5, nx - 0.5, -0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5])
    )
    corners = " ".join(f"{a:.9f} {d:.9f}" for a, d in zip(ra, dec, strict=True))
    return f"POLYGON ICRS  {corners}"
