"""The WCS as FITS keywords: a tangent plane with SIP polynomials, fitted with a stated error.

SIP is the convention of Shupe et al. 2005 (ADASS XIV, ASP Conf. 347, 491): the intermediate
coordinates are CD (u + A(u, v), v + B(u, v)), with pixel offsets u, v from CRPIX; AP and BP go
back from U, V = CD^-1 (intermediate coordinates). The fit is made at Chebyshev's nodes, where the
greatest error of a least-squares polynomial is close to the smallest there is; what it reaches is
measured on another grid, edges and corners included.
"""

import logging
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import pixel_box, s_region, sky
from calwebb_core.science.transforms.sphere import SkyToPlane

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]

HIGHEST_DEGREE = 6
CHECK_POINTS = 33
# what the error may grow to between the points where it is measured
BETWEEN_POINTS = 1.02
SIP_KEYWORDS = re.compile(r"^([AB]P?_\d_\d|[AB]P?_ORDER|[AB]_DMAX|SIPMXERR|SIPIVERR)$")
LINEAR_KEYWORDS = re.compile(r"^(CDELT[12]|PC[12]_[12]|CD[12]_[12])$")


@dataclass(frozen=True)
class Points:
    """Pixels (offsets from CRPIX) and their places in the tangent plane, in degrees; (n,)."""

    u: Float64
    v: Float64
    east: Float64
    north: Float64


@dataclass(frozen=True)
class Fit:
    """A polynomial fit to two coordinates.

    Attributes
    ----------
    degree : int
    values : float64, (n, 2)
        Coefficients of u**p v**q, in the order of `powers`.
    error : float
        Greatest error in pixels.
    """

    degree: int
    values: Float64
    error: float


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
    """Approximate a WCS by FITS keywords.

    Parameters
    ----------
    wcs : World or gwcs.WCS
    shape : (..., ny, nx)
    max_pix_error : float
        Greatest error in pixels; the lowest degree that reaches it is taken.
    degree, inv_degree : int, optional
        Fix the degree of the forward or inverse polynomial; the error is not checked then.
    max_inv_pix_error : float, optional
        The same for the inverse polynomial; None leaves it out.
    npoints : int
        Points per axis of the fit; more are taken where a degree needs them.
    crpix : (float, float), optional
        1-based reference pixel; by default the middle of the image.

    Returns
    -------
    dict
        CTYPE1 ``RA---TAN-SIP`` (``RA---TAN`` where no polynomial is needed), CRPIX, CRVAL, CD,
        A_i_j, B_i_j, AP_i_j, BP_i_j, SIPMXERR and SIPIVERR (greatest errors anywhere in the
        image, in pixels), without NAXIS.

    Raises
    ------
    ProcessingError
        If the WCS has no position in the image, or no degree reaches the error.
    """
    (x0, x1), (y0, y1) = pixel_box(wcs, shape)
    centre = ((x0 + x1) / 2.0, (y0 + y1) / 2.0) if crpix is None else (crpix[0] - 1, crpix[1] - 1)
    crval = tuple(float(value) for value in sky(wcs, *centre))
    plane = SkyToPlane((crval[0], crval[1]))
    nodes = fit_nodes(max(npoints, HIGHEST_DEGREE + 2))
    points = project(wcs, plane, centre, nodes(x0, x1), nodes(y0, y1))
    check = project(wcs, plane, centre, even_nodes(x0, x1), even_nodes(y0, y1))
    forward, cd = fit_forward(points, check, degree, max_pix_error)
    keywords = linear_keywords(centre, crval, cd, forward)
    if forward.degree > 1:
        keywords |= polynomial_keywords(("A", "B"), forward)
    keywords["SIPMXERR"] = forward.error
    if max_inv_pix_error is not None and forward.degree > 1:
        inverse = fit_inverse(points, check, cd, inv_degree, max_inv_pix_error)
        keywords |= polynomial_keywords(("AP", "BP"), inverse)
        keywords["SIPIVERR"] = inverse.error
    return keywords


def fit_nodes(count: int) -> Any:
    """Return a function that gives Chebyshev's nodes of an interval, its ends included."""

    def nodes(low: float, high: float) -> Float64:
        return low + (high - low) * (0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, count)))

    return nodes


def even_nodes(low: float, high: float) -> Float64:
    """Return the points where errors are measured, the ends included."""
    return np.linspace(low, high, CHECK_POINTS)


def project(
    wcs: Any, plane: SkyToPlane, centre: tuple[float, float], xs: Float64, ys: Float64
) -> Points:
    """Evaluate a WCS on a grid and project it on the tangent plane.

    Raises
    ------
    ProcessingError
        If a pixel has no position, or lies on the other side of the sky.
    """
    x, y = (grid.ravel() for grid in np.meshgrid(xs, ys))
    east, north = plane.evaluate(*sky(wcs, x, y))
    if not np.all(np.isfinite(east + north)):
        msg = "some pixels have no place in the tangent plane; no FITS approximation can be made"
        raise ProcessingError(msg)
    return Points(x - centre[0], y - centre[1], east, north)


def powers(degree: int) -> list[tuple[int, int]]:
    """Return exponents p, q of u**p v**q up to a degree, without the constant."""
    return [(p, total - p) for total in range(1, degree + 1) for p in range(total, -1, -1)]


