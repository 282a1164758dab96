"""Values looked up in a table, with straight lines between its points."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from calwebb_core.science.transforms.base import Arrays, NoInverseError, Transform


class Tabular(Transform):
    """A function of one coordinate by a table; NaN, another value, or straight on outside of it.

    Parameters
    ----------
    points : float64, (n,)
        Rising or falling throughout.
    values : float64, (n,)
    fill_value : float or None
        What it is outside of the points; None for the straight line through the nearest two.
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
        fill_value: float | None = np.nan,
        name: str | None = None,
    ) -> None:
        self.points, self.values = (np.array(part, np.float64) for part in (points, values))
        self.fill_value, self.name = None if fill_value is None else float(fill_value), name
        if self.points.ndim != 1 or self.points.shape != self.values.shape:
            msg = f"a table of {self.points.shape} points and {self.values.shape} values"
            raise ValueError(msg)
        if not is_monotonic(self.points):
            msg = "a table whose points neither rise nor fall throughout"
            raise ValueError(msg)

    def evaluate(self, *arrays: Any) -> Arrays:
        """Interpolate."""
        order = slice(None) if self.points[0] <= self.points[-1] else slice(None, None, -1)
        points, values, fill = self.points[order], self.values[order], self.fill_value
        result = np.interp(arrays[0], points, values, left=fill, right=fill)
        if fill is None:
            for end, beyond in ((0, arrays[0] < points[0]), (-2, arrays[0] > points[-1])):
                slope = (values[end + 1] - values[end]) / (points[end + 1] - points[end])
                line = values[end] + slope * (arrays[0] - points[end])
                result = np.where(beyond, line, result)
        return (result,)

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
        fields: dict[str, Any] = {
            "bounds_error": False,
            "lookup_table": self.values,
            "method": "linear",
            "points": [self.points],
        }
        return fields if self.fill_value is None else fields | {"fill_value": self.fill_value}


def is_monotonic(values: Any) -> bool:
    """Say whether values rise or fall throughout."""
    steps = np.diff(values)
    return bool(values.size > 1 and (np.all(steps > 0) or np.all(steps < 0)))
