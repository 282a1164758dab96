"""Where a star is in an image: the middle of the Gaussian that is nearest to it.

An elliptical Gaussian of any direction on a constant level is fitted to the pixels around a place
by least squares (Levenberg and Marquardt), each pixel with the same weight.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ProcessingError

__all__ = ["Star", "find_star"]

Float64 = NDArray[np.float64]

SIZE: Final = 20  # pixels on a side of what is fitted
FEWEST: Final = 10  # pixels that are known in it
ROUNDS: Final = 200
ENOUGH: Final = 1e-12  # relative change of the sum of squares
SIGNIFICANT: Final = 5.0  # peak over the scatter of what the fit leaves
WIDTHS: Final = (0.3, SIZE / 2)  # of a star, sigma in pixels
WIDTH: Final = 1.5  # that the fit begins with


@dataclass(frozen=True)
class Star:
    """A star in an image.

    Attributes
    ----------
    x, y : float
        0-based pixels.
    peak, level : float
        Of the Gaussian, and below it; unit of the image.
    """

    x: float
    y: float
    peak: float
    level: float


def find_star(image: NDArray[np.float32], place: tuple[float, float]) -> Star:
    """Return the star near a place.

    Parameters
    ----------
    image : float32, (ny, nx)
        NaN where nothing is known.
    place : (float, float)
        0-based pixel x, y that it should be at; the `SIZE` pixels around it are looked at.

    Raises
    ------
    ProcessingError
        If they are off the image or too few are known, or there is no star in them.
    """
    if image.ndim != 2:
        msg = f"image has shape {image.shape}; expected (ny, nx)"
        raise ValueError(msg)
    x0, y0 = (round(float(at)) - SIZE // 2 for at in place)
    window = image[max(y0, 0) : max(y0 + SIZE, 0), max(x0, 0) : max(x0 + SIZE, 0)]
    known = np.isfinite(window)
    where = f"pixel ({place[0] + 1:.1f}, {place[1] + 1:.1f})"
    if np.count_nonzero(known) < FEWEST:
        msg = f"{np.count_nonzero(known)} pixels are known around {where}, fewer than {FEWEST}"
        raise ProcessingError(msg)
    y, x = (indices.astype(np.float64) for indices in np.nonzero(known))
    values = window[known].astype(np.float64)
    found, rest = fit(x, y, values)
    peak, column, row = (float(number) for number in found[:3])
    inside = -0.5 <= column <= window.shape[1] - 0.5 and -0.5 <= row <= window.shape[0] - 0.5
    if not (inside and is_star(found, rest, len(values))):
        msg = f"there is no star around {where}"
        raise ProcessingError(msg)
    return Star(column + max(x0, 0), row + max(y0, 0), peak, float(found[6]))


def is_star(found: Float64, rest: float, count: int) -> bool:
    """Say whether a Gaussian is one of a star: as wide as one, and above the noise."""
    scatter = np.sqrt(rest / max(count - len(found), 1))
    widths = [abs(1.0 / np.sqrt(size)) if size > 0 else np.inf for size in eigenvalues(found)]
    wide = all(WIDTHS[0] <= width <= WIDTHS[1] for width in widths)
    return bool(wide and found[0] > SIGNIFICANT * scatter)


def eigenvalues(found: Float64) -> tuple[float, float]:
    """Return those of the quadratic form in the Gaussian's exponent: 1 / sigma^2."""
    a, b, c = (float(number) for number in found[3:6])
    middle, half = (a + c) / 2, np.hypot((a - c) / 2, b)
    return middle - half, middle + half


def fit(x: Float64, y: Float64, values: Float64) -> tuple[Float64, float]:
    """Return the parameters of the nearest Gaussian, and the sum of squares that it leaves.

    Parameters
    ----------
    x, y, values : float64, (n,)

    Returns
    -------
    parameters : float64, (7,)
        Peak, x, y; a, b, c of the exponent -(a u^2 + 2 b u v + c v^2) / 2; level.
    rest : float
    """
    found, damping = beginning(x, y, values), 1e-3
    residual = values - model_of(found, x, y) - found[6]
    rest = float(residual @ residual)
    for _ in range(ROUNDS):
        slopes = slopes_of(found, x, y)
        residual = values - model_of(found, x, y) - found[6]
        matrix, right = slopes.T @ slopes, slopes.T @ residual
        raised = matrix + damping * np.diag(np.maximum(np.diag(matrix), 1e-30))
        trial = found + np.linalg.solve(raised, right)
        left = values - model_of(trial, x, y) - trial[6]
        now = float(left @ left)
        if not now < rest:
            damping *= 10.0
            if damping > 1e12:
                break
            continue
        gain, found, rest, damping = rest - now, trial, now, max(damping / 10.0, 1e-12)
        if gain <= ENOUGH * rest:
            break
    return found, rest


def beginning(x: Float64, y: Float64, values: Float64) -> Float64:
    """Return the parameters that the fit begins with: a round star at the centre of light."""
    level = float(np.median(values))
    top = float(values.max())
    light = np.where(values > (level + top) / 2, values - level, 0.0)
    total = float(light.sum())
    column, row = x[values.argmax()], y[values.argmax()]
    if total > 0:
        column, row = float(x @ light) / total, float(y @ light) / total
    form = 1.0 / WIDTH**2
    return np.array([top - level, column, row, form, 0.0, form, level])


def model_of(found: Float64, x: Float64, y: Float64) -> Float64:
    """Return the Gaussian without its level."""
    peak, column, row, a, b, c, _ = found
    u, v = x - column, y - row
    # a form that is not positive is no bell; the fit turns round before it counts
    exponent = np.minimum(-(a * u * u + 2 * b * u * v + c * v * v) / 2, 50.0)
    return np.asarray(peak * np.exp(exponent))


def slopes_of(found: Float64, x: Float64, y: Float64) -> Float64:
    """Return the derivatives by the parameters: (n, 7)."""
    peak, column, row, a, b, c, _ = found
    u, v = x - column, y - row
    bell = model_of(np.array([1.0, *found[1:]]), x, y)
    light = peak * bell
    columns = (
        bell, light * (a * u + b * v), light * (b * u + c * v),
        -light * u * u / 2, -light * u * v, -light * v * v / 2, np.ones_like(x),
    )  # fmt: skip
    return np.stack(columns, axis=1)
