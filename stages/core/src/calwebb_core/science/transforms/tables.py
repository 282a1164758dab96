"""Values looked up in a table, with straight lines between its points."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from calwebb_core.science.transforms.base import Arrays, NoInverseError, Transform


class Tabular(Transform):
    """A function of one coordinate by a table; NaN, or another value, outside of it.

    Parameters
    ----------
    points : float64, (n,)
        Rising or falling throughout.
    values : float64, (n,)
    fill_value : float
        What it is outside of the points.
    name : str, optional

    Raises
    ------
    ValueError
        If the points neither rise nor fall throughout, or there are not as many values.
    """

    tag = "transform/tabular-1.4.0"

    def __init__(
        self,
        points: ArrayLike,
        values: ArrayLike,
        fill_value: float = np.nan,
        name: str | None = None,
    ) -> None:
        self.points, self.values = (np.array(part, np.float64) for part in (points, values))
        self.fill_value, self.name = float(fill_value), name
        if self.points.ndim != 1 or self.points.shape != self.values.shape:
            msg = f"a table of {self.points.shape} points and {self.values.shape} values"
            raise ValueError(msg)
        if not is_monotonic(self.points):
            msg = "a table whose points neither rise nor fall throughout"
            raise ValueError(msg)

    def evaluate(self, *arrays: Any) -> Arrays:
        """Interpolate."""
        order = slice(None) if self.points[0] <= self.points[-1] else slice(None, None, -1)
        fill = self.fill_value
        return (
            np.interp(arrays[0], self.points[order], self.values[order], left=fill, right=fill),
        )

    def derived_inverse(self) -> Transform:
        """Return the table read the other way.

        Raises
        ------
        NoInverseError
            If the values neither rise nor fall throughout.
        """
        if not is_monotonic(self.values):
            msg = "a table whose values neither rise nor fall throughout"
            raise NoInverseError(msg)
        return Tabular(self.values, self.points, self.fill_value)

    def fields(self) -> dict[str, Any]:
        """Return points, values, and what holds outside of them."""
        return {
            "bounds_error": False,
            "fill_value": self.fill_value,
            "lookup_table": self.values,
            "method": "linear",
            "points": [self.points],
        }


def is_monotonic(values: Any) -> bool:
    """Say whether values rise or fall throughout."""
    steps = np.diff(values)
    return bool(values.size > 1 and (np.all(steps > 0) or np.all(steps < 0)))
