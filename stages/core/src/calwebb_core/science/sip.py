"""The WCS as FITS keywords: a tangent plane with SIP polynomials, fitted with a stated error.

SIP is the convention of Shupe et al. 2005 (ADASS XIV, ASP Conf. 347, 491). The fit is that of
gwcs; what it reaches is measured again here, on another grid, with the reader that users have.
"""

import re
import warnings
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy.linalg import LinAlgWarning

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import pixel_box, separation, sky, unit_vectors

HIGHEST_DEGREE = 5
CHECK_POINTS = 23
SIP_KEYWORDS = re.compile(r"^([AB]P?_\d_\d|[AB]P?_ORDER|[AB]_DMAX|SIPMXERR|SIPIVERR)$")
LINEAR_KEYWORDS = re.compile(r"^(CDELT[12]|PC[12]_[12]|CD[12]_[12])$")


def fits_sip(
    wcs: Any,
    shape: tuple[int, ...],
    *,
    max_pix_error: float = 0.01,
    degree: int | None = None,
    max_inv_pix_error: float | None = 0.01,
    inv_degree: int | None = None,
    npoints: int = 12,
    crpix: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Approximate a gwcs by FITS keywords.

    Parameters
    ----------
    wcs : gwcs.WCS
    shape : (..., ny, nx)
    max_pix_error : float
        Greatest error in pixels; the lowest degree that reaches it is taken.
    degree, inv_degree : int, optional
        Fix the degree of the forward or inverse polynomial; the error is not checked then.
    max_inv_pix_error : float, optional
        The same for the inverse polynomial; None leaves it out.
    npoints : int
        Points per axis of the fit.
    crpix : (float, float), optional
        1-based reference pixel.

    Returns
    -------
    dict
        CTYPE1 ``RA---TAN-SIP``, CRPIX, CRVAL, CD, A_i_j, B_i_j, AP_i_j, BP_i_j, SIPMXERR and
        SIPIVERR (greatest errors of the fit, in pixels), without NAXIS.

    Raises
    ------
    ProcessingError
        If no degree reaches the error.
    """
    box = pixel_box(wcs, shape)
    degrees = range(1, HIGHEST_DEGREE + 1)
    with warnings.catch_warnings():
        # gwcs only warns where the error is not reached; it is checked below
        warnings.simplefilter("ignore", LinAlgWarning)
        header = wcs.to_fits_sip(
            bounding_box=box,
            max_pix_error=max_pix_error,
            degree=degrees if degree is None else degree,
            max_inv_pix_error=max_inv_pix_error,
            inv_degree=degrees if inv_degree is None else inv_degree,
            npoints=npoints,
            crpix=crpix,
            projection="TAN",
        )
    if degree is None:
        check_error("SIP", sip_error(header, wcs, box), max_pix_error)
    if inv_degree is None and max_inv_pix_error is not None:
        check_error("inverse SIP", float(header["SIPIVERR"]), max_inv_pix_error)
    return {key: header[key] for key in header if not key.startswith("NAXIS")}


def check_error(name: str, error: float, bound: float) -> None:
    """Refuse an approximation that is off by more than `bound` pixels anywhere.

    Raises
    ------
    ProcessingError
        If it is.
    """
    if not error <= bound:
        msg = f"the {name} approximation is off by {error:.3g} pixels; {bound:g} are allowed"
        raise ProcessingError(msg)


def sip_error(header: fits.Header, wcs: Any, box: Any) -> float:
    """Return the greatest distance in pixels between a FITS header's WCS and a gwcs."""
    (x0, x1), (y0, y1) = box
    x, y = np.meshgrid(np.linspace(x0, x1, CHECK_POINTS), np.linspace(y0, y1, CHECK_POINTS))
    approximate = WCS(header)
    difference = separation(
        unit_vectors(*approximate.all_pix2world(x, y, 0)), unit_vectors(*sky(wcs, x, y))
    )
    scale = float(np.sqrt(abs(np.linalg.det(approximate.pixel_scale_matrix))))
    return float(np.max(difference)) / scale


def replace_wcs_keywords(metadata: Metadata, keywords: dict[str, Any]) -> None:
    """Replace the linear and SIP keywords of a product by new ones, in place."""
    for key in [key for key in metadata if SIP_KEYWORDS.match(key) or LINEAR_KEYWORDS.match(key)]:
        del metadata[key]
    metadata.update(keywords)
