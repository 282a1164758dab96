"""What a grating and NIRSpec's prism do to rays, and the limits of a slit.

Rays are given by direction cosines. The formulas of the prism are those of the parametric model of
Dorner et al. 2016 (A&A 592, A113): refraction at the front, reflection at the back, refraction at
the front. The nodes are those of the official product; whoever opens them with gwcs needs the
package stdatamodels.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from calwebb_core.science.transforms.base import Arrays, Float64, Transform
from calwebb_core.science.transforms.sphere import GWCS_TAG

MICROMETRES: Final = 1e6
# kelvin from the reference temperature within which the official model leaves the glass as it is
SAME_TEMPERATURE: Final = 20.0
CONDITIONS: Final = {"GT": np.greater, "LT": np.less, "EQ": np.equal, "NE": np.not_equal}


class Grating(Transform):
    """What all forms of the grating equation have: density of grooves and order."""

    tag = "gwcs/grating_equation-1.3.0"
    authority = GWCS_TAG

    def __init__(self, groove_density: float, order: float) -> None:
        self.groove_density, self.order = float(groove_density), float(order)


class GratingWavelength(Grating):
    """The wavelength in metres from a ray's first cosine before and after a grating.

    Parameters
    ----------
    groove_density : float, grooves a metre
    order : float
    """

    n_inputs, n_outputs = 2, 1

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return (alpha_in + alpha_out) / (density order); inputs point the same way."""
        return ((arrays[0] + arrays[1]) / (self.groove_density * self.order),)

    def fields(self) -> dict[str, Any]:
        """Return density and order."""
        return {
            "groove_density": self.groove_density,
            "inputs": ["alpha_in", "alpha_out"],
            "order": self.order,
            "output": "wavelength",
            "outputs": ["wavelength"],
        }


class GratingAngles(Grating):
    """A ray's direction cosines after a grating, from its wavelength in metres and two before.

    Parameters
    ----------
    groove_density : float, grooves a metre
    order : float
    """

    n_inputs, n_outputs = 3, 3

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return the cosines; the third is positive."""
        wavelength, alpha, beta = arrays
        alpha = alpha - self.groove_density * self.order * wavelength
        return alpha, -beta, third_cosine(alpha, beta)

    def fields(self) -> dict[str, Any]:
        """Return density and order."""
        return {
            "groove_density": self.groove_density,
            "inputs": ["wavelength", "alpha_in", "beta_in"],
            "order": self.order,
            "output": "angle",
            "outputs": ["alpha_out", "beta_out", "gamma_out"],
        }


class PrismIndex(Transform):
    """The index of refraction from a ray's cosines before the prism and the first one after it.

    Parameters
    ----------
    angle : float, degrees
        Between the prism's front and back.
    """

    tag = "jwst_pipeline/refraction_index_from_prism-1.2.0"
    authority = GWCS_TAG
    n_inputs, n_outputs = 3, 1

    def __init__(self, angle: float) -> None:
        self.angle = float(angle)

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return the index: the inverse of what `Prism` does to the first cosine."""
        alpha, beta, out = arrays
        double = 2.0 * np.deg2rad(self.angle)
        inside = (out + alpha * np.cos(double)) / np.sin(double)
        return (np.sqrt(inside * inside + alpha * alpha + beta * beta),)

    def fields(self) -> dict[str, Any]:
        """Return the angle."""
        return {"prism_angle": self.angle}


class Prism(Transform):
    """A ray's direction cosines after the prism, from its wavelength in metres and those before.

    Parameters
    ----------
    angle : float, degrees
        Between the prism's front and back.
    k, l : three floats each
        Sellmeier's coefficients of the glass at the reference temperature, for micrometres.
    thermal : six floats
        D0, D1, D2, E0, E1, wavelength of the change with temperature.
    reference, temperature : float, kelvin
        Of the coefficients, and of the prism.
    """

    tag = "jwst_pipeline/snell-1.2.0"
    authority = GWCS_TAG
    n_inputs, n_outputs = 4, 3

    def __init__(
        self,
        angle: float,
        k: Sequence[float],
        l: Sequence[float],  # noqa: E741 - the official name of the coefficients
        thermal: Sequence[float],
        reference: float,
        temperature: float,
    ) -> None:
        self.angle, self.reference, self.temperature = angle, reference, temperature
        self.k, self.l, self.thermal = (
            [float(value) for value in part] for part in (k, l, thermal)
        )
        if [len(self.k), len(self.l), len(self.thermal)] != [3, 3, 6]:
            msg = f"{len(self.k)}, {len(self.l)}, {len(self.thermal)} coefficients; not 3, 3, 6"
            raise ValueError(msg)

    def index(self, wavelength: Float64) -> Float64:
        """Return the index of refraction in vacuum at wavelengths in metres."""
        square = (MICROMETRES * wavelength) ** 2
        terms = (k * square / (square - l) for k, l in zip(self.k, self.l, strict=True))  # noqa: E741
        index = np.sqrt(1.0 + sum(terms))
        return index + self.thermal_change(index, square)

    def thermal_change(self, index: Float64, square: Float64) -> Float64 | float:
        """Return the change of the index with temperature (Schott, TIE-19)."""
        warmer = self.temperature - self.reference
        if abs(warmer) < SAME_TEMPERATURE:
            return 0.0
        d0, d1, d2, e0, e1, wavelength = self.thermal
        glass = warmer * (d0 + warmer * (d1 + warmer * d2))
        change = glass + warmer * (e0 + warmer * e1) / (square - wavelength**2)
        return (index * index - 1.0) / (2.0 * index) * change

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return the cosines; the third is positive."""
        wavelength, alpha, beta, _ = arrays
        index = self.index(wavelength)
        double = 2.0 * np.deg2rad(self.angle)
        inside = np.sqrt(index * index - alpha * alpha - beta * beta)
        alpha = inside * np.sin(double) - alpha * np.cos(double)
        return alpha, -beta, third_cosine(alpha, beta)

    def fields(self) -> dict[str, Any]:
        """Return the parameters; the pressure is that of a vacuum."""
        return {
            "kcoef": self.k,
            "lcoef": self.l,
            "pressure": 0.0,
            "prism_angle": self.angle,
            "ref_pressure": 0.0,
            "ref_temp": self.reference,
            "tcoef": self.thermal,
            "temp": self.temperature,
        }


class Limit(Transform):
    """Another value where a condition holds, the same elsewhere.

    Parameters
    ----------
    condition : str
        GT, LT, EQ or NE.
    limit, value : float
    """

    tag = "jwst_pipeline/logical-1.2.0"
    authority = GWCS_TAG

    def __init__(self, condition: str, limit: float, value: float = np.nan) -> None:
        self.condition, self.limit, self.value = condition, float(limit), float(value)
        if condition not in CONDITIONS:
            msg = f"the condition {condition!r}; expected one of {', '.join(CONDITIONS)}"
            raise ValueError(msg)

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Replace what meets the condition."""
        met = CONDITIONS[self.condition](arrays[0], self.limit)
        return (np.where(met, self.value, arrays[0]),)

    def fields(self) -> dict[str, Any]:
        """Return condition, limit and value."""
        return {"compareto": self.limit, "condition": self.condition, "value": self.value}


def third_cosine(first: Float64, second: Float64) -> Float64:
    """Return the third direction cosine of a ray that goes forward; NaN if there is none."""
    rest = 1.0 - first * first - second * second
    return np.sqrt(np.where(rest >= 0, rest, np.nan))
