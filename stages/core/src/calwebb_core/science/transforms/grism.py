"""The dispersion of NIRCam's grisms: from a source and a wavelength to a pixel, and back.

A spectrum is a curve with a parameter t that goes from 0 to 1 along it: polynomials in t, whose
coefficients may depend on where the source is in the direct image, give the offset from the source
in x and in y, others the wavelength. The nodes are those of the official product; whoever opens
them with gwcs needs the package stdatamodels. Where a polynomial is inverted by interpolation it
has the same points as there, so that both give the same wavelength.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from calwebb_core.science.transforms.base import Arrays, Float64, Transform
from calwebb_core.science.transforms.elementary import Polynomial
from calwebb_core.science.transforms.sphere import GWCS_TAG

ALONG: Final = np.linspace(0.0, 1.0, 40)
# one polynomial of t, or coefficients of t**i that are polynomials of the source's x and y
Curve = Transform | Sequence[Transform]
FORWARD: Final = {1: "NIRCAMForwardRowGrismDispersion", 2: "NIRCAMForwardColumnGrismDispersion"}
BACKWARD: Final = "NIRCAMBackwardGrismDispersion"
ROW: Final = 1


class GrismCurves(Transform):
    """What both directions have in common: the curves of each order.

    Parameters
    ----------
    orders : sequence of int
    wavelength, x, y : sequence of curves, one an order

    Raises
    ------
    ValueError
        If there are not as many curves as orders, or one cannot be inverted as the official
        transform does.
    """

    tag = "jwst_pipeline/nircam_grism_dispersion-1.2.0"
    authority = GWCS_TAG
    model_type = ""

    def __init__(
        self,
        orders: Sequence[int],
        wavelength: Sequence[Curve],
        x: Sequence[Curve],
        y: Sequence[Curve],
    ) -> None:
        self.orders = [int(order) for order in orders]
        self.wavelength, self.x, self.y = list(wavelength), list(x), list(y)
        if {len(self.wavelength), len(self.x), len(self.y)} != {len(self.orders)}:
            msg = f"{len(self.orders)} orders with another number of polynomials"
            raise ValueError(msg)

    def place(self, order: Float64) -> int:
        """Return the place of an order among the polynomials.

        Raises
        ------
        ValueError
            If it is not there, or there are several at once.
        """
        if order.size == 0:
            return 0
        found = np.unique(order[np.isfinite(order)])
        if found.size != 1 or int(found[0]) not in self.orders:
            asked = ", ".join(f"{value:g}" for value in found)
            msg = f"order {asked or 'NaN'} of a grism; it has {self.orders}"
            raise ValueError(msg)
        return self.orders.index(int(found[0]))

    def fields(self) -> dict[str, Any]:
        """Return the orders and their polynomials."""
        parts = {"lmodels": self.wavelength, "xmodels": self.x, "ymodels": self.y}
        nodes = {name: [curve_node(curve) for curve in curves] for name, curves in parts.items()}
        return {"model_type": self.model_type, "orders": self.orders, **nodes}


class GrismForward(GrismCurves):
    """A pixel of the spectrum, the source's pixel, and the order, to source and wavelength.

    Parameters
    ----------
    axis : int
        1 for spectra along x, 2 for those along y.
    orders, wavelength, x, y
        As of `GrismCurves`.
    """

    n_inputs, n_outputs = 5, 4

    def __init__(self, axis: int, orders: Sequence[int], *curves: Sequence[Curve]) -> None:
        super().__init__(orders, *curves)
        self.axis, self.model_type = axis, FORWARD[axis]
        for curve in self.x if axis == ROW else self.y:
            check_invertible(curve)

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return x and y of the source, the wavelength in micrometres, and the order."""
        x, y, x0, y0, order = arrays
        place = self.place(order)
        offset, curve = (x - x0, self.x[place]) if self.axis == ROW else (y - y0, self.y[place])
        wavelength = np.empty(x.shape)
        for source, where in sources(x0, y0):
            t = parameter_of(curve, offset[where], source)
            wavelength[where] = curve_at(self.wavelength[place], t, source)
        return x0, y0, wavelength, order

    def derived_inverse(self) -> Transform:
        """Return the way back."""
        return GrismBackward(self.axis, self.orders, self.wavelength, self.x, self.y)


class GrismBackward(GrismCurves):
    """A source's pixel, a wavelength, and the order, to a pixel of the spectrum and the source.

    The parameters are those of `GrismForward`.
    """

    n_inputs, n_outputs = 4, 5
    model_type = BACKWARD

    def __init__(self, axis: int, orders: Sequence[int], *curves: Sequence[Curve]) -> None:
        super().__init__(orders, *curves)
        self.axis = axis

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return x and y of the pixel, of the source, and the order."""
        x0, y0, wavelength, order = arrays
        place = self.place(order)
        x, y = np.empty(x0.shape), np.empty(x0.shape)
        for source, where in sources(x0, y0):
            lengths = curve_at(self.wavelength[place], ALONG, source)
            t = np.interp(wavelength[where], *rising(lengths))
            x[where] = x0[where] + curve_at(self.x[place], t, source)
            y[where] = y0[where] + curve_at(self.y[place], t, source)
        return x, y, x0, y0, order

    def derived_inverse(self) -> Transform:
        """Return the way to source and wavelength."""
        return GrismForward(self.axis, self.orders, self.wavelength, self.x, self.y)


def sources(x0: Float64, y0: Float64) -> list[tuple[tuple[float, float], Any]]:
    """Return the different sources and where their pixels are; mostly there is one."""
    if x0.size == 0:
        return []
    first = (float(x0.flat[0]), float(y0.flat[0]))
    if np.all((x0 == first[0]) & (y0 == first[1])):
        return [(first, ...)]
    pairs, inverse = np.unique(np.stack([x0.ravel(), y0.ravel()]), axis=1, return_inverse=True)
    labels = inverse.reshape(x0.shape)
    return [((float(x), float(y)), labels == i) for i, (x, y) in enumerate(pairs.T)]


def curve_at(curve: Curve, t: Float64, source: tuple[float, float]) -> Float64:
    """Return the values of a curve at parameters along it."""
    if isinstance(curve, Transform):
        return np.asarray(curve.evaluate(t)[0])
    total = np.zeros(np.shape(t))
    for power, coefficient in enumerate(curve):
        total = total + coefficient(*source) * t**power
    return total


def parameter_of(curve: Curve, offset: Float64, source: tuple[float, float]) -> Float64:
    """Return the parameter at which a curve has an offset; 0 to 1 where it isn't linear."""
    if isinstance(curve, Polynomial):
        return np.asarray((offset - curve.coefficients[0]) / curve.coefficients[1])
    return np.asarray(np.interp(offset, *rising(curve_at(curve, ALONG, source))))


def rising(values: Float64) -> tuple[Float64, Float64]:
    """Return values at the points along a curve in rising order, and these points."""
    order = np.argsort(values, kind="stable")
    return values[order], ALONG[order]


def check_invertible(curve: Curve) -> None:
    """Refuse a polynomial of t alone that is no straight line.

    Raises
    ------
    ValueError
        If so: the official transform would take it for one.
    """
    if not isinstance(curve, Transform):
        return
    if not isinstance(curve, Polynomial) or curve.coefficients.shape != (2,):
        msg = "a dispersion that is no straight line and does not depend on the source's place"
        raise ValueError(msg)


def curve_node(curve: Curve) -> Any:
    """Return the ASDF node of a curve."""
    return curve.node() if isinstance(curve, Transform) else [part.node() for part in curve]