def design(u: Float64, v: Float64, degree: int) -> Float64:
    """Return the terms of a polynomial, float64 (n, number of terms)."""
    return np.stack([u**p * v**q for p, q in powers(degree)], axis=1)


def solve(u: Float64, v: Float64, targets: Float64, degree: int) -> Float64:
    """Fit polynomials without constant to targets, float64 (n, 2); the coefficients (terms, 2)."""
    unit = max(np.abs(u).max(), np.abs(v).max())
    values = np.linalg.lstsq(design(u / unit, v / unit, degree), targets, rcond=None)[0]
    return np.asarray(values / np.array([unit ** (p + q) for p, q in powers(degree)])[:, None])


def fit_forward(
    points: Points, check: Points, degree: int | None, bound: float
) -> tuple[Fit, Float64]:
    """Return the fit of A and B, and the CD matrix, float64 (2, 2)."""
    targets = np.stack([points.east, points.north], axis=1)
    truth = np.stack([check.east, check.north], axis=1)

    def attempt(n: int) -> tuple[Fit, Float64]:
        values = solve(points.u, points.v, targets, n)
        cd = values[:2].T.copy()
        values = values @ np.linalg.inv(cd).T
        # in pixels, as everything that is compared to the bound
        error = design(check.u, check.v, n) @ values - truth @ np.linalg.inv(cd).T
        return Fit(n, values, greatest(error)), cd

    for n in range(1, HIGHEST_DEGREE + 1) if degree is None else (degree,):
        fit, cd = attempt(n)
        if fit.error <= bound:
            break
    if degree is None:
        check_error("SIP", fit.error, bound)
    return fit, cd


def fit_inverse(
    points: Points, check: Points, cd: Float64, degree: int | None, bound: float
) -> Fit:
    """Return the fit of AP and BP."""
    inverse = np.linalg.inv(cd)
    u, v = inverse @ np.stack([points.east, points.north])
    to_check = inverse @ np.stack([check.east, check.north])
    targets = np.stack([points.u - u, points.v - v], axis=1)
    truth = np.stack([check.u - to_check[0], check.v - to_check[1]], axis=1)
    for n in range(2, HIGHEST_DEGREE + 1) if degree is None else (degree,):
        values = solve(u, v, targets, n)
        fit = Fit(n, values, greatest(design(to_check[0], to_check[1], n) @ values - truth))
        if fit.error <= bound:
            break
    if degree is None:
        check_error("inverse SIP", fit.error, bound)
    return fit


def greatest(differences: Float64) -> float:
    """Return the greatest length of differences, float64 (n, 2), with what may lie between."""
    return BETWEEN_POINTS * float(np.hypot(*differences.T).max())


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


def linear_keywords(
    centre: tuple[float, float], crval: tuple[float, ...], cd: Float64, fit: Fit
) -> dict[str, Any]:
    """Return the keywords of the tangent plane and the matrix."""
    ending = "-SIP" if fit.degree > 1 else ""
    keywords: dict[str, Any] = {"WCSAXES": 2}
    for axis in (0, 1):
        keywords[f"CRPIX{axis + 1}"] = centre[axis] + 1.0
        keywords[f"CRVAL{axis + 1}"] = crval[axis]
        keywords[f"CTYPE{axis + 1}"] = ("RA---TAN", "DEC--TAN")[axis] + ending
        keywords[f"CUNIT{axis + 1}"] = "deg"
        for other in (0, 1):
            keywords[f"CD{axis + 1}_{other + 1}"] = float(cd[axis, other])
    keywords["RADESYS"] = "ICRS"
    return keywords


def polynomial_keywords(names: tuple[str, str], fit: Fit) -> dict[str, Any]:
    """Return order and coefficients of a pair of polynomials; forward ones begin at degree 2."""
    keywords: dict[str, Any] = {f"{name}_ORDER": fit.degree for name in names}
    lowest = 2 if names[0] == "A" else 1
    for column, name in enumerate(names):
        for (p, q), value in zip(powers(fit.degree), fit.values[:, column], strict=True):
            if p + q >= lowest:
                keywords[f"{name}_{p}_{q}"] = float(value)
    return keywords


def renew_keywords(metadata: Metadata, wcs: Any, shape: tuple[int, ...]) -> None:
    """Bring S_REGION and the FITS approximation of a product to a changed WCS, in place.

    A product without approximation gets none, and neither does one whose new WCS can't be
    approximated: a warning in the log says so.
    """
    metadata["S_REGION"] = s_region(wcs, shape)
    if not any(LINEAR_KEYWORDS.match(key) for key in metadata):
        return
    try:
        keywords = fits_sip(wcs, shape)
    except ProcessingError as error:
        logger.warning("%s: no SIP keywords are written: %s", metadata.source, error)
        keywords = {}
    replace_wcs_keywords(metadata, keywords)


def replace_wcs_keywords(metadata: Metadata, keywords: dict[str, Any]) -> None:
    """Replace the linear and SIP keywords of a product by new ones, in place."""
    for key in [key for key in metadata if SIP_KEYWORDS.match(key) or LINEAR_KEYWORDS.match(key)]:
        del metadata[key]
    metadata.update(keywords)
